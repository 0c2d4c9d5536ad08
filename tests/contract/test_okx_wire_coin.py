"""Unmodified ccxt against inverse swaps of the paper exchange in OKX's words."""

import dataclasses
from collections.abc import AsyncIterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.margin import by_rule
from bot.margin.by_rule import Terms
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from bot.paper.fronts import ruled
from bot.paper.okx.listing import INVERSE_TIERS, cut, demand, face
from tests.kit.coins import a_coin_account
from tests.kit.okx import INVERSE, Rig
from tests.kit.paper import START
from tests.kit.rigs import plain

SYMBOL = "BTC/USD:BTC"


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    async with INVERSE.serving(a_coin_account(), authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    async with plain(
        rig,
        ccxt.okx,
        "https://www.okx.com",
        defaultType="swap",
        createOrder="privatePostTradeOrder",
    ) as client:
        await client.load_markets()
        yield client


async def test_ccxt_reads_inverse_markets_positions_balance_and_prices(
    venue: Any, rig: Rig
) -> None:
    market = venue.markets[SYMBOL]
    assert (market["inverse"], market["contractSize"]) == (True, 100)
    assert market["precision"]["amount"] == 0.1
    assert venue.markets["ETH/USD:ETH"]["contractSize"] == 10
    held = {p["symbol"]: p for p in await venue.fetch_positions()}
    assert {s: (p["contracts"], p["side"]) for s, p in held.items()} == {
        SYMBOL: (120, "long"), "ETH/USD:ETH": (90, "short"),
    }  # fmt: skip
    margin = rig.engine.holdings["BTCUSD_PERP", "BOTH"].margin
    assert float(held[SYMBOL]["info"]["margin"]) == pytest.approx(float(margin))
    assert float(held[SYMBOL]["info"]["notionalUsd"]) == 12_000
    balance = await venue.fetch_balance()
    assert balance["BTC"]["free"] == float(rig.engine.available("BTC"))
    assert balance["ETH"]["free"] == float(rig.engine.available("ETH"))
    mark = rig.engine.quotes["BTCUSD_PERP"].mark
    assert D(str((await venue.fetch_mark_price(SYMBOL))["markPrice"])) == mark
    book = await venue.fetch_order_book(SYMBOL, limit=20)
    assert book["bids"][0][0] < book["asks"][0][0]
    tiers = await venue.fetch_market_leverage_tiers(SYMBOL, {"marginMode": "isolated"})
    assert [tier["maintenanceMarginRate"] for tier in tiers] == [
        float(step.maintenance) for step in INVERSE_TIERS["BTC"]
    ]


async def test_ccxt_closes_a_part_in_contracts(venue: Any, rig: Rig) -> None:
    await venue.create_order(
        SYMBOL, "limit", "sell", 7.1, 59_500,
        {"reduceOnly": True, "tdMode": "isolated", "clOrdId": "one", "timeInForce": "IOC"},
    )  # fmt: skip
    done = await venue.fetch_order(None, SYMBOL, {"clOrdId": "one"})
    assert (done["filled"], done["status"]) == (7.1, "closed")
    (trade,) = rig.engine.trades
    assert done["average"] == pytest.approx(float(trade.price))
    assert rig.engine.holdings["BTCUSD_PERP", "BOTH"].amount == 11_290


@given(
    side=st.sampled_from([1, -1]),
    lots=st.integers(1, 3_000_000),
    leverage=st.integers(2, 50),
    added=st.decimals("0", "1", places=8),
)
def test_the_exchange_takes_over_where_the_venues_rule_says(
    side: int, lots: int, leverage: int, added: D
) -> None:
    """OK-I: margin in coin, the step of the size, the fee of closing on top."""
    engine = ruled("okx", a_coin_account())
    contract = engine.contracts["BTCUSD_PERP"]
    holding = engine.holdings["BTCUSD_PERP", "BOTH"]
    holding.amount, size = side * lots * contract.lot, lots * contract.lot
    holding.margin = size / holding.entry / leverage + added
    holding.liquidation = None
    count = size / face(contract)
    steps = INVERSE_TIERS["BTC"]
    step = next((s for s in steps if count <= s.most), steps[-1])
    assert demand(contract, size, D(50_000)) == size / D(50_000) * (
        step.maintenance + contract.taker
    )
    tiers = (
        MarginTier(
            notional_floor=D(0), maintenance_rate=step.maintenance, maintenance_amount=D(0),
            max_leverage=D(step.leverage),
        ),
    )  # fmt: skip
    terms = Terms(
        size=holding.amount, entry_price=holding.entry, margin=holding.margin, tiers=tiers,
        closing_fee=contract.taker,
    )  # fmt: skip
    day = START.date()
    rule = rule_for(venue="okx", mode=Mode.ISOLATED, contract=Contract.INVERSE, day=day)
    wanted = by_rule.liquidation_price(rule, terms)
    found = engine.liquidation_price(holding)
    assert (wanted is None) == (found == 0)
    if wanted is not None:
        assert abs(found - wanted) <= wanted * D("1e-9")


def test_an_inverse_contract_is_cut_in_tenths_and_a_linear_one_is_left_alone() -> None:
    engine = a_coin_account()
    for symbol, dollars in (("BTCUSD_PERP", 100), ("ETHUSD_PERP", 10)):
        made = cut(engine.contracts[symbol])
        assert (made.face, made.lot) == (D(dollars), D(dollars) / 10)
    linear = engine.contracts["BTCUSDT"]
    assert cut(linear) is linear
    assert dataclasses.asdict(cut(linear)) == dataclasses.asdict(linear)
