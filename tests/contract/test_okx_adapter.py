import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

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
from bot.domain.intent import Execution, Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.domain.stop import RestingStop
from bot.errors import ConfigError, Denied, Incomplete, Unavailable
from bot.exchanges.okx.adapter import OkxVenue
from bot.exchanges.venues import VENUES
from bot.execute.facts import KINDS
from bot.margin.assess import assess
from bot.paper.desk import Keys
from bot.paper.faults import Fault
from bot.paper.okx.listing import face
from bot.paper.values import Ask
from bot.rebalance.memory import amount_of
from tests.kit.fakes import an_open_gate
from tests.kit.okx import Rig, connected, serving
from tests.kit.paper import NAME, an_engine
from tests.kit.rigs import an_intent_now

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
SOL_SHORT = PositionKey("SOL/USDT:USDT", Side.SHORT)
BTC = PositionKey("BTC/USDT:USDT", Side.SHORT)
MARGIN = "position/margin-balance"


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """An exchange where 50 SOL are held with 10x, and a short of a tenth of a coin."""
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("BTCUSDT", D("-0.1"), leverage=20)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[OkxVenue]:
    """The adapter, connected."""
    async with connected(rig) as adapter:
        yield adapter


@pytest.fixture
async def legs(authority: Path) -> AsyncIterator[Rig]:
    """An exchange with both legs of a symbol."""
    engine = an_engine()
    engine.hedge_mode = True
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("SOLUSDT", D(-20), leverage=10)
    async with serving(engine, authority) as served:
        yield served


def add(amount: str, key: PositionKey = SOL) -> AddMargin:
    return AddMargin(key=key, amount=D(amount), currency="USDT")


def reduce(size: str, price: str, key: PositionKey = SOL) -> ReducePosition:
    return ReducePosition(key=key, size=D(size), limit_price=D(price))


def move(source: str = "spot", destination: str = "futures", amount: str = "10.5") -> Transfer:
    return Transfer(source=source, destination=destination, amount=D(amount), currency="USDT")


def stop(price: str = "140.00", *, size: str | None = "50", key: PositionKey = SOL) -> PlaceStop:
    return PlaceStop(
        key=key, size=None if size is None else D(size), stop_price=D(price), is_needed=True
    )


async def send(venue: OkxVenue, rig: Rig, action: Action, name: str = NAME) -> Execution:
    return await venue.execute(an_intent_now(rig, action, name), an_open_gate())


def test_the_capability_table_names_every_kind_of_action_and_the_venues_window() -> None:
    row = VENUES["okx"]
    assert row.kinds(is_demo=False) == KINDS
    assert "transfer" not in row.kinds(is_demo=True)
    assert row.window == 30
    assert row.wants_password


async def test_one_look_has_positions_wallets_rules_prices_and_history(
    venue: OkxVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    assert [str(p.key) for p in seen.account.positions] == [
        "BTC/USDT:USDT short",
        "SOL/USDT:USDT long",
    ]
    btc, sol = seen.account.positions
    assert (sol.size, sol.margin_mode, sol.leverage_setting) == (D(50), MarginMode.ISOLATED, D(10))
    assert btc.size == D("-0.1")  # ten contracts
    assert sol.margin == rig.engine.holdings["SOLUSDT", "BOTH"].margin
    wallets = {w.name: (w.total, w.free) for w in seen.account.wallets}
    assert wallets["spot"] == (D(5000), D(5000))
    assert wallets["futures"] == (rig.engine.cross["USDT"], rig.engine.available())
    assert seen.account.position_mode is PositionMode.ONE_WAY
    market = seen.markets[0]
    assert len(market.bars.close) == 48
    assert market.bids[0].price < market.asks[0].price
    assert market.index_price == rig.engine.quotes["BTCUSDT"].index
    assert seen.markets[0].funding_rate == D("0.0001")
    assert rig.count("market/mark-price-candles") == 2  # positions are liquidated on mark
    rules = {i.symbol: i for i in seen.instruments}["BTC/USDT:USDT"]
    assert (rules.size_step, rules.min_size, rules.price_step) == (D("0.001"), D("0.001"), D("0.1"))
    # A book is told in contracts and seen in coins.
    assert market.bids[0].size * market.bids[0].price > 1000


async def test_our_liquidation_price_is_the_venues_and_has_the_fee_in_it(
    venue: OkxVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    rules = {i.symbol: i for i in seen.instruments}
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol]).liquidation_price
        theirs = position.venue_liquidation_price
        assert ours is not None
        assert theirs is not None
        assert abs(ours - theirs) / theirs < D("1e-12")
    (tier,) = rules["SOL/USDT:USDT"].tiers
    assert tier.maintenance_rate == D("0.0065") + D("0.0005")


