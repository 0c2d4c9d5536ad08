"""What do Binance's rows mean?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.domain.account import Wallet
from bot.domain.instrument import Contract, Instrument, MarginRelease, MarginTier, contract_of
from bot.domain.market import Bars, Candle, Market
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode, Side
from bot.domain.stop import RestingStop, is_own_name
from bot.errors import Incomplete
from bot.exchanges.binance.family import COIN
from bot.exchanges.candles import candle_rows, candles_of, completed
from bot.exchanges.depth import levels
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

FLAT = Decimal(0)
STOPS = ("STOP_MARKET", "STOP")
TAKER_FEE = Decimal("0.0005")
"""Of the lowest fee tier; an upper bound on the cost shown, never part of a margin formula.
[ratio]"""
ROUNDED = Decimal("0.00000002")
"""What two rounded numbers differ by from the exact ones. [settle]"""
NEVER_MS = 4_102_444_800_000
"""2100-01-01: a perpetual's delivery is put beyond it. [ms]"""
MODES = {
    "ISOLATED": MarginMode.ISOLATED, "isolated": MarginMode.ISOLATED,
    "CROSSED": MarginMode.CROSS, "cross": MarginMode.CROSS,
}  # fmt: skip
"""Words for margin modes, of both hosts."""
LISTED = frozenset({"TRADING", "PENDING_TRADING"})
"""States of a contract that has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one symbol at the venue.

    Attributes:
        mode: Isolated or cross.
        leverage: The setting. [x]
        adds_margin: Whether the venue adds margin by itself.
    """

    mode: MarginMode
    leverage: Decimal
    adds_margin: bool = False


def unified(row: Mapping[str, Any]) -> str:
    """Return the unified name of a perpetual in exchangeInfo."""
    base, quote, settle = (text(row, key) for key in ("baseAsset", "quoteAsset", "marginAsset"))
    return f"{base}/{quote}:{settle}"


def instrument(
    row: Mapping[str, Any],
    tiers: tuple[MarginTier, ...],
    *,
    margin_step: Decimal,
    margin_release: MarginRelease,
) -> Instrument:
    """Return the rules of a contract from its row of exchangeInfo.

    Raises:
        Incomplete: A filter or a number is missing.
    """
    symbol = unified(row)
    is_inverse = contract_of(symbol) is Contract.INVERSE
    names = ["PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE"]
    filters = {text(f, "filterType"): f for f in rows(row.get("filters"), "filters")}
    found = {
        name: {"symbol": row.get("symbol"), **table(filters.get(name), f"filter {name}")}
        for name in (names if is_inverse else [*names, "MIN_NOTIONAL"])
    }
    lot = positive(found["LOT_SIZE"], "stepSize")
    if is_inverse and lot != 1:
        raise Incomplete(f"stepSize of {row.get('symbol')} must be one contract, was {lot}")
    unit = positive(row, "contractSize") if is_inverse else COIN
    return Instrument(
        symbol=symbol,
        settle=text(row, "marginAsset"),
        price_step=positive(found["PRICE_FILTER"], "tickSize"),
        size_step=lot * unit,
        min_size=positive(found["LOT_SIZE"], "minQty") * unit,
        max_market_size=positive(found["MARKET_LOT_SIZE"], "maxQty") * unit,
        min_notional=FLAT if is_inverse else amount(found["MIN_NOTIONAL"], "notional"),
        margin_step=margin_step,
        taker_fee=TAKER_FEE,
        tiers=tiers,
        margin_release=margin_release,
        closes_at=_closes_at(row, "contractStatus" if is_inverse else "status"),
        contract=Contract.INVERSE if is_inverse else Contract.LINEAR,
    )


def _closes_at(row: Mapping[str, Any], status: str) -> datetime | None:
    """Return when a contract ends: the venue gives every perpetual a day, far off until it is real.

    A day that is missing is no end; a contract that does not trade any more has ended.

    Raises:
        Incomplete: The day or the status is there and cannot be read.
    """
    ends_ms = whole(row, "deliveryDate") if "deliveryDate" in row else NEVER_MS
    if 0 < ends_ms < NEVER_MS:
        return instant(ends_ms)
    is_listed = status not in row or text(row, status) in LISTED
    return None if is_listed else instant(0)


