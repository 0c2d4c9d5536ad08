"""Does a venue, through the adapter, do what the bot relies on? Numbered cards, each one answer."""