async def test_the_step_of_maintenance_follows_from_the_size_that_is_held(
    authority: Path,
) -> None:
    engine = an_engine(futures="5000000")
    async with serving(engine, authority) as rig, connected(rig) as venue:
        rates = []
        for size in ("5", "5.001", "60"):
            engine.holdings.clear()
            engine.hold("BTCUSDT", D(size), leverage=10)
            await rig.pace.sleep(5)
            seen = await venue.observe()
            (position,) = seen.account.positions
            rates.append(seen.instruments[0].tiers[0].maintenance_rate)
            ours = assess(position, seen.instruments[0]).liquidation_price
            theirs = position.venue_liquidation_price
            assert ours is not None
            assert theirs is not None
            assert abs(ours - theirs) / theirs < D("1e-12")
        assert rates == [D("0.0045"), D("0.0065"), D("0.0105")]


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
    gone = RemoveMargin(key=SOL, amount=D("50.25"), currency="USDT")
    assert (await send(venue, rig, gone)).outcome is Outcome.DONE
    assert rig.engine.margin_moves[-1].amount == D("-50.25")
    assert rig.said(f"account/{MARGIN}")["type"] == "reduce"


async def test_a_reduction_is_sent_in_contracts_and_what_it_filled_is_read_back(
    venue: OkxVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("0.05", "62000.0", BTC))
    assert (done.outcome, done.applied) == (Outcome.DONE, D("0.05"))
    assert rig.said("trade/order") == {"instId": "BTC-USDT-SWAP", "clOrdId": NAME}
    sent = rig.said("trade/order", "POST")
    assert sent == {
        "instId": "BTC-USDT-SWAP", "tdMode": "isolated", "side": "buy", "posSide": "net",
        "ordType": "ioc", "sz": "5", "px": "62000.0", "clOrdId": NAME, "reduceOnly": True,
    }  # fmt: skip
    assert rig.engine.holdings["BTCUSDT", "BOTH"].amount == D("-0.05")


async def test_an_order_that_finds_nobody_is_done_with_nothing_filled(
    venue: OkxVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("7", "155.00"))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(0))


async def test_an_accepted_order_whose_fill_cannot_be_read_is_unknown_and_settled_later(
    venue: OkxVenue, rig: Rig
) -> None:
    fault = rig.faults.add(Fault(kind="http_503", method="GET", path="trade/order"))
    done = await send(venue, rig, reduce("7", "149.00"))
    assert (done.outcome, done.code) == (Outcome.UNKNOWN, "unexpected_answer")
    assert fault.hits >= 3
    rig.faults.forget()
    intent = an_intent_now(rig, reduce("7", "149.00"))
    assert (await venue.settle(intent)).applied == D(7)


async def test_an_order_that_is_not_over_proves_nothing(venue: OkxVenue, rig: Rig) -> None:
    live = Fault(
        kind="rewrite", method="GET", path="trade/order",
        rewrite=lambda text: text.replace('"filled"', '"live"'),
    )  # fmt: skip
    rig.faults.add(live)
    done = await send(venue, rig, reduce("7", "149.00"))
    assert done.outcome is Outcome.UNKNOWN
    with pytest.raises(Incomplete, match="must be over"):
        await venue.settle(an_intent_now(rig, reduce("7", "149.00")))


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(reduce("7", "149.00"), "51016", id="order"),
        pytest.param(stop(), "51065", id="stop"),
        pytest.param(move(), "50071", id="transfer"),
    ],
)
async def test_the_same_id_twice_is_unknown_changes_nothing_and_is_settled_as_done(
    venue: OkxVenue, rig: Rig, action: Action, code: str
) -> None:
    await send(venue, rig, action)
    await rig.pace.sleep(4)
    before = dict(rig.engine.cross), len(rig.engine.orders)
    again = await send(venue, rig, action)
    assert (again.outcome, again.code) == (Outcome.UNKNOWN, code)
    assert (dict(rig.engine.cross), len(rig.engine.orders)) == before
    assert (await venue.settle(an_intent_now(rig, action))).applied == amount_of(action)


