"""Every request of the adapter for inverse contracts of Bybit, byte for byte.

``golden/bybit_coin_requests.json`` is what leaves, without time and signature.
"""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import (
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
from bot.errors import Incomplete
from tests.kit.builders import NOON
from tests.kit.bybit_golden import COIN
from tests.kit.bybit_golden import COIN_REPLIES as REPLIES
from tests.kit.golden import (
    ABSURD,
    DONE,
    Careless,
    Case,
    Stand,
    glances,
    having,
    kept,
    nothing,
    reads_marks,
    reads_rows,
    sees_keys,
    sends,
    settles,
    standing,
    without,
    written,
    written_by_a_careless_adapter,
)

REQUESTS: dict[str, list[str]] = kept("bybit_coin_requests.json")
SYMBOL = "BTC/USD:BTC"
LONG = PositionKey(SYMBOL, Side.LONG)
SHORT = PositionKey(SYMBOL, Side.SHORT)
STOP_ID = "2148627a-7847-404e-b947-b46980a4d141"
CANCEL = CancelStop(key=LONG, stop_id=STOP_ID, client_id="plab010001000aac")
MOVED = D("0.0123")
Replies = dict[str, Any]


def margin(kind: type[AddMargin | RemoveMargin]) -> AddMargin | RemoveMargin:
    return kind(key=LONG, amount=MOVED, currency="BTC")


def transfer(source: str, destination: str) -> Transfer:
    return Transfer(source=source, destination=destination, amount=D("0.0512"), currency="BTC")


def order(key: PositionKey) -> ReducePosition:
    return ReducePosition(key=key, size=D(701), limit_price=D("59700.0"))


def stop(key: PositionKey, size: D | None = D(12_000)) -> PlaceStop:
    return PlaceStop(key=key, size=size, stop_price=D("55000.0"), is_needed=True)


def changed(key: str, **changes: Any) -> Replies:
    """Return an answer whose one row, or whose result, says something else."""
    answer = json.loads(json.dumps(REPLIES[key]))
    result = answer["result"]
    (result["list"][0] if result.get("list") else result).update(changes)
    return {key: answer}


ORDER = "GET /v5/order/realtime?orderLinkId=plab010001000aab"
HELD = "GET /v5/position/list?category=inverse"
FUNDS = "GET /v5/asset/transfer/query-account-coins-balance"
PLACED = changed(
    ORDER, orderStatus="Untriggered", stopOrderType="Stop", qty="12000", cumExecQty="0",
)  # fmt: skip


def in_ether() -> Replies:
    """The replies while a position in another coin is held too."""
    found: Replies = {}
    for key in ("risk-limit?symbol=BTCUSD", "tickers?symbol=BTCUSD"):
        text = json.dumps(REPLIES[f"GET /v5/market/{key}"]).replace("BTCUSD", "ETHUSD")
        found[f"GET /v5/market/{key}".replace("BTCUSD", "ETHUSD")] = json.loads(text)
    both = json.loads(json.dumps(REPLIES[HELD]))
    row = both["result"]["list"][0]
    both["result"]["list"].append(row | {"symbol": "ETHUSD", "side": "Sell"})
    legs = json.dumps(REPLIES["GET /v5/position/list?symbol=BTCUSD"]).replace("BTCUSD", "ETHUSD")
    balance = json.loads(json.dumps(REPLIES["GET /v5/account/wallet-balance"]))
    coins = balance["result"]["list"][0]["coin"]
    coins.append(coins[0] | {"coin": "ETH"})
    (funds,) = REPLIES[FUNDS]["result"]["balance"]
    return {
        **found,
        HELD: both,
        "GET /v5/position/list?symbol=ETHUSD": json.loads(legs),
        "GET /v5/account/wallet-balance": balance,
        **changed(
            "GET /v5/account/withdrawal", availableWithdrawalMap={"BTC": "0.3004", "ETH": "5"}
        ),
        **changed(FUNDS, balance=[funds, funds | {"coin": "ETH"}]),
    }


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.currency, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    (market,), (rules,) = seen.markets, seen.instruments
    tier = rules.tiers[1]
    return (
        position.key, position.size, position.margin, position.mark_price,
        position.venue_liquidation_price, position.leverage_setting, position.margin_mode,
        wallets, (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.bids[0].size, market.bars.close),
        (rules.contract, rules.settle, rules.size_step, rules.min_size, rules.min_notional),
        (rules.margin_step, rules.max_market_size, rules.added_fee),
        (tier.notional_floor, tier.maintenance_rate, tier.maintenance_amount),
        seen.account.position_mode,
    )  # fmt: skip


SEEN = (
    LONG, D(12_000), D("0.021"), D(60_500), D("54570.27"), D(10), MarginMode.ISOLATED,
    {("futures", "BTC", D("0.3005"), D("0.3004")), ("spot", "BTC", D("0.1255"), D("0.125"))},
    (STOP_ID, D(12_000), D(55_000), True),
    (NOON - timedelta(milliseconds=250), D(43_100), (60_400.0, 60_500.0)),
    (Contract.INVERSE, "BTC", D(1), D(1), D(0)),
    (D("0.001"), D(5_000_000), D("0.00055")),
    (D(150), D("0.01"), D("0.75")),
    PositionMode.ONE_WAY,
)  # fmt: skip


async def added_and_settled(stand: Stand) -> object:
    await stand.venue.observe()
    sent_ = await stand.send(margin(AddMargin))
    stand.recorder.requests.clear()
    more = REPLIES["POST /v5/position/add-margin"]["result"]["positionIM"]
    stand.recorder.replies |= changed("GET /v5/position/list?symbol=BTCUSD", positionIM=more)
    return sent_, await stand.settle(margin(AddMargin))


CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, test hosts": Case(does=nothing, means=None, mode="testnet"),
    "look": Case(does=look, means=SEEN),
    "look, test hosts": Case(does=sees_keys, means=["BTC/USD:BTC long"], mode="testnet"),
    "look, another coin held": Case(
        does=sees_keys, means=["BTC/USD:BTC long", "ETH/USD:ETH short"], replies=in_ether()
    ),
    "glance": Case(does=glances(SYMBOL), means={SYMBOL: D(60_500)}),
    "add margin": Case(does=sends(margin(AddMargin)), means=(DONE, MOVED)),
    "remove margin": Case(does=sends(margin(RemoveMargin)), means=(DONE, MOVED)),
    "transfer in": Case(does=sends(transfer("spot", "futures")), means=(DONE, D("0.0512"))),
    "transfer out": Case(does=sends(transfer("futures", "spot")), means=(DONE, D("0.0512"))),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(701))),
    "reduce a short": Case(
        does=sends(order(SHORT)), means=(DONE, D(701)), replies=changed(ORDER, side="Buy")
    ),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(400)),
        replies=changed(ORDER, cumExecQty="400", orderStatus="Cancelled"),
    ),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1)), replies=PLACED),
    "place a stop over a short": Case(does=sends(stop(SHORT)), means=(DONE, D(1)), replies=PLACED),
    "place a stop for all that is open": Case(
        does=sends(stop(LONG, None)), means=(DONE, D(1)), replies=PLACED
    ),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add of this run": Case(does=added_and_settled, means=((DONE, MOVED), MOVED)),
    "settle an add of another run": Case(does=settles(margin(AddMargin)), means=None),
    "settle a transfer in": Case(does=settles(transfer("spot", "futures")), means=D("0.0512")),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(701)),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1), replies=PLACED),
    "settle a cancel": Case(does=settles(CANCEL), means=D(1)),
    "ledger": Case(
        does=reads_rows("kind", "amount", "asset", "symbol", "other"),
        means={
            (RowKind.TRANSFER_IN, D("0.0512"), "BTC", "", "spot"),
            (RowKind.FEE, D("-0.00000637"), "BTC", SYMBOL, ""),
        },
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[60_400.0, 60_500.0]),
}


