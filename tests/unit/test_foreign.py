"""What a line of the venue's ledger says about who wrote it."""

from decimal import Decimal as D

import pytest

from bot.domain.action import Action, AddMargin, PlaceStop, RemoveMargin, Transfer
from bot.execute.foreign import Actor, classified
from tests.kit.builders import NOON, a_position
from tests.kit.ledger_world import WRITER, row_of

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D("100.00001"), currency="USDT")
REMOVE = RemoveMargin(key=KEY, amount=D("40.00001"), currency="USDT")
OUT = Transfer(source="futures", destination="spot", amount=D("30.00001"), currency="USDT")
STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(50000), is_needed=True)


@pytest.mark.parametrize("action", [ADD, REMOVE, OUT])
def test_a_move_of_ours_that_comes_again_is_nobody_elses(action: Action) -> None:
    row = row_of(action, action.amount, NOON, "again")  # type: ignore[union-attr]  # all move money
    (found,) = classified([row], [], WRITER, own=[STOP, action])
    assert (found.actor, found.is_repeat) == (Actor.EXTERNAL, True)
    (found,) = classified([row], [], WRITER, own=[STOP])
    assert (found.actor, found.is_repeat) == (Actor.EXTERNAL, False)
