"""Every request of the Bybit adapter, byte for byte, and what a documented reply means.

``golden/bybit_requests.json`` is what leaves, without what stands in headers: key, time, window and
signature, which are judged apart.
"""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import AddMargin, CancelStop, RemoveMargin, Transfer
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionMode
from bot.exchanges.bybit.dialect import DIALECT, is_reduce_only, sent
from tests.kit.builders import NOON
from tests.kit.bybit_golden import BYBIT, REPLIES
from tests.kit.golden import (
    ABSURD,
    DONE,
    LONG,
    MOVES,
    SHORT,
    SYMBOL,
    Careless,
    Case,
    Stand,
    glances,
    having,
    kept,
    margin,
    nothing,
    order,
    reads_marks,
    reads_rows,
    sends,
    settles,
    standing,
    stop,
    transfer,
    without,
    written,
    written_by_a_careless_adapter,
    written_by_a_generous_library,
)

REQUESTS: dict[str, list[str]] = kept("bybit_requests.json")
STOP_ID = "2148627a-7847-404e-b947-b46980a4d141"
CANCEL = CancelStop(key=LONG, stop_id=STOP_ID, client_id="plab010001000aac")
Replies = dict[str, Any]


def changed(key: str, **changes: Any) -> Replies:
    """Return an answer whose one row, or whose result, says something else."""
    answer = json.loads(json.dumps(REPLIES[key]))
    result = answer["result"]
    (result["list"][0] if result.get("list") else result).update(changes)
    return {key: answer}


ORDER = "GET /v5/order/realtime?orderLinkId=plab010001000aab"
PLACED = changed(
    ORDER, orderStatus="Untriggered", stopOrderType="Stop", qty="50", cumExecQty="0",
)  # fmt: skip
LEGS = changed("GET /v5/position/list?symbol=SOLUSDT", positionIdx=1)
HEDGE = LEGS | changed("GET /v5/position/list?settleCoin=USDT", positionIdx=1)
NONE: Replies = {"retCode": 0, "retMsg": "OK", "result": {"list": [], "nextPageCursor": ""}}


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    market, rules = seen.markets[0], seen.instruments[0]
    tier = rules.tiers[1]
    return (
        position.key, position.size, position.margin, position.mark_price,
        position.venue_liquidation_price, position.leverage_setting, position.margin_mode,
        wallets, (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.bids[0].price, market.bars.close),
        (tier.notional_floor, tier.maintenance_rate, tier.maintenance_amount, rules.added_fee),
        seen.account.position_mode,
    )  # fmt: skip


SEEN = (
    LONG, D(50), D(750), D("151.12"), D("136.04328137"), D(10), MarginMode.ISOLATED,
    {("futures", D("12000.5"), D("11990.25")), ("spot", D("4999.625"), D("4999.125"))},
    (STOP_ID, D(50), D(140), True),
    (NOON - timedelta(milliseconds=250), D("151.1"), (151.0, 151.12)),
    (D(10000), D("0.01"), D(35), D("0.00055")),
    PositionMode.ONE_WAY,
)  # fmt: skip
DEMO = {("futures", D("12000.5"), D("11991.1875"))}
"""There the venue does not tell what may be moved: what no position and no order needs."""


async def wallets(stand: Stand) -> object:
    seen = await stand.venue.observe()
    return {(w.name, w.total, w.free) for w in seen.account.wallets}


async def added_and_settled(stand: Stand) -> object:
    await stand.venue.observe()
    action = margin(AddMargin)
    sent_ = await stand.send(action)
    stand.recorder.requests.clear()
    stand.recorder.replies |= changed("GET /v5/position/list?symbol=SOLUSDT", positionIM="772.0625")
    return sent_, await stand.settle(action)


