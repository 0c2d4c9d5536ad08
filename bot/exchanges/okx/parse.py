"""What do OKX's rows mean?

The venue counts contracts; everything that leaves this file is in coins, or in dollars where they
are inverse.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.account import Wallet
from bot.domain.instrument import Contract, Instrument, MarginRelease, MarginTier
from bot.domain.market import Bars, Candle, Market
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode, Side
from bot.domain.stop import RestingStop, is_own_name
from bot.errors import Incomplete
from bot.exchanges.candles import bars_of, candles_of
from bot.exchanges.depth import levels
from bot.exchanges.numbers import amount, identity, instant, number, positive, rows, text, whole
from bot.exchanges.okx.answers import lines
from bot.exchanges.tables import checked

FLAT = Decimal(0)
TAKER_FEE = Decimal("0.0005")
"""Of the lowest fee tier; no position is taken to close for less. [ratio]"""
LISTED = frozenset({"live", "preopen", "suspend"})
"""States of a contract that has not ended."""
KINDS = {Contract.LINEAR: "linear", Contract.INVERSE: "inverse"}
"""The venue's word for a kind of contract."""
LEGS = {Side.LONG: "long", Side.SHORT: "short"}
MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
SPOT, FUTURES, MULTI, PORTFOLIO = "1", "2", "3", "4"
"""Account modes in the venue's numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a maintenance table by size.

    Attributes:
        most: Largest position of it. [contracts]
        rate: Of maintenance. [ratio]
        max_leverage: [x]
    """

    most: Decimal
    rate: Decimal
    max_leverage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What the account may do, and how.

    Attributes:
        mode: One-way or hedge.
        is_planned: Whether its isolated positions stand by themselves.
        rights: Words for what the key may do.
    """

    mode: PositionMode
    is_planned: bool
    rights: frozenset[str]


def owner(row: Mapping[str, Any]) -> Owner:
    """Return what account/config says.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    mode, level = text(row, "posMode"), text(row, "acctLv")
    if mode not in MODES:
        raise Incomplete(f"posMode must be known, was {mode!r}")
    if level not in (SPOT, FUTURES, MULTI, PORTFOLIO):
        raise Incomplete(f"acctLv must be known, was {level!r}")
    return Owner(
        mode=MODES[mode],
        is_planned=level in (FUTURES, MULTI),
        rights=frozenset(text(row, "perm").split(",")),
    )


def is_swap(row: Mapping[str, Any], contract: Contract) -> bool:
    """Whether a row of public/instruments is of a swap of a kind."""
    return row.get("instType") == "SWAP" and row.get("ctType") == KINDS[contract]


def unified(row: Mapping[str, Any]) -> str:
    """Return the unified name of a swap: a linear one is cut in coins, an inverse one in dollars.

    Raises:
        Incomplete: A field is missing.
    """
    settle, valued = text(row, "settleCcy"), text(row, "ctValCcy")
    if row.get("ctType") == KINDS[Contract.INVERSE]:
        return f"{settle}/{valued}:{settle}"
    return f"{valued}/{settle}:{settle}"


def face(row: Mapping[str, Any]) -> Decimal:
    """Return what a contract is. [base or quote].

    Raises:
        Incomplete: A number is missing.
    """
    return positive(row, "ctVal") * positive(row, "ctMult")


def taker_fee(row: Mapping[str, Any], settle: str, contract: Contract = Contract.LINEAR) -> Decimal:
    """Return what closing costs at most, from a row of trade-fee. [ratio].

    The venue writes what it takes below 0; newer answers have a table of groups of contracts. A fee
    that names no currency is that of contracts that settle in their coin.

    Raises:
        Incomplete: No fee of such contracts is told.
    """
    key = "takerU" if settle == "USDT" else f"taker{settle}"
    if contract is Contract.INVERSE:
        key = "taker"
    fields = [row] if row.get(key) else []
    groups = [{**group, key: group.get("taker")} for group in rows(row.get("feeGroup", []), "fees")]
    told = [-number(one, key) for one in (*fields, *groups)]
    if not told:
        raise Incomplete(f"field {key!r} of the fees must be told, was not")
    found = max(told)
    if found >= 1:
        raise Incomplete(f"field {key!r} of the fees must be a share, was {found}")
    return max(found, TAKER_FEE)