async def test_a_transfer_goes_from_account_to_account_under_our_id(
    venue: OkxVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, move())).outcome is Outcome.DONE
    assert rig.said("asset/transfer") == {
        "type": "0", "ccy": "USDT", "amt": "10.5", "from": "6", "to": "18", "clientId": NAME,
    }  # fmt: skip
    assert rig.engine.spot["USDT"] == D("4989.5")
    await send(venue, rig, move("futures", "spot"), "pltest0001000002")
    assert rig.engine.spot["USDT"] == D(5000)


async def test_two_transfers_of_one_plan_leave_at_once_and_a_third_waits(
    venue: OkxVenue, rig: Rig
) -> None:
    done = [await send(venue, rig, move(amount="1"), f"pltransfer{n}") for n in range(3)]
    assert [one.outcome for one in done] == [Outcome.DONE, Outcome.DONE, Outcome.REJECTED]
    assert done[2].code == "weight_exhausted"
    assert max(rig.desk.counts.most.values()) <= 0.5


async def test_with_legs_margin_orders_and_stops_name_their_leg(legs: Rig) -> None:
    async with connected(legs) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [(p.key, p.size) for p in seen.account.positions] == [
            (SOL, D(50)), (SOL_SHORT, D(-20)),
        ]  # fmt: skip
        await send(venue, legs, add("12.75", SOL_SHORT), "plone")
        assert legs.said(f"account/{MARGIN}")["posSide"] == "short"
        assert legs.engine.margin_moves[-1].side == "SHORT"
        done = await send(venue, legs, reduce("5", "151.00", SOL_SHORT), "pltwo")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(5))
        sent = legs.said("trade/order", "POST")
        assert (sent["side"], sent["posSide"], "reduceOnly" in sent) == ("buy", "short", False)
        await send(venue, legs, stop("160.00", size="15", key=SOL_SHORT), "pltest0001000003")
        await send(venue, legs, stop(), "pltest0001000004")
        assert [s.key for s in (await venue.observe()).account.stops] == [SOL, SOL_SHORT]


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        pytest.param("-5", "finite and > 0", id="negative"),
        pytest.param("0", "finite and > 0", id="zero"),
        pytest.param("NaN", "finite and > 0", id="NaN"),
        pytest.param("Infinity", "finite and > 0", id="infinite"),
        pytest.param("1.000000001", "multiple of 1E-8", id="too precise"),
    ],
)
async def test_an_impossible_amount_never_leaves(
    venue: OkxVenue, rig: Rig, amount: str, why: str
) -> None:
    before = len(rig.desk.requests)
    done = await send(venue, rig, add(amount))
    assert done.outcome is Outcome.REJECTED
    assert why in done.text
    assert len(rig.desk.requests) == before


async def test_a_name_that_the_venue_does_not_take_never_leaves(venue: OkxVenue, rig: Rig) -> None:
    before = len(rig.desk.requests)
    for action in (reduce("7", "149.00"), stop(), move()):
        done = await send(venue, rig, action, "pl-1")
        assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")
    assert len(rig.desk.requests) == before


