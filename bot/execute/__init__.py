"""The only code that sends writes."""
