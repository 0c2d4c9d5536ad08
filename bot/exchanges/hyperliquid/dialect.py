"""In which words does Hyperliquid speak?

An action is signed with the time of its send as its nonce, which is taken once, and with the time
after which the venue takes it no more. The key is that of an agent, which can trade for the owner
and cannot move money away. The owner's address stands where others have a key.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import ccxt.async_support as ccxt

from bot.exchanges.dialect import Codes, Dialect, retry_after
from bot.exchanges.hyperliquid.limits import BUDGETS, cost, rows_cost
from bot.exchanges.hyperliquid.words import Code, told
from bot.exchanges.library import Held

WINDOW_MS = 5000
"""The end that is signed, after the time that is. [ms]"""
EXCHANGE = "/exchange"
HIDDEN = frozenset({"nonce", "signature", "expiresAfter"})
"""Parts of a body that hold time and signature."""
CODES = Codes(
    no_effect=frozenset(Code) - {Code.UNLISTED, Code.UNKNOWN_ORDER, Code.NONCE},
    denied=frozenset({Code.AGENT, Code.DEPOSIT}),
    no_such_order=frozenset({Code.UNKNOWN_ORDER}),
    time_refused=frozenset({Code.NONCE}),
    # What may be asked with a key is read again with the rules.
    mode_refused=frozenset({Code.AGENT, Code.DEPOSIT}),
    words={str(int(code)): code.name.lower() for code in Code},
)
"""A nonce that was used is in no set: an earlier attempt may have arrived, it must be looked at."""


class Hyperliquid(Held, ccxt.hyperliquid):  # type: ignore[misc]  # ccxt is shipped without types
    """The library's client of Hyperliquid; it signs nothing but what stands in a raw call."""

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        given = dict(config or {})
        wallet, private = str(given.get("apiKey", "")), str(given.get("secret", ""))
        super().__init__({**given, "walletAddress": wallet.lower(), "privateKey": private})
        self._last_signed = 0

    def next_signed(self) -> int:
        """Return the time that the next write is given; none is given twice. [ms]."""
        self._last_signed = max(self.milliseconds(), self._last_signed + 1)
        return self._last_signed

    def sign(
        self, path: str, api: Any = "public", method: str = "GET", params: Any = None, *rest: Any
    ) -> Any:
        """Return a request, signed where it is an action."""
        body = dict(params or {})
        if path == EXCHANGE.removeprefix("/"):
            if "signature" in body:
                raise RuntimeError("an action must be a raw call, the library made one by itself")
            nonce = self.nonce()
            until = nonce + WINDOW_MS
            signature = self.sign_l1_action(body["action"], nonce, None, until)
            body |= {"nonce": nonce, "signature": signature, "expiresAfter": until}
        return super().sign(path, api, method, body, *rest)

    def agent(self) -> str:
        """Return the address of the key that signs.

        Raises:
            ValueError: It is no key.
        """
        key = str(self.privateKey).removeprefix("0x")
        int(key, 16)
        return str(self.eth_get_address_from_private_key(f"0x{key}")).lower()

    def on_rest_response(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        response_headers: Mapping[str, str],
        response_body: str,
        request_headers: Mapping[str, str],
        request_body: str | None,
    ) -> str:
        """Keep what the answer was, and count its rows."""
        extra = rows_cost(request_body or "", response_body)
        self.plimsoll_quota.owe(extra, self.plimsoll_clock.monotonic())
        return super().on_rest_response(
            code, reason, url, method, response_headers, response_body, request_headers,
            request_body,
        )  # fmt: skip


def sent(query: str, body: str) -> list[tuple[str, str]]:
    """Return every parameter of a request, named by its way in the body; beside them its window."""
    pairs = [("query", query)] if query else []
    said = json.loads(body, object_pairs_hook=_Pairs)
    times = {key: value for key, value in said if key in HIDDEN}
    pairs += _pairs(_Pairs((key, value) for key, value in said if key not in HIDDEN))
    if "nonce" in times:
        pairs.append(("window", str(times.get("expiresAfter", 0) - times["nonce"])))
    return pairs


def is_reduce_only(method: str, path: str, said: Mapping[str, str]) -> bool | None:
    """Return whether an order that will be sent can only shrink; ``None`` for anything else.

    Read from the bytes, not from what was meant: a library may drop the flag.
    """
    if (method, path, said.get("action.type")) != ("POST", EXCHANGE, "order"):
        return None
    return said.get("action.orders.0.r") == "true" and "action.orders.1.r" not in said


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON with what it says twice."""


def _pairs(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, _Pairs):
        for key, part in value:
            yield from _pairs(part, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _pairs(part, f"{where}.{place}")
    else:
        yield where, value if isinstance(value, str) else json.dumps(value)


DIALECT = Dialect(
    library=Hyperliquid,
    options={},
    codes=CODES,
    budgets=BUDGETS,
    cost=cost,
    told=told,
    sent=sent,
    is_reduce_only=is_reduce_only,
    wait=retry_after,
    window_ms=WINDOW_MS,
    rehearsal="set_sandbox_mode",
)
