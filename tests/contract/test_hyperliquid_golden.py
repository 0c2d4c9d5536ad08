"""Every request of the Hyperliquid adapter, byte for byte, and what a documented reply means.

``golden/hyperliquid_requests.json`` is what leaves, without times and signature.
"""

from dataclasses import replace
from decimal import Decimal as D
from importlib import import_module
from typing import Any

import pytest

from bot.domain.action import AddMargin, CancelStop, RemoveMargin, Transfer
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionMode
from bot.exchanges.hyperliquid.dialect import DIALECT, Hyperliquid, is_reduce_only, sent
from bot.exchanges.hyperliquid.write import _write
from tests.kit.builders import NOON
from tests.kit.golden import (
    ABSURD,
    DONE,
    LONG,
    MOVES,
    NAME,
    SHORT,
    Careless,
    Case,
    Does,
    Stand,
    glances,
    kept,
    margin,
    nothing,
    order,
    reads_marks,
    reads_rows,
    standing,
    stop,
    transfer,
    written,
    written_by_a_generous_library,
)
from tests.kit.golden import sends as sends_as_it_is
from tests.kit.golden import settles as settles_as_it_is
from tests.kit.hyperliquid_golden import HYPERLIQUID, REPLIES
from tests.kit.moves import settled_in

REQUESTS: dict[str, list[str]] = kept("hyperliquid_requests.json")
SYMBOL = "SOL/USDC:USDC"
STOP_ID = "2146760"
CANCEL = CancelStop(key=LONG, stop_id=STOP_ID, client_id=NAME)
UNKNOWN = {"status": "unknownOid"}
GONE = {"info orderStatus": UNKNOWN}


def sends(action: Any) -> Does:
    return sends_as_it_is(settled_in(action, "USDC"))


def settles(action: Any) -> Does:
    return settles_as_it_is(settled_in(action, "USDC"))


def statuses(*found: Any, kind: str = "order") -> dict[str, Any]:
    reply = {"status": "ok", "response": {"type": kind, "data": {"statuses": list(found)}}}
    return {f"exchange {kind}": reply}


def ordered(*, which: Any = None, **changes: Any) -> dict[str, Any]:
    outer = REPLIES["info orderStatus"]
    row = outer["order"]["order"] | ({} if which is None else {"oid": which})
    row |= {key: changes.pop(key) for key in ("sz", "origSz") if key in changes}
    return {"info orderStatus": outer | {"order": outer["order"] | changes | {"order": row}}}


RESTING = statuses({"resting": {"oid": 2146760, "cloid": "0x706c6162303130303031303030616162"}})


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    market, rules = seen.markets[0], seen.instruments[0]
    return (
        (position.symbol, position.side, position.size, position.margin, position.mark_price),
        (position.venue_liquidation_price, position.leverage_setting, position.margin_mode),
        wallets, (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.index_price, market.bids[0].price, market.bids[0].size,
         market.bars.close, market.funding_rate),
        [(t.notional_floor, t.maintenance_rate, t.maintenance_amount) for t in rules.tiers],
        (rules.price_step, rules.size_step, rules.taker_fee, seen.account.position_mode),
    )  # fmt: skip


SEEN = (
    (SYMBOL, LONG.side, D(50), D("750.0625"), D("151.12")),
    (D("138.46025641"), D(10), MarginMode.ISOLATED),
    {("futures", D("12000.5"), D("11999.25")), ("spot", D("4999.625"), D("4999.125"))},
    (STOP_ID, D(50), D(140), True),
    (NOON, D("151.1"), D("151.1"), D(5), (151.0, 151.12), D("0.0000125")),
    [(D(0), D("0.025"), D(0)), (D(70_000_000), D("0.05"), D(1_750_000))],
    (D("0.01"), D("0.01"), D("0.00045"), PositionMode.ONE_WAY),
)  # fmt: skip


