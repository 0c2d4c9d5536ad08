from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.action import Action, CancelStop, PlaceStop
from bot.domain.band import Levels, LeverageBand
from bot.domain.intent import Outcome
from bot.domain.market import Market
from bot.domain.position import PositionKey, Side
from bot.domain.risk import PositionRisk
from bot.domain.stop import RestingStop
from bot.errors import Unavailable
from bot.exchanges.adapter import Adapter
from bot.exchanges.venues import VENUES
from bot.margin.bands import band_at_distances
from bot.paper.engine import Engine
from bot.paper.faults import Fault
from bot.paper.values import Ask
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from tests.kit.binance import Rig, connected, serving
from tests.kit.builders import a_policy
from tests.kit.fakes import an_open_gate
from tests.kit.paper import NAME, an_engine
from tests.kit.rigs import an_intent_now

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
LEVELS = Levels(emergency=D("0.03"), trigger=D("0.05"), target=D("0.08"), give_back=D("0.25"))


def place(price: str = "140.00", *, size: str | None = "50") -> PlaceStop:
    return PlaceStop(
        key=SOL, size=None if size is None else D(size), stop_price=D(price), is_needed=True
    )


async def sent(venue: Adapter, rig: Rig, action: Action, name: str = NAME) -> Outcome:
    return (await venue.execute(an_intent_now(rig, action, name), an_open_gate())).outcome


async def seen(venue: Adapter) -> tuple[RestingStop, ...]:
    account = (await venue.observe()).account
    assert account.stops_at is not None
    return account.stops


def reads(rig: Rig) -> int:
    return sum(path.endswith("openAlgoOrders") for _, path, _ in rig.server.desk.requests)


async def test_a_stop_is_reduce_only_on_mark_for_its_size_under_our_id(
    venue: Adapter, rig: Rig
) -> None:
    assert VENUES["binanceusdm"].stops == "stop-market on mark, reduce-only, by quantity"
    assert await sent(venue, rig, place()) is Outcome.DONE
    method, path, request = rig.server.desk.requests[-1]
    assert (method, path) == ("POST", "/fapi/v1/algoOrder")
    signed = {"timestamp", "recvWindow", "signature"}
    assert {k: v for k, v in request.parameters.items() if k not in signed} == {
        "algoType": "CONDITIONAL",
        "symbol": "SOLUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "triggerPrice": "140.00",
        "workingType": "MARK_PRICE",
        "quantity": "50",
        "reduceOnly": "true",
        "clientAlgoId": NAME,
    }
    (stop,) = await seen(venue)
    assert stop == RestingStop(
        key=SOL,
        stop_id=stop.stop_id,
        client_id=NAME,
        size=D(50),
        stop_price=D("140.00"),
        on_mark=True,
        is_ours=True,
    )


async def test_a_stop_for_whatever_is_open_names_no_quantity_and_no_flag(
    venue: Adapter, rig: Rig
) -> None:
    assert await sent(venue, rig, place(size=None)) is Outcome.DONE
    parameters = rig.server.desk.requests[-1][2].parameters
    assert parameters["closePosition"] == "true"
    assert not {"quantity", "reduceOnly"} & set(parameters)
    assert (await seen(venue))[0].size is None


async def test_a_stop_is_taken_back_by_the_venues_id(venue: Adapter, rig: Rig) -> None:
    await sent(venue, rig, place())
    (stop,) = await seen(venue)
    gone = CancelStop(key=SOL, stop_id=stop.stop_id, client_id=stop.client_id)
    assert await sent(venue, rig, gone, "pltest0001000002") is Outcome.DONE
    assert rig.server.desk.requests[-1][0] == "DELETE"
    assert await seen(venue) == ()
    again = await venue.execute(an_intent_now(rig, gone, "pltest0001000003"), an_open_gate())
    assert (again.outcome, again.code) == (Outcome.REJECTED, "-2011")


async def test_in_hedge_mode_a_stop_names_its_leg(authority: Path) -> None:
    engine = an_engine()
    engine.hedge_mode = True
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("SOLUSDT", D(-20), leverage=10)
    short = PositionKey(SOL.symbol, Side.SHORT)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        await sent(venue, rig, place(), NAME)
        stop = PlaceStop(key=short, size=D(20), stop_price=D("160.00"), is_needed=True)
        assert await sent(venue, rig, stop, "pltest0001000002") is Outcome.DONE
        parameters = rig.server.desk.requests[-1][2].parameters
        assert (parameters["side"], parameters["positionSide"]) == ("BUY", "SHORT")
        assert "reduceOnly" not in parameters
        assert [s.key for s in await seen(venue)] == [SOL, short]


