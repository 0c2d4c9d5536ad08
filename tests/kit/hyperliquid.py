"""The paper exchange in the words of Hyperliquid, and clients that reach it as the venue."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeAlias

import ccxt.async_support as ccxt

from bot.exchanges.gateway import open_session
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.paper.desk import Asked
from bot.paper.hyperliquid.desk import HyperliquidDesk
from bot.paper.hyperliquid.room import private_of, wallet_of
from tests.kit import rigs
from tests.kit.paper import KEYS

Rig: TypeAlias = rigs.Rig[HyperliquidDesk]
WALLET, PRIVATE = wallet_of(KEYS), private_of(KEYS.secret)
OWNER = private_of(KEYS.key)
"""The key that no bot is given."""
HYPERLIQUID = rigs.Stand(
    venue="hyperliquid",
    desk=HyperliquidDesk,
    adapter=HyperliquidVenue,
    settings={"api_key": WALLET, "secret": PRIVATE, "bars": 48},
    settle="USDC",
)
serving, connected = HYPERLIQUID.serving, HYPERLIQUID.connected
WINDOW_MS = 5000


@contextlib.asynccontextmanager
async def plain_ccxt(rig: Rig, private: str = PRIVATE) -> AsyncIterator[Any]:
    """Connect the library as it is: only its session is ours, so that it finds the exchange."""
    session = open_session(rig.gateway, ["https://api.hyperliquid.xyz"])
    client = ccxt.hyperliquid(
        {
            "walletAddress": WALLET,
            "privateKey": private,
            "session": session,
            "enableRateLimit": False,
            "options": {
                "fetchMarkets": {"types": ["swap"]},
                "builderFee": False,
                "approvedBuilderFee": False,
                "refSet": True,
                "enableUnifiedMargin": False,
            },
        }
    )
    client.has["fetchCurrencies"] = False
    client.initialize_client = _nothing  # it would approve a fee for the library's makers
    client.milliseconds = lambda: rig.pace.now_ms
    try:
        yield client
    finally:
        await client.close()
        await session.close()


async def _nothing() -> bool:
    return True


def signed(
    desk: HyperliquidDesk,
    action: dict[str, Any],
    *,
    private: str = PRIVATE,
    nonce: int | None = None,
    expires: int | None = WINDOW_MS,
    changes: Mapping[str, Any] | None = None,
) -> Asked:
    """Return an action signed by hand; changes are made to the body behind its signature's back."""
    api = ccxt.hyperliquid({"privateKey": private})
    nonce = desk.pace.now_ms if nonce is None else nonce
    until = None if expires is None else nonce + expires
    body = {
        "action": action,
        "nonce": nonce,
        "signature": api.sign_l1_action(action, nonce, None, until),
    }
    if until is not None:
        body["expiresAfter"] = until
    return Asked(
        method="POST", path="/exchange", body=json.dumps({**body, **(changes or {})}).encode()
    )


def asked(kind: str, **said: Any) -> Asked:
    """Return a question about the account."""
    body = {"type": kind, "user": WALLET, **said}
    return Asked(method="POST", path="/info", body=json.dumps(body).encode())


def answer(desk: HyperliquidDesk, request: Asked) -> Any:
    """Return what an answer says."""
    reply = desk.answer(request)
    assert reply.status == 200, reply
    return json.loads(reply.text)
