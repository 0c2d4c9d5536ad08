"""KuCoin as clients see it, on the paper engine: linear perpetuals of one classic account."""
