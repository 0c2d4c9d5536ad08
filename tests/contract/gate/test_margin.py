"""How is margin moved at Gate, and when is it told as moved?"""

import json
from collections.abc import Callable
from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.exchanges.gate.adapter import GateVenue
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.gate import Rig
from tests.kit.moves import BTC, add, remove
from tests.kit.rigs import an_intent_now, send

MARGIN = "futures/usdt/positions/SOL_USDT/margin"
PLACE = {"settle": "usdt", "contract": "SOL_USDT"}


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.01", "1234.56"])
async def test_exactly_the_planned_amount_arrives(venue: GateVenue, rig: Rig, amount: str) -> None:
    done = await send(venue, rig, add(amount))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.said(MARGIN, "POST") == {**PLACE, "change": amount}


async def test_margin_is_removed_with_a_negative_change(venue: GateVenue, rig: Rig) -> None:
    await send(venue, rig, add("100"))
    done = await send(venue, rig, remove("50.25"), "pltwo")
    assert (done.outcome, done.applied) == (Outcome.DONE, D("50.25"))
    assert rig.engine.margin_moves[-1].amount == D("-50.25")
    assert rig.said(MARGIN, "POST") == {**PLACE, "change": "-50.25"}


def changed(**changes: object) -> Callable[[str], str]:
    return lambda text: json.dumps(json.loads(text) | changes)


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda _: "[]", id="an empty list"),
        pytest.param(lambda _: "{}", id="an empty object"),
        pytest.param(lambda t: f"[{t},{t}]", id="two"),
        pytest.param(lambda t: f"[[{t}]]", id="a list in a list"),
        pytest.param(changed(contract="BTC_USDT"), id="another contract"),
        pytest.param(changed(mode="dual_long"), id="another leg"),
        pytest.param(changed(size="-50"), id="the other side"),
        pytest.param(changed(size="0"), id="nothing held"),
        pytest.param(changed(margin="12.74"), id="less than what was added"),
        pytest.param(changed(margin="NaN"), id="NaN"),
        pytest.param(changed(margin=None), id="no margin"),
        pytest.param(changed(label="SOMETHING_NEW"), id="an unlisted label under 200"),
    ],
)
async def test_an_answer_that_does_not_confirm_the_request_is_unknown(
    venue: GateVenue, rig: Rig, rewrite: Callable[[str], str]
) -> None:
    rig.faults.add(Fault(kind="rewrite", method="POST", path=MARGIN, rewrite=rewrite))
    done = await send(venue, rig, add("12.75"))
    assert done.outcome is Outcome.UNKNOWN


async def test_an_unknown_move_stays_open_as_long_as_it_may_still_arrive(
    venue: GateVenue, rig: Rig
) -> None:
    """The venue takes a request for sixty seconds: one that lies on the way shows late."""
    await venue.observe()
    intent = an_intent_now(rig, add("12.7501"))
    rig.faults.add(Fault(kind="abort", method="POST", times=1))
    await venue.execute(intent, an_open_gate())
    await rig.pace.sleep(55)
    await venue.observe()
    rig.engine.move_margin("SOLUSDT", "BOTH", D("12.7501"), add=True)  # it arrives after all
    await rig.pace.sleep(5)
    await venue.observe()
    assert (await venue.settle(intent)).applied == D("12.7501")


async def test_a_refused_move_is_no_part_of_what_another_changed(
    venue: GateVenue, rig: Rig
) -> None:
    await venue.observe()
    refused = an_intent_now(rig, add("99999999"), "plone")
    assert (await venue.execute(refused, an_open_gate())).outcome is Outcome.REJECTED
    assert (await venue.settle(refused)).applied == 0
    intent = an_intent_now(rig, add("0.7501", BTC), "pltwo")
    await venue.execute(intent, an_open_gate())
    assert (await venue.settle(intent)).applied == D("0.7501")
    rig.engine.deleverage("SOLUSDT", "BOTH", D(20))  # from now on its margin proves nothing
    assert (await venue.settle(refused)).applied == 0
