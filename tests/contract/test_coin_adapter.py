"""The adapter at the host of coin-margined contracts, before the paper exchange."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

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
from bot.domain.instrument import Contract
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.errors import ConfigError, Denied
from bot.exchanges.adapter import Adapter
from bot.exchanges.binance.weights import BUDGETS, cost_of
from bot.exchanges.quota import Lane
from bot.exchanges.venues import VENUES
from bot.execute.facts import KINDS
from bot.margin.assess import assess
from bot.paper.binance.routes import RESTRICTIONS, ROUTES
from bot.paper.binance.weights import weight_of
from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.faults import Fault
from tests.kit.binance import Rig, connected, serving
from tests.kit.coins import a_coin_engine
from tests.kit.fakes import OpenGate, an_open_gate
from tests.kit.paper import NAME, START
from tests.kit.rigs import an_intent_now

BTC = PositionKey("BTC/USD:BTC", Side.LONG)
HELD = D(12_000)
COIN: dict[str, Any] = {"venue": "binancecoinm", "symbols": ("BTC/USD:BTC", "ETH/USD:ETH")}


@pytest.fixture
def engine() -> Engine:
    """An exchange with contracts of every kind; positions in coin, and one in dollars."""
    engine = a_coin_engine()
    engine.hold("BTCUSD_PERP", HELD, leverage=10)
    engine.hold("ETHUSD_PERP", D(-900), leverage=20)
    engine.hold("BTCUSDT", D("0.1"), leverage=10)
    return engine


@pytest.fixture
async def rig(engine: Engine, authority: Path) -> AsyncIterator[Rig]:
    async with serving(engine, authority) as rig:
        yield rig


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Adapter]:
    async with connected(rig, **COIN) as venue:
        yield venue


def add(amount: str) -> AddMargin:
    return AddMargin(key=BTC, amount=D(amount), currency="BTC")


def reduction(size: int = 700, limit: str = "59000.0") -> ReducePosition:
    return ReducePosition(key=BTC, size=D(size), limit_price=D(limit))


STOP = PlaceStop(key=BTC, size=HELD, stop_price=D("55000.0"), is_needed=True)
IN = Transfer(source="spot", destination="futures", amount=D("0.05"), currency="BTC")


async def test_one_look_has_inverse_positions_coin_wallets_and_nothing_of_the_other_host(
    venue: Adapter, engine: Engine, rig: Rig
) -> None:
    seen = await venue.observe()
    btc, eth = seen.account.positions
    assert (str(btc.key), btc.size, btc.leverage_setting) == ("BTC/USD:BTC long", HELD, D(10))
    assert (str(eth.key), eth.size, eth.leverage_setting) == ("ETH/USD:ETH short", D(-900), D(20))
    assert btc.margin == engine.holdings["BTCUSD_PERP", "BOTH"].margin
    assert btc.margin_mode is MarginMode.ISOLATED
    assert {(w.name, w.currency) for w in seen.account.wallets} == {
        (name, coin) for name in ("futures", "spot") for coin in ("BTC", "ETH")
    }
    for rules, face in zip(seen.instruments, (100, 10), strict=True):
        assert (rules.contract, rules.size_step, rules.min_notional) == (
            Contract.INVERSE, D(face), D(0),
        )  # fmt: skip
    assert all(level.size % 100 == 0 for level in seen.markets[0].bids)
    assert seen.markets[0].bids[0].size >= 100
    asked = {path.split("/")[1] for _, path, _ in rig.server.desk.requests}
    assert asked == {"dapi", "sapi"}


async def test_our_liquidation_price_and_maintenance_are_the_venues(venue: Adapter) -> None:
    seen = await venue.observe()
    rules = {i.symbol: i for i in seen.instruments}
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol])
        theirs = position.venue_liquidation_price
        assert ours.liquidation_price is not None
        assert theirs is not None
        assert abs(ours.liquidation_price - theirs) / theirs < D("0.000005")
        assert position.venue_maintenance_margin is not None
        assert abs(ours.maintenance_margin - position.venue_maintenance_margin) < D("0.00000001")


@pytest.mark.parametrize("amount", ["0.00123456", "0.00000001", "0.1", "0.05000000"])
async def test_exactly_the_planned_coins_arrive(venue: Adapter, rig: Rig, amount: str) -> None:
    done = await venue.execute(an_intent_now(rig, add(amount)), an_open_gate())
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.server.desk.requests[-1][2].parameters["amount"] == amount


async def test_margin_is_removed_with_a_positive_amount_and_type_two(
    venue: Adapter, rig: Rig
) -> None:
    await venue.execute(an_intent_now(rig, add("0.01")), an_open_gate())
    remove = RemoveMargin(key=BTC, amount=D("0.00500001"), currency="BTC")
    done = await venue.execute(an_intent_now(rig, remove), an_open_gate())
    assert done.outcome is Outcome.DONE
    assert rig.engine.margin_moves[-1].amount == D("-0.00500001")


async def test_a_reduction_counts_contracts_on_the_wire_and_dollars_here(
    venue: Adapter, rig: Rig
) -> None:
    gate = OpenGate()
    done = await venue.execute(an_intent_now(rig, reduction()), gate)
    assert (done.outcome, done.applied) == (Outcome.DONE, D(700))
    sent = rig.server.desk.requests[-1][2].parameters
    assert (sent["quantity"], sent["reduceOnly"], sent["newClientOrderId"]) == ("7", "true", NAME)
    assert [request.is_reduce_only for request in gate.requests] == [True]
    assert rig.engine.holdings["BTCUSD_PERP", "BOTH"].amount == D(11_300)


async def test_the_same_id_twice_is_unknown_and_changes_nothing(venue: Adapter, rig: Rig) -> None:
    intent = an_intent_now(rig, reduction())
    await venue.execute(intent, an_open_gate())
    again = await venue.execute(intent, an_open_gate())
    assert (again.outcome, again.code) == (Outcome.UNKNOWN, "-4116")
    assert rig.engine.holdings["BTCUSD_PERP", "BOTH"].amount == D(11_300)


async def test_coins_move_between_wallets_and_the_way_back(venue: Adapter, rig: Rig) -> None:
    before = rig.engine.cross["BTC"]
    done = await venue.execute(an_intent_now(rig, IN), an_open_gate())
    assert done.outcome is Outcome.DONE
    assert rig.engine.cross["BTC"] == before + D("0.05")
    back = Transfer(source="futures", destination="spot", amount=D("0.02"), currency="BTC")
    assert (await venue.execute(an_intent_now(rig, back), an_open_gate())).outcome is Outcome.DONE
    assert rig.engine.cross["BTC"] == before + D("0.03")


async def test_a_stop_rests_is_listed_in_dollars_and_is_taken_back(
    venue: Adapter, rig: Rig
) -> None:
    gate = OpenGate()
    placed = await venue.execute(an_intent_now(rig, STOP, "plabcd0001000001"), gate)
    assert (placed.outcome, [r.is_reduce_only for r in gate.requests]) == (Outcome.DONE, [True])
    (resting,) = (await venue.observe()).account.stops
    assert (resting.size, resting.stop_price, resting.on_mark) == (HELD, D(55_000), True)
    assert resting.is_ours
    cancel = CancelStop(key=BTC, stop_id=resting.stop_id, client_id=resting.client_id)
    intent = an_intent_now(rig, cancel, "plabcd0001000002")
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(intent)).applied == 1


async def test_hedge_mode_names_the_leg_and_reads_both(authority: Path) -> None:
    engine = a_coin_engine()
    engine.hedge_mode = True
    engine.hold("BTCUSD_PERP", HELD, leverage=10)
    engine.hold("BTCUSD_PERP", D(-3000), leverage=10)
    async with serving(engine, authority) as rig, connected(rig, **COIN) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [p.size for p in seen.account.positions] == [HELD, D(-3000)]
        await venue.execute(an_intent_now(rig, add("0.001"), "plone"), an_open_gate())
        assert rig.server.desk.requests[-1][2].parameters["positionSide"] == "LONG"
        short = PositionKey("BTC/USD:BTC", Side.SHORT)
        order = ReducePosition(key=short, size=D(500), limit_price=D("60500.0"))
        gate = OpenGate()
        done = await venue.execute(an_intent_now(rig, order, "pltwo"), gate)
        assert (done.outcome, done.applied) == (Outcome.DONE, D(500))
        assert [request.is_reduce_only for request in gate.requests] == [True]
        sent = rig.server.desk.requests[-1][2].parameters
        assert (sent["side"], sent["positionSide"], sent["quantity"]) == ("BUY", "SHORT", "5")
        rows = [row for row in await venue.rows(START) if row.kind.is_margin]
        assert [row.side for row in rows] == [Side.LONG]


@pytest.mark.parametrize(
    ("action", "applied"),
    [
        pytest.param(add("0.00123456"), D("0.00123456"), id="margin"),
        pytest.param(reduction(), D(700), id="reduction"),
        pytest.param(IN, D("0.05"), id="transfer"),
        pytest.param(STOP, D(1), id="stop"),
    ],
)
async def test_what_became_of_a_lost_answer_is_found_in_the_history(
    venue: Adapter, rig: Rig, action: Action, applied: D
) -> None:
    intent = an_intent_now(rig, action, "plabcd0001000003")
    assert (await venue.settle(intent)).applied == 0
    rig.faults.add(Fault(kind="http_503_after", times=1))
    done = await venue.execute(intent, an_open_gate())
    assert (done.outcome, done.applied) == (Outcome.UNKNOWN, None)
    assert (await venue.settle(intent)).applied == applied


async def test_the_ledger_has_lines_in_coin_and_none_of_the_other_host(
    venue: Adapter, rig: Rig
) -> None:
    rig.engine.move_margin("BTCUSDT", "BOTH", D(5), add=True)
    rig.engine.transfer("spot", "futures", "USDT", D(9))
    actions: tuple[Action, ...] = (add("0.01"), IN, reduction())
    for number, action in enumerate(actions):
        await venue.execute(an_intent_now(rig, action, f"plabcd000100000{number}"), an_open_gate())
    rig.engine.pay_funding()
    await rig.pace.sleep(60)
    rows = await venue.rows(START - timedelta(seconds=1))
    assert {row.asset for row in rows} <= {"BTC", "ETH"}
    found = {(row.kind, row.amount) for row in rows}
    assert {(RowKind.MARGIN_ADDED, D("0.01")), (RowKind.TRANSFER_IN, D("0.05"))} <= found
    assert {row.kind for row in rows} >= {RowKind.FEE, RowKind.REALIZED_PNL, RowKind.FUNDING}
    assert {row.symbol for row in rows if row.kind is RowKind.FEE} == {"BTC/USD:BTC"}
    assert len({row.id for row in rows}) == len(rows)


async def test_marks_are_read_for_a_fit_and_at_a_glance(venue: Adapter, rig: Rig) -> None:
    await rig.pace.sleep(2 * 3600)
    candles = await venue.marks("BTC/USD:BTC", START - timedelta(hours=1))
    assert [candle.opened_at for candle in candles][-1] == START + timedelta(hours=1)
    marks = await venue.glance(["BTC/USD:BTC", "ETH/USD:ETH"])
    assert marks["BTC/USD:BTC"] == rig.engine.quotes["BTCUSD_PERP"].mark
    assert venue.allowance().glance_every is not None


async def test_a_key_that_can_withdraw_is_refused(rig: Rig) -> None:
    rig.server.desk.keys = Keys(may_withdraw=True)
    with pytest.raises(Denied, match="withdraw"):
        async with connected(rig, **COIN):
            pass


async def test_a_linear_symbol_does_not_exist_here(rig: Rig) -> None:
    with pytest.raises(ConfigError, match="BTC/USDT:USDT does not exist at binancecoinm"):
        async with connected(rig, venue="binancecoinm", symbols=("BTC/USDT:USDT",)):
            pass


async def test_every_request_weighs_here_what_it_weighs_there(venue: Adapter, rig: Rig) -> None:
    await venue.observe()
    await venue.rows(START)
    await venue.marks("BTC/USD:BTC", START - timedelta(hours=2))
    await venue.glance(["BTC/USD:BTC"])
    actions: tuple[Action, ...] = (add("0.01"), IN, reduction(), STOP)
    for number, action in enumerate(actions):
        intent = an_intent_now(rig, action, f"plabcd000100000{number}")
        await venue.execute(intent, an_open_gate())
        await venue.settle(intent)
    kinds = {(method, path) for method, path, _ in rig.server.desk.requests}
    assert len(kinds) >= 17
    for method, path, request in rig.server.desk.requests:
        route = ROUTES.get((method, path))
        usual = 1 if route is None else route.weight
        assert route is not None or (method, path) == RESTRICTIONS
        theirs = weight_of(path, usual, request.parameters)
        assert cost_of(method, path, request.parameters).weight == theirs, path
    used = rig.server.desk.weights["fapi"].used(rig.pace.now_ms)
    left = venue._client.quota.left(Lane.PROTECT, venue._clock.monotonic())
    assert BUDGETS.limits[BUDGETS.main].weight // 2 - left >= used


def test_the_capability_table_names_every_kind_of_action_and_a_step_of_coins() -> None:
    venue = VENUES["binancecoinm"]
    assert venue.kinds(is_demo=False) == KINDS
    assert venue.kinds(is_demo=True) == KINDS - {"transfer"}
    assert venue.margin_step % venue.collateral_step == 0
