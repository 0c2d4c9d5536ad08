"""Bybit grosses what was added to an isolated position; elsewhere all margin counts as it is."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import AddMargin
from bot.domain.instrument import Contract, Instrument
from bot.domain.position import Position
from bot.margin import backing
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.margin.by_rule import Terms, liquidation_price
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from bot.rebalance.memory import Memory
from bot.rebalance.review import review
from bot.rebalance.sizing import margin_need
from tests.kit.builders import (
    LEVELS,
    NOON,
    ONE_TIER,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
)

BYBIT = replace(an_instrument(table=ONE_TIER), added_fee=D("0.00055"))


def held(size: str, margin: str, leverage: str = "10") -> Position:
    return replace(
        a_position(),
        size=D(size),
        entry_price=D(20_000),
        mark_price=D(20_000),
        margin=D(margin),
        leverage_setting=D(leverage),
    )


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        pytest.param("1", D(2000) + D(1000) / D("0.99945"), id="long"),
        pytest.param("-1", D(2000) + D(1000) / D("1.00055"), id="short"),
    ],
)
def test_only_what_was_added_beyond_the_initial_margin_is_grossed(size: str, counts: D) -> None:
    assert backing.of_position(held(size, "3000"), BYBIT) == counts


@pytest.mark.parametrize("margin", ["2000", "1500", "-3"])
def test_what_is_left_of_an_initial_margin_counts_as_it_is(margin: str) -> None:
    assert backing.of_position(held("1", margin), BYBIT) == D(margin)


def test_where_nothing_is_grossed_all_margin_counts_as_it_is() -> None:
    assert backing.of_position(held("1", "3000"), an_instrument()) == D(3000)


@given(
    size=st.integers(-500, 500).filter(bool).map(lambda n: D(n) / 100),
    extra=st.integers(0, 50_000_000).map(lambda n: D(n) / 10_000),
    leverage=st.integers(2, 50),
)
def test_our_price_is_that_of_the_published_rule_whatever_was_added(
    size: D, extra: D, leverage: int
) -> None:
    initial = abs(size) * 20_000 / leverage
    ours = assess(held(str(size), str(initial + extra), str(leverage)), BYBIT).liquidation_price
    assert ours is None or ours >= 0
    theirs = by_the_rule(BYBIT, size, extra, leverage)
    if ours is None or theirs is None:
        assert ours is theirs
    else:
        assert abs(ours - theirs) <= D("1e-15") * theirs


def by_the_rule(instrument: Instrument, size: D, extra: D, leverage: int) -> D | None:
    rule = rule_for(
        venue="bybit", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=date(2026, 6, 1)
    )
    counts = backing.from_setting(
        contract=Contract.LINEAR,
        size=size,
        entry_price=D(20_000),
        leverage_setting=D(leverage),
        extra=extra,
        taker_fee=instrument.added_fee,
    )
    terms = Terms(
        size=size, entry_price=D(20_000), mark_price=D(20_000), margin=counts,
        tiers=instrument.tiers,
    )  # fmt: skip
    return liquidation_price(rule, terms)


@pytest.mark.parametrize("size", ["1", "-1"])
@pytest.mark.parametrize("distance", ["0.05", "0.2", "0.4"])
def test_what_is_needed_for_a_distance_stands_exactly_there(size: str, distance: str) -> None:
    risk = assess(held(size, "500"), BYBIT)
    wanted = D(distance)
    margin = risk.position.margin + margin_need(risk, distance=wanted)
    found = assess(held(size, str(margin)), BYBIT).distance
    assert found is not None
    # A step of the collateral is worth 5e-7 of this position.
    assert wanted <= found <= wanted + D("1e-6")


@pytest.mark.parametrize("size", ["1", "-1"])
def test_the_review_lets_a_little_be_added_to_much(size: str) -> None:
    much = held(size, "6000")
    add = AddMargin(key=much.key, amount=D(1), currency="USDT")
    account = an_observation(much, futures="1000").account
    bands = {much.key: band_at_distances(assess(much, BYBIT), LEVELS)}
    refusal = review(
        add, account, {much.symbol: BYBIT}, bands, Memory(), a_policy(), now=NOON, age_ms=0
    )
    assert refusal is None
