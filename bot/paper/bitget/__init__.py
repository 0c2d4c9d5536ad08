"""Bitget v2 as clients see it, on the paper engine: contracts settled in USDT, one account."""
