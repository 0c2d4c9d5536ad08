import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bench.scoring import policies, score, walked
from bench.scoring.equal_count import margin_at, saving
from bench.scoring.policies import Ends, Geometry
from bench.scoring.resampled import cost_gap
from bench.scoring.score import Costs, Figures, Ledger, Path, Rule
from bot.domain.position import Side
from bot.leverage import forecast, har, tail, volatility
from bot.leverage.arrays import Floats
from bot.leverage.history import History, believed
from bot.leverage.model import Models, required_distance
from tests.kit.markets import a_record, bars_of

COSTS = Costs(
    rho=0.10,
    maintenance=0.02,
    liquidation_fee=0.001,
    taker_fee=0.0005,
    slippage=0.0003,
    move=0.00002,
)
WIDE = Ends(least=1e-6, most=0.69)


def bars(*rows: tuple[float, float, float]) -> History:
    return believed(0, *(np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)))


def way(*closes: float, low: Sequence[float] = ()) -> Path:
    """A long from 100 over bars that close so, and dip to ``low``."""
    lows = low or closes
    rows = [(100.0, 100.0, 100.0)]
    rows += [
        (max(c, b), min(c, a), c) for c, a, b in zip(closes, lows, (100, *closes), strict=False)
    ]
    return score.path(bars(*rows), np.arange(len(closes)), 1)


def played(path: Path, *rules: Rule) -> Figures:
    return score.figures(score.replay(path, rules, COSTS), COSTS)


def test_a_static_position_is_lost_at_the_extreme_and_opened_anew_at_the_next_close() -> None:
    found = played(way(98, 95, 95, low=(95, 80, 95)), policies.static(5, 3))
    # .2; then .18 - 18/98 = -.0037 at the low of 80, where 2 % of 80/98 are needed; then .2 again.
    assert found.count[0] == 1
    assert found.margin[0] == pytest.approx((0.2 + 0.18 + 0.2) / 3)
    years = 3 / 8766
    assert found.idle[0] == pytest.approx(0.1 * 0.58 / 3 * 1e4)
    assert found.lost[0] == pytest.approx(0.021 / years * 1e4)
    assert found.fees[0] == pytest.approx(0.0005 / years * 1e4)
    assert found.slippage[0] == pytest.approx(0.0003 / years * 1e4)
    assert found.transfers[0] == found.moves[0] == found.turnover[0] == 0
    assert found.rate[0] == pytest.approx(2922)
    # One day, of three hours: charged as if the rest of it had been like them.
    assert found.worst[0] == pytest.approx(found.total[0] / 365.25)


def test_equity_of_just_the_maintenance_margin_is_lost() -> None:
    path = way(50, low=(50,))
    quarter = replace(COSTS, maintenance=0.25)  # exact in binary: .5 is lost, .125 needed there
    for margin, count in ((0.625, 1), (math.nextafter(0.625, 1), 0)):
        rule = replace(policies.static(1, 1), aim=np.array([margin]))
        assert score.replay(path, [rule], quarter).liquidations[0, 0] == count


def test_a_short_is_lost_by_a_rise() -> None:
    record = bars((100, 100, 100), (119, 99, 100), (100, 100, 100))
    short = score.path(record, np.arange(2), -1)
    assert short.adverse[0] == pytest.approx(-0.19)
    assert played(short, policies.static(5, 2)).count[0] == 1  # .2 - .19 <= .02 * 1.19
    assert played(short, policies.static(4, 2)).count[0] == 0


def test_a_leverage_band_jumps_to_its_target() -> None:
    # 5x: margin between 1/6 and 1/4. It falls to .16, jumps to .2, rises to .263, jumps again.
    closes = (96.0, 96 * (1 + 0.063), 96 * 1.063)
    found = score.replay(way(*closes), [policies.leverage_band(5, 3)], COSTS)
    assert found.moves[0, 0] == 2
    assert found.turnover[0, 0] == pytest.approx(0.04 + 0.063)
    assert found.margin[0, 0] == pytest.approx(0.6)


