"""What does it cost to keep a position alive by a rule, and how often is it lost?

One isolated linear position of constant notional 1 is replayed over hourly bars: at each close a
rule may move margin, then the next bar comes. It is liquidated when its equity at the adverse
extreme of a bar is no more than maintenance margin there, judged with the margin held when the bar
began, and opened anew at the next close. All margins are per unit of notional, so every figure is
too. A resize that holds the notional constant is free: it is the same under every rule.

Bars of one position are steps, shape (m,); rules are columns, shape (p,); days are rows, (d,).

What it leaves out is told in docs/leverage/score.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.leverage.arrays import Booleans, Floats
from bot.leverage.history import History
from bot.leverage.tolerance import HOURS_PER_YEAR

BASIS_POINTS = 1e4
FULL = 1.0
"""Margin per notional beyond which an exchange adds nothing by itself: leverage 1. [ratio]"""
PEAK, TROUGH = 0.99, 0.01
"""Quantiles over days that procyclicality compares. [ratio]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What is charged.

    Attributes:
        rho: What margin could earn elsewhere, > 0. [1/year]
        maintenance: Maintenance rate, in (0, 1). [ratio]
        liquidation_fee: Beside maintenance margin, of the notional that was liquidated. [ratio]
        taker_fee: Of opening anew. [ratio]
        slippage: Of opening anew. [ratio]
        move: Of one move of margin, of the notional. [ratio]
    """

    rho: float
    maintenance: float
    liquidation_fee: float
    taker_fee: float
    slippage: float
    move: float

    def __post_init__(self) -> None:
        """Refuse what charges nothing for margin or is no rate.

        Raises:
            ValueError: Naming the fields.
        """
        rates = (self.liquidation_fee, self.taker_fee, self.slippage, self.move)
        if not (self.rho > 0 and 0 < self.maintenance < 1 and all(0 <= x < 1 for x in rates)):
            raise ValueError(f"rho must be > 0, maintenance in (0, 1), others in [0, 1): {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """What a position of a side meets, step by step, per unit of its notional at the step's start.

    Attributes:
        day: Of each step, not falling, shape (m,). [days since 1970-01-01 UTC]
        adverse: Result at the adverse extreme of the bar, shape (m,). [ratio]
        extreme: Adverse extreme over the close before, shape (m,). [ratio]
        final: Result at the close of the bar, shape (m,). [ratio]
    """

    day: npt.NDArray[np.int64]
    adverse: Floats
    extreme: Floats
    final: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """What one rule wants at the close each step begins with, per unit of notional.

    Attributes:
        name: Of the family.
        parameter: Tells members of a family apart.
        low: Less margin than this is brought to the aim, shape (m,). [ratio]
        aim: > 0, shape (m,). [ratio]
        high: More than this is brought to the aim, shape (m,). [ratio]
        speed: Share of the way, in leverage, that one move goes, in (0, 1]; below 1 it ends inside
            ``low`` and ``high``. [ratio]
        every: After so many steps without a move there is one inside the band; 0 is never. [h]
        chunk: What the exchange adds by itself, within a bar, each time equity is about to reach
            maintenance margin; 0 where it adds nothing. [ratio]
        ahead: How much "about to" is, over maintenance margin. [ratio]
    """

    name: str
    parameter: float
    low: Floats
    aim: Floats
    high: Floats
    speed: float = 1.0
    every: int = 0
    chunk: float = 0.0
    ahead: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ledger:
    """What happened on each day under each rule, summed over positions.

    Attributes:
        day: Ascending, shape (d,). [days since 1970-01-01 UTC]
        hours: Steps of it, shape (d,). [h]
        margin: Margin held times time, shape (d, p). [h]
        moves: Shape (d, p).
        turnover: Margin moved, shape (d, p). [ratio]
        liquidations: Shape (d, p).
        reopened: Positions opened anew, shape (d, p).
    """

    day: npt.NDArray[np.int64]
    hours: Floats
    margin: Floats
    moves: Floats
    turnover: Floats
    liquidations: Floats
    reopened: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """The score of each rule, shape (p,), and its parts.

    Attributes:
        total: J, the sum of the five parts. [bps of notional per year]
        idle: Margin that earns nothing. [bps/year]
        fees: Of opening anew. [bps/year]
        slippage: Of opening anew. [bps/year]
        transfers: Moves of margin. [bps/year]
        lost: Liquidations. [bps/year]
        rate: Liquidations. [1/year]
        count: Liquidations.
        margin: Mean margin per notional. [ratio]
        worst: Cost of the worst day, mean over positions. [bps]
        moves: [1/year]
        turnover: Margin moved per notional. [1/year]
        swing: 99 % over 1 % quantile, over days, of the mean margin of a day. [ratio]
    """

    total: Floats
    idle: Floats
    fees: Floats
    slippage: Floats
    transfers: Floats
    lost: Floats
    rate: Floats
    count: Floats
    margin: Floats
    worst: Floats
    moves: Floats
    turnover: Floats
    swing: Floats


def path(history: History, rows: npt.NDArray[np.int64], side: int) -> Path:
    """Return what a position met from the close of each row to that of the next bar.

    Args:
        history: Hourly bars.
        rows: Ascending, shape (m,); each with its bar and the next one present.
        side: 1 long, -1 short.

    Raises:
        ValueError: If a bar is missing.
    """
    close = history.close[rows]
    extreme = (history.low if side > 0 else history.high)[rows + 1] / close
    final = side * (history.close[rows + 1] / close - 1.0)
    if not np.isfinite(extreme + final).all():
        raise ValueError("each row must have its bar and the next one")
    return Path(
        day=(history.start + 1 + rows) // 24,
        adverse=side * (extreme - 1.0),
        extreme=extreme,
        final=final,
    )


def replay(way: Path, rules: Sequence[Rule], costs: Costs) -> Ledger:
    """Return what happened to one position under each of several rules.

    Every position is opened at its aim, free of charge. Several rules at once cost little more
    than one: about 30 microseconds a step for a hundred of them.

    Args:
        way: m >= 1 steps.
        rules: At least one, with m steps each.
        costs: Of these, only the maintenance rate bears on what happens.

    Raises:
        ValueError: If a rule has another number of steps or an aim that is not > 0 and finite.
    """
    low, aim, high = (
        np.stack([getattr(one, name) for one in rules], axis=1) for name in ("low", "aim", "high")
    )
    if low.shape[0] != way.final.size or not ((aim > 0) & np.isfinite(aim)).all():
        raise ValueError(f"rules must have {way.final.size} steps and finite aims > 0")
    speed, every, chunk, ahead = (
        np.array([float(getattr(one, name)) for one in rules])
        for name in ("speed", "every", "chunk", "ahead")
    )
    every = np.where(every > 0, every, np.inf)
    is_slow, is_added = bool((speed < 1).any()), bool((chunk > 0).any())
    held, moved = np.empty_like(aim), np.zeros_like(aim)
    lost = np.zeros(aim.shape, dtype=np.bool_)
    opened = np.zeros(aim.shape, dtype=np.bool_)
    margin, rested = aim[0].copy(), np.zeros(len(rules))
    is_closed = np.zeros(len(rules), dtype=np.bool_)
    for step in range(way.final.size):
        if is_closed.any():
            opened[step] = is_closed
            margin = np.where(is_closed, aim[step], margin)
        is_due = (margin < low[step]) | (margin > high[step]) | (rested >= every)
        rested += 1
        if is_due.any():
            to = _slowly(margin, low[step], aim[step], high[step], speed) if is_slow else aim[step]
            moved[step] = np.where(is_due, to - margin, 0.0)
            margin = np.where(is_due, to, margin)
            rested[is_due] = 1
        held[step] = margin
        worst, needed = margin + way.adverse[step], costs.maintenance * way.extreme[step]
        if is_added:
            added = _added(margin, needed * (1 + ahead) - worst, chunk)
            moved[step] += added
            margin, worst = margin + added, worst + added
        is_closed = worst <= needed
        lost[step] = is_closed
        margin = margin + way.final[step]
    return _summed(way.day, held=held, moved=moved, lost=lost, opened=opened)


def _slowly(margin: Floats, low: Floats, aim: Floats, high: Floats, speed: Floats) -> Floats:
    """Return where a move ends that goes part of its way in leverage, and stays in the band."""
    now = 1 / margin  # who has survived a bar has margin left
    with np.errstate(divide="ignore"):  # without an edge any leverage is inside
        most, least = 1 / np.maximum(low, 0.0), 1 / high
    step = np.where(speed < 1, now, 0.0) * (1 - speed) + speed / aim
    return np.where(speed < 1, 1 / np.clip(step, least, most), aim)


def _added(margin: Floats, short: Floats, chunk: Floats) -> Floats:
    """Return what the exchange adds: whole chunks until nothing is short, up to leverage 1."""
    with np.errstate(divide="ignore", invalid="ignore"):  # without a chunk nothing is added
        wanted = np.where((chunk > 0) & (short >= 0), (np.floor(short / chunk) + 1) * chunk, 0.0)
    found: Floats = np.minimum(wanted, np.maximum(FULL - margin, 0.0))
    return found


def _summed(
    day: npt.NDArray[np.int64], *, held: Floats, moved: Floats, lost: Booleans, opened: Booleans
) -> Ledger:
    days, first = np.unique(day, return_index=True)
    size = np.abs(moved)
    return Ledger(
        day=days,
        hours=np.diff([*first, day.size]).astype(np.float64),
        margin=np.add.reduceat(held, first, axis=0),
        moves=np.add.reduceat((size > 0).astype(np.float64), first, axis=0),
        turnover=np.add.reduceat(size, first, axis=0),
        liquidations=np.add.reduceat(lost.astype(np.float64), first, axis=0),
        reopened=np.add.reduceat(opened.astype(np.float64), first, axis=0),
    )


def together(many: Sequence[Ledger]) -> Ledger:
    """Return the ledger of several positions under the same rules.

    Args:
        many: At least one.
    """
    days = np.unique(np.concatenate([one.day for one in many]))
    columns = many[0].margin.shape[1]
    sums = {
        name: np.zeros((days.size, columns))
        for name in ("margin", "moves", "turnover", "liquidations", "reopened")
    }
    hours = np.zeros(days.size)
    for one in many:
        at = np.searchsorted(days, one.day)
        hours[at] += one.hours
        for name, total in sums.items():
            total[at] += getattr(one, name)
    return Ledger(day=days, hours=hours, **sums)


def parts(ledger: Ledger, costs: Costs) -> dict[str, Floats]:
    """Return what was charged on each day for what, by field of `Figures`, (d, p). [bps]."""
    return {
        "idle": ledger.margin * (BASIS_POINTS * costs.rho / HOURS_PER_YEAR),
        "fees": ledger.reopened * (BASIS_POINTS * costs.taker_fee),
        "slippage": ledger.reopened * (BASIS_POINTS * costs.slippage),
        "transfers": ledger.moves * (BASIS_POINTS * costs.move),
        "lost": ledger.liquidations * (BASIS_POINTS * (costs.maintenance + costs.liquidation_fee)),
    }


def charged(ledger: Ledger, costs: Costs) -> Floats:
    """Return what was charged on each day, summed over positions, shape (d, p). [bps]."""
    return sum(parts(ledger, costs).values(), np.zeros_like(ledger.margin))


def figures(ledger: Ledger, costs: Costs) -> Figures:
    """Return the score of each rule of a ledger."""
    years = float(ledger.hours.sum()) / HOURS_PER_YEAR
    by_day = charged(ledger, costs)
    daily = ledger.margin / ledger.hours[:, None]
    peak, trough = np.quantile(daily, (PEAK, TROUGH), axis=0)
    return Figures(
        total=by_day.sum(axis=0) / years,
        **{name: one.sum(axis=0) / years for name, one in parts(ledger, costs).items()},
        rate=ledger.liquidations.sum(axis=0) / years,
        count=ledger.liquidations.sum(axis=0),
        margin=ledger.margin.sum(axis=0) / ledger.hours.sum(),
        worst=(by_day * (24.0 / ledger.hours[:, None])).max(axis=0),
        moves=ledger.moves.sum(axis=0) / years,
        turnover=ledger.turnover.sum(axis=0) / years,
        swing=peak / trough,
    )


def skill(total: float, *, static: float, oracle: float) -> float:
    """Return how much of what knowing the future would save a rule does save. [ratio].

    Args:
        total: J of the rule. [bps/year]
        static: J of the best static leverage. [bps/year]
        oracle: J of the rule that knows the next day. [bps/year]

    Raises:
        ValueError: If the oracle saves nothing.
    """
    if not oracle < static:
        raise ValueError(f"the oracle must cost less than static, were {oracle} and {static}")
    return (static - total) / (static - oracle)
