"""What do Bitget's rows mean?"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.domain.account import Wallet
from bot.domain.instrument import Instrument, MarginRelease, MarginTier
from bot.domain.market import Bars, Market
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode, Side
from bot.domain.stop import RestingStop, is_own_name
from bot.errors import Incomplete
from bot.exchanges.bitget.answers import COIN
from bot.exchanges.depth import levels
from bot.exchanges.numbers import LARGEST, amount, identity, instant, number, positive, text, whole
from bot.exchanges.tables import checked

FLAT = Decimal(0)
PERPETUAL = "perpetual"
GONE = "off"
"""State of a contract that has ended."""
LEGS = {Side.LONG: "long", Side.SHORT: "short"}
SIDES = {word: side for side, word in LEGS.items()}
MODES = {"one_way_mode": PositionMode.ONE_WAY, "hedge_mode": PositionMode.HEDGE}
MARGINS = {"isolated": MarginMode.ISOLATED, "crossed": MarginMode.CROSS}
NEAR = Decimal("1.001")
"""The venue rounds the price where it liquidates: so near to a step a position is in it. [ratio]"""
STOP_LOSS, WHOLE_STOP_LOSS = "loss_plan", "pos_loss"
WITHDRAWS, ORDERS, MOVES, TRADES = "wwow", "coow", "wtow", "trade"
"""Rights of a key in the venue's words: withdraw, write orders of contracts, transfer; and the word
that older keys have for the second and third."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a maintenance table by worth.

    Attributes:
        floor: Where it begins. [quote]
        rate: Of maintenance. [ratio]
        max_leverage: [x]
    """

    floor: Decimal
    rate: Decimal
    max_leverage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a maintenance rate follows from, of one leg.

    Attributes:
        rate: As the venue shows it with the position. [ratio]
        most: Its worth at mark, or where it is liquidated if that is more. [quote]
    """

    rate: Decimal
    most: Decimal


def mode(row: Mapping[str, Any]) -> PositionMode:
    """Return the position mode that a row tells.

    Raises:
        Incomplete: It is missing or unknown.
    """
    found = text(row, "posMode")
    if found not in MODES:
        raise Incomplete(f"posMode must be known, was {found!r}")
    return MODES[found]


def rights(row: Mapping[str, Any]) -> frozenset[str]:
    """Return the venue's words for what a key may do.

    Raises:
        Incomplete: They are missing.
    """
    found = row.get("authorities")
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise Incomplete("field 'authorities' of the key must be a list of words")
    return frozenset(word.lower() for word in found)


def is_perpetual(row: Mapping[str, Any]) -> bool:
    """Whether a row of market/contracts is of a perpetual that settles in what it is quoted in."""
    return row.get("symbolType") == PERPETUAL and row.get("quoteCoin") == COIN


def unified(row: Mapping[str, Any]) -> str:
    """Return the unified name of a contract.

    Raises:
        Incomplete: A field is missing.
    """
    return f"{text(row, 'baseCoin')}/{COIN}:{COIN}"


def table(listed: Sequence[Mapping[str, Any]], symbol: str) -> tuple[Tier, ...]:
    """Return the maintenance table of a contract, ascending by worth.

    Raises:
        Incomplete: It has gaps, or its rates fall.
    """
    named = [{"symbol": symbol, **row} for row in listed]
    named.sort(key=lambda row: number(row, "startUnit"))
    found = tuple(
        Tier(
            floor=amount(row, "startUnit"),
            rate=positive(row, "keepMarginRate"),
            max_leverage=positive(row, "leverage"),
        )
        for row in named
    )
    if not found or found[0].floor != 0:
        raise Incomplete(f"position tiers of {symbol} must begin at 0")
    for lower, upper in itertools.pairwise(found):
        if upper.floor <= lower.floor or upper.rate < lower.rate:
            raise Incomplete(f"position tiers of {symbol} must ascend")
    return found


def tier(steps: Sequence[Tier], symbol: str, *, held: Collection[Held], fee: Decimal) -> MarginTier:
    """Return what a position must hold, as one step.

    The venue has no amounts that would join its steps, and adds the fee of closing: what holds is
    the rate that it shows with the position, or that of where it is liquidated if that is more, as
    a short's may be.

    Args:
        steps: Of the contract.
        symbol: For people.
        held: Its legs; none where nothing is held.
        fee: Of closing. [ratio]

    Raises:
        Incomplete: Together they are no share.
    """
    reached = [at(steps, leg.most) for leg in held]
    rate = max([steps[0].rate, *(leg.rate for leg in held), *(step.rate for step in reached)])
    found = MarginTier(
        notional_floor=FLAT,
        maintenance_rate=rate + fee,
        maintenance_amount=FLAT,
        max_leverage=min([step.max_leverage for step in reached], default=steps[0].max_leverage),
    )
    checked(symbol, (found,))
    return found


