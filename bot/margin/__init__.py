"""Exchange margin rules as exact pure functions; they decide, the float models only estimate."""
