"""A paper exchange with contracts of every kind, and markets that a test writes by the second."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from bot.paper.engine import Engine
from bot.paper.instruments import CONTRACTS
from bot.paper.market import Candle, Path, Scripted
from bot.paper.values import Contract, Holding, Kind, Quote
from tests.kit.paper import START_MS

ASSETS = ("USDT", "USDC", "BTC", "ETH")
FUNDING = Decimal("0.0001")
MONEY = {"USDT": "20000", "USDC": "15000", "BTC": "0.4", "ETH": "6"}


class Written:
    """A `Feed` of given marks, one a second; the last one holds."""

    def __init__(self, marks: Mapping[str, Sequence[Decimal]], funding: Decimal) -> None:
        self._marks, self._funding = marks, funding
        self._second = -1

    @property
    def symbols(self) -> tuple[str, ...]:
        """Ids of the contracts."""
        return tuple(self._marks)

    def step(self, at_ms: int) -> Mapping[str, Quote]:
        """Return the next marks."""
        del at_ms
        self._second += 1
        found = {}
        for symbol, marks in self._marks.items():
            mark = marks[min(self._second, len(marks) - 1)]
            found[symbol] = Quote(mark=mark, index=mark, last=mark, funding=self._funding)
        return found

    def history(self, symbol: str) -> Sequence[Candle]:
        """Nothing happened before."""
        del symbol
        return []


def a_written_engine(
    marks: Mapping[str, Sequence[Decimal]],
    *,
    contracts: Mapping[str, Contract] = CONTRACTS,
    money: Mapping[str, str] = MONEY,
    funding: Decimal = FUNDING,
) -> Engine:
    """Return an exchange whose first marks are those of the start."""
    feed = Written(marks, funding)
    engine = Engine(contracts=contracts, feed=feed, start_ms=START_MS)
    fund(engine, money)
    return engine


def a_coin_engine(
    *,
    seed: int = 1,
    volatility: float = 0.002,
    points: tuple[tuple[int, float], ...] = ((0, 1.0),),
    money: Mapping[str, str] = MONEY,
) -> Engine:
    """Return an exchange that lists all contracts of two coins, each coin on one path."""
    paths = [
        Path(
            contract=CONTRACTS[f"{base}USDT"],
            also=(CONTRACTS[f"{base}USDC"], CONTRACTS[f"{base}USD_PERP"]),
            start=start,
            volatility=volatility,
            points=points,
        )
        for base, start in (("BTC", 60000.0), ("ETH", 3000.0))
    ]
    feed = Scripted(paths, start_ms=START_MS, seed=seed, hours=1)
    engine = Engine(contracts=CONTRACTS, feed=feed, start_ms=START_MS)
    fund(engine, money)
    return engine


def a_coin_account() -> Engine:
    """Return an exchange where 12,000 dollars are held in bitcoin, and 900 short in ether."""
    engine = a_coin_engine()
    engine.hold("BTCUSD_PERP", Decimal(12_000), leverage=10)
    engine.hold("ETHUSD_PERP", Decimal(-900), leverage=20)
    return engine


def fund(engine: Engine, money: Mapping[str, str]) -> None:
    """Give both wallets of each asset the same."""
    for asset, amount in money.items():
        if asset in engine.cross:
            engine.cross[asset] = engine.spot[asset] = Decimal(amount)


def excess(
    contract: Contract, held: Sequence[Holding], wallet: Decimal, price: Decimal
) -> Fraction:
    """Return equity less maintenance, without rounding: a second opinion. [asset].

    Args:
        contract: Of all positions.
        held: Their margins count.
        wallet: Beside those. [asset]
        price: Mark. [quote/base]
    """
    at, total = Fraction(price), Fraction(wallet)
    for holding in held:
        amount, entry = Fraction(holding.amount), Fraction(holding.entry)
        worth = abs(amount) * at
        result = amount * (at - entry)
        if contract.kind is Kind.INVERSE:
            worth = abs(amount) / at
            result = amount * (1 / entry - 1 / at)
        needed = max(worth * Fraction(b.rate) - Fraction(b.cum) for b in contract.brackets)
        total += Fraction(holding.margin) + result - needed
    return total
