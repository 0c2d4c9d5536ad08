"""What leaves for Hyperliquid to move margin, and what proves that it did?"""

from decimal import Decimal as D

from bot.domain.intent import Outcome
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.hyperliquid import Rig
from tests.kit.moves import BTC, add, remove
from tests.kit.rigs import an_intent_now, send


async def test_an_amount_leaves_as_millionths_with_its_sign(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, add("50.000001"), "plone")).applied == D("50.000001")
    assert rig.said("exchange/updateIsolatedMargin") == {
        "type": "updateIsolatedMargin", "asset": 1, "isBuy": True, "ntli": 50_000_001
    }  # fmt: skip
    assert (await send(venue, rig, remove("5.5"), "pltwo")).outcome is Outcome.DONE
    assert rig.said("exchange/updateIsolatedMargin")["ntli"] == -5_500_000
    assert (await send(venue, rig, add("1", BTC), "plthree")).outcome is Outcome.DONE
    assert rig.said("exchange/updateIsolatedMargin")["asset"] == 0
    assert [move.amount for move in rig.engine.margin_moves] == [D("50.000001"), D("-5.5"), 1]


async def test_two_writes_of_one_millisecond_have_two_nonces(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    api = venue._client.api
    now = api.milliseconds()
    assert [api.next_signed() for _ in range(3)] == [now, now + 1, now + 2]
    assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE


async def test_a_sentence_nobody_wrote_down_proves_nothing(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    await venue.observe()
    done = await send(venue, rig, add("99999"))
    assert (done.outcome, done.code) == (Outcome.UNKNOWN, "unlisted")
    assert "Isolated margin is not changed" in done.text
    assert (await venue.settle(an_intent_now(rig, add("99999")))).applied == 0


async def test_funding_that_is_paid_meanwhile_hides_no_move(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, add("12.7501"))
    await venue.execute(intent, an_open_gate())
    margin = rig.engine.holdings["SOLUSDT", "BOTH"].margin
    rig.engine.pay_funding()
    assert rig.engine.holdings["SOLUSDT", "BOTH"].margin != margin
    assert (await venue.settle(intent)).applied == D("12.7501")
