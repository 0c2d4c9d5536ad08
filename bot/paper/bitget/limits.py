"""How often may a client ask?

Each endpoint counts by itself, over a second. Who asks too often is refused that request, and
nothing else.
"""

from collections.abc import Mapping

WINDOW_MS = 1000
USUAL = 10
"""Requests in a window, where the table has no other number."""
LIMITS: Mapping[tuple[str, str], int] = {
    ("GET", "/api/v2/public/time"): 20,
    ("GET", "/api/v2/mix/market/contracts"): 20,
    ("GET", "/api/v2/mix/market/tickers"): 20,
    ("GET", "/api/v2/mix/market/symbol-price"): 20,
    ("GET", "/api/v2/mix/market/merge-depth"): 20,
    ("GET", "/api/v2/mix/market/history-mark-candles"): 20,
    ("GET", "/api/v2/mix/position/all-position"): 5,
    ("POST", "/api/v2/mix/account/set-margin"): 5,
    ("POST", "/api/v2/mix/account/set-leverage"): 5,
    ("POST", "/api/v2/mix/account/set-position-mode"): 5,
    ("GET", "/api/v2/spot/account/info"): 1,
    ("GET", "/api/v2/spot/account/transferRecords"): 20,
}
"""Of a window, by method and path, as the venue's pages have them."""
