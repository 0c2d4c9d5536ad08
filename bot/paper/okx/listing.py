"""How does the venue cut the contracts of the exchange, and what must a position hold there?

Our own small table, with round numbers near those of the venue: its sizes are contracts, its tiers
go by the number of contracts, and the taker fee of closing is part of what must be held.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.paper.values import Contract, Kind, Reason, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a table by size.

    Attributes:
        most: Largest position. [contracts]
        maintenance: [ratio]
        initial: [ratio]
        leverage: Highest setting. [x]
    """

    most: Decimal
    maintenance: Decimal
    initial: Decimal
    leverage: int


def _tiers(*rows: tuple[int, str, str, int]) -> tuple[Tier, ...]:
    return tuple(
        Tier(most=Decimal(most), maintenance=Decimal(m), initial=Decimal(i), leverage=leverage)
        for most, m, i, leverage in rows
    )


DOLLARS = {"BTC": Decimal(100), "ETH": Decimal(10)}
"""Value of an inverse contract, by coin. [quote]"""
PARTS = 10
"""Smallest order of an inverse contract, as a part of one. [count]"""
FACES = {
    "BTC": Decimal("0.01"),
    "ETH": Decimal("0.1"),
    "SOL": Decimal(1),
    "DOGE": Decimal(1000),
}
"""Coins in a contract, by coin. [base]"""
TIERS = {
    "BTC": _tiers((500, "0.004", "0.01", 100), (5_000, "0.006", "0.0134", 75),
                  (40_000, "0.01", "0.02", 50), (400_000, "0.05", "0.1", 10)),
    "ETH": _tiers((1_000, "0.004", "0.01", 100), (10_000, "0.006", "0.0134", 75),
                  (80_000, "0.01", "0.02", 50), (800_000, "0.05", "0.1", 10)),
    "SOL": _tiers((3_000, "0.0065", "0.0134", 75), (30_000, "0.01", "0.02", 50),
                  (600_000, "0.05", "0.1", 10)),
    "DOGE": _tiers((500, "0.0065", "0.02", 50), (4_000, "0.01", "0.025", 40),
                   (80_000, "0.05", "0.1", 10)),
}  # fmt: skip
"""Of linear ones, by coin."""
INVERSE_TIERS = {
    "BTC": _tiers((15_000, "0.004", "0.01", 100), (30_000, "0.006", "0.0134", 75),
                  (150_000, "0.01", "0.02", 50), (1_500_000, "0.05", "0.1", 10)),
    "ETH": _tiers((50_000, "0.004", "0.01", 100), (100_000, "0.006", "0.0134", 75),
                  (500_000, "0.01", "0.02", 50), (5_000_000, "0.05", "0.1", 10)),
}  # fmt: skip
"""Of inverse ones, by coin."""


def cut(contract: Contract) -> Contract:
    """Return a contract as the venue cuts it."""
    if contract.kind is Kind.LINEAR:
        return contract
    dollars = DOLLARS[contract.base]
    return replace(contract, face=dollars, lot=dollars / PARTS)


def face(contract: Contract) -> Decimal:
    """Return how many coins a contract is, or dollars where it is inverse. [base or quote]."""
    return (FACES if contract.kind is Kind.LINEAR else DOLLARS)[contract.base]


def steps(contract: Contract) -> tuple[Tier, ...]:
    """Return the table of a contract."""
    return (TIERS if contract.kind is Kind.LINEAR else INVERSE_TIERS)[contract.base]


def family(contract: Contract) -> str:
    """Return the venue's name of an index."""
    return f"{contract.base}-{contract.quote}"


def name(contract: Contract) -> str:
    """Return the venue's name of a swap."""
    return f"{family(contract)}-SWAP"


def named(contracts: dict[str, Contract], wanted: str) -> Contract:
    """Return the contract of a name.

    Raises:
        Refused: It is not listed.
    """
    for contract in contracts.values():
        if name(contract) == wanted:
            return contract
    raise Refused(Reason.UNKNOWN_SYMBOL, "Instrument ID doesn't exist.")


def of_family(contracts: dict[str, Contract], wanted: str) -> Iterator[Contract]:
    """Yield the contracts of one of several families, their names parted by commas."""
    families = wanted.split(",")
    return (contract for contract in contracts.values() if family(contract) in families)


def tier(contract: Contract, size: Decimal) -> Tier:
    """Return the step of a size. [base or quote]."""
    count, table = size / face(contract), steps(contract)
    return next((step for step in table if count <= step.most), table[-1])


def demand(contract: Contract, size: Decimal, price: Decimal) -> Decimal:
    """Return maintenance margin by size, and the fee of closing. [settle]."""
    return contract.worth(size, price) * (tier(contract, size).maintenance + contract.taker)
