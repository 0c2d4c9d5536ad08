from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import AddMargin
from bot.domain.decision import Decision, Urgency, Verdict
from bot.domain.mode import Mode
from bot.rebalance.claims import Claim, believed
from bot.rebalance.memory import Memory, Move, adopt, remember
from tests.kit.builders import NOON, a_position, an_observation

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D(100), currency="USDT")
HOUR_AGO = NOON - timedelta(hours=1)


@pytest.mark.parametrize("field", ["unsettled", "given_up"])
def test_what_is_open_is_spent_however_old_it_is(field: str) -> None:
    open_: dict[str, Any] = {field: (ADD,)}
    memory = Memory(**open_)
    assert memory.added_since(KEY, HOUR_AGO) == 100
    assert memory.additions_since(KEY, HOUR_AGO) == 1
    old = replace(memory, moves=(Move(at=NOON - timedelta(hours=3), action=ADD),))
    assert old.added_since(KEY, HOUR_AGO) == 100


def test_what_is_open_is_spent_once() -> None:
    memory = Memory(moves=(Move(at=NOON, action=ADD),), unsettled=(ADD,))
    assert memory.added_since(KEY, HOUR_AGO) == 100
    twice = replace(memory, unsettled=(ADD, ADD))
    assert twice.added_since(KEY, HOUR_AGO) == 200


def test_what_only_puts_back_is_not_spent() -> None:
    back = replace(ADD, after_reduction=True)
    memory = Memory(moves=(Move(at=NOON, action=back),), given_up=(back,))
    assert memory.added_since(KEY, HOUR_AGO) == 0


HOLD = Decision(
    at=NOON,
    account="main",
    mode=Mode.NORMAL,
    urgency=Urgency.HOLD,
    verdict=Verdict.HOLD,
    reason="no_positions",
)


def test_a_persons_move_is_remembered_for_a_day() -> None:
    account = an_observation(a_position()).account
    memory = adopt(Memory(), [KEY], amount=D(5), at=NOON)
    assert memory.of(KEY).touched_at == NOON
    for days, is_remembered in ((1.0, True), (1.1, False)):
        decision = replace(HOLD, at=NOON + timedelta(days=days))
        after = remember(memory, decision, account=account, effects=(), unsettled=())
        assert (after.of(KEY).touched_at == NOON) is is_remembered


def test_what_the_books_hold_lowers_a_claim_and_never_raises_one_that_runs() -> None:
    soon, later = NOON + timedelta(seconds=5), NOON + timedelta(seconds=15)
    claims = tuple(
        Claim(wallet=wallet, currency="USDT", at_most=D(100), until=until)
        for wallet, until in (("a", soon), ("b", soon), ("c", NOON), ("d", soon))
    )
    holds = {("a", "USDT"): D(70), ("b", "USDT"): D(130), ("c", "USDT"): D(130)}
    after = believed(claims, holds, at=NOON)
    assert [(c.wallet, c.at_most, c.until) for c in after] == [
        ("a", D(70), later),
        ("b", D(100), later),
        ("c", D(130), later),
        ("d", D(100), soon),
    ]
