"""Hyperliquid as clients see it, on the paper engine: one account's perpetuals, in USDC."""
