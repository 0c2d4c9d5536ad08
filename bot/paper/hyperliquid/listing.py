"""How does the venue cut the contracts of the exchange, and what must a position hold there?

Coins are named by their place in the list. The dollar of the exchange, whichever it is, is the one
dollar of this venue. Maintenance is half of what the highest leverage of a step asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bot.paper.digits import places
from bot.paper.engine import Engine
from bot.paper.values import Contract, Kind, Reason, Refused

MOST_PLACES = 6
"""Decimals that price and size may have together."""
FIGURES = 5
"""That a price may have, unless it is whole."""
LEAST = Decimal(10)
"""Value of the smallest order. [quote]"""
OWN_TABLES = 50
"""A table with a smaller number has one step, whose leverage is its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a table by value.

    Attributes:
        floor: Smallest value. [quote]
        leverage: Highest setting. [x]
    """

    floor: Decimal
    leverage: int

    @property
    def rate(self) -> Decimal:
        """Of maintenance. [ratio]."""
        return 1 / Decimal(2 * self.leverage)


def _steps(*rows: tuple[int, int]) -> tuple[Step, ...]:
    return tuple(Step(floor=Decimal(floor), leverage=leverage) for floor, leverage in rows)


TABLES: Mapping[int, tuple[Step, ...]] = {
    56: _steps((0, 40), (20_000, 30), (150_000_000, 20)),
    55: _steps((0, 25), (100_000_000, 15)),
    20: _steps((0, 20)),
    51: _steps((0, 10), (20_000_000, 5)),
}
"""By number; not the venue's own figures."""
TABLE_OF = {"BTC": 56, "ETH": 55, "SOL": 20, "DOGE": 51}
"""By coin."""


def listed(engine: Engine) -> list[Contract]:
    """Return the contracts of the venue, each at its place; of a coin there is one."""
    found: dict[str, Contract] = {}
    for contract in engine.contracts.values():
        if contract.kind is Kind.LINEAR and contract.asset == dollar(engine):
            found.setdefault(contract.base, contract)
    return list(found.values())


def dollar(engine: Engine) -> str:
    """Return what the venue takes for its dollar."""
    linear = (c.asset for c in engine.contracts.values() if c.kind is Kind.LINEAR)
    return next(linear, "USDT")


def steps(contract: Contract) -> tuple[Step, ...]:
    """Return the table of a contract."""
    return TABLES[TABLE_OF[contract.base]]


def at(engine: Engine, place: int) -> Contract:
    """Return the contract at a place.

    Raises:
        Refused: There is none.
    """
    found = listed(engine)
    if not 0 <= place < len(found):
        raise Refused(Reason.UNKNOWN_SYMBOL, "Asset is not listed.")
    return found[place]


def named(engine: Engine, coin: str) -> Contract | None:
    """Return the contract of a coin; ``None`` where it is not listed."""
    return next((found for found in listed(engine) if found.base == coin), None)


def size_places(contract: Contract) -> int:
    """Return the decimals of a size."""
    return places(contract.lot)


def is_price(contract: Contract, price: Decimal) -> bool:
    """Whether the venue takes a price: few figures and few decimals, or a whole number."""
    if price == price.to_integral_value():
        return True
    found = price.normalize().as_tuple()
    few = len(found.digits) <= FIGURES
    return few and places(price) <= MOST_PLACES - size_places(contract)


def step_at(contract: Contract, value: Decimal) -> Step:
    """Return the step of a value. [quote]."""
    return max((s for s in steps(contract) if s.floor <= value), key=lambda step: step.floor)


def demand(contract: Contract, size: Decimal, price: Decimal) -> Decimal:
    """Return maintenance margin: each part of the value at the rate of its own step. [quote]."""
    value, found, table = size * price, Decimal(0), steps(contract)
    ends = [*(step.floor for step in table[1:]), max(value, table[-1].floor)]
    for step, end in zip(table, ends, strict=True):
        if value > step.floor:
            found += (min(value, end) - step.floor) * step.rate
    return found


def bound_of(trigger: Decimal, price: Decimal, *, is_buy: bool) -> bool:
    """Whether the worst price of a stop lies on the right side of where it fires."""
    return price >= trigger if is_buy else price <= trigger


def rounded(contract: Contract, price: Decimal, *, up: bool) -> Decimal:
    """Return the next price that the venue takes."""
    digits = max(FIGURES - 1 - price.adjusted(), 0)
    step = Decimal(1).scaleb(-min(digits, MOST_PLACES - size_places(contract)))
    count = (price / step).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return count * step
