"""What did a client ask, and was it allowed to?"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl

from bot.paper.desk import Asked, Keys
from bot.paper.okx.codes import WireError, denied, wrong
from bot.paper.pace import Pace, age_ms
from bot.paper.words import LONGEST_NUMBER, Words, from_json

WINDOW_MS = 30_000
"""A request is refused so long after the time inside it. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Words):
    """Parameters of one request.

    Attributes:
        items: Where the body is a list, its parts.
    """

    items: tuple["Request", ...] = ()

    def name(self, key: str) -> str:
        """Return a name that the client gave, empty for none.

        Raises:
            WireError: It has other signs than letters and digits, or too many.
        """
        value = self.text(key, "")
        if value and not (value.isascii() and value.isalnum() and len(value) <= LONGEST_NUMBER):
            raise wrong(key)
        return value

    def _wrong(self, key: str) -> WireError:
        return wrong(key)

    def _missing(self, key: str) -> WireError:
        message = f"Parameter {key} can not be empty"
        return WireError(50014, message, status=HTTPStatus.BAD_REQUEST)


def parsed(asked: Asked, now_ms: int) -> Request:
    """Return the parameters of a request: of the query, or of a JSON body.

    Raises:
        WireError: The body is no JSON of such a form.
    """
    if asked.method == "GET":
        pairs = dict(parse_qsl(asked.query, keep_blank_values=True))
        return Request(parameters=pairs, now_ms=now_ms)
    body = from_json(asked.body)  # the venue takes numbers as well as words
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
