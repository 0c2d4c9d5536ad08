"""Every request of the adapter for inverse swaps of OKX, byte for byte.

``golden/okx_coin_requests.json`` is what leaves, without key, time and signature.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import AddMargin, CancelStop, PlaceStop, ReducePosition, RemoveMargin
from bot.domain.instrument import Contract
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.errors import Incomplete
from bot.exchanges.okx import parse
from tests.kit.binance_golden import COIN_LONG, coin_margin, coin_transfer
from tests.kit.builders import NOON
from tests.kit.golden import (
    DONE,
    NAME,
    Careless,
    Case,
    Stand,
    glances,
    having,
    kept,
    nothing,
    reads_marks,
    reads_rows,
    sends,
    settles,
    standing,
    without,
    written_by_a_careless_adapter,
)
from tests.kit.okx_golden import COIN
from tests.kit.okx_golden import COIN_REPLIES as REPLIES

REQUESTS: dict[str, list[str]] = kept("okx_coin_requests.json")
SYMBOL = "BTC/USD:BTC"
LONG, SHORT = COIN_LONG, PositionKey(SYMBOL, Side.SHORT)
MOVED = D("0.00123456")
MARGIN = "POST /api/v5/account/position/margin-balance"


def changed(path: str, **changes: Any) -> dict[str, Any]:
    """Return the reply of a path with other fields in its first row."""
    body = REPLIES[path]
    return {path: body | {"data": [body["data"][0] | changes, *body["data"][1:]]}}


HEDGE = changed("GET /api/v5/account/config", posMode="long_short_mode")
CANCEL = CancelStop(key=LONG, stop_id="2146760", client_id=NAME)


def order(key: PositionKey) -> ReducePosition:
    return ReducePosition(key=key, size=D(700), limit_price=D("59700.0"))


def stop(key: PositionKey, size: D | None = D(12_000)) -> PlaceStop:
    return PlaceStop(key=key, size=size, stop_price=D("55000.0"), is_needed=True)


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.currency, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    (market,), (rules,) = seen.markets, seen.instruments
    (tier,) = rules.tiers
    return (
        position.key, position.size, position.margin, position.mark_price,
        position.venue_liquidation_price, position.leverage_setting, position.margin_mode,
        wallets, (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.index_price, market.bids[0].size, market.bars.close),
        (rules.contract, rules.settle, rules.size_step, rules.min_size, rules.max_market_size),
        (tier.maintenance_rate, tier.max_leverage, market.funding_rate),
        seen.account.position_mode,
    )  # fmt: skip


SEEN = (
    LONG, D(12_000), D("0.02"), D(60_500), D("54900.0"), D(10), MarginMode.ISOLATED,
    {("futures", "BTC", D("0.3005"), D("0.3004")), ("spot", "BTC", D("0.1255"), D("0.125"))},
    ("2146760", D(12_000), D(55_000), True),
    (NOON - timedelta(milliseconds=250), D(60_490), D(43_100), (60_400.0, 60_500.0)),
    (Contract.INVERSE, "BTC", D(10), D(10), D(1_200_000)),
    (D("0.0065"), D(75), D("0.000072")),
    PositionMode.ONE_WAY,
)  # fmt: skip
CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "look": Case(does=look, means=SEEN),
    "glance": Case(does=glances(SYMBOL), means={SYMBOL: D(60_500)}),
    "add margin": Case(does=sends(coin_margin(AddMargin)), means=(DONE, MOVED)),
    "add margin, hedge short": Case(
        does=sends(coin_margin(AddMargin, SHORT)),
        means=(DONE, MOVED),
        replies=HEDGE | changed(MARGIN, posSide="short"),
    ),
    "remove margin": Case(
        does=sends(coin_margin(RemoveMargin)),
        means=(DONE, MOVED),
        replies=changed(MARGIN, type="reduce"),
    ),
    "transfer in": Case(does=sends(coin_transfer("spot", "futures")), means=(DONE, D("0.05"))),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(700))),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(410)),
        replies=changed("GET /api/v5/trade/order", accFillSz="4.1", state="canceled"),
    ),
    "reduce, hedge short": Case(does=sends(order(SHORT)), means=(DONE, D(700)), replies=HEDGE),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1))),
    "place a stop for all that is open": Case(does=sends(stop(LONG, None)), means=(DONE, D(1))),
    "place a stop, hedge short": Case(does=sends(stop(SHORT)), means=(DONE, D(1)), replies=HEDGE),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add": Case(does=settles(coin_margin(AddMargin)), means=MOVED),
    "settle a transfer": Case(does=settles(coin_transfer("spot", "futures")), means=D("0.05")),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(700)),
    "ledger": Case(
        does=reads_rows("kind", "amount", "asset", "symbol"),
        means={
            (RowKind.MARGIN_ADDED, MOVED, "BTC", SYMBOL),
            (RowKind.TRANSFER_IN, D("0.05"), "BTC", ""),
            (RowKind.FEE, D("-0.00000833"), "BTC", SYMBOL),
            (RowKind.REALIZED_PNL, D("0.00005833"), "BTC", SYMBOL),
        },
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[60_400.0, 60_500.0]),
}


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(amt="0.001234"), id="rounded"),
        pytest.param("add margin", having(amt="1.23456E-3"), id="an exponent"),
        pytest.param("add margin, hedge short", having(posSide="long"), id="another leg"),
        pytest.param("reduce a long", having(sz="700"), id="dollars for contracts"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("place a stop under a long", having(sz="12000"), id="the same"),
        pytest.param("transfer in", having(ccy="USDT"), id="another coin"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, COIN, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


@pytest.mark.parametrize("size", ["705", "5", "0", "-700", "NaN"])
async def test_a_part_of_a_lot_never_leaves(size: str) -> None:
    async with standing(COIN) as stand:
        before = len(stand.recorder.requests)
        for action in (replace(order(LONG), size=D(size)), stop(LONG, D(size))):
            assert await stand.send(action) == (Outcome.REJECTED, None)
        assert len(stand.recorder.requests) == before


async def test_the_fee_of_contracts_in_coin_is_the_one_that_names_no_currency() -> None:
    dear = changed("GET /api/v5/account/trade-fee", taker="-0.0009", takerU="-0.0006")
    async with standing(COIN, dear) as stand:
        (rules,) = (await stand.venue.observe()).instruments
        assert rules.taker_fee == D("0.0009")
        assert rules.tiers[0].maintenance_rate == D("0.0069")
    (fees,) = REPLIES["GET /api/v5/account/trade-fee"]["data"]
    with pytest.raises(Incomplete, match="'taker'"):
        parse.taker_fee(fees | {"taker": ""}, "BTC", Contract.INVERSE)
