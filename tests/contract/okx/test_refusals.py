"""What does OKX refuse, and what is not even sent there?"""

import json

import pytest

from bot.domain.action import Action, CancelStop
from bot.domain.intent import Outcome
from bot.domain.position import PositionKey, Side
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from tests.kit.moves import SOL, SOL_SHORT, add, move, reduce, remove, stop
from tests.kit.okx import Rig
from tests.kit.paper import NAME
from tests.kit.rigs import send


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(add("99999999"), "51119", id="too little there"),
        pytest.param(remove("749"), "59301", id="locked"),
        pytest.param(add("1", PositionKey("BTC/USDT:USDT", Side.LONG)), "", id="of the other side"),
        pytest.param(move(amount="99999"), "58350", id="too little to transfer"),
        pytest.param(stop("999.00"), "51280", id="would fire at once"),
        pytest.param(reduce("7", "1.00"), "51006", id="price out of bounds"),
        pytest.param(reduce("7", "151.00", SOL_SHORT), "51169", id="nothing to reduce"),
        pytest.param(CancelStop(key=SOL, stop_id="77", client_id=NAME), "51400", id="no stop"),
    ],
)
async def test_a_refusal_with_a_listed_code_is_rejected(
    venue: OkxVenue, rig: Rig, action: Action, code: str
) -> None:
    done = await send(venue, rig, action)
    if not code:  # in one-way mode there is one position of a symbol, whatever its side
        assert done.outcome is Outcome.DONE
        return
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)


@pytest.mark.parametrize("whole", ["0", "1", "2"])
async def test_a_refused_item_under_any_code_is_never_done(
    venue: OkxVenue, rig: Rig, whole: str
) -> None:
    def refused(text: str) -> str:
        body = json.loads(text)
        body["data"][0] |= {"sCode": "51400", "sMsg": "no"}
        return json.dumps(body | {"code": whole})

    rig.faults.add(Fault(kind="rewrite", method="POST", rewrite=refused))
    for action in (stop(), reduce(), add("12.75"), move()):
        done = await send(venue, rig, action, f"pl{whole}{type(action).__name__}")
        assert done.outcome is not Outcome.DONE


async def test_a_name_that_the_venue_does_not_take_never_leaves(venue: OkxVenue, rig: Rig) -> None:
    before = len(rig.desk.requests)
    for action in (reduce(), stop(), move()):
        done = await send(venue, rig, action, "pl-1")
        assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")
    assert len(rig.desk.requests) == before
