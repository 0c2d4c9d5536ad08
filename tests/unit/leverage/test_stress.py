import datetime as dt
import math
import os
import tomllib
from decimal import Decimal as D
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.instrument import Contract
from bot.leverage import stress
from bot.leverage.cascade import cascade
from bot.leverage.regime import Feature, Regime, Strain, adjusted, strain
from bot.leverage.stress import Rule, Scenario
from bot.leverage.units import equity_at, of_one_tier
from bot.margin import isolated
from tests.kit.builders import tiers

FILE = Path("config/stress.toml")
BARS = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data")) / "market/spot_1m_windows"
CATALOGUE = stress.catalogue(tomllib.loads(FILE.read_text(encoding="utf-8"))).scenarios


def a_scenario(**change: object) -> Scenario:
    fields: dict[str, object] = {
        "name": "x", "date": "", "source": "invented", "coins": ("*",), "hours": 1.0, **change,
    }  # fmt: skip
    return Scenario(**fields)  # type: ignore[arg-type]  # some are broken on purpose


def test_the_shipped_catalogue_has_dates_and_sources_and_is_no_floor() -> None:
    assert len(CATALOGUE) >= 14
    for scenario in CATALOGUE:
        assert scenario.source
        assert scenario.date or "invented" in scenario.source
        assert not scenario.must_survive
    assert stress.floor(CATALOGUE, "BTC", 1) == 0


@pytest.mark.data
@pytest.mark.skipif(not BARS.is_dir(), reason="PLIMSOLL_DATA has no one-minute bars")
@pytest.mark.parametrize(
    "scenario", [s for s in CATALOGUE if s.date and s.fall < 1], ids=lambda s: s.name
)
def test_past_moves_are_what_the_bars_say(scenario: Scenario) -> None:
    (coin,), minutes = scenario.coins, int(scenario.hours * 60)
    (file,) = (f for f in BARS.glob(f"{coin}USDT_*") if scenario.date[:7] in f.name)
    table = pq.read_table(file, columns=["timestamp", "high", "low"])
    at, high, low = (column.to_numpy() for column in table.columns)
    day = dt.datetime.fromisoformat(scenario.date).replace(tzinfo=dt.UTC).timestamp() * 1000
    near = (at >= day - 86_400_000) & (at < day + 3 * 86_400_000)
    highs = np.lib.stride_tricks.sliding_window_view(high[near], minutes)
    lows = np.lib.stride_tricks.sliding_window_view(low[near], minutes)
    fall = float((1 - lows.min(axis=1) / highs[:, 0]).max())
    assert fall == pytest.approx(scenario.fall, abs=1.2e-3)
    if scenario.rise:
        rise = float((highs.max(axis=1) / lows[:, 0] - 1).max())
        assert rise == pytest.approx(scenario.rise, abs=1.2e-3)


def test_what_must_be_survived_is_a_floor() -> None:
    must = [
        a_scenario(name="one", coins=("BTC",), fall=0.5, rise=0.4, must_survive=True),
        a_scenario(name="two", coins=("ETH",), fall=0.9, must_survive=True),
        a_scenario(name="three", fall=0.95),
        a_scenario(name="four", gap=0.03, must_survive=True),
    ]
    assert stress.floor(must, "BTC", 1) == pytest.approx(math.log(2))
    assert stress.floor(must, "BTC", -1) == pytest.approx(math.log(1.4))
    assert stress.floor(must, "SOL", 1) == pytest.approx(-math.log(0.97))


@given(st.floats(0.01, 0.9), st.floats(0.01, 2), st.floats(0, 0.2), st.floats(0.001, 0.3))
def test_a_position_at_the_floor_survives_and_below_it_does_not(
    fall: float, rise: float, gap: float, rate: float
) -> None:
    scenario = a_scenario(fall=fall, rise=rise, gap=gap, must_survive=True)
    units = of_one_tier(np.array([1000.0, 1000.0]), np.array([1.0, -1.0]), np.full(2, rate))
    floor = np.array([stress.floor([scenario], "BTC", side) for side in (1, -1)])
    for part, lost in ((1 + 1e-9, {}), (1 - 1e-9, {"x": (0, 1)})):
        equity = equity_at(units, floor) * part
        found = stress.failed(
            [scenario], units, equity, equity, ["BTC", "ETH"], reach_sqrt_h=np.zeros(2)
        )
        assert found == lost


