"""Why the Bitget adapter makes raw calls: the library's own methods before that venue."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.domain.action import AddMargin, CancelStop
from bot.domain.intent import Outcome
from bot.errors import Denied, ExchangeError
from bot.exchanges.bitget.dialect import DIALECT
from bot.exchanges.client import addresses
from tests.kit.bitget_golden import BITGET, REPLIES, WORD, BitgetRecorder
from tests.kit.golden import LONG, NAME, margin, order, standing
from tests.kit.recorder import KEY, SECRET

MIX = "/api/v2/mix"
MARGIN = f"POST {MIX}/account/set-margin"
CANCEL = f"POST {MIX}/order/cancel-plan-order"
POSITIONS = f"GET {MIX}/position/all-position"
ORDERS = f"GET {MIX}/order/orders-pending"
KIND = "GET /api/v3/account/settings"
"""Asked by the library by itself: whether the account is a unified one."""
SOL = "SOL/USDT:USDT"
NOTHING = {"code": "00000", "msg": "success", "data": []}


@contextlib.asynccontextmanager
async def plain_ccxt(
    changes: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[Any, BitgetRecorder]]:
    recorder = BitgetRecorder(
        REPLIES | {KIND: {"code": "40084", "msg": "", "data": None}} | (changes or {})
    )
    api = ccxt.bitget({
        "apiKey": KEY, "secret": SECRET, "password": WORD, "session": recorder,
        "enableRateLimit": False,
        "options": {
            "fetchMarkets": {"types": ["swap"]}, "defaultType": "swap", "uta": False, **options,
        },
    })  # fmt: skip
    api.ssl_context = False
    api.has["fetchCurrencies"] = False
    try:
        await api.load_markets()
        recorder.requests.clear()
        yield api, recorder
    finally:
        await api.close()


def body(recorder: BitgetRecorder) -> Any:
    return json.loads(recorder.requests[-1].body)


async def test_trap_the_unified_call_moves_a_rounded_amount_and_reports_the_other() -> None:
    """Money is rounded to the lot of the contract, coins to quote."""
    async with plain_ccxt() as (api, recorder):
        told = await api.add_margin(SOL, 12.75, {"holdSide": "long"})
        assert body(recorder)["amount"] == "12.7"
        assert (told["amount"], told["status"]) == (12.75, "ok")
    async with standing(BITGET) as stand:
        await stand.send(margin(AddMargin))
        assert json.loads(stand.recorder.requests[-1].body)["amount"] == "12.75"


async def test_trap_margin_less_than_a_lot_does_not_leave_at_all() -> None:
    async with plain_ccxt() as (api, recorder):
        with pytest.raises(ccxt.InvalidOrder):
            await api.add_margin(SOL, 0.05, {"holdSide": "long"})
        assert recorder.requests == []


async def test_trap_margin_is_taken_out_by_a_negative_amount_and_only_by_that() -> None:
    """An amount without its sign would be added: there is one address for both directions."""
    async with plain_ccxt() as (api, recorder):
        with pytest.raises(ccxt.BadRequest):
            await api.reduce_margin(SOL, 12, {"holdSide": "long"})
        await api.reduce_margin(SOL, -12, {"holdSide": "long"})
        assert body(recorder)["amount"] == "-12"
        await api.add_margin(SOL, -12, {"holdSide": "long"})
        assert body(recorder)["amount"] == "-12"  # nobody asks what was meant
        assert len(recorder.requests) == 2


@pytest.mark.parametrize(("call", "amount"), [("add_margin", 12), ("reduce_margin", -12)])
async def test_trap_a_leg_must_be_named_and_is_also_where_there_is_only_one(
    call: str, amount: int
) -> None:
    async with plain_ccxt() as (api, recorder):
        with pytest.raises(ccxt.ArgumentsRequired):
            await getattr(api, call)(SOL, amount)
        assert recorder.requests == []


async def test_trap_the_venue_answers_a_move_of_margin_with_nothing() -> None:
    """Not the amount, not the position: what was done is known from what was asked alone."""
    async with plain_ccxt() as (api, _):
        told = await api.add_margin(SOL, 12, {"holdSide": "long"})
        assert (told["total"], told["info"]["data"]) == (None, "")
    unsaid: tuple[object, ...] = ("{}", {}, "ok")
    for data in unsaid:
        async with standing(BITGET, {MARGIN: REPLIES[MARGIN] | {"data": data}}) as stand:
            assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)


async def test_trap_the_unified_order_is_a_cross_order_without_a_name() -> None:
    async with plain_ccxt() as (api, recorder):
        await api.create_order(SOL, "limit", "sell", 7, 149, {"reduceOnly": True})
        sent = body(recorder)
        assert sent["marginMode"] == "crossed"
        assert "clientOid" not in sent


async def test_trap_with_legs_the_library_turns_the_side_and_drops_the_flag() -> None:
    """The adapter says the side of the leg itself; the library would turn that once more."""
    async with plain_ccxt() as (api, recorder):
        closing = {"reduceOnly": True, "hedged": True, "marginMode": "isolated"}
        await api.create_order(SOL, "limit", "sell", 7, 149, closing)
        sent = body(recorder)
        assert (sent["side"], sent["tradeSide"]) == ("buy", "Close")
        assert "reduceOnly" not in sent


async def test_trap_an_order_is_confirmed_without_its_fill() -> None:
    async with plain_ccxt() as (api, _):
        placed = await api.create_order(SOL, "limit", "sell", 7, 149)
        assert (placed["status"], placed["filled"]) == (None, None)


async def test_trap_a_stop_that_is_not_found_is_taken_back_with_success_and_an_empty_list() -> None:
    """So it is where the kind is not said, too."""
    silent: dict[str, Any] = {"successList": [], "failureList": []}
    said = {CANCEL: REPLIES[CANCEL] | {"data": silent}}
    async with plain_ccxt(said) as (api, recorder):
        await api.cancel_order("2146760", SOL, {"trigger": True})
        assert "planType" not in body(recorder)
    async with standing(BITGET, said) as stand:
        cancel = CancelStop(key=LONG, stop_id="2146760", client_id=NAME)
        assert await stand.send(cancel) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    ("amount", "leaves"),
    [
        (float("nan"), None),
        (-5, -5),
        (None, None),
        (0.1 + 0.2, 0.30000000000000004),
        (1e-7, 1e-07),
    ],
)
async def test_trap_the_library_sends_what_is_no_amount(amount: Any, leaves: Any) -> None:
    async with plain_ccxt() as (api, recorder):
        await api.privateMixPostV2MixAccountSetMargin({"holdSide": "long", "amount": amount})
        raw = recorder.requests[-1].body
    assert json.loads(raw)["amount"] == leaves


@pytest.mark.parametrize("answer", ["<html></html>", "", "[]"])
async def test_trap_a_page_is_read_as_no_positions(answer: str) -> None:
    async with plain_ccxt({POSITIONS: answer}) as (api, _):
        assert await api.fetch_positions() == []
    async with standing(BITGET) as stand:
        stand.recorder.replies[POSITIONS] = answer
        with pytest.raises(ExchangeError):
            await stand.venue.observe()


async def test_trap_an_empty_list_is_no_empty_account() -> None:
    async with standing(BITGET) as stand:
        stand.recorder.replies[POSITIONS] = NOTHING
        stand.recorder.replies[ORDERS] = NOTHING | {"data": {"entrustedList": None, "endId": None}}
        with pytest.raises(ExchangeError, match="isolated margin"):
            await stand.venue.observe()


async def test_trap_a_unified_call_first_asks_of_which_kind_the_account_is() -> None:
    """And takes any failure of that question for an answer."""
    async with plain_ccxt({KIND: TimeoutError()}, uta=None) as (api, recorder):
        api.options["uta"] = None
        await api.fetch_positions()
        kinds = [request.url for request in recorder.requests]
        assert kinds[0].endswith("/api/v3/account/settings")
        assert api.options["uta"] is False
    async with standing(BITGET) as stand:
        asked = {request.url for request in stand.recorder.requests}
        assert not any("/api/v3/" in url for url in asked)


async def test_an_account_of_the_unified_kind_is_refused_in_words() -> None:
    unified = {"code": "40085", "msg": "You are in unified account mode", "data": None}
    with pytest.raises(Denied):
        async with standing(BITGET, {f"GET {MIX}/account/account": unified}):
            pass


async def test_trap_the_sandbox_is_the_same_host_with_a_header_that_one_address_lacks() -> None:
    async with plain_ccxt() as (api, recorder):
        api.set_sandbox_mode(True)
        await api.privateMixGetV2MixPositionAllPosition({})
        await api.publicCommonGetV2PublicTime({})
        private, public = recorder.requests
        assert private.url.startswith("https://api.bitget.com/")
        assert private.headers["PAPTRADING"] == "1"
        assert "PAPTRADING" not in public.headers
    assert addresses(DIALECT, demo=True) == addresses(DIALECT, demo=False)


async def test_trap_a_request_that_is_too_old_looks_like_a_lost_one() -> None:
    old = {MARGIN: {"code": "40008", "msg": "Request timestamp expired", "data": None}}
    async with plain_ccxt(old) as (api, _):
        with pytest.raises(ccxt.NetworkError):
            await api.add_margin(SOL, 12, {"holdSide": "long"})
    async with standing(BITGET, old) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "40008")
        assert stand.venue._client.is_time_refused


@pytest.mark.parametrize("code", ["40010", "40015", "40725", "40908", "45001", "50060", "99999"])
async def test_trap_an_answer_that_says_nothing_of_the_effect_is_unknown(code: str) -> None:
    unsure = {MARGIN: {"code": code, "msg": "", "data": None}}
    async with standing(BITGET, unsure) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.UNKNOWN, code)


async def test_trap_a_request_without_an_answer_of_the_inside_has_the_name_of_a_wrong_key() -> None:
    """The venue's own table has 40010 as a timeout; the library reads it as bad credentials."""
    late = {MARGIN: {"code": "40010", "msg": "Request timed out", "data": None}}
    async with plain_ccxt(late) as (api, _):
        with pytest.raises(ccxt.AuthenticationError):
            await api.add_margin(SOL, 12, {"holdSide": "long"})


