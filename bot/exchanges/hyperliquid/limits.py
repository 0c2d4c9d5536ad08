"""What does a request to Hyperliquid weigh?

All requests of an address share one budget; an answer with many rows weighs more than what was
asked. Numbers of the venue's page on rate limits. Each account has a budget of actions besides,
which grows with what it trades: who has spent it is refused that action, and may send one in ten
seconds.
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.exchanges.limits import Budgets, Cost, Limit

WEIGHT = "weight"
USUAL, ACTION = 20, 1
WEIGHTS: Mapping[str, int] = {
    "l2Book": 2, "allMids": 2, "clearinghouseState": 2, "orderStatus": 2,
    "spotClearinghouseState": 2, "exchangeStatus": 2, "userRole": 60,
}  # fmt: skip
"""By type of question, where it is not the usual."""
ROWS: Mapping[str, int] = {
    "userFillsByTime": 20, "userFunding": 20, "userNonFundingLedgerUpdates": 20,
    "candleSnapshot": 60,
}  # fmt: skip
"""How many rows of an answer weigh one more."""
BUDGETS = Budgets(limits={WEIGHT: Limit(weight=1200)}, main=WEIGHT)


def kind_of(body: str) -> str:
    """Return what is asked; empty where it is not told."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    kind = said.get("type") if isinstance(said, dict) else None
    return kind if isinstance(kind, str) else ""


def cost(_: str, path: str, __: str, body: str) -> Cost:
    """Return the cost of a request."""
    if path == "/exchange":
        return Cost(WEIGHT, ACTION)
    return Cost(WEIGHT, WEIGHTS.get(kind_of(body), USUAL))


def rows_cost(question: str, answer: str) -> Cost:
    """Return what the rows of an answer cost besides."""
    each = ROWS.get(kind_of(question), 0)
    try:
        rows: Any = json.loads(answer) if each else None
    except (ValueError, RecursionError):
        rows = None
    return Cost(WEIGHT, len(rows) // each if isinstance(rows, list) else 0)
