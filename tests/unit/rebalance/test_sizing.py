from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.margin.assess import assess, removable
from bot.rebalance.sizing import margin_surplus, reduction_need, setting_to_release
from tests.kit.builders import COIN, a_coin_instrument, a_position, an_instrument, tiers

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
    table = tuple(replace(tier, max_leverage=D(6)) for tier in RULES.tiers)
    risk = assess(a_position(margin="20000", leverage_setting="3"), replace(RULES, tiers=table))
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


# Without maintenance a distance of an eighth needs an eighth of the value.
FREE = tuple(replace(tier, max_leverage=D(8)) for tier in tiers(("0", "0", "0")))
EIGHTH = D("0.125")


def test_the_highest_setting_of_a_tier_may_be_told_and_none_above() -> None:
    rich = a_position(margin="20000", leverage_setting="5")
    for most, told in ((D(8), 8), (D(7), None)):
        rules = an_instrument(table=tuple(replace(tier, max_leverage=most) for tier in FREE))
        assert setting_to_release(assess(rich, rules), distance=EIGHTH) == told


def test_a_setting_that_keeps_part_of_a_coin_in_is_told() -> None:
    rules = a_coin_instrument(table=FREE)
    # At seven eighths of mark the value has grown by a seventh.
    rich = a_position(COIN, size="60000", margin="0.5", leverage_setting="2")
    assert setting_to_release(assess(rich, rules), distance=EIGHTH) == 7


def test_where_another_limit_keeps_profit_in_no_setting_is_told() -> None:
    # All of its margin may leave, and more would have to for it to stand at its target.
    winner = a_position(entry="30000", leverage_setting="50")
    assert setting_to_release(assess(winner, an_instrument()), distance=D("0.15")) is None


def test_the_smallest_close_that_just_reaches_a_distance_is_enough() -> None:
    rules = replace(an_instrument(table=FREE), taker_fee=D(0))
    size = reduction_need(a_position(), rules, distance=EIGHTH, limit_price=D(60000))
    assert size == D("0.2")
