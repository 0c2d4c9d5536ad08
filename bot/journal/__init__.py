"""What the bot remembers on disk: decisions, intents and what became of them."""
