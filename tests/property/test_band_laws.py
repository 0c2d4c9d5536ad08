"""Laws of the band, and of what is done between its levels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.leverage import band
from bot.leverage.arrays import Floats
from bot.leverage.band import Band, Drift, Look, Turn, turn
from bot.leverage.units import Units, distance_of

positive = st.floats(1e-3, 1e3)
seeds = st.integers(0, 2**32 - 1)


def test_miller_and_orr_match_a_published_example() -> None:
    # L 10,000, K 20, sd 2,500 a day, 9 % over 360 days.
    step = float(band.miller_orr(np.array(20.0), np.array(2500.0), 0.09 / 360))
    assert 10_000 + step == pytest.approx(17_211.25, abs=0.01)
    assert 10_000 + 3 * step == pytest.approx(31_633.74, abs=0.01)
    assert (4 * (10_000 + step) - 10_000) / 3 == pytest.approx(19_615.00, abs=0.01)


@given(positive, positive, st.floats(1e-5, 1e-2), st.floats(0.2, 5), st.floats(0.2, 5))
def test_no_other_band_costs_less_a_day(
    fixed: float, sd: float, rate: float, near: float, far: float
) -> None:
    step = float(band.miller_orr(np.array(fixed), np.array(sd), rate))

    def cost(target: float, high: float) -> float:
        return float(
            band.daily_cost(
                np.array(0.0), np.array(target), np.array(high),
                fixed=np.array(fixed), sd_day=np.array(sd), rate_day=rate,
            )
        )  # fmt: skip

    assert cost(step, 3 * step) <= cost(near * step, (near + 2 * far) * step) * (1 + 1e-9)


def test_the_usual_costs_give_five_percent_of_notional() -> None:
    step = band.miller_orr(np.array(2e-5), np.array(0.05), 0.10 / 365)
    assert float(step) == pytest.approx(0.052, abs=5e-4)


def some_band(seed: int, *, by_cost: bool, count: int = 4) -> tuple[Units, Floats, Band]:
    draw = np.random.default_rng(seed)
    notional = draw.uniform(1e2, 1e5, count)
    units = Units(
        notional=notional, side=draw.choice([-1.0, 1.0], count),
        rate=np.sort(draw.uniform(0.004, 0.05, (count, 2)), axis=1),
        amount=np.concatenate(
            (np.zeros((count, 1)), draw.uniform(0, 0.02, (count, 1)) * notional[:, None]), axis=1
        ),
    )  # fmt: skip
    trigger = draw.uniform(0.01, 0.6, count)
    emergency = trigger * draw.uniform(0.2, 1.0, count)
    execution = draw.uniform(0.001, 0.2, count)
    if by_cost:
        found = band.by_cost(
            units, trigger, emergency, execution, fixed=2e-5 * notional,
            sigma_day=draw.uniform(0.01, 0.1, count), rate_day=0.1 / 365,
        )  # fmt: skip
    else:
        found = band.by_multiples(units, trigger, emergency, execution, target=1.25, give_back=1.8)
    return units, execution, found


@given(seeds, st.booleans())
def test_levels_are_ordered_with_room_to_act(seed: int, by_cost: bool) -> None:
    units, execution, found = some_band(seed, by_cost=by_cost)
    slight = 1 - 1e-12
    assert (found.emergency <= found.trigger).all()
    assert (found.target - found.trigger >= execution * slight).all()
    assert (found.give_back - found.target >= 2 * execution * slight).all()
    for a_log, equity in (
        (found.trigger, found.equity_low),
        (found.target, found.equity_target),
        (found.give_back, found.equity_high),
    ):
        assert np.isfinite(equity).all()
        assert distance_of(units, equity) == pytest.approx(np.minimum(a_log, 20), rel=1e-6)
    if by_cost:
        step = (found.equity_target - found.equity_low)[~found.widened]
        assert (found.equity_high - found.equity_low)[~found.widened] == pytest.approx(3 * step)


@given(seeds, st.floats(1e-3, 1e3))
def test_another_currency_leaves_the_levels_alone(seed: int, k: float) -> None:
    units, execution, one = some_band(seed, by_cost=False)
    scaled = Units(
        notional=units.notional * k, side=units.side, rate=units.rate, amount=units.amount * k
    )
    two = band.by_multiples(
        scaled, one.trigger, one.emergency, execution, target=1.25, give_back=1.8
    )
    assert two.target == pytest.approx(one.target)
    assert two.equity_high == pytest.approx(one.equity_high * k)


def test_the_trigger_is_the_largest_and_the_emergency_never_beyond_it() -> None:
    required, stress, execution = np.array([0.2, 0.1]), np.array([0.1, 0.3]), np.array([0.01, 0.02])
    trigger = band.trigger(required, stress, execution)
    assert trigger == pytest.approx([0.2, 0.3])
    level = band.emergency(trigger, np.array([0.1, 0.1]), np.array([0.02, 0.9]), execution)
    assert level == pytest.approx([0.1, 0.3])


def test_the_execution_buffer_covers_the_way_of_an_action() -> None:
    found = band.execution_buffer(
        np.array([2.0]), np.array([0.01]), act_hours=0.25, slippage=np.array([0.001]),
        tick=np.array([0.0001]),
    )  # fmt: skip
    assert found == pytest.approx([2 * 0.01 * 0.5 + 0.001 + 0.0002])


@pytest.mark.parametrize(
    ("change", "worth"),
    [
        ({}, True),
        ({"size": 4.0}, False),  # below the venue's minimum
        ({"size": 20.0}, False),  # below a quarter of the step
        ({"after": 0.0099}, False),  # gains 0.1 for 1.05
        ({"size": math.nan}, False),
    ],
)
def test_a_move_is_made_only_when_it_is_worth_it(change: dict[str, float], worth: bool) -> None:
    arguments = {
        "size": 50.0, "minimum": 5.0, "step": 100.0, "weight": 1000.0, "before": 0.01,
        "after": 0.001, "fixed": 1.0, "omega": 0.001,
    } | change  # fmt: skip
    assert band.is_worth_moving(arguments.pop("size"), **arguments) is worth


def look(at: float, a_log: float, *, may: bool = True) -> Look:
    return Look(at=at, a_log=a_log, emergency=0.1, trigger=0.2, give_back=0.5, may_give_back=may)


def run(*looks: Look) -> list[Turn]:
    drift, turns = Drift(), []
    for one in looks:
        found, drift = turn(drift, one)
        turns.append(found)
    return turns


def test_below_the_trigger_it_acts_at_once_and_rests_before_the_next_routine_move() -> None:
    turns = run(look(0, 0.3), look(1, 0.19), look(2, 0.19), look(602, 0.19))
    assert turns == [Turn.HOLD, Turn.RAISE, Turn.HOLD, Turn.RAISE]


def test_an_emergency_does_not_rest() -> None:
    assert run(look(0, 0.19), look(1, 0.09), look(2, 0.09)) == [
        Turn.RAISE, Turn.RESCUE, Turn.RESCUE,
    ]  # fmt: skip


def test_margin_returns_only_after_half_an_hour_beyond_give_back() -> None:
    assert run(look(0, 0.6), look(1799, 0.6), look(1800, 0.6), look(1801, 0.6)) == [
        Turn.HOLD, Turn.HOLD, Turn.GIVE_BACK, Turn.HOLD,
    ]  # fmt: skip


@pytest.mark.parametrize("between", [look(900, 0.5), look(900, 0.6, may=False), look(900, 0.3)])
def test_one_poll_that_did_not_see_it_starts_the_wait_again(between: Look) -> None:
    assert run(look(0, 0.6), between, look(1800, 0.6), look(2700, 0.6), look(3600, 0.6)) == [
        Turn.HOLD, Turn.HOLD, Turn.HOLD, Turn.HOLD, Turn.GIVE_BACK,
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(st.floats(0, 2000), st.floats(-0.1, 1), st.booleans()), min_size=1, max_size=30
    )
)
def test_nothing_returns_early_stale_or_from_below(rows: list[tuple[float, float, bool]]) -> None:
    drift, at, seen = Drift(), 0.0, list[Look]()
    moved = -math.inf
    for wait, a_log, may in rows:
        at += wait
        seen.append(look(at, a_log, may=may))
        found, drift = turn(drift, seen[-1])
        if a_log < 0.1:
            assert found is Turn.RESCUE
        elif a_log < 0.2:
            assert found is (Turn.RAISE if at - moved >= 600 else Turn.HOLD)
        if found is Turn.GIVE_BACK:
            recent = [one for one in seen if one.at >= at - 1800 and one.at > moved]
            assert len(recent) >= 1
            assert all(one.a_log > 0.5 and one.may_give_back for one in recent)
            assert at - moved >= 600
        if found is not Turn.HOLD:
            moved = at


@pytest.mark.parametrize("broken", [look(math.nan, 0.3), look(0, math.nan)])
def test_a_look_without_numbers_is_refused(broken: Look) -> None:
    with pytest.raises(ValueError, match="finite"):
        turn(Drift(), broken)