def at(steps: Sequence[Tier], worth: Decimal) -> Tier:
    """Return the step of a worth. [quote]."""
    return next((step for step in reversed(steps) if worth >= step.floor), steps[0])


def held(row: Mapping[str, Any]) -> Held:
    """Return what the maintenance rate of a leg follows from.

    Raises:
        Incomplete: A number is missing.
    """
    row = {"symbol": row.get("symbol"), **row}
    size, mark = positive(row, "total"), positive(row, "markPrice")
    price = max(mark, _liquidation(row) * NEAR)
    return Held(rate=positive(row, "keepMarginRate"), most=size * price)


def taker_fee(row: Mapping[str, Any]) -> Decimal:
    """Return what closing costs at most, from a row of market/contracts. [ratio].

    Raises:
        Incomplete: It is missing, or no share.
    """
    found = positive(row, "takerFeeRate")
    if found >= 1:
        raise Incomplete(f"field 'takerFeeRate' of {row.get('symbol')} must be a share")
    return found


def instrument(
    row: Mapping[str, Any],
    step: MarginTier,
    *,
    margin_step: Decimal,
    margin_release: MarginRelease,
) -> Instrument:
    """Return the rules of a contract from its row of market/contracts.

    Raises:
        Incomplete: A field is missing.
    """
    return Instrument(
        symbol=unified(row),
        settle=COIN,
        price_step=_price_step(row),
        size_step=positive(row, "sizeMultiplier"),
        min_size=positive(row, "minTradeNum"),
        max_market_size=_largest(row),
        min_notional=FLAT,  # of opening orders; the bot has none
        margin_step=margin_step,
        taker_fee=taker_fee(row),
        tiers=(step,),
        margin_release=margin_release,
        closes_at=_closes_at(row),
    )


def _price_step(row: Mapping[str, Any]) -> Decimal:
    places = whole(row, "pricePlace")
    if not 0 <= places <= 30:  # noqa: PLR2004 - no price has more digits
        raise Incomplete(f"field 'pricePlace' of {row.get('symbol')} must be a few, was {places}")
    return positive(row, "priceEndStep").scaleb(-places)


def _largest(row: Mapping[str, Any]) -> Decimal:
    """Return the largest order; the venue itself refuses a larger one where it does not tell."""
    told = [positive(row, key) for key in ("maxMarketOrderQty", "maxOrderQty") if row.get(key)]
    return min(told, default=LARGEST)


def _closes_at(row: Mapping[str, Any]) -> datetime | None:
    """Return when a contract ends.

    Raises:
        Incomplete: The day or the state is there and cannot be read.
    """
    if row.get("offTime") not in (None, "", "-1"):
        return instant(whole(row, "offTime"))
    return instant(0) if text(row, "symbolStatus") == GONE else None


def position(row: Mapping[str, Any], symbol: str, *, is_planned: bool) -> Position:
    """Return a position from its row of position/all-position.

    Args:
        row: The venue's.
        symbol: Unified.
        is_planned: Whether its margin stands by itself; else it is shown as cross.

    Raises:
        Incomplete: A number is missing, or contradicts another.
    """
    row = {**row, "symbol": symbol}
    kind = text(row, "marginMode")
    if kind not in MARGINS:
        raise Incomplete(f"marginMode of {symbol} must be known, was {kind!r}")
    is_isolated = MARGINS[kind] is MarginMode.ISOLATED and is_planned
    liquidation = _liquidation(row)
    return Position(
        symbol=symbol,
        size=positive(row, "total") * side(row).sign,
        entry_price=positive(row, "openPriceAvg"),
        mark_price=positive(row, "markPrice"),
        margin=number(row, "marginSize") if kind == "isolated" else FLAT,
        leverage_setting=positive(row, "leverage"),
        margin_mode=MarginMode.ISOLATED if is_isolated else MarginMode.CROSS,
        venue_liquidation_price=liquidation or None,
        venue_maintenance_margin=None,
        venue_adds_margin=row.get("autoMargin") == "on",
    )


def _liquidation(row: Mapping[str, Any]) -> Decimal:
    """Return where the venue liquidates; 0 where it shows no such price. [quote/base]."""
    return max(FLAT, number(row, "liquidationPrice")) if row.get("liquidationPrice") else FLAT


def side(row: Mapping[str, Any]) -> Side:
    """Return the direction of a position.

    Raises:
        Incomplete: It is missing or unknown.
    """
    found = text(row, "holdSide")
    if found not in SIDES:
        raise Incomplete(f"holdSide of {row.get('symbol')} must be known, was {found!r}")
    return SIDES[found]