def test_a_flexible_step_beyond_the_maximum_ends_there_and_one_a_day_goes_a_twentieth() -> None:
    # 2x: margin between 1/2.3 and 1/1.7; a fall of a tenth leaves .4, or 2.5x.
    fallen = score.replay(way(90, 90), [policies.flexible(2, 2)], COSTS)
    assert fallen.margin[0, 0] == pytest.approx(0.5 + 1 / 2.3)
    # From 1/.45 = 2.222x a day after the last move: to 2.211x.
    closes = (95.0,) * 26
    daily = score.replay(way(*closes), [policies.flexible(2, 26)], COSTS)
    assert daily.moves.sum() == 1
    step = 1 / (0.95 / 0.45 + 0.05 * 2)
    held = 0.5 + 0.45 * 23 + step * 2
    assert daily.margin.sum() == pytest.approx(held)
    for hours, moves in ((48, 1), (49, 2)):  # before the last of them a second day is over
        longer = score.replay(way(*(95.0,) * hours), [policies.flexible(2, hours)], COSTS)
        assert longer.moves.sum() == moves


def test_an_exchange_adds_within_the_bar_until_nothing_is_short_and_never_beyond_one() -> None:
    path = way(98, low=(91.5,))  # .1 - .085 = .015 where 1.05 * .0183 are due
    found = score.replay(path, [policies.top_up(10, 1), policies.static(10, 1)], COSTS)
    assert found.liquidations.tolist() == [[0, 1]]
    assert found.turnover[0].tolist() == pytest.approx([0.1, 0])
    # It adds at 1.05 times what is due: from a low of .9 / (1 - .021) = 91.93 on.
    for low, added in ((91.92, 0.1), (91.94, 0)):
        near = score.replay(way(98, low=(low,)), [policies.top_up(10, 1)], COSTS)
        assert near.turnover[0, 0] == pytest.approx(added)
    deep = score.replay(way(98, low=(5,)), [policies.top_up(10, 1)], COSTS)
    assert deep.turnover[0, 0] == pytest.approx(0.9)
    assert deep.liquidations[0, 0] == 0  # 1 - .95 > 1.05 * .02 * .05
    half = score.replay(way(98, low=(5,)), [policies.top_up(1.5, 1)], COSTS)
    assert half.turnover[0, 0] == pytest.approx(1 / 3)  # another 2/3 would be beyond 1


def test_the_oracle_asks_for_the_lowest_low_of_the_day() -> None:
    # Published example: 100, next lows 98, 90, 97, maintenance 1 %.
    record = bars((100, 100, 100), (100, 98, 99), (99, 90, 95), (98, 97, 98))
    need = policies.next_day(record, 1)
    assert need[0] == pytest.approx(0.105361, abs=1e-6)
    rule = policies.oracle(need[:1], geometry=Geometry(side=1, maintenance=0.01))
    assert 1 / rule.aim[0] == pytest.approx(9.16682, abs=1e-5)
    wide = Geometry(side=1, maintenance=0.01).margin(np.array([0.220721]))
    assert rule.high[0] == pytest.approx(wide[0], abs=1e-6)
    assert policies.next_day(record, -1)[1] == pytest.approx(0)


def test_a_volatility_target_stands_where_the_published_example_says() -> None:
    for side, leverage in ((1, 5.48639), (-1, 4.49626)):
        rule = policies.volatility_target(
            8,
            np.array([0.008]),
            hours=8,
            geometry=Geometry(side=side, maintenance=0.02),
            ends=WIDE,
            trigger=0.8,
            give_back=1.4,
        )
        assert 1 / rule.aim[0] == pytest.approx(leverage, abs=1e-5)
    low, high = Geometry(side=-1, maintenance=0.02).margin(np.array([0.144815, 0.253427]))
    assert (rule.low[0], rule.high[0]) == pytest.approx((low, high), abs=1e-5)


def test_the_core_is_spread_around_what_is_required_and_kept_between_its_ends() -> None:
    geometry = Geometry(side=1, maintenance=0.02)
    rule = policies.core(
        "core",
        1.0,
        np.array([0.1, 0.001, 5.0]),
        np.array([0.001] * 3),
        geometry=geometry,
        ends=Ends(least=0.03, most=0.5),
        target=1.25,
        give_back=1.8,
    )
    trigger = np.array([0.1, 0.03, 0.4])
    assert rule.low == pytest.approx(geometry.margin(trigger))
    assert rule.aim == pytest.approx(geometry.margin(trigger * 1.25))
    assert rule.high == pytest.approx(geometry.margin(trigger * 1.8))


