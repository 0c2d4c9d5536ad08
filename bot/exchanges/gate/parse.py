"""What do Gate's rows mean?

The venue counts contracts; everything that leaves this file is in coins.
"""

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
from bot.errors import Denied, Incomplete
from bot.exchanges.amounts import named_amount
from bot.exchanges.candles import bars_of, candles_of
from bot.exchanges.depth import levels
from bot.exchanges.numbers import (
    amount,
    given_id,
    instant,
    number,
    positive,
    rows,
    table,
    text,
    whole,
)
from bot.exchanges.tables import checked

ZERO = Decimal(0)
SETTLE = "usdt"
"""Of the contracts that are protected, as the venue writes it in a path."""
CLOSING_FEE = Decimal("0.00075")
"""What the venue takes closing to cost, whoever holds the position: a reply of its support
(gatenode.pro/post/status/3870211), and one recorded position within 0.002 bp. [ratio]"""
PREFIX = "t-"
"""Of the names that clients give to orders."""
LONGEST_NAME = 28
"""Signs of a name without it."""
LEGS = {Side.LONG: "dual_long", Side.SHORT: "dual_short"}
SIDES = {"dual_long": Side.LONG, "dual_short": Side.SHORT}
MODES = {"single": PositionMode.ONE_WAY, "dual": PositionMode.HEDGE}
ALIVE = frozenset({"trading", "prelaunch", "circuit_breaker"})
"""States of a contract whose end is not set."""
NO_PRICE = Decimal(99_999_999)
"""Stands where a short has no liquidation price. [quote/base]"""
MICRO, MILLI = Decimal(10) ** 14, Decimal(10) ** 11
"""An instant above these is no more in seconds: of some orders the venue tells finer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What an account is.

    Attributes:
        mode: One-way or hedge.
        wallet: All of the currency, with the margin of isolated positions. [settle]
        free: What may be moved. [settle]
        isolated: Margin of isolated positions as the account tells it. [settle]
    """

    mode: PositionMode
    wallet: Decimal
    free: Decimal
    isolated: Decimal


def owner(answer: Any) -> Owner:
    """Return what futures/accounts says.

    Raises:
        Denied: It is an account whose positions do not stand by themselves.
        Incomplete: A field is missing or unknown.
    """
    row = table(answer, "futures account")
    if text(row, "currency") != SETTLE.upper():
        raise Incomplete(f"currency of the account must be USDT, was {row['currency']}")
    if whole(row, "margin_mode") != 0 or flag(row, "enable_credit"):
        raise Denied("the account must be a classic one: in a unified one margin is shared")
    if not flag(row, "enable_tiered_mm"):
        raise Denied("the account must have tiered maintenance margin: turn that on")
    mode = text(row, "position_mode")
    if mode not in MODES:
        raise Denied(f"positions must be one-way or in hedge mode, are {mode!r}")
    return Owner(
        mode=MODES[mode],
        wallet=number(row, "total"),
        free=amount(row, "available"),
        isolated=amount(row, "isolated_position_margin"),
    )


def rights(answer: Any, key: str) -> dict[str, bool]:
    """Return what a key may do: by group, whether it may write.

    Args:
        answer: Of account/main_keys: one key, or all of the owner with most signs left out.
        key: The one in use.

    Raises:
        Incomplete: It is not among them, or a field is missing.
    """
    listed = [answer] if isinstance(answer, dict) else rows(answer, "keys")
    ours = [row for row in listed if _is_of(row, key)]
    if len(ours) != 1:
        raise Incomplete(f"rights must be those of one key, were of {len(ours)}")
    if whole(ours[0], "state") != 1:
        raise Incomplete("state of the key must be 1, normal")
    groups = rows(ours[0].get("perms"), "perms of the key")
    return {text(row, "name"): not flag(row, "read_only") for row in groups}


