"""Unmodified ccxt against the paper exchange in Hyperliquid's words, and hand-signed requests."""

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
from bot.margin.tiers import continued
from bot.margin.venues import rule_for
from bot.paper.desk import Asked, Keys
from bot.paper.fronts import ruled
from bot.paper.hyperliquid.curve import G, N, SignatureError, address_of, recovered, times
from bot.paper.hyperliquid.desk import HyperliquidDesk
from bot.paper.hyperliquid.keccak import keccak
from bot.paper.hyperliquid.limits import LIMIT
from bot.paper.hyperliquid.listing import demand, is_price, steps
from bot.paper.hyperliquid.signing import ordered, packed
from bot.paper.instruments import LINEAR
from bot.paper.pace import Stepped
from tests.kit.hyperliquid import (
    OWNER,
    PRIVATE,
    WALLET,
    Rig,
    answer,
    asked,
    plain_ccxt,
    serving,
    signed,
)
from tests.kit.paper import START, START_MS, an_engine

SOL = "SOL/USDC:USDC"
ADD = {"type": "updateIsolatedMargin", "asset": 1, "isBuy": True, "ntli": 5_500_000}
NAME = "0x706c746573743030303130303030303031"[:34]
ORDER = {
    "a": 1, "b": False, "p": "149", "s": "10", "r": True, "t": {"limit": {"tif": "Ioc"}},
    "c": NAME,
}  # fmt: skip
STOP = ORDER | {
    "p": "108", "t": {"trigger": {"isMarket": True, "triggerPx": "120", "tpsl": "sl"}},
}  # fmt: skip


def ordering(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"type": "order", "orders": list(orders), "grouping": "na"}


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """An exchange on loopback where 50 SOL are held with 10x."""
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    async with plain_ccxt(rig) as client:
        yield client


@pytest.fixture
def desk() -> HyperliquidDesk:
    """The same without sockets."""
    engine = ruled("hyperliquid", an_engine())
    engine.hold("SOLUSDT", D(50), leverage=10)
    return HyperliquidDesk(engine, Stepped(engine, speed=1))


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any, rig: Rig) -> None:
    markets = await venue.load_markets()
    sol = markets[SOL]
    assert (sol["baseId"], sol["precision"]["amount"], sol["linear"]) == ("1", 1, True)
    (position,) = await venue.fetch_positions()
    assert (position["symbol"], position["contracts"], position["side"]) == (SOL, 50, "long")
    assert (position["marginMode"], position["leverage"]) == ("isolated", 10)
    holding = rig.engine.holdings["SOLUSDT", "BOTH"]
    assert D(str(position["initialMargin"])) == holding.margin
    shown = rig.engine.liquidation_price(holding)
    assert abs(D(str(position["liquidationPrice"])) - shown) < D("1e-6")
    free = rig.engine.available()
    balance = await venue.fetch_balance({"marginMode": "isolated"})
    assert balance["USDC"]["free"] == float(free)
    assert (await venue.fetch_balance({"type": "spot"}))["USDC"]["total"] == 5000
    rates = await venue.fetch_funding_rates([SOL])
    assert D(str(rates[SOL]["markPrice"])) == rig.engine.quotes["SOLUSDT"].mark
    bars = await venue.fetch_ohlcv("BTC/USDC:USDC", "1h", limit=48)
    assert len(bars) == 48
    book = await venue.fetch_order_book("BTC/USDC:USDC")
    assert book["bids"][0][0] < book["asks"][0][0]
    assert (await venue.fetch_trading_fee(SOL))["taker"] == 0.0005


async def test_ccxt_places_reads_and_cancels_orders(venue: Any, rig: Rig) -> None:
    await venue.load_markets()
    placed = await venue.create_order(
        SOL, "limit", "sell", 10, 149,
        {"reduceOnly": True, "timeInForce": "IOC", "clientOrderId": NAME},
    )  # fmt: skip
    assert placed["filled"] == 10
    done = await venue.fetch_order(NAME, SOL)
    assert (done["filled"], done["status"]) == (10, "closed")
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(40)
    (fill,) = await venue.fetch_my_trades(SOL, rig.engine.start_ms)
    assert (fill["amount"], fill["order"], fill["fee"]["currency"]) == (10, placed["id"], "USDC")
    stop = await venue.create_order(
        SOL, "market", "sell", 5, 120, {"stopLossPrice": 120, "reduceOnly": True}
    )
    (listed,) = await venue.fetch_open_orders(SOL)
    assert (listed["id"], listed["triggerPrice"], listed["type"]) == (stop["id"], 120, "market")
    await venue.cancel_order(stop["id"], SOL)
    assert await venue.fetch_open_orders(SOL) == []


