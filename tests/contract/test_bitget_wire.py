"""Unmodified ccxt against the paper exchange in Bitget's words, and what it answers by hand."""

import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.margin import by_rule
from bot.margin.by_rule import Terms
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from bot.paper.bitget.codes import WireError
from bot.paper.bitget.desk import BitgetDesk
from bot.paper.bitget.limits import LIMITS
from bot.paper.bitget.listing import demand
from bot.paper.bitget.request import Request
from bot.paper.bitget.room import Room
from bot.paper.bitget.routes import ROUTES
from bot.paper.desk import Asked, Keys
from bot.paper.fronts import ruled
from bot.paper.instruments import CONTRACTS
from bot.paper.pace import Stepped
from bot.paper.values import Ask, Refused
from tests.kit.bitget import Rig, serving, signed, told
from tests.kit.paper import KEYS, START, an_engine
from tests.kit.rigs import plain

SOL = "SOL/USDT:USDT"
MIX = {"productType": "USDT-FUTURES", "symbol": "SOLUSDT", "marginCoin": "USDT"}
MARGIN = "/api/v2/mix/account/set-margin"
ACCOUNTS = "/api/v2/mix/account/accounts"


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """An exchange on loopback where 50 SOL are held with 10x."""
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    # Without uta it asks first whether the account is of another kind.
    async with plain(
        rig, ccxt.bitget, "https://api.bitget.com", defaultType="swap", uta=False
    ) as client:
        yield client


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any, rig: Rig) -> None:
    markets = await venue.load_markets()
    btc = markets["BTC/USDT:USDT"]
    assert (btc["contractSize"], btc["precision"]["amount"], btc["linear"]) == (1, 0.001, True)
    assert btc["precision"]["price"] == 0.1
    assert markets["BTC/USD:BTC"]["inverse"]
    (position,) = await venue.fetch_positions()
    assert (position["symbol"], position["contracts"]) == (SOL, 50)
    assert (position["side"], position["marginMode"]) == ("long", "isolated")
    assert position["hedged"] is False
    balance = (await venue.fetch_balance())["USDT"]
    assert balance["free"] == float(rig.engine.available())
    assert balance["total"] == float(rig.engine.equity())
    mark = await venue.fetch_mark_price(SOL)
    assert D(str(mark["markPrice"])) == rig.engine.quotes["SOLUSDT"].mark
    book = await venue.publicMixGetV2MixMarketMergeDepth({**MIX, "limit": "5"})
    assert len(book["data"]["bids"]) == 5
    assert book["data"]["bids"][0][0] < book["data"]["asks"][0][0]
    assert (await venue.fetch_funding_rate(SOL))["fundingRate"] > 0
    tiers = await venue.fetch_market_leverage_tiers(SOL)
    assert [tier["maintenanceMarginRate"] for tier in tiers] == [
        float(step.rate) for step in CONTRACTS["SOLUSDT"].brackets
    ]


async def test_ccxt_places_and_reads_orders(venue: Any, rig: Rig) -> None:
    await venue.load_markets()
    placed = await venue.create_order(
        SOL, "limit", "sell", 10, 149,
        {"reduceOnly": True, "marginMode": "isolated", "clientOid": "one", "timeInForce": "IOC"},
    )  # fmt: skip
    assert placed["filled"] is None  # accepted, and nothing else is told
    done = await venue.fetch_order(None, SOL, {"clientOid": "one"})
    assert (done["filled"], done["status"]) == (10, "closed")
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(40)


async def test_ccxt_changes_settings_and_gets_the_venues_refusals(venue: Any) -> None:
    await venue.load_markets()
    await venue.set_leverage(25, "BTC/USDT:USDT")
    with pytest.raises(ccxt.ExchangeError, match="40893"):
        await venue.set_leverage(2, SOL)
    with pytest.raises(ccxt.ExchangeError, match="40920"):
        await venue.set_position_mode(True)


