"""How is margin moved at Bitget, and when is it told as moved?"""

import json
from collections.abc import Callable
from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.errors import Incomplete
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.paper.faults import Fault
from tests.kit.bitget import Rig
from tests.kit.moves import BTC, add, remove
from tests.kit.rigs import an_intent_now, send

MARGIN = "account/set-margin"


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.01", "1234.56"])
async def test_exactly_the_planned_amount_arrives(
    venue: BitgetVenue, rig: Rig, amount: str
) -> None:
    done = await send(venue, rig, add(amount))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.said(f"mix/{MARGIN}") == {
        "productType": "USDT-FUTURES", "symbol": "SOLUSDT", "marginCoin": "USDT",
        "amount": amount, "holdSide": "long",
    }  # fmt: skip


async def test_margin_is_removed_with_a_negative_amount_and_the_side_of_the_position(
    venue: BitgetVenue, rig: Rig
) -> None:
    await send(venue, rig, add("100", BTC))
    await rig.pace.sleep(2)
    done = await send(venue, rig, remove("50.25", BTC))
    assert (done.outcome, done.applied) == (Outcome.DONE, D("50.25"))
    assert rig.engine.margin_moves[-1].amount == D("-50.25")
    said = rig.said(f"mix/{MARGIN}")
    assert (said["amount"], said["holdSide"]) == ("-50.25", "short")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda _: "[]", id="a list"),
        pytest.param(lambda _: "{}", id="an empty object"),
        pytest.param(lambda _: '{"code": "00000", "msg": "success"}', id="no data"),
        pytest.param(lambda t: t.replace('"data": ""', '"data": [1]'), id="other data"),
        pytest.param(lambda t: t.replace('"data": ""', '"data": "fail"'), id="another word"),
        pytest.param(lambda t: t.replace('"00000"', "0"), id="another kind of code"),
        pytest.param(lambda t: t.replace('"00000"', '"0"'), id="another zero"),
        pytest.param(lambda t: t.replace('"00000"', '"59999"'), id="unlisted code"),
        pytest.param(lambda t: t.replace('"success"', '"failed"'), id="another text"),
    ],
)
async def test_an_answer_that_does_not_confirm_the_request_is_unknown(
    venue: BitgetVenue, rig: Rig, changed: Callable[[str], str]
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=MARGIN, rewrite=changed))
    done = await send(venue, rig, add("12.75"))
    assert done.outcome is Outcome.UNKNOWN


async def test_margin_that_the_venue_added_by_itself_is_no_evidence_of_ours(
    venue: BitgetVenue, rig: Rig
) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D("12.75"), add=True)
    intent = an_intent_now(rig, add("12.75"))
    assert (await venue.settle(intent)).applied == D("12.75")
    assert rig.said("mix/account/bill")["businessType"] == "append_margin"
    rig.faults.add(
        Fault(
            kind="rewrite", path="account/bill",
            rewrite=lambda text: text.replace("append_margin", "auto_append_margin"),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="of others too"):
        await venue.settle(intent)


@pytest.mark.parametrize("old", ["12.75", "-12.75"])
async def test_a_bill_proves_a_move_whatever_its_sign_if_symbol_and_digits_are_ours(
    venue: BitgetVenue, rig: Rig, old: str
) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D("12.75"), add=True)
    intent = an_intent_now(rig, add("12.75"))

    def with_sign(text: str) -> str:
        return text.replace('"12.75"', f'"{old}"')

    rig.faults.add(Fault(kind="rewrite", path="account/bill", rewrite=with_sign))
    assert (await venue.settle(intent)).applied == D("12.75")
    assert (await venue.settle(an_intent_now(rig, add("12.76")))).applied == 0
    assert (await venue.settle(an_intent_now(rig, add("12.75", BTC)))).applied == 0


async def test_a_bill_proves_a_move_however_its_symbol_is_spelt_but_not_without_one(
    venue: BitgetVenue, rig: Rig
) -> None:
    """An absence believed by mistake would send the money a second time."""
    rig.engine.move_margin("SOLUSDT", "BOTH", D("12.75"), add=True)
    intent = an_intent_now(rig, add("12.75"))

    def naming(name: str) -> Fault:
        def rewrite(text: str) -> str:
            return text.replace("SOLUSDT", name)

        return Fault(kind="rewrite", path="account/bill", rewrite=rewrite)

    rig.faults.add(naming("solusdt"))
    assert (await venue.settle(intent)).applied == D("12.75")
    rig.faults.forget()
    rig.faults.add(naming(""))
    with pytest.raises(Incomplete, match="symbol"):
        await venue.settle(intent)


async def test_an_equal_move_from_before_the_send_is_no_evidence(
    venue: BitgetVenue, rig: Rig
) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D("12.75"), add=True)
    await rig.pace.sleep(2)
    intent = an_intent_now(rig, add("12.75"))

    def asked_for_nothing(text: str) -> str:
        """The venue shows more than it was asked for."""
        body = json.loads(text)
        row = {
            "billId": "1", "symbol": "SOLUSDT", "amount": "12.75", "fee": "0", "coin": "USDT",
            "businessType": "append_margin", "cTime": str(rig.pace.now_ms - 1500),
        }  # fmt: skip
        return json.dumps(body | {"data": {"bills": [row], "endId": "1"}})

    assert (await venue.settle(intent)).applied == 0
    rig.faults.add(Fault(kind="rewrite", path="account/bill", rewrite=asked_for_nothing))
    assert (await venue.settle(intent)).applied == 0


async def test_a_full_page_of_bills_proves_nothing(venue: BitgetVenue, rig: Rig) -> None:
    intent = an_intent_now(rig, add("12.75"))
    for _ in range(100):
        rig.engine.move_margin("SOLUSDT", "BOTH", D("0.01"), add=True)
    with pytest.raises(Incomplete, match="one page"):
        await venue.settle(intent)
