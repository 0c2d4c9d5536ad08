"""Why the adapter makes raw calls: the library's own methods, unmodified, before the same venue."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.domain.action import AddMargin
from bot.domain.intent import Outcome
from tests.kit.binance_golden import BINANCE, REPLIES, BinanceRecorder
from tests.kit.golden import margin, standing
from tests.kit.recorder import KEY, SECRET


@contextlib.asynccontextmanager
async def plain_ccxt(
    changes: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Any, BinanceRecorder]]:
    recorder = BinanceRecorder(REPLIES | (changes or {}))
    api = ccxt.binanceusdm({
        "apiKey": KEY, "secret": SECRET, "session": recorder, "enableRateLimit": False,
        "options": {"fetchMargins": False, "fetchCurrencies": False},
    })  # fmt: skip
    api.ssl_context = False
    try:
        await api.load_markets()
        recorder.requests.clear()
        yield api, recorder
    finally:
        await api.close()


CONFIGS: dict[str, Any] = {"GET /sapi/v1/capital/config/getall": []}


@pytest.mark.parametrize(
    ("asked", "leaves"),
    [pytest.param(12.75, "amount=12&", id="12.75"), pytest.param(99.99, "amount=99&", id="99.99")],
)
async def test_trap_the_unified_call_rounds_margin_by_the_lot_of_the_contract(
    asked: float, leaves: str
) -> None:
    async with plain_ccxt(CONFIGS) as (api, recorder):
        await api.add_margin("SOL/USDT:USDT", asked)
        assert leaves in recorder.requests[-1].line + "&"


async def test_trap_the_unified_call_takes_any_page_for_a_success() -> None:
    page = {"POST /fapi/v1/positionMargin?type=1": "<html>maintenance</html>"}
    async with plain_ccxt(CONFIGS | page) as (api, _):
        done = await api.add_margin("SOL/USDT:USDT", 12.0)
        assert done["status"] == "ok"
        assert done["type"] == "reduce"  # it was an addition
    async with standing(BINANCE, page) as stand:
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_an_empty_page_is_read_as_no_positions() -> None:
    page = {"GET /fapi/v3/positionRisk": "<html></html>"}
    async with plain_ccxt(CONFIGS | page) as (api, _):
        assert await api.fetch_positions() == []


async def test_trap_the_unified_call_sends_what_is_no_amount() -> None:
    async with plain_ccxt(CONFIGS) as (api, recorder):
        await api.fapiPrivatePostPositionMargin(
            {"symbol": "SOLUSDT", "amount": float("nan"), "type": 1}
        )
        assert "amount=nan" in recorder.requests[-1].line
        await api.add_margin("SOL/USDT:USDT", -5)
        assert "amount=-5" in recorder.requests[-1].line


async def test_trap_a_small_number_leaves_with_an_exponent() -> None:
    async with plain_ccxt(CONFIGS) as (api, recorder):
        await api.fapiPrivatePostPositionMargin({"symbol": "SOLUSDT", "amount": 1e-7, "type": 1})
        assert "amount=1e-07" in recorder.requests[-1].line


async def test_trap_the_unified_order_has_a_new_random_name_on_each_call() -> None:
    async with plain_ccxt(CONFIGS) as (api, recorder):
        for _ in range(2):
            await api.create_order("SOL/USDT:USDT", "limit", "sell", 7, 149, {"reduceOnly": True})
        first, second = recorder.lines()
        assert "newClientOrderId=x-cvBPrNm9" in first
        assert first != second


async def test_trap_the_unified_order_drops_reduce_only_in_hedge_mode() -> None:
    async with plain_ccxt(CONFIGS) as (api, recorder):
        await api.create_order(
            "SOL/USDT:USDT", "limit", "sell", 7, 149, {"reduceOnly": True, "hedged": True}
        )
        assert "reduceOnly" not in recorder.requests[-1].line


async def test_trap_the_unified_transfer_takes_another_route_than_its_words_say() -> None:
    route = {"POST /sapi/v1/asset/transfer": {"tranId": 1}}
    async with plain_ccxt(CONFIGS | route) as (api, recorder):
        await api.transfer("USDT", 10.5, "spot", "future")
        assert "type=MAIN_UMFUTURE" not in recorder.requests[-1].line


async def test_trap_the_librarys_retries_send_a_write_four_times() -> None:
    lost = {"POST /fapi/v1/positionMargin?type=1": TimeoutError()}
    async with plain_ccxt(CONFIGS | lost) as (api, recorder):
        api.options["maxRetriesOnFailure"] = 3
        api.options["maxRetriesOnFailureDelay"] = 0
        with pytest.raises(ccxt.RequestTimeout):
            await api.add_margin("SOL/USDT:USDT", 12.0)
        assert len(recorder.requests) == 4
    async with standing(BINANCE, lost) as stand:
        before = len(stand.recorder.requests)
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
        assert len(stand.recorder.requests) == before + 1


async def test_trap_the_librarys_own_window_is_twice_as_long() -> None:
    async with plain_ccxt(CONFIGS) as (api, recorder):
        await api.add_margin("SOL/USDT:USDT", 12.0)
        assert "recvWindow=10000" in recorder.requests[-1].line


async def test_trap_the_unified_position_has_no_leverage_and_guesses_its_maintenance() -> None:
    large = {"GET /fapi/v3/positionRisk": [
        REPLIES["GET /fapi/v3/positionRisk"][0] | {"notional": "20000.00000000"}
    ]}  # fmt: skip
    async with plain_ccxt(CONFIGS | large) as (api, _):
        (position,) = await api.fetch_positions()
        assert position["leverage"] is None
        assert position["maintenanceMargin"] != 20000 * 0.01 - 35


async def test_trap_a_revoked_key_looks_like_too_many_requests() -> None:
    revoked = {"POST /fapi/v1/positionMargin?type=1": {"code": -2015, "msg": "Invalid API-key"}}
    async with plain_ccxt(CONFIGS | revoked) as (api, _):
        await api.privateGetAccount()  # one answer of the spot host is enough
        with pytest.raises(ccxt.DDoSProtection):
            await api.add_margin("SOL/USDT:USDT", 12.0)
    async with standing(BINANCE, revoked) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "-2015")


async def test_trap_the_unified_tiers_lack_the_maintenance_amount() -> None:
    async with plain_ccxt(CONFIGS) as (api, _):
        tiers = await api.fetch_leverage_tiers(["SOL/USDT:USDT"])
        assert "cum" not in tiers["SOL/USDT:USDT"][1]
