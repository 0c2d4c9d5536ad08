"""What did a client ask, and was it allowed to?"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from bot.paper.desk import Asked, Keys
from bot.paper.digits import number
from bot.paper.kucoin.codes import WireError, denied, wrong
from bot.paper.pace import Pace, age_ms

WINDOW_MS = 5_000
"""A request is refused so long after the time inside it. [ms]"""
LONGEST_NUMBER = 32
"""Digits of any number that is understood."""
LONGEST_NAME = 40
"""Signs of a name that a client gives."""
LONGEST_TEXT = 256
LONGEST_STAMP = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Parameters of one request.

    Attributes:
        parameters: By name, as the client wrote them: text, or what JSON has besides.
        now_ms: Market time of its arrival. [ms]
        rest: What stands in the path behind the endpoint's own words.
    """

    parameters: Mapping[str, Any]
    now_ms: int
    rest: str = ""

    def text(self, key: str, default: str | None = None) -> str:
        """Return a parameter.

        Raises:
            WireError: It is missing and has no default, or no text.
        """
        value = self.parameters.get(key)
        if value is None or value == "":
            if default is None:
                raise wrong(key)
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
        """Return a name that the client gave.

        Raises:
            WireError: There is none, it has other signs than letters, digits, ``-`` and ``_``, or
                too many.
        """
        value = self.text(key)
        bare = value.replace("-", "").replace("_", "")
        if not (bare.isascii() and bare.isalnum() and len(value) <= LONGEST_NAME):
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
        """Return a yes or no; absent is no.

        Raises:
            WireError: It is neither.
        """
        value = self.parameters.get(key)
        if isinstance(value, bool):
            return value
        return self.choice(key, ("true", "false"), "false") == "true"


def parsed(asked: Asked, now_ms: int, rest: str) -> Request:
    """Return the parameters of a request: of the query, or of a JSON body.

    Raises:
        WireError: The body is no JSON object.
    """
    if asked.method != "POST":
        pairs = dict(parse_qsl(asked.query, keep_blank_values=True))
        return Request(parameters=pairs, now_ms=now_ms, rest=rest)
    try:
        # The venue takes numbers as well as words; they keep their digits.
        body = json.loads(asked.body or b"{}", parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise wrong("body") from None
    if not isinstance(body, dict):
        raise wrong("body")
    return Request(parameters=body, now_ms=now_ms, rest=rest)


def check(asked: Asked, keys: Keys, pace: Pace) -> None:
    """Accept a request whose key, words, time and signature are right.

    Raises:
        WireError: With the venue's code.
    """
    key, word, stamp, signature = (
        asked.headers.get(f"kc-api-{part}", "")
        for part in ("key", "passphrase", "timestamp", "sign")
    )
    if not (key and word and stamp and signature):
        raise denied(400001, "Please check the header of your request for KC-API-KEY")
    check_time(stamp, pace)
    if key != keys.key or not keys.is_valid:
        raise denied(400003, "KC-API-KEY not exists")
    version = asked.headers.get("kc-api-key-version", "1")
    if not _is_same(word, passphrase(keys, version)):
        raise denied(400004, "Invalid KC-API-PASSPHRASE")
    if not _is_same(signature, signed(asked, stamp, keys.secret)):
        raise denied(400005, "Invalid KC-API-SIGN")


def check_time(stamp: str, pace: Pace) -> None:
    """Accept a time that is near.

    Raises:
        WireError: It is not, or no time.
    """
    is_time = stamp.isascii() and stamp.isdigit() and len(stamp) <= LONGEST_STAMP
    if not is_time or abs(age_ms(int(stamp), pace)) > WINDOW_MS:
        raise WireError(400002, "KC-API-TIMESTAMP Invalid", status=400)


def passphrase(keys: Keys, version: str) -> str:
    """Return the third word as it must stand in a header: since keys of version 2, signed."""
    return keys.password if version == "1" else _mac(keys.password.encode(), keys.secret)


def signed(asked: Asked, stamp: str, secret: str) -> str:
    """Return the signature over time, method, path with query, and body."""
    path = f"{asked.path}?{asked.query}" if asked.query else asked.path
    return _mac(f"{stamp}{asked.method}{path}".encode() + asked.body, secret)


def _mac(text: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