def _is_of(row: Mapping[str, Any], key: str) -> bool:
    """Whether a row is of a key: one that stands alone does not show it."""
    shown = row.get("key")
    if isinstance(shown, dict):
        return True
    begin = shown.rstrip("*") if isinstance(shown, str) else ""
    return bool(begin) and key.startswith(begin)


def flag(row: Mapping[str, Any], key: str) -> bool:
    """Return a field that must be a yes or no.

    Raises:
        Incomplete: It is neither.
    """
    value = row.get(key)
    if not isinstance(value, bool):
        raise Incomplete(f"field {key!r} must be true or false, was {value!r}")
    return value


def moment(row: Mapping[str, Any], key: str) -> int:
    """Return an instant, whatever part of a second the venue counts in. [ms].

    Raises:
        Incomplete: It is missing or none.
    """
    value = row.get(key)
    found = None if isinstance(value, bool) else named_amount(value)
    if found is None:
        found = number(row, key)
    if found > MICRO:
        return int(found / 1000)
    return int(found if found > MILLI else found * 1000)


def is_linear(row: Mapping[str, Any]) -> bool:
    """Whether a row of contracts is of one that settles in what it is quoted in."""
    name = row.get("name")
    is_named = isinstance(name, str) and name.endswith(f"_{SETTLE.upper()}")
    return row.get("type") == "direct" and is_named


def unified(row: Mapping[str, Any]) -> str:
    """Return the unified name of a linear contract.

    Raises:
        Incomplete: It has none.
    """
    base, _, quote = text(row, "name").rpartition("_")
    if not base:
        raise Incomplete(f"name of a contract must have two parts, was {quote!r}")
    return f"{base}/{quote}:{quote}"


def face(row: Mapping[str, Any]) -> Decimal:
    """Return how many coins a contract is. [base].

    Raises:
        Incomplete: It is missing.
    """
    return positive({"symbol": row.get("name"), **row}, "quanto_multiplier")


def taker_fee(answer: Any, name: str) -> Decimal:
    """Return what closing costs at most, from futures/fee. [ratio].

    Raises:
        Incomplete: It is not told, or no share.
    """
    row = table(table(answer, "fees").get(name), f"fee of {name}")
    found = number({"symbol": name, **row}, "taker_fee")
    if found >= 1:
        raise Incomplete(f"field 'taker_fee' of {name} must be a share, was {found}")
    return max(found, CLOSING_FEE)


def tiers(answer: Any, name: str) -> tuple[MarginTier, ...]:
    """Return the maintenance table of a contract: the cost of closing is in its rates.

    Raises:
        Incomplete: It has gaps, or is of another contract.
    """
    listed = [
        {"symbol": name, **row}
        for row in rows(answer, f"risk limits of {name}")
        if row.get("contract") in (None, "", name)
    ]
    listed.sort(key=lambda row: positive(row, "risk_limit"))
    floors = [ZERO, *(positive(row, "risk_limit") for row in listed[:-1])]
    return checked(
        name,
        tuple(
            MarginTier(
                notional_floor=floor,
                maintenance_rate=positive(row, "maintenance_rate") + CLOSING_FEE,
                maintenance_amount=amount(row, "deduction"),
                max_leverage=positive(row, "leverage_max"),
            )
            for floor, row in zip(floors, listed, strict=bool(listed))
        ),
    )


def instrument(
    row: Mapping[str, Any],
    table_of: tuple[MarginTier, ...],
    *,
    fee: Decimal,
    margin_step: Decimal,
    margin_release: MarginRelease,
) -> Instrument:
    """Return the rules of a contract from its row of contracts.

    Raises:
        Incomplete: A field is missing.
    """
    row = {"symbol": row.get("name"), **row}
    coins, least = face(row), positive(row, "order_size_min")
    most = amount(row, "market_order_size_max") or positive(row, "order_size_max")
    return Instrument(
        symbol=unified(row),
        settle=SETTLE.upper(),
        price_step=positive(row, "order_price_round"),
        size_step=coins * (least if flag(row, "enable_decimal") else 1),
        min_size=least * coins,
        max_market_size=most * coins,
        min_notional=ZERO,
        margin_step=margin_step,
        taker_fee=fee,
        tiers=table_of,
        margin_release=margin_release,
        closes_at=_closes_at(row),
    )