async def test_ccxt_moves_margin_by_a_rounded_amount_and_is_told_nothing(
    venue: Any, rig: Rig
) -> None:
    await venue.load_markets()
    moved = await venue.add_margin(SOL, 5.5)
    assert (moved["code"], moved["amount"]) == ("ok", None)
    (move,) = rig.engine.margin_moves
    assert move.amount == 6  # trap 1: 5.5 was asked for, and a lot of this contract is 1


async def test_only_the_owner_moves_money_between_wallets(rig: Rig) -> None:
    async with plain_ccxt(rig) as agent:
        await agent.load_markets()
        with pytest.raises(ccxt.ExchangeError, match="Must deposit before"):
            await agent.transfer("USDC", 25, "spot", "swap")
    async with plain_ccxt(rig, OWNER) as owner:
        await owner.load_markets()
        await owner.transfer("USDC", 25, "spot", "swap")
        (line,) = await owner.fetch_ledger(None, rig.engine.start_ms)
    assert rig.engine.spot["USDT"] == 4975
    assert line["info"]["delta"] == {
        "type": "accountClassTransfer", "usdc": "25.0", "toPerp": True
    }  # fmt: skip


async def test_ccxt_changes_settings_and_gets_the_venues_refusals(venue: Any, rig: Rig) -> None:
    await venue.load_markets()
    await venue.set_leverage(25, "BTC/USDC:USDC", {"marginMode": "isolated"})
    assert rig.engine.leverage["BTCUSDT"] == 25
    with pytest.raises(ccxt.ExchangeError, match="Cannot switch leverage"):
        await venue.set_leverage(5, SOL, {"marginMode": "cross"})


def said(desk: HyperliquidDesk, request: Asked) -> Any:
    body = answer(desk, request)
    return body["response"] if body["status"] == "err" else body["response"]["data"]["statuses"][0]


def test_an_action_is_done_once_for_who_signed_it(desk: HyperliquidDesk) -> None:
    request = signed(desk, ADD)
    assert answer(desk, request) == {"status": "ok", "response": {"type": "default"}}
    assert said(desk, request) == "Invalid nonce: duplicate nonce"
    (move,) = desk.engine.margin_moves
    assert move.amount == D("5.5")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"action": ADD | {"ntli": 5_500_001}}, id="another amount"),
        pytest.param({"nonce": START_MS + 1}, id="another nonce"),
        pytest.param({"expiresAfter": START_MS + 9_999}, id="another end"),
        pytest.param({"expiresAfter": None}, id="no end"),
    ],
)
def test_what_was_changed_behind_a_signature_belongs_to_nobody(
    desk: HyperliquidDesk, changes: dict[str, Any]
) -> None:
    request = signed(desk, ADD, changes=changes)
    found = said(desk, request)
    assert found.startswith("User or API Wallet 0x")
    assert found.endswith(" does not exist.")
    assert not desk.engine.margin_moves


def test_an_action_in_another_order_or_with_zeros_is_anothers(desk: HyperliquidDesk) -> None:
    turned = dict(reversed(ADD.items()))
    assert "does not exist" in said(desk, signed(desk, turned))
    assert "does not exist" in said(desk, signed(desk, ordering(ORDER | {"p": "149.0"})))
    assert "filled" in said(desk, signed(desk, ordering(ORDER)))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"nonce": "5"}, id="no whole number"),
        pytest.param({"signature": {"r": "0x0", "s": "0x1", "v": 27}}, id="no signature"),
        pytest.param({"signature": "0x"}, id="no numbers"),
        pytest.param({"action": {"type": "withdraw3"}}, id="unknown here"),
        pytest.param({"action": []}, id="no action"),
    ],
)
def test_what_is_no_request_is_not_read(desk: HyperliquidDesk, changes: dict[str, Any]) -> None:
    reply = desk.answer(signed(desk, ADD, changes=changes))
    assert (reply.status, reply.kind) == (422, "text/plain")
    assert not desk.engine.margin_moves


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"type": 5}', b'{"type": "all"}', b"[" * 9999]
)
def test_a_body_that_is_none_is_not_read(desk: HyperliquidDesk, body: bytes) -> None:
    assert desk.answer(Asked(method="POST", path="/info", body=body)).status == 422