@pytest.mark.parametrize(
    ("change", "equity", "lost"),
    [
        ({"collateral": 0.05}, 100.0, False),  # 95 left, 10 needed
        ({"collateral": 0.95}, 100.0, True),  # 5 left
        ({"tiers": 2.0}, 19.9, True),  # 20 needed
        ({"tiers": 2.0}, 20.1, False),
        ({"silent": 30.0}, 28.0, True),  # 0.02: 19.8 and 9.8
        ({"silent": 30.0}, 30.0, False),
        ({"fall": 1.0}, 999.9, True),  # to zero: all of it is lost
        ({"coins": ("LUNA",), "fall": 1.0}, 100.0, False),
    ],
)
def test_each_kind_of_disaster_counts(change: dict[str, object], equity: float, lost: bool) -> None:
    units = of_one_tier(np.array([1000.0]), np.array([1.0]), np.array([0.01]))
    found = stress.failed(
        [a_scenario(**change)], units, np.array([equity]), np.array([equity]), ["BTC"],
        reach_sqrt_h=np.array([0.02 * math.sqrt(2)]),
    )  # fmt: skip
    assert found == ({"x": (0,)} if lost else {})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"fall": 1.5}, "fall of x"),
        ({"fall": math.nan}, "fall of x"),
        ({"fall": 1.0, "must_survive": True}, "to zero"),
        ({"tiers": 0.5}, "tiers of x"),
        ({"date": "2020-13-01"}, "month"),
        ({"source": ""}, "source"),
        ({"coins": []}, "coins"),
        ({"drop": 0.5}, "drop"),
    ],
)
def test_a_broken_catalogue_is_refused(row: dict[str, object], message: str) -> None:
    whole = {"name": "x", "date": "", "source": "s", "coins": ["*"], "hours": 1.0} | row
    with pytest.raises(ValueError, match=message):
        stress.catalogue({"scenario": [whole]})


def test_a_catalogue_needs_names_that_differ() -> None:
    row = {"name": "x", "date": "", "source": "s", "coins": ["*"], "hours": 1.0}
    with pytest.raises(ValueError, match="differ"):
        stress.catalogue({"scenario": [row, row]})
    with pytest.raises(ValueError, match="must have a scenario"):
        stress.catalogue({})
    with pytest.raises(ValueError, match="hours"):
        stress.catalogue({"scenario": [{k: v for k, v in row.items() if k != "hours"}]})


def test_all_coins_of_a_scenario_move_alike() -> None:
    scenario = a_scenario(coins=("BTC", "ETH"), fall=0.3, rise=0.4)
    assert stress.growth(scenario, ["BTC", "SOL", "ETH"], 1) == pytest.approx([0.7, 1, 0.7])
    assert stress.growth(scenario, ["BTC", "SOL", "ETH"], -1) == pytest.approx([1.4, 1, 1.4])


def test_each_rule_against_procyclical_margin() -> None:
    def after(rule: Rule, *, in_stress: bool = False) -> float:
        found = stress.steadied(
            np.array([0.1]), rule, stressed=np.array([0.3]), long_run=np.array([0.12]),
            in_stress=in_stress,
        )  # fmt: skip
        return float(found[0])

    assert after(Rule.NONE) == pytest.approx(0.1)
    assert after(Rule.BUFFER) == pytest.approx(0.125)
    assert after(Rule.BUFFER, in_stress=True) == pytest.approx(0.1)
    assert after(Rule.WEIGHT) == pytest.approx(0.15)
    assert after(Rule.FLOOR) == pytest.approx(0.12)


def test_a_steady_margin_is_not_procyclical_and_a_doubling_one_is() -> None:
    flat = stress.procyclicality(np.full(1000, 5.0), per_day=24)
    assert (flat.peak_to_trough, flat.rise_day, flat.rise_week, flat.mean) == (1, 0, 0, 5)
    growing = stress.procyclicality(2.0 ** (np.arange(1000) / 24), per_day=24)
    assert growing.rise_day == pytest.approx(1)
    assert growing.rise_week == pytest.approx(31)


def test_a_scan_has_sixteen_cells_and_both_sides() -> None:
    cells = stress.scan(0.3, 0.25)
    assert cells.shape == (16, 3)
    assert {tuple(c) for c in cells} == {tuple(c * np.array([-1, 1, 1]) + 0.0) for c in cells}
    assert cells[:, 0].max() == pytest.approx(0.9)


curves = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), min_size=2, max_size=30)


@given(curves, st.floats(0, 1))
def test_a_cascade_ends_at_the_first_fall_whose_bids_hold(
    steps: list[tuple[float, float]], where: float
) -> None:
    x = np.linspace(0, 0.5, len(steps))
    forced, depth = (np.cumsum(column) for column in zip(*steps, strict=True))
    shock = float(x[int(where * (len(steps) - 1))])
    found = cascade(x, forced, depth, shock=shock, cap=0.1)
    used = depth[list(x).index(shock)]
    ends = [a for a, f, d in zip(x, forced, depth, strict=True) if a >= shock and d >= used + f]
    assert found.end == (ends[0] if ends else math.inf)
    assert found.extra == pytest.approx(min(0.1, found.end - shock))
    deeper = cascade(x, forced, depth + 2 * x, shock=shock, cap=0.1)
    assert deeper.end <= found.end
    calmer = cascade(x, forced * 0.5, depth, shock=shock, cap=0.1)
    assert calmer.end <= found.end