def test_what_is_asked_of_linear_contracts_is_only_whether_some_are_held() -> None:
    lines = {line for lines in REQUESTS.values() for line in lines if "linear" in line}
    assert {line.partition(" query ")[0].rpartition("/v5/")[2] for line in lines} == {
        "position/list"
    }


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(category="linear"), id="another category"),
        pytest.param("add margin", having(margin="0.012"), id="rounded"),
        pytest.param("add margin", having(margin="1.23E-2"), id="an exponent"),
        pytest.param("add margin", without("positionIdx"), id="no leg"),
        pytest.param("reduce a long", having(qty="7.01"), id="contracts for dollars"),
        pytest.param("reduce a long", having(category="linear"), id="another category too"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("place a stop under a long", without("triggerBy"), id="on last price"),
        pytest.param("transfer in", having(coin="USDT"), id="another coin"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, COIN, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


@pytest.mark.parametrize("amount", [*ABSURD, "0.00001", "0.01231"])
async def test_no_absurd_amount_of_a_coin_reaches_the_wire(amount: str) -> None:
    for action in (margin(AddMargin), margin(RemoveMargin), transfer("spot", "futures")):
        case = Case(does=sends(replace(action, amount=D(amount))), means=(Outcome.REJECTED, None))
        done = await written(COIN, case)
        assert done.found == case.means
        assert done.posts == []


@pytest.mark.parametrize("size", ["0.5", "701.5", "0", "-700", "NaN"])
async def test_a_part_of_a_dollar_never_leaves(size: str) -> None:
    async with standing(COIN) as stand:
        before = len(stand.recorder.requests)
        for action in (replace(order(LONG), size=D(size)), stop(LONG, D(size))):
            assert await stand.send(action) == (Outcome.REJECTED, None)
        assert len(stand.recorder.requests) == before


@pytest.mark.parametrize(
    ("rate", "why"),
    [
        pytest.param({"maintenanceMargin": "0.5"}, "maintenance", id="printed in percent"),
        pytest.param({"riskLimitValue": "0"}, "riskLimitValue", id="no limit"),
    ],
)
async def test_a_table_that_makes_no_sense_is_named(rate: dict[str, str], why: str) -> None:
    with pytest.raises(Incomplete, match=why):
        async with standing(COIN, changed("GET /v5/market/risk-limit?symbol=BTCUSD", **rate)):
            pass


async def test_a_table_that_jumps_in_coin_is_named_where_dollars_would_not_show_it() -> None:
    limits = json.loads(json.dumps(REPLIES["GET /v5/market/risk-limit?symbol=BTCUSD"]))
    limits["result"]["list"][1]["mmDeduction"] = "0.4"  # 0.35 of a coin too little
    with pytest.raises(Incomplete, match="to be continuous"):
        async with standing(COIN, {"GET /v5/market/risk-limit?symbol=BTCUSD": limits}):
            pass
