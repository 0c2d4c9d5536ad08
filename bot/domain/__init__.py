"""What the bot talks about: frozen values without I/O."""
