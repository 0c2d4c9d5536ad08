"""How is margin moved at Bybit, and when is it told as moved?"""

from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.exchanges.bybit.adapter import BybitVenue
from bot.paper.faults import Fault
from tests.kit.bybit import Rig
from tests.kit.moves import add, remove
from tests.kit.rigs import send


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.0001", "1234.5678"])
async def test_exactly_the_planned_amount_arrives(venue: BybitVenue, rig: Rig, amount: str) -> None:
    await venue.observe()
    done = await send(venue, rig, add(amount))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.said("position/add-margin") == {
        "category": "linear", "symbol": "SOLUSDT", "margin": amount, "positionIdx": 0,
    }  # fmt: skip


async def test_margin_is_removed_with_a_negative_amount(venue: BybitVenue, rig: Rig) -> None:
    await send(venue, rig, add("100"))
    done = await send(venue, rig, remove("50.2501"), "pltest0001000002")
    assert (done.outcome, done.applied) == (Outcome.DONE, D("50.2501"))
    assert rig.engine.margin_moves[-1].amount == D("-50.2501")
    assert rig.said("position/add-margin")["margin"] == "-50.2501"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda _: "[]", id="a list"),
        pytest.param(lambda _: "{}", id="an empty object"),
        pytest.param(lambda t: t.replace("SOLUSDT", "BTCUSDT"), id="another symbol"),
        pytest.param(lambda t: t.replace('"positionIdx": 0', '"positionIdx": 1'), id="other leg"),
        pytest.param(lambda t: t.replace('"positionIdx": 0', '"positionIdx": false'), id="no leg"),
        pytest.param(lambda t: t.replace('"size": "50"', '"size": "0"'), id="no position"),
        pytest.param(lambda t: t.replace('"retCode": 0', '"retCode": 123456'), id="unlisted code"),
        pytest.param(lambda t: t.replace('"retCode": 0', '"retCode": false'), id="no code"),
    ],
)
async def test_an_answer_that_does_not_confirm_the_request_is_unknown(
    venue: BybitVenue, rig: Rig, changed: object
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path="add-margin", rewrite=changed))  # type: ignore[arg-type]  # text to text
    done = await send(venue, rig, add("12.75"))
    assert done.outcome is Outcome.UNKNOWN