def by_hand(engine: Engine, **changes: object) -> None:
    values: dict[str, object] = {
        "symbol": "SOLUSDT", "side": "SELL", "type": "STOP_MARKET", "size": D(10),
        "stop": D("141.00"), "reduce_only": True, "client_id": "web_123", "conditional": True,
    }  # fmt: skip
    engine.place(Ask(**(values | changes)))  # type: ignore[arg-type]  # any field by name


async def test_stops_of_others_are_seen_and_known_as_not_ours(venue: Adapter, rig: Rig) -> None:
    by_hand(rig.engine)
    by_hand(rig.engine, client_id="plum-12", stop=D("139.00"), on_mark=True)
    by_hand(rig.engine, client_id="opens", reduce_only=False, side="BUY", stop=D("170.00"))
    first, second = await seen(venue)
    assert (first.is_ours, first.on_mark, first.size) == (False, False, D(10))
    assert (second.is_ours, second.on_mark) == (False, True)


async def test_stops_are_read_every_minute_and_when_a_size_or_a_stop_has_changed(
    venue: Adapter, rig: Rig
) -> None:
    await venue.observe()
    first = reads(rig)
    await rig.pace.sleep(11)
    await venue.observe()
    settled = reads(rig)
    await rig.pace.sleep(11)
    await venue.observe()
    assert reads(rig) == settled
    await rig.pace.sleep(60)
    await venue.observe()
    assert reads(rig) == settled + 2  # two symbols
    rig.engine.holdings["SOLUSDT", "BOTH"].amount = D(49)
    await venue.observe()
    assert reads(rig) == settled + 4
    await rig.pace.sleep(30)
    await venue.observe()
    await sent(venue, rig, place(size="49"))
    before = reads(rig)
    await venue.observe()
    assert reads(rig) == before + 2
    assert first == 2


async def test_a_list_that_cannot_be_read_stops_no_look_but_nobody_knows_what_stands(
    venue: Adapter, rig: Rig
) -> None:
    rig.faults.add(Fault(kind="http_503", path="openAlgoOrders"))
    observation = await venue.observe()
    assert observation.account.positions
    assert observation.account.stops_at is None


async def test_after_a_write_an_old_list_is_not_taken_for_the_truth(
    venue: Adapter, rig: Rig
) -> None:
    assert await seen(venue) == ()
    await sent(venue, rig, place())
    rig.faults.add(Fault(kind="html", path="openAlgoOrders"))
    assert (await venue.observe()).account.stops_at is None


@pytest.mark.parametrize("field", ["triggerPrice", "quantity", "algoId", "workingType"])
async def test_a_broken_row_makes_the_list_unknown(venue: Adapter, rig: Rig, field: str) -> None:
    await sent(venue, rig, place())
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="openAlgoOrders",
            rewrite=lambda text: text.replace(f'"{field}"', '"other"'),
        )
    )
    assert (await venue.observe()).account.stops_at is None


@pytest.mark.parametrize("has_effect", [True, False])
@pytest.mark.parametrize("lists", [True, False], ids=["listed", "forgotten by its own endpoint"])
async def test_a_stop_of_unknown_fate_is_settled_by_our_id(
    venue: Adapter, rig: Rig, has_effect: bool, lists: bool
) -> None:
    kind = "abort_after" if has_effect else "abort"
    rig.faults.add(Fault(kind=kind, method="POST", times=1))  # type: ignore[arg-type]  # a kind
    intent = an_intent_now(rig, place())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    if not lists:
        rig.faults.add(
            Fault(
                kind="rewrite",
                path="v1/algoOrder",
                method="GET",
                rewrite=lambda _: '{"code": -2013, "msg": "Order does not exist."}',
            )
        )
    assert (await venue.settle(intent)).applied == (D(1) if has_effect else D(0))


async def test_a_stop_that_fired_meanwhile_had_arrived(venue: Adapter, rig: Rig) -> None:
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, place())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    (order,) = rig.engine.open_orders()
    order.status = "FILLED"
    assert (await venue.settle(intent)).applied == D(1)


