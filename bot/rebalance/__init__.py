"""From one observation to one decision, without I/O."""