async def test_trap_a_name_that_was_taken_before_proves_no_refusal() -> None:
    taken = {f"POST {MIX}/order/place-order": {"code": "40786", "msg": "Duplicate", "data": None}}
    async with standing(BITGET, taken) as stand:
        done = await stand.venue.execute(stand.intent(order(LONG)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.UNKNOWN, "40786")


async def test_trap_the_limit_of_an_address_comes_with_a_code_and_no_time_to_wait() -> None:
    busy = {MARGIN: {"code": "429", "msg": "Too Many Requests", "data": None}}
    async with plain_ccxt(busy) as (api, _):
        with pytest.raises(ccxt.DDoSProtection):
            await api.add_margin(SOL, 12, {"holdSide": "long"})
    async with standing(BITGET, busy) as stand:
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "429")
        now = stand.venue._clock.monotonic()
        assert stand.venue._client.quota.stopped_for(now) > 0


async def test_trap_the_librarys_retries_send_a_write_four_times() -> None:
    lost: dict[str, Any] = {MARGIN: TimeoutError()}
    async with plain_ccxt(lost) as (api, recorder):
        api.options["maxRetriesOnFailure"] = 3
        api.options["maxRetriesOnFailureDelay"] = 0
        with pytest.raises(ccxt.RequestTimeout):
            await api.add_margin(SOL, 12, {"holdSide": "long"})
        assert len(recorder.requests) == 4
    async with standing(BITGET, lost) as stand:
        before = len(stand.recorder.requests)
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
        assert len(stand.recorder.requests) == before + 1


def _raising(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def broken(*arguments: Any, **named: Any) -> Any:
        await call(*arguments, **named)
        raise TypeError("string indices must be integers")

    return broken


async def test_trap_whatever_the_library_raises_after_a_byte_left_is_unknown() -> None:
    async with standing(BITGET) as stand:
        api = stand.venue._client.api
        api.fetch = _raising(api.fetch)
        assert await stand.send(margin(AddMargin)) == (Outcome.UNKNOWN, None)
