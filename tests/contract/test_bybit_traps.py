"""Why the Bybit adapter makes raw calls: the library's own methods before the same venue."""

import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal as D
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.domain.action import AddMargin
from bot.domain.intent import Outcome
from bot.errors import Denied, Incomplete, Unavailable
from tests.kit.bybit_golden import BYBIT, REPLIES, BybitRecorder
from tests.kit.golden import margin, standing, transfer
from tests.kit.recorder import KEY, SECRET

SYMBOL = "SOL/USDT:USDT"
ADD = "POST /v5/position/add-margin"


@contextlib.asynccontextmanager
async def plain_ccxt(
    changes: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Any, BybitRecorder]]:
    recorder = BybitRecorder(REPLIES | (changes or {}))
    api = ccxt.bybit({
        "apiKey": KEY, "secret": SECRET, "session": recorder, "enableRateLimit": False,
        "options": {"fetchMarkets": {"types": ["linear"]}},
    })  # fmt: skip
    api.ssl_context = False
    api.has["fetchCurrencies"] = False
    try:
        await api.load_markets()
        recorder.requests.clear()
        yield api, recorder
    finally:
        await api.close()


def refused(code: int) -> dict[str, Any]:
    return {"retCode": code, "retMsg": "x", "result": {}, "retExtInfo": {}, "time": 1767614400000}


async def test_trap_the_library_cannot_add_margin() -> None:
    async with plain_ccxt() as (api, _):
        assert api.has["addMargin"] is not True
        with pytest.raises(ccxt.NotSupported):
            await api.add_margin(SYMBOL, 12.75)


async def test_trap_the_unified_positions_are_of_one_coin_and_one_page() -> None:
    async with plain_ccxt() as (api, recorder):
        assert len(await api.fetch_positions()) == 1
        (asked,) = [r.line for r in recorder.requests if "position/list" in r.url]
        assert "settleCoin=USDT" in asked
        assert "cursor" not in asked  # although the answer had one
    async with standing(BYBIT) as stand:
        await stand.venue.observe()
        asked_ = [r.line for r in stand.recorder.requests if "position/list" in r.url]
        assert any("cursor=" in line for line in asked_)
        assert any("category=inverse" in line for line in asked_)


async def test_trap_an_empty_page_is_read_as_no_positions() -> None:
    page = {"GET /v5/position/list?settleCoin=USDT": "<html></html>"}
    async with plain_ccxt(page) as (api, _):
        assert await api.fetch_positions() == []
    async with standing(BYBIT, page) as stand:
        with pytest.raises(Incomplete, match="must be an object"):
            await stand.venue.observe()


async def test_trap_the_unified_position_has_no_margin_mode_and_a_field_that_is_given_up() -> None:
    async with plain_ccxt() as (api, _):
        (position,) = await api.fetch_positions()
        assert position["marginMode"] is None
        assert position["collateral"] != 750


async def test_trap_the_unified_order_has_no_name_of_ours_and_tells_nothing() -> None:
    async with plain_ccxt() as (api, recorder):
        done = await api.create_order(SYMBOL, "limit", "sell", 7, 149, {"reduceOnly": True})
        (sent,) = [r for r in recorder.requests if r.url.endswith("/v5/order/create")]
        assert "orderLinkId" not in json.loads(sent.body)
        assert (done["filled"], done["status"]) == (None, None)


async def test_trap_the_unified_order_drops_reduce_only_in_hedge_mode() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.create_order(SYMBOL, "limit", "sell", 7, 149, {"hedged": True,
                                                                 "reduceOnly": True})  # fmt: skip
        (sent,) = [r for r in recorder.requests if r.url.endswith("/v5/order/create")]
        assert "reduceOnly" not in json.loads(sent.body)


async def test_trap_the_unified_transfer_has_a_new_random_id_on_each_call() -> None:
    async with plain_ccxt() as (api, recorder):
        api.currencies = {"USDT": {"id": "USDT", "code": "USDT", "precision": 1e-6}}
        for _ in range(2):
            await api.transfer("USDT", 10.5, "fund", "unified")
        first, second = (json.loads(r.body)["transferId"] for r in recorder.requests)
        assert first != second
    async with standing(BYBIT) as stand:
        stand.recorder.requests.clear()
        for _ in range(2):
            await stand.send(transfer("spot", "futures"))
        first, second = (r.line for r in stand.recorder.requests)
        assert first == second