def test_where_a_move_has_a_price_the_band_is_spread_by_it() -> None:
    geometry = Geometry(side=1, maintenance=0.02)
    required = np.array([0.1, 0.3999])
    rule = policies.core_by_cost(
        "core",
        1.0,
        required,
        np.full(2, 1e-4),
        np.array([0.04, 0.2]),
        geometry=geometry,
        ends=Ends(least=0.03, most=0.5),
        target=1.25,
        fixed=2e-5,
        rate_day=0.1 / 365.25,
    )
    low = geometry.margin(required)
    step = (3 * 2e-5 * np.array([0.04, 0.2]) ** 2 / (4 * 0.1 / 365.25)) ** (1 / 3)
    assert rule.low == pytest.approx(low)
    assert rule.high == pytest.approx(low + 3 * step)
    assert rule.aim[0] == pytest.approx(low[0] + step[0])
    assert rule.aim[1] == pytest.approx(geometry.margin(np.array([0.5]))[0])


def test_what_is_walked_is_what_would_have_been_said_then() -> None:
    record = a_record(900, seed=5)
    returns = np.diff(np.log(record.close))
    smoothed = walked.smoothed(record.close)
    sigma = np.abs(returns) + 1e-4
    held = walked.held_up(sigma)
    for at in (400, 899):
        assert smoothed[at] ** 2 == pytest.approx(volatility.smoothed_variance(returns[:at]))
        assert held[at - 1] == pytest.approx(forecast.held_up(sigma[:at][-168:]))
    assert np.isnan(smoothed[:168]).all()


def test_a_missing_hour_is_not_known_and_changes_no_other() -> None:
    record = a_record(900, seed=5)
    close = record.close.copy()
    close[500] = np.nan
    whole, holed = walked.smoothed(record.close), walked.smoothed(close)
    assert np.array_equal(whole[:500], holed[:500], equal_nan=True)
    assert holed[501] == holed[499]
    assert np.isnan(walked.smoothed(record.close[:100])).all()
    assert np.isnan(walked.smoothed(np.full(300, np.nan))).all()
    sigma = np.full(900, 0.01)
    sigma[3] = np.nan
    assert np.flatnonzero(np.isnan(walked.held_up(sigma))).tolist() == [3]


def test_what_is_walked_is_what_the_strategy_would_have_required() -> None:
    record = a_record(14_000, seed=7)
    walk = har.walk(record, 1)
    known = walk.refits[-1]
    now = record.start + known
    shape = walked.tails({"A": tail.windows(record, walk.sigma, 1)}, Side.LONG, [now])[now]
    assert shape is not None
    seen = record.until(known)
    asked = required_distance(
        bars_of(seen.last(912)),
        Side.LONG,
        1.0,
        1e-4,
        Models(own={1: har.fit(seen, 1)}, tails={(Side.LONG, 1): shape}),
        now=datetime.fromtimestamp(now * 3600, UTC),
    )
    sigma = np.maximum(walked.held_up(walk.sigma), walk.floor)[known - 1]
    # The week that holds a forecast up was forecast by the regression before this one.
    assert asked.a_log == pytest.approx(tail.required(shape, 1e-4) * sigma, rel=0.01)


def test_a_tail_is_in_force_from_its_refit_to_the_next() -> None:
    record = a_record(14_000, seed=7)
    samples = {"A": tail.windows(record, har.walk(record, 1).sigma, 1)}
    hours = walked.refits({"A": record})
    assert hours[0] <= record.start < hours[1]
    assert hours[-1] <= record.start + len(record) < hours[-1] + 720
    found = walked.tails(samples, Side.LONG, hours)
    assert found[hours[0]] is None
    last = found[hours[-1]]
    known = samples["A"].until(hours[-1])
    assert last == tail.fit(known, Side.LONG, origin=tail.Origin.POOLED)
    in_force = walked.spread({hours[5]: 5.0, hours[6]: 6.0}, record)
    at = hours[6] - record.start - 1  # closes as the refit is made
    assert (in_force[at - 1], in_force[at]) == (5.0, 6.0)
    assert np.isnan(in_force[0])