ADDED = (DONE, D("12.75"))
CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, test hosts": Case(does=nothing, means=None, mode="testnet"),
    "look": Case(does=look, means=SEEN),
    "look, test hosts": Case(does=wallets, means=DEMO, mode="testnet"),
    "glance": Case(does=glances(SYMBOL), means={"SOL/USDT:USDT": D("151.12")}),
    "add margin": Case(does=sends(margin(AddMargin)), means=ADDED),
    "add margin, hedge long": Case(
        does=sends(margin(AddMargin)),
        means=ADDED,
        replies=HEDGE | changed("POST /v5/position/add-margin", positionIdx=1),
    ),
    "add margin, hedge short": Case(
        does=sends(margin(AddMargin, SHORT)),
        means=ADDED,
        replies=HEDGE | changed("POST /v5/position/add-margin", positionIdx=2),
    ),
    "remove margin": Case(does=sends(margin(RemoveMargin)), means=ADDED),
    "transfer in": Case(does=sends(transfer("spot", "futures")), means=(DONE, D("10.5"))),
    "transfer out": Case(does=sends(transfer("futures", "spot")), means=(DONE, D("10.5"))),
    "transfer on its way": Case(
        does=sends(transfer("spot", "futures")),
        means=(Outcome.UNKNOWN, None),
        replies=changed("POST /v5/asset/transfer/inter-transfer", status="PENDING"),
    ),
    "transfer of which nobody knows": Case(
        does=sends(transfer("spot", "futures")),
        means=(Outcome.UNKNOWN, None),
        replies=changed("POST /v5/asset/transfer/inter-transfer", status="STATUS_UNKNOWN"),
    ),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(7))),
    "reduce a short": Case(
        does=sends(order(SHORT)), means=(DONE, D(7)), replies=changed(ORDER, side="Buy")
    ),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(4)),
        replies=changed(ORDER, cumExecQty="4", orderStatus="Cancelled"),
    ),
    "reduce a long, not matched in time": Case(
        does=sends(order(LONG)),
        means=(Outcome.UNKNOWN, None),
        replies=changed(ORDER, cumExecQty="4", orderStatus="PartiallyFilled"),
    ),
    "reduce, hedge long": Case(does=sends(order(LONG)), means=(DONE, D(7)), replies=HEDGE),
    "reduce, hedge short": Case(does=sends(order(SHORT)), means=(DONE, D(7)), replies=HEDGE),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1)), replies=PLACED),
    "place a stop over a short": Case(does=sends(stop(SHORT)), means=(DONE, D(1)), replies=PLACED),
    "place a stop for all that is open": Case(
        does=sends(stop(LONG, None)), means=(DONE, D(1)), replies=PLACED
    ),
    "place a stop, hedge short": Case(
        does=sends(stop(SHORT)), means=(DONE, D(1)), replies=HEDGE | PLACED
    ),
    "place a stop that is rejected beside its answer": Case(
        does=sends(stop(LONG)),
        means=(Outcome.UNKNOWN, None),
        replies=changed(ORDER, orderStatus="Rejected"),
    ),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add of this run": Case(does=added_and_settled, means=(ADDED, D("12.75"))),
    "settle an add of another run": Case(does=settles(margin(AddMargin)), means=None),
    "settle a transfer in": Case(does=settles(transfer("spot", "futures")), means=D("10.5")),
    "settle a transfer that failed": Case(
        does=settles(transfer("spot", "futures")),
        means=D(0),
        replies=changed("GET /v5/asset/transfer/query-inter-transfer-list", status="FAILED"),
    ),
    "settle a transfer on its way": Case(
        does=settles(transfer("spot", "futures")),
        means=None,
        replies=changed("GET /v5/asset/transfer/query-inter-transfer-list", status="PENDING"),
    ),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(7)),
    "settle a reduction that is not known": Case(
        does=settles(order(LONG)), means=D(0), replies={ORDER: NONE}
    ),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1), replies=PLACED),
    "settle a cancel": Case(does=settles(CANCEL), means=D(1)),
    "ledger": Case(
        does=reads_rows("kind", "amount", "symbol", "other"),
        means={
            (RowKind.TRANSFER_IN, D("10.5"), "", "spot"),
            (RowKind.FEE, D("-0.01"), "SOL/USDT:USDT", ""),
        },
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[151.0, 151.12]),
}


@pytest.mark.parametrize("name", CASES)
async def test_every_private_request_is_signed_over_all_of_itself_with_the_journalled_time(
    name: str,
) -> None:
    done = await written(BYBIT, CASES[name])
    private = [request for request in done.requests if "/v5/market/" not in request.url]
    assert private == done.signed
    assert done.badly_signed == []
    assert {request.headers["X-BAPI-RECV-WINDOW"] for request in private} <= {"5000"}
    stamps = [request.signed_at for request in private if request.method == "POST"]
    journalled = [request.signed_at for request in done.gate.requests]
    assert stamps == journalled[-len(stamps) :] if stamps else True
    assert all(request.window_ms == DIALECT.window_ms for request in done.gate.requests)


