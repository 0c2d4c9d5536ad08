"""What do KuCoin's rows mean?

The venue counts lots; everything that leaves this file is in coins.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.account import Wallet
from bot.domain.instrument import Instrument, MarginRelease, MarginTier
from bot.domain.market import Bars, Candle, Market
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode, Side
from bot.domain.stop import RestingStop, is_own_name
from bot.errors import Incomplete
from bot.exchanges.candles import bars_of, candle_rows, candles_of
from bot.exchanges.depth import levels
from bot.exchanges.numbers import amount, instant, number, positive, text, whole
from bot.exchanges.tables import checked

ZERO = Decimal(0)
PERPETUAL = "FFWCSX"
"""The venue's word for a contract without an end."""
SETTLES = frozenset({"USDT", "USDC"})
"""Currencies whose contracts are planned for."""
LISTED = frozenset({"Open", "Paused", "CancelOnly"})
"""States of a contract that has not ended."""
COINS = {"XBT": "BTC"}
"""The venue's own names of coins."""
LEGS = {Side.LONG: "LONG", Side.SHORT: "SHORT"}
MODES = {0: PositionMode.ONE_WAY, 1: PositionMode.HEDGE}
FALLS, RISES = "down", "up"
CLASSIC = "CLASSIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One risk level of a contract; its owner chooses which holds.

    Attributes:
        rate: Of maintenance. [ratio]
        max_leverage: [x]
    """

    rate: Decimal
    max_leverage: Decimal


def is_linear(row: Mapping[str, Any]) -> bool:
    """Whether a row of contracts/active is of a perpetual that settles in what it is quoted in."""
    return (
        row.get("type") == PERPETUAL
        and row.get("isInverse") is False
        and row.get("settleCurrency") in SETTLES
        and row.get("settleCurrency") == row.get("quoteCurrency")
    )


def unified(row: Mapping[str, Any]) -> str:
    """Return the unified name of a perpetual.

    Raises:
        Incomplete: A field is missing.
    """
    coin, settle = text(row, "baseCurrency"), text(row, "settleCurrency")
    return f"{COINS.get(coin, coin)}/{settle}:{settle}"


def table(found: Sequence[Mapping[str, Any]], name: str) -> tuple[Level, ...]:
    """Return the risk levels of a contract, ascending.

    Raises:
        Incomplete: They do not begin at the first, or have gaps, or their rates fall.
    """
    steps = sorted(found, key=lambda row: whole(row, "level"))
    if any(text(row, "symbol") != name for row in steps):
        raise Incomplete(f"risk levels must be of {name}, were of others too")
    if [whole(row, "level") for row in steps] != list(range(1, len(steps) + 1)) or not steps:
        raise Incomplete(f"risk levels of {name} must be numbered from 1")
    made = tuple(
        Level(rate=positive(row, "maintainMargin"), max_leverage=positive(row, "maxLeverage"))
        for row in steps
    )
    if any(upper.rate < lower.rate for lower, upper in itertools.pairwise(made)):
        raise Incomplete(f"maintainMargin of {name} must ascend")
    return made


def tier(steps: Sequence[Level], symbol: str, *, rate: Decimal | None, fee: Decimal) -> MarginTier:
    """Return what a position must hold, whatever its value.

    The venue takes the rate of the level that its owner chose, and adds the fee of closing.

    Args:
        steps: Levels of the contract.
        symbol: For people.
        rate: That the position shows; ``None`` where nothing is held, and the first level holds.
        fee: Of closing. [ratio]

    Raises:
        Incomplete: Together they are no share.
    """
    wanted = steps[0].rate if rate is None else rate
    step = next((step for step in steps if step.rate >= wanted), steps[-1])
    found = MarginTier(
        notional_floor=ZERO,
        maintenance_rate=wanted + fee,
        maintenance_amount=ZERO,
        max_leverage=step.max_leverage,
    )
    checked(symbol, (found,))
    return found


def instrument(
    row: Mapping[str, Any],
    found: MarginTier,
    *,
    margin_step: Decimal,
    margin_release: MarginRelease,
) -> Instrument:
    """Return the rules of a contract from its row of contracts/active.

    Raises:
        Incomplete: A field is missing.
    """
    coins = positive(row, "multiplier")
    lot = positive(row, "lotSize") * coins
    most = positive(row, "maxOrderQty")
    if row.get("marketMaxOrderQty") is not None:
        most = min(most, positive(row, "marketMaxOrderQty"))
    return Instrument(
        symbol=unified(row),
        settle=text(row, "settleCurrency"),
        price_step=positive(row, "tickSize"),
        size_step=lot,
        min_size=lot,
        max_market_size=most * coins,
        min_notional=ZERO,
        margin_step=margin_step,
        taker_fee=fee(row),
        tiers=(found,),
        margin_release=margin_release,
        closes_at=_closes_at(row),
    )


def fee(row: Mapping[str, Any]) -> Decimal:
    """Return what closing costs at most, before any discount of the account. [ratio].

    Raises:
        Incomplete: It is missing, or no share.
    """
    found = positive(row, "takerFeeRate")
    if found >= 1:
        raise Incomplete(f"takerFeeRate of {row.get('symbol')} must be a share, was {found}")
    return found


def _closes_at(row: Mapping[str, Any]) -> datetime | None:
    """Return when a contract ends; one that is in no state of the living has ended.

    Raises:
        Incomplete: The day or the state is there and cannot be read.
    """
    if row.get("expireDate") is not None:
        return instant(whole(row, "expireDate"))
    return None if text(row, "status") in LISTED else instant(0)


def is_held(row: Mapping[str, Any]) -> bool:
    """Whether a row of positions is of one that is open.

    Raises:
        Incomplete: Its size is missing.
    """
    return number(row, "currentQty") != 0


def is_isolated(row: Mapping[str, Any]) -> bool:
    """Whether a position has margin of its own.

    Raises:
        Incomplete: Its mode is missing, unknown, or contradicts itself.
    """
    word, crossed = text(row, "marginMode"), row.get("crossMode")
    if word not in ("ISOLATED", "CROSS") or crossed is not (word == "CROSS"):
        raise Incomplete(
            f"marginMode of {row.get('symbol')} must be known and fit crossMode, was {word!r}"
        )
    return word == "ISOLATED"


def rate(row: Mapping[str, Any]) -> Decimal:
    """Return the maintenance rate of an isolated position. [ratio].

    Raises:
        Incomplete: It is missing, or no share.
    """
    found = positive(row, "maintMarginReq")
    if found >= 1:
        raise Incomplete(f"maintMarginReq of {row.get('symbol')} must be a share, was {found}")
    return found


def position(row: Mapping[str, Any], symbol: str, *, coins: Decimal) -> Position:
    """Return a position from its row.

    Args:
        row: The venue's.
        symbol: Unified.
        coins: In a lot. [base]

    Raises:
        Incomplete: A number is missing, or contradicts another.
    """
    row = {**row, "symbol": symbol}
    size, own = signed(row) * coins, is_isolated(row)
    liquidation = amount(row, "liquidationPrice")
    adds = row.get("autoDeposit", False)
    if not isinstance(adds, bool):
        raise Incomplete(f"autoDeposit of {symbol} must be true or false, was {adds!r}")
    return Position(
        symbol=symbol,
        size=size,
        entry_price=positive(row, "avgEntryPrice"),
        mark_price=positive(row, "markPrice"),
        margin=number(row, "posMargin") if own else ZERO,
        leverage_setting=positive(row, "leverage"),
        margin_mode=MarginMode.ISOLATED if own else MarginMode.CROSS,
        venue_liquidation_price=liquidation or None,
        venue_maintenance_margin=amount(row, "posMaint") if "posMaint" in row else None,
        venue_adds_margin=adds,
    )


def signed(row: Mapping[str, Any]) -> Decimal:
    """Return the size of a position, long > 0. [lots].

    Raises:
        Incomplete: It is missing, or its sign contradicts its leg.
    """
    size, leg = number(row, "currentQty"), text(row, "positionSide")
    fits = {"BOTH": True, "LONG": size > 0, "SHORT": size < 0}
    if not fits.get(leg, False):
        raise Incomplete(
            f"currentQty of {row.get('symbol')} must fit positionSide {leg!r}, was {size}"
        )
    return size


def stop(row: Mapping[str, Any], symbol: str, *, coins: Decimal) -> RestingStop | None:
    """Return the stop of a row of stopOrders; ``None`` for any other order that waits.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    row = {**row, "symbol": symbol}
    order_side, leg, way = text(row, "side"), text(row, "positionSide"), text(row, "stop")
    if order_side not in ("buy", "sell"):
        raise Incomplete(f"side of a stop of {symbol} must be known, was {order_side!r}")
    side = Side.LONG if order_side == "sell" else Side.SHORT
    if way != (FALLS if side is Side.LONG else RISES):
        return None  # it takes a profit
    closes = row.get("closeOrder") is True
    if not (closes or row.get("reduceOnly") is True) or leg not in ("BOTH", LEGS[side]):
        return None  # it would open a position
    client_id = row.get("clientOid")
    name = client_id if isinstance(client_id, str) else ""
    return RestingStop(
        key=PositionKey(symbol, side),
        stop_id=text(row, "id"),
        client_id=name,
        size=None if closes else positive(row, "size") * coins,
        stop_price=positive(row, "stopPrice"),
        on_mark=text(row, "stopPriceType") == "MP",
        is_ours=is_own_name(name),
    )


