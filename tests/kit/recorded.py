"""Positions that venues returned or printed, judged by our rule for that venue, mode and day.

A row holds the venue's own words (``raw``) and numbers taken from them (``norm``). Nothing here is
fitted to a row: what a rule needs and a row lacks is named, and the row counts as not verifiable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

from bot.domain.instrument import Contract, MarginTier
from bot.margin import backing, by_rule, legs
from bot.margin.by_rule import Terms, flat
from bot.margin.rules import Backing, Brackets, Finish, Mode, NoRule, Rule
from bot.margin.venues import rule_for
from tests.kit.builders import tiers

Row = Mapping[str, Any]
BASIS_POINT = D("0.0001")
UNBOUND = D(1)
"""For a rule that nothing was compared with so far: a first record must show that it is right."""
OLD, NEW = date(2023, 3, 1), date(2026, 11, 1)
CONTRADICTED = {
    "kucoin-eg-2": "the page prints 47,956, its own formula with its own numbers gives 48,243.01"
}
"""Rows that disagree with themselves."""


class Lacking(LookupError):  # noqa: N818 - named by what the row is
    """A number that the rule needs is not in the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a row.

    Attributes:
        id: Of the row.
        venue: Of the row.
        rule: Key of the rule; empty where none is known.
        ours: As the venue would show it; ``None`` where it cannot be computed. [quote/base]
        theirs: ``None`` where the venue gave none. [quote/base]
        error: ``abs(ours - theirs) / theirs``. [bp]
        bound: What the rule promises. [bp]
        lacking: Why it cannot be judged; empty where it was.
    """

    id: str
    venue: str
    rule: str = ""
    ours: D | None = None
    theirs: D | None = None
    error: D | None = None
    bound: D | None = None
    lacking: str = ""


def judge(row: Row) -> Judged:
    """Return what our rule says of a row."""
    name, venue, norm = row["id"], row["venue"], row["norm"]
    try:
        rule = _rule(row)
    except NoRule as error:
        return Judged(id=name, venue=venue, lacking=str(error))
    if name in CONTRADICTED:
        return Judged(id=name, venue=venue, rule=rule.key, lacking=CONTRADICTED[name])
    try:
        theirs = _number(norm, "liq", "the venue returned no price")
        ours = _ours(rule, row)
    except Lacking as error:
        return Judged(id=name, venue=venue, rule=rule.key, lacking=str(error))
    return Judged(
        id=name,
        venue=venue,
        rule=rule.key,
        ours=ours,
        theirs=theirs,
        error=abs(ours - theirs) / theirs / BASIS_POINT,
        bound=_bound(rule, row, theirs),
    )


def _rule(row: Row) -> Rule:
    venue, kind, norm = row["venue"], row["kind"].lower(), row["norm"]
    inverse = "inverse" in kind or ("linear" not in kind and "csize" in norm)
    return rule_for(
        venue=venue,
        mode=_mode(venue, kind),
        contract=Contract.INVERSE if inverse else Contract.LINEAR,
        day=_day(row, kind),
    )


def _mode(venue: str, kind: str) -> Mode:
    if venue in {"deribit", "dydx", "krakenfutures"}:
        return Mode.CROSS  # what they call isolated is an account of its own
    if "spot" in kind:
        return Mode.SPOT
    if "multi-asset" in kind:
        return Mode.MULTI_ASSET
    if "cross" in kind and "hedge" in kind:
        return Mode.HEDGE if venue == "binance" else Mode.CROSS
    return Mode.CROSS if "cross" in kind else Mode.ISOLATED


def _day(row: Row, kind: str) -> date:
    """Return when the rule of a row was in force: from its own time, else from its own words."""
    venue, norm, raw = row["venue"], row["norm"], row["raw"]
    for field in ("currentTimestamp", "updatedTime", "updateTime", "uTime", "cTime", "time"):
        if str(raw.get(field, "")).isdigit() and len(str(raw[field])) == 13:
            return datetime.fromtimestamp(int(raw[field]) / 1000, tz=UTC).date()
    if venue == "hyperliquid":
        return OLD if "2023" in kind else NEW
    if venue == "kucoin":
        # Only the old formula takes the venue's own figure of maintenance.
        return OLD if "maint" in norm or "old formula" in kind else NEW
    if venue == "bybit":
        # The text of 2026 is not in any page or row so far.
        return NEW if "2026" in kind else OLD
    return NEW


def _number(norm: Row, name: str, words: str = "") -> D:
    if norm.get(name) is None:
        raise Lacking(words or f"{name} is missing")
    return D(norm[name])


def _ours(rule: Rule, row: Row) -> D:
    norm = row["norm"]
    if rule.backing is Backing.LIABILITY:
        is_long = int(norm.get("side", -1)) > 0
        book = by_rule.spot(
            assets=_number(norm, "assets"),
            owed=_number(norm, "liab"),
            is_long=is_long,
            rate=_number(norm, "mmr"),
            fee=_number(norm, "fee"),
        )
        return _told(legs.liquidation_price(book))
    size = int(norm["side"]) * _quantity(norm)
    price = _told(
        by_rule.liquidation_price(
            rule,
            Terms(
                size=size,
                entry_price=_entry(rule, norm),
                margin=_margin(rule, row, size),
                tiers=_tiers(rule, norm),
                mark_price=_reference(norm),
                closing_fee=_optional(norm, "fee"),
                maintenance=_optional(norm, "maint"),
            ),
            estimate=rule.brackets is Brackets.RATIO,
        )
    )
    tick = _optional(norm, "tick")
    return price if tick is None else by_rule.finished(rule, price, size=size, tick=tick)


def _told(price: D | None) -> D:
    if price is None:
        raise Lacking("no price liquidates by our rule")
    return price


def _quantity(norm: Row) -> D:
    if norm.get("contracts") is not None:
        return _number(norm, "contracts") * _number(norm, "csize")
    return _number(norm, "qty")


def _optional(norm: Row, name: str) -> D | None:
    return None if norm.get(name) is None else D(norm[name])


def _reference(norm: Row) -> D | None:
    """Return mark; a worked example without one speaks of the entry price."""
    return _optional(norm, "mark") or _optional(norm, "entry")


def _entry(rule: Rule, norm: Row) -> D:
    if rule.backing is Backing.EQUITY:
        return _told(_reference(norm))
    return _number(norm, "entry")


def _tiers(rule: Rule, norm: Row) -> tuple[MarginTier, ...]:
    if rule.key == "HL-23":
        return flat(D("0.01"))
    if rule.venue == "hyperliquid":
        return flat(1 / (2 * _number(norm, "maxlev")))
    if norm.get("maint") is not None:
        return ()
    return tiers(("0", str(_number(norm, "mmr")), str(norm.get("cum", 0))))


def _margin(rule: Rule, row: Row, size: D) -> D:
    norm = row["norm"]
    source: Callable[[], D] = {
        "binance": lambda: _of_binance(row),
        "bybit": lambda: _of_bybit(rule, norm, size),
        "hyperliquid": lambda: _of_hyperliquid(rule, row, size),
        "kucoin": lambda: _of_kucoin(rule, norm, size),
        "dydx": lambda: _number(norm, "equity"),
        "deribit": lambda: _number(norm, "equity"),
        "krakenfutures": lambda: _number(norm, "wallet", "margin equity is missing"),
    }.get(rule.venue, lambda: _isolated(rule, norm))
    return source()


def _isolated(rule: Rule, norm: Row) -> D:
    if rule.mode is Mode.ISOLATED:
        return _number(norm, "margin")
    return _number(norm, "wallet", "account equity is missing")


def _of_binance(row: Row) -> D:
    norm, raw = row["norm"], row["raw"]
    if D(raw.get("isolatedMargin") or 0) != 0 and norm.get("wallet") is not None:
        # What the venue itself sent: equity of the position less its own profit.
        return D(raw["isolatedMargin"]) - D(raw["unRealizedProfit"])
    return backing.beside_others(
        wallet=_number(norm, "wallet", "wallet balance is missing"),
        maintenance=_optional(norm, "tmm") or D(0),
        unrealized_pnl=_optional(norm, "upnl") or D(0),
    )


def _of_bybit(rule: Rule, norm: Row, size: D) -> D:
    if rule.mode is not Mode.ISOLATED:
        return _number(norm, "equity", "account equity is missing")
    return backing.from_setting(
        contract=rule.contract,
        size=size,
        entry_price=_number(norm, "entry"),
        leverage_setting=_number(norm, "lev"),
        extra=_optional(norm, "extra") or D(0),
        taker_fee=_optional(norm, "fee") or D(0),
    )


def _of_hyperliquid(rule: Rule, row: Row, size: D) -> D:
    norm = row["norm"]
    if rule.mode is Mode.ISOLATED:
        if norm.get("rawusd") is None:
            return _number(norm, "collateral")
        return backing.from_raw(
            size=size, entry_price=_number(norm, "entry"), raw=_number(norm, "rawusd")
        )
    # What the account has above all maintenance, plus this position's own.
    rate = _tiers(rule, norm)[0].maintenance_rate
    return _available(row) + abs(size) * _number(norm, "mark") * rate


def _available(row: Row) -> D:
    norm, raw = row["norm"], row["raw"]
    if norm.get("avail") is not None:
        return D(norm["avail"])
    summary = raw.get("crossMarginSummary") or raw.get("marginSummary")
    if summary is None or raw.get("crossMaintenanceMarginUsed") is None:
        raise Lacking("account value and maintenance are missing")
    return D(summary["accountValue"]) - D(raw["crossMaintenanceMarginUsed"])


def _of_kucoin(rule: Rule, norm: Row, size: D) -> D:
    if rule.mode is Mode.ISOLATED:
        return _number(norm, "margin")
    return backing.from_account_rate(
        size=size, mark_price=_number(norm, "mark"), rate=_number(norm, "amr")
    )


def _bound(rule: Rule, row: Row, theirs: D) -> D:
    """Return what the rule promises, and the tick where it is not known how it is rounded."""
    bound = UNBOUND if rule.bound is None else rule.bound
    tick = _optional(row["norm"], "tick")
    if tick is None:
        return bound
    ticks = {Finish.PLUS_TICK: 0 if int(row["norm"]["side"]) > 0 else 2, Finish.NEAREST_TICK: 1}
    return max(bound, ticks.get(rule.finish, 0) * tick / theirs / BASIS_POINT)
