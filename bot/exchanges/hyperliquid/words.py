"""Which number do we give a sentence of Hyperliquid, which has no codes of its own?

Sentences are known by how they begin. One that is not in the table proves nothing.
"""

from enum import IntEnum
from typing import Any


class Code(IntEnum):
    """Our own numbers."""

    UNLISTED = 1
    """A sentence that nobody wrote down yet."""
    UNKNOWN_ORDER = 2
    AGENT = 10
    DEPOSIT = 11
    NONCE = 12
    ACTIONS = 13
    TICK = 20
    MINIMUM = 21
    MARGIN = 22
    REDUCE_ONLY = 23
    NO_MATCH = 24
    TRIGGER = 25
    LIQUIDITY = 26
    SIZE = 27
    ZERO = 28
    FAR = 29
    ORACLE = 30
    LIMIT = 31
    INTEREST = 32
    MISSING = 33


SENTENCES: tuple[tuple[str, Code], ...] = (
    ("User or API Wallet ", Code.AGENT),
    ("Must deposit before performing actions", Code.DEPOSIT),
    ("Invalid nonce", Code.NONCE),
    ("Too many cumulative requests sent", Code.ACTIONS),
    ("Price must be divisible by tick size", Code.TICK),
    ("Order must have minimum value of $10", Code.MINIMUM),
    ("Insufficient margin to place order", Code.MARGIN),
    ("Reduce only order would increase position", Code.REDUCE_ONLY),
    ("Order could not immediately match against any resting orders", Code.NO_MATCH),
    ("Invalid TP/SL price", Code.TRIGGER),
    ("No liquidity available for market order", Code.LIQUIDITY),
    ("Order has invalid size", Code.SIZE),
    ("Order has zero size", Code.ZERO),
    ("Order price cannot be more than 80% away from the reference price", Code.FAR),
    ("Order price too far from oracle", Code.ORACLE),
    ("Order would cause position to exceed margin tier limit", Code.LIMIT),
    ("Order would increase open interest", Code.INTEREST),
    ("Order was never placed, already canceled, or filled", Code.MISSING),
)
"""Of the venue's page on error responses, and of the library."""


def code_of(sentence: str) -> Code:
    """Return our number of a sentence."""
    return next((code for start, code in SENTENCES if sentence.startswith(start)), Code.UNLISTED)


def told(body: Any) -> tuple[int | None, str]:
    """Return number and text of an answer, of its first refused item where there is one."""
    if not isinstance(body, dict):
        return None, ""
    status, response = body.get("status"), body.get("response")
    if status == "unknownOid":
        return Code.UNKNOWN_ORDER, "unknownOid"
    if status == "err":
        text = response if isinstance(response, str) else str(response)
        return code_of(text), text
    for item in _statuses(response):
        if isinstance(item, dict) and "error" in item:
            text = str(item["error"])
            return code_of(text), text
    return None, ""


def _statuses(response: Any) -> list[Any]:
    data = response.get("data") if isinstance(response, dict) else None
    found = data.get("statuses") if isinstance(data, dict) else None
    return found if isinstance(found, list) else []
