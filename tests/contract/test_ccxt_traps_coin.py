"""The same traps and a few of their own at the host of coin-margined contracts."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.domain.action import AddMargin
from bot.domain.intent import Outcome
from tests.kit.binance_golden import COIN, COIN_REPLIES, BinanceRecorder, coin_margin
from tests.kit.golden import standing
from tests.kit.recorder import KEY, SECRET

BTC = "BTC/USD:BTC"
CONFIGS: dict[str, Any] = {"GET /sapi/v1/capital/config/getall": []}
MOVE = "POST /dapi/v1/positionMargin?type=1"


@contextlib.asynccontextmanager
async def plain_ccxt(
    changes: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Any, BinanceRecorder]]:
    recorder = BinanceRecorder(COIN_REPLIES | CONFIGS | (changes or {}))
    api = ccxt.binancecoinm({
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


async def test_trap_the_unified_call_rounds_coins_by_whole_contracts() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.add_margin(BTC, 3.7)
        assert "amount=3&" in recorder.requests[-1].line + "&"
        with pytest.raises(ccxt.InvalidOrder):
            await api.add_margin(BTC, 0.00123456)  # less than one: never sent


@pytest.mark.parametrize(
    ("code", "at_dapi", "at_fapi"),
    [
        pytest.param(-1008, ccxt.ExchangeError, ccxt.OperationFailed, id="overloaded"),
        pytest.param(-2019, ccxt.InsufficientFunds, ccxt.InsufficientFunds, id="too little"),
    ],
)
async def test_trap_one_code_is_of_other_classes_by_host(
    code: int, at_dapi: type[Exception], at_fapi: type[Exception]
) -> None:
    said = {"code": code, "msg": "refused"}
    linear = {"POST /fapi/v1/positionMargin": said}
    async with plain_ccxt({MOVE: said} | linear) as (api, _):
        for call, wanted in (
            (api.dapiPrivatePostPositionMargin, at_dapi),
            (api.fapiPrivatePostPositionMargin, at_fapi),
        ):
            with pytest.raises(ccxt.BaseError) as caught:
                await call({"symbol": "X", "amount": "1", "type": "1"})
            assert type(caught.value) is wanted


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        pytest.param(-1008, Outcome.UNKNOWN, id="overloaded: may have had effect"),
        pytest.param(-1007, Outcome.UNKNOWN, id="no answer from its inside"),
        pytest.param(-4116, Outcome.UNKNOWN, id="an earlier attempt arrived"),
        pytest.param(-9999, Outcome.UNKNOWN, id="a code that nobody listed"),
        pytest.param(-2019, Outcome.REJECTED, id="too little"),
        pytest.param(-4051, Outcome.REJECTED, id="too little inside"),
        pytest.param(-4061, Outcome.REJECTED, id="another position mode"),
        pytest.param(-2015, Outcome.REJECTED, id="key"),
    ],
)
async def test_a_code_is_judged_by_itself_and_never_by_the_librarys_class(
    code: int, outcome: Outcome
) -> None:
    async with standing(COIN, {MOVE: {"code": code, "msg": "refused"}}) as stand:
        done = await stand.venue.execute(stand.intent(coin_margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (outcome, str(code))


async def test_trap_the_unified_call_takes_any_page_for_a_success() -> None:
    page = {MOVE: "<html>maintenance</html>"}
    async with plain_ccxt(page) as (api, _):
        assert (await api.add_margin(BTC, 1))["status"] == "ok"
    async with standing(COIN, page) as stand:
        assert await stand.send(coin_margin(AddMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_an_empty_page_is_read_as_no_positions() -> None:
    page = {"GET /dapi/v1/positionRisk": "<html></html>"}
    async with plain_ccxt(page) as (api, _):
        assert await api.fetch_positions() == []


async def test_trap_a_small_amount_of_a_coin_leaves_with_an_exponent() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.dapiPrivatePostPositionMargin(
            {"symbol": "BTCUSD_PERP", "amount": 0.00001, "type": 1}
        )
        assert "amount=1e-05" in recorder.requests[-1].line


async def test_trap_the_unified_order_has_a_new_random_name_on_each_call() -> None:
    async with plain_ccxt() as (api, recorder):
        for _ in range(2):
            await api.create_order(BTC, "limit", "sell", 7, 59700, {"reduceOnly": True})
        first, second = recorder.lines()
        assert "newClientOrderId=x-" in first
        assert first != second


async def test_trap_the_unified_tiers_lack_the_maintenance_amount() -> None:
    async with plain_ccxt() as (api, _):
        tiers = await api.fetch_leverage_tiers([BTC])
        assert tiers[BTC][1]["minNotional"] == 5  # coins, called by the name of dollars
        assert "cum" not in tiers[BTC][1]