@pytest.mark.parametrize(
    ("kind", "outcome", "has_effect"),
    [
        pytest.param("abort", Outcome.UNKNOWN, False, id="cut before"),
        pytest.param("abort_after", Outcome.UNKNOWN, True, id="cut after"),
        pytest.param("http_503", Outcome.UNKNOWN, False, id="503 before"),
        pytest.param("http_503_after", Outcome.UNKNOWN, True, id="503 after"),
        pytest.param("timeout_1007", Outcome.UNKNOWN, True, id="50004"),
        pytest.param("html", Outcome.UNKNOWN, False, id="a page"),
        pytest.param("empty", Outcome.UNKNOWN, False, id="nothing"),
        pytest.param("half_json", Outcome.UNKNOWN, True, id="half a body"),
        pytest.param("rate_429", Outcome.REJECTED, False, id="50011"),
    ],
)
async def test_a_write_is_sent_once_and_what_is_not_proven_is_unknown(
    venue: OkxVenue, rig: Rig, kind: str, outcome: Outcome, has_effect: bool
) -> None:
    fault = rig.faults.add(Fault(kind=kind, method="POST", path=MARGIN))  # type: ignore[arg-type]  # a kind
    done = await send(venue, rig, add("12.75"))
    assert done.outcome is outcome, done
    assert fault.hits == 1
    assert bool(rig.engine.margin_moves) is has_effect


async def test_after_too_many_requests_it_goes_on_in_seconds(venue: OkxVenue, rig: Rig) -> None:
    rig.faults.add(Fault(kind="rate_429", method="POST", path=MARGIN, times=1))
    assert (await send(venue, rig, add("1"))).code == "50011"
    assert (await send(venue, rig, add("1"))).code == "venue_banned"
    await rig.pace.sleep(4)
    assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE


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


@pytest.mark.parametrize("whole", ["0", "1", "2"])
async def test_a_refused_item_under_any_code_is_never_done(
    venue: OkxVenue, rig: Rig, whole: str
) -> None:
    def refused(text: str) -> str:
        body = json.loads(text)
        body["data"][0] |= {"sCode": "51400", "sMsg": "no"}
        return json.dumps(body | {"code": whole})

    rig.faults.add(Fault(kind="rewrite", method="POST", rewrite=refused))
    for action in (stop(), reduce("7", "149.00"), add("12.75"), move()):
        done = await send(venue, rig, action, f"pl{whole}{type(action).__name__}")
        assert done.outcome is not Outcome.DONE


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(add("99999999"), "51119", id="too little there"),
        pytest.param(RemoveMargin(key=SOL, amount=D(749), currency="USDT"), "59301", id="locked"),
        pytest.param(add("1", PositionKey("BTC/USDT:USDT", Side.LONG)), "", id="of the other side"),
        pytest.param(move(amount="99999"), "58350", id="too little to transfer"),
        pytest.param(stop("999.00"), "51280", id="would fire at once"),
        pytest.param(reduce("7", "1.00"), "51006", id="price out of bounds"),
        pytest.param(reduce("7", "151.00", SOL_SHORT), "51169", id="nothing to reduce"),
        pytest.param(CancelStop(key=SOL, stop_id="77", client_id=NAME), "51400", id="no stop"),
    ],
)
async def test_a_refusal_with_a_listed_code_is_rejected(
    venue: OkxVenue, rig: Rig, action: Action, code: str
) -> None:
    done = await send(venue, rig, action)
    if not code:  # in one-way mode there is one position of a symbol, whatever its side
        assert done.outcome is Outcome.DONE
        return
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)


async def test_a_refused_connection_is_rejected_since_nothing_left(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        assert rig.server._runner is not None
        await rig.server._runner.cleanup()
        done = await send(venue, rig, add("1"))
        assert (done.outcome, done.code) == (Outcome.REJECTED, "not_connected")


LOOKED_AT = (
    "account/positions", "account/balance", "account-position-risk", "asset/balances",
    "public/mark-price", "index-tickers",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["abort", "http_503", "html", "empty", "half_json", "rate_429"])
@pytest.mark.parametrize("path", LOOKED_AT)
async def test_a_look_that_fails_in_any_part_fails_as_a_whole(
    venue: OkxVenue, rig: Rig, kind: str, path: str
) -> None:
    rig.faults.add(Fault(kind=kind, path=path))  # type: ignore[arg-type]  # a kind
    with pytest.raises((Incomplete, Unavailable)):
        await venue.observe()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("account/positions", "markPx"),
        ("account/positions", "margin"),
        ("account/positions", "avgPx"),
        ("account/positions", "pos"),
        ("account/positions", "lever"),
        ("account/balance", "availBal"),
        ("account/balance", "cashBal"),
        ("account-position-risk", "pos"),
        ("public/mark-price", "markPx"),
        ("index-tickers", "idxPx"),
        ("asset/balances", "availBal"),
    ],
)
@pytest.mark.parametrize("value", ['""', "null", '"NaN"', '"1e400"', '"-1e30"', "true", "[]"])
async def test_a_broken_number_is_named_and_never_guessed(
    venue: OkxVenue, rig: Rig, path: str, field: str, value: str
) -> None:
    def broken(text: str) -> str:
        changed = re.sub(rf'"{field}": ("[^"]*"|[-\d.]+)', f'"{field}": {value}', text)
        assert changed != text
        return changed

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=broken))
    with pytest.raises(Incomplete) as caught:
        await venue.observe()
    assert field in str(caught.value)


