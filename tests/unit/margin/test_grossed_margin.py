"""Bybit grosses what was added to an isolated position; elsewhere all margin counts as it is."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, Instrument
from bot.domain.position import Position
from bot.margin import backing
from bot.margin.assess import assess
from bot.margin.by_rule import Terms, liquidation_price
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from tests.kit.builders import ONE_TIER, a_position, an_instrument

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