def futures_wallet(row: Mapping[str, Any], currency: str) -> Wallet:
    """Return the wallet that backs positions, without what they hold.

    Raises:
        Incomplete: A number is missing, or it is of another currency.
    """
    if row.get("currency") != currency:
        raise Incomplete(f"account must be of {currency}, was of {str(row.get('currency'))[:10]}")
    row = {**row, "symbol": currency}
    free = amount(row, "availableBalance")
    total = free + amount(row, "orderMargin") + amount(row, "frozenFunds")
    if row.get("maxWithdrawAmount") is not None:
        free = min(free, amount(row, "maxWithdrawAmount"))
    return Wallet(name="futures", currency=currency, total=total, free=free)


def funding_wallets(
    listed: Sequence[Mapping[str, Any]], currencies: frozenset[str]
) -> tuple[Wallet, ...]:
    """Return the wallets of the funding account; one that is not listed is empty.

    Raises:
        Incomplete: A number is broken.
    """
    found = {text(row, "currency"): {**row, "symbol": row["currency"]} for row in listed}
    return tuple(
        Wallet(
            name="spot",
            currency=currency,
            total=amount(found[currency], "balance") if currency in found else ZERO,
            free=amount(found[currency], "available") if currency in found else ZERO,
        )
        for currency in sorted(currencies)
    )