def nothing(field: str = "data") -> Callable[[str], str]:
    def empty(text: str) -> str:
        body = json.loads(text)
        if field == "data":
            return json.dumps(body | {"data": []})
        body["data"][0][field] = []
        return json.dumps(body)

    return empty


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("account/positions", "data"),
        ("account-position-risk", "posData"),
        ("account/balance", "details"),
    ],
)
async def test_an_empty_list_is_not_flat_while_another_answer_shows_something(
    venue: OkxVenue, rig: Rig, path: str, field: str
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=nothing(field)))
    with pytest.raises(Incomplete, match="must"):
        await venue.observe()


async def test_isolated_margin_without_a_position_is_a_torn_look(venue: OkxVenue, rig: Rig) -> None:
    rig.faults.add(Fault(kind="rewrite", path="account/positions", rewrite=nothing()))
    rig.faults.add(Fault(kind="rewrite", path="position-risk", rewrite=nothing("posData")))
    with pytest.raises(Incomplete, match="isolated margin of USDT must be of a position"):
        await venue.observe()


async def test_margin_that_waits_without_a_position_is_no_torn_look(authority: Path) -> None:
    """With margin that is moved by hand the venue lists a position of nothing beside it."""
    engine = an_engine()

    def waiting(text: str) -> str:
        row = {"instId": "SOL-USDT-SWAP", "pos": "0", "posSide": "net", "mgnMode": "isolated",
               "ccy": "USDT", "margin": "100"}  # fmt: skip
        return json.dumps(json.loads(text) | {"data": [row]})

    def isolated(text: str) -> str:
        return text.replace('"isoEq": "0"', '"isoEq": "100"')

    async with serving(engine, authority) as rig, connected(rig) as venue:
        rig.faults.add(Fault(kind="rewrite", path="account/positions", rewrite=waiting))
        rig.faults.add(Fault(kind="rewrite", path="account/balance", rewrite=isolated))
        assert (await venue.observe()).account.positions == ()


async def test_a_contract_that_is_listed_without_its_rules_is_passed_over(rig: Rig) -> None:
    def with_another(text: str) -> str:
        body = json.loads(text)
        body["data"].insert(0, body["data"][0] | {"instId": "", "ctVal": "", "state": "preopen"})
        body["data"].insert(0, body["data"][0] | {"instId": "NEW-USDT-SWAP", "ctVal": ""})
        return json.dumps(body)

    rig.faults.add(Fault(kind="rewrite", path="public/instruments", rewrite=with_another))
    async with connected(rig) as venue:
        assert len((await venue.observe()).account.positions) == 2


async def test_a_funding_account_that_is_listed_once_and_then_not_is_empty_after_two_answers(
    venue: OkxVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path="asset/balances", rewrite=nothing(), times=1))
    await rig.pace.sleep(5)
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 5000  # the second answer had it
    rig.engine.spot["USDT"] = D(0)
    await rig.pace.sleep(5)
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"instId": "BTC-USD-SWAP"},
        {"instId": "BTC-USDT-260327", "instType": "FUTURES"},
        {"instId": "BTC-USD-260327-60000-C", "instType": "OPTION"},
    ],
)
async def test_a_position_of_another_kind_is_named_and_not_lost(
    venue: OkxVenue, rig: Rig, changes: dict[str, str]
) -> None:
    def with_another(text: str) -> str:
        body = json.loads(text)
        rows = body["data"][0].get("posData", body["data"])
        rows.append(rows[0] | changes)
        return json.dumps(body)

    for path in ("account/positions", "account-position-risk"):
        rig.faults.add(Fault(kind="rewrite", path=path, rewrite=with_another))
    with pytest.raises(Incomplete, match=changes["instId"]):
        await venue.observe()


