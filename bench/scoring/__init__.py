"""What scores policies on recorded bars: no part of a decision; one rule knows the future."""
