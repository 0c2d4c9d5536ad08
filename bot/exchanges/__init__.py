"""Exchanges behind the `Venue` port, through ccxt; the only place that imports it."""
