"""Every request of the Gate adapter, byte for byte, and what a documented reply means.

``golden/gate_requests.json`` is what leaves, without key, time and signature.
"""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import Action, AddMargin, CancelStop, RemoveMargin
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionMode
from tests.kit.builders import NOON
from tests.kit.gate_golden import GATE, REPLIES
from tests.kit.golden import (
    DONE,
    LONG,
    NAME,
    SHORT,
    SYMBOL,
    Careless,
    Case,
    Does,
    Stand,
    glances,
    having,
    kept,
    margin,
    nothing,
    order,
    reads_marks,
    reads_rows,
    sees_spot_total,
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

REQUESTS: dict[str, list[str]] = kept("gate_requests.json")
ROOT = "/api/v4/futures/usdt"
ACCOUNTS, POSITIONS = f"GET {ROOT}/accounts", f"GET {ROOT}/positions"
PLACED = f"POST {ROOT}/orders"
BY_NAME = f"GET {ROOT}/orders/t-{NAME}"
STOP_ID = "2007047737421336576"
TRIGGERED = f"GET {ROOT}/price_orders"
NOT_KNOWN = {"label": "ORDER_NOT_FOUND", "message": "Order not found"}
CANCEL = CancelStop(key=LONG, stop_id=STOP_ID, client_id=NAME)


def changed(path: str, **changes: Any) -> dict[str, Any]:
    """Return the reply of a path with other fields, in its first row where it is a list."""
    body = REPLIES[path]
    if isinstance(body, list):
        return {path: [body[0] | changes, *body[1:]]}
    return {path: body | changes}


HEDGE = changed(ACCOUNTS, position_mode="dual", in_dual_mode=True)
LEGS = {
    POSITIONS: [
        row | {"margin": "750.0625" if row["mode"] == "dual_long" else "300.5"}
        for row in REPLIES[f"GET {ROOT}/dual_comp/positions/SOL_USDT"]
    ]
}
BOTH = LEGS | changed(
    ACCOUNTS, position_mode="dual", isolated_position_margin="1050.5625", total="13051.0625"
)
SHORT_ORDER = changed(PLACED, size="7")


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    market = seen.markets[0]
    first, second, _ = seen.instruments[0].tiers
    return (
        position.key, position.size, position.margin, position.mark_price,
        position.venue_liquidation_price, position.leverage_setting, position.margin_mode,
        position.venue_maintenance_margin,
        wallets, (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.bids[0].price, market.bids[0].size, market.bars.close),
        (first.maintenance_rate, second.notional_floor, second.maintenance_amount),
        market.funding_rate, seen.account.position_mode,
    )  # fmt: skip


SEEN = (
    LONG, D(50), D("750.0625"), D("151.12"), D("136.5"), D(10), MarginMode.ISOLATED, D("75.56"),
    {("futures", D("12000.5"), D("11999.25")), ("spot", D("4999.625"), D("4999.125"))},
    (STOP_ID, D(50), D(140), True),
    (NOON, D("151.1"), D(5), (151.0, 151.12)),
    (D("0.01075"), D(20000), D(60)),
    D("0.000072"), PositionMode.ONE_WAY,
)  # fmt: skip


async def sees_legs(stand: Stand) -> object:
    return [(str(p.key), p.size, p.margin) for p in (await stand.venue.observe()).account.positions]


def finds(action: Action) -> Does:
    """Look, send a move of margin, and look for its effect."""

    async def does(stand: Stand) -> object:
        await stand.venue.observe()
        await stand.send(action)
        stand.recorder.requests.clear()
        return await stand.settle(action)

    return does


CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, test hosts": Case(does=nothing, means=None, mode="testnet"),
    "add margin, test hosts": Case(
        does=sends(margin(AddMargin)), means=(DONE, D("12.75")), mode="testnet"
    ),
    "look": Case(does=look, means=SEEN),
    "look, both legs": Case(
        does=sees_legs,
        means=[(str(LONG), D(50), D("750.0625")), (str(SHORT), D(-20), D("300.5"))],
        replies=BOTH,
    ),
    "look, nothing listed in the spot account": Case(
        does=sees_spot_total, means=D(0), replies={"GET /api/v4/spot/accounts": []}
    ),
    "glance": Case(does=glances(SYMBOL), means={"SOL/USDT:USDT": D("151.12")}),
    "add margin": Case(does=sends(margin(AddMargin)), means=(DONE, D("12.75"))),
    "add margin, hedge long": Case(
        does=sends(margin(AddMargin)), means=(DONE, D("12.75")), replies=HEDGE
    ),
    "remove margin": Case(does=sends(margin(RemoveMargin)), means=(DONE, D("12.75"))),
    "remove margin, hedge short": Case(
        does=sends(margin(RemoveMargin, SHORT)), means=(DONE, D("12.75")), replies=HEDGE
    ),
    "transfer in": Case(does=sends(transfer("spot", "futures")), means=(DONE, D("10.5"))),
    "transfer out": Case(does=sends(transfer("futures", "spot")), means=(DONE, D("10.5"))),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(7))),
    "reduce a short": Case(does=sends(order(SHORT)), means=(DONE, D(7)), replies=SHORT_ORDER),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(4)),
        replies=changed(PLACED, left="-3", finish_as="ioc"),
    ),
    "reduce, hedge long": Case(does=sends(order(LONG)), means=(DONE, D(7)), replies=HEDGE),
    "reduce, hedge short": Case(
        does=sends(order(SHORT)), means=(DONE, D(7)), replies=HEDGE | SHORT_ORDER
    ),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1))),
    "place a stop over a short": Case(does=sends(stop(SHORT)), means=(DONE, D(1))),
    "place a stop for all that is open": Case(does=sends(stop(LONG, None)), means=(DONE, D(1))),
    "place a stop for all, hedge short": Case(
        does=sends(stop(SHORT, None)), means=(DONE, D(1)), replies=HEDGE
    ),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add": Case(does=finds(margin(AddMargin)), means=D("12.75")),
    "settle an add, hedge long": Case(
        does=finds(margin(AddMargin)), means=D("12.75"), replies=BOTH
    ),
    "settle an add that is not there": Case(
        does=finds(margin(AddMargin)),
        means=D(0),
        replies={f"GET {ROOT}/positions/SOL_USDT": REPLIES[POSITIONS][0]},
    ),
    "settle a transfer in": Case(does=settles(transfer("spot", "futures")), means=D("10.5")),
    "settle a transfer that has left and not come": Case(
        does=settles(transfer("spot", "futures")),
        means=None,
        replies={f"GET {ROOT}/account_book": []},
    ),
    "settle a transfer out that is not there": Case(
        does=settles(transfer("futures", "spot")), means=D(0)
    ),
    "settle a reduction": Case(
        does=settles(order(LONG)), means=D(4), replies=changed(BY_NAME, left="-3")
    ),
    "settle a reduction whose name is forgotten": Case(
        does=settles(order(LONG)), means=D(7), replies={BY_NAME: NOT_KNOWN}
    ),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1)),
    "settle a stop that is not known": Case(
        does=settles(stop(LONG)), means=D(0), replies={f"{TRIGGERED}?status=open": []}
    ),
    "settle a cancel": Case(
        does=settles(CANCEL),
        means=D(1),
        replies=changed(f"{TRIGGERED}/{STOP_ID}", status="finished", finish_as="cancelled"),
    ),
    "settle a cancel of what has fired": Case(
        does=settles(CANCEL),
        means=D(0),
        replies=changed(f"{TRIGGERED}/{STOP_ID}", status="finished", finish_as="succeeded"),
    ),
    "ledger": Case(
        does=reads_rows("kind", "amount", "symbol"),
        means={
            (RowKind.FUNDING, D("-0.75"), "SOL/USDT:USDT"),
            (RowKind.FEE, D("-0.01"), "SOL/USDT:USDT"),
            (RowKind.REALIZED_PNL, D("0.25"), "SOL/USDT:USDT"),
        },
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[151.0, 151.12]),
}


