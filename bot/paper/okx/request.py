"""What did a client ask, and was it allowed to?"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from bot.paper.desk import Asked, Keys
from bot.paper.digits import number
from bot.paper.okx.codes import WireError, denied, wrong
from bot.paper.pace import Pace, age_ms

WINDOW_MS = 30_000
"""A request is refused so long after the time inside it. [ms]"""
LONGEST_NUMBER = 32
"""Digits of any number that is understood."""
LONGEST_TEXT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Parameters of one request.

    Attributes:
        parameters: By name, as the client wrote them: text, or what JSON has besides.
        now_ms: Market time of its arrival. [ms]
        items: Where the body is a list, its parts.
    """

    parameters: Mapping[str, Any]
    now_ms: int
    items: tuple["Request", ...] = ()

    def text(self, key: str, default: str | None = None) -> str:
        """Return a parameter.

        Raises:
            WireError: It is missing and has no default, or no text.
        """
        value = self.parameters.get(key)
        if value is None or value == "":
            if default is None:
                message = f"Parameter {key} can not be empty"
                raise WireError(50014, message, status=HTTPStatus.BAD_REQUEST)
            return default
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise wrong(key)
        return str(value)[:LONGEST_TEXT]

    def optional(self, key: str) -> str | None:
        """Return a parameter, ``None`` where it is absent."""
        return self.text(key, "") or None

    def choice(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return a parameter that must be one of a few words.

        Raises:
            WireError: It is not.
        """
        value = self.text(key, default)
        if value not in known:
            raise wrong(key)
        return value

    def name(self, key: str) -> str:
        """Return a name that the client gave, empty for none.

        Raises:
            WireError: It has other signs than letters and digits, or too many.
        """
        value = self.text(key, "")
        if value and not (value.isascii() and value.isalnum() and len(value) <= LONGEST_NUMBER):
            raise wrong(key)
        return value

    def decimal(self, key: str, default: str | None = None) -> Decimal:
        """Return a number.

        Raises:
            WireError: It is missing, no number, or not in plain digits.
        """
        value = self.text(key, default)
        found = number(value)
        if found is None or len(value) > LONGEST_NUMBER:
            raise wrong(key)
        return found

    def whole(self, key: str, default: str | None = None) -> int:
        """Return a whole number.

        Raises:
            WireError: It is missing or no whole number.
        """
        found = self.decimal(key, default)
        if found != found.to_integral_value():
            raise wrong(key)
        return int(found)

    def is_true(self, key: str) -> bool:
        """Return a yes or no, as JSON or as a word; absent is no.

        Raises:
            WireError: It is neither.
        """
        value = self.parameters.get(key)
        if isinstance(value, bool):
            return value
        return self.choice(key, ("true", "false"), "false") == "true"


def parsed(asked: Asked, now_ms: int) -> Request:
    """Return the parameters of a request: of the query, or of a JSON body.

    Raises:
        WireError: The body is no JSON of such a form.
    """
    if asked.method == "GET":
        pairs = dict(parse_qsl(asked.query, keep_blank_values=True))
        return Request(parameters=pairs, now_ms=now_ms)
    try:
        # The venue takes numbers as well as words; they keep their digits.
        body = json.loads(asked.body or b"{}", parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise WireError(50002, "JSON syntax error", status=HTTPStatus.BAD_REQUEST) from None
    rows = body if isinstance(body, list) else [body]
    if not all(isinstance(row, dict) for row in rows):
        raise WireError(50002, "JSON syntax error", status=HTTPStatus.BAD_REQUEST)
    if isinstance(body, dict):
        return Request(parameters=body, now_ms=now_ms)
    items = tuple(Request(parameters=row, now_ms=now_ms) for row in rows)
    return Request(parameters={}, now_ms=now_ms, items=items)


def check(asked: Asked, keys: Keys, pace: Pace) -> None:
    """Accept a request whose key, words, time and signature are right.

    Raises:
        WireError: With the venue's code.
    """
    key, word, stamp, signature = (
        asked.headers.get(f"ok-access-{part}", "")
        for part in ("key", "passphrase", "timestamp", "sign")
    )
    if not key:
        raise denied(50103, 'Request header "OK-ACCESS-KEY" cannot be empty.')
    if not word:
        raise denied(50104, 'Request header "OK-ACCESS-PASSPHRASE" cannot be empty.')
    if not signature:
        raise denied(50106, 'Request header "OK-ACCESS-SIGN" cannot be empty.')
    if not stamp:
        raise denied(50107, 'Request header "OK-ACCESS-TIMESTAMP" cannot be empty.')
    check_time(stamp, pace)
    if key != keys.key or not keys.is_valid:
        raise denied(50111, "Invalid OK-ACCESS-KEY.")
    if not hmac.compare_digest(word.encode(), keys.password.encode()):
        raise denied(50105, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.')
    wanted = signed(asked, stamp, keys.secret)
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise denied(50113, "Invalid signature.")


def check_time(stamp: str, pace: Pace) -> None:
    """Accept a time that is near.

    Raises:
        WireError: It is not, or no time.
    """
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        raise denied(50112, "Invalid OK-ACCESS-TIMESTAMP.") from None
    if at.tzinfo is None:
        raise denied(50112, "Invalid OK-ACCESS-TIMESTAMP.")
    if abs(age_ms(at.timestamp() * 1000, pace)) > WINDOW_MS:
        raise denied(50102, "Timestamp request expired.")


def signed(asked: Asked, stamp: str, secret: str) -> str:
    """Return the signature over time, method, path with query, and body."""
    path = f"{asked.path}?{asked.query}" if asked.query else asked.path
    text = f"{stamp}{asked.method}{path}".encode() + asked.body
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
