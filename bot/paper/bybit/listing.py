"""Which contracts does each category list, under which names, and how are they cut?

An inverse contract of the exchange is one of a hundred or ten dollars; here it is one of a single
dollar, and a position of it is held one way only.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from bot.paper.bybit.request import Request
from bot.paper.engine import Engine
from bot.paper.values import Contract, Kind, Reason, Refused

DOLLAR = Decimal(1)
KINDS: Mapping[str, Kind] = {"linear": Kind.LINEAR, "inverse": Kind.INVERSE}
"""What a category of derivatives lists."""
CATEGORIES: Mapping[Kind, str] = {kind: category for category, kind in KINDS.items()}


def cut(contract: Contract) -> Contract:
    """Return a contract as the venue cuts it."""
    if contract.kind is Kind.LINEAR:
        return contract
    return replace(contract, face=DOLLAR, lot=DOLLAR)


def name(contract: Contract) -> str:
    """Return the venue's name of a contract."""
    return contract.id if contract.kind is Kind.LINEAR else f"{contract.base}{contract.quote}"


def named(engine: Engine, category: str, wanted: str) -> Contract:
    """Return the contract of a name.

    Raises:
        Refused: The category does not list it.
    """
    for contract in engine.contracts.values():
        if contract.kind is KINDS.get(category) and name(contract) == wanted:
            return contract
    raise Refused(Reason.UNKNOWN_SYMBOL, "params error: symbol invalid")


def asked(engine: Engine, request: Request) -> Contract:
    """Return the contract that a request is about.

    Raises:
        WireError: It names no category of derivatives, or no symbol.
        Refused: The category does not list it.
    """
    return named(engine, request.choice("category", tuple(KINDS)), request.text("symbol"))


def contracts(engine: Engine, request: Request) -> list[Contract]:
    """Return the contracts of a category: the one asked for, or all.

    Raises:
        WireError: There is no such category.
        Refused: The symbol is not listed.
    """
    category = request.choice("category", (*KINDS, "spot", "option"))
    symbol = request.optional("symbol")
    if symbol is not None and category in KINDS:
        return [named(engine, category, symbol)]
    return [c for c in engine.contracts.values() if c.kind is KINDS.get(category)]