def test_an_action_too_late_or_of_another_day_is_refused(desk: HyperliquidDesk) -> None:
    now = desk.pace.now_ms
    assert said(desk, signed(desk, ADD, nonce=now - 5001)) == "Action expired."
    assert answer(desk, signed(desk, ADD, nonce=now - 5000))["status"] == "ok"
    for nonce in (now - 86_400_001, now + 86_400_001):
        found = said(desk, signed(desk, ADD, nonce=nonce, expires=None))
        assert found == "Invalid nonce: nonce too low"
    assert len(desk.engine.margin_moves) == 1


def test_a_revoked_agent_and_a_foreign_key_do_not_exist(desk: HyperliquidDesk) -> None:
    assert "does not exist" in said(desk, signed(desk, ADD, private="7" * 64))
    desk.keys = Keys(is_valid=False)
    assert "does not exist" in said(desk, signed(desk, ADD))
    assert answer(desk, asked("userRole", user=address_of(PRIVATE))) == {"role": "missing"}


def test_the_role_of_an_address_tells_an_agent_from_its_owner(desk: HyperliquidDesk) -> None:
    assert answer(desk, asked("userRole")) == {"role": "user"}
    found = answer(desk, asked("userRole", user=address_of(PRIVATE)))
    assert found == {"role": "agent", "data": {"user": WALLET}}


@pytest.mark.parametrize(
    ("order", "why"),
    [
        pytest.param(ORDER | {"p": "149.123"}, "divisible by tick size", id="six figures"),
        pytest.param(ORDER | {"s": "0.5"}, "invalid size", id="half a lot"),
        pytest.param(ORDER | {"b": True}, "would increase position", id="the other way"),
        pytest.param(ORDER | {"p": "157"}, "could not immediately match", id="too dear"),
        pytest.param(ORDER | {"s": "0"}, "zero size", id="nothing"),
        pytest.param(ORDER | {"r": False, "b": True, "s": "1", "p": "1"}, "$10", id="small"),
        pytest.param(
            STOP | {"t": {"trigger": {"isMarket": True, "triggerPx": "999", "tpsl": "sl"}}},
            "Invalid TP/SL price.", id="fires at once",
        ),
        pytest.param(STOP | {"p": "121"}, "Invalid TP/SL price.", id="worse than its trigger"),
    ],
)  # fmt: skip
def test_an_order_the_venue_refuses_has_its_sentence(
    desk: HyperliquidDesk, order: dict[str, Any], why: str
) -> None:
    found = said(desk, signed(desk, ordering(order)))
    assert why in found["error"]
    assert found["error"].endswith("asset=1")
    assert desk.engine.holdings["SOLUSDT", "BOTH"].amount == 50


def test_a_stop_that_may_grow_is_refused_as_a_whole(desk: HyperliquidDesk) -> None:
    assert "reduce-only" in said(desk, signed(desk, ordering(STOP | {"r": False})))


def test_the_id_of_an_order_is_taken_once(desk: HyperliquidDesk) -> None:
    said(desk, signed(desk, ordering(STOP)))
    desk.engine.advance(desk.engine.now_ms + 1000)
    assert "taken" in said(desk, signed(desk, ordering(STOP)))["error"]
    status = answer(desk, asked("orderStatus", oid=NAME))
    assert (status["order"]["status"], status["order"]["order"]["isTrigger"]) == ("open", True)
    assert answer(desk, asked("orderStatus", oid="0x" + "0" * 32)) == {"status": "unknownOid"}


def test_a_tenth_of_the_value_stays_whatever_the_setting(desk: HyperliquidDesk) -> None:
    desk.engine.leverage["SOLUSDT"] = 20
    assert "a tenth" in said(desk, signed(desk, ADD | {"ntli": -300_000_000}))
    assert not desk.engine.margin_moves


