from dataclasses import astuple, replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.band import Levels
from bot.domain.instrument import Contract
from bot.domain.risk import PositionRisk
from bot.margin import isolated
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances, band_at_leverages
from bot.margin.tiers import tier_at
from tests.kit.builders import FOUR_TIERS, a_position, an_instrument

LINEAR = Contract.LINEAR

RISK = assess(a_position(), an_instrument())
SHORT = assess(a_position(size="-1"), an_instrument())
LEVERAGES = Levels(emergency=D(17), trigger=D(9), target=D(6), give_back=D(3))


@given(st.integers(10, 900), st.sampled_from([RISK, SHORT]))
def test_leverages_and_distances_lead_back_to_each_other(
    thousandths: int, risk: PositionRisk
) -> None:
    step = D(thousandths) / 4000
    levels = Levels(emergency=step, trigger=2 * step, target=3 * step, give_back=4 * step)
    there = band_at_distances(risk, levels)
    back = band_at_leverages(risk, there.leverage)
    for reached, wanted in zip(astuple(back.distance), astuple(levels), strict=True):
        assert abs(reached - wanted) < D("1e-20")


def test_a_leverage_that_no_price_liquidates_has_no_distance_and_is_named() -> None:
    with pytest.raises(ValueError, match=r"give_back leverage .* must be high enough.* was 1"):
        band_at_leverages(RISK, replace(LEVERAGES, give_back=D(1)))


def test_levels_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="distances must satisfy"):
        band_at_leverages(RISK, replace(LEVERAGES, trigger=D(5)))


@pytest.mark.parametrize("leverage", [D(0), D(-1)])
def test_a_leverage_is_above_zero(leverage: D) -> None:
    with pytest.raises(ValueError, match="leverage must be > 0"):
        isolated.distance_at_leverage(
            LINEAR, FOUR_TIERS, size=D(1), mark_price=D(60000), leverage=leverage
        )


@pytest.mark.parametrize("distance", [D(1), D("1.5")])
def test_a_long_never_stands_at_a_distance_of_one_and_a_short_may(distance: D) -> None:
    with pytest.raises(ValueError, match="must be below 1"):
        isolated.leverage_at_distance(
            LINEAR, FOUR_TIERS, size=D(1), mark_price=D(60000), distance=distance
        )
    with pytest.raises(ValueError, match="must be below 1"):
        isolated.margin_for_distance(
            LINEAR,
            FOUR_TIERS,
            size=D(1),
            entry_price=D(60000),
            mark_price=D(60000),
            distance=distance,
        )
    assert (
        isolated.leverage_at_distance(
            LINEAR, FOUR_TIERS, size=D(-1), mark_price=D(60000), distance=distance
        )
        < 1
    )


def test_without_tiers_or_size_nothing_is_answered() -> None:
    with pytest.raises(ValueError, match="tiers must not be empty"):
        tier_at((), notional=D(1))
    with pytest.raises(ValueError, match="tiers must not be empty"):
        isolated.liquidation_price(LINEAR, (), size=D(1), entry_price=D(1), margin=D(1))
    with pytest.raises(ValueError, match="size must not be 0"):
        isolated.liquidation_price(LINEAR, FOUR_TIERS, size=D(0), entry_price=D(1), margin=D(1))