STOP = {
    **MIX, "planType": "loss_plan", "triggerPrice": "120", "triggerType": "mark_price",
    "holdSide": "buy", "size": "5", "clientOid": "mine",
}  # fmt: skip


async def test_a_stop_is_known_to_its_own_endpoints_only_and_is_taken_back_by_its_kind(
    venue: Any,
) -> None:
    placed = (await venue.privateMixPostV2MixOrderPlaceTpslOrder(dict(STOP)))["data"]
    assert placed["clientOid"] == "mine"
    with pytest.raises(ccxt.OrderNotFound, match="40109"):
        await venue.privateMixGetV2MixOrderDetail({**MIX, "clientOid": "mine"})
    asked = {"productType": "USDT-FUTURES", "planType": "profit_loss"}
    (row,) = (await venue.privateMixGetV2MixOrderOrdersPlanPending(dict(asked)))["data"][
        "entrustedList"
    ]
    assert (row["planStatus"], row["size"], row["planType"]) == ("live", "5", "loss_plan")
    gone = {**MIX, "orderIdList": [{"orderId": placed["orderId"]}]}
    nothing = (await venue.privateMixPostV2MixOrderCancelPlanOrder(dict(gone)))["data"]
    assert nothing == {"successList": [], "failureList": []}  # and it says success
    done = await venue.privateMixPostV2MixOrderCancelPlanOrder({**gone, "planType": "loss_plan"})
    assert [one["orderId"] for one in done["data"]["successList"]] == [placed["orderId"]]
    pending = await venue.privateMixGetV2MixOrderOrdersPlanPending(dict(asked))
    assert pending["data"]["entrustedList"] is None
    (ended,) = (
        await venue.privateMixGetV2MixOrderOrdersPlanHistory({**asked, "clientOid": "mine"})
    )["data"]["entrustedList"]
    assert ended["planStatus"] == "cancelled"
    again = await venue.privateMixPostV2MixOrderCancelPlanOrder({**gone, "planType": "loss_plan"})
    assert len(again["data"]["failureList"]) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"triggerPrice": "999"}, "40917", id="would fire at once"),
        pytest.param({"holdSide": "long"}, "40020", id="a leg without legs"),
        pytest.param({"holdSide": "sell"}, "40891", id="no such position"),
        pytest.param({"planType": "normal_plan"}, "40020", id="another kind"),
        pytest.param({"executePrice": "119"}, "40020", id="not at market"),
        pytest.param({"size": "51"}, "43023", id="more than is held"),
        pytest.param({"size": None}, "40019", id="no size"),
        pytest.param({"marginCoin": "usdt"}, "40020", id="a coin in small letters"),
    ],
)
async def test_a_stop_the_venue_refuses_has_its_code(
    venue: Any, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=code):
        await venue.privateMixPostV2MixOrderPlaceTpslOrder(STOP | changes)


ORDER = {
    **MIX, "marginMode": "isolated", "side": "sell", "reduceOnly": "YES", "orderType": "limit",
    "force": "ioc", "size": "1", "price": "149", "clientOid": "two",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"tradeSide": "close"}, "40774", id="a word of the other mode"),
        pytest.param({"side": "buy", "price": "151"}, "22002", id="the side that grows it"),
        pytest.param({"size": "51"}, "40757", id="more than is held"),
        pytest.param({"size": "0.5"}, "40808", id="half a lot"),
        pytest.param({"marginMode": "crossed"}, "45117", id="the other margin mode"),
        pytest.param({"symbol": "BTCUSD"}, "40034", id="not traded here"),
        pytest.param({"productType": "COIN-FUTURES"}, "40020", id="another kind of contract"),
        pytest.param({"clientOid": "x" * 65}, "40305", id="too long a name"),
    ],
)
async def test_an_order_the_venue_refuses_has_its_code(
    venue: Any, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=code):
        await venue.privateMixPostV2MixOrderPlaceOrder(ORDER | changes)


