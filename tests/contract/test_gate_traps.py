"""Why the Gate adapter makes raw calls: the library's own methods, unmodified, before it."""

import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal as D
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.domain.action import AddMargin
from bot.domain.intent import Outcome
from bot.errors import Incomplete
from bot.exchanges.client import addresses
from bot.exchanges.gate.dialect import DIALECT
from bot.exchanges.gate.parse import CLOSING_FEE
from tests.kit.gate_golden import GATE, REPLIES, GateRecorder
from tests.kit.golden import DONE, LONG, margin, order, standing, stop
from tests.kit.recorder import KEY, SECRET

ROOT = "/api/v4/futures/usdt"
MARGIN = f"POST {ROOT}/positions/SOL_USDT/margin"
SOL = "SOL/USDT:USDT"


@contextlib.asynccontextmanager
async def plain_ccxt(
    changes: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Any, GateRecorder]]:
    others = {
        "GET /api/v4/futures/btc/contracts": [],
        "GET /api/v4/account/detail": {"user_id": 1, "key": {"mode": 1}},
    }
    recorder = GateRecorder(REPLIES | others | (changes or {}))
    api = ccxt.gate({
        "apiKey": KEY, "secret": SECRET, "session": recorder, "enableRateLimit": False,
        "options": {"fetchMarkets": {"types": ["swap"]}, "defaultType": "swap"},
    })  # fmt: skip
    api.ssl_context = False
    api.has["fetchCurrencies"] = False
    try:
        await api.load_markets()
        recorder.requests.clear()
        yield api, recorder
    finally:
        await api.close()


def body(recorder: GateRecorder) -> Any:
    return json.loads(recorder.requests[-1].body)


@pytest.mark.parametrize("answer", ["<html></html>", {}, [], {"contract": "BTC_USDT"}])
async def test_trap_the_unified_call_says_ok_whatever_came_and_tells_no_amount(answer: Any) -> None:
    async with plain_ccxt({MARGIN: answer}) as (api, _):
        moved = await api.add_margin(SOL, 12.75)
        assert (moved["status"], moved["amount"], moved["type"]) == ("ok", None, None)
    async with standing(GATE, {MARGIN: answer}) as stand:
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_the_unified_call_knows_no_legs() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.add_margin(SOL, 12.75, {"dual_side": "dual_long"})
        assert "dual_comp" not in recorder.requests[-1].url  # the venue refuses it there


@pytest.mark.parametrize(
    ("amount", "leaves"),
    [(float("nan"), "nan"), (-5, "-5"), (0.1 + 0.2, "0.30000000000000004"), (1e-7, "1e-07")],
)
async def test_trap_the_library_sends_what_is_no_amount(amount: Any, leaves: str) -> None:
    where = {"settle": "usdt", "contract": "SOL_USDT"}
    async with plain_ccxt() as (api, recorder):
        await api.privateFuturesPostSettlePositionsContractMargin({**where, "change": amount})
        assert recorder.requests[-1].url.endswith(f"change={leaves}")


async def test_trap_a_margin_that_is_taken_away_is_a_negative_change() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.reduce_margin(SOL, 12.75)
        assert recorder.requests[-1].url.endswith("change=-12.75")
        await api.reduce_margin(SOL, -12.75)
        assert recorder.requests[-1].url.endswith("change=12.75")  # and so the other way round


async def test_trap_the_unified_order_has_no_name_and_rounds_to_whole_contracts() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.create_order(SOL, "limit", "sell", 7.9, 149.001)
        sent = body(recorder)
        assert (sent["size"], sent["price"], "text" in sent) == (-7, "149", False)
        assert "reduce_only" not in sent


async def test_trap_the_unified_stop_watches_the_last_price_and_has_no_kind() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.create_order(SOL, "market", "sell", 7, None, {"stopLossPrice": 140})
        sent = body(recorder)
        assert sent["trigger"]["price_type"] == 0
        assert not {"order_type", "text"} & ({*sent} | {*sent["initial"]})


async def test_trap_the_name_of_a_triggered_order_is_sent_without_its_prefix() -> None:
    async with plain_ccxt() as (api, recorder):
        told = {"stopLossPrice": 140, "clientOrderId": "plab010001000aab"}
        await api.create_order(SOL, "market", "sell", 7, None, told)
        assert body(recorder)["initial"]["text"] == "plab010001000aab"
    async with standing(GATE) as stand:
        assert await stand.send(stop(LONG)) == (DONE, D(1))
        sent = json.loads(stand.recorder.requests[-1].body)
        assert sent["initial"]["text"] == "t-plab010001000aab"