def _closes_at(row: Mapping[str, Any]) -> datetime | None:
    """Return when a contract ends; one that is in no state of the living has ended.

    Raises:
        Incomplete: The day or the state is there and cannot be read.
    """
    if text(row, "status") in ALIVE and not flag(row, "in_delisting"):
        return None
    at = whole(row, "delisted_time")
    return instant(at * 1000) if row["status"] != "delisted" and at > 0 else instant(0)


def position(row: Mapping[str, Any], symbol: str, *, coins: Decimal) -> Position:
    """Return a position from its row.

    Args:
        row: The venue's.
        symbol: Unified.
        coins: In a contract. [base]

    Raises:
        Incomplete: A number is missing, or contradicts another.
    """
    row = {"symbol": symbol, **row}
    lever = amount(row, "leverage")
    is_isolated = lever > 0
    said = row.get("pos_margin_mode", "isolated" if is_isolated else "cross")
    if (said == "isolated") != is_isolated:
        raise Incomplete(f"pos_margin_mode of {symbol} must fit leverage {lever}, was {said!r}")
    price = number(row, "liq_price")
    return Position(
        symbol=symbol,
        size=signed(row) * coins,
        entry_price=positive(row, "entry_price"),
        mark_price=positive(row, "mark_price"),
        margin=amount(row, "margin") if is_isolated else ZERO,
        leverage_setting=lever if is_isolated else positive(row, _shared(row)),
        margin_mode=MarginMode.ISOLATED if is_isolated else MarginMode.CROSS,
        venue_liquidation_price=price if ZERO < price < NO_PRICE else None,
        venue_maintenance_margin=amount(row, "maintenance_margin")
        if row.get("maintenance_margin") not in (None, "")
        else None,
    )


def _shared(row: Mapping[str, Any]) -> str:
    """Return where the setting of a cross position stands: newer answers have one field for all."""
    return "lever" if row.get("lever") else "cross_leverage_limit"


def signed(row: Mapping[str, Any]) -> Decimal:
    """Return the size of a position, long > 0. [contracts].

    Raises:
        Incomplete: It is missing, or its sign contradicts its leg.
    """
    size, mode = number(row, "size"), text(row, "mode")
    side = SIDES.get(mode)
    if side is None and mode != "single":
        raise Incomplete(f"mode of {row.get('contract')} must be known, was {mode!r}")
    if side is not None and size * (1 if side is Side.LONG else -1) < 0:
        raise Incomplete(f"size of {row.get('contract')} must fit mode {mode!r}, was {size}")
    return size