async def test_the_id_of_an_order_is_taken_once(venue: Any) -> None:
    await venue.privateMixPostV2MixOrderPlaceOrder(dict(ORDER))
    with pytest.raises(ccxt.BaseError, match="40786"):
        await venue.privateMixPostV2MixOrderPlaceOrder(dict(ORDER))


async def test_with_legs_the_side_names_the_leg_and_another_word_closes_it(
    authority: Path, rig: Rig, venue: Any
) -> None:
    rig.engine.holdings.clear()
    rig.engine.hedge_mode = True
    rig.engine.hold("SOLUSDT", D(50), leverage=10)
    rig.engine.hold("SOLUSDT", D(-20), leverage=10)
    with pytest.raises(ccxt.BaseError, match="40774"):
        await venue.privateMixPostV2MixOrderPlaceOrder(dict(ORDER))
    legs = {k: v for k, v in ORDER.items() if k != "reduceOnly"}
    closing = legs | {"side": "buy", "tradeSide": "close", "size": "10"}
    await venue.privateMixPostV2MixOrderPlaceOrder(dict(closing))
    assert rig.engine.holdings["SOLUSDT", "LONG"].amount == D(40)  # bought to close a long
    opening = closing | {"tradeSide": "open", "price": "151", "clientOid": "three"}
    await venue.privateMixPostV2MixOrderPlaceOrder(dict(opening))
    assert rig.engine.holdings["SOLUSDT", "LONG"].amount == D(50)
    assert rig.engine.holdings["SOLUSDT", "SHORT"].amount == D(-20)
    for side, row in zip(("long", "short"), await venue.fetch_positions([SOL]), strict=True):
        assert (row["side"], row["hedged"]) == (side, True)


async def test_margin_moves_and_transfers_take_raw_amounts_and_leave_bills(
    venue: Any, rig: Rig
) -> None:
    move = {**MIX, "amount": "12.75", "holdSide": "long"}
    done = await venue.privateMixPostV2MixAccountSetMargin(dict(move))
    assert (done["code"], done["data"]) == ("00000", "")  # and nothing else is told
    await venue.privateMixPostV2MixAccountSetMargin(move | {"amount": "-2.5"})
    assert [m.amount for m in rig.engine.margin_moves] == [D("12.75"), D("-2.5")]
    asked = {"productType": "USDT-FUTURES", "businessType": "append_margin"}
    found = (await venue.privateMixGetV2MixAccountBill(asked))["data"]["bills"]
    assert [row["amount"] for row in found] == ["12.75"]
    moved = {
        "fromType": "spot", "toType": "usdt_futures", "amount": "10.5", "coin": "USDT",
        "clientOid": "mine",
    }  # fmt: skip
    number = (await venue.privateSpotPostV2SpotWalletTransfer(moved))["data"]["transferId"]
    (record,) = (
        await venue.privateSpotGetV2SpotAccountTransferRecords(
            {"coin": "USDT", "clientOid": "mine"}
        )
    )["data"]
    assert (record["status"], record["transferId"]) == ("Successful", number)
    with pytest.raises(ccxt.BaseError, match="43118"):
        await venue.privateSpotPostV2SpotWalletTransfer(moved)
    assert len(rig.engine.transfers) == 1
    bills = (await venue.privateMixGetV2MixAccountBill({"productType": "USDT-FUTURES"}))["data"]
    assert bills["bills"][0]["businessType"] == "trans_from_exchange"
    assert bills["endId"] == bills["bills"][-1]["billId"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"amount": "999999"}, "40798", id="too little there"),
        pytest.param({"amount": "-750"}, "40801", id="too much out"),
        pytest.param({"symbol": "BTCUSDT"}, "40802", id="nothing held"),
        pytest.param({"holdSide": "short"}, "40802", id="nothing held on that side"),
        pytest.param({"holdSide": "buy"}, "40020", id="no such side"),
        pytest.param({"symbol": "BTCUSD"}, "40034", id="not traded here"),
        pytest.param({"amount": "0"}, "40020", id="nothing"),
        pytest.param({"amount": None}, "40019", id="no amount"),
        pytest.param({"amount": [5]}, "40020", id="a list"),
    ],
)
async def test_a_margin_move_the_venue_refuses_has_its_code(
    venue: Any, changes: dict[str, Any], code: str
) -> None:
    move = {**MIX, "amount": "1", "holdSide": "long"} | changes
    with pytest.raises(ccxt.BaseError, match=code):
        await venue.privateMixPostV2MixAccountSetMargin(move)


