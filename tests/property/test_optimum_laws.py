"""Laws of the liquidation geometry; every number is asserted finite before it is compared."""

import math
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.leverage import optimum, passage
from bot.leverage.arrays import Floats
from bot.leverage.optimum import Tiers
from bot.margin import isolated
from bot.margin import tiers as exact
from tests.kit.tables import tables

LINEAR = Contract.LINEAR

RELATIVE = 1e-9


sides = st.sampled_from((1, -1))
contracts = st.sampled_from(Contract)
values = st.floats(1, 1e8)
distances = st.floats(1e-4, 2)
prices = st.decimals(min_value=D("0.01"), max_value=D(100000), places=2)
sizes = st.decimals(min_value=D("0.001"), max_value=D(500), places=3)
tolerances = st.floats(-12, -0.302).map(lambda power: 10.0**power)


def finite(found: Floats) -> float:
    assert np.isfinite(found).all()
    return float(found)


@given(tables(), st.decimals(min_value=D(0), max_value=D(10**8), places=2))
def test_the_highest_line_is_the_tier_that_a_search_finds(
    table: tuple[MarginTier, ...], notional: D
) -> None:
    found = finite(optimum.maintenance(float(notional), Tiers.of(table)))
    expected = float(exact.maintenance_margin(table, notional=notional))
    scale = float(notional) + float(table[-1].maintenance_amount)
    assert found == pytest.approx(expected, rel=RELATIVE, abs=1e-15 * scale)
    cap = finite(optimum.setting_cap(float(notional), Tiers.of(table)))
    assert cap == float(exact.tier_at(table, notional=notional).max_leverage)


@given(tables(), sizes, prices, st.floats(0.001, 3), sides)
def test_liquidation_prices_are_those_of_the_exact_rules(
    table: tuple[MarginTier, ...], quantity: D, mark: D, share: float, side: int
) -> None:
    held = D(repr(share)) * quantity * mark
    size = side * quantity
    expected = isolated.liquidation_price(LINEAR, table, size=size, entry_price=mark, margin=held)
    found = finite(
        optimum.liquidation(
            float(held),
            mark=float(mark),
            value=float(quantity * mark),
            tiers=Tiers.of(table),
            side=side,
        )
    )
    # A price far below mark is a difference of two numbers of the size of mark.
    assert found == pytest.approx(float(expected or 0), rel=RELATIVE, abs=1e-14 * float(mark))


@given(tables(), sizes, prices, st.floats(1e-4, 0.999), sides)
def test_leverages_are_those_of_the_exact_rules(
    table: tuple[MarginTier, ...], quantity: D, mark: D, away: float, side: int
) -> None:
    expected = isolated.leverage_at_distance(
        LINEAR, table, size=side * quantity, mark_price=mark, distance=D(repr(away))
    )
    found = finite(
        optimum.leverage(
            -math.log1p(-away) if side > 0 else math.log1p(away),
            value=float(quantity * mark),
            tiers=Tiers.of(table),
            side=side,
        )
    )
    assert found == pytest.approx(float(expected), rel=RELATIVE)


@given(tables(), values, distances, sides, contracts)
def test_distance_equity_and_leverage_are_inverse(
    table: tuple[MarginTier, ...], value: float, a: float, side: int, contract: Contract
) -> None:
    unit = Tiers.of(table)
    need = finite(optimum.equity(a, value=value, tiers=unit, side=side, contract=contract))
    assert need > 0
    back = optimum.log_distance(need, value=value, tiers=unit, side=side, contract=contract)
    assert finite(back) == pytest.approx(a, rel=RELATIVE, abs=1e-12)
    leverage = optimum.leverage(a, value=value, tiers=unit, side=side, contract=contract)
    assert finite(leverage) == pytest.approx(value / need, rel=RELATIVE)
    carried = optimum.value_for(need, a_log=a, tiers=unit, side=side, contract=contract)
    assert finite(carried) == pytest.approx(value, rel=RELATIVE)


@given(tables(), values, distances, st.floats(0.01, 1e5), sides, contracts)
def test_the_liquidation_price_stands_at_the_log_distance(
    table: tuple[MarginTier, ...],
    value: float,
    a: float,
    mark: float,
    side: int,
    contract: Contract,
) -> None:
    unit = Tiers.of(table)
    need = optimum.equity(a, value=value, tiers=unit, side=side, contract=contract)
    price = finite(
        optimum.liquidation(need, mark=mark, value=value, tiers=unit, side=side, contract=contract)
    )
    assert price == pytest.approx(mark * math.exp(-side * a), rel=RELATIVE)


@given(tables(), values, distances, sides)
def test_an_inverse_position_is_the_opposite_linear_one_in_coin(
    table: tuple[MarginTier, ...], value: float, a: float, side: int
) -> None:
    unit = Tiers.of(table)
    inverse = optimum.equity(a, value=value, tiers=unit, side=side, contract=Contract.INVERSE)
    other = optimum.equity(a, value=value, tiers=unit, side=-side, contract=Contract.LINEAR)
    assert finite(inverse) == finite(other)


