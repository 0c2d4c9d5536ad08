"""What does Bybit refuse?"""

import pytest

from bot.domain.action import Action
from bot.domain.intent import Outcome
from bot.exchanges.bybit.adapter import BybitVenue
from tests.kit.bybit import Rig
from tests.kit.moves import add, move, reduce, remove, stop
from tests.kit.rigs import send


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(add("99999999"), "110014", id="more than there is"),
        pytest.param(remove("700"), "110011", id="more than is let out"),
        pytest.param(move(amount="999999"), "131212", id="more than is held"),
        pytest.param(reduce("7", "100.00"), "110003", id="out of bounds"),
        pytest.param(stop("160.00"), "110093", id="would fire"),
    ],
)
async def test_a_refusal_with_a_listed_code_is_rejected(
    venue: BybitVenue, rig: Rig, action: Action, code: str
) -> None:
    await venue.observe()
    done = await send(venue, rig, action)
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)
