"""Why the OKX adapter makes raw calls: the library's own methods, unmodified, before that venue."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.domain.action import AddMargin
from bot.domain.intent import Outcome
from bot.exchanges.client import addresses
from bot.exchanges.okx.dialect import DIALECT
from tests.kit.golden import margin, standing
from tests.kit.okx_golden import OKX, REPLIES, WORD, OkxRecorder
from tests.kit.recorder import KEY, SECRET

MARGIN = "POST /api/v5/account/position/margin-balance"
SOL = "SOL/USDT:USDT"


@contextlib.asynccontextmanager
async def plain_ccxt(
    changes: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Any, OkxRecorder]]:
    batch = {"POST /api/v5/trade/batch-orders": REPLIES["POST /api/v5/trade/order"]}
    recorder = OkxRecorder(REPLIES | batch | (changes or {}))
    api = ccxt.okx({
        "apiKey": KEY, "secret": SECRET, "password": WORD, "session": recorder,
        "enableRateLimit": False, "options": {"fetchMarkets": {"types": ["swap"]}},
    })  # fmt: skip
    api.ssl_context = False
    api.has["fetchCurrencies"] = False
    try:
        await api.load_markets()
        recorder.requests.clear()
        yield api, recorder
    finally:
        await api.close()


def body(recorder: OkxRecorder) -> Any:
    found = json.loads(recorder.requests[-1].body)
    return found[0] if isinstance(found, list) else found


@pytest.mark.parametrize("call", ["add_margin", "reduce_margin"])
async def test_trap_the_unified_call_fails_in_its_parser_after_the_venue_has_moved_the_margin(
    call: str,
) -> None:
    async with plain_ccxt() as (api, recorder):
        with pytest.raises(TypeError):
            await getattr(api, call)(SOL, 12.75)
        assert len(recorder.requests) == 1  # it arrived, and the venue confirmed it
    async with standing(OKX) as stand:
        outcome, _ = await stand.send(margin(AddMargin))
        assert outcome is Outcome.DONE


async def test_trap_whatever_the_library_raises_after_a_byte_left_is_unknown() -> None:
    async with standing(OKX) as stand:
        api = stand.venue._client.api
        fetch = api.fetch

        async def broken(*arguments: Any, **named: Any) -> Any:
            await fetch(*arguments, **named)
            raise TypeError("string indices must be integers")

        api.fetch = broken
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_the_history_of_margin_fails_in_the_same_parser() -> None:
    async with plain_ccxt() as (api, _):
        with pytest.raises(TypeError):
            await api.fetch_margin_adjustment_history(SOL, "add")


async def test_trap_the_unified_order_is_a_cross_order_under_a_new_random_name() -> None:
    async with plain_ccxt() as (api, recorder):
        names = set()
        for _ in range(2):
            await api.create_order(SOL, "limit", "sell", 70, 149, {"reduceOnly": True})
            sent = body(recorder)
            assert sent["tdMode"] == "cross"
            assert sent["clOrdId"].startswith("6b9ad766b55dBCDE")
            assert sent["tag"] == "6b9ad766b55dBCDE"
            names.add(sent["clOrdId"])
        assert len(names) == 2


async def test_trap_a_conditional_order_gets_a_random_name_that_is_never_sent() -> None:
    """Its own name is another field. Were it sent, no stop would leave any more."""
    given, made = {"instId": "SOL-USDT-SWAP", "algoClOrdId": "ours"}, []

    def name() -> str:
        made.append("a name")
        return "7386590ce4dBC"

    async with plain_ccxt() as (api, recorder):
        api.uuid16 = name
        await api.privatePostTradeOrderAlgo(dict(given))
        assert body(recorder) == given
    assert made == ["a name"]


async def test_trap_the_unified_order_drops_reduce_only_in_hedge_mode() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.create_order(SOL, "limit", "sell", 70, 149, {"reduceOnly": True, "hedged": True})
        assert body(recorder).get("reduceOnly") is None


async def test_trap_an_order_is_confirmed_without_its_fill() -> None:
    async with plain_ccxt() as (api, _):
        placed = await api.create_order(SOL, "limit", "sell", 70, 149)
        assert (placed["status"], placed["filled"]) == (None, None)


@pytest.mark.parametrize(
    ("amount", "leaves"),
    [(float("nan"), None), (None, None), (-5, -5), (0.1 + 0.2, 0.30000000000000004), (1e-7, 1e-07)],
)
async def test_trap_the_library_sends_what_is_no_amount(amount: Any, leaves: Any) -> None:
    async with plain_ccxt() as (api, recorder):
        await api.privatePostAccountPositionMarginBalance(
            {"instId": "SOL-USDT-SWAP", "posSide": "net", "type": "add", "amt": amount}
        )
        assert body(recorder)["amt"] == leaves


async def test_trap_a_page_is_read_as_no_positions() -> None:
    page = {"GET /api/v5/account/positions": "<html></html>"}
    async with plain_ccxt(page) as (api, _):
        assert await api.fetch_positions() == []


async def test_trap_demo_trading_is_not_known_and_the_sandbox_is_the_same_host_with_a_header() -> (
    None
):
    async with plain_ccxt() as (api, recorder):
        with pytest.raises(KeyError):
            api.enable_demo_trading(True)
        api.set_sandbox_mode(True)
        await api.publicGetPublicTime({})
        assert recorder.requests[-1].url.startswith("https://www.okx.com/")
        assert recorder.requests[-1].headers["x-simulated-trading"] == "1"
    assert addresses(DIALECT, demo=True) == addresses(DIALECT, demo=False) == (
        "https://www.okx.com",
    )  # fmt: skip


async def test_trap_a_request_that_is_too_old_looks_like_a_lost_one() -> None:
    old = {MARGIN: {"code": "50102", "data": [], "msg": "Timestamp request expired"}}
    async with plain_ccxt(old) as (api, _):
        with pytest.raises(ccxt.NetworkError):
            await api.add_margin(SOL, 12.75)
    async with standing(OKX, old) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "50102")
        assert stand.venue._client.is_time_refused


@pytest.mark.parametrize("code", ["50004", "50001", "50013", "50026"])
async def test_trap_an_answer_that_says_nothing_of_the_effect_is_unknown(code: str) -> None:
    unsure = {MARGIN: {"code": code, "data": [], "msg": ""}}
    async with standing(OKX, unsure) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.UNKNOWN, code)


async def test_trap_the_limit_of_an_account_hides_among_plain_errors() -> None:
    busy = {MARGIN: {"code": "50061", "data": [], "msg": "order rate limit"}}
    async with plain_ccxt(busy) as (api, _):
        with pytest.raises(ccxt.ExchangeError) as caught:
            await api.add_margin(SOL, 12.75)
        assert not isinstance(caught.value, ccxt.NetworkError)
    async with standing(OKX, busy) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "50061")
        now = stand.venue._clock.monotonic()
        assert stand.venue._client.quota.stopped_for(now) > 0


async def test_trap_the_librarys_retries_send_a_write_four_times() -> None:
    lost: dict[str, Any] = {MARGIN: TimeoutError()}
    async with plain_ccxt(lost) as (api, recorder):
        api.options["maxRetriesOnFailure"] = 3
        api.options["maxRetriesOnFailureDelay"] = 0
        with pytest.raises(ccxt.RequestTimeout):
            await api.add_margin(SOL, 12.75)
        assert len(recorder.requests) == 4
    async with standing(OKX, lost) as stand:
        before = len(stand.recorder.requests)
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
        assert len(stand.recorder.requests) == before + 1


async def test_trap_the_unified_margin_ratio_lacks_the_fee() -> None:
    async with plain_ccxt() as (api, _):
        (position,) = await api.fetch_positions()
        venues = 1 / float(position["info"]["mgnRatio"])
        assert abs(position["marginRatio"] - venues) > 0.01 * venues