def test_nothing_forced_adds_nothing_and_a_cliff_runs_away() -> None:
    x, depth = np.linspace(0, 0.5, 51), np.linspace(0, 10, 51)
    assert cascade(x, np.zeros(51), depth, shock=0.1, cap=1).extra == 0
    runaway = cascade(x, 100 * x, depth, shock=0.1, cap=0.25)
    assert (runaway.end, runaway.extra) == (math.inf, 0.25)
    assert runaway.branching == pytest.approx(5)


def test_a_linear_book_amplifies_by_one_over_one_less_the_branching_ratio() -> None:
    # Bids 20 per unit of fall, forced sales 10 per unit beyond the shock: it ends twice as far.
    x = np.linspace(0, 0.5, 5001)
    found = cascade(x, 10 * np.maximum(x - 0.1, 0), 20 * x, shock=0.1, cap=1)
    assert found.end == pytest.approx(0.1, abs=2e-4)
    # Forced sales that hang on the whole fall instead of what is beyond it.
    found = cascade(x, 10 * x, 20 * x, shock=0.1, cap=1)
    assert found.branching == pytest.approx(0.5)
    assert found.end == pytest.approx(0.2, abs=2e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"forced": np.array([1.0, 0.0])}, "must not fall"),
        ({"x": np.array([0.0, 0.0])}, "rise"),
        ({"shock": 0.6}, "shock"),
        ({"depth": np.array([0.0, math.nan])}, "finite"),
    ],
)
def test_broken_curves_are_refused(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "x": np.array([0.0, 0.5]), "forced": np.zeros(2), "depth": np.ones(2), "shock": 0.1,
        "cap": 1.0, **change,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        cascade(**arguments)  # type: ignore[arg-type]  # broken on purpose


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=2, max_size=2),
    st.floats(0.001, 1), st.floats(0, 0.1),
)  # fmt: skip
def test_features_never_move_a_forecast_by_more_than_a_few_percent(
    features: list[float], sigma: float, floor: float
) -> None:
    regime = Regime(
        weight=np.array([0.5, -2.0]), low=np.array([-1.0, 0.0]), high=np.array([1.0, 3.0])
    )
    found, doubtful = adjusted(
        regime, np.array([sigma]), np.array([features]), floor=np.array([floor])
    )
    assert np.isfinite(found).all()
    assert found[0] >= max(floor, sigma * math.exp(-0.05)) * (1 - 1e-12)
    assert found[0] <= max(floor, sigma * math.exp(0.05)) * (1 + 1e-12)
    assert doubtful[0] == any(not math.isfinite(f) for f in features)
    if doubtful[0]:
        assert found[0] == max(floor, sigma)


features = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@given(features, features, st.floats(0, 0.5))
def test_strain_only_raises_and_never_beyond_its_limit(
    basis: float | None, funding: float | None, limit: float
) -> None:
    found = strain(basis=basis, funding=funding, limit=limit)
    assert 1.0 <= found.factor <= math.exp(limit)
    alone = strain(basis=basis, funding=None, limit=limit)
    assert alone.factor <= found.factor
    assert set(alone.features) <= set(found.features)
    unread = any(value is not None and not math.isfinite(value) for value in (basis, funding))
    assert (Feature.UNREAD in found.features) == unread
    assert not (unread and found.may_give_back)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_larger_feature_is_never_less_strain(one: float, two: float) -> None:
    less, more = sorted((one, two), key=abs)
    assert strain(basis=less, funding=None).factor <= strain(basis=more, funding=None).factor
    assert strain(basis=None, funding=less).factor <= strain(basis=None, funding=more).factor


def test_what_is_absent_or_usual_is_no_strain() -> None:
    assert strain(basis=None, funding=None) == Strain()
    assert strain(basis=-0.0015, funding=0.0003) == Strain()
    assert strain(basis=0.006, funding=-0.0001).factor == pytest.approx(math.exp(0.025))
    with pytest.raises(ValueError, match="limit"):
        strain(basis=None, funding=None, limit=1.0)


@given(
    st.sampled_from(Contract),
    st.sampled_from([1, -1]),
    st.floats(0.01, 0.9),
    st.floats(0.01, 0.9),
)
def test_a_move_is_survived_by_who_stands_farther_whatever_the_contract(
    contract: Contract, side: int, move: float, equity: float
) -> None:
    table = tiers(("0", "0.005", "0"))
    size = D(side * 1000)
    at = isolated.distance_at_leverage(
        contract, table, size=size, mark_price=D(10), leverage=1 / D(equity)
    )
    assume(at is None or abs(float(at) - move) > 1e-9)
    found = stress.unsurvived(
        [a_scenario(name="fall and rise", fall=move, rise=move)],
        coin="BTC",
        side=side,
        contract=contract,
        notional=100.0,
        equity=equity * 100.0,
        margin=equity * 100.0,
        rate=[0.005],
        amount=[0.0],
        reach_sqrt_h=0.0,
    )
    assert (found == ()) is (at is None or float(at) > move)