def test_margin_is_read_between_members_and_never_beyond_them() -> None:
    rates, margins = np.array([4.0, 2.0, 1.0]), np.array([0.1, 0.2, 0.4])
    assert margin_at(rates, margins, 3.0) == pytest.approx(0.1 * math.sqrt(2))
    assert margin_at(rates, margins, 2.0) == pytest.approx(0.2)
    assert margin_at(rates[::-1], margins[::-1], 2.0) == pytest.approx(0.2)
    for rate in (0.5, 4.0, 5.0):  # at the first member a smaller one might do as well
        assert math.isnan(margin_at(rates, margins, rate))
    # More margin with more liquidations is no reason to hold more.
    more = np.array([0.1, 0.2, 0.3, 0.4])
    found = margin_at(np.array([4.0, 3.0, 5.0, 1.0]), more, 2.0)
    assert found == pytest.approx(math.sqrt(0.3 * 0.4))


def a_ledger(margin: Floats, lost: Floats) -> Ledger:
    days = margin.shape[0]
    nothing = np.zeros_like(margin)
    return Ledger(
        day=np.arange(days),
        hours=np.full(days, 24.0),
        margin=margin * 24,
        moves=nothing,
        turnover=nothing,
        liquidations=lost,
        reopened=nothing,
    )


def test_a_family_with_a_tenth_less_margin_saves_a_tenth_in_every_sample() -> None:
    chance = np.random.default_rng(1)
    lost = (chance.random((700, 1)) < np.array([0.1, 0.005])).astype(float)
    rival = np.array([0.2, 0.4]) * chance.uniform(0.9, 1.1, (700, 1))
    both = a_ledger(np.hstack((rival * 0.9, rival)), np.hstack((lost, lost)))
    found = saving(both, slice(0, 2), slice(2, 4), 10.0, seed=3, draws=200)
    change = found.change
    assert (change.value, change.low, change.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert found.margin == pytest.approx(0.9 * found.rival)
    assert change.undefined == 0
    beyond = saving(both, slice(0, 2), slice(2, 4), 1e4, seed=3, draws=20).change
    assert math.isnan(beyond.value)
    assert math.isnan(beyond.low)
    assert beyond.undefined == 1


def test_an_interval_holds_what_happened_and_days_of_a_week_are_drawn_together() -> None:
    chance = np.random.default_rng(2)
    # Storms of a week hit one rule only; the other pays for margin alone.
    lost = np.repeat(chance.random(100) < 0.1, 7)[:, None] * np.array([1.0, 0.0])
    both = a_ledger(np.full((700, 2), 0.2), lost)
    found = cost_gap(both, 0, 1, COSTS, seed=3)
    weeks = lost[::7, 0].sum()
    assert found.value == pytest.approx(weeks * 7 * 210 / (700 / 365.25))
    # Of 100 weeks with a chance p each: the standard error of the count is sqrt(100 p (1 - p)).
    spread = 1.96 * math.sqrt(100 * weeks / 100 * (1 - weeks / 100)) / weeks * found.value
    assert found.high - found.value == pytest.approx(spread, rel=0.2)
    assert found.value - found.low == pytest.approx(spread, rel=0.2)
    assert found == cost_gap(both, 0, 1, COSTS, seed=3)
    assert cost_gap(both, 1, 1, COSTS, seed=3).high == 0


def test_a_move_is_charged_and_a_margin_swings_between_its_rare_days() -> None:
    days = np.linspace(0.1, 0.2, 101)[:, None]  # the first and the last day are rarer than 1 %
    moved = replace(a_ledger(days, np.zeros((101, 1))), moves=np.ones((101, 1)))
    found = score.figures(moved, COSTS)
    assert found.transfers[0] == pytest.approx(365.25 * 0.2)
    assert found.swing[0] == pytest.approx(0.199 / 0.101)


def test_skill_is_one_for_the_oracle_and_nothing_for_static() -> None:
    assert score.skill(300, static=1000, oracle=300) == 1
    assert score.skill(1000, static=1000, oracle=300) == 0
    with pytest.raises(ValueError, match="oracle must cost less"):
        score.skill(1, static=1, oracle=1)


def test_what_makes_no_sense_is_refused() -> None:
    for field in ("rho", "maintenance", "move"):
        with pytest.raises(ValueError, match="rho must be > 0"):
            replace(COSTS, **{field: -0.1})
    with pytest.raises(ValueError, match="its bar and the next"):
        score.path(bars((1, 1, 1), (math.nan,) * 3), np.arange(1), 1)
    path = way(100, 100)
    with pytest.raises(ValueError, match="2 steps"):
        score.replay(path, [policies.static(2, 3)], COSTS)
    with pytest.raises(ValueError, match="finite aims"):
        score.replay(path, [replace(policies.static(2, 2), aim=np.zeros(2))], COSTS)