def tiers(row: Mapping[str, Any]) -> tuple[MarginTier, ...]:
    """Return the maintenance table of a row of leverageBracket.

    Raises:
        Incomplete: It is not one that the formulae may rely on, or the account has a factor of
            its own on it, whose meaning is not documented.
    """
    return _tiers(row, "notionalFloor", Contract.LINEAR)


def coin_tiers(row: Mapping[str, Any]) -> tuple[MarginTier, ...]:
    """Return the maintenance table of a row of v2/leverageBracket of COIN-M, which is in coins.

    Raises:
        Incomplete: As `tiers`.
    """
    return _tiers(row, "qtyFloor", Contract.INVERSE)


def _tiers(row: Mapping[str, Any], floor: str, contract: Contract) -> tuple[MarginTier, ...]:
    symbol = text(row, "symbol")
    if "notionalCoef" in row and number(row, "notionalCoef") != 1:
        raise Incomplete(f"notionalCoef of {symbol} must be 1, was {row['notionalCoef']}")
    brackets = [{"symbol": symbol, **bracket} for bracket in rows(row.get("brackets"), "brackets")]
    brackets.sort(key=lambda bracket: number(bracket, floor))
    found = tuple(
        MarginTier(
            notional_floor=amount(bracket, floor),
            maintenance_rate=positive(bracket, "maintMarginRatio"),
            maintenance_amount=amount(bracket, "cum"),
            max_leverage=positive(bracket, "initialLeverage"),
        )
        for bracket in brackets
    )
    return checked(symbol, found, contract=contract)


def position(row: Mapping[str, Any], symbol: str, config: Config) -> Position:
    """Return a position from its row of v3/positionRisk.

    Raises:
        Incomplete: A number is missing, or contradicts another.
    """
    return _position(
        row, symbol, config, size=number(row, "positionAmt"), margin=number(row, "isolatedWallet")
    )


def coin_position(row: Mapping[str, Any], symbol: str, unit: Decimal) -> Position:
    """Return a position from its row of positionRisk of COIN-M, beside its account's maintenance.

    What is behind it without its result is documented as the difference of two rounded numbers; an
    exact one beside them must be the same.

    Args:
        row: With ``maintMargin`` from the account.
        symbol: Unified.
        unit: Value of a contract. [quote]

    Raises:
        Incomplete: A number or a setting is missing, or contradicts another.
    """
    settings = config(row)
    margin = number(row, "isolatedMargin") - number(row, "unRealizedProfit")
    if settings.mode is MarginMode.ISOLATED and "isolatedWallet" in row:
        exact = number(row, "isolatedWallet")
        if abs(exact - margin) > ROUNDED:
            raise Incomplete(f"isolatedWallet of {symbol} must be {margin}, was {exact}")
        margin = exact
    return _position(
        row,
        symbol,
        settings,
        size=number(row, "positionAmt") * unit,
        margin=margin if settings.mode is MarginMode.ISOLATED else FLAT,
    )


def _position(
    row: Mapping[str, Any], symbol: str, config: Config, *, size: Decimal, margin: Decimal
) -> Position:
    side = row.get("positionSide")
    if (side == "SHORT" and size > 0) or (side == "LONG" and size < 0):
        raise Incomplete(f"positionAmt of {symbol} must fit positionSide {side}, was {size}")
    liquidation = number(row, "liquidationPrice")
    return Position(
        symbol=symbol,
        size=size,
        entry_price=positive(row, "entryPrice"),
        mark_price=positive(row, "markPrice"),
        margin=margin,
        leverage_setting=config.leverage,
        margin_mode=config.mode,
        venue_liquidation_price=liquidation if liquidation > 0 else None,
        venue_maintenance_margin=amount(row, "maintMargin"),
        venue_adds_margin=config.adds_margin,
    )


