"""The paper exchange: a venue in one process that shares no margin code with the bot."""
