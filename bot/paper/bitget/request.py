"""What did a client ask, and was it allowed to?"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bot.paper.bitget.codes import WireError, wrong
from bot.paper.desk import Asked, Keys
from bot.paper.pace import Pace, age_ms
from bot.paper.words import LONGEST_NUMBER, Words, from_json

WINDOW_MS = 30_000
"""A request is refused so long after the time inside it. [ms]"""
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Words):
    """Parameters of one request."""

    def choice(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return a parameter that must be one of a few words, in letters of either case.

        Raises:
            WireError: It is not.
        """
        value = self.text(key, default)
        if value.lower() not in known:
            raise wrong(key)
        return value.lower()

    def name(self, key: str) -> str:
        """Return a name that the client gave, empty for none.

        Raises:
            WireError: It is too long, or of strange signs.
        """
        value = self.text(key, "")
        if not value.isascii() or len(value) > LONGEST_NAME:
            raise WireError(40305, f"{key} length cannot greater than {LONGEST_NAME}")
        return value

    def _wrong(self, key: str) -> WireError:
        return wrong(key)

    def _missing(self, key: str) -> WireError:
        return WireError(40019, f"Parameter {key} cannot be empty")


def parsed(asked: Asked, now_ms: int) -> Request:
    """Return the parameters of a request: of the query, or of a JSON body.

    Raises:
        WireError: The body is no JSON object.
    """
    if asked.method == "GET":
        pairs = dict(parse_qsl(asked.query, keep_blank_values=True))
        return Request(parameters=pairs, now_ms=now_ms)
    body = from_json(asked.body)  # the venue takes numbers as well as words
    if not isinstance(body, dict):
        raise WireError(40017, "Parameter verification failed")
    return Request(parameters=body, now_ms=now_ms)


def check(asked: Asked, keys: Keys, pace: Pace) -> None:
    """Accept a request whose key, words, time and signature are right.

    Raises:
        WireError: With the venue's code.
    """
    key, word, stamp, signature = (
        asked.headers.get(f"access-{part}", "")
        for part in ("key", "passphrase", "timestamp", "sign")
    )
    if not key:
        raise WireError(40001, "ACCESS_KEY cannot be empty")
    if not signature:
        raise WireError(40002, "ACCESS_SIGN cannot be empty")
    if not word:
        raise WireError(40011, "ACCESS_PASSPHRASE cannot be empty")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= LONGEST_NUMBER):
        raise WireError(40005, "Invalid ACCESS_TIMESTAMP")
    if abs(age_ms(int(stamp), pace)) > WINDOW_MS:
        raise WireError(40008, "Request timestamp expired")
    if key != keys.key or not keys.is_valid:
        raise WireError(40037, "Apikey does not exist")
    if not hmac.compare_digest(word.encode(), keys.password.encode()):
        raise WireError(40012, "apikey/password is incorrect")
    wanted = signed(asked, stamp, keys.secret)
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise WireError(40009, "sign signature error")


def signed(asked: Asked, stamp: str, secret: str) -> str:
    """Return the signature over time, method, path with query, and body."""
    path = f"{asked.path}?{asked.query}" if asked.query else asked.path
    text = f"{stamp}{asked.method}{path}".encode() + asked.body
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