def stop(
    row: Mapping[str, Any], symbol: str, mode: PositionMode, *, unit: Decimal = COIN
) -> RestingStop | None:
    """Return the stop of a row of openAlgoOrders; ``None`` for any other conditional order.

    Args:
        row: As listed.
        symbol: Unified.
        mode: Of the account.
        unit: What one of what the wire counts is. [base or quote]

    Raises:
        Incomplete: A field is missing or unknown.
    """
    if text(row, "orderType") not in STOPS:
        return None
    closes = row.get("closePosition") is True
    order_side, leg = text(row, "side"), text(row, "positionSide")
    if order_side not in ("BUY", "SELL"):
        raise Incomplete(f"side of a stop of {symbol} must be known, was {order_side!r}")
    side = Side.LONG if order_side == "SELL" else Side.SHORT
    if mode is PositionMode.ONE_WAY and not (closes or row.get("reduceOnly") is True):
        return None  # it would open a position
    if mode is PositionMode.HEDGE and leg != ("LONG" if side is Side.LONG else "SHORT"):
        return None  # as above
    client_id = row.get("clientAlgoId")
    name = client_id if isinstance(client_id, str) else ""
    return RestingStop(
        key=PositionKey(symbol, side),
        stop_id=identity(row, "algoId"),
        client_id=name,
        size=None if closes else positive(row, "quantity") * unit,
        stop_price=positive(row, "triggerPrice"),
        on_mark=text(row, "workingType") == "MARK_PRICE",
        is_ours=is_own_name(name),
    )


def config(row: Mapping[str, Any]) -> Config:
    """Return the settings of a row of symbolConfig, or of a position of COIN-M.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    kind = text(row, "marginType")
    if kind not in MODES:
        raise Incomplete(f"marginType of {row.get('symbol')} must be known, was {kind!r}")
    return Config(
        mode=MODES[kind],
        leverage=positive(row, "leverage"),
        adds_margin=row.get("isAutoAddMargin") in (True, "true"),
    )


def futures_wallets(account: Mapping[str, Any]) -> tuple[Wallet, ...]:
    """Return the futures wallets of an account; isolated margin is not part of ``total``.

    Raises:
        Incomplete: A number is missing.
    """
    return tuple(
        Wallet(
            name="futures",
            currency=text(row, "asset"),
            total=number(row, "crossWalletBalance"),
            free=amount(row, "availableBalance"),
        )
        for row in rows(account.get("assets"), "assets")
    )


def spot_wallets(answer: Any, currencies: frozenset[str]) -> tuple[Wallet, ...]:
    """Return the spot wallets of currencies; one that is not listed is empty.

    The venue lists only what is above 0, so absence in a complete list is 0.

    Raises:
        Incomplete: The list or a number is broken.
    """
    free = {text(row, "asset"): row for row in rows(answer, "spot wallet")}
    return tuple(
        Wallet(
            name="spot",
            currency=currency,
            total=amount(free[currency], "free") + amount(free[currency], "locked")
            if currency in free
            else FLAT,
            free=amount(free[currency], "free") if currency in free else FLAT,
        )
        for currency in sorted(currencies)
    )


def market(
    row: Mapping[str, Any],
    symbol: str,
    *,
    bars: Bars,
    depth: Mapping[str, Any] | None,
    unit: Decimal = COIN,
) -> Market:
    """Return the market of a symbol from premiumIndex, bars and book.

    Args:
        row: Of premiumIndex.
        symbol: Unified.
        bars: Completed.
        depth: The book; ``None`` where it was not read.
        unit: What one of what the wire counts is. [base or quote]

    Raises:
        Incomplete: A number is missing.
    """
    return Market(
        symbol=symbol,
        mark_price=positive(row, "markPrice"),
        index_price=positive(row, "indexPrice"),
        mark_at=instant(whole(row, "time")),
        funding_rate=number(row, "lastFundingRate") if row.get("lastFundingRate") else None,
        bars=bars,
        bids=levels(depth, "bids", symbol, unit=unit),
        asks=levels(depth, "asks", symbol, unit=unit),
    )


def bars(answer: Any, symbol: str, *, seconds: int, now_ms: int) -> Bars:
    """Return the completed bars of klines.

    Raises:
        Incomplete: A row is broken.
    """
    return completed(candles(answer, symbol), seconds=seconds, now_ms=now_ms)


def candles(answer: Any, symbol: str) -> tuple[Candle, ...]:
    """Return the rows of klines, each with its date.

    Raises:
        Incomplete: A row is broken.
    """
    return candles_of(candle_rows(answer, symbol), symbol)
