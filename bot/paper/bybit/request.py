"""What did a client ask, and was it allowed to?"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

from bot.paper.bybit.codes import WireError
from bot.paper.desk import Asked, Keys
from bot.paper.digits import number
from bot.paper.pace import Pace, age_ms

AHEAD_MS = 1000
DEFAULT_WINDOW_MS = 5000
LONGEST = 20
"""Digits of a whole number."""
OFFSET = "offset:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Parameters of one request: of a query as words, of a body as its JSON has them.

    Attributes:
        parameters: By name.
        now_ms: Market time of its arrival. [ms]
    """

    parameters: Mapping[str, Any]
    now_ms: int

    def text(self, name: str, default: str | None = None) -> str:
        """Return a word.

        Raises:
            WireError: It is missing, empty or no word.
        """
        value = self.parameters.get(name, default)
        if not isinstance(value, str) or not value:
            raise WireError(10001, f"params error: {name} invalid")
        return value

    def optional(self, name: str) -> str | None:
        """Return a word, ``None`` where it is absent or empty."""
        return self.text(name) if self.parameters.get(name) else None

    def choice(self, name: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return a word that must be one of a few.

        Raises:
            WireError: It is not.
        """
        value = self.text(name, default)
        if value not in known:
            raise WireError(10001, f"params error: {name} invalid")
        return value

    def decimal(self, name: str, default: str | None = None) -> Decimal:
        """Return a number that is sent as a word in plain digits.

        Raises:
            WireError: It is not.
        """
        value = self.text(name, default)
        found = number(value)
        if found is None:
            raise WireError(10001, f"params error: {name} invalid")
        return found

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number.

        Raises:
            WireError: It is missing or none.
        """
        value = self.parameters.get(name, default)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < LONGEST:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise WireError(10001, f"params error: {name} invalid")
        return value

    def flag(self, name: str) -> bool:
        """Return a yes or no; absent is no.

        Raises:
            WireError: It is there and neither.
        """
        value = self.parameters.get(name, False)
        if not isinstance(value, bool):
            raise WireError(10001, f"params error: {name} invalid")
        return value

    def page(
        self, rows: list[dict[str, Any]], *, usual: int, most: int
    ) -> tuple[list[dict[str, Any]], str]:
        """Return the rows of the page that is asked for, and the cursor of the next.

        Raises:
            WireError: The length or the cursor is none.
        """
        limit = self.whole("limit", usual)
        cursor = unquote(str(self.parameters.get("cursor", "") or f"{OFFSET}0"))
        begin = cursor.removeprefix(OFFSET)
        if not 1 <= limit <= most or not (begin.isascii() and begin.isdigit()):
            raise WireError(10001, "params error: limit or cursor invalid")
        first = int(begin[:LONGEST])
        end = first + limit
        return rows[first:end], f"offset%3A{end}" if end < len(rows) else ""


def parsed(asked: Asked, now_ms: int) -> Request:
    """Return the parameters of a request: of a query, or of a body in JSON.

    Raises:
        WireError: The body is no object.
    """
    if asked.method != "POST":
        return Request(parameters=dict(parse_qsl(asked.query)), now_ms=now_ms)
    try:
        body = json.loads(asked.body.decode() or "{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise WireError(10001, "params error: body is no JSON object")
    return Request(parameters=body, now_ms=now_ms)


def check(asked: Asked, keys: Keys, pace: Pace) -> None:
    """Accept a request whose key, signature and time in its headers are right.

    Raises:
        WireError: With the venue's code.
    """
    key, stamp, signature = (
        asked.headers.get(f"x-bapi-{name}", "") for name in ("api-key", "timestamp", "sign")
    )
    window = asked.headers.get("x-bapi-recv-window", str(DEFAULT_WINDOW_MS))
    if key != keys.key:
        raise WireError(10003, "API key is invalid.")
    if not keys.is_valid:
        raise WireError(33004, "Your api key has expired.")
    raw = asked.body.decode(errors="replace") if asked.method == "POST" else asked.query
    wanted = hmac.new(
        keys.secret.encode(), f"{stamp}{key}{window}{raw}".encode(), hashlib.sha256
    ).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise WireError(10004, "error sign! please check your signature generation algorithm.")
    if not (stamp.isascii() and stamp.isdigit() and window.isascii() and window.isdigit()):
        raise WireError(10001, "params error: timestamp invalid")
    age = age_ms(int(stamp[:LONGEST]), pace)
    if age > int(window[:LONGEST]) or -age >= AHEAD_MS:
        raise WireError(
            10002, "invalid request, please check your server timestamp or recv_window param."
        )
