from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.margin.assess import assess, removable
from bot.rebalance.sizing import margin_surplus, setting_to_release
from tests.kit.builders import a_position, an_instrument

RULES = an_instrument()
TARGET = D("0.15")


def setting(margin: str, leverage: str, *, distance: D = TARGET) -> int | None:
    position = a_position(margin=margin, leverage_setting=leverage)
    return setting_to_release(assess(position, RULES), distance=distance)


@pytest.mark.parametrize(
    ("margin", "leverage", "expected"),
    [
        pytest.param("20000", "3", 7, id="the setting keeps everything in"),
        pytest.param("20000", "4", 7, id="the setting keeps a part in"),
        pytest.param("20000", "7", None, id="the setting is high enough"),
        pytest.param("5000", "12", None, id="nothing is to spare"),
    ],
)
def test_the_setting_that_lets_the_surplus_out_is_named_where_it_keeps_it_in(
    margin: str, leverage: str, expected: int | None
) -> None:
    assert setting(margin, leverage) == expected


def test_a_setting_that_the_venue_does_not_allow_is_not_proposed() -> None:
    tiers = tuple(replace(tier, max_leverage=D(6)) for tier in RULES.tiers)
    risk = assess(a_position(margin="20000", leverage_setting="3"), replace(RULES, tiers=tiers))
    assert setting_to_release(risk, distance=TARGET) is None


@given(st.integers(5_000, 60_000), st.integers(1, 20), st.sampled_from([1, -1]))
def test_with_the_proposed_setting_all_that_is_to_spare_may_leave(
    margin: int, leverage: int, side: int
) -> None:
    position = a_position(margin=str(margin), size=str(side), leverage_setting=str(leverage))
    risk = assess(position, RULES)
    proposed = setting_to_release(risk, distance=TARGET)
    if proposed is None:
        return
    assert proposed > leverage
    raised = assess(replace(position, leverage_setting=D(proposed)), RULES)
    assert margin_surplus(raised, distance=TARGET) > margin_surplus(risk, distance=TARGET)
    assert margin_surplus(raised, distance=TARGET) < removable(raised.position, RULES) + 1
