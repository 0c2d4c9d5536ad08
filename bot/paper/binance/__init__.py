"""Binance USDⓈ-M as clients see it, on the paper engine."""
