"""How is margin moved at OKX, and when is it told as moved?"""

import json
from collections.abc import Callable
from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.errors import Incomplete
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from tests.kit.moves import add, move, remove
from tests.kit.okx import Rig
from tests.kit.rigs import an_intent_now, send

MARGIN = "position/margin-balance"


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.01", "1234.56"])
async def test_exactly_the_planned_amount_arrives(venue: OkxVenue, rig: Rig, amount: str) -> None:
    done = await send(venue, rig, add(amount))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.said(f"account/{MARGIN}") == {
        "instId": "SOL-USDT-SWAP", "posSide": "net", "type": "add", "amt": amount,
    }  # fmt: skip


async def test_margin_is_removed_with_a_positive_amount(venue: OkxVenue, rig: Rig) -> None:
    await send(venue, rig, add("100"))
    assert (await send(venue, rig, remove("50.25"))).outcome is Outcome.DONE
    assert rig.engine.margin_moves[-1].amount == D("-50.25")
    assert rig.said(f"account/{MARGIN}")["type"] == "reduce"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda _: "[]", id="a list"),
        pytest.param(lambda _: "{}", id="an empty object"),
        pytest.param(lambda _: '{"code": "0", "data": [], "msg": ""}', id="no item"),
        pytest.param(lambda t: t.replace("12.75", "12"), id="another amount"),
        pytest.param(lambda t: t.replace('"add"', '"reduce"'), id="another type"),
        pytest.param(lambda t: t.replace("12.75", "NaN"), id="NaN"),
        pytest.param(lambda t: t.replace("SOL-", "BTC-"), id="another contract"),
        pytest.param(lambda t: t.replace('"code": "0"', '"code": "2"'), id="partly"),
        pytest.param(lambda t: t.replace('"code": "0"', '"code": 0'), id="another kind of code"),
        pytest.param(lambda t: t.replace('"code": "0"', '"code": "59999"'), id="unlisted code"),
        pytest.param(
            lambda t: json.dumps(json.loads(t) | {"data": json.loads(t)["data"] * 2}), id="two"
        ),
    ],
)
async def test_an_answer_that_does_not_confirm_the_request_is_unknown(
    venue: OkxVenue, rig: Rig, changed: Callable[[str], str]
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=MARGIN, rewrite=changed))
    done = await send(venue, rig, add("12.75"))
    assert done.outcome is Outcome.UNKNOWN


async def test_margin_that_the_venue_added_by_itself_is_no_evidence_of_ours(
    venue: OkxVenue, rig: Rig
) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D("12.75"), add=True)
    intent = an_intent_now(rig, add("12.75"))
    assert (await venue.settle(intent)).applied == D("12.75")
    rig.faults.add(
        Fault(
            kind="rewrite", path="account/bills",
            rewrite=lambda text: text.replace("12.75", "12.76"),
        )
    )  # fmt: skip
    assert (await venue.settle(intent)).applied == 0
    assert rig.said("account/bills")["subType"] == "160"  # automatic is 162


async def test_an_equal_move_from_before_the_send_is_no_evidence(venue: OkxVenue, rig: Rig) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D("12.75"), add=True)
    rig.engine.transfer("spot", "futures", "USDT", D("10.5"))
    await rig.pace.sleep(2)
    assert (await venue.settle(an_intent_now(rig, add("12.75")))).applied == 0
    assert (await venue.settle(an_intent_now(rig, move()))).applied == 0


async def test_a_full_page_of_bills_proves_nothing(venue: OkxVenue, rig: Rig) -> None:
    intent = an_intent_now(rig, add("12.75"))
    for _ in range(100):
        rig.engine.move_margin("SOLUSDT", "BOTH", D("0.01"), add=True)
    with pytest.raises(Incomplete, match="one page"):
        await venue.settle(intent)
