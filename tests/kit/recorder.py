"""A venue that only writes down what would have left, and answers from a table."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from bot.exchanges.gateway import look

SECRET = "golden-secret"
KEY = "golden-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(ABC):
    """One request, byte for byte as ccxt handed it to its HTTP client; signed as a venue wants."""

    method: str
    url: str
    body: str
    headers: Mapping[str, str]

    @property
    def raw(self) -> str:
        """Query and body."""
        return urlsplit(self.url).query + self.body

    @property
    def said(self) -> str:
        """All of the parameters but time and signature, still encoded."""
        return self.raw

    @property
    def line(self) -> str:
        """Method, host and path, where the parameters stand, and they."""
        parts = urlsplit(self.url)
        where = "body" if self.body else "query"
        access = "signed" if self.is_signed else "public"
        address = f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}"
        return f"{address} {where} {access} {self.said}".rstrip()

    @property
    @abstractmethod
    def is_signed(self) -> bool:
        """Whether it has a signature, of whatever."""

    @property
    @abstractmethod
    def is_signed_well(self) -> bool:
        """Whether the signature is that of everything that the venue wants in it."""

    @property
    @abstractmethod
    def signed_at(self) -> datetime:
        """The time inside."""


class Recorder:
    """What ccxt's own code calls instead of an HTTP client; nothing leaves."""

    recorded: ClassVar[type[Recorded]]
    narrow: ClassVar[tuple[str, ...]]
    """Parameters by which the table tells answers of one path apart, the narrowest first."""

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
        request = self.recorded(
            method=method, url=str(url), body=(data or b"").decode(), headers=dict(headers)
        )
        return _Answer(self, request)

    def reply_to(self, request: Recorded) -> str:
        """The table's answer: of the narrowest word that the request has, else of the path.

        An exception in the table is raised, as where a connection breaks.
        """
        path = f"{request.method} {urlsplit(request.url).path}"
        pairs = (pair.partition("=") for pair in request.raw.split("&"))
        asked = {name: value for name, _, value in pairs}  # as they stand
        narrow = [f"{path}?{name}={asked[name]}" for name in self.narrow if name in asked]
        reply = self.replies[next((key for key in narrow if key in self.replies), path)]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else json.dumps(reply)


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
