"""Values with safe defaults: a test names only what it is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account, Wallet
from bot.domain.band import Levels, LeverageBand
from bot.domain.instrument import Contract, Instrument, MarginRelease, MarginTier, settle_of
from bot.domain.market import Bars, BookLevel, Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode, Side
from bot.domain.risk import PositionRisk
from bot.domain.stop import RestingStop
from bot.margin.bands import band_at_distances
from bot.rebalance.policy import Policy

D = Decimal
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
BTC = "BTC/USDT:USDT"
ETH = "ETH/USDT:USDT"
COIN = "BTC/USD:BTC"
"""An inverse contract: sizes in US dollars, money in BTC."""


def tiers(*rows: tuple[str, str, str]) -> tuple[MarginTier, ...]:
    """Rows of (floor, rate, amount)."""
    return tuple(
        MarginTier(
            notional_floor=D(floor),
            maintenance_rate=D(rate),
            maintenance_amount=D(amount),
            max_leverage=D(50),
        )
        for floor, rate, amount in rows
    )


ONE_TIER = tiers(("0", "0.005", "0"))
FOUR_TIERS = tiers(
    ("0", "0.004", "0"),
    ("50000", "0.005", "50"),
    ("600000", "0.0065", "950"),
    ("3000000", "0.01", "11450"),
)
COIN_TIERS = tiers(
    ("0", "0.004", "0"),
    ("5", "0.005", "0.005"),
    ("10", "0.01", "0.055"),
    ("50", "0.025", "0.805"),
)
"""In BTC."""


LEVELS = Levels(emergency=D("0.05"), trigger=D("0.10"), target=D("0.15"), give_back=D("0.25"))
"""Distances of a strategy that chooses the same ones always."""


def choose(risk: PositionRisk, market: Market) -> LeverageBand:
    """Choose them."""
    del market
    return band_at_distances(risk, LEVELS)


def an_instrument(
    symbol: str = BTC,
    *,
    size_step: str = "0.001",
    margin_step: str = "0.01",
    table: tuple[MarginTier, ...] = FOUR_TIERS,
    margin_release: MarginRelease = MarginRelease.PRO_RATA,
) -> Instrument:
    return Instrument(
        symbol=symbol,
        settle="USDT",
        price_step=D("0.1"),
        size_step=D(size_step),
        min_size=D(size_step),
        max_market_size=D(1000),
        min_notional=D(5),
        margin_step=D(margin_step),
        taker_fee=D("0.0005"),
        tiers=table,
        margin_release=margin_release,
    )


def a_coin_instrument(
    symbol: str = COIN,
    *,
    margin_step: str = "0.00001",
    table: tuple[MarginTier, ...] = COIN_TIERS,
    margin_release: MarginRelease = MarginRelease.PRO_RATA,
) -> Instrument:
    """The rules of an inverse contract of 100 US dollars."""
    return Instrument(
        symbol=symbol,
        settle=settle_of(symbol),
        price_step=D("0.1"),
        size_step=D(100),
        min_size=D(100),
        max_market_size=D(10**7),
        min_notional=D(0),
        margin_step=D(margin_step),
        taker_fee=D("0.0005"),
        tiers=table,
        margin_release=margin_release,
        contract=Contract.INVERSE,
    )


def a_position(
    symbol: str = BTC,
    *,
    size: str = "1",
    entry: str = "60000",
    mark: str = "60000",
    margin: str = "6000",
    leverage_setting: str = "20",
    margin_mode: MarginMode = MarginMode.ISOLATED,
    venue_liquidation_price: str | None = None,
    venue_adds_margin: bool = False,
) -> Position:
    return Position(
        symbol=symbol,
        size=D(size),
        entry_price=D(entry),
        mark_price=D(mark),
        margin=D(margin),
        leverage_setting=D(leverage_setting),
        margin_mode=margin_mode,
        venue_liquidation_price=(
            None if venue_liquidation_price is None else D(venue_liquidation_price)
        ),
        venue_maintenance_margin=None,
        venue_adds_margin=venue_adds_margin,
    )


def a_market(
    symbol: str = BTC,
    *,
    mark: str = "60000",
    mark_at: datetime = NOON,
    hourly_move: float = 0.005,
    depth: str | None = "100",
) -> Market:
    """A market whose every hour moves up and down by the same share."""
    price = float(mark)
    bars = Bars(
        opened_at=mark_at - timedelta(hours=48),
        high=(price * (1 + hourly_move),) * 48,
        low=(price,) * 48,
        close=tuple(price * (1 + hourly_move * (hour % 2)) for hour in range(48)),
    )
    bids: tuple[BookLevel, ...] = ()
    asks: tuple[BookLevel, ...] = ()
    if depth is not None:
        bids = (BookLevel(price=D(mark) * D("0.9995"), size=D(depth)),)
        asks = (BookLevel(price=D(mark) * D("1.0005"), size=D(depth)),)
    return Market(
        symbol=symbol,
        mark_price=D(mark),
        index_price=D(mark),
        mark_at=mark_at,
        bars=bars,
        bids=bids,
        asks=asks,
    )


def an_observation(
    *positions: Position,
    futures: str = "1000",
    spot: str = "0",
    at: datetime = NOON,
    age_seconds: float = 0,
    instruments: tuple[Instrument, ...] | None = None,
    markets: tuple[Market, ...] | None = None,
    stops: tuple[RestingStop, ...] = (),
    currency: str = "USDT",
) -> Observation:
    symbols = sorted({p.symbol for p in positions})
    marks = {p.symbol: str(p.mark_price) for p in positions}
    seen_at = at - timedelta(seconds=age_seconds)
    return Observation(
        at=at,
        account_at=seen_at,
        account=Account(
            name="main",
            venue="binanceusdm",
            position_mode=PositionMode.ONE_WAY,
            positions=tuple(sorted(positions, key=lambda p: p.key)),
            wallets=(
                Wallet(name="futures", currency=currency, total=D(futures), free=D(futures)),
                Wallet(name="spot", currency=currency, total=D(spot), free=D(spot)),
            ),
            stops=stops,
            stops_at=seen_at,
        ),
        instruments=(
            instruments
            if instruments is not None
            else tuple(an_instrument(symbol) for symbol in symbols)
        ),
        markets=(
            markets
            if markets is not None
            else tuple(a_market(s, mark=marks[s], mark_at=seen_at) for s in symbols)
        ),
    )


def a_stop(
    price: str,
    *,
    symbol: str = BTC,
    side: Side = Side.LONG,
    size: str | None = "1",
    stop_id: str = "1",
    is_ours: bool = True,
    on_mark: bool = True,
) -> RestingStop:
    return RestingStop(
        key=PositionKey(symbol, side),
        stop_id=stop_id,
        client_id=f"plabcd0001{stop_id:0>6}" if is_ours else "somebody-else",
        size=None if size is None else D(size),
        stop_price=D(price),
        on_mark=on_mark,
        is_ours=is_ours,
    )


def a_policy(**changes: object) -> Policy:
    values: dict[str, object] = {"transfer_from": ("spot",), "min_move": D(5)}
    return Policy(**(values | changes))  # type: ignore[arg-type]  # any field by name


def a_coin_policy(**changes: object) -> Policy:
    """Limits in BTC; moves below a thousandth of one could not carry digits of their own."""
    values: dict[str, object] = {
        "coin": "BTC",
        "least_move": D("0.001"),
        "min_move": D("0.001"),
    }
    return a_policy(**(values | changes))
