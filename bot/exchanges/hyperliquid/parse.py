"""What do Hyperliquid's rows mean?

Of an isolated position the venue tells its raw dollars: what is left of its margin once the coins
are paid for at their entry. With the value at entry that is the margin, without profit. All that
settles here settles in USDC.
"""

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from bot.domain.account import Wallet
from bot.domain.instrument import Instrument, MarginRelease, MarginTier
from bot.domain.market import Bars, Candle, Market
from bot.domain.position import MarginMode, Position, PositionKey, Side
from bot.domain.stop import RestingStop, is_own_name
from bot.errors import Incomplete
from bot.exchanges.candles import bars_of, candles_of
from bot.exchanges.depth import levels
from bot.exchanges.hyperliquid.names import name_of
from bot.exchanges.numbers import (
    amount,
    identity,
    instant,
    number,
    positive,
    rows,
    table,
    text,
    whole,
)
from bot.exchanges.tables import checked
from bot.margin.tiers import continued

ZERO = Decimal(0)
DOLLAR = "USDC"
MOST_PLACES, FIGURES = 6, 5
"""Decimals of price and size together, and figures of a price that is not whole."""
OWN_TABLES = 50
"""A margin table with a smaller number has one step, whose leverage is its number."""
MINIMUM = Decimal(10)
"""Value of the smallest opening order. [quote]"""
NEAR = Decimal(2)
"""Up to so many times the mark a price of our step is one that the venue takes."""
LARGEST_ORDERS = (
    (Decimal(25), Decimal(15_000_000)), (Decimal(20), Decimal(5_000_000)),
    (Decimal(10), Decimal(2_000_000)), (ZERO, Decimal(500_000)),
)  # fmt: skip
"""Value of the largest market order, by the leverage from which it holds. [quote]"""
CROSS, ISOLATED = "cross", "isolated"
SIDES = {"A": Side.LONG, "B": Side.SHORT}
"""Side of the position that an order of a side closes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """One of the contracts that are listed.

    Attributes:
        name: The venue's.
        asset: Its place in the list, which stands for it in actions.
        places: Decimals of a size.
        tiers: Of maintenance.
        is_over: Whether it is traded no more.
        problem: Why its rules are no rules; empty where they are.
    """

    name: str
    asset: int
    places: int
    tiers: tuple[MarginTier, ...]
    is_over: bool
    problem: str = ""

    @property
    def symbol(self) -> str:
        """Unified name."""
        return f"{self.name}/{DOLLAR}:{DOLLAR}"


def pair(answer: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what is listed, and the prices of each, of metaAndAssetCtxs.

    Raises:
        Incomplete: It is anything else, or they are not of the same contracts.
    """
    if not isinstance(answer, list) or len(answer) != 2:  # noqa: PLR2004 - rules and prices
        raise Incomplete("contracts must come with their prices, did not")
    meta, prices = table(answer[0], "contracts"), rows(answer[1], "prices of contracts")
    if len(rows(meta.get("universe"), "universe")) != len(prices):
        raise Incomplete("contracts and their prices must be as many, were not")
    return meta, prices


def coins(meta: Mapping[str, Any]) -> tuple[Coin, ...]:
    """Return what is listed, each at its place; odd rules of one are no matter to others.

    Raises:
        Incomplete: There is no list, or a name is missing or stands twice.
    """
    tables = _tables(meta)
    found = tuple(
        _coin(row, place, tables) for place, row in enumerate(rows(meta["universe"], "universe"))
    )
    if not found:
        raise Incomplete("universe must list contracts, listed none")
    if len({coin.name for coin in found}) < len(found):
        raise Incomplete("universe must list each name once, did not")
    return found


def _coin(row: Mapping[str, Any], place: int, tables: Mapping[int, tuple[MarginTier, ...]]) -> Coin:
    row = {"symbol": row.get("name"), **row}
    name = text(row, "name")
    try:
        return _ruled(row, name, place, tables)
    except Incomplete as error:
        return Coin(name=name, asset=place, places=0, tiers=(), is_over=False, problem=str(error))


