"""In which words does the venue say no?

It has no codes: what was refused is told in a sentence, under HTTP 200. The sentences for orders
are those of its page on error responses; those marked as ours are not documented anywhere.
"""

import json
from http import HTTPStatus
from typing import Any

from bot.paper.desk import Reply
from bot.paper.values import Reason, Refused

HOSTS = ("api.hyperliquid.xyz",)
NO_MATCH = "Order could not immediately match against any resting orders."
MISSING = "Order was never placed, already canceled, or filled."
TICK = "Price must be divisible by tick size."
ORDERS = {
    Reason.BAD_AMOUNT: "Order has zero size.",
    Reason.TOO_PRECISE: "Order has invalid size.",
    Reason.ABOVE_MAXIMUM: (
        "Order would cause position to exceed margin tier limit at current leverage"
    ),
    Reason.BELOW_NOTIONAL: "Order must have minimum value of $10.",
    Reason.PRICE_OUT_OF_BOUNDS: "Order price too far from oracle",
    Reason.INSUFFICIENT_MARGIN: "Insufficient margin to place order.",
    Reason.REDUCE_ONLY: "Reduce only order would increase position.",
    Reason.WOULD_TRIGGER: "Invalid TP/SL price.",
    Reason.UNKNOWN_ORDER: MISSING,
    Reason.DUPLICATE_ID: "Client order id is taken.",  # ours
    Reason.HALTED: "Trading is halted.",  # ours
}


class WireError(Exception):
    """A refusal of a request as a whole."""


class BodyError(Exception):
    """A request that is none."""


def of_order(refused: Refused, asset: int) -> str:
    """Return the venue's words for a refused order."""
    return f"{ORDERS.get(refused.reason, refused.message)} asset={asset}"


def said(value: Any, *, status: int = HTTPStatus.OK) -> Reply:
    """Return an answer."""
    return Reply(status=status, text=json.dumps(value))


def refusal(text: str) -> Reply:
    """Return the venue's words for a request that is refused as a whole."""
    return said({"status": "err", "response": text})


def no_request() -> Reply:
    """Return the venue's words for a body it cannot read."""
    return Reply(
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        text="Failed to deserialize the JSON body into the target type",
        kind="text/plain",
    )


def too_many() -> Reply:
    """Return the venue's words for an address that asks too often: it gives none."""
    return said(None, status=HTTPStatus.TOO_MANY_REQUESTS)