async def test_a_cross_position_is_shown_as_one(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        (position,) = (await venue.observe()).account.positions
        assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))


async def test_under_portfolio_margin_nothing_is_planned(rig: Rig) -> None:
    rig.desk.room.level = "4"
    async with connected(rig) as venue:
        seen = await venue.observe()
        assert {p.margin_mode for p in seen.account.positions} == {MarginMode.CROSS}


async def test_an_account_in_spot_mode_is_refused_at_start(rig: Rig) -> None:
    rig.desk.room.level = "1"
    with pytest.raises(Denied, match="futures mode"):
        async with connected(rig):
            pass


async def test_a_key_that_can_withdraw_is_refused_at_start(rig: Rig) -> None:
    rig.desk.keys = Keys(may_withdraw=True)
    with pytest.raises(Denied, match="withdraw"):
        async with connected(rig):
            pass


async def test_a_key_that_cannot_trade_is_refused_at_start(rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path="account/config",
            rewrite=lambda text: text.replace("read_only,trade", "read_only"),
        )
    )  # fmt: skip
    with pytest.raises(Denied, match="able to trade"):
        async with connected(rig):
            pass


async def test_a_wrong_passphrase_is_denied_and_said_by_nobody(rig: Rig) -> None:
    with pytest.raises(Denied, match="50105") as caught:
        async with connected(rig, password="not-the-word"):
            pass
    assert "not-the-word" not in str(caught.value)


async def test_a_revoked_key_is_denied(venue: OkxVenue, rig: Rig) -> None:
    rig.desk.keys = Keys(is_valid=False)
    with pytest.raises(Denied, match="50111"):
        await venue.observe()


async def test_a_symbol_that_does_not_exist_is_named_with_its_neighbours(rig: Rig) -> None:
    with pytest.raises(ConfigError, match=r"BTX/USDT:USDT does not exist.*BTC/USDT:USDT"):
        async with connected(rig, symbols=("BTX/USDT:USDT",)):
            pass


async def test_a_held_symbol_that_is_not_configured_is_seen_all_the_same(rig: Rig) -> None:
    async with connected(rig, symbols=("BTC/USDT:USDT",)) as venue:
        seen = await venue.observe()
        assert {p.symbol for p in seen.account.positions} == {"BTC/USDT:USDT", "SOL/USDT:USDT"}
        assert {m.symbol for m in seen.markets} == {"BTC/USDT:USDT", "SOL/USDT:USDT"}
        assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(add("12.75"), id="margin"),
        pytest.param(reduce("7", "149.00"), id="order"),
        pytest.param(move(), id="transfer in"),
        pytest.param(move("futures", "spot"), id="transfer out"),
        pytest.param(stop(), id="stop"),
    ],
)
@pytest.mark.parametrize("has_effect", [True, False])
async def test_an_unknown_effect_is_settled_by_the_venues_history(
    venue: OkxVenue, rig: Rig, action: Action, has_effect: bool
) -> None:
    kind = "abort_after" if has_effect else "abort"
    rig.faults.add(Fault(kind=kind, method="POST", times=1))  # type: ignore[arg-type]  # a kind
    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    wanted = amount_of(action) if has_effect else D(0)
    assert (await venue.settle(intent)).applied == wanted


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


async def test_a_transfer_whose_name_is_forgotten_is_found_on_the_bills(
    venue: OkxVenue, rig: Rig
) -> None:
    intent = an_intent_now(rig, move())
    await venue.execute(intent, an_open_gate())
    rig.desk.room.transfers.clear()
    assert (await venue.settle(intent)).applied == D("10.5")


