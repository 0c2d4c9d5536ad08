"""A venue that only writes down what would have left, and answers from a table."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from bot.exchanges.gateway import look

SECRET = "golden-secret"
KEY = "golden-key"
UNSAID = ("timestamp=", "signature=")
"""Time and signature differ on every call; they are judged apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request, byte for byte as ccxt handed it to its HTTP client."""

    method: str
    url: str
    body: str
    headers: Mapping[str, str]

    @property
    def raw(self) -> str:
        """What is signed, signature included."""
        return urlsplit(self.url).query + self.body

    @property
    def line(self) -> str:
        """Method, host and path, where the parameters stand, and they, still encoded, sorted."""
        parts = urlsplit(self.url)
        pairs = [p for p in self.raw.split("&") if p and not p.startswith(UNSAID)]
        where = "body" if self.body else "query"
        access = "signed" if "signature=" in self.raw else "public"
        address = f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}"
        return " ".join([address, where, access, "&".join(sorted(pairs))]).rstrip()

    @property
    def signed_ms(self) -> int:
        """The time inside. [ms]"""
        return int(parse_qs(self.raw)["timestamp"][0])

    @property
    def is_signed_well(self) -> bool:
        """Whether the signature is that of everything before it."""
        text, _, signature = self.raw.rpartition("&signature=")
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        return signature == wanted and self.headers.get("X-MBX-APIKEY") == KEY


class Recorder:
    """What ccxt's own code calls instead of an HTTP client; nothing leaves."""

    def __init__(self, replies: Mapping[str, Any]) -> None:
        self.replies = dict(replies)
        self.requests: list[Recorded] = []
        self.headers: Mapping[str, str] = {}

    def get(self, url: Any, **options: Any) -> "_Answer":
        return self._ask("GET", url, **options)

    def post(self, url: Any, **options: Any) -> "_Answer":
        return self._ask("POST", url, **options)

    def put(self, url: Any, **options: Any) -> "_Answer":
        return self._ask("PUT", url, **options)

    def delete(self, url: Any, **options: Any) -> "_Answer":
        return self._ask("DELETE", url, **options)

    async def close(self) -> None:
        pass

    def lines(self) -> list[str]:
        return [request.line for request in self.requests]

    def _ask(
        self, method: str, url: Any, *, data: bytes | None, headers: Mapping[str, str], **_: Any
    ) -> "_Answer":
        request = Recorded(
            method=method, url=str(url), body=(data or b"").decode(), headers=dict(headers)
        )
        return _Answer(self, request)

    def reply_to(self, request: Recorded) -> str:
        """The table's answer: of this symbol or route if it has one, else of the path.

        An exception in the table is raised, as where a connection breaks.
        """
        path = f"{request.method} {urlsplit(request.url).path}"
        asked = parse_qs(request.raw)
        for name in ("symbol", "type"):
            narrow = f"{path}?{name}={asked.get(name, ['none'])[0]}"
            if narrow in self.replies:
                return _text(self.replies[narrow])
        return _text(self.replies[path])


class _Answer:
    def __init__(self, recorder: Recorder, request: Recorded) -> None:
        self._recorder, self._request = recorder, request
        self.status, self.reason, self._reply = 200, "OK", ""
        self.headers = {"Content-Type": "application/json"}

    async def __aenter__(self) -> Self:
        look.get()()
        self._recorder.requests.append(self._request)
        self._reply = self._recorder.reply_to(self._request)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    async def text(self, errors: str = "strict") -> str:
        del errors
        return self._reply


def _text(reply: Any) -> str:
    if isinstance(reply, Exception):
        raise reply
    return reply if isinstance(reply, str) else json.dumps(reply)
