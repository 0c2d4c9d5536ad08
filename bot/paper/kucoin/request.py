"""What did a client ask, and was it allowed to?"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bot.paper.desk import Asked, Keys
from bot.paper.kucoin.codes import WireError, denied, wrong
from bot.paper.pace import Pace, age_ms
from bot.paper.words import Words, from_json

WINDOW_MS = 5_000
"""A request is refused so long after the time inside it. [ms]"""
LONGEST_NAME = 40
"""Signs of a name that a client gives."""
LONGEST_STAMP = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Words):
    """Parameters of one request.

    Attributes:
        rest: What stands in the path behind the endpoint's own words.
    """

    rest: str = ""

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

    def _wrong(self, key: str) -> WireError:
        return wrong(key)


def parsed(asked: Asked, now_ms: int, rest: str) -> Request:
    """Return the parameters of a request: of the query, or of a JSON body.

    Raises:
        WireError: The body is no JSON object.
    """
    if asked.method != "POST":
        pairs = dict(parse_qsl(asked.query, keep_blank_values=True))
        return Request(parameters=pairs, now_ms=now_ms, rest=rest)
    body = from_json(asked.body)  # the venue takes numbers as well as words
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