@pytest.mark.parametrize("has_effect", [True, False])
async def test_a_cancel_of_unknown_fate_is_settled_by_what_stands(
    venue: Adapter, rig: Rig, has_effect: bool
) -> None:
    await sent(venue, rig, place())
    (stop,) = await seen(venue)
    kind = "http_503_after" if has_effect else "http_503"
    rig.faults.add(Fault(kind=kind, method="DELETE", times=1))  # type: ignore[arg-type]  # a kind
    gone = CancelStop(key=SOL, stop_id=stop.stop_id, client_id=stop.client_id)
    intent = an_intent_now(rig, gone, "pltest0001000002")
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied == (D(1) if has_effect else D(0))


async def test_a_stop_that_fired_before_its_cancel_was_not_taken_back(
    venue: Adapter, rig: Rig
) -> None:
    await sent(venue, rig, place())
    (stop,) = await seen(venue)
    rig.engine.open_orders()[0].status = "FILLED"
    gone = CancelStop(key=SOL, stop_id=stop.stop_id, client_id=stop.client_id)
    assert (await venue.settle(an_intent_now(rig, gone))).applied == D(0)


async def test_an_unreadable_history_settles_nothing(venue: Adapter, rig: Rig) -> None:
    rig.faults.add(Fault(kind="http_503", path="v1/algoOrder"))
    with pytest.raises(Unavailable):
        await venue.settle(an_intent_now(rig, place()))


async def test_the_same_id_twice_is_unknown_and_leaves_one_stop(venue: Adapter, rig: Rig) -> None:
    await sent(venue, rig, place())
    again = await venue.execute(an_intent_now(rig, place("139.00")), an_open_gate())
    assert (again.outcome, again.code) == (Outcome.UNKNOWN, "-4116")
    assert len(await seen(venue)) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"140.00"', '"141.00"', id="another price"),
        pytest.param('"SELL"', '"BUY"', id="another side"),
        pytest.param("SOLUSDT", "BTCUSDT", id="another symbol"),
        pytest.param(NAME, "other", id="another id"),
        pytest.param('"NEW"', '"REJECTED"', id="another status"),
    ],
)
async def test_an_answer_that_does_not_confirm_the_stop_is_unknown(
    venue: Adapter, rig: Rig, old: str, new: str
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="algoOrder",
            method="POST",
            rewrite=lambda text: text.replace(old, new),
        )
    )
    assert await sent(venue, rig, place()) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(place("151.00"), "-2021", id="reached already"),
        pytest.param(place(size="0.5"), "not_representable", id="off the lot"),
        pytest.param(place("140.005"), "not_representable", id="off the tick"),
        pytest.param(
            CancelStop(key=SOL, stop_id="x&y", client_id=NAME), "not_representable", id="odd id"
        ),
    ],
)
async def test_what_cannot_stand_is_rejected(
    venue: Adapter, rig: Rig, action: Action, code: str
) -> None:
    done = await venue.execute(an_intent_now(rig, action), an_open_gate())
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)


async def test_a_planned_stop_closes_the_position_before_liquidation_when_nobody_acts(
    authority: Path,
) -> None:
    def choose(risk: PositionRisk, market: Market) -> LeverageBand:
        del market
        return band_at_distances(risk, LEVELS)

    alone, guarded = (an_engine(points=((0, 1.0), (60, 1.0), (1200, 0.85))) for _ in "ab")
    for engine in (alone, guarded):
        engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(guarded, authority) as rig, connected(rig) as venue:
        observation = await venue.observe()
        policy = a_policy(resident_stops=True)
        decision = decide(observation, Memory(), policy, choose=choose)
        assert [step.action.kind for step in decision.approved] == ["place_stop"]
        for step in decision.approved:
            await sent(venue, rig, step.action)
        for engine in (alone, guarded):
            engine.advance(engine.start_ms + 1_800_000)
        left = (await venue.observe()).account
    assert len(alone.liquidations) > 0
    assert guarded.liquidations == []
    assert (left.positions, left.stops) == ((), ())
    assert guarded.cross["USDT"] > alone.cross["USDT"]


async def test_stops_of_both_symbols_are_in_the_order_of_keys(venue: Adapter, rig: Rig) -> None:
    rig.engine.hold("BTCUSDT", D("0.1"), leverage=10)
    btc = replace(place("55000.0", size="0.1"), key=PositionKey("BTC/USDT:USDT", Side.LONG))
    await sent(venue, rig, place())
    await sent(venue, rig, btc, "pltest0001000002")
    assert [str(s.key) for s in await seen(venue)] == ["BTC/USDT:USDT long", "SOL/USDT:USDT long"]