def stop(row: Mapping[str, Any], symbol: str, *, coins: Decimal) -> RestingStop | None:
    """Return the stop of a row of price_orders; ``None`` for any other triggered order.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    initial = {"symbol": symbol, **table(row.get("initial"), "initial of a triggered order")}
    trigger = {"symbol": symbol, **table(row.get("trigger"), "trigger of a triggered order")}
    size, rule = number(initial, "size"), whole(trigger, "rule")
    if rule not in (1, 2):
        raise Incomplete(f"rule of a triggered order of {symbol} must be 1 or 2, was {rule}")
    side = Side.LONG if rule == 2 else Side.SHORT  # noqa: PLR2004 - at or below, the venue's number
    if size and (size < 0) != (side is Side.LONG):
        return None  # it takes profit
    kind, auto = row.get("order_type") or "", initial.get("auto_size") or ""
    word, other = ("long", "short") if side is Side.LONG else ("short", "long")
    if other in f"{kind} {auto}":
        return None  # as above
    closes = flag(initial, "is_reduce_only") or flag(initial, "is_close") or word in auto
    if not closes or number(initial, "price") or whole(trigger, "strategy_type"):
        return None  # it may open, rest at a price, or watch something else
    told = initial.get("text")
    name = told.removeprefix(PREFIX) if isinstance(told, str) else ""
    number_of = given_id(row.get("id"))
    if number_of is None:
        raise Incomplete(f"id of a triggered order of {symbol} must be a number")
    return RestingStop(
        key=PositionKey(symbol, side),
        stop_id=number_of,
        client_id=name,
        size=abs(size) * coins if size else None,
        stop_price=positive(trigger, "price"),
        on_mark=whole(trigger, "price_type") == 1,
        is_ours=is_own_name(name),
    )


def futures_wallet(found: Owner, positions: Sequence[Position]) -> Wallet:
    """Return what backs positions: all of it but the margin behind isolated ones."""
    behind = sum((position.margin for position in positions), ZERO)
    return Wallet(
        name="futures", currency=SETTLE.upper(), total=found.wallet - behind, free=found.free
    )


def spot_wallet(listed: Sequence[Mapping[str, Any]]) -> Wallet:
    """Return the owner's spot account; a currency that is not listed is empty.

    Raises:
        Incomplete: A number is broken.
    """
    currency = SETTLE.upper()
    free = locked = ZERO
    for row in listed:
        if text(row, "currency") == currency:
            named = {"symbol": currency, **row}
            free, locked = amount(named, "available"), amount(named, "locked")
    return Wallet(name="spot", currency=currency, total=free + locked, free=free)


def market(
    row: Mapping[str, Any],
    symbol: str,
    *,
    at: datetime,
    bars: Bars,
    depth: Mapping[str, Any] | None,
    coins: Decimal,
) -> Market:
    """Return the market of a symbol from its ticker, bars and book.

    Args:
        row: Its ticker, which has no time of its own.
        symbol: Unified.
        at: When it was asked for. Aware UTC.
        bars: Of mark.
        depth: The book; ``None`` where it was not read.
        coins: In a contract. [base]

    Raises:
        Incomplete: A number is missing.
    """
    row = {"symbol": symbol, **row}
    return Market(
        symbol=symbol,
        mark_price=positive(row, "mark_price"),
        index_price=positive(row, "index_price"),
        mark_at=at,
        funding_rate=number(row, "funding_rate") if row.get("funding_rate") else None,
        bars=bars,
        bids=levels(depth, "bids", symbol, unit=coins),
        asks=levels(depth, "asks", symbol, unit=coins),
    )


def book(answer: Any, symbol: str) -> dict[str, Any]:
    """Return a book as pairs of price and size.

    Raises:
        Incomplete: It is none.
    """
    found = table(answer, f"book of {symbol}")
    return {
        side: [[row.get("p"), row.get("s")] for row in rows(found.get(side), f"{side} of {symbol}")]
        for side in ("bids", "asks")
    }


def candles(answer: Any, symbol: str) -> tuple[Candle, ...]:
    """Return the rows of candlesticks, time ascending as they come, each with its date.

    Raises:
        Incomplete: A row is broken, or they are not in order.
    """
    listed = [{"symbol": symbol, **row} for row in rows(answer, f"klines of {symbol}")]
    opened = [whole(row, "t") * 1000 for row in listed]
    if opened != sorted(set(opened)):
        raise Incomplete(f"klines of {symbol} must ascend")
    return candles_of(
        [
            [at, row.get("o"), row.get("h"), row.get("l"), row.get("c")]
            for at, row in zip(opened, listed, strict=True)
        ],
        symbol,
    )


def bars(found: Sequence[Candle], *, seconds: int, now_ms: int) -> Bars:
    """Return the newest bars that are over and follow each other without a gap.

    Args:
        found: Time ascending.
        seconds: Length of one. [s]
        now_ms: Venue time. [ms]
    """
    width, now = timedelta(seconds=seconds), instant(now_ms)
    over = [row for row in found if row.opened_at + width <= now]
    first = len(over) - 1
    while first > 0 and over[first].opened_at - over[first - 1].opened_at == width:
        first -= 1
    return bars_of(over[max(0, first) :], seconds=seconds)