def table(listed: Sequence[Mapping[str, Any]], symbol: str) -> tuple[Tier, ...]:
    """Return the maintenance table of a contract family, ascending by size.

    Raises:
        Incomplete: It has gaps, or its rates fall.
    """
    named = [{"symbol": symbol, **row} for row in listed]
    named.sort(key=lambda row: number(row, "minSz"))
    found = tuple(
        Tier(
            most=positive(row, "maxSz"),
            rate=positive(row, "mmr"),
            max_leverage=positive(row, "maxLever"),
        )
        for row in named
    )
    if not found or number(named[0], "minSz") != 0:
        raise Incomplete(f"position tiers of {symbol} must begin at 0")
    for lower, upper in itertools.pairwise(found):
        if upper.most <= lower.most or upper.rate < lower.rate:
            raise Incomplete(f"position tiers of {symbol} must ascend")
    return found


def tiers(
    steps: Sequence[Tier],
    symbol: str,
    *,
    held: Decimal,
    fee: Decimal,
    contract: Contract = Contract.LINEAR,
) -> MarginTier:
    """Return what a position of a size must hold, whatever its value.

    The venue chooses the step by size alone, and adds the fee of closing to maintenance: both
    together are what a position must not fall below.

    Args:
        steps: Of the family.
        symbol: For people.
        held: > 0 where something is held. [contracts]
        fee: Of closing. [ratio]
        contract: Its kind.

    Raises:
        Incomplete: Together they are no share.
    """
    step = next((step for step in steps if held <= step.most), steps[-1])
    found = MarginTier(
        notional_floor=FLAT,
        maintenance_rate=step.rate + fee,
        maintenance_amount=FLAT,
        max_leverage=step.max_leverage,
    )
    checked(symbol, (found,), contract=contract)
    return found


def instrument(
    row: Mapping[str, Any],
    tier: MarginTier,
    *,
    fee: Decimal,
    margin_step: Decimal,
    margin_release: MarginRelease,
    contract: Contract = Contract.LINEAR,
) -> Instrument:
    """Return the rules of a contract from its row of public/instruments.

    Raises:
        Incomplete: A field is missing.
    """
    row = {"symbol": row.get("instId"), **row}
    coins = face(row)
    return Instrument(
        symbol=unified(row),
        settle=text(row, "settleCcy"),
        price_step=positive(row, "tickSz"),
        size_step=positive(row, "lotSz") * coins,
        min_size=positive(row, "minSz") * coins,
        max_market_size=positive(row, "maxMktSz") * coins,
        min_notional=FLAT,
        margin_step=margin_step,
        taker_fee=fee,
        tiers=(tier,),
        margin_release=margin_release,
        closes_at=_closes_at(row),
        contract=contract,
    )


def _closes_at(row: Mapping[str, Any]) -> datetime | None:
    """Return when a contract ends; one that is in no state of the living has ended.

    Raises:
        Incomplete: The day or the state is there and cannot be read.
    """
    if row.get("expTime"):
        return instant(whole(row, "expTime"))
    return None if text(row, "state") in LISTED else instant(0)


def position(
    row: Mapping[str, Any], symbol: str, *, coins: Decimal, tick: Decimal, is_planned: bool
) -> Position:
    """Return a position from its row of account/positions.

    Args:
        row: The venue's.
        symbol: Unified.
        coins: In a contract. [base or quote]
        tick: Of its prices. [quote/base]
        is_planned: Whether its margin stands by itself; else it is shown as cross.

    Raises:
        Incomplete: A number is missing, or contradicts another.
    """
    row = {"symbol": symbol, **row}
    size = signed(row) * coins
    kind = text(row, "mgnMode")
    if kind not in ("isolated", "cross"):
        raise Incomplete(f"mgnMode of {symbol} must be known, was {kind!r}")
    is_isolated = kind == "isolated" and is_planned
    liquidation = number(row, "liqPx") if row.get("liqPx") else FLAT
    # The venue prints it one tick nearer to the mark than where it takes the position over.
    shown = tick if size > 0 else -tick
    return Position(
        symbol=symbol,
        size=size,
        entry_price=positive(row, "avgPx"),
        mark_price=positive(row, "markPx"),
        margin=number(row, "margin") if kind == "isolated" else FLAT,
        leverage_setting=positive(row, "lever"),
        margin_mode=MarginMode.ISOLATED if is_isolated else MarginMode.CROSS,
        venue_liquidation_price=liquidation - shown if liquidation > max(FLAT, shown) else None,
        venue_maintenance_margin=amount(row, "mmr") if row.get("mmr") else None,
    )


def signed(row: Mapping[str, Any]) -> Decimal:
    """Return the size of a position, long > 0. [contracts].

    Raises:
        Incomplete: It is missing, or its sign contradicts its leg.
    """
    size, leg = number(row, "pos"), text(row, "posSide")
    if leg not in ("net", "long", "short") or (leg != "net" and size < 0):
        raise Incomplete(f"pos of {row.get('instId')} must fit posSide {leg!r}, was {size}")
    return -size if leg == "short" else size


