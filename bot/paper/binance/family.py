"""Which contracts and wallets does each host of futures list, and in what are sizes counted?

One account stands behind both: ``fapi`` shows its linear contracts, ``dapi`` its inverse ones.
"""

from decimal import Decimal

from bot.paper.binance.request import Request
from bot.paper.engine import Engine
from bot.paper.values import Contract, Kind, Order, Reason, Refused


def contracts(engine: Engine, request: Request) -> list[Contract]:
    """Return the contracts that the host asked lists."""
    return [contract for contract in engine.contracts.values() if contract.kind is request.kind]


def contract_of(engine: Engine, request: Request, symbol: str) -> Contract:
    """Return a contract of the host asked.

    Raises:
        Refused: It does not list it.
    """
    found = engine.contract(symbol)
    if found.kind is not request.kind:
        raise Refused(Reason.UNKNOWN_SYMBOL, "Invalid symbol.")
    return found


def wanted(engine: Engine, request: Request) -> list[Contract]:
    """Return the contract that is asked for by name, or all that the host lists.

    Raises:
        Refused: It does not list it.
    """
    symbol = request.optional("symbol")
    if symbol is None:
        return contracts(engine, request)
    return [contract_of(engine, request, symbol)]


def assets(engine: Engine, kind: Kind) -> list[str]:
    """Return the assets that have a futures wallet at a host."""
    coins = {c.asset for c in engine.contracts.values() if c.kind is Kind.INVERSE}
    return [asset for asset in engine.cross if (asset in coins) is (kind is Kind.INVERSE)]


def is_of(engine: Engine, request: Request, order: Order) -> bool:
    """Whether an order is one of the host asked."""
    return engine.contracts[order.ask.symbol].kind is request.kind


def counted(contract: Contract, size: Decimal) -> Decimal:
    """Return a size as the wire has it: coins, or contracts where those are inverse."""
    return size / contract.face
