"""A paper exchange that speaks Bybit, and clients that reach it as they would the venue."""

import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import ccxt.async_support as ccxt

from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.gateway import open_session
from bot.paper.bybit.desk import BybitDesk
from bot.paper.desk import Asked
from tests.kit import rigs
from tests.kit.paper import KEYS

Rig: TypeAlias = rigs.Rig[BybitDesk]
BYBIT = rigs.Stand(venue="bybit", desk=BybitDesk, adapter=BybitVenue, root="/v5")
serving, connected = BYBIT.serving, BYBIT.connected
INVERSE = rigs.Stand(
    venue="bybit",
    desk=BybitDesk,
    adapter=BybitVenue,
    root="/v5",
    settings={"symbols": ("BTC/USD:BTC",), "bars": 24},
)
"""The same, for an account of positions that are margined in bitcoin."""


@contextlib.asynccontextmanager
async def plain_ccxt(rig: Rig, **changes: Any) -> AsyncIterator[Any]:
    """Connect the library as it is: only its session is ours, so that it finds the exchange."""
    session = open_session(rig.gateway, ["https://api.bybit.com"])
    client = ccxt.bybit(
        {
            "apiKey": KEYS.key,
            "secret": KEYS.secret,
            "session": session,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["linear"]}, "fetchCurrencies": False},
            **changes,
        }
    )
    client.has["fetchCurrencies"] = False  # of the whole exchange, it is no part of this one
    client.nonce = lambda: rig.pace.now_ms
    try:
        yield client
    finally:
        await client.close()
        await session.close()


def signed(
    desk: BybitDesk,
    method: str,
    path: str,
    said: str = "",
    *,
    at_ms: int | None = None,
    window: str = "5000",
    secret: str = KEYS.secret,
    key: str = KEYS.key,
) -> Asked:
    """Return a request signed by hand; ``said`` is the query, or the body of a POST."""
    stamp = str(desk.pace.now_ms if at_ms is None else at_ms)
    raw = f"{stamp}{key}{window}{said}"
    headers = {
        "x-bapi-api-key": key,
        "x-bapi-timestamp": stamp,
        "x-bapi-recv-window": window,
        "x-bapi-sign": hmac.new(secret.encode(), raw.encode(), hashlib.sha256).hexdigest(),
    }
    if method == "POST":
        return Asked(method=method, path=path, body=said.encode(), headers=headers)
    return Asked(method=method, path=path, query=said, headers=headers)


def code_of(desk: BybitDesk, asked: Asked) -> int:
    """Return the code of an answer."""
    found = json.loads(desk.answer(asked).text)["retCode"]
    assert isinstance(found, int)
    return found


def result_of(desk: BybitDesk, method: str, path: str, said: str = "") -> Any:
    """Return the result of a request that is taken."""
    body = json.loads(desk.answer(signed(desk, method, path, said)).text)
    assert body["retCode"] == 0, body
    return body["result"]
