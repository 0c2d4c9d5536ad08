"""What leaves for inverse contracts of Bybit, and what is known of it afterwards?"""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import PositionKey, Side
from bot.exchanges.bybit.adapter import BybitVenue
from bot.paper.faults import Fault, Kind
from bot.rebalance.memory import amount_of
from tests.kit.bybit import Rig
from tests.kit.fakes import OpenGate, an_open_gate
from tests.kit.paper import NAME, START
from tests.kit.rigs import an_intent_now, send

BTC = PositionKey("BTC/USD:BTC", Side.LONG)
STOP = PlaceStop(key=BTC, size=D(12_000), stop_price=D("55000.0"), is_needed=True)
REDUCE = ReducePosition(key=BTC, size=D(701), limit_price=D("59000.0"))
IN = Transfer(source="spot", destination="futures", amount=D("0.0512"), currency="BTC")
OUT = Transfer(source="futures", destination="spot", amount=D("0.0112"), currency="BTC")


def add(amount: str) -> AddMargin:
    return AddMargin(key=BTC, amount=D(amount), currency="BTC")


def remove(amount: str) -> RemoveMargin:
    return RemoveMargin(key=BTC, amount=D(amount), currency="BTC")


@pytest.mark.parametrize("amount", ["0.0123", "0.0001", "0.1"])
async def test_exactly_the_planned_coins_arrive(venue: BybitVenue, rig: Rig, amount: str) -> None:
    await venue.observe()
    done = await send(venue, rig, add(amount))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.said("position/add-margin") == {
        "category": "inverse", "symbol": "BTCUSD", "margin": amount, "positionIdx": 0,
    }  # fmt: skip


async def test_margin_is_removed_with_a_negative_amount(venue: BybitVenue, rig: Rig) -> None:
    await send(venue, rig, add("0.1"), "plone")
    done = await send(venue, rig, remove("0.0502"), "pltwo")
    assert (done.outcome, done.applied) == (Outcome.DONE, D("0.0502"))
    assert rig.said("position/add-margin")["margin"] == "-0.0502"


@pytest.mark.parametrize("amount", ["0.00001", "-0.1", "0", "NaN", "Infinity"])
async def test_an_impossible_amount_never_leaves(venue: BybitVenue, rig: Rig, amount: str) -> None:
    await venue.observe()
    before = len(rig.desk.requests)
    for action in (add(amount), remove(amount)):
        assert (await send(venue, rig, action)).outcome is Outcome.REJECTED
    assert len(rig.desk.requests) == before


async def test_a_reduction_counts_dollars_and_can_only_shrink(venue: BybitVenue, rig: Rig) -> None:
    gate = OpenGate()
    done = await venue.execute(an_intent_now(rig, REDUCE), gate)
    assert (done.outcome, done.applied) == (Outcome.DONE, D(701))
    assert rig.said("order/create") == {
        "category": "inverse", "symbol": "BTCUSD", "side": "Sell", "orderType": "Limit",
        "qty": "701", "price": "59000.0", "timeInForce": "IOC", "positionIdx": 0,
        "orderLinkId": NAME, "reduceOnly": True,
    }  # fmt: skip
    assert [request.is_reduce_only for request in gate.requests] == [True]
    assert rig.engine.holdings["BTCUSD_PERP", "BOTH"].amount == D(11_299)


async def test_the_same_id_twice_is_unknown_and_changes_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    for action, code in ((REDUCE, "110072"), (IN, "131214")):
        intent = an_intent_now(rig, action, f"pltest{code}")
        assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
        again = await venue.execute(intent, an_open_gate())
        assert (again.outcome, again.code) == (Outcome.UNKNOWN, code)
        assert (await venue.settle(intent)).applied == amount_of(action)
    assert rig.engine.holdings["BTCUSD_PERP", "BOTH"].amount == D(11_299)
    assert len(rig.engine.transfers) == 1


