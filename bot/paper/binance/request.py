"""What did a client ask, and was it allowed to?"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qsl

from bot.paper.binance.codes import WireError
from bot.paper.desk import Keys
from bot.paper.digits import number
from bot.paper.pace import Pace, age_ms
from bot.paper.values import Kind

AHEAD_MS = 1000
DEFAULT_WINDOW_MS = 5000
LONGEST_WINDOW_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Parameters of one request, from query and body.

    Attributes:
        parameters: By name, as text.
        now_ms: Market time of its arrival. [ms]
        kind: Of the contracts at the host that was asked.
    """

    parameters: Mapping[str, str]
    now_ms: int
    kind: Kind = Kind.LINEAR

    def text(self, name: str, default: str | None = None) -> str:
        """Return a parameter.

        Raises:
            WireError: It is missing and has no default.
        """
        value = self.parameters.get(name, default)
        if value is None or value == "":
            raise WireError(
                -1102,
                f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
            )
        return value

    def optional(self, name: str) -> str | None:
        """Return a parameter, ``None`` where it is absent."""
        return self.parameters.get(name) or None

    def choice(self, name: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return a parameter that must be one of a few words.

        Raises:
            WireError: It is not.
        """
        value = self.text(name, default)
        if value not in known:
            raise WireError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value

    def decimal(self, name: str, default: str | None = None) -> Decimal:
        """Return a number.

        Raises:
            WireError: It is missing, no number, or not in plain digits.
        """
        value = self.text(name, default)
        found = number(value)
        if found is None:
            raise WireError(-1100, f"Illegal characters found in parameter '{name}'.")
        return found

    def whole(self, name: str, default: str | None = None) -> int:
        """Return a whole number.

        Raises:
            WireError: It is missing or no whole number.
        """
        value = self.text(name, default)
        # Digits of other alphabets and endless numbers are not the venue's.
        if not (value.removeprefix("-").isascii() and value.removeprefix("-").isdigit()) or (
            len(value) > len("-9223372036854775808")
        ):
            raise WireError(-1100, f"Illegal characters found in parameter '{name}'.")
        return int(value)

    def is_true(self, name: str) -> bool:
        """Return a yes or no; absent is no."""
        return self.parameters.get(name, "").lower() == "true"


def kind_of(path: str) -> Kind:
    """Return which contracts the host of a path lists."""
    return Kind.INVERSE if path.startswith("/dapi/") else Kind.LINEAR


def parsed(query: str, body: str, now_ms: int, kind: Kind = Kind.LINEAR) -> Request:
    """Return the parameters of a request. Bodies may also be JSON."""
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    if body.startswith("{"):
        try:
            pairs |= {k: str(v) for k, v in json.loads(body).items()}
        except ValueError:
            raise WireError(-1100, "Illegal characters found in body.") from None
    else:
        pairs |= dict(parse_qsl(body, keep_blank_values=True))
    return Request(parameters=pairs, now_ms=now_ms, kind=kind)


def check_key(header: str | None, keys: Keys) -> None:
    """Accept a known key only.

    Raises:
        WireError: It is missing or unknown.
    """
    if header is None:
        raise WireError(-2014, "API-key format invalid.", status=401)
    if header != keys.key or not keys.is_valid:
        raise WireError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def check_signature(query: str, body: str, request: Request, keys: Keys, pace: Pace) -> None:
    """Accept a request whose signature and time are right.

    The signature covers everything that stands before it, query first, then body.

    Raises:
        WireError: With the venue's code.
    """
    raw = query + body
    signed, separator, signature = raw.rpartition("signature=")
    if not separator:
        raise WireError(-1102, "Mandatory parameter 'signature' was not sent.")
    wanted = hmac.new(
        keys.secret.encode(), signed.removesuffix("&").encode(), hashlib.sha256
    ).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise WireError(-1022, "Signature for this request is not valid.")
    stamp = request.whole("timestamp")
    window = request.whole("recvWindow", str(DEFAULT_WINDOW_MS))
    if not 0 < window <= LONGEST_WINDOW_MS:
        raise WireError(-1131, "recvWindow must be less than 60000")
    age = age_ms(stamp, pace)
    if age > window or -age > AHEAD_MS:
        raise WireError(-1021, "Timestamp for this request is outside of the recvWindow.")
