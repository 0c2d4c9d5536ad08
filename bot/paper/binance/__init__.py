"""Binance USDⓈ-M and COIN-M as clients see them, on one paper engine."""