async def test_a_stop_rests_is_listed_in_dollars_and_is_taken_back(
    venue: BybitVenue, rig: Rig
) -> None:
    name = "plabcd0001000001"
    gate = OpenGate()
    placed = await venue.execute(an_intent_now(rig, STOP, name), gate)
    assert (placed.outcome, [r.is_reduce_only for r in gate.requests]) == (Outcome.DONE, [True])
    assert rig.said("order/create")["qty"] == "12000"
    (resting,) = (await venue.observe()).account.stops
    assert (resting.key, resting.size, resting.stop_price) == (BTC, D(12_000), D("55000.0"))
    assert (resting.on_mark, resting.is_ours) == (True, True)
    cancel = CancelStop(key=BTC, stop_id=resting.stop_id, client_id=name)
    intent = an_intent_now(rig, cancel, "plabcd0001000002")
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(intent)).applied == 1


async def test_coins_move_between_accounts_and_back(venue: BybitVenue, rig: Rig) -> None:
    before = rig.engine.cross["BTC"]
    assert (await send(venue, rig, IN, "plone")).outcome is Outcome.DONE
    said = rig.said("asset/transfer/inter-transfer")
    assert (said["coin"], said["amount"]) == ("BTC", "0.0512")
    assert (await send(venue, rig, OUT, "pltwo")).outcome is Outcome.DONE
    assert rig.engine.cross["BTC"] == before + D("0.04")


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(add("0.0123"), id="add"),
        pytest.param(remove("0.0021"), id="remove"),
        pytest.param(REDUCE, id="order"),
        pytest.param(IN, id="transfer in"),
        pytest.param(OUT, id="transfer out"),
        pytest.param(STOP, id="stop"),
    ],
)
@pytest.mark.parametrize("has_effect", [True, False])
async def test_an_unknown_effect_is_settled_by_what_the_venue_shows(
    venue: BybitVenue, rig: Rig, action: Action, has_effect: bool
) -> None:
    rig.engine.move_margin("BTCUSD_PERP", "BOTH", D("0.05"), add=True)
    await venue.observe()
    rig.faults.add(Fault(kind="abort_after" if has_effect else "abort", method="POST", times=1))
    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    wanted = amount_of(action) if has_effect else D(0)
    assert (await venue.settle(intent)).applied == wanted
    await rig.pace.sleep(60)
    await venue.observe()
    assert (await venue.settle(intent)).applied == wanted


async def test_two_unknown_moves_a_step_apart_are_told_apart(venue: BybitVenue, rig: Rig) -> None:
    await venue.observe()
    first = an_intent_now(rig, add("0.0100"), "plone")
    second = an_intent_now(rig, add("0.0101"), "pltwo")
    rig.faults.add(Fault(kind="abort", method="POST", times=1))
    await venue.execute(first, an_open_gate())
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    await venue.execute(second, an_open_gate())
    assert (await venue.settle(first)).applied == 0
    assert (await venue.settle(second)).applied == D("0.0101")


async def test_two_unknown_moves_of_one_amount_prove_nothing_of_either(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    intents = [an_intent_now(rig, add("0.01"), name) for name in ("plone", "pltwo")]
    for intent, kind in zip(intents, ("abort", "abort_after"), strict=True):
        lost: Kind = "abort" if kind == "abort" else "abort_after"
        rig.faults.add(Fault(kind=lost, method="POST", times=1))
        await venue.execute(intent, an_open_gate())
    assert [(await venue.settle(intent)).applied for intent in intents] == [None, None]


async def test_the_ledger_has_lines_in_coin_with_their_symbol(venue: BybitVenue, rig: Rig) -> None:
    actions: tuple[Action, ...] = (add("0.01"), IN, REDUCE)
    for number, action in enumerate(actions):
        await send(venue, rig, action, f"plabcd000100000{number}")
    rig.engine.pay_funding()
    await rig.pace.sleep(60)
    rows = await venue.rows(START - timedelta(seconds=1))
    assert {row.kind for row in rows} == {
        RowKind.FEE, RowKind.REALIZED_PNL, RowKind.FUNDING, RowKind.TRANSFER_IN,
    }  # fmt: skip
    assert {row.symbol for row in rows if row.kind is RowKind.FEE} == {"BTC/USD:BTC"}
    assert {row.symbol for row in rows if row.kind is RowKind.FUNDING} == {
        "BTC/USD:BTC", "ETH/USD:ETH",
    }  # fmt: skip
    assert {(row.asset, row.amount) for row in rows if row.kind.is_transfer} == {
        ("BTC", D("0.0512"))
    }
    booked = sum(line.amount for line in rig.engine.income if line.asset == "BTC")
    assert sum(row.amount for row in rows if row.asset == "BTC") == booked
