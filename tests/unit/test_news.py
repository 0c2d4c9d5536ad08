"""One reading of a number that changed proves little; each doubt ends by itself."""

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_DOWN
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Instrument
from bot.domain.observation import Observation
from bot.domain.position import PositionMode
from bot.execute.news import CLOSING, CONFIRMED_AFTER, INDEX_SPLIT, JUMP, News, Seen, compare
from bot.margin.assess import assess
from tests.kit.builders import (
    BTC,
    COIN,
    ETH,
    NOON,
    a_coin_instrument,
    a_market,
    a_position,
    an_instrument,
    an_observation,
    tiers,
)

DISPUTE = D("0.01")
NEW = tiers(("0", "0.02", "0"))


def look(seen: Seen, observation: Observation) -> News:
    return compare(seen, observation, dispute=DISPUTE)


def at_price(mark: str, *, index: str, seconds: float = 0) -> Observation:
    at = NOON + timedelta(seconds=seconds)
    market = replace(a_market(mark=mark, mark_at=at), index_price=D(index))
    return an_observation(a_position(mark=mark), at=at, markets=(market,))


@given(
    marks=st.lists(st.decimals(min_value="0.0001", max_value="1e6", places=4), max_size=6),
)
def test_whatever_the_marks_do_an_index_that_follows_leaves_no_doubt(marks: list[D]) -> None:
    seen = Seen()
    for mark in marks:
        news = look(seen, at_price(str(mark), index=str(mark)))
        assert not news.unconfirmed
        seen = news.seen


@given(
    mark=st.decimals(min_value="1", max_value="1e6", places=2),
    index=st.decimals(min_value="1", max_value="1e6", places=2),
)
def test_the_first_look_is_believed(mark: D, index: D) -> None:
    news = look(Seen(), at_price(str(mark), index=str(index)))
    assert (news.unconfirmed, news.unagreed, news.alarms) == (frozenset(), frozenset(), ())
    assert news.mode is PositionMode.ONE_WAY


def test_a_jump_without_its_index_is_in_doubt_for_a_minute_and_told_once() -> None:
    seen = look(Seen(), at_price("60000", index="60000")).seen
    first = look(seen, at_price("56000", index="60000"))
    assert first.unconfirmed == {BTC}
    assert [code for code, _ in first.alarms] == ["price_unconfirmed"]
    later = look(first.seen, at_price("55900", index="60000", seconds=59))
    assert later.unconfirmed == {BTC}
    assert later.alarms == ()
    after = CONFIRMED_AFTER.total_seconds()
    last = look(later.seen, at_price("55900", index="60000", seconds=after))
    assert last.unconfirmed == frozenset()


def test_the_index_that_follows_ends_the_doubt() -> None:
    seen = look(Seen(), at_price("60000", index="60000")).seen
    doubtful = look(seen, at_price("56000", index="60000"))
    followed = look(doubtful.seen, at_price("56000", index="56500", seconds=2))
    assert followed.unconfirmed == frozenset()


def test_the_borders_of_a_jump_belong_to_no_doubt() -> None:
    seen = look(Seen(), at_price("60000", index="60000")).seen
    edge = D(60000) * (1 - JUMP)
    assert not look(seen, at_price(str(edge), index="60000")).unconfirmed
    beyond = edge - D("0.1")
    near = (beyond / (1 - INDEX_SPLIT)).quantize(D("0.01"), ROUND_DOWN)
    assert look(seen, at_price(str(beyond), index="60000")).unconfirmed
    assert not look(seen, at_price(str(beyond), index=str(near))).unconfirmed


def test_a_split_that_grew_slowly_is_no_jump() -> None:
    seen = Seen()
    for step in range(10):
        news = look(seen, at_price(str(60000 - 1000 * step), index="60000"))
        assert not news.unconfirmed
        seen = news.seen


def held(price: str | None) -> Observation:
    position = a_position(venue_liquidation_price=price)
    other = a_position(ETH, mark="3000", entry="3000", margin="900")
    rules = (an_instrument(table=NEW), an_instrument(ETH))
    return an_observation(position, other, instruments=rules)


def test_a_new_table_is_agreed_when_the_venue_liquidates_by_it() -> None:
    seen = look(Seen(), an_observation(a_position())).seen
    changed = look(seen, held("54244.7"))
    assert changed.unagreed == {BTC}
    assert [code for code, _ in changed.alarms] == ["tiers_changed"]
    disputed = look(changed.seen, held("54244.7"))
    assert disputed.unagreed == {BTC}
    assert disputed.alarms == ()
    agreed = look(disputed.seen, held("55102.04"))
    assert agreed.unagreed == frozenset()


@pytest.mark.parametrize("price", [None, "1"])
def test_a_table_is_not_agreed_while_the_venue_says_something_else(price: str | None) -> None:
    seen = look(Seen(), an_observation(a_position())).seen
    changed = look(seen, held(price))
    assert look(changed.seen, held(price)).unagreed == {BTC}


def test_a_table_that_nothing_is_held_under_is_agreed_at_the_next_look() -> None:
    nothing = replace(held(None), account=replace(held(None).account, positions=()))
    seen = look(Seen(), an_observation(a_position())).seen
    changed = look(seen, nothing)
    assert changed.unagreed == {BTC}
    assert look(changed.seen, nothing).unagreed == frozenset()


def test_an_end_is_told_when_it_is_known_and_counts_in_its_last_hour() -> None:
    ends = NOON + timedelta(hours=3)
    seen = look(Seen(), an_observation(a_position())).seen
    ending = replace(an_instrument(), closes_at=ends)

    def at(hours: float, seen: Seen) -> News:
        observation = an_observation(
            a_position(), at=NOON + timedelta(hours=hours), instruments=(ending,)
        )
        return look(seen, observation)

    early = at(1, seen)
    assert [code for code, _ in early.alarms] == ["symbol_closing"]
    assert early.closing == frozenset()
    assert at(2, early.seen).alarms == ()
    assert at(2, early.seen).closing == {BTC}
    assert ends - CLOSING == NOON + timedelta(hours=2)


@pytest.mark.parametrize("size", ["60000", "-60000"])
def test_a_table_of_a_coin_is_confirmed_by_the_venues_price_of_an_inverse_position(
    size: str,
) -> None:
    held = a_position(COIN, size=size, margin="0.1")

    def shown(instrument: Instrument, price: D | None) -> Observation:
        position = replace(held, venue_liquidation_price=price)
        return an_observation(
            position, instruments=(instrument,), markets=(a_market(COIN),), currency="BTC"
        )

    first = a_coin_instrument()
    changed = replace(first, tiers=NEW)
    seen = look(Seen(), shown(first, assess(held, first).liquidation_price)).seen
    new = look(seen, shown(changed, assess(held, changed).liquidation_price))
    assert new.unagreed == {COIN}  # one reading of it proves little
    ours = assess(held, changed).liquidation_price
    assert ours is not None
    assert look(new.seen, shown(changed, ours)).unagreed == frozenset()
    assert look(new.seen, shown(changed, ours * D("1.02"))).unagreed == {COIN}
