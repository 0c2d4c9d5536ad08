"""Which leverage policy keeps positions alive at least cost, on recorded hourly marks?"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.scoring import policies, score, walked
from bench.scoring.equal_count import saving
from bench.scoring.policies import Ends, Geometry
from bench.scoring.resampled import cost_gap
from bench.scoring.score import Costs, Figures, Ledger, Rule
from bot.calibrate import MARKS, read
from bot.domain.position import Side
from bot.leverage import distance, har, tail
from bot.leverage.arrays import Floats
from bot.leverage.history import History
from bot.leverage.tolerance import HOURS_PER_YEAR, window_tolerance
from strategies.hazard import DAYS
from strategies.hazard import Settings as Hazard
from strategies.volatility_target import Settings as Volatility

DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))
COSTS = Costs(
    rho=0.10,  # section 12 of the specification, as are the move and the loss of 2.1 %
    maintenance=0.02,
    liquidation_fee=0.001,
    taker_fee=0.0005,  # of a USD-margined perpetual without discount
    slippage=0.0005,  # a guess: rare beside the rest
    move=0.2e-4,
)
SPLIT_AT = datetime(2023, 7, 1, tzinfo=UTC)
SPLIT = int(SPLIT_AT.timestamp()) // 86_400
"""What lies before chooses parameters, the rest judges them. [days since 1970-01-01 UTC]"""
HOURS = 1
"""A replay by the hour reacts within an hour. [h]"""
HAZARDS = (0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
MULTIPLES = (2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0, 20.0)
LEVERAGES = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0)
STATIC = (2.0, 3.0, 5.0, 10.0)
CORES = {
    "core": (True, True, False),
    "core without mixture": (True, False, False),
    "core without floor": (False, True, False),
    "core without both": (False, False, False),
    "core by cost": (True, True, True),
    "core by cost without mixture": (True, False, True),
}
"""With the floor of the forecast, with the mixture of the tail, spread by the cost of a move."""
RIVALS = ("leverage band", "volatility target", "flexible leverage")
RATES = (0.25, 0.5, 1.0, 2.0)
"""Liquidations a year at which margins are compared."""
SEED = 20260101


class Walk:
    """Forecasts and tails of all coins, each from what came before."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        self.histories = histories
        self.walks = {coin: har.walk(one, HOURS) for coin, one in histories.items()}
        self.held = {coin: walked.held_up(walk.sigma) for coin, walk in self.walks.items()}
        self.smoothed = {coin: walked.smoothed(one.close) for coin, one in histories.items()}
        samples = {
            coin: tail.windows(one, self.walks[coin].sigma, HOURS)
            for coin, one in histories.items()
        }
        hours = walked.refits(histories)
        self.quantiles = {
            side: self._quantiles(walked.tails(samples, side, hours)) for side in Side
        }

    @staticmethod
    def _quantiles(tails: Mapping[int, tail.Tail | None]) -> dict[Any, dict[int, float]]:
        found: dict[Any, dict[int, float]] = {
            (hazard, mixed): {} for hazard in HAZARDS for mixed in (False, True)
        } | {"near": {}}
        for hour, shape in tails.items():
            if shape is None:
                continue
            found["near"][hour] = tail.quantile(shape, tail.EXCEEDANCE)
            for hazard in HAZARDS:
                alpha = min(tail.EXCEEDANCE, window_tolerance(hazard, hours=HOURS))
                found[hazard, True][hour] = tail.required(shape, alpha)
                found[hazard, False][hour] = tail.quantile(shape, alpha)
        return found

    def rows(self, coin: str, side: Side) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the hours at which everything is known and another bar follows."""
        one = self.histories[coin]
        known = np.isfinite(self.walks[coin].sigma + self.smoothed[coin])
        known &= np.isfinite(walked.spread(self.quantiles[side]["near"], one))
        known[:-1] &= np.isfinite(one.close[1:])
        known[-1] = False
        return np.flatnonzero(known)

    def rules(self, coin: str, side: Side, rows: np.ndarray[Any, Any]) -> Iterator[Rule]:
        """Yield every member of every family on these hours."""
        one, walk = self.histories[coin], self.walks[coin]
        geometry = Geometry(side=side.sign, maintenance=COSTS.maintenance)
        ours, theirs = Hazard(), Volatility()
        near = walked.spread(self.quantiles[side]["near"], one)[rows]
        act = np.sqrt(ours.action / 3600)
        for name, (floored, mixed, by_cost) in CORES.items():
            held = self.held[coin]
            sigma = (np.maximum(held, walk.floor) if floored else held)[rows]
            for hazard in HAZARDS:
                k = walked.spread(self.quantiles[side][hazard, mixed], one)[rows]
                given = (name, hazard, k * sigma, near * sigma * act)
                around = {
                    "geometry": geometry,
                    "ends": _ends(ours, side),
                    "target": float(ours.target),
                }
                if by_cost:
                    yield policies.core_by_cost(
                        *given,
                        sigma * np.sqrt(24 / HOURS),
                        fixed=COSTS.move,
                        rate_day=COSTS.rho / DAYS,
                        **around,
                    )
                else:
                    yield policies.core(*given, give_back=float(ours.give_back), **around)
        for multiple in MULTIPLES:
            yield policies.volatility_target(
                multiple,
                self.smoothed[coin][rows],
                hours=theirs.hours,
                geometry=geometry,
                ends=_ends(theirs, side),
                trigger=float(theirs.trigger),
                give_back=float(theirs.give_back),
            )
        for rule in (policies.leverage_band, policies.flexible, policies.top_up):
            for leverage in LEVERAGES:
                yield rule(leverage, rows.size)
        for leverage in STATIC:
            yield policies.static(leverage, rows.size)
        yield policies.oracle(policies.next_day(one, side.sign)[rows], geometry=geometry)


def _ends(settings: Hazard | Volatility, side: Side) -> Ends:
    return Ends(
        least=distance.to_log(settings.least, side), most=distance.to_log(settings.most, side)
    )


def halves(walk: Walk) -> tuple[list[tuple[str, float]], Ledger, Ledger]:
    """Return the members and what happened to them before and after the split."""
    names: list[tuple[str, float]] = []
    before: list[Ledger] = []
    after: list[Ledger] = []
    for coin, one in walk.histories.items():
        for side in Side:
            rows = walk.rows(coin, side)
            day = (one.start + 1 + rows) // 24
            for part, ledgers in ((rows[day < SPLIT], before), (rows[day >= SPLIT], after)):
                if part.size == 0:
                    continue
                rules = list(walk.rules(coin, side, part))
                names = [(rule.name, rule.parameter) for rule in rules]
                ledgers.append(score.replay(score.path(one, part, side.sign), rules, COSTS))
    return names, score.together(before), score.together(after)


def columns(names: Sequence[tuple[str, float]], family: str) -> slice:
    at = [place for place, (name, _) in enumerate(names) if name == family]
    return slice(at[0], at[-1] + 1)


def cheapest(names: Sequence[tuple[str, float]], family: str, totals: Floats) -> int:
    part = columns(names, family)
    return part.start + int(np.argmin(totals[part]))


def against(ours: str) -> tuple[str, ...]:
    return RIVALS if ours == "core" else (*RIVALS, "core")


def row(names: Sequence[tuple[str, float]], at: int, found: Figures) -> dict[str, Any]:
    return {
        "parameter": names[at][1],
        "J": float(found.total[at]),
        "idle": float(found.idle[at]),
        "reopening": float(found.fees[at] + found.slippage[at]),
        "transfers": float(found.transfers[at]),
        "lost": float(found.lost[at]),
        "liquidations": int(found.count[at]),
        "a year": float(found.rate[at]),
        "margin": float(found.margin[at]),
        "worst day": float(found.worst[at]),
        "moves": float(found.moves[at]),
        "turnover": float(found.turnover[at]),
        "swing": float(found.swing[at]),
    }


def judged(names: Sequence[tuple[str, float]], train: Ledger, test: Ledger) -> dict[str, Any]:
    """Return the table: parameters of the first half, judged on the second."""
    early, late = score.figures(train, COSTS), score.figures(test, COSTS)
    families = dict.fromkeys(name for name, _ in names)
    chosen = {family: cheapest(names, family, early.total) for family in families}
    still, best = float(late.total[chosen["static"]]), float(late.total[chosen["oracle"]])
    rows: dict[str, Any] = {}
    for family, at in chosen.items():
        earned = score.skill(float(late.total[at]), static=still, oracle=best)
        rows[family] = row(names, at, late) | {"skill": earned}
    for family in families:
        at = cheapest(names, family, late.total)
        rows[f"in hindsight: {family}"] = {"parameter": names[at][1], "J": float(late.total[at])}
    for ours in CORES:
        for rival in against(ours):
            gap = cost_gap(test, chosen[ours], chosen[rival], COSTS, seed=SEED)
            rows[f"J: {ours} / {rival}"] = asdict(gap)
    for rate in RATES:
        for ours in CORES:
            for rival in against(ours):
                found = saving(test, columns(names, ours), columns(names, rival), rate, seed=SEED)
                rows[f"{rate:g} a year: {ours} / {rival}"] = {
                    "margin": found.margin,
                    "rival": found.rival,
                    **asdict(found.change),
                }
    for at, (family, parameter) in enumerate(names):
        rows[f"sweep: {family} {parameter:g}"] = {
            "train J": float(early.total[at]),
            "train count": int(early.count[at]),
            "train margin": float(early.margin[at]),
            "J": float(late.total[at]),
            "count": int(late.count[at]),
            "margin": float(late.margin[at]),
        }
    hours = {"train": train.hours, "test": test.hours}
    years = {name: float(one.sum() / HOURS_PER_YEAR) for name, one in hours.items()}
    return {"position-years": years} | rows


def run() -> dict[str, Any]:
    """Replay every policy on every coin, long and short."""
    histories = read(DATA / MARKS)
    names, train, test = halves(Walk(histories))
    return {
        "what": f"hourly marks of {', '.join(histories)}, both sides, split at {SPLIT_AT:%Y-%m-%d}",
        "aim": "15 % less margin than a leverage band, 10 % less than a volatility target",
        "rows": judged(names, train, test),
    }