# what the table catches: each of these is one line of a careless adapter


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(change="12"), id="rounded"),
        pytest.param("add margin", having(change="12.750"), id="another spelling"),
        pytest.param("add margin", having(change="-12.75"), id="another direction"),
        pytest.param("add margin", having(currency="USDT"), id="a parameter too many"),
        pytest.param("add margin", having(contract="BTC_USDT"), id="another contract"),
        pytest.param("add margin, hedge long", without("dual_side"), id="no leg"),
        pytest.param("add margin, hedge long", having(dual_side="dual_short"), id="another leg"),
        pytest.param("reduce a long", without("reduce_only"), id="no reduce-only flag"),
        pytest.param("reduce a long", without("text"), id="no name"),
        pytest.param("reduce a long", having(text="t-another"), id="another name"),
        pytest.param("reduce a long", having(size=7), id="the side that grows it"),
        pytest.param("reduce a long", having(size="-7"), id="a word for a number"),
        pytest.param("reduce a long", having(tif="gtc"), id="an order that rests"),
        pytest.param("place a stop under a long", without("order_type"), id="no kind"),
        pytest.param("transfer in", having(**{"from": "futures", "to": "spot"}), id="the way back"),
        pytest.param("transfer in", having(amount="1E+1"), id="an exponent"),
        pytest.param("transfer in", without("settle"), id="no settle currency"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, GATE, CASES[name], careless)
    assert not set(done.posts) & set(REQUESTS[name])


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    done = await written_by_a_generous_library(GATE, margin(AddMargin), pid="7")
    assert done.found == (Outcome.REJECTED, "request_mismatch")
    assert done.posts == []  # the position was read before, as always


