from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import AddMargin
from bot.rebalance.memory import Memory, Move
from tests.kit.builders import NOON, a_position

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
