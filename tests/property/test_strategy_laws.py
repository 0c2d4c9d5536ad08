"""Laws that every strategy keeps, whatever it is made of."""

import copy
import math
from dataclasses import replace
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.band import LeverageBand
from bot.domain.instrument import MarginTier
from bot.domain.market import Bars, Market
from bot.domain.position import Position
from bot.domain.risk import PositionRisk
from bot.leverage import volatility
from bot.margin.assess import assess
from bot.ports import Strategy
from bot.rebalance.choose import chosen
from strategies.fixed_leverage import FixedLeverage
from strategies.fixed_leverage import Settings as FixedSettings
from strategies.flexible_leverage import FlexibleLeverage
from strategies.flexible_leverage import Settings as FlexibleSettings
from strategies.hazard import Hazard
from strategies.hazard import Settings as HazardSettings
from strategies.liquidation_buffer import LiquidationBuffer
from strategies.liquidation_buffer import Settings as BufferSettings
from strategies.volatility_target import Settings as TargetSettings
from strategies.volatility_target import VolatilityTarget
from tests.kit.builders import FOUR_TIERS, a_market, a_position, an_instrument
from tests.kit.hazard import shipped

ALL: tuple[Strategy, ...] = (
    FixedLeverage(FixedSettings()),
    FixedLeverage(FixedSettings(recentering_speed=D("0.3"))),
    FlexibleLeverage(FlexibleSettings()),
    FlexibleLeverage(
        FlexibleSettings(target=D(5), minimum=D(4), maximum=D(5), ripcord=D(5), inset=D("0.4"))
    ),
    shipped(),
    Hazard(HazardSettings(hazard=D(12), reaction=28800, most=D("0.9"))),
    LiquidationBuffer(BufferSettings()),
    VolatilityTarget(TargetSettings()),
    VolatilityTarget(TargetSettings(multiple=D(3), hours=1, trigger=D("0.5"), least=D("0.001"))),
)
every = pytest.mark.parametrize("strategy", ALL, ids=[type(s).__name__ for s in ALL])
MEASURING = tuple(s for s in ALL if isinstance(s, Hazard | VolatilityTarget))
measuring = pytest.mark.parametrize(
    "strategy", MEASURING, ids=[type(s).__name__ for s in MEASURING]
)
DIGIT = D("0.000001")
"""Distances of a volatility are rounded up to it."""


def moves_of(seed: int, hours: int, size: float) -> list[float]:
    """Return hourly log moves with fat tails."""
    moves: list[float] = (np.random.default_rng(seed).standard_t(3, size=hours) * size).tolist()
    return moves


steps = st.builds(
    moves_of, st.integers(0, 2**32 - 1), st.integers(26, 400), st.floats(0, 0.03) | st.just(0.0)
)
STEADY = [0.01, -0.01] * 30


def bars_of(steps: list[float], *, wilder: float = 1.0, price: float = 60000.0) -> Bars:
    """Return hourly bars whose moves and wicks are ``wilder`` times as large."""
    close, high, low = [], [], []
    for step in steps:
        opened, price = price, price * math.exp(step * wilder)
        wick = math.exp(abs(step) * wilder / 2)
        close.append(price)
        high.append(max(opened, price) * wick)
        low.append(min(opened, price) / wick)
    return Bars(high=tuple(high), low=tuple(low), close=tuple(close))


@st.composite
def positions(draw: st.DrawFn) -> Position:
    size = draw(st.sampled_from([-1, 1])) * draw(st.decimals(D("0.01"), D(60), places=3))
    mark = draw(st.decimals(D(20000), D(90000), places=1))
    leverage = draw(st.decimals(D("1.5"), D(60), places=2))
    # With the entry at mark, margin is equity; a loss beyond it leaves none.
    lost = draw(st.sampled_from([D(0), D(0), D(0), D(2)]))
    margin = abs(size) * mark / leverage
    return a_position(
        size=str(size),
        entry=str(mark + lost * margin / size),
        mark=str(mark),
        margin=str(margin),
    )


def risk_of(position: Position, table: tuple[MarginTier, ...] = FOUR_TIERS) -> PositionRisk:
    return assess(position, an_instrument(table=table))


def market_of(position: Position, bars: Bars) -> Market:
    return replace(a_market(mark=str(position.mark_price)), bars=bars)


def choice(strategy: Strategy, position: Position, bars: Bars) -> LeverageBand:
    return strategy.choose(risk_of(position), market_of(position, bars))


@every
@given(positions(), steps)
def test_levels_are_ordered_as_distance_and_as_leverage(
    strategy: Strategy, position: Position, moves: list[float]
) -> None:
    band = choice(strategy, position, bars_of(moves))
    at, leverage = band.distance, band.leverage
    assert 0 < at.emergency <= at.trigger < at.target < at.give_back
    assert leverage.emergency >= leverage.trigger > leverage.target > leverage.give_back > 0
    market = market_of(position, bars_of(moves))
    assert chosen(strategy.choose, risk_of(position), market) == band