@pytest.mark.parametrize(("state", "applied"), [("failed", D(0)), ("pending", None)])
async def test_a_transfer_is_what_the_venue_says_of_it(
    venue: OkxVenue, rig: Rig, state: str, applied: D | None
) -> None:
    intent = an_intent_now(rig, move())
    await venue.execute(intent, an_open_gate())
    rig.faults.add(
        Fault(
            kind="rewrite", path="transfer-state",
            rewrite=lambda text: text.replace('"success"', f'"{state}"'),
        )
    )  # fmt: skip
    assert (await venue.settle(intent)).applied == applied


async def test_a_stop_rests_on_mark_for_its_size_under_our_id_and_is_taken_back(
    venue: OkxVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, stop())).outcome is Outcome.DONE
    assert rig.said("trade/order-algo") == {
        "instId": "SOL-USDT-SWAP", "tdMode": "isolated", "side": "sell", "posSide": "net",
        "ordType": "conditional", "slTriggerPx": "140.00", "slTriggerPxType": "mark",
        "slOrdPx": "-1", "sz": "50", "reduceOnly": True, "algoClOrdId": NAME,
    }  # fmt: skip
    (resting,) = (await venue.observe()).account.stops
    assert resting == RestingStop(
        key=SOL, stop_id=resting.stop_id, client_id=NAME, size=D(50), stop_price=D(140),
        on_mark=True, is_ours=True,
    )  # fmt: skip
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    assert (await send(venue, rig, gone, "pltest0001000002")).outcome is Outcome.DONE
    (cancelled,) = rig.desk.requests[-1][2].items
    assert cancelled.parameters == {"instId": "SOL-USDT-SWAP", "algoId": resting.stop_id}
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1


async def test_stops_are_listed_to_the_end(venue: OkxVenue, rig: Rig) -> None:
    for number in range(230):
        rig.engine.place(
            Ask(
                symbol="SOLUSDT", side="SELL", type="STOP_MARKET", size=D(1), stop=D("120.00"),
                reduce_only=True, on_mark=True, client_id=f"hand{number}", conditional=True,
            )
        )  # fmt: skip
    assert len((await venue.observe()).account.stops) == 230
    assert rig.count("trade/orders-algo-pending") == 3


async def test_a_stop_for_whatever_is_open_names_no_quantity(venue: OkxVenue, rig: Rig) -> None:
    assert (await send(venue, rig, stop(size=None))).outcome is Outcome.DONE
    said = rig.said("trade/order-algo")
    assert (said["closeFraction"], "sz" in said, said["reduceOnly"]) == ("1", False, True)
    assert (await venue.observe()).account.stops[0].size is None


@pytest.mark.parametrize(
    "changes",
    [
        {"slTriggerPx": "", "tpTriggerPx": "200"},
        {"reduceOnly": "false"},
        {"closeFraction": "0.5"},
    ],
)
async def test_another_conditional_order_is_no_stop(
    venue: OkxVenue, rig: Rig, changes: dict[str, str]
) -> None:
    await send(venue, rig, stop())

    def another(text: str) -> str:
        body = json.loads(text)
        return json.dumps(body | {"data": [body["data"][0] | changes]})

    rig.faults.add(Fault(kind="rewrite", path="orders-algo-pending", rewrite=another))
    assert (await venue.observe()).account.stops == ()