def a_desk() -> BitgetDesk:
    engine = ruled("bitget", an_engine())
    engine.hold("SOLUSDT", D(50), leverage=10)
    return BitgetDesk(engine, Stepped(engine, speed=1.0))


def asked(desk: BitgetDesk, *, shift: float = 0.0) -> tuple[int, str]:
    """Ask for the account; status and code."""
    request = signed(desk, "GET", ACCOUNTS, "productType=USDT-FUTURES", shift=shift)
    return told(desk, request)[:2]


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("access_key", "", "40001"),
        ("access_sign", "", "40002"),
        ("access_passphrase", "", "40011"),
        ("access_timestamp", "noon", "40005"),
        ("access_key", "unknown", "40037"),
        ("access_passphrase", "wrong", "40012"),
        ("access_sign", "wrong", "40009"),
    ],
)
def test_a_wrong_header_is_seen(header: str, value: str, code: str) -> None:
    desk = a_desk()
    request = signed(desk, "GET", ACCOUNTS, "productType=USDT-FUTURES", **{header: value})  # type: ignore[arg-type]  # a header
    assert told(desk, request)[:2] == (400, code)


def test_a_request_is_taken_for_thirty_seconds_and_no_longer() -> None:
    desk = a_desk()
    assert asked(desk, shift=-29.9) == (200, "00000")
    assert asked(desk, shift=-30.1) == (400, "40008")
    assert asked(desk, shift=30.1) == (400, "40008")


def test_the_signature_covers_the_body() -> None:
    desk = a_desk()
    body = json.dumps({**MIX, "amount": "1", "holdSide": "long"})
    other = signed(desk, "POST", MARGIN, body.replace('"1"', '"2"'))
    forged = Asked(method="POST", path=MARGIN, body=body.encode(), headers=other.headers)
    assert told(desk, forged)[:2] == (400, "40009")
    assert told(desk, signed(desk, "POST", MARGIN, body)) == (200, "00000", "")


def test_a_revoked_key_is_refused_and_so_is_an_account_of_the_other_kind() -> None:
    desk = a_desk()
    desk.room.is_unified = True
    assert asked(desk) == (400, "40085")
    desk.keys = Keys(is_valid=False)
    assert asked(desk) == (400, "40037")


def test_too_many_requests_in_a_second_are_429_with_a_code_and_soon_forgotten() -> None:
    desk = a_desk()
    assert [asked(desk)[0] for _ in range(11)] == [200] * 10 + [429]
    assert asked(desk) == (429, "429")
    desk.engine.advance(desk.engine.now_ms + 1000)
    assert asked(desk) == (200, "00000")
    assert LIMITS["POST", MARGIN] == 5


@pytest.mark.parametrize("body", ["[", "[1]", '"x"', "7"])
def test_a_body_that_is_no_object_has_a_code(body: str) -> None:
    desk = a_desk()
    assert told(desk, signed(desk, "POST", MARGIN, body))[:2] == (400, "40017")


def test_an_unknown_path_is_a_404() -> None:
    reply = a_desk().answer(Asked(method="GET", path="/api/v2/nothing"))
    assert reply.status == 404


