"""How is margin moved at KuCoin, and when is it told as moved?"""

from collections.abc import Callable
from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.kucoin import Rig
from tests.kit.moves import add, remove
from tests.kit.rigs import an_intent_now, send

DEPOSIT, WITHDRAW = "v1/position/margin/deposit-margin", "v1/margin/withdrawMargin"


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.00001", "1234.56789"])
async def test_exactly_the_planned_amount_arrives_under_our_name(
    venue: KucoinVenue, rig: Rig, amount: str
) -> None:
    await venue.observe()
    done = await send(venue, rig, add(amount), "plabcd0001000001")
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.said(DEPOSIT) == {
        "symbol": "SOLUSDTM", "margin": amount, "bizNo": "plabcd0001000001",
    }  # fmt: skip


async def test_margin_is_removed_with_an_amount_above_zero(venue: KucoinVenue, rig: Rig) -> None:
    await send(venue, rig, add("100"))
    done = await send(venue, rig, remove("50.2501"), "pltest0001000002")
    assert (done.outcome, done.applied) == (Outcome.DONE, D("50.2501"))
    assert rig.engine.margin_moves[-1].amount == D("-50.2501")
    assert rig.said(WITHDRAW) == {"symbol": "SOLUSDTM", "withdrawAmount": "50.2501"}


def text(old: str, new: str) -> Callable[[str], str]:
    return lambda body: body.replace(old, new)


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        pytest.param(DEPOSIT, lambda _: "[]", id="a list"),
        pytest.param(DEPOSIT, lambda _: "{}", id="an empty object"),
        pytest.param(DEPOSIT, lambda _: '{"code": "200000"}', id="a success without anything"),
        pytest.param(DEPOSIT, text("SOLUSDTM", "XBTUSDTM"), id="another symbol"),
        pytest.param(DEPOSIT, text('"BOTH"', '"LONG"'), id="another leg"),
        pytest.param(DEPOSIT, text('"currentQty": 500', '"currentQty": -500'), id="other side"),
        pytest.param(DEPOSIT, text('"200000"', '"999999"'), id="an unlisted code"),
        pytest.param(WITHDRAW, text('"data": "5', '"data": "6'), id="another amount"),
        pytest.param(WITHDRAW, text('"data": "5.5"', '"data": true'), id="no amount"),
    ],
)
async def test_an_answer_that_does_not_confirm_the_request_is_unknown(
    venue: KucoinVenue, rig: Rig, path: str, changed: Callable[[str], str]
) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D(50), add=True)
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=changed))
    done = await send(venue, rig, add("5.5") if path == DEPOSIT else remove("5.5"))
    assert done.outcome is Outcome.UNKNOWN


async def test_a_success_that_did_nothing_is_unknown_and_then_proven_to_be_nothing(
    venue: KucoinVenue, rig: Rig
) -> None:
    """The venue's code of a success comes with a text, and with nothing else."""
    await venue.observe()
    nothing = '{"code": "200000", "msg": "The amount exceeds the upper limit"}'
    rig.faults.add(Fault(kind="rewrite", path=WITHDRAW, rewrite=lambda _: nothing))
    intent = an_intent_now(rig, remove("750"))
    done = await venue.execute(intent, an_open_gate())
    assert (done.outcome, done.code) == (Outcome.UNKNOWN, "unexpected_answer")
    assert (await venue.settle(intent)).applied == 0


async def test_a_position_that_is_not_there_is_a_definite_no(venue: KucoinVenue, rig: Rig) -> None:
    await venue.observe()
    rig.engine.holdings.clear()
    for action in (add("1"), remove("1")):
        done = await send(venue, rig, action)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "300009")


async def test_the_same_name_twice_is_unknown_and_changes_nothing(
    venue: KucoinVenue, rig: Rig
) -> None:
    await venue.observe()
    assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE
    again = await send(venue, rig, add("1"))
    assert (again.outcome, again.code) == (Outcome.UNKNOWN, "300018")
    assert len(rig.engine.margin_moves) == 1