def stop(
    row: Mapping[str, Any], symbol: str, mode: PositionMode, *, coins: Decimal
) -> RestingStop | None:
    """Return the stop of a row of orders-algo-pending; ``None`` for any other conditional order.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    if not row.get("slTriggerPx"):
        return None  # it takes profit
    row = {"symbol": symbol, **row}
    order_side, leg = text(row, "side"), text(row, "posSide")
    if order_side not in ("buy", "sell"):
        raise Incomplete(f"side of a stop of {symbol} must be known, was {order_side!r}")
    side = Side.LONG if order_side == "sell" else Side.SHORT
    closes = bool(row.get("closeFraction"))
    if closes and number(row, "closeFraction") != 1:
        return None  # of a part nobody can tell what it will be
    if mode is PositionMode.ONE_WAY and row.get("reduceOnly") not in ("true", True):
        return None  # it would open a position
    if mode is PositionMode.HEDGE and leg != LEGS[side]:
        return None  # as above
    client_id = row.get("algoClOrdId")
    name = client_id if isinstance(client_id, str) else ""
    return RestingStop(
        key=PositionKey(symbol, side),
        stop_id=identity(row, "algoId"),
        client_id=name,
        size=None if closes else positive(row, "sz") * coins,
        stop_price=positive(row, "slTriggerPx"),
        on_mark=text(row, "slTriggerPxType") == "mark",
        is_ours=is_own_name(name),
    )


def trading_wallets(details: Any, currencies: frozenset[str]) -> tuple[Wallet, ...]:
    """Return the wallets that back positions; isolated margin is not part of ``total``.

    A currency of which nothing is there is not listed, so absence in a complete list is 0.

    Raises:
        Incomplete: The list or a number is broken.
    """
    found = {text(row, "ccy"): row for row in rows(details, "balances")}
    return tuple(
        _trading(found[currency], currency)
        if currency in found
        else Wallet(name="futures", currency=currency, total=FLAT, free=FLAT)
        for currency in sorted(currencies)
    )


def _trading(row: Mapping[str, Any], currency: str) -> Wallet:
    row = {"symbol": currency, **row}
    free = amount(row, "availBal")
    if row.get("availEq"):
        free = min(free, max(FLAT, number(row, "availEq")))
    return Wallet(name="futures", currency=currency, total=number(row, "cashBal"), free=free)


def funding_wallets(
    listed: Sequence[Mapping[str, Any]], currencies: frozenset[str]
) -> tuple[Wallet, ...]:
    """Return the wallets of the funding account; one that is not listed is empty.

    Raises:
        Incomplete: A number is broken.
    """
    found = {text(row, "ccy"): {"symbol": row["ccy"], **row} for row in listed}
    return tuple(
        Wallet(
            name="spot",
            currency=currency,
            total=amount(found[currency], "bal") if currency in found else FLAT,
            free=amount(found[currency], "availBal") if currency in found else FLAT,
        )
        for currency in sorted(currencies)
    )


def market(
    mark: Mapping[str, Any],
    index: Mapping[str, Any],
    symbol: str,
    *,
    funding: Decimal | None,
    bars: Bars,
    depth: Mapping[str, Any] | None,
    coins: Decimal,
) -> Market:
    """Return the market of a symbol from mark, index, bars and book.

    Raises:
        Incomplete: A number is missing.
    """
    mark, index = {"symbol": symbol, **mark}, {"symbol": symbol, **index}
    return Market(
        symbol=symbol,
        mark_price=positive(mark, "markPx"),
        index_price=positive(index, "idxPx"),
        mark_at=instant(whole(mark, "ts")),
        funding_rate=funding,
        bars=bars,
        bids=levels(depth, "bids", symbol, unit=coins),
        asks=levels(depth, "asks", symbol, unit=coins),
    )


def candles(answer: Any, symbol: str) -> tuple[Candle, ...]:
    """Return the rows of mark-price-candles in the venue's order, each with its date.

    Raises:
        Incomplete: A row is broken.
    """
    return candles_of(lines(answer, f"candles of {symbol}"), symbol)


def bars(found: Sequence[Candle], *, seconds: int) -> Bars:
    """Return the newest bars that follow each other without a gap.

    Args:
        found: Completed, time ascending.
        seconds: Length of one. [s]
    """
    width, first = timedelta(seconds=seconds), len(found) - 1
    while first > 0 and found[first].opened_at - found[first - 1].opened_at == width:
        first -= 1
    return bars_of(found[max(0, first) :], seconds=seconds)
