"""What does Bitget refuse, and what is not even sent there?"""

import pytest

from bot.domain.action import Action, CancelStop
from bot.domain.intent import Outcome
from bot.domain.position import PositionKey, Side
from bot.exchanges.bitget.adapter import BitgetVenue
from tests.kit.bitget import Rig
from tests.kit.moves import SOL, SOL_SHORT, add, move, reduce, remove, stop
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(add("99999999"), "40798", id="too little there"),
        pytest.param(remove("749"), "40801", id="locked"),
        pytest.param(
            add("1", PositionKey("BTC/USDT:USDT", Side.LONG)), "40802", id="of the other side"
        ),
        pytest.param(move(amount="99999"), "43117", id="too little to transfer"),
        pytest.param(stop("999.00"), "40917", id="would fire at once"),
        pytest.param(stop("999.00", key=SOL_SHORT), "40891", id="a stop of nothing"),
        pytest.param(reduce("7", "1.00"), "40815", id="price out of bounds"),
        pytest.param(reduce("7", "151.00", SOL_SHORT), "22002", id="nothing to reduce"),
    ],
)
async def test_a_refusal_with_a_listed_code_is_rejected(
    venue: BitgetVenue, rig: Rig, action: Action, code: str
) -> None:
    done = await send(venue, rig, action)
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)


async def test_a_stop_that_is_not_there_is_refused_without_a_code_and_found_gone(
    venue: BitgetVenue, rig: Rig
) -> None:
    gone = CancelStop(key=SOL, stop_id="77", client_id=NAME)
    done = await send(venue, rig, gone)
    assert (done.outcome, done.code) == (Outcome.UNKNOWN, "unexpected_answer")
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1


async def test_a_name_that_the_venue_does_not_take_never_leaves(
    venue: BitgetVenue, rig: Rig
) -> None:
    before = len(rig.desk.requests)
    for action in (reduce(), stop(), move()):
        done = await send(venue, rig, action, "pl-1")
        assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")
    assert len(rig.desk.requests) == before


async def test_a_stop_for_whatever_is_open_never_leaves(venue: BitgetVenue, rig: Rig) -> None:
    before = len(rig.desk.requests)
    done = await send(venue, rig, stop(size=None))
    assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")
    assert "of a size" in done.text
    assert len(rig.desk.requests) == before
