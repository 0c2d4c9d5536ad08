"""What do Bybit's rows mean?

The wallet of a unified account holds the margin of its isolated positions too. Of a position the
venue tells the initial margin at mark: value over the leverage setting, the fee of closing, and
what was added to it. What stands behind it is the same at entry, without the fee.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from bot.domain.account import Wallet
from bot.domain.instrument import Contract, Instrument, MarginRelease, MarginTier
from bot.domain.market import Bars, Candle, Market
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode, Side
from bot.domain.stop import RestingStop, is_own_name
from bot.errors import Incomplete
from bot.exchanges.candles import candle_rows, candles_of, completed
from bot.exchanges.depth import levels
from bot.exchanges.numbers import amount, instant, number, positive, rows, table, text, whole
from bot.exchanges.tables import checked
from bot.margin import isolated

ZERO = Decimal(0)
CENT = Decimal("0.00000001")
"""Finest step of any balance. [settle]"""
STOPS = ("Stop", "StopLoss", "PartialStopLoss")
FALLS, RISES = 2, 1
ISOLATED = "ISOLATED_MARGIN"
MODES = (ISOLATED, "REGULAR_MARGIN", "PORTFOLIO_MARGIN")
PLANNED = "USDT"
"""Settles the linear contracts that are planned for; those in USDC are settled every eight hours,
which moves profit."""
SIDES = {"Buy": Side.LONG, "Sell": Side.SHORT}
IDX = {0: (Side.LONG, Side.SHORT), 1: (Side.LONG,), 2: (Side.SHORT,)}
"""Sides that the leg of a number may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a row of a position is read by.

    Attributes:
        symbol: Unified.
        taker_fee: Of the account. [ratio]
        is_isolated: Whether the account is in isolated mode and the contract is planned for.
        contract: Its kind.
    """

    symbol: str
    taker_fee: Decimal
    is_isolated: bool
    contract: Contract = Contract.LINEAR


def is_planned(instrument: Instrument) -> bool:
    """Whether positions of a contract are planned for where they are isolated."""
    return instrument.contract is Contract.INVERSE or instrument.settle == PLANNED


def unified(row: Mapping[str, Any]) -> str:
    """Return the unified name of a perpetual."""
    base, quote, settle = (text(row, key) for key in ("baseCoin", "quoteCoin", "settleCoin"))
    return f"{base}/{quote}:{settle}"


def instrument(
    row: Mapping[str, Any],
    tiers: tuple[MarginTier, ...],
    *,
    taker_fee: Decimal,
    margin_step: Decimal,
    margin_release: MarginRelease,
    contract: Contract = Contract.LINEAR,
) -> Instrument:
    """Return the rules of a contract from its row of instruments-info.

    An inverse one counts in dollars, so the smallest order says all about its value.

    Raises:
        Incomplete: A filter or a number is missing.
    """
    named = {"symbol": row.get("symbol")}
    price = named | table(row.get("priceFilter"), "priceFilter")
    lot = named | table(row.get("lotSizeFilter"), "lotSizeFilter")
    ends_ms = whole(row, "deliveryTime")
    is_listed = text(row, "status") == "Trading"
    return Instrument(
        symbol=unified(row),
        settle=text(row, "settleCoin"),
        price_step=positive(price, "tickSize"),
        size_step=positive(lot, "qtyStep"),
        min_size=positive(lot, "minOrderQty"),
        max_market_size=positive(lot, "maxMktOrderQty"),
        min_notional=amount(lot, "minNotionalValue") if contract is Contract.LINEAR else ZERO,
        margin_step=margin_step,
        taker_fee=taker_fee,
        tiers=tiers,
        margin_release=margin_release,
        closes_at=instant(ends_ms) if ends_ms or not is_listed else None,
        contract=contract,
        added_fee=taker_fee,
    )


def tiers(
    found: Iterable[Mapping[str, Any]], name: str, *, contract: Contract = Contract.LINEAR
) -> tuple[MarginTier, ...]:
    """Return the maintenance table of a contract from its rows of risk-limit.

    Raises:
        Incomplete: It is not one that the formulae may rely on.
    """
    steps = sorted(found, key=lambda row: positive(row, "riskLimitValue"))
    if any(text(row, "symbol") != name for row in steps):
        raise Incomplete(f"risk limits must be of {name}, were of others too")
    floors = [ZERO, *(positive(row, "riskLimitValue") for row in steps)]
    told = tuple(
        MarginTier(
            notional_floor=floor,
            maintenance_rate=positive(row, "maintenanceMargin"),
            # The first step deducts nothing, and says so with an empty word.
            maintenance_amount=amount(row, "mmDeduction") if row.get("mmDeduction") else ZERO,
            max_leverage=positive(row, "maxLeverage"),
        )
        for row, floor in zip(steps, floors, strict=False)
    )
    made = checked(name, told, contract=contract)
    # Some tables were printed in percent.
    odd = next((t for t in made if t.maintenance_rate * t.max_leverage > 1), None)
    if odd is not None:
        raise Incomplete(
            f"maintenanceMargin of {name} must fit a leverage of {odd.max_leverage}, was "
            f"{odd.maintenance_rate}"
        )
    return made


def side_of(row: Mapping[str, Any]) -> Side:
    """Return the side of a position that is held.

    Raises:
        Incomplete: It is unknown, or does not fit its leg.
    """
    side, leg = SIDES.get(text(row, "side")), whole(row, "positionIdx")
    if side is None or side not in IDX.get(leg, ()):
        raise Incomplete(
            f"side of {row.get('symbol')} must fit positionIdx {leg}, was {row.get('side')!r}"
        )
    return side


def mode_of(row: Mapping[str, Any]) -> PositionMode:
    """Return the position mode that a row of a position speaks of.

    Raises:
        Incomplete: Its leg is unknown.
    """
    leg = whole(row, "positionIdx")
    if leg not in IDX:
        raise Incomplete(f"positionIdx of {row.get('symbol')} must be 0, 1 or 2, was {leg}")
    return PositionMode.HEDGE if leg else PositionMode.ONE_WAY


def position(row: Mapping[str, Any], terms: Terms) -> Position:
    """Return a position from its row of position/list.

    Raises:
        Incomplete: A number is missing, or contradicts another.
    """
    size = positive(row, "size") * side_of(row).sign
    entry, mark = positive(row, "avgPrice"), positive(row, "markPrice")
    # A portfolio has no setting; nothing is planned for it, and nothing limits it.
    leverage = positive(row, "leverage") if row.get("leverage") != "" else Decimal(1)
    shown = number(row, "liqPrice") if row.get("liqPrice") != "" else ZERO
    is_told = terms.is_isolated or row.get("positionMM") != ""
    adds = whole(row, "autoAddMargin")
    if adds not in (0, 1):
        raise Incomplete(f"autoAddMargin of {terms.symbol} must be 0 or 1, was {adds}")
    return Position(
        symbol=terms.symbol,
        size=size,
        entry_price=entry,
        mark_price=mark,
        margin=_behind(row, size, entry, mark, leverage, terms) if terms.is_isolated else ZERO,
        leverage_setting=leverage,
        margin_mode=MarginMode.ISOLATED if terms.is_isolated else MarginMode.CROSS,
        venue_liquidation_price=shown if shown > 0 else None,
        venue_maintenance_margin=amount(row, "positionMM") if is_told else None,
        venue_adds_margin=adds == 1,
    )


def _behind(
    row: Mapping[str, Any],
    size: Decimal,
    entry: Decimal,
    mark: Decimal,
    leverage: Decimal,
    terms: Terms,
) -> Decimal:
    """Return the margin of an isolated position without profit. [settle]."""
    entered, now = (isolated.value(terms.contract, size=size, price=p) for p in (entry, mark))
    # It is closed where the initial margin is gone: at a lower value, if that is how it loses.
    way = Decimal(isolated.direction(terms.contract, size=size))
    fee = entered * (1 - way / leverage) * terms.taker_fee
    added = amount(row, "positionIM") - now / leverage - fee
    return (entered / leverage + added).quantize(CENT, rounding=ROUND_HALF_EVEN)


def stop(row: Mapping[str, Any], symbol: str) -> RestingStop | None:
    """Return the stop of a row of order/realtime; ``None`` for any other conditional order.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    if row.get("stopOrderType") not in STOPS:
        return None
    order_side, leg = text(row, "side"), whole(row, "positionIdx")
    if order_side not in SIDES:
        raise Incomplete(f"side of a stop of {symbol} must be known, was {order_side!r}")
    side = Side.LONG if order_side == "Sell" else Side.SHORT
    closes = row.get("reduceOnly") is True or row.get("closeOnTrigger") is True
    if not closes or side not in IDX.get(leg, ()):
        return None  # it would open a position
    if whole(row, "triggerDirection") != (FALLS if side is Side.LONG else RISES):
        return None  # it takes a profit
    client_id = row.get("orderLinkId")
    name = client_id if isinstance(client_id, str) else ""
    return RestingStop(
        key=PositionKey(symbol, side),
        stop_id=text(row, "orderId"),
        client_id=name,
        size=amount(row, "qty") or None,
        stop_price=positive(row, "triggerPrice"),
        on_mark=text(row, "triggerBy") == "MarkPrice",
        is_ours=is_own_name(name),
    )


