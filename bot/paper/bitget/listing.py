"""How does the venue sort the contracts of the exchange, and what must a position hold there?

Its steps go by what a position is worth at mark and have no amounts that would join them; the
taker fee of closing is part of what must be held.
"""

from decimal import Decimal

from bot.paper.bitget.codes import wrong
from bot.paper.bitget.request import Request
from bot.paper.values import Bracket, Contract, Kind, Reason, Refused

PRODUCT = "USDT-FUTURES"
PRODUCTS = (PRODUCT, "USDC-FUTURES", "COIN-FUTURES", "SUSDT-FUTURES", "SUSDC-FUTURES",
            "SCOIN-FUTURES")  # fmt: skip
COIN = "USDT"


def is_listed(contract: Contract) -> bool:
    """Whether it is traded here: others are of accounts that this exchange does not keep."""
    return contract.kind is Kind.LINEAR and contract.asset == COIN


def named(contracts: dict[str, Contract], wanted: str) -> Contract:
    """Return the contract of a name, in letters of either case.

    Raises:
        Refused: It is not listed.
    """
    found = contracts.get(wanted.upper())
    if found is None or not is_listed(found):
        raise Refused(Reason.UNKNOWN_SYMBOL, f"Parameter {wanted} does not exist")
    return found


def product(request: Request) -> str:
    """Return the kind of contracts that is asked about, in letters of either case.

    Raises:
        WireError: There is no such kind.
    """
    found = request.text("productType").upper()
    if found not in PRODUCTS:
        raise wrong("productType")
    return found


def contract_of(contracts: dict[str, Contract], request: Request) -> Contract:
    """Return the contract that a request names beside its kind.

    Raises:
        WireError: The kind is another one, or no kind.
        Refused: It is not listed.
    """
    if product(request) != PRODUCT:
        raise wrong("productType")
    return named(contracts, request.text("symbol"))


def bracket(contract: Contract, worth: Decimal) -> Bracket:
    """Return the step of what a position is worth. [quote]."""
    return next((b for b in reversed(contract.brackets) if worth >= b.floor), contract.brackets[0])


def demand(contract: Contract, size: Decimal, price: Decimal) -> Decimal:
    """Return maintenance margin by worth, and the fee of closing. [quote]."""
    worth = contract.worth(size, price)
    return worth * (bracket(contract, worth).rate + contract.taker)
