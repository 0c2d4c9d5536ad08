"""OKX v5 as clients see it, on the paper engine: linear swaps, one account in futures mode."""