def _ruled(
    row: Mapping[str, Any], name: str, place: int, tables: Mapping[int, tuple[MarginTier, ...]]
) -> Coin:
    places, most = whole(row, "szDecimals"), positive(row, "maxLeverage")
    if not 0 <= places <= MOST_PLACES:
        raise Incomplete(f"szDecimals of {name} must be 0 to {MOST_PLACES}, was {places}")
    key = whole(row, "marginTableId")
    steps = tables.get(key)
    if steps is None and 0 < key < OWN_TABLES:
        steps = (_step((), ZERO, Decimal(key)),)
    if steps is None or steps[0].max_leverage != most:
        raise Incomplete(f"marginTableId of {name} must be of a table for {most}x, was {key}")
    is_over = row.get("isDelisted", False)
    if not isinstance(is_over, bool):
        raise Incomplete(f"isDelisted of {name} must be a flag, was {str(is_over)[:20]!r}")
    checked(name, steps)
    return Coin(name=name, asset=place, places=places, tiers=steps, is_over=is_over)


def _tables(meta: Mapping[str, Any]) -> dict[int, tuple[MarginTier, ...]]:
    listed = meta.get("marginTables")
    if not isinstance(listed, list):
        raise Incomplete(f"marginTables must be a list, was {type(listed).__name__}")
    found: dict[int, tuple[MarginTier, ...]] = {}
    for item in listed:
        if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - number and table
            raise Incomplete("marginTables must be numbers and tables, were not")
        with contextlib.suppress(Incomplete):  # whoever needs it misses it
            found[whole({"number": item[0]}, "number")] = _table(item[1])
    return found


def _table(told: Any) -> tuple[MarginTier, ...]:
    steps: tuple[MarginTier, ...] = ()
    for row in rows(table(told, "margin table").get("marginTiers"), "marginTiers"):
        floor, most = amount(row, "lowerBound"), positive(row, "maxLeverage")
        if bool(steps) is not bool(floor) or (steps and floor <= steps[-1].notional_floor):
            raise Incomplete("lowerBound of margin tiers must begin at 0 and ascend")
        steps = (*steps, _step(steps, floor, most))
    if not steps:
        raise Incomplete("marginTiers must have steps, had none")
    return steps


def _step(below: Sequence[MarginTier], floor: Decimal, most: Decimal) -> MarginTier:
    """Return a step of a table: half of what its highest leverage asks for must be held."""
    rate = 1 / (2 * most)
    before = continued(below[-1], floor=floor, rate=rate) if below else ZERO
    return MarginTier(
        notional_floor=floor,
        maintenance_rate=rate,
        maintenance_amount=before,
        max_leverage=most,
    )


def is_price(price: Decimal, places: int) -> bool:
    """Whether the venue takes a price of a contract: a whole one, or one with few figures.

    Args:
        price: > 0. [quote/base]
        places: Decimals of a size of it.
    """
    if price == price.to_integral_value():
        return True
    _, digits, exponent = price.normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - of a finite number it is one
    return len(digits) <= FIGURES and -exponent <= MOST_PLACES - places


def price_step(mark: Decimal, places: int) -> Decimal:
    """Return a step whose multiples are prices that the venue takes, up to well above the mark."""
    few = max(0, FIGURES - 1 - (mark * NEAR).adjusted())
    return Decimal(1).scaleb(-min(few, MOST_PLACES - places))


def instrument(
    coin: Coin,
    *,
    mark: Decimal,
    taker_fee: Decimal,
    margin_step: Decimal,
    margin_release: MarginRelease,
) -> Instrument:
    """Return the rules of a contract at its present mark. [quote/base]."""
    size_step, price = Decimal(1).scaleb(-coin.places), price_step(mark, coin.places)
    most = next(value for least, value in LARGEST_ORDERS if coin.tiers[0].max_leverage >= least)
    largest = max(size_step, (most / mark).quantize(size_step))
    return Instrument(
        symbol=coin.symbol,
        settle=DOLLAR,
        price_step=price,
        size_step=size_step,
        min_size=size_step,
        max_market_size=largest,
        min_notional=MINIMUM,
        margin_step=margin_step,
        taker_fee=taker_fee,
        tiers=coin.tiers,
        margin_release=margin_release,
        closes_at=instant(0) if coin.is_over else None,
        keeps_tenth=True,
    )