def balances(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the rows of a unified account by coin.

    Raises:
        Incomplete: There is not one account.
    """
    accounts = rows(found.get("list"), "wallet balance")
    if len(accounts) != 1 or accounts[0].get("accountType") != "UNIFIED":
        raise Incomplete("wallet balance must be of one unified account, was not")
    return {text(row, "coin"): row for row in rows(accounts[0].get("coin"), "coins")}


def unified_wallet(
    row: Mapping[str, Any], free: Decimal | None, positions: Sequence[Position]
) -> Wallet:
    """Return what backs positions: all of a coin but the margin that is behind isolated ones.

    Args:
        row: Of the coin.
        free: What the venue lets be moved; ``None`` where it is not asked: then all that no
            position and no order needs.
        positions: Those settled in the coin. Cross ones have no margin of their own.

    Raises:
        Incomplete: A number is missing.
    """
    coin, held = text(row, "coin"), number(row, "walletBalance")
    needed = sum((amount(row, key) for key in ("totalPositionIM", "totalOrderIM", "locked")), ZERO)
    left = max(ZERO, held - needed)
    return Wallet(
        name="futures",
        currency=coin,
        total=held - sum((position.margin for position in positions), ZERO),
        free=left if free is None else free,
    )


def funding_wallets(found: Mapping[str, Any], currencies: frozenset[str]) -> tuple[Wallet, ...]:
    """Return the funding account, as the wallet that transfers come from.

    Raises:
        Incomplete: A coin or a number is missing.
    """
    listed = {text(row, "coin"): row for row in rows(found.get("balance"), "funding account")}
    missing = currencies - set(listed)
    if missing:
        raise Incomplete(f"funding account must list {', '.join(sorted(missing))}, did not")
    return tuple(
        Wallet(
            name="spot",
            currency=currency,
            total=amount(listed[currency], "walletBalance"),
            free=amount(listed[currency], "transferBalance"),
        )
        for currency in sorted(currencies)
    )


def market(
    row: Mapping[str, Any], symbol: str, *, at_ms: int, bars: Bars, depth: Mapping[str, Any] | None
) -> Market:
    """Return the market of a symbol from its ticker, bars and book.

    Raises:
        Incomplete: A number is missing.
    """
    return Market(
        symbol=symbol,
        mark_price=positive(row, "markPrice"),
        index_price=positive(row, "indexPrice"),
        mark_at=instant(at_ms),
        funding_rate=number(row, "fundingRate") if row.get("fundingRate") else None,
        bars=bars,
        bids=levels(depth, "b", symbol),
        asks=levels(depth, "a", symbol),
    )


def bars(found: Mapping[str, Any], symbol: str, *, seconds: int, now_ms: int) -> Bars:
    """Return the completed bars of klines.

    Raises:
        Incomplete: A row is broken.
    """
    return completed(candles(found, symbol), seconds=seconds, now_ms=now_ms)


def candles(found: Mapping[str, Any], symbol: str) -> tuple[Candle, ...]:
    """Return the rows of klines, each with its date, time ascending; the venue lists newest first.

    Raises:
        Incomplete: A row is broken.
    """
    return candles_of(reversed(candle_rows(found.get("list"), symbol)), symbol)