async def unknown_add(stand: Stand) -> object:
    """Look, add without an answer, and settle by the margin that is shown since."""
    await stand.venue.observe()
    action = settled_in(margin(AddMargin), "USDC")
    stand.recorder.replies["exchange updateIsolatedMargin"] = ConnectionResetError()
    outcome, _ = await stand.send(action)
    state = REPLIES["info clearinghouseState"]
    (held,) = state["assetPositions"]
    position = held["position"]
    leverage = position["leverage"] | {"rawUsd": "-6737.1875"}  # 12.75 more
    more = position | {"leverage": leverage, "marginUsed": "818.8125"}
    summary = state["marginSummary"] | {"totalMarginUsed": "818.8125", "accountValue": "12806.5625"}
    stand.recorder.replies["info clearinghouseState"] = state | {
        "assetPositions": [held | {"position": more}],
        "marginSummary": summary,
        "crossMarginSummary": state["crossMarginSummary"] | {"accountValue": "11987.75"},
    }
    return outcome, await stand.settle(action)


CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, test hosts": Case(does=nothing, means=None, mode="testnet"),
    "look": Case(does=look, means=SEEN),
    "glance": Case(does=glances(SYMBOL), means={SYMBOL: D("151.12")}),
    "glance at what is not held": Case(
        does=glances("ETH/USDC:USDC"), means={"ETH/USDC:USDC": D("3000.5")}
    ),
    "add margin": Case(does=sends(margin(AddMargin)), means=(DONE, D("12.75"))),
    "add margin, test hosts": Case(
        does=sends(margin(AddMargin)), means=(DONE, D("12.75")), mode="testnet"
    ),
    "remove margin": Case(does=sends(margin(RemoveMargin)), means=(DONE, D("12.75"))),
    "add margin to a short": Case(
        does=sends(margin(AddMargin, SHORT)), means=(DONE, D("12.75"))
    ),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(7))),
    "reduce a short": Case(does=sends(order(SHORT)), means=(DONE, D(7))),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(4)),
        replies=statuses({"filled": {"totalSz": "4.0", "avgPx": "151.1", "oid": 7}}),
    ),
    "reduce a long, nothing there": Case(
        does=sends(order(LONG)),
        means=(Outcome.REJECTED, None),
        replies=statuses({"error": "Order could not immediately match against any resting "
                                   "orders. asset=2"}),
    ),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1)), replies=RESTING),
    "place a stop over a short": Case(does=sends(stop(SHORT)), means=(DONE, D(1)), replies=RESTING),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add": Case(does=unknown_add, means=(Outcome.UNKNOWN, D("12.75"))),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(7)),
    "settle a reduction that is not known": Case(
        does=settles(order(LONG)), means=D(0), replies=GONE
    ),
    "settle a reduction that was refused": Case(
        does=settles(order(LONG)), means=D(0), replies=ordered(status="iocCancelRejected")
    ),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1), replies=ordered(status="open")),
    "settle a stop that has fired": Case(
        does=settles(stop(LONG)), means=D(1), replies=ordered(status="triggered")
    ),
    "settle a stop that is not known": Case(does=settles(stop(LONG)), means=D(0), replies=GONE),
    "settle a cancel": Case(
        does=settles(CANCEL), means=D(1), replies=ordered(which=2146760, status="canceled")
    ),
    "settle a cancel of what has fired": Case(
        does=settles(CANCEL), means=D(0), replies=ordered(which=2146760, status="filled")
    ),
    "settle a cancel of what is not known and rests": Case(
        does=settles(CANCEL), means=D(0), replies=GONE
    ),
    "settle a transfer, which never left": Case(
        does=settles(transfer("spot", "futures")), means=D(0)
    ),
    "ledger": Case(
        does=reads_rows("kind", "amount", "symbol", "actor"),
        means={
            (RowKind.FEE, D("-0.475965"), SYMBOL, "fill"),
            (RowKind.REALIZED_PNL, D("7.7"), SYMBOL, "fill"),
            (RowKind.FUNDING, D("-0.25"), SYMBOL, "funding"),
            (RowKind.TRANSFER_OUT, D("-50.0"), "", "accountClassTransfer"),
        },
    ),
    "marks of each hour": Case(
        does=reads_marks(SYMBOL),
        means=[151.0, 151.12],
        replies={"info candleSnapshot": REPLIES["info candleSnapshot"][:2]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_only_actions_are_signed_over_all_of_themselves_with_the_journalled_time(
    name: str,
) -> None:
    done = await written(HYPERLIQUID, CASES[name])
    assert done.badly_signed == []
    assert {request.signed_at for request in done.signed} <= {NOON}
    assert all(request.url.endswith("/exchange") for request in done.signed)
    for request in done.gate.requests:
        assert (request.signed_at, request.window_ms) == (NOON, DIALECT.window_ms)


@pytest.mark.parametrize(
    ("name", "only_shrinks"),
    [
        ("reduce a long", True),
        ("reduce a short", True),
        ("place a stop under a long", True),
        ("add margin", None),
        ("cancel a stop", None),
    ],
)
async def test_the_guard_is_told_from_the_bytes_whether_an_order_can_only_shrink(
    name: str, only_shrinks: bool | None
) -> None:
    done = await written(HYPERLIQUID, CASES[name])
    assert [request.is_reduce_only for request in done.gate.requests] == [only_shrinks]


def test_an_order_without_the_flag_or_beside_another_is_none_that_only_shrinks() -> None:
    said = {"action.type": "order", "action.orders.0.r": "false"}
    assert is_reduce_only("POST", "/exchange", said) is False
    two = said | {"action.orders.0.r": "true", "action.orders.1.r": "false"}
    assert is_reduce_only("POST", "/exchange", two) is False


# what the table catches: each of these is one line of a careless adapter


def acting(**more: Any) -> Careless:
    return lambda said: {"action": said["action"] | more}


def ordering(**more: Any) -> Careless:
    def careless(said: dict[str, Any]) -> dict[str, Any]:
        (one,) = said["action"]["orders"]
        kept_ = {key: value for key, value in (one | more).items() if value is not None}
        return {"action": said["action"] | {"orders": [kept_]}}

    return careless


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", acting(ntli=12), id="dollars"),
        pytest.param("add margin", acting(ntli=13_000_000), id="rounded as the library does"),
        pytest.param("add margin", acting(ntli=-12_750_000), id="another direction"),
        pytest.param("add margin", acting(ntli="12750000"), id="a word"),
        pytest.param("add margin", acting(ntli=12_750_000.0), id="a float"),
        pytest.param("add margin", acting(asset=0), id="another coin"),
        pytest.param("add margin", acting(type="topUpIsolatedOnlyMargin"), id="another action"),
        pytest.param("reduce a long", ordering(r=False), id="no reduce-only flag"),
        pytest.param("reduce a long", ordering(b=True), id="the side that grows it"),
        pytest.param("reduce a long", ordering(c=None), id="no id"),
        pytest.param("reduce a long", ordering(c="0x" + "1" * 32), id="another id"),
        pytest.param("reduce a long", ordering(p="149.00"), id="zeros that are signed otherwise"),
        pytest.param("reduce a long", ordering(s=7), id="a number"),
        pytest.param("reduce a long", ordering(t={"limit": {"tif": "Gtc"}}), id="it rests"),
        pytest.param("reduce a long", acting(grouping="positionTpsl"), id="a group"),
        pytest.param("reduce a long", acting(builder={"b": "0x1", "f": 10}), id="a fee for others"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    module = import_module(HYPERLIQUID.adapter.__module__)
    write_for = module.write_for

    def worse(*arguments: Any) -> Any:
        write = write_for(*arguments)
        action = careless(write.given)["action"]
        return _write(action)

    monkeypatch.setattr(module, "write_for", worse)
    done = await written(HYPERLIQUID, CASES[name])
    (posted,) = [request.line for request in done.signed]
    assert posted not in REQUESTS[name]


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    for more in ({"vaultAddress": "0x1"}, {"isFrontend": True}):
        action = settled_in(margin(AddMargin), "USDC")
        done = await written_by_a_generous_library(HYPERLIQUID, action, **more)
        assert done.found == (Outcome.REJECTED, "request_mismatch")
        assert done.signed == []


def test_an_action_that_the_library_signed_by_itself_is_none() -> None:
    with pytest.raises(RuntimeError, match="raw call"):
        Hyperliquid().sign("exchange", ["private"], "POST", {"action": {}, "signature": {}})


def test_a_body_that_says_something_twice_is_read_back_twice() -> None:
    body = '{"action":{"type":"a","asset":1,"asset":2},"nonce":5,"signature":{},"expiresAfter":9}'
    assert sent("", body) == [
        ("action.type", "a"), ("action.asset", "1"), ("action.asset", "2"), ("window", "4")
    ]  # fmt: skip


@pytest.mark.parametrize("amount", ABSURD)
@pytest.mark.parametrize("action", MOVES)
async def test_no_absurd_amount_reaches_the_wire(
    amount: str, action: AddMargin | RemoveMargin | Transfer
) -> None:
    case = Case(does=sends(replace(action, amount=D(amount))), means=(Outcome.REJECTED, None))
    done = await written(HYPERLIQUID, case)
    assert done.found == case.means
    assert done.requests == []


UNUSABLE = {
    "no object": [],
    "not ok": {"status": "okay", "response": {"type": "default"}},
    "more than the default": {"status": "ok", "response": {"type": "default", "data": {}}},
    "nothing": {},
    "a page": "<html></html>",
}


@pytest.mark.parametrize("reply", UNUSABLE.values(), ids=UNUSABLE)
async def test_an_answer_that_is_not_the_documented_one_confirms_no_margin_move(
    reply: Any,
) -> None:
    replies = {"exchange updateIsolatedMargin": reply}
    async with standing(HYPERLIQUID, replies) as stand:
        outcome, applied = await stand.send(settled_in(margin(AddMargin), "USDC"))
    assert (outcome, applied) == (Outcome.UNKNOWN, None)


FILL = {"totalSz": "7.0", "avgPx": "151.1", "oid": 7}


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param(statuses(), id="none"),
        pytest.param(statuses({"filled": FILL}, {"filled": FILL}), id="two"),
        pytest.param(statuses({"filled": FILL | {"totalSz": "8.0"}}), id="more than asked for"),
        pytest.param(statuses({"filled": FILL | {"totalSz": "0.0"}}), id="nothing"),
        pytest.param(statuses({"filled": FILL | {"totalSz": "NaN"}}), id="no number"),
        pytest.param(statuses({"filled": FILL | {"cloid": "0x1"}}), id="of another"),
        pytest.param(statuses({"filled": FILL | {"oid": True}}), id="no order"),
        pytest.param(statuses({"filled": FILL, "resting": {"oid": 7}}), id="both"),
        pytest.param(statuses({"resting": {"oid": 7}}), id="it rests"),
        pytest.param(statuses("waitingForFill"), id="it waits"),
        pytest.param({"exchange order": statuses("success", kind="cancel")["exchange cancel"]},
                     id="of a cancel"),
        pytest.param(statuses({"error": "The exchange dreams. asset=2"}), id="a new sentence"),
        pytest.param({"exchange order": {"status": "err", "response": "Whatever."}}, id="err"),
        pytest.param({"exchange order": {"status": "err", "response": None}}, id="err of nothing"),
    ],
)  # fmt: skip
async def test_an_answer_that_confirms_no_fill_is_unknown(replies: dict[str, Any]) -> None:
    async with standing(HYPERLIQUID, replies) as stand:
        outcome, applied = await stand.send(settled_in(order(LONG), "USDC"))
    assert (outcome, applied) == (Outcome.UNKNOWN, None)