# what the table catches: each of these is one line of a careless adapter


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(margin="12"), id="rounded by the lot"),
        pytest.param("add margin", having(margin="12.750"), id="another spelling"),
        pytest.param("add margin", having(margin="-12.75"), id="another direction"),
        pytest.param("add margin", having(margin=12.75), id="a number"),
        pytest.param("add margin", without("positionIdx"), id="no leg"),
        pytest.param("add margin", having(positionIdx="0"), id="a leg as a word"),
        pytest.param("add margin, hedge short", having(positionIdx=1), id="another leg"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("reduce a long", having(reduceOnly="true"), id="a flag as a word"),
        pytest.param("reduce a long", without("orderLinkId"), id="no id of ours"),
        pytest.param("reduce a long", having(side="Buy"), id="the side that grows it"),
        pytest.param("reduce a long", having(timeInForce="GTC"), id="an order that rests"),
        pytest.param("reduce, hedge long", having(positionIdx=2), id="the other leg"),
        pytest.param("place a stop under a long", without("triggerBy"), id="on last price"),
        pytest.param("place a stop under a long", having(triggerDirection=1), id="takes profit"),
        pytest.param("place a stop under a long", without("closeOnTrigger"), id="may be refused"),
        pytest.param("transfer in", having(toAccountType="CONTRACT"), id="another account"),
        pytest.param("transfer in", having(amount="1E+1"), id="an exponent"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, BYBIT, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    done = await written_by_a_generous_library(BYBIT, order(LONG), mmp=False)
    assert done.found == (Outcome.REJECTED, "request_mismatch")
    assert done.posts == []


@pytest.mark.parametrize("amount", ABSURD)
@pytest.mark.parametrize("action", MOVES)
async def test_no_absurd_amount_reaches_the_wire(
    amount: str, action: AddMargin | RemoveMargin | Transfer
) -> None:
    case = Case(does=sends(replace(action, amount=D(amount))), means=(Outcome.REJECTED, None))
    done = await written(BYBIT, case)
    assert done.found == case.means
    assert done.posts == []


@pytest.mark.parametrize(
    ("said", "shrinks"),
    [
        pytest.param({"side": "Sell", "positionIdx": 0, "reduceOnly": True}, True, id="one-way"),
        pytest.param({"side": "Sell", "positionIdx": 0}, False, id="no flag"),
        pytest.param({"side": "Sell", "reduceOnly": True}, False, id="no leg"),
        pytest.param({"side": "Sell", "positionIdx": 1, "reduceOnly": True}, True, id="long leg"),
        pytest.param({"side": "Buy", "positionIdx": 1, "reduceOnly": True}, False, id="it grows"),
        pytest.param({"side": "Buy", "positionIdx": 2, "reduceOnly": True}, True, id="short leg"),
        pytest.param({"side": "Buy", "positionIdx": 2, "reduceOnly": False}, False, id="flag off"),
    ],
)
def test_whether_an_order_can_only_shrink_is_read_from_its_bytes(
    said: dict[str, Any], shrinks: bool
) -> None:
    words = dict(sent("", json.dumps(said)))
    assert is_reduce_only("POST", "/v5/order/create", words) is shrinks
    assert is_reduce_only("POST", "/v5/position/add-margin", words) is None


@pytest.mark.parametrize("body", ["[1]", "{", '"x"', "5", '[["a", "b"]]'])
def test_a_body_that_is_no_object_is_compared_as_it_stands(body: str) -> None:
    assert ("", body) in sent("", body)


def test_a_body_that_repeats_a_name_says_it_twice() -> None:
    assert sent("", '{"qty":"1","qty":"2"}') == [("qty", "1"), ("qty", "2")]


async def test_a_contract_settled_in_usdc_is_shown_and_nothing_is_planned_for_it() -> None:
    """Its profit moves every eight hours, which our rules do not know."""
    contracts = json.loads(json.dumps(REPLIES["GET /v5/market/instruments-info"]))
    row = contracts["result"]["list"][0]
    contracts["result"]["list"].append(
        row | {"symbol": "SOLPERP", "quoteCoin": "USDC", "settleCoin": "USDC"}
    )
    fees = json.loads(json.dumps(REPLIES["GET /v5/account/fee-rate"]))
    fees["result"]["list"].append(fees["result"]["list"][0] | {"symbol": "SOLPERP"})
    balance = json.loads(json.dumps(REPLIES["GET /v5/account/wallet-balance"]))
    coins = balance["result"]["list"][0]["coin"]
    coins.append(coins[0] | {"coin": "USDC", "walletBalance": "900", "totalPositionIM": "759.3125"})
    free = {"USDT": "11990.25", "USDC": "100"}
    usdc = changed("GET /v5/position/list?settleCoin=USDT", symbol="SOLPERP")
    replies = {
        "GET /v5/market/instruments-info": contracts,
        "GET /v5/account/fee-rate": fees,
        "GET /v5/account/wallet-balance": balance,
        **changed("GET /v5/account/withdrawal", availableWithdrawalMap=free),
        "GET /v5/position/list?settleCoin=USDC": usdc["GET /v5/position/list?settleCoin=USDT"],
        "GET /v5/position/list?symbol=SOLPERP": usdc["GET /v5/position/list?settleCoin=USDT"],
        **{
            key.replace("SOLUSDT", "SOLPERP"): json.loads(
                json.dumps(REPLIES[key]).replace("SOLUSDT", "SOLPERP")
            )
            for key in REPLIES
            if key.startswith(("GET /v5/market/risk-limit?", "GET /v5/market/tickers?"))
        },
        **changed(
            "GET /v5/asset/transfer/query-account-coins-balance",
            balance=[
                {"coin": coin, "transferBalance": "5", "walletBalance": "5", "bonus": ""}
                for coin in ("USDT", "USDC")
            ],
        ),
    }
    async with standing(BYBIT, replies) as stand:
        seen = await stand.venue.observe()
        asked = stand.recorder.lines()
    assert any(line.endswith("accountType=FUND&coin=USDC,USDT") for line in asked)
    shown = {p.symbol: (p.margin_mode, p.margin) for p in seen.account.positions}
    assert shown == {
        "SOL/USDC:USDC": (MarginMode.CROSS, D(0)),
        "SOL/USDT:USDT": (MarginMode.ISOLATED, D(750)),
    }
    wallet = seen.account.wallet("futures", "USDC")
    assert wallet is not None
    assert (wallet.total, wallet.free) == (D(900), D(100))
