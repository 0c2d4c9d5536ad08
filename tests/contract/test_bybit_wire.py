"""Unmodified ccxt and requests signed by hand against the paper exchange that speaks Bybit."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.paper.bybit.desk import BybitDesk
from bot.paper.desk import Asked, Keys
from bot.paper.pace import Stepped
from tests.kit.bybit import Rig, code_of, plain_ccxt, result_of, serving, signed
from tests.kit.paper import FAST, an_engine

SYMBOL = "SOL/USDT:USDT"
ORDER = {
    "category": "linear", "symbol": "SOLUSDT", "side": "Sell", "orderType": "Limit", "qty": "7",
    "price": "149.00", "timeInForce": "IOC", "positionIdx": 0, "reduceOnly": True,
    "orderLinkId": "mine",
}  # fmt: skip
STOP = {
    "category": "linear", "symbol": "SOLUSDT", "side": "Sell", "orderType": "Market", "qty": "50",
    "triggerPrice": "140.00", "triggerDirection": 2, "triggerBy": "MarkPrice", "positionIdx": 0,
    "reduceOnly": True, "closeOnTrigger": True, "orderLinkId": "stop",
}  # fmt: skip
MOVE = {
    "transferId": "42c0cfb0-6bca-5242-8c76-4e6df6cbcb16", "coin": "USDT", "amount": "10.5",
    "fromAccountType": "FUND", "toAccountType": "UNIFIED",
}  # fmt: skip


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    async with plain_ccxt(rig) as client:
        yield client


@pytest.fixture
def desk() -> BybitDesk:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    return BybitDesk(engine, Stepped(engine, speed=FAST))


def post(desk: BybitDesk, path: str, body: dict[str, Any]) -> int:
    return code_of(desk, signed(desk, "POST", path, json.dumps(body)))


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any) -> None:
    markets = await venue.load_markets()
    assert markets[SYMBOL]["precision"]["amount"] == 1
    (position,) = await venue.fetch_positions()
    assert (position["symbol"], position["contracts"], position["side"]) == (SYMBOL, 50, "long")
    assert (await venue.fetch_balance())["USDT"]["total"] > 0
    assert (await venue.fetch_ticker("BTC/USDT:USDT"))["last"] > 0
    bars = await venue.fetch_ohlcv("BTC/USDT:USDT", "1h", limit=48, params={"price": "mark"})
    assert len(bars) == 48
    assert bars[0][0] < bars[-1][0]
    book = await venue.fetch_order_book("BTC/USDT:USDT", limit=20)
    assert book["bids"][0][0] < book["asks"][0][0]
    tiers = await venue.fetch_leverage_tiers(["BTC/USDT:USDT"])
    assert tiers["BTC/USDT:USDT"][1]["maintenanceMarginRate"] == 0.005
    assert (await venue.fetch_trading_fee(SYMBOL))["taker"] == 0.0005


async def test_ccxt_places_reads_and_cancels_orders(venue: Any) -> None:
    await venue.load_markets()
    done = await venue.create_order(
        SYMBOL, "limit", "sell", 7, 149, {"reduceOnly": True, "timeInForce": "IOC",
                                          "orderLinkId": "one"},
    )  # fmt: skip
    assert done["filled"] is None  # it is only taken
    again = await venue.fetch_order(done["id"], SYMBOL, {"acknowledged": True})
    assert (again["filled"], again["status"]) == (7, "closed")
    rests = await venue.create_order(SYMBOL, "limit", "buy", 1, 148)
    assert [o["id"] for o in await venue.fetch_open_orders(SYMBOL)] == [rests["id"]]
    await venue.cancel_order(rests["id"], SYMBOL)
    assert await venue.fetch_open_orders(SYMBOL) == []
    with pytest.raises(ccxt.OrderNotFound, match="110001"):
        await venue.cancel_order(rests["id"], SYMBOL)


async def test_ccxt_moves_money_both_ways_and_lists_it(venue: Any, rig: Rig) -> None:
    await venue.load_markets()
    venue.currencies = {"USDT": {"id": "USDT", "code": "USDT", "precision": 1e-6}}
    await venue.transfer("USDT", 10.5, "fund", "unified")
    await venue.transfer("USDT", 4, "unified", "fund")
    assert rig.engine.spot["USDT"] == D("4993.5")
    listed = await venue.fetch_transfers("USDT")
    assert {t["amount"] for t in listed} == {10.5, 4}


async def test_margin_is_one_signed_word(venue: Any, rig: Rig) -> None:
    ask = {"category": "linear", "symbol": "SOLUSDT", "positionIdx": 0}
    before = rig.engine.holdings["SOLUSDT", "BOTH"].margin
    done = await venue.privatePostV5PositionAddMargin(ask | {"margin": "12.7512"})
    assert rig.engine.holdings["SOLUSDT", "BOTH"].margin == before + D("12.7512")
    await venue.privatePostV5PositionAddMargin(ask | {"margin": "-2.5"})
    assert rig.engine.holdings["SOLUSDT", "BOTH"].margin == before + D("10.2512")
    assert D(done["result"]["positionIM"]) > before
    log = await venue.privateGetV5AccountTransactionLog({"accountType": "UNIFIED"})
    assert log["result"]["list"] == []  # it is no change of the wallet


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"margin": "0.00001"}, 10001, id="too fine"),
        pytest.param({"margin": "0"}, 110027, id="nothing"),
        pytest.param({"margin": 5}, 10001, id="no word"),
        pytest.param({"margin": "1e2"}, 10001, id="exponent"),
        pytest.param({"margin": "99999999"}, 110014, id="more than there is"),
        pytest.param({"margin": "-700"}, 110011, id="more than it lets out"),
        pytest.param({"positionIdx": 1}, 10001, id="a leg in one-way mode"),
        pytest.param({"symbol": "BTCUSDT"}, 110033, id="no position"),
        pytest.param({"symbol": "XUSDT"}, 10001, id="no such contract"),
        pytest.param({"category": "inverse"}, 10001, id="another category"),
    ],
)
def test_a_margin_move_that_is_refused_has_its_code(
    desk: BybitDesk, change: dict[str, Any], code: int
) -> None:
    ask = {"category": "linear", "symbol": "SOLUSDT", "positionIdx": 0, "margin": "10"}
    before = desk.engine.cross["USDT"]
    assert post(desk, "/v5/position/add-margin", ask | change) == code
    assert desk.engine.cross["USDT"] == before


def test_a_cross_account_takes_no_margin_for_a_position() -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    desk = BybitDesk(engine, Stepped(engine, speed=FAST))
    assert result_of(desk, "GET", "/v5/account/info")["marginMode"] == "REGULAR_MARGIN"
    ask = {"category": "linear", "symbol": "SOLUSDT", "positionIdx": 0, "margin": "10"}
    assert post(desk, "/v5/position/add-margin", ask) == 110015


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"transferId": "no-uuid"}, 131203, id="no UUID"),
        pytest.param({"amount": "0.0000001"}, 131210, id="too fine"),
        pytest.param({"amount": "-1"}, 131215, id="negative"),
        pytest.param({"amount": "999999"}, 131212, id="more than there is"),
        pytest.param({"toAccountType": "FUND"}, 131211, id="one end"),
        pytest.param({"fromAccountType": "SPOT"}, 10001, id="another account"),
        pytest.param({"coin": "XXX"}, 110050, id="another coin"),
    ],
)
def test_a_transfer_that_is_refused_has_its_code(
    desk: BybitDesk, change: dict[str, Any], code: int
) -> None:
    assert post(desk, "/v5/asset/transfer/inter-transfer", MOVE | change) == code
    assert desk.engine.transfers == []


def test_the_id_of_a_transfer_is_taken_once(desk: BybitDesk) -> None:
    assert post(desk, "/v5/asset/transfer/inter-transfer", MOVE) == 0
    assert post(desk, "/v5/asset/transfer/inter-transfer", MOVE) == 131214
    assert len(desk.engine.transfers) == 1
    path = "/v5/asset/transfer/query-inter-transfer-list"
    (row,) = result_of(desk, "GET", path, f"transferId={MOVE['transferId']}")["list"]
    assert (row["transferId"], row["status"]) == (f"selfTransfer_{MOVE['transferId']}", "SUCCESS")


def test_the_id_of_an_order_is_taken_once(desk: BybitDesk) -> None:
    assert post(desk, "/v5/order/create", ORDER) == 0
    assert post(desk, "/v5/order/create", ORDER) == 110072
    assert desk.engine.holdings["SOLUSDT", "BOTH"].amount == 43
    (row,) = result_of(
        desk, "GET", "/v5/order/realtime", "category=linear&symbol=SOLUSDT&orderLinkId=mine"
    )["list"]
    assert (row["orderStatus"], row["cumExecQty"], row["reduceOnly"]) == ("Filled", "7", True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"side": "Buy"}, 110017, id="the side that grows it"),
        pytest.param({"qty": 7}, 10001, id="no word"),
        pytest.param({"qty": "0.5"}, 10001, id="half a lot"),
        pytest.param({"price": "100.00"}, 110003, id="out of bounds"),
        pytest.param({"positionIdx": 2}, 10001, id="a leg in one-way mode"),
        pytest.param({"orderLinkId": "x" * 37}, 10001, id="too long a name"),
        pytest.param({"reduceOnly": "true"}, 10001, id="a flag as a word"),
    ],
)
def test_an_order_that_is_refused_has_its_code(
    desk: BybitDesk, change: dict[str, Any], code: int
) -> None:
    assert post(desk, "/v5/order/create", ORDER | change) == code
    assert desk.engine.orders == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"triggerPrice": "160.00"}, 110093, id="it would fall at once"),
        pytest.param({"triggerDirection": 1}, 110092, id="it would rise at once"),
        pytest.param({"triggerPrice": "160.00", "triggerDirection": 1}, 10001, id="take profit"),
        pytest.param({"triggerDirection": 3}, 10001, id="no direction"),
        pytest.param({"orderType": "Limit", "price": "139.00"}, 10001, id="limit"),
    ],
)
def test_a_stop_that_is_refused_has_its_code(
    desk: BybitDesk, change: dict[str, Any], code: int
) -> None:
    assert post(desk, "/v5/order/create", STOP | change) == code
    assert desk.engine.orders == {}


def test_a_stop_is_listed_as_such_and_deactivated_when_taken_back(desk: BybitDesk) -> None:
    assert post(desk, "/v5/order/create", STOP) == 0
    listing = "category=linear&settleCoin=USDT&orderFilter="
    assert result_of(desk, "GET", "/v5/order/realtime", f"{listing}Order")["list"] == []
    (row,) = result_of(desk, "GET", "/v5/order/realtime", f"{listing}StopOrder")["list"]
    assert (row["orderStatus"], row["triggerBy"], row["closeOnTrigger"]) == (
        "Untriggered", "MarkPrice", True,
    )  # fmt: skip
    cancel = {"category": "linear", "symbol": "SOLUSDT", "orderId": row["orderId"]}
    assert post(desk, "/v5/order/cancel", cancel) == 0
    assert post(desk, "/v5/order/cancel", cancel) == 110001
    (gone,) = result_of(desk, "GET", "/v5/order/history", "category=linear&orderLinkId=stop")[
        "list"
    ]
    assert gone["orderStatus"] == "Deactivated"


def test_in_hedge_mode_the_leg_has_a_number_and_an_order_names_it() -> None:
    engine = an_engine()
    engine.hedge_mode = True
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("SOLUSDT", D(-20), leverage=10)
    desk = BybitDesk(engine, Stepped(engine, speed=FAST))
    rows = result_of(desk, "GET", "/v5/position/list", "category=linear&settleCoin=USDT")["list"]
    assert [(r["positionIdx"], r["side"], r["size"]) for r in rows] == [
        (1, "Buy", "50"), (2, "Sell", "20"),
    ]  # fmt: skip
    assert post(desk, "/v5/order/create", ORDER) == 10001
    assert post(desk, "/v5/order/create", ORDER | {"positionIdx": 2}) == 110017
    assert post(desk, "/v5/order/create", ORDER | {"positionIdx": 1}) == 0
    assert engine.holdings["SOLUSDT", "LONG"].amount == 43
    empty = result_of(desk, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT")["list"]
    assert [(r["positionIdx"], r["side"], r["size"]) for r in empty] == [(1, "", "0"), (2, "", "0")]


def test_lists_are_cut_into_pages_whose_cursors_lead_to_the_end(desk: BybitDesk) -> None:
    for number in range(5):
        body = STOP | {"orderLinkId": f"s{number}", "qty": "1"}
        assert post(desk, "/v5/order/create", body) == 0
    query, found = "category=linear&settleCoin=USDT&limit=2", []
    cursor = ""
    for _ in range(9):
        page = result_of(desk, "GET", "/v5/order/realtime", f"{query}{cursor}")
        found += [row["orderLinkId"] for row in page["list"]]
        if not page["nextPageCursor"]:
            break
        cursor = f"&cursor={page['nextPageCursor']}"
    assert found == ["s4", "s3", "s2", "s1", "s0"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({}, 0, id="as it should be"),
        pytest.param({"secret": "other"}, 10004, id="another secret"),
        pytest.param({"key": "other"}, 10003, id="another key"),
        pytest.param({"window": "no"}, 10001, id="no window"),
        pytest.param({"at_ms": 0}, 10002, id="long ago"),
    ],
)
def test_key_signature_and_time_stand_in_headers_and_are_checked(
    desk: BybitDesk, changes: dict[str, Any], code: int
) -> None:
    assert code_of(desk, signed(desk, "GET", "/v5/account/info", **changes)) == code


def test_a_signature_covers_the_body_and_the_query(desk: BybitDesk) -> None:
    good = signed(desk, "GET", "/v5/order/realtime", "category=linear&settleCoin=USDT")
    assert code_of(desk, good) == 0
    other = Asked(
        method="GET", path=good.path, query="category=linear&settleCoin=USDC", headers=good.headers
    )
    assert code_of(desk, other) == 10004
    body = signed(desk, "POST", "/v5/order/create", json.dumps(ORDER))
    changed = Asked(
        method="POST",
        path=body.path,
        body=body.body.replace(b'"7"', b'"8"'),
        headers=body.headers,
    )
    assert code_of(desk, changed) == 10004
    assert desk.engine.orders == {}


@pytest.mark.parametrize("late", [4_999, 5_001, -999, -1_000])
def test_a_request_is_taken_within_its_window_only(late: int) -> None:
    engine = an_engine()
    desk = BybitDesk(engine, Stepped(engine, speed=1.0))
    at = desk.pace.now_ms - late
    code = code_of(desk, signed(desk, "GET", "/v5/account/info", at_ms=at))
    assert code == (0 if -1_000 < late <= 5_000 else 10002)


def test_a_revoked_key_and_one_that_may_withdraw_are_told_apart(desk: BybitDesk) -> None:
    desk.keys = Keys(may_withdraw=True)
    wallet = result_of(desk, "GET", "/v5/user/query-api")["permissions"]["Wallet"]
    assert "Withdraw" in wallet
    desk.keys = Keys(is_valid=False)
    assert code_of(desk, signed(desk, "GET", "/v5/account/info")) == 33004


def test_an_endpoint_asked_too_often_says_so_and_when_it_will_answer_again(
    desk: BybitDesk,
) -> None:
    codes = [code_of(desk, signed(desk, "GET", "/v5/account/fee-rate", "category=linear"))
             for _ in range(6)]  # fmt: skip
    assert codes == [0, 0, 0, 0, 0, 10006]
    refused = desk.answer(signed(desk, "GET", "/v5/account/fee-rate", "category=linear"))
    assert refused.status == 200
    assert int(refused.headers["X-Bapi-Limit-Reset-Timestamp"]) == desk.pace.now_ms + 1000
    desk.engine.advance(desk.engine.now_ms + 1000)
    assert code_of(desk, signed(desk, "GET", "/v5/account/fee-rate", "category=linear")) == 0


def test_an_address_that_does_not_stop_is_shut_out_for_ten_minutes(desk: BybitDesk) -> None:
    ask = Asked(method="GET", path="/v5/market/time")
    assert [desk.answer(ask).status for _ in range(601)][-2:] == [200, 403]
    desk.engine.advance(desk.engine.now_ms + 599_000)
    shut = desk.answer(ask)
    assert (shut.status, shut.kind) == (403, "text/plain")
    desk.engine.advance(desk.engine.now_ms + 2_000)
    assert desk.answer(ask).status == 200


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/v5/position/list", "category=linear"),
        ("GET", "/v5/position/list", "category=linear&settleCoin=USDT&limit=201"),
        ("GET", "/v5/position/list", "category=linear&settleCoin=USDT&cursor=x"),
        ("GET", "/v5/account/transaction-log", "startTime=1&endTime=604800002"),
        ("GET", "/v5/order/realtime", "category=linear"),
        ("GET", "/v5/order/realtime", "category=linear&orderLinkId=mine"),
        ("GET", "/v5/market/mark-price-kline", "category=linear&symbol=SOLUSDT&interval=7"),
        ("GET", "/v5/market/kline", "category=linear&symbol=SOLUSDT&interval=60&limit=0"),
        ("GET", "/v5/market/orderbook", "category=linear&symbol=SOLUSDT&limit=0"),
        ("POST", "/v5/order/create", "[1]"),
        ("POST", "/v5/order/create", "{"),
        ("POST", "/v5/order/cancel", '{"category":"linear","symbol":"SOLUSDT"}'),
        ("POST", "/v5/position/switch-mode", '{"mode":1}'),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_a_parameter_error(
    desk: BybitDesk, method: str, path: str, said: str
) -> None:
    assert code_of(desk, signed(desk, method, path, said)) == 10001


def test_a_path_that_is_not_there_has_its_code(desk: BybitDesk) -> None:
    assert code_of(desk, signed(desk, "GET", "/v5/nothing")) == 10017


def test_people_change_settings_and_get_the_venues_refusals(desk: BybitDesk) -> None:
    leverage = {"category": "linear", "symbol": "SOLUSDT", "buyLeverage": "5", "sellLeverage": "5"}
    assert post(desk, "/v5/position/set-leverage", leverage) == 110046
    ten = leverage | {"buyLeverage": "10", "sellLeverage": "10"}
    assert post(desk, "/v5/position/set-leverage", ten) == 110043
    twenty = leverage | {"buyLeverage": "20", "sellLeverage": "20"}
    assert post(desk, "/v5/position/set-leverage", twenty) == 0
    assert post(desk, "/v5/position/set-leverage", twenty | {"buyLeverage": "3"}) == 10001
    assert post(desk, "/v5/position/switch-mode", {"mode": 3}) == 110024
    assert post(desk, "/v5/account/set-margin-mode", {"setMarginMode": "REGULAR_MARGIN"}) in (
        0, 110073,
    )  # fmt: skip


def test_the_margin_shown_moves_with_mark_but_what_is_behind_it_does_not(desk: BybitDesk) -> None:
    def row() -> dict[str, str]:
        query = "category=linear&settleCoin=USDT"
        found: dict[str, str] = result_of(desk, "GET", "/v5/position/list", query)["list"][0]
        return found

    before = row()
    desk.engine.advance(desk.engine.now_ms + 60_000)
    after = row()
    assert before["markPrice"] != after["markPrice"]
    moved = (D(after["markPrice"]) - D(before["markPrice"])) * 50 / 10
    assert D(after["positionIM"]) - D(before["positionIM"]) == moved
    assert before["liqPrice"] == after["liqPrice"]


def test_funding_is_paid_by_the_wallet_as_long_as_it_can(desk: BybitDesk) -> None:
    margin = desk.engine.holdings["SOLUSDT", "BOTH"].margin
    desk.engine.pay_funding()
    assert desk.engine.holdings["SOLUSDT", "BOTH"].margin == margin
    (row,) = result_of(desk, "GET", "/v5/account/transaction-log", "accountType=UNIFIED")["list"]
    assert (row["type"], D(row["funding"])) == ("SETTLEMENT", D("-0.75"))
    desk.engine.cross["USDT"] = D(0)
    desk.engine.pay_funding()
    assert desk.engine.holdings["SOLUSDT", "BOTH"].margin < margin
