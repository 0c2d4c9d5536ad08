"""What unmodified ccxt does with Hyperliquid, where the adapter must know better (4.5.90).

A test that fails after an upgrade says that a trap is gone, or that there is another.
"""

import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.exchanges.hyperliquid.dialect import CODES, Hyperliquid
from bot.exchanges.hyperliquid.words import SENTENCES, Code, code_of, told
from bot.paper.faults import Fault
from tests.kit.hyperliquid import PRIVATE, Rig, connected, plain_ccxt, serving
from tests.kit.moves import add
from tests.kit.paper import an_engine
from tests.kit.rigs import send

SOL = "SOL/USDC:USDC"
SLOWEST_MS = 20
"""A signature that takes longer would hold up everything else."""
ACTION = {"type": "updateIsolatedMargin", "asset": 1, "isBuy": True, "ntli": 5_500_000}


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
        await client.load_markets()
        yield client


@pytest.fixture
async def ours(rig: Rig) -> AsyncIterator[HyperliquidVenue]:
    async with connected(rig) as adapter:
        yield adapter


async def test_margin_is_rounded_by_the_step_of_sizes(venue: Any, rig: Rig) -> None:
    """Trap 1: half a dollar more or less than was asked for; the raw action has millionths."""
    await venue.add_margin(SOL, 0.75)
    assert [move.amount for move in rig.engine.margin_moves] == [1]


async def test_a_margin_move_says_nothing_of_its_amount_and_has_no_end(
    venue: Any, rig: Rig
) -> None:
    """Traps 23 and 28: thin confirmations, and no `expiresAfter` where nobody asks for one."""
    moved = await venue.add_margin(SOL, 5)
    assert (moved["amount"], moved["status"], moved["code"]) == (None, None, "ok")
    assert rig.said("exchange/updateIsolatedMargin")["ntli"] == 5_000_000


async def test_an_order_has_no_id_unless_one_is_given(venue: Any, rig: Rig) -> None:
    """Trap 21: what was lost on its way could not be found again."""
    await venue.create_order(SOL, "limit", "sell", 1, 149, {"timeInForce": "IOC"})
    (order,) = rig.said("exchange/order")["orders"]
    assert "c" not in order
    assert order["r"] is False


async def test_a_page_or_an_empty_object_passes_for_a_success(venue: Any, rig: Rig) -> None:
    """Trap 6: no exception, no amount, and no position where there is one."""
    rig.faults.add(Fault(kind="rewrite", method="POST", rewrite=lambda _: "{}"))
    assert (await venue.add_margin(SOL, 5))["code"] is None
    rig.faults.add(Fault(kind="rewrite", path="clearinghouseState", rewrite=lambda _: "{}"))
    assert await venue.fetch_positions() == []


async def test_the_margin_of_a_position_is_told_as_collateral_with_profit(
    venue: Any, rig: Rig
) -> None:
    """Trap 15: collateral has the profit in it, and maintenance is the one at liquidation."""
    rig.engine.advance(rig.engine.now_ms + 600_000)
    (position,) = await venue.fetch_positions()
    holding = rig.engine.holdings["SOLUSDT", "BOTH"]
    profit = rig.engine.profit(holding)
    assert profit
    assert D(str(position["collateral"])) == holding.margin + profit
    assert abs(D(str(position["maintenanceMargin"])) - rig.engine.maintenance(holding)) > 1


async def test_the_library_would_sign_what_nobody_asked_for(venue: Any, rig: Rig) -> None:
    """Unified orders first approve a fee for the library's makers and name a referrer."""
    del venue.initialize_client
    venue.options |= {"refSet": False, "builderFee": True}
    await venue.create_order(SOL, "limit", "sell", 1, 149, {"timeInForce": "IOC"})
    # It has named its makers, and asked for a fee for them, which this exchange does not know.
    assert (venue.options["refSet"], venue.options["builderFee"]) == (True, False)


async def test_the_adapter_signs_one_action_for_one_intent_and_no_other(
    ours: HyperliquidVenue, rig: Rig
) -> None:
    await ours.observe()
    await send(ours, rig, add("5.5"))
    writes = [path for method, path, _ in rig.desk.requests if method == "POST"]
    assert writes == ["/exchange/updateIsolatedMargin"]
    assert rig.said("exchange/updateIsolatedMargin")["ntli"] == 5_500_000


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Order was never placed, already canceled, or filled. asset=1", ccxt.OrderNotFound),
        ("Insufficient margin to place order. asset=1", ccxt.InsufficientFunds),
        ("Order could not immediately match against any resting orders. asset=1",
         ccxt.InvalidOrder),
        ("User or API Wallet 0x1 does not exist.", ccxt.InvalidOrder),
        ("Invalid nonce: duplicate nonce", ccxt.ExchangeError),
        ("A new sentence.", ccxt.ExchangeError),
    ],
)  # fmt: skip
async def test_classes_of_the_library_tell_keys_from_orders_no_more_than_sentences_do(
    venue: Any, rig: Rig, text: str, kind: type[Exception]
) -> None:
    """A foreign key is an `InvalidOrder` there; what is proven follows from our own table."""
    body = '{"status": "err", "response": "%s"}' % text  # noqa: UP031 - braces in it
    rig.faults.add(Fault(kind="rewrite", method="POST", rewrite=lambda _: body))
    with pytest.raises(ccxt.BaseError) as caught:
        await venue.privatePostExchange({"action": ACTION})
    assert type(caught.value) is kind
    assert told({"status": "err", "response": text})[0] == code_of(text)


def test_every_sentence_of_the_table_has_its_own_number_and_only_some_prove_nothing() -> None:
    assert [code_of(start) for start, _ in SENTENCES] == [code for _, code in SENTENCES]
    assert code_of("Order was never placed, already canceled, or filled. asset=7") is Code.MISSING
    assert code_of("") is Code.UNLISTED
    proven = {code for code in Code if code in CODES.no_effect}
    assert set(Code) - proven == {Code.UNLISTED, Code.UNKNOWN_ORDER, Code.NONCE}
    assert all(number in CODES.words for number in (str(int(code)) for code in Code))


@pytest.mark.parametrize(
    "body",
    [None, [], "ok", {}, {"status": "ok"}, {"status": "ok", "response": {"data": []}},
     {"status": "ok", "response": {"data": {"statuses": {"error": "x"}}}},
     {"status": "order", "order": {}}],
)  # fmt: skip
def test_what_is_no_refusal_has_no_number(body: Any) -> None:
    assert told(body) == (None, "")


@pytest.mark.parametrize("has_coincurve", [True, False])
def test_a_signature_holds_nothing_up(monkeypatch: pytest.MonkeyPatch, has_coincurve: bool) -> None:
    """The library signs with coincurve where it is installed, else with cryptography."""
    if not has_coincurve:
        monkeypatch.setitem(sys.modules, "coincurve", None)
    api = Hyperliquid({"apiKey": "0x" + "1" * 40, "secret": PRIVATE})
    took = []
    for nonce in range(12):
        began = time.process_time()
        api.sign_l1_action(ACTION, 1_767_614_400_000 + nonce, None, 1_767_614_405_000)
        took.append((time.process_time() - began) * 1000)
    assert sorted(took)[6] < SLOWEST_MS