def taker_fee(answer: Any) -> Decimal:
    """Return what taking costs the account, from userFees. [ratio].

    Raises:
        Incomplete: It is no share.
    """
    found = amount(table(answer, "fees"), "userCrossRate")
    if found >= 1:
        raise Incomplete(f"field 'userCrossRate' of the fees must be a share, was {found}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position, and what is told beside it.

    Attributes:
        position: It.
        coin: The venue's name.
        used: Its equity if it is isolated, else its initial margin. [quote]
        value: At mark. [quote]
        profit: Not realized. [quote]
        paid: Funding since it was opened; < 0 was received. [quote]
    """

    position: Position
    coin: str
    used: Decimal
    value: Decimal
    profit: Decimal
    paid: Decimal


def held(row: Mapping[str, Any], coin: Coin) -> Held:
    """Return a position from its row of clearinghouseState.

    Raises:
        Incomplete: A number is missing, or contradicts another.
    """
    row = {"symbol": coin.symbol, **row}
    size, value, entry = (
        number(row, "szi"),
        positive(row, "positionValue"),
        positive(row, "entryPx"),
    )
    leverage = {"symbol": coin.symbol, **table(row.get("leverage"), "leverage")}
    kind, setting = text(leverage, "type"), positive(leverage, "value")
    if kind not in (CROSS, ISOLATED):
        raise Incomplete(f"type of leverage of {coin.symbol} must be known, was {kind!r}")
    is_isolated = kind == ISOLATED
    if not size or size % Decimal(1).scaleb(-coin.places):
        raise Incomplete(f"szi of {coin.symbol} must be a number of lots, was {size}")
    raw = number(leverage, "rawUsd") if is_isolated else ZERO
    used = number(row, "marginUsed")
    signed = value if size > 0 else -value
    if is_isolated and abs(raw + signed - used) > tolerance(value):
        raise Incomplete(
            f"rawUsd of {coin.symbol} must be marginUsed less the value, was {raw} and {used}"
        )
    paid = table(row.get("cumFunding"), "cumFunding")
    price = (value / abs(size)).quantize(
        Decimal(1).scaleb(coin.places - MOST_PLACES), rounding=ROUND_HALF_EVEN
    )
    if price <= 0:
        raise Incomplete(f"positionValue of {coin.symbol} must be that of {size}, was {value}")
    position = Position(
        symbol=coin.symbol,
        size=size,
        entry_price=entry,
        mark_price=price,
        margin=raw + size * entry if is_isolated else ZERO,
        leverage_setting=setting,
        margin_mode=MarginMode.ISOLATED if is_isolated else MarginMode.CROSS,
        venue_liquidation_price=_liquidation(row),
        venue_maintenance_margin=None,  # the venue tells that of the whole account alone
    )
    return Held(
        position=position,
        coin=coin.name,
        used=used,
        value=value,
        profit=number(row, "unrealizedPnl"),
        paid=number({"symbol": coin.symbol, **paid}, "sinceOpen"),
    )


def tolerance(value: Decimal) -> Decimal:
    """Return how far sums of numbers with six decimals may lie apart. [quote]."""
    return Decimal("0.01") + value * Decimal("1e-7")


def _liquidation(row: Mapping[str, Any]) -> Decimal | None:
    if row.get("liquidationPx") is None:
        return None
    found = number(row, "liquidationPx")
    return found if found > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What an account comes to.

    Attributes:
        value: With profits. [quote]
        worth: Of all positions at mark, each > 0. [quote]
        used: Margin. [quote]
    """

    value: Decimal
    worth: Decimal
    used: Decimal


def totals(state: Mapping[str, Any], key: str) -> Totals:
    """Return one of the summaries of an account.

    Raises:
        Incomplete: A number is missing.
    """
    row = {"symbol": key, **table(state.get(key), key)}
    return Totals(
        value=number(row, "accountValue"),
        worth=amount(row, "totalNtlPos"),
        used=amount(row, "totalMarginUsed"),
    )


def wallet(state: Mapping[str, Any], crossed: Sequence[Held]) -> Wallet:
    """Return what backs positions beside the margin of isolated ones.

    Raises:
        Incomplete: A number is missing.
    """
    found = totals(state, "crossMarginSummary")
    free = min(amount(dict(state), "withdrawable"), max(ZERO, found.value - found.used))
    total = found.value - sum((one.profit for one in crossed), ZERO)
    return Wallet(name="futures", currency=DOLLAR, total=total, free=free)


def spot_wallet(answer: Any) -> Wallet:
    """Return the dollars of the spot wallet; what is not listed is not there.

    Raises:
        Incomplete: A number is broken.
    """
    for row in rows(table(answer, "spot wallet").get("balances"), "balances"):
        if text(row, "coin") == DOLLAR:
            named = {"symbol": DOLLAR, **row}
            total = amount(named, "total")
            free = max(ZERO, total - amount(named, "hold"))
            return Wallet(name="spot", currency=DOLLAR, total=total, free=free)
    return Wallet(name="spot", currency=DOLLAR, total=ZERO, free=ZERO)


def stop(row: Mapping[str, Any], symbol: str) -> RestingStop | None:
    """Return the stop of a row of frontendOpenOrders; ``None`` for any other order.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    row = {"symbol": symbol, **row}
    if row.get("isTrigger") is not True or text(row, "orderType") != "Stop Market":
        return None
    if row.get("reduceOnly") is not True:
        return None  # it would open a position
    side = SIDES.get(text(row, "side"))
    if side is None:
        raise Incomplete(f"side of a stop of {symbol} must be known, was {row['side']!r}")
    name = name_of(row.get("cloid"))
    return RestingStop(
        key=PositionKey(symbol, side),
        stop_id=identity(row, "oid"),
        client_id=name,
        size=None if row.get("isPositionTpsl") is True else positive(row, "sz"),
        stop_price=positive(row, "triggerPx"),
        on_mark=True,  # the venue knows no other
        is_ours=is_own_name(name),
    )


def depth(answer: Any, name: str) -> dict[str, list[list[Any]]]:
    """Return the book of a contract, from l2Book.

    Raises:
        Incomplete: It is of another, or has no two sides.
    """
    body = table(answer, f"book of {name}")
    sides = body.get("levels")
    if body.get("coin") != name or not isinstance(sides, list) or len(sides) != 2:  # noqa: PLR2004 - bids and asks
        raise Incomplete(f"book of {name} must be its own and have two sides")
    return {
        key: [[row.get("px"), row.get("sz")] for row in rows(side, f"{key} of {name}")]
        for key, side in zip(("bids", "asks"), sides, strict=True)
    }


def market(
    row: Mapping[str, Any],
    symbol: str,
    *,
    mark: Decimal | None,
    at: datetime,
    bars: Bars,
    depth: Mapping[str, Any] | None,
) -> Market:
    """Return the market of a symbol from its prices, bars and book.

    Args:
        row: Its prices.
        symbol: Unified.
        mark: A later one than that among the prices; ``None`` where there is none. [quote/base]
        at: Of the mark. Aware UTC.
        bars: That are over.
        depth: Of what is held.

    Raises:
        Incomplete: A number is missing.
    """
    row = {"symbol": symbol, **row}
    told = positive(row, "markPx")
    return Market(
        symbol=symbol,
        mark_price=told if mark is None else mark,
        index_price=positive(row, "oraclePx"),
        mark_at=at,
        funding_rate=number(row, "funding"),
        bars=bars,
        bids=levels(depth, "bids", symbol),
        asks=levels(depth, "asks", symbol),
    )


def candles(answer: Any, name: str, symbol: str) -> tuple[Candle, ...]:
    """Return the rows of candleSnapshot, time ascending.

    Raises:
        Incomplete: A row is broken or of another contract, or they do not ascend.
    """
    found = rows(answer, f"candles of {symbol}")
    if any(row.get("s") != name for row in found):
        raise Incomplete(f"candles of {symbol} must be its own")
    lists = [[row.get(key) for key in ("t", "o", "h", "l", "c")] for row in found]
    made = candles_of(lists, symbol)
    if any(later.opened_at <= sooner.opened_at for sooner, later in itertools.pairwise(made)):
        raise Incomplete(f"candles of {symbol} must ascend")
    return made


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