def test_who_asks_too_often_is_told_nothing(desk: HyperliquidDesk) -> None:
    heavy = asked("userRole")
    for _ in range(LIMIT // 60):
        assert desk.answer(heavy).status == 200
    reply = desk.answer(heavy)
    assert (reply.status, json.loads(reply.text)) == (429, None)
    desk.engine.advance(desk.engine.now_ms + 60_001)
    assert desk.answer(heavy).status == 200


def test_many_rows_weigh_more(desk: HyperliquidDesk) -> None:
    req = {"coin": "SOL", "interval": "1h", "startTime": 0, "endTime": desk.pace.now_ms}
    count = len(answer(desk, asked("candleSnapshot", req=req)))
    assert desk.counts.most == 20 + count // 60


def test_anothers_account_is_empty(desk: HyperliquidDesk) -> None:
    found = answer(desk, asked("clearinghouseState", user="0x" + "1" * 40))
    assert found["assetPositions"] == []
    assert found["marginSummary"]["accountValue"] == "0.0"


@pytest.mark.parametrize("base", ["BTC", "ETH", "SOL", "DOGE"])
@settings(max_examples=50)
@given(
    size=st.decimals("0.001", "1000", places=3),
    margin=st.decimals("0.02", "0.9", places=3),
    is_long=st.booleans(),
)
def test_positions_are_judged_by_the_published_rule(
    base: str, size: D, margin: D, is_long: bool
) -> None:
    contract, price = LINEAR[f"{base}USDT"], D(1000)
    signed_size = size if is_long else -size
    tiers: list[MarginTier] = []
    for step in steps(contract):
        amount = continued(tiers[-1], floor=step.floor, rate=step.rate) if tiers else D(0)
        tiers.append(
            MarginTier(
                notional_floor=step.floor,
                maintenance_rate=step.rate,
                maintenance_amount=amount,
                max_leverage=D(step.leverage),
            )
        )
    rule = rule_for(
        venue="hyperliquid", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=START.date()
    )
    backing = margin * size * price
    found = by_rule.liquidation_price(
        rule,
        Terms(
            size=signed_size, entry_price=price, mark_price=price, tiers=tuple(tiers),
            margin=backing,
        ),
    )  # fmt: skip
    if found is None:
        return
    equity = backing + signed_size * (found - price)
    needed = demand(contract, size, found)
    assert abs(equity - needed) < D("1e-9") * (1 + needed)


def test_prices_have_five_figures_or_none_behind_the_point() -> None:
    btc, doge = LINEAR["BTCUSDT"], LINEAR["DOGEUSDT"]
    assert is_price(btc, D(123456))
    assert is_price(btc, D("1234.5"))
    assert not is_price(btc, D("12345.6"))
    assert is_price(doge, D("0.12345"))
    assert not is_price(doge, D("0.1234567"))


@given(st.binary(max_size=700))
def test_the_digest_is_that_of_the_library(data: bytes) -> None:
    assert keccak(data) == ccxt.Exchange.hash(data, "keccak", "binary")


@settings(max_examples=20)
@given(st.integers(1, 2**255), st.binary(min_size=32, max_size=32))
def test_the_address_of_a_signature_is_that_of_its_key(private: int, digest: bytes) -> None:
    api, key = ccxt.hyperliquid(), f"{private:064x}"
    made = api.sign_hash(f"0x{digest.hex()}", key)
    r, s = int(made["r"], 16), int(made["s"], 16)
    assert recovered(digest, r=r, s=s, v=made["v"]) == address_of(key)
    assert address_of(key) == api.eth_get_address_from_private_key(f"0x{key}").lower()


@given(st.integers(0, 2**256), st.integers(0, 2**256), st.integers(0, 60))
def test_no_numbers_of_a_signature_break_the_judge(r: int, s: int, v: int) -> None:
    with contextlib.suppress(SignatureError):
        assert recovered(b"\x01" * 32, r=r, s=s, v=v).startswith("0x")


def test_a_point_and_its_opposite_come_to_nothing() -> None:
    assert times(N, G)[2] == 0


def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5)


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=40),
    deeper,
    max_leaves=10,
)


@given(WORDS)
def test_an_action_is_packed_as_the_library_packs_it(value: Any) -> None:
    assert packed(value) == ccxt.Exchange.packb(value)


def test_an_action_with_unknown_fields_is_none() -> None:
    with pytest.raises(ValueError, match="no such fields"):
        ordered(ADD | {"more": 1}, "updateIsolatedMargin")