def test_the_equity_is_what_is_free_in_positions_and_won_as_a_record_of_the_venue_has_it() -> None:
    desk = a_desk()
    desk.engine.place(Ask(symbol="SOLUSDT", side="BUY", type="LIMIT", size=D(5), price=D("145.00")))
    desk.engine.advance(desk.engine.now_ms + 60_000)
    request = signed(desk, "GET", ACCOUNTS, "productType=USDT-FUTURES")
    (row,) = told(desk, request)[2]
    parts = sum(D(row[key]) for key in ("available", "isolatedMargin", "unrealizedPL"))
    assert abs(D(row["accountEquity"]) - parts) < D("1e-8")


@pytest.mark.parametrize("amount", ["50", "-50"])
def test_the_shown_liquidation_price_is_that_of_the_venues_rule(amount: str) -> None:
    engine = ruled("bitget", an_engine())
    engine.hold("SOLUSDT", D(amount), leverage=10)
    holding, contract = engine.holdings["SOLUSDT", "BOTH"], engine.contracts["SOLUSDT"]
    rule = rule_for(venue="bitget", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=START.date())
    tiers = tuple(
        MarginTier(
            notional_floor=step.floor, maintenance_rate=step.rate, maintenance_amount=D(0),
            max_leverage=D(step.leverage),
        )
        for step in contract.brackets
    )  # fmt: skip
    price = by_rule.liquidation_price(
        rule,
        Terms(
            size=holding.amount, entry_price=holding.entry, margin=holding.margin, tiers=tiers,
            closing_fee=contract.taker,
        ),
    )  # fmt: skip
    assert price is not None
    room = Room(engine=engine, keys=KEYS)
    request = Request(parameters={"productType": "USDT-FUTURES"}, now_ms=0)
    (row,) = ROUTES["GET", "/api/v2/mix/position/all-position"].handler(room, request)
    assert abs(D(row["liquidationPrice"]) - price) < price * D("1e-12")


def test_an_exchange_of_this_venue_liquidates_by_worth_and_with_the_fee() -> None:
    contract = CONTRACTS["BTCUSDT"]
    assert demand(contract, D(1), D(49_999)) == 49_999 * D("0.0045")
    assert demand(contract, D(1), D(50_000)) == 50_000 * D("0.0055")  # no amount joins the steps


words = st.text(max_size=12) | st.sampled_from(
    ["SOLUSDT", "BTCUSD", "1", "-1", "1e400", "NaN", "buy", "sell", "ioc", "limit", "market",
     "close", "YES", "0", "long", "USDT-FUTURES", "isolated", "USDT", "spot", "usdt_futures",
     "loss_plan", "pos_loss", "profit_loss", "mark_price", "1H"]
)  # fmt: skip
values = words | st.booleans() | st.integers() | st.none() | st.just([{"orderId": "1"}])
names = st.sampled_from(
    ["symbol", "productType", "marginCoin", "side", "tradeSide", "orderType", "force", "size",
     "price", "marginMode", "reduceOnly", "amount", "holdSide", "leverage", "startTime", "endTime",
     "limit", "coin", "granularity", "orderId", "clientOid", "posMode", "planType", "triggerPrice",
     "triggerType", "executePrice", "orderIdList", "fromType", "toType", "idLessThan",
     "businessType"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(sorted(ROUTES)), st.dictionaries(names, values, max_size=9), st.booleans())
def test_whatever_is_asked_gets_an_answer_or_a_code(
    found: tuple[str, str], parameters: dict[str, Any], has_legs: bool
) -> None:
    engine = ruled("bitget", an_engine(hours=2))
    engine.hedge_mode = has_legs
    engine.hold("SOLUSDT", D(50), leverage=10)
    said = {"productType": "USDT-FUTURES", "symbol": "SOLUSDT", "marginCoin": "USDT"} | parameters
    with contextlib.suppress(WireError, Refused):
        ROUTES[found].handler(
            Room(engine=engine, keys=Keys()), Request(parameters=said, now_ms=engine.now_ms)
        )