async def test_trap_the_unified_transfer_takes_another_route_than_its_words_say() -> None:
    async with plain_ccxt() as (api, recorder):
        api.currencies = {"USDT": {"id": "USDT", "code": "USDT", "precision": 1e-6}}
        await api.transfer("USDT", 10.5, "spot", "swap")
        body = json.loads(recorder.requests[-1].body)
        assert (body["fromAccountType"], body["toAccountType"]) == ("SPOT", "CONTRACT")


async def test_trap_a_small_number_leaves_with_an_exponent() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.privatePostV5PositionAddMargin({"symbol": "SOLUSDT", "margin": 1e-7})
        assert "1e-7" in recorder.requests[-1].body


@pytest.mark.parametrize(
    ("code", "library", "ours"),
    [
        pytest.param(10000, ccxt.BaseError, Outcome.UNKNOWN, id="its inside timed out"),
        pytest.param(10016, ccxt.ExchangeError, Outcome.UNKNOWN, id="system error"),
        pytest.param(10002, ccxt.NetworkError, Outcome.REJECTED, id="clock: looks retryable"),
        pytest.param(10006, ccxt.RateLimitExceeded, Outcome.REJECTED, id="too often"),
        pytest.param(110014, ccxt.InsufficientFunds, Outcome.REJECTED, id="funds"),
        pytest.param(110043, ccxt.BadRequest, Outcome.REJECTED, id="unchanged"),
        pytest.param(110072, ccxt.InvalidOrder, Outcome.UNKNOWN, id="duplicate: it arrived"),
        pytest.param(131214, ccxt.BadRequest, Outcome.UNKNOWN, id="duplicate transfer"),
        pytest.param(999999, ccxt.ExchangeError, Outcome.UNKNOWN, id="not listed"),
    ],
)
async def test_trap_the_class_of_an_exception_says_little_of_what_happened(
    code: int, library: type[Exception], ours: Outcome
) -> None:
    said = {ADD: refused(code)}
    async with plain_ccxt(said) as (api, _):
        with pytest.raises(library):
            await api.privatePostV5PositionAddMargin({"symbol": "SOLUSDT", "margin": "1"})
    async with standing(BYBIT, said) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (ours, str(code))


async def test_trap_the_librarys_retries_send_a_write_four_times() -> None:
    lost = {ADD: TimeoutError()}
    async with plain_ccxt(lost) as (api, recorder):
        api.options["maxRetriesOnFailure"] = 3
        api.options["maxRetriesOnFailureDelay"] = 0
        with pytest.raises(ccxt.RequestTimeout):
            await api.privatePostV5PositionAddMargin({"symbol": "SOLUSDT", "margin": "1"})
        assert len(recorder.requests) == 4
    async with standing(BYBIT, lost) as stand:
        await stand.venue.observe()
        stand.recorder.requests.clear()
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
        assert len(stand.recorder.requests) == 1


async def test_trap_the_unified_tiers_lack_the_deduction() -> None:
    limits = {"GET /v5/market/risk-limit": REPLIES["GET /v5/market/risk-limit?symbol=SOLUSDT"]}
    async with plain_ccxt(limits) as (api, _):
        tiers = await api.fetch_leverage_tiers([SYMBOL])
        assert "mmDeduction" not in tiers[SYMBOL][1]
    async with standing(BYBIT) as stand:
        rules = (await stand.venue.observe()).instruments[0]
        assert rules.tiers[1].maintenance_amount == D(35)


async def test_trap_a_code_under_a_success_on_a_read_is_no_answer() -> None:
    async with standing(BYBIT, {"GET /v5/account/info": refused(10016)}) as stand:
        with pytest.raises(Unavailable, match="10016"):
            await stand.venue.observe()
    async with standing(BYBIT, {"GET /v5/account/info": refused(10003)}) as stand:
        with pytest.raises(Denied, match="10003"):
            await stand.venue.observe()


async def test_trap_an_open_position_is_not_lost_with_the_market_it_belongs_to() -> None:
    answer = json.loads(json.dumps(REPLIES["GET /v5/position/list?settleCoin=USDT"]))
    answer["result"]["list"][0]["symbol"] = "BTCUSDT-26JUN26"
    held = {"GET /v5/position/list?settleCoin=USDT": answer}
    async with standing(BYBIT, held) as stand:
        with pytest.raises(Incomplete, match="rules of BTCUSDT-26JUN26 must be known"):
            await stand.venue.observe()
