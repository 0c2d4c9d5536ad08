"""What may leave, and where does it end: budget, place, person, wallet?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import Action
from bot.domain.decision import Urgency
from bot.domain.instrument import MarginRelease
from bot.domain.position import MarginMode
from bot.domain.venue import VenueCondition
from bot.execute.denial import DenialCode
from bot.execute.facts import Conditions
from bot.execute.guard import guard
from bot.rebalance.memory import KeyMemory, Memory
from tests.kit.builders import NOON, a_policy, a_position, an_instrument, an_observation
from tests.kit.guarding import (
    ADD,
    CANCEL,
    KEY,
    MOVE,
    OWN,
    REDUCE,
    REMOVE,
    RICH,
    STOP,
    after,
    held,
    some_facts,
    under,
)


@pytest.mark.parametrize(
    ("action", "margin"),
    [(ADD, "5000"), (REDUCE, "5000"), (MOVE, "5000"), (STOP, "5000"), (CANCEL, "5000")],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_what_is_right_may_leave(action: Action, margin: str) -> None:
    assert guard(some_facts(action, margin=margin)) is None


def test_margin_of_the_bot_may_be_given_back() -> None:
    assert guard(some_facts(REMOVE, margin=RICH, **OWN)) is None


def test_what_protects_may_leave_when_only_its_part_of_the_budget_is_left() -> None:
    way = Conditions(venue=VenueCondition(weight_left=5, weight_left_optional=0))
    assert guard(some_facts(ADD, conditions=way)) is None
    stopped = guard(some_facts(MOVE, conditions=way))
    assert stopped is not None
    assert stopped.code == DenialCode.WEIGHT_EXHAUSTED.value


def test_what_the_books_do_not_hold_cannot_be_spent_whatever_the_venue_shows() -> None:
    holds = {("futures", "USDT"): D(20)}
    refusal = guard(some_facts(holds=holds))
    assert refusal is not None
    assert refusal.code == DenialCode.LEDGER_SHORT
    assert guard(some_facts(holds={("spot", "USDT"): D(0)})) is None


@pytest.mark.parametrize(("ago", "is_denied"), [(9.9, True), (10, False)])
def test_what_a_person_touched_is_left_alone_for_the_cooldown(ago: float, is_denied: bool) -> None:
    entry = KeyMemory(key=KEY, touched_at=NOON - timedelta(seconds=ago))
    refusal = guard(some_facts(memory=Memory(keys=(entry,))))
    assert (refusal is not None and refusal.code == DenialCode.COOLDOWN) is is_denied
    back = replace(ADD, after_reduction=True)
    assert guard(some_facts(back, memory=Memory(keys=(entry,)))) is None
    urgent = some_facts(memory=Memory(keys=(entry,)), urgency=Urgency.EMERGENCY)
    assert guard(urgent) is None


def test_an_action_is_above_its_budget_by_the_digits_it_carries_at_most() -> None:
    policy = a_policy(max_margin_per_action=D(100))
    assert guard(some_facts(replace(ADD, amount=D("100.00999")), policy=policy)) is None
    refusal = guard(some_facts(replace(ADD, amount=D("100.01001")), policy=policy))
    assert refusal is not None
    assert refusal.code == "budget_action"


def test_no_more_of_a_position_is_closed_at_once_than_the_policy_says() -> None:
    policy = a_policy(max_reduction_per_action=D("0.4"))
    assert guard(some_facts(replace(REDUCE, size=D("0.4")), policy=policy)) is None
    refusal = guard(some_facts(replace(REDUCE, size=D("0.401")), policy=policy))
    assert refusal is not None
    assert refusal.code == "budget_action"
    least = a_policy(max_reduction_per_action=D("0.0001"))
    assert guard(some_facts(replace(REDUCE, size=D("0.001")), policy=least)) is None


def test_margin_moves_need_isolated_margin() -> None:
    refusal = guard(some_facts(**held(margin_mode=MarginMode.CROSS)))
    assert refusal is not None
    assert refusal.code == "op_unsupported"


@pytest.mark.parametrize(("size", "price"), [("1", 60000), ("-1", 59999)])
def test_a_stop_that_would_fire_at_once_is_not_placed(size: str, price: int) -> None:
    position = a_position(size=size)
    stop = replace(STOP, key=position.key, stop_price=D(price))
    refusal = guard(some_facts(stop, account=an_observation(position).account))
    assert refusal is not None
    assert refusal.code == "post_state_worse"


def test_the_reserve_takes_what_protects() -> None:
    for action in (ADD, REDUCE):
        facts = under(action, is_journal_writable=False)
        assert guard(replace(facts, urgency=Urgency.EMERGENCY)) is None
        for urgency in set(Urgency) - {Urgency.EMERGENCY}:
            refusal = guard(replace(facts, urgency=urgency))
            assert refusal is not None
            assert refusal.code == "journal_unwritable"


def test_margin_that_no_price_can_reach_is_given_back_without_a_price_to_dispute() -> None:
    account = an_observation(a_position(margin="70000")).account
    assert guard(some_facts(REMOVE, account=account, **OWN)) is None


def test_a_reduction_that_leaves_the_margin_behind_may_leave() -> None:
    rules = {KEY.symbol: an_instrument(margin_release=MarginRelease.STAYS)}
    assert guard(some_facts(REDUCE, instruments=rules)) is None


def test_a_position_smaller_than_any_order_may_be_closed() -> None:
    account = an_observation(a_position(size="0.00047", margin="3")).account
    close = replace(REDUCE, size=D("0.00047"))
    assert guard(some_facts(close, account=account)) is None
    part = guard(some_facts(replace(REDUCE, size=D("0.00046")), account=account))
    assert part is not None
    assert part.code == "step_mismatch"


def test_a_quarter_of_the_moves_is_kept_for_emergencies() -> None:
    moves = tuple((120.0 + n, replace(ADD, amount=D(10 + n))) for n in range(30))
    spent = after(*moves)
    routine = guard(some_facts(memory=spent))
    assert routine is not None
    assert routine.code == "budget_position"
    assert guard(some_facts(memory=spent, urgency=Urgency.EMERGENCY)) is None


@pytest.mark.parametrize(
    ("source", "destination"),
    [("futures", "spot"), ("spot", "spot"), ("futures", "futures")],
)
def test_transfers_only_feed_the_wallet_that_backs_positions(source: str, destination: str) -> None:
    refusal = guard(some_facts(replace(MOVE, source=source, destination=destination)))
    assert refusal is not None
    assert refusal.code == "endpoint_not_allowed"


def test_a_wallet_that_may_be_drawn_on_feeds_positions_and_nothing_else() -> None:
    policy = a_policy(transfer_from=("spot", "futures"))
    refusal = guard(some_facts(replace(MOVE, source="futures", destination="spot"), policy=policy))
    assert refusal is not None
    assert refusal.code == "endpoint_not_allowed"


def test_a_wallet_that_may_not_be_drawn_on_is_not() -> None:
    refusal = guard(some_facts(MOVE, policy=a_policy(transfer_from=())))
    assert refusal is not None
    assert refusal.code == "endpoint_not_allowed"


def test_no_more_is_given_back_than_the_venue_releases() -> None:
    account = some_facts(REMOVE, margin=RICH).account
    position = replace(account.positions[0], leverage_setting=D(3))
    facts = some_facts(REMOVE, margin=RICH, account=replace(account, positions=(position,)), **OWN)
    refusal = guard(facts)
    assert refusal is not None
    assert refusal.code == "above_maximum"
