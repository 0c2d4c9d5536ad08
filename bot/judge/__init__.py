"""Judges a run by the exchange's own books; imports nothing of the bot."""
