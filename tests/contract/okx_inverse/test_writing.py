"""What leaves for inverse swaps of OKX, and what is known of it afterwards?"""

from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition, RemoveMargin, Transfer
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import PositionKey, Side
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from bot.rebalance.memory import amount_of
from tests.kit.coins import a_coin_account
from tests.kit.fakes import OpenGate, an_open_gate
from tests.kit.okx import INVERSE, Rig
from tests.kit.paper import START
from tests.kit.rigs import an_intent_now, send

BTC = PositionKey("BTC/USD:BTC", Side.LONG)
SHORT = PositionKey("BTC/USD:BTC", Side.SHORT)
STOP = PlaceStop(key=BTC, size=D(12_000), stop_price=D("55000.0"), is_needed=True)
REDUCE = ReducePosition(key=BTC, size=D(710), limit_price=D("59000.0"))
IN = Transfer(source="spot", destination="futures", amount=D("0.05000123"), currency="BTC")
ADD = AddMargin(key=BTC, amount=D("0.01234567"), currency="BTC")


async def test_exactly_the_planned_coins_arrive_and_leave(venue: OkxVenue, rig: Rig) -> None:
    done = await send(venue, rig, ADD, "plone")
    assert (done.outcome, done.applied) == (Outcome.DONE, D("0.01234567"))
    assert rig.engine.margin_moves[-1].amount == D("0.01234567")
    assert rig.said("account/position/margin-balance") == {
        "instId": "BTC-USD-SWAP", "posSide": "net", "type": "add", "amt": "0.01234567",
    }  # fmt: skip
    back = RemoveMargin(key=BTC, amount=D("0.00500001"), currency="BTC")
    assert (await send(venue, rig, back, "pltwo")).outcome is Outcome.DONE
    assert rig.engine.margin_moves[-1].amount == D("-0.00500001")


async def test_a_reduction_counts_contracts_on_the_wire_and_dollars_here(
    venue: OkxVenue, rig: Rig
) -> None:
    gate = OpenGate()
    done = await venue.execute(an_intent_now(rig, REDUCE), gate)
    assert (done.outcome, done.applied) == (Outcome.DONE, D(710))
    assert rig.said("trade/order", "POST")["sz"] == "7.1"
    assert [request.is_reduce_only for request in gate.requests] == [True]
    assert rig.engine.holdings["BTCUSD_PERP", "BOTH"].amount == D(11_290)


async def test_a_stop_rests_and_is_listed_in_dollars(venue: OkxVenue, rig: Rig) -> None:
    assert (await send(venue, rig, STOP, "plabcd0001000001")).outcome is Outcome.DONE
    assert rig.said("trade/order-algo")["sz"] == "120"
    (resting,) = (await venue.observe()).account.stops
    assert (resting.key, resting.size, resting.on_mark) == (BTC, D(12_000), True)


async def test_with_legs_a_write_names_its_leg(authority: Path) -> None:
    engine = a_coin_account()
    engine.holdings.clear()
    engine.hedge_mode = True
    engine.hold("BTCUSD_PERP", D(12_000), leverage=10)
    engine.hold("BTCUSD_PERP", D(-3_000), leverage=10)
    async with INVERSE.serving(engine, authority) as rig, INVERSE.connected(rig) as venue:
        more = AddMargin(key=SHORT, amount=D("0.001"), currency="BTC")
        assert (await send(venue, rig, more, "plone")).outcome is Outcome.DONE
        assert rig.engine.margin_moves[-1].side == "SHORT"
        buy = ReducePosition(key=SHORT, size=D(500), limit_price=D("60500.0"))
        done = await send(venue, rig, buy, "pltwo")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(500))
        assert rig.engine.holdings["BTCUSD_PERP", "SHORT"].amount == D(-2_500)


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(ADD, id="add"),
        pytest.param(REDUCE, id="order"),
        pytest.param(IN, id="transfer"),
        pytest.param(STOP, id="stop"),
    ],
)
@pytest.mark.parametrize("has_effect", [True, False])
async def test_an_unknown_effect_is_settled_by_what_the_venue_shows(
    venue: OkxVenue, rig: Rig, action: Action, has_effect: bool
) -> None:
    rig.faults.add(Fault(kind="abort_after" if has_effect else "abort", method="POST", times=1))
    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied == (amount_of(action) if has_effect else D(0))


async def test_the_ledger_has_lines_in_coin_with_their_symbol(venue: OkxVenue, rig: Rig) -> None:
    actions: tuple[Action, ...] = (ADD, IN, REDUCE)
    for number, action in enumerate(actions):
        await send(venue, rig, action, f"plabcd000100000{number}")
    rig.engine.pay_funding()
    await rig.pace.sleep(60)
    rows = [r for r in await venue.rows(START - timedelta(seconds=1)) if r.asset == "BTC"]
    assert {row.kind for row in rows} == {
        RowKind.FEE, RowKind.REALIZED_PNL, RowKind.FUNDING, RowKind.TRANSFER_IN,
        RowKind.MARGIN_ADDED,
    }  # fmt: skip
    assert {row.symbol for row in rows if not row.kind.is_transfer} == {"BTC/USD:BTC"}
    booked = sum(line.amount for line in rig.engine.income if line.asset == "BTC")
    assert sum(row.amount for row in rows if not row.kind.is_margin) == booked


@pytest.mark.parametrize("amount", ["0.000000001", "-0.1", "0", "NaN"])
async def test_an_impossible_amount_never_leaves(venue: OkxVenue, rig: Rig, amount: str) -> None:
    before = len(rig.desk.requests)
    odd = AddMargin(key=BTC, amount=D(amount), currency="BTC")
    assert (await send(venue, rig, odd)).outcome is Outcome.REJECTED
    assert len(rig.desk.requests) == before
