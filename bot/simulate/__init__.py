"""The whole bot in one seeded, virtual world: no thread, no clock, no network, no disk."""