def stop(
    row: Mapping[str, Any], symbol: str, mode: PositionMode, *, held: Side | None
) -> RestingStop | None:
    """Return the stop loss of a row of orders-plan-pending; ``None`` for another plan.

    Args:
        row: The venue's.
        symbol: Unified.
        mode: One-way or hedge.
        held: The direction of the one position of a one-way account, which such a plan belongs to;
            ``None`` where there is none.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    kind = text(row, "planType")
    if kind not in (STOP_LOSS, WHOLE_STOP_LOSS):
        return None
    row = {**row, "symbol": symbol}
    client_id = row.get("clientOid")
    name = client_id if isinstance(client_id, str) else ""
    return RestingStop(
        key=PositionKey(symbol, _stopped(row, symbol, mode, held)),
        stop_id=identity(row, "orderId"),
        client_id=name,
        size=None if kind == WHOLE_STOP_LOSS else positive(row, "size"),
        stop_price=positive(row, "triggerPrice"),
        on_mark=text(row, "triggerType") == "mark_price",
        is_ours=is_own_name(name),
    )


def _stopped(row: Mapping[str, Any], symbol: str, mode: PositionMode, held: Side | None) -> Side:
    if mode is PositionMode.HEDGE:
        leg = text(row, "posSide")
        if leg not in SIDES:
            raise Incomplete(f"posSide of a stop of {symbol} must be known, was {leg!r}")
        return SIDES[leg]
    order_side = text(row, "side")
    if order_side not in ("buy", "sell"):
        raise Incomplete(f"side of a stop of {symbol} must be known, was {order_side!r}")
    # Whether the word is of the order or of the position is not documented without legs.
    return held or (Side.LONG if order_side == "sell" else Side.SHORT)


def futures_wallet(row: Mapping[str, Any], isolated: Decimal) -> Wallet:
    """Return the wallet that backs positions, without isolated margin and profit.

    Args:
        row: Of account/accounts.
        isolated: Margin inside the positions that were listed. [quote]

    Raises:
        Incomplete: A number is missing.
    """
    row = {"symbol": COIN, **row}
    profit = _profit(row)
    return Wallet(
        name="futures",
        currency=COIN,
        total=number(row, "accountEquity") - profit - isolated,
        free=min(amount(row, "available"), amount(row, "maxTransferOut")),
    )


def _profit(row: Mapping[str, Any]) -> Decimal:
    """Return the unrealized profit inside the equity, as a whole or in two parts. [quote]."""
    if row.get("unrealizedPL"):
        return number(row, "unrealizedPL")
    parts = [key for key in ("crossedUnrealizedPL", "isolatedUnrealizedPL") if row.get(key)]
    if not parts:
        raise Incomplete(f"field 'unrealizedPL' of {COIN} must be told, was not")
    return sum((number(row, key) for key in parts), FLAT)


def spot_wallet(listed: Sequence[Mapping[str, Any]]) -> Wallet | None:
    """Return the wallet of the spot account; ``None`` where it is not listed.

    Raises:
        Incomplete: A number is missing.
    """
    own = [row for row in listed if text(row, "coin").upper() == COIN]
    if not own:
        return None
    row = {"symbol": COIN, **own[0]}
    free = amount(row, "available")
    return Wallet(
        name="spot",
        currency=COIN,
        total=free + amount(row, "frozen") + amount(row, "locked"),
        free=free,
    )


def ordered(row: Mapping[str, Any]) -> Decimal:
    """Return the margin that an open order holds, 0 for one that only closes. [quote].

    Raises:
        Incomplete: A number is missing.
    """
    if row.get("tradeSide") == "close" or row.get("reduceOnly") in ("YES", "yes"):
        return FLAT
    left = max(FLAT, amount(row, "size") - amount(row, "baseVolume"))
    return left * positive(row, "price") / positive(row, "leverage")


def market(
    ticker: Mapping[str, Any], symbol: str, *, bars: Bars, depth: Mapping[str, Any] | None
) -> Market:
    """Return the market of a symbol from ticker, bars and book.

    Raises:
        Incomplete: A number is missing.
    """
    row = {**ticker, "symbol": symbol}
    return Market(
        symbol=symbol,
        mark_price=positive(row, "markPrice"),
        index_price=positive(row, "indexPrice"),
        mark_at=instant(whole(row, "ts")),
        funding_rate=number(row, "fundingRate") if row.get("fundingRate") else None,
        bars=bars,
        bids=levels(depth, "bids", symbol),
        asks=levels(depth, "asks", symbol),
    )
