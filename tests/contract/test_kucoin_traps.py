"""Why the KuCoin adapter makes raw calls: the library's own methods, unmodified, at that venue."""

import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal as D
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.domain.action import AddMargin, RemoveMargin
from bot.domain.intent import Outcome
from tests.kit.golden import LONG, margin, order, standing
from tests.kit.kucoin_golden import KUCOIN, REPLIES, WORD, KucoinRecorder
from tests.kit.recorder import KEY, SECRET

DEPOSIT = "POST /api/v1/position/margin/deposit-margin"
WITHDRAW = "POST /api/v1/margin/withdrawMargin"
POSITIONS = "GET /api/v1/positions"
SOL = "SOL/USDT:USDT"
NOTHING = {"code": "200000", "msg": "Position does not exist"}
PAGE = "<html></html>"


@contextlib.asynccontextmanager
async def plain_ccxt(
    changes: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[Any, KucoinRecorder]]:
    recorder = KucoinRecorder(REPLIES | (changes or {}))
    api = ccxt.kucoinfutures({
        "apiKey": KEY, "secret": SECRET, "password": WORD, "session": recorder,
        "enableRateLimit": False, "options": {"fetchMarkets": {"types": ["swap"]}, "hf": False},
    })  # fmt: skip
    api.ssl_context = False
    api.has["fetchCurrencies"] = False
    try:
        await api.load_markets(params={"marginables": False})
        recorder.requests.clear()
        yield api, recorder
    finally:
        await api.close()


