"""How often may a client ask?

Each endpoint counts by itself, over two seconds. Who asks too often is refused that request, and
nothing else.
"""

from collections.abc import Mapping

WINDOW_MS = 2000
USUAL = 20
"""Requests in a window, where the table has no other number."""
LIMITS: Mapping[tuple[str, str], int] = {
    ("GET", "/api/v5/public/time"): 10,
    ("GET", "/api/v5/public/mark-price"): 10,
    ("GET", "/api/v5/public/position-tiers"): 10,
    ("GET", "/api/v5/public/funding-rate"): 10,
    ("GET", "/api/v5/market/books"): 40,
    ("GET", "/api/v5/market/history-mark-price-candles"): 10,
    ("GET", "/api/v5/account/positions"): 10,
    ("GET", "/api/v5/account/balance"): 10,
    ("GET", "/api/v5/account/account-position-risk"): 10,
    ("GET", "/api/v5/account/bills"): 10,
    ("GET", "/api/v5/account/config"): 5,
    ("GET", "/api/v5/account/trade-fee"): 5,
    ("GET", "/api/v5/asset/balances"): 12,
    ("GET", "/api/v5/asset/transfer-state"): 20,
    ("POST", "/api/v5/asset/transfer"): 4,
    ("POST", "/api/v5/trade/order"): 60,
    ("GET", "/api/v5/trade/order"): 60,
    ("POST", "/api/v5/account/set-leverage"): 40,
    ("POST", "/api/v5/account/set-position-mode"): 5,
}
"""Of a window, by method and path."""