async def test_the_ledger_has_every_line_once_and_its_sum_is_what_changed(
    venue: OkxVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(minutes=1)

    def held() -> D:
        margins = sum((h.margin for h in rig.engine.holdings.values()), D(0))
        return rig.engine.cross["USDT"] + margins

    before = held()
    await send(venue, rig, add("12.75"), "plone")
    await send(venue, rig, move(), "pltwo")
    await send(venue, rig, reduce("7", "149.00"), "plthree")
    await rig.pace.sleep(4)
    await send(venue, rig, move("futures", "spot", "1.5"), "plfour")
    rig.engine.pay_funding()
    rows = await venue.rows(since)
    assert len({row.id for row in rows}) == len(rows)
    kinds = {row.kind for row in rows}
    assert kinds == {
        RowKind.MARGIN_ADDED, RowKind.TRANSFER_IN, RowKind.TRANSFER_OUT, RowKind.FEE,
        RowKind.REALIZED_PNL, RowKind.FUNDING,
    }  # fmt: skip
    outside = [row.amount for row in rows if not row.kind.is_margin]
    assert sum(outside, D(0)) == held() - before
    assert {row.other for row in rows if row.kind.is_transfer} == {"spot"}
    (added,) = [row for row in rows if row.kind is RowKind.MARGIN_ADDED]
    assert (added.amount, added.symbol, added.actor) == (D("12.75"), "SOL/USDT:USDT", "6:160")


@pytest.mark.parametrize(("lines", "pages"), [(250, 3), (1150, 12)])
async def test_the_ledger_is_read_to_its_end_however_seldom_it_may_be_asked(
    venue: OkxVenue, rig: Rig, lines: int, pages: int
) -> None:
    since = rig.pace.now()
    for _ in range(lines):
        rig.engine.move_margin("SOLUSDT", "BOTH", D("0.01"), add=True)
    assert len(await venue.rows(since)) == lines
    assert rig.count("account/bills") == pages


async def test_a_glance_has_the_marks_of_all_that_is_asked_for(venue: OkxVenue, rig: Rig) -> None:
    found = await venue.glance(["SOL/USDT:USDT", "BTC/USDT:USDT"])
    assert found["SOL/USDT:USDT"] == rig.engine.quotes["SOLUSDT"].mark
    assert venue.allowance().glance_every is not None


async def test_the_marks_of_every_completed_hour_are_read_page_by_page(
    venue: OkxVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(hours=250)
    found = await venue.marks("SOL/USDT:USDT", since)
    hours = [candle.opened_at for candle in found]
    assert len(hours) == 250
    assert hours == sorted(hours)
    assert hours[-1] + timedelta(hours=1) <= rig.pace.now()
    assert rig.count("market/history-mark-price-candles") == 3


async def test_bars_are_read_once_and_then_only_what_is_new(rig: Rig) -> None:
    async with connected(rig, bars=240) as venue:
        first = (await venue.observe()).markets[0].bars
        assert len(first.close) == 240
        before = rig.count("market/mark-price-candles")
        assert before == 6
        await venue.observe()
        assert rig.count("market/mark-price-candles") == before
        rig.engine.advance(rig.engine.now_ms + 3_600_000)
        later = (await venue.observe()).markets[0].bars
        assert rig.count("market/mark-price-candles") == before + 2
        assert first.opened_at is not None
        assert later.opened_at == first.opened_at + timedelta(hours=1)
        assert later.close[:-1] == first.close[1:]


async def test_no_endpoint_is_asked_more_often_than_half_of_what_it_allows(
    venue: OkxVenue, rig: Rig
) -> None:
    for _ in range(30):
        await venue.observe()
    assert max(rig.desk.counts.most.values()) <= 0.5


async def test_a_mode_that_a_person_changed_is_read_again_after_a_refusal(authority: Path) -> None:
    engine = an_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        await rig.pace.sleep(5)
        engine.set_hedge_mode(hedge=True)
        engine.hold("SOLUSDT", D(50), leverage=10)
        done = await send(venue, rig, reduce("7", "149.00"))
        assert done.outcome is Outcome.REJECTED
        assert (await venue.observe()).account.position_mode is PositionMode.HEDGE


async def test_no_secret_is_in_any_text(venue: OkxVenue, rig: Rig) -> None:
    texts = [repr(venue._settings)]
    for kind in ("abort", "http_503", "html", "half_json"):
        fault = rig.faults.add(Fault(kind=kind, method="GET"))
        with pytest.raises((Unavailable, Incomplete)) as caught:
            await venue.observe()
        fault.times = 0
        texts.append(str(caught.value))
        rig.faults.add(Fault(kind=kind, method="POST", times=1))
        texts.append(repr(await send(venue, rig, add("1"), f"pl{kind[:4]}")))
    together = " ".join(texts)
    for secret in ("paper-secret", "paper-key", "paper-word"):
        assert secret not in together


def test_sizes_of_the_exchange_are_whole_contracts() -> None:
    for contract in an_engine().contracts.values():
        assert (contract.lot / face(contract)) * face(contract) == contract.lot
