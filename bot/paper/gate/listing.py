"""How does the venue cut the contracts of the exchange, and what must a position hold there?

Sizes are contracts there, each of so many coins. Maintenance goes by value in steps with a
deduction, and 0.075 % of the value for closing is part of what must be held.
"""

from collections.abc import Iterable
from decimal import Decimal

from bot.paper.values import Bracket, Contract, Kind, Reason, Refused, by_worth

CLOSING = Decimal("0.00075")
"""What closing is taken to cost, whoever holds the position. [ratio]"""


def face(contract: Contract) -> Decimal:
    """Return how many coins a contract is: the smallest lot of the exchange. [base]."""
    return contract.lot


def name(contract: Contract) -> str:
    """Return the venue's name of a perpetual."""
    return f"{contract.base}_{contract.quote}"


def listed(contracts: Iterable[Contract], settle: str) -> list[Contract]:
    """Return the linear contracts that settle in a currency."""
    return [c for c in contracts if c.kind is Kind.LINEAR and c.asset == settle.upper()]


def named(contracts: Iterable[Contract], settle: str, wanted: str) -> Contract:
    """Return the contract of a name.

    Raises:
        Refused: It is not listed.
    """
    for contract in listed(contracts, settle):
        if name(contract) == wanted:
            return contract
    raise Refused(Reason.UNKNOWN_SYMBOL, "contract not found")


def bracket(contract: Contract, size: Decimal, price: Decimal) -> Bracket:
    """Return the step of a size at a price."""
    worth = contract.worth(size, price)
    return [step for step in contract.brackets if worth >= step.floor][-1]


def demand(contract: Contract, size: Decimal, price: Decimal) -> Decimal:
    """Return maintenance margin by value, and what closing is taken to cost. [quote]."""
    return by_worth(contract, size, price) + contract.worth(size, price) * CLOSING
