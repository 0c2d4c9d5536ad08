"""What does Gate refuse, what is not even sent there, and how often is it asked?"""

import pytest

from bot.domain.action import Action, CancelStop
from bot.domain.intent import Outcome
from bot.domain.position import PositionKey, Side
from bot.exchanges.gate.adapter import GateVenue
from bot.paper.faults import Fault
from tests.kit.gate import Rig
from tests.kit.moves import SOL, SOL_SHORT, add, move, reduce, remove, stop
from tests.kit.paper import NAME
from tests.kit.rigs import send

MARGIN = "SOL_USDT/margin"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(add("99999999"), "BALANCE_NOT_ENOUGH", id="too little there"),
        pytest.param(remove("749"), "REMOVE_TOO_MUCH", id="locked"),
        pytest.param(move(amount="99999"), "BALANCE_NOT_ENOUGH", id="too little to transfer"),
        pytest.param(
            move("futures", "spot", "99999"), "FUTURES_BALANCE_NOT_ENOUGH", id="too little back"
        ),
        pytest.param(stop("999.00"), "AUTO_TRIGGER_PRICE_LESS_LAST", id="would fire at once"),
        pytest.param(reduce("7", "1.00"), "PRICE_TOO_DEVIATED", id="price out of bounds"),
        pytest.param(reduce("7", "151.00", SOL_SHORT), "REDUCE_EXCEEDED", id="nothing to reduce"),
        pytest.param(
            CancelStop(key=SOL, stop_id="77", client_id=NAME), "ORDER_NOT_FOUND", id="no stop"
        ),
    ],
)
async def test_a_refusal_with_a_listed_label_is_rejected(
    venue: GateVenue, rig: Rig, action: Action, code: str
) -> None:
    done = await send(venue, rig, action)
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)
    assert code in done.text


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("SOMETHING_NEW", "unlisted_label"),
        ("TOO_BUSY", "TOO_BUSY"),
        ("ORDER_EXISTS", "ORDER_EXISTS"),
        ("INVALID_PARAM_VALUE", "too_precise"),
    ],
)
async def test_a_label_that_does_not_prove_a_refusal_is_unknown(
    venue: GateVenue, rig: Rig, label: str, code: str
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", method="POST", path=MARGIN,
            rewrite=lambda _: f'{{"label": "{label}", "message": "no"}}',
        )
    )  # fmt: skip
    done = await send(venue, rig, add("1"))
    is_refused = label == "INVALID_PARAM_VALUE"
    assert done.outcome is (Outcome.REJECTED if is_refused else Outcome.UNKNOWN)
    assert done.code == code


async def test_margin_of_the_other_side_is_not_confirmed(venue: GateVenue, rig: Rig) -> None:
    """In one-way mode there is one position of a symbol, and the venue asks for no side."""
    done = await send(venue, rig, add("1", PositionKey("BTC/USDT:USDT", Side.LONG)))
    assert done.outcome is Outcome.UNKNOWN


async def test_a_name_that_the_venue_does_not_take_never_leaves(venue: GateVenue, rig: Rig) -> None:
    await venue.observe()
    before = len(rig.desk.requests)
    for action in (reduce(), stop()):
        done = await send(venue, rig, action, "pl 1")
        assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")
    assert len(rig.desk.requests) == before


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(reduce("0.5"), id="a part of a contract"),
        pytest.param(stop(size="0.5"), id="a stop of one"),
        pytest.param(CancelStop(key=SOL, stop_id="x1", client_id=NAME), id="no number of a stop"),
        pytest.param(move("spot", "margin"), id="no such wallet"),
        pytest.param(move("spot", "spot"), id="nowhere"),
    ],
)
async def test_what_cannot_be_said_there_never_leaves(
    venue: GateVenue, rig: Rig, action: Action
) -> None:
    await venue.observe()
    before = len(rig.desk.requests)
    done = await send(venue, rig, action)
    assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")
    assert len(rig.desk.requests) == before


async def test_after_too_many_requests_it_goes_on_once_the_venue_said_so(
    venue: GateVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rate_429", method="POST", path=MARGIN, times=1))
    assert (await send(venue, rig, add("1"))).code == "TOO_MANY_REQUESTS"
    assert (await send(venue, rig, add("1"))).code == "venue_banned"
    await rig.pace.sleep(16)
    assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE


async def test_no_endpoint_is_asked_more_often_than_half_of_what_it_allows(
    venue: GateVenue, rig: Rig
) -> None:
    for _ in range(60):
        await venue.observe()
    assert max(rig.desk.counts.most.values()) <= 0.5