@every
@given(positions(), steps)
def test_the_same_inputs_give_the_same_band(
    strategy: Strategy, position: Position, moves: list[float]
) -> None:
    market = market_of(position, bars_of(moves))
    first = strategy.choose(risk_of(position), market)
    volatility.of_bars.cache_clear()
    volatility.smoothed_of_bars.cache_clear()
    assert copy.deepcopy(strategy).choose(risk_of(position), market) == first


@every
@given(positions(), steps, st.integers(-6, 6))
def test_another_unit_of_price_changes_nothing(
    strategy: Strategy, position: Position, moves: list[float], power: int
) -> None:
    unit = D(10) ** power
    table = tuple(
        replace(
            tier,
            notional_floor=tier.notional_floor * unit,
            maintenance_amount=tier.maintenance_amount * unit,
        )
        for tier in FOUR_TIERS
    )
    other = replace(
        position,
        entry_price=position.entry_price * unit,
        mark_price=position.mark_price * unit,
        margin=position.margin * unit,
    )
    here = choice(strategy, position, bars_of(moves))
    bars = bars_of(moves, price=60000.0 * float(unit))
    there = strategy.choose(risk_of(other, table), market_of(other, bars))
    for name in ("emergency", "trigger", "target", "give_back"):
        assert abs(getattr(here.distance, name) - getattr(there.distance, name)) <= DIGIT
    assert here.why == there.why


@every
@given(positions(), steps, st.floats(1, 5))
def test_a_wilder_market_never_gets_a_nearer_trigger_or_more_leverage(
    strategy: Strategy, position: Position, moves: list[float], wilder: float
) -> None:
    calm = choice(strategy, position, bars_of(moves))
    wild = choice(strategy, position, bars_of(moves, wilder=wilder))
    for name in ("emergency", "trigger", "target", "give_back"):
        assert getattr(wild.distance, name) >= getattr(calm.distance, name) - DIGIT
        assert getattr(wild.leverage, name) <= getattr(calm.leverage, name) * D("1.01")
    if wild.volatility is not None and calm.volatility is not None:
        assert wild.volatility >= calm.volatility


broken = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300])


@every
@given(positions(), steps, st.data())
def test_a_broken_history_is_refused_or_gives_no_more_leverage(
    strategy: Strategy, position: Position, moves: list[float], data: st.DataObject
) -> None:
    bars = bars_of(moves)
    clean = choice(strategy, position, bars)
    kind = data.draw(st.sampled_from(["price", "cut", "none", "uneven"]))
    if kind == "price":
        column = data.draw(st.sampled_from(["high", "low", "close"]))
        prices = list(getattr(bars, column))
        prices[data.draw(st.integers(0, len(prices) - 1))] = data.draw(broken)
        bars = replace(bars, **{column: tuple(prices)})  # type: ignore[arg-type]  # one of three columns
    elif kind == "cut":
        left = data.draw(st.integers(0, 23))
        bars = replace(bars, high=bars.high[:left], low=bars.low[:left], close=bars.close[:left])
    elif kind == "none":
        bars = Bars()
    else:
        bars = replace(bars, high=bars.high[1:])
    try:
        band = choice(strategy, position, bars)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is right
        return
    for name in ("emergency", "trigger", "target", "give_back"):
        assert getattr(band.leverage, name) <= getattr(clean.leverage, name)


@measuring
@pytest.mark.parametrize("count", [0, 1, 23])
def test_who_measures_volatility_trusts_no_history_of_less_than_a_day(
    strategy: Strategy, count: int
) -> None:
    short = bars_of(STEADY)
    short = replace(
        short, high=short.high[:count], low=short.low[:count], close=short.close[:count]
    )
    if isinstance(strategy, Hazard):  # it stands at its widest
        widest = choice(strategy, a_position(), short)
        clean = choice(strategy, a_position(), bars_of(STEADY))
        assert widest.distance.trigger >= clean.distance.trigger
        assert not widest.may_give_back
        return
    with pytest.raises(ValueError, match=f"must cover >= 24 h, covers {count} h"):
        choice(strategy, a_position(), short)


@every
@given(positions())
def test_a_position_without_equity_has_a_band_like_any_other(
    strategy: Strategy, position: Position
) -> None:
    gone = replace(position, entry_price=position.mark_price, margin=D(-1))
    assert risk_of(gone).leverage is None
    sixty = replace(gone, margin=abs(gone.size) * gone.mark_price / 60)
    band = choice(strategy, gone, bars_of(STEADY))
    near = choice(strategy, sixty, bars_of(STEADY))
    assert band.distance.trigger == near.distance.trigger
    assert band.leverage.target <= near.leverage.target