def market(
    mark: Mapping[str, Any],
    symbol: str,
    *,
    funding: Decimal | None,
    bars: Bars,
    depth: Mapping[str, Any] | None,
    coins: Decimal,
) -> Market:
    """Return the market of a symbol from its mark, bars and book.

    Raises:
        Incomplete: A number is missing.
    """
    mark = {**mark, "symbol": symbol}
    return Market(
        symbol=symbol,
        mark_price=positive(mark, "value"),
        index_price=positive(mark, "indexPrice"),
        mark_at=instant(whole(mark, "timePoint")),
        funding_rate=funding,
        bars=bars,
        bids=levels(depth, "bids", symbol, unit=coins),
        asks=levels(depth, "asks", symbol, unit=coins),
    )


def candles(value: Any, symbol: str) -> tuple[Candle, ...]:
    """Return the rows of kline/query, time ascending.

    Raises:
        Incomplete: A row is broken, or they do not ascend.
    """
    found = candles_of(candle_rows(value, symbol), symbol)
    if any(later.opened_at <= row.opened_at for row, later in itertools.pairwise(found)):
        raise Incomplete(f"klines of {symbol} must ascend")
    return found


def newest(found: Sequence[Candle], *, seconds: int) -> Bars:
    """Return the newest bars that follow each other without a gap.

    Args:
        found: Completed, time ascending.
        seconds: Length of one. [s]
    """
    width, first = timedelta(seconds=seconds), len(found) - 1
    while first > 0 and found[first].opened_at - found[first - 1].opened_at == width:
        first -= 1
    return bars_of(found[max(0, first) :], seconds=seconds)