@given(tables(), values, distances, st.floats(1.001, 2), sides, contracts)
def test_farther_needs_more_equity_and_more_equity_stands_farther(
    table: tuple[MarginTier, ...],
    value: float,
    a: float,
    k: float,
    side: int,
    contract: Contract,
) -> None:
    unit = Tiers.of(table)
    need = optimum.equity([a, a * k], value=value, tiers=unit, side=side, contract=contract)
    assert np.isfinite(need).all()
    assert need[0] < need[1]


@given(tables(), values, distances, st.floats(1e-3, 1e3), sides, contracts)
def test_rescaling_the_currency_leaves_leverage_unchanged(
    table: tuple[MarginTier, ...],
    value: float,
    a: float,
    k: float,
    side: int,
    contract: Contract,
) -> None:
    one = Tiers.of(table)
    many = Tiers(floor=one.floor * k, rate=one.rate, amount=one.amount * k, cap=one.cap)
    found = [
        finite(optimum.leverage(a, value=v, tiers=unit, side=side, contract=contract))
        for v, unit in ((value, one), (value * k, many))
    ]
    assert found[1] == pytest.approx(found[0], rel=RELATIVE)


@given(
    tables(), values, tolerances, st.floats(1e-3, 0.05), st.floats(-5e-3, 5e-3), sides, contracts
)
def test_leverage_for_a_tolerance_is_touched_with_that_probability(
    table: tuple[MarginTier, ...],
    value: float,
    tolerance: float,
    sigma: float,
    drift: float,
    side: int,
    contract: Contract,
) -> None:
    unit = Tiers.of(table)
    leverage = finite(
        optimum.leverage_for(
            tolerance,
            sigma=sigma,
            hours=4,
            drift=drift,
            tiers=unit,
            side=side,
            value=value,
            contract=contract,
        )
    )
    a = optimum.log_distance(
        value / leverage, value=value, tiers=unit, side=side, contract=contract
    )
    touched = finite(passage.hit(finite(a), sigma=sigma, hours=4, drift=drift))
    # Equity rounds by its own size, the distance by that over the deviation.
    assert touched == pytest.approx(tolerance, rel=1e-6)


@given(
    tables(),
    sides,
    sizes,
    prices,
    st.decimals(min_value=D(-(10**6)), max_value=D(10**6), places=2),
    st.decimals(min_value=D(0), max_value=D(1000), places=3),
    st.decimals(min_value=D(0), max_value=D(1), places=2),
    prices,
)
def test_a_book_in_its_own_coin_is_healthy_exactly_inside_its_span(
    table: tuple[MarginTier, ...],
    side: int,
    quantity: D,
    entry: D,
    cash: D,
    coins: D,
    haircut: D,
    price: D,
) -> None:
    size = side * quantity
    span = optimum.reflexive(
        Tiers.of(table),
        size=float(size),
        entry=float(entry),
        cash=float(cash),
        coins=float(coins),
        haircut=float(haircut),
    )
    buffer = (
        cash
        + size * (price - entry)
        + (1 - haircut) * coins * price
        - exact.maintenance_margin(table, notional=quantity * price)
    )
    assume(abs(buffer) > D("1e-9") * (abs(cash) + quantity * (price + entry) + coins * price))
    assert (buffer > 0) == (span.below < float(price) < span.above)
    assert (buffer <= 0) or not span.is_empty


@given(tables(), sizes, prices, st.floats(0.01, 0.9), st.floats(0, 1))
def test_a_long_is_nearer_to_liquidation_with_coins_than_with_their_value_in_quote(
    table: tuple[MarginTier, ...], quantity: D, mark: D, share: float, haircut: float
) -> None:
    q, s = float(quantity), float(mark)
    coins, unit = share * q, Tiers.of(table)
    with_coins = optimum.reflexive(unit, size=q, entry=s, cash=0.0, coins=coins, haircut=haircut)
    with_quote = optimum.reflexive(unit, size=q, entry=s, cash=coins * s, coins=0.0, haircut=0.0)
    assume(with_quote.below < s * (1 - 1e-9))  # alive in quote
    assert with_coins.below > with_quote.below * (1 - 1e-12)


@given(st.floats(0, 100), st.floats(-0.1, 0.1), st.floats(1e-3, 0.1), st.floats(0.01, 1))
def test_a_kelly_cap_never_raises_leverage(
    highest: float, drift: float, sigma: float, fraction: float
) -> None:
    found = finite(optimum.kelly_cap(highest, drift=drift, sigma=sigma, fraction=fraction))
    assert 0 <= found <= highest
    assert drift > 0 or found == 0


@given(st.lists(tables(), min_size=1, max_size=6), st.floats(1e-3, 1), sides, contracts)
def test_stacked_tables_give_each_unit_its_own(
    found: list[tuple[MarginTier, ...]], a: float, side: int, contract: Contract
) -> None:
    units = [Tiers.of(table) for table in found]
    value = np.linspace(1e3, 1e7, len(units))
    together = optimum.leverage(
        a, value=value, tiers=Tiers.stack(units), side=side, contract=contract
    )
    apart = [
        finite(optimum.leverage(a, value=v, tiers=unit, side=side, contract=contract))
        for v, unit in zip(value, units, strict=True)
    ]
    assert together.tolist() == apart
    assert optimum.setting_cap(value, Tiers.stack(units)).tolist() == [
        finite(optimum.setting_cap(v, unit)) for v, unit in zip(value, units, strict=True)
    ]
