"""What may leave beside moves whose effect is not known yet, and what do they count for?"""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.decision import Urgency
from bot.execute.guard import guard
from bot.rebalance.memory import Memory
from tests.kit.builders import a_policy
from tests.kit.guarding import ADD, OTHER, after, critical, some_facts


def test_one_over_add_is_allowed_beside_an_unknown_one_in_an_emergency_only() -> None:
    other = replace(ADD, amount=D("80.00456"))
    memory = after((30, other), unsettled=(other,))
    routine = guard(some_facts(memory=memory))
    assert routine is not None
    assert routine.code == "in_flight"
    assert guard(critical(memory=memory)) is None


def test_an_over_add_needs_a_critical_distance_and_a_band() -> None:
    memory = after((30, OTHER), unsettled=(OTHER,))
    for facts in (
        some_facts(memory=memory, urgency=Urgency.EMERGENCY),
        critical(memory=memory, bands={}),
    ):
        refusal = guard(facts)
        assert refusal is not None
        assert refusal.code == "over_add_refused"


def test_an_over_add_counts_all_open_additions() -> None:
    memory = after((30, OTHER), unsettled=(OTHER,))
    for limit, allowed in ((180, False), (181, True)):
        refusal = guard(critical(memory=memory, policy=a_policy(max_margin_per_hour=D(limit))))
        assert (refusal is None) == allowed
        assert refusal is None or refusal.code == "over_add_refused"


def test_a_second_over_add_is_refused() -> None:
    more = replace(ADD, amount=D("60.00457"))
    memory = after((30, OTHER), (20, more), unsettled=(OTHER, more))
    refusal = guard(critical(memory=memory))
    assert refusal is not None
    assert refusal.code == "over_add_refused"


def test_an_over_add_is_an_own_amount() -> None:
    refusal = guard(critical(memory=after((30, ADD), unsettled=(ADD,))))
    assert refusal is not None
    assert refusal.code == "duplicate"


def test_what_a_reduction_released_returns_beside_an_unknown_move() -> None:
    memory = after((30, OTHER), unsettled=(OTHER,))
    back = replace(ADD, after_reduction=True)
    assert guard(some_facts(back, memory=memory, urgency=Urgency.EMERGENCY)) is None


@pytest.mark.parametrize("field", ["unsettled", "given_up"])
def test_what_is_open_counts_in_full_however_old_it_is(field: str) -> None:
    policy = a_policy(max_margin_per_hour=D(170), max_margin_per_day=D(170))
    open_: dict[str, Any] = {field: (OTHER,)}
    facts = critical(memory=Memory(**open_), policy=policy)
    refusal = guard(facts)
    assert refusal is not None
    assert refusal.code == ("over_add_refused" if field == "unsettled" else "budget_position")
    assert guard(critical(policy=policy)) is None


def test_what_is_open_counts_once() -> None:
    policy = a_policy(max_margin_per_hour=D(181), max_margin_per_day=D(181))
    memory = after((400, OTHER), given_up=(OTHER,))
    assert guard(critical(memory=memory, policy=policy)) is None