async def test_trap_a_page_is_read_as_one_position_for_each_of_its_letters() -> None:
    page = {f"GET {ROOT}/positions": "<html></html>"}
    async with plain_ccxt(page) as (api, _):
        found = await api.fetch_positions(None, {"settle": "usdt"})
        assert [position["info"] for position in found] == [*"<html></html>"]
    async with standing(GATE, page) as stand:
        with pytest.raises(Incomplete, match="list of objects"):
            await stand.venue.observe()


async def test_trap_the_number_of_a_triggered_order_is_larger_than_a_double_can_hold() -> None:
    async with standing(GATE) as stand:
        (resting,) = (await stand.venue.observe()).account.stops
        assert resting.stop_id == "2007047737421336576"
        assert int(float(resting.stop_id)) == int(resting.stop_id)  # by luck; the next one is not
        assert int(float("2007047737421336577")) != 2007047737421336577


async def test_trap_a_request_that_is_too_old_looks_like_a_wrong_key() -> None:
    old = {MARGIN: {"label": "REQUEST_EXPIRED", "message": "gap exceeds 60"}}
    async with plain_ccxt(old) as (api, _):
        with pytest.raises(ccxt.AuthenticationError):
            await api.add_margin(SOL, 12.75)
    async with standing(GATE, old) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "REQUEST_EXPIRED")
        assert stand.venue._client.is_time_refused


@pytest.mark.parametrize("label", ["INTERNAL", "SERVER_ERROR", "TOO_BUSY", "NEVER_SEEN"])
async def test_trap_an_answer_that_says_nothing_of_the_effect_is_unknown(label: str) -> None:
    unsure = {MARGIN: {"label": label, "message": ""}}
    async with plain_ccxt(unsure) as (api, _):
        with pytest.raises(ccxt.ExchangeError if label == "NEVER_SEEN" else ccxt.NetworkError):
            await api.add_margin(SOL, 12.75)
    async with standing(GATE, unsure) as stand:
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_too_many_requests_under_200_stop_the_asking_all_the_same() -> None:
    busy = {MARGIN: {"label": "TOO_MANY_REQUESTS", "message": "slow down"}}
    async with standing(GATE, busy) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "TOO_MANY_REQUESTS")
        now = stand.venue._clock.monotonic()
        assert stand.venue._client.quota.stopped_for(now) > 0


async def test_trap_whatever_the_library_raises_after_a_byte_left_is_unknown() -> None:
    async with standing(GATE) as stand:
        api = stand.venue._client.api
        fetch = api.fetch

        async def broken(*arguments: Any, **named: Any) -> Any:
            await fetch(*arguments, **named)
            raise TypeError("string indices must be integers")

        await stand.venue.observe()
        api.fetch = broken
        assert await stand.send(order(LONG)) == (Outcome.UNKNOWN, None)


async def test_trap_the_librarys_retries_send_a_write_four_times() -> None:
    lost: dict[str, Any] = {MARGIN: TimeoutError()}
    async with plain_ccxt(lost) as (api, recorder):
        api.options["maxRetriesOnFailure"] = 3
        api.options["maxRetriesOnFailureDelay"] = 0
        with pytest.raises(ccxt.RequestTimeout):
            await api.add_margin(SOL, 12.75)
        assert len(recorder.requests) == 4
    async with standing(GATE, lost) as stand:
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
        assert [request.method for request in stand.recorder.requests].count("POST") == 1


async def test_trap_demo_trading_is_not_known_and_the_sandbox_has_a_host_of_its_own() -> None:
    async with plain_ccxt() as (api, _):
        with pytest.raises(KeyError):
            api.enable_demo_trading(True)
    assert {url.split("/")[2] for url in addresses(DIALECT, demo=True)} == {
        "api-testnet.gateapi.io"
    }
    assert {url.split("/")[2] for url in addresses(DIALECT, demo=False)} == {"api.gateio.ws"}


async def test_trap_the_unified_ratio_lacks_the_cost_of_closing() -> None:
    async with plain_ccxt() as (api, _):
        (position,) = await api.fetch_positions(None, {"settle": "usdt"})
        equity = 750.0625 + 55
        assert position["marginRatio"] == 0.0938  # of maintenance alone
        assert 151.12 * 50 * (0.01 + float(CLOSING_FEE)) / equity > 1.07 * position["marginRatio"]