def body(recorder: KucoinRecorder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(recorder.requests[-1].body)
    return found


async def test_trap_each_unified_call_has_a_new_random_name_and_a_leverage() -> None:
    async with plain_ccxt() as (api, recorder):
        names = set()
        for _ in range(2):
            await api.add_margin(SOL, 12.75)
            names.add(body(recorder)["bizNo"])
            await api.create_order(SOL, "limit", "sell", 70, 149, {"reduceOnly": True})
            sent = body(recorder)
            names.add(sent["clientOid"])
            assert (sent["leverage"], "marginMode" in sent) == (1, False)
        assert len(names) == 4


async def test_trap_a_success_that_did_nothing_is_called_a_missing_order() -> None:
    async with plain_ccxt({DEPOSIT: NOTHING}) as (api, _):
        with pytest.raises(ccxt.OrderNotFound):
            await api.add_margin(SOL, 12.75)
    async with standing(KUCOIN, {DEPOSIT: NOTHING}) as stand:
        done = await stand.execute(margin(AddMargin))
        assert (done.outcome, done.code) == (Outcome.REJECTED, "300009")


async def test_trap_another_text_under_the_code_of_a_success_counts_as_margin_moved() -> None:
    refused = {"code": "200000", "msg": "The amount exceeds the upper limit"}
    async with plain_ccxt({WITHDRAW: refused}) as (api, _):
        assert (await api.reduce_margin(SOL, 12.75))["status"] == "ok"
    async with standing(KUCOIN, {WITHDRAW: refused}) as stand:
        assert await stand.send(margin(RemoveMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_a_page_is_read_as_no_positions_and_as_margin_moved() -> None:
    async with plain_ccxt({POSITIONS: PAGE, DEPOSIT: PAGE}) as (api, _):
        api.options["uta"] = False
        assert await api.fetch_positions() == []
        assert (await api.add_margin(SOL, 12.75))["amount"] == 12.75
    async with standing(KUCOIN, {DEPOSIT: PAGE}) as stand:
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_numbers_of_an_answer_become_binary_floats() -> None:
    exact = "750.062500000000000001"
    text = json.dumps(REPLIES[POSITIONS]).replace("750.0625", exact)
    async with plain_ccxt({POSITIONS: text}) as (api, _):
        answer = await api.futuresPrivateGetPositions()
        assert str(answer["data"][0]["posMargin"]) == "750.0625"
    async with standing(KUCOIN, {POSITIONS: text}) as stand:
        (position,) = (await stand.venue.observe()).account.positions
        assert position.margin == D(exact)


async def test_trap_the_unified_position_has_another_leverage_than_the_setting() -> None:
    async with plain_ccxt() as (api, _):
        (position,) = await api.fetch_positions()
        row = position["info"]
        assert (position["leverage"], row["leverage"]) == (row["realLeverage"], 10)


async def test_trap_what_kind_of_account_it_is_decides_which_endpoints_show_anything() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.fetch_positions()
        paths = [line.split()[1].rpartition(".com")[2] for line in recorder.lines()]
        assert paths == ["/api/ua/v1/account/mode", "/api/v1/positions"]


async def test_trap_there_are_no_test_hosts() -> None:
    async with plain_ccxt() as (api, _):
        with pytest.raises((KeyError, TypeError, ccxt.NotSupported)):
            api.set_sandbox_mode(True)
        with pytest.raises((KeyError, ccxt.NotSupported)):
            api.enable_demo_trading(True)


@pytest.mark.parametrize(
    ("amount", "leaves"),
    [(float("nan"), None), (None, None), (-5, -5), (0.1 + 0.2, 0.30000000000000004), (1e-7, 1e-07)],
)
async def test_trap_the_library_sends_what_is_no_amount(amount: Any, leaves: Any) -> None:
    async with plain_ccxt() as (api, recorder):
        await api.futuresPrivatePostPositionMarginDepositMargin(
            {"symbol": "SOLUSDTM", "margin": amount, "bizNo": "one"}
        )
        assert body(recorder)["margin"] == leaves


async def test_trap_a_request_that_is_too_old_looks_like_a_lost_one() -> None:
    old = {DEPOSIT: {"code": "400002", "msg": "KC-API-TIMESTAMP Invalid"}}
    async with plain_ccxt(old) as (api, _):
        with pytest.raises(ccxt.NetworkError):
            await api.add_margin(SOL, 12.75)
    async with standing(KUCOIN, old) as stand:
        done = await stand.execute(margin(AddMargin))
        assert (done.outcome, done.code) == (Outcome.REJECTED, "400002")
        assert stand.venue._client.is_time_refused


@pytest.mark.parametrize("code", ["500000", "408000", "126038", "200000000000"])
async def test_trap_an_answer_that_says_nothing_of_the_effect_is_unknown(code: str) -> None:
    async with standing(KUCOIN, {DEPOSIT: {"code": code, "msg": "?"}}) as stand:
        done = await stand.execute(margin(AddMargin))
        assert (done.outcome, done.code) == (Outcome.UNKNOWN, code[:9])


async def test_trap_a_name_that_was_taken_is_called_an_error_and_may_be_our_own() -> None:
    taken = {"POST /api/v1/orders": {"code": "300018", "msg": "clientOid parameter repeated"}}
    async with plain_ccxt(taken) as (api, _):
        with pytest.raises(ccxt.ExchangeError):
            await api.create_order(SOL, "limit", "sell", 70, 149)
    async with standing(KUCOIN, taken) as stand:
        done = await stand.execute(order(LONG))
        assert (done.outcome, done.code) == (Outcome.UNKNOWN, "300018")
        assert await stand.settle(order(LONG)) == 7


async def test_trap_too_many_requests_stop_all_asking() -> None:
    busy = {DEPOSIT: {"code": "429000", "msg": "Too many requests"}}
    async with standing(KUCOIN, busy) as stand:
        done = await stand.execute(margin(AddMargin))
        assert (done.outcome, done.code) == (Outcome.REJECTED, "429000")
        now = stand.venue._clock.monotonic()
        assert stand.venue._client.quota.stopped_for(now) > 0


async def test_trap_the_librarys_retries_send_a_write_four_times() -> None:
    lost: dict[str, Any] = {DEPOSIT: TimeoutError()}
    async with plain_ccxt(lost) as (api, recorder):
        api.options["maxRetriesOnFailure"] = 3
        api.options["maxRetriesOnFailureDelay"] = 0
        with pytest.raises(ccxt.RequestTimeout):
            await api.add_margin(SOL, 12.75)
        assert len(recorder.requests) == 4
    async with standing(KUCOIN, lost) as stand:
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
        posts = [line for line in stand.recorder.lines() if line.startswith("POST")]
        assert len(posts) == 1


async def test_trap_whatever_the_library_raises_after_a_byte_left_is_unknown() -> None:
    async with standing(KUCOIN) as stand:
        api = stand.venue._client.api
        fetch = api.fetch

        async def broken(*arguments: Any, **named: Any) -> Any:
            answer = await fetch(*arguments, **named)
            if arguments[1] == "POST":
                raise TypeError("string indices must be integers")
            return answer

        api.fetch = broken
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
