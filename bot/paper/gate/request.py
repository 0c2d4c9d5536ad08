"""What did a client ask, and was it allowed to?"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from bot.paper.desk import Asked, Keys
from bot.paper.gate.codes import WireError, denied, wrong
from bot.paper.pace import Pace, age_ms
from bot.paper.words import Words, from_json

WINDOW_MS = 60_000
"""How far the time inside a request may be from the venue's. [ms]"""
LONGEST_STAMP = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Words):
    """Parameters of one request: of its path, its query and its body."""

    def word(self, name: str, default: str | None = None) -> str:
        """Return what must be a word: the venue reads no number where it wants one.

        Raises:
            WireError: It is missing and has no default, or no word.
        """
        if isinstance(self.parameters.get(name), Digits):
            raise WireError("INVALID_REQUEST_BODY", f"invalid json: cannot read {name} as a string")
        return self.text(name, default)

    def part(self, name: str) -> "Request":
        """Return the parameters of an object inside the body.

        Raises:
            WireError: It is missing or none.
        """
        value = self.parameters.get(name)
        if not isinstance(value, dict):
            raise WireError("MISSING_REQUIRED_PARAM", f"missing required param: {name}")
        return Request(parameters=value, now_ms=self.now_ms)

    def page(self, rows: list[dict[str, Any]], *, usual: int, most: int) -> list[dict[str, Any]]:
        """Return the rows of the page that is asked for by limit and offset.

        Raises:
            WireError: One of them is out of range.
        """
        limit, offset = self.whole("limit", str(usual)), self.whole("offset", "0")
        if not 1 <= limit <= most:
            raise wrong("limit")
        if offset < 0:
            raise wrong("offset")
        return rows[offset : offset + limit]

    def numbered(
        self, rows: list[dict[str, Any]], *, usual: int, most: int
    ) -> list[dict[str, Any]]:
        """Return the rows of the page of a number, from 1.

        Raises:
            WireError: Its length or its number is out of range.
        """
        limit, number_of = self.whole("limit", str(usual)), self.whole("page", "1")
        if not 1 <= limit <= most:
            raise wrong("limit")
        if number_of < 1:
            raise wrong("page")
        return rows[(number_of - 1) * limit : number_of * limit]

    def _wrong(self, key: str) -> WireError:
        return wrong(key)

    def _missing(self, key: str) -> WireError:
        return WireError("MISSING_REQUIRED_PARAM", f"missing required param: {key}")


class Digits(str):
    """A number of a JSON body, digit for digit."""

    __slots__ = ()


def parsed(asked: Asked, where: Mapping[str, str], now_ms: int) -> Request:
    """Return the parameters of a request.

    Args:
        asked: As it stood on the wire.
        where: Parts of its path, by name.
        now_ms: Market time. [ms]

    Raises:
        WireError: Its body is no JSON object.
    """
    found: dict[str, Any] = dict(parse_qsl(asked.query, keep_blank_values=True))
    if asked.body:
        body = from_json(asked.body, Digits)
        if not isinstance(body, dict):
            raise WireError("INVALID_REQUEST_BODY", "invalid json")
        found |= body
    return Request(parameters=found | dict(where), now_ms=now_ms)


def check(asked: Asked, keys: Keys, pace: Pace) -> None:
    """Accept a request whose key, time and signature in its headers are right.

    Raises:
        WireError: With the venue's label.
    """
    key, stamp, signature = (asked.headers.get(name, "") for name in ("key", "timestamp", "sign"))
    for name, value in (("KEY", key), ("Timestamp", stamp), ("SIGN", signature)):
        if not value:
            raise denied("MISSING_REQUIRED_HEADER", f"Missing required header: {name}")
    if key != keys.key or not keys.is_valid:
        raise denied("INVALID_KEY", "Invalid key provided")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < LONGEST_STAMP):
        raise denied("REQUEST_EXPIRED", "Timestamp must be in seconds")
    if abs(age_ms(int(stamp) * 1000, pace)) > WINDOW_MS:
        raise denied("REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60")
    wanted = signed(asked, stamp, keys.secret)
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise denied("INVALID_SIGNATURE", "Signature mismatch")


def signed(asked: Asked, stamp: str, secret: str) -> str:
    """Return the signature over method, path, query without its escapes, body and time."""
    body = hashlib.sha512(asked.body).hexdigest()
    text = "\n".join((asked.method, asked.path, unquote(asked.query), body, stamp))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()
