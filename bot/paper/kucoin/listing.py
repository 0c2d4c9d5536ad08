"""How does the venue cut the contracts of the exchange, and what must a position hold there?

Our own small table, with round numbers near those of the venue. Sizes are lots; the owner of an
account chooses a risk level for each contract, here always the lowest that takes the size. The
venue liquidates at the rate of that level, and the fee of closing is part of what must be held.
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.paper.values import Contract, Reason, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One risk level of a contract.

    Attributes:
        most: Largest position. [lots]
        value: What the venue lists as its limit. [quote]
        maintenance: [ratio]
        initial: [ratio]
        leverage: Highest setting. [x]
    """

    most: Decimal
    value: int
    maintenance: Decimal
    initial: Decimal
    leverage: int


def _levels(*rows: tuple[int, int, str, str, int]) -> tuple[Level, ...]:
    return tuple(
        Level(
            most=Decimal(most), value=value, maintenance=Decimal(maintenance),
            initial=Decimal(initial), leverage=leverage,
        )
        for most, value, maintenance, initial, leverage in rows
    )  # fmt: skip


FACES = {
    "BTC": Decimal("0.001"),
    "ETH": Decimal("0.001"),
    "SOL": Decimal("0.1"),
    "DOGE": Decimal(1),
}
"""Coins in a lot, by coin. [base]"""
LEVELS = {
    "BTC": _levels(
        (5_000, 300_000, "0.004", "0.008", 125),
        (50_000, 3_000_000, "0.006", "0.012", 75),
        (400_000, 30_000_000, "0.01", "0.02", 50),
        (4_000_000, 300_000_000, "0.05", "0.1", 10),
    ),
    "ETH": _levels(
        (100_000, 300_000, "0.004", "0.01", 100),
        (1_000_000, 3_000_000, "0.006", "0.0134", 75),
        (8_000_000, 30_000_000, "0.01", "0.02", 50),
        (80_000_000, 300_000_000, "0.05", "0.1", 10),
    ),
    "SOL": _levels(
        (20_000, 300_000, "0.0065", "0.0134", 75),
        (200_000, 3_000_000, "0.01", "0.02", 50),
        (6_000_000, 90_000_000, "0.05", "0.1", 10),
    ),
    "DOGE": _levels(
        (500_000, 100_000, "0.0065", "0.02", 50),
        (4_000_000, 1_000_000, "0.01", "0.025", 40),
        (80_000_000, 20_000_000, "0.05", "0.1", 10),
    ),
}
"""By coin."""
NAMES = {"BTC": "XBT"}
"""Coins that the venue calls by another name."""


def coin(contract: Contract) -> str:
    """Return the venue's name of what is traded."""
    return NAMES.get(contract.base, contract.base)


def face(contract: Contract) -> Decimal:
    """Return how many coins a lot is. [base]."""
    return FACES[contract.base]


def name(contract: Contract) -> str:
    """Return the venue's name of a contract."""
    return f"{coin(contract)}{contract.asset}M"


def index(contract: Contract) -> str:
    """Return the venue's name of the index that a contract follows."""
    return f".K{coin(contract)}{contract.asset}"


def named(contracts: list[Contract], wanted: str) -> Contract:
    """Return the contract of a name.

    Raises:
        Refused: It is not listed.
    """
    for contract in contracts:
        if name(contract) == wanted:
            return contract
    raise Refused(Reason.UNKNOWN_SYMBOL, "Contract parameter invalid")


def level(contract: Contract, size: Decimal) -> tuple[int, Level]:
    """Return the number and the rates of the level of a size. [base]."""
    lots, steps = size / face(contract), LEVELS[contract.base]
    for number, step in enumerate(steps, start=1):
        if lots <= step.most:
            return number, step
    return len(steps), steps[-1]


def demand(contract: Contract, size: Decimal, price: Decimal) -> Decimal:
    """Return maintenance margin of the level, and the fee of closing. [quote]."""
    return size * price * (level(contract, size)[1].maintenance + contract.taker)