@pytest.mark.parametrize(
    ("path", "found"),
    [(f"GET {ROOT}/account_book", None), ("GET /api/v4/spot/account_book", D(0))],
)
async def test_an_equal_line_from_before_the_send_is_no_evidence(
    path: str, found: D | None
) -> None:
    """Also where the venue shows more than it was asked for."""
    old = changed(path, time=f"{NOON.timestamp() - 0.501:.3f}")
    none: dict[str, Any] = {f"GET {ROOT}/account_book": []} if "spot" in path else {}
    async with standing(GATE, none | old) as stand:
        assert await stand.settle(transfer("spot", "futures")) == found


@pytest.mark.parametrize("size", ["7.01", "NaN", "-1", "0"])
async def test_a_size_that_is_no_number_of_contracts_never_leaves(size: str) -> None:
    async with standing(GATE) as stand:
        before = len(stand.recorder.requests)
        outcome, _ = await stand.send(replace(order(LONG), size=D(size)))
        assert outcome is Outcome.REJECTED
        assert len(stand.recorder.requests) == before


async def test_a_contract_of_parts_is_told_in_words_and_stopped_as_a_whole_only() -> None:
    """The venue takes parts of a contract where it says so, and then as words."""
    parts = changed(f"GET {ROOT}/contracts", enable_decimal=True, order_size_min="0.1")
    part = replace(order(LONG), size=D("0.7"))
    answer = changed(PLACED, size="-0.7")
    case = Case(does=sends(part), means=(DONE, D("0.7")), replies=parts | answer)
    done = await written(GATE, case)
    assert done.found == case.means
    assert '"size":"-0.7"' in done.posts[0]
    async with standing(GATE, parts) as stand:
        assert await stand.send(stop(LONG, D("0.7"))) == (Outcome.REJECTED, None)
        assert await stand.send(stop(LONG, None)) == (DONE, D(1))
