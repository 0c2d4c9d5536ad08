"""How does a client ask the exchange without sockets?"""

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from bot.paper.desk import Asked, Reply

Carry = Callable[[Asked], Awaitable[Reply]]
"""Brings a request to an exchange and its answer back; raises what a network raises."""


class SocketlessSession:
    """What ccxt's own code calls instead of an HTTP client, as far as it uses one."""

    def __init__(self, carry: Carry) -> None:
        self._carry = carry
        self.headers: Mapping[str, str] = {}

    def get(self, url: Any, **options: Any) -> "_Exchange":
        """Ask."""
        return self._ask("GET", url, **options)

    def post(self, url: Any, **options: Any) -> "_Exchange":
        """Ask."""
        return self._ask("POST", url, **options)

    def put(self, url: Any, **options: Any) -> "_Exchange":
        """Ask."""
        return self._ask("PUT", url, **options)

    def delete(self, url: Any, **options: Any) -> "_Exchange":
        """Ask."""
        return self._ask("DELETE", url, **options)

    async def close(self) -> None:
        """Nothing is held."""

    def _ask(
        self, method: str, url: Any, *, data: bytes | None, headers: Mapping[str, str], **_: Any
    ) -> "_Exchange":
        parts = urlsplit(str(url))
        asked = Asked(
            method=method,
            path=parts.path,
            query=parts.query,
            body=data or b"",
            headers={name.lower(): value for name, value in headers.items()},
        )
        return _Exchange(self._carry, asked)


class _Exchange:
    """One request and its response."""

    def __init__(self, carry: Carry, asked: Asked) -> None:
        self._carry, self._asked = carry, asked
        self.status, self.reason, self._text = 0, "", ""
        self.headers: Mapping[str, str] = {}

    async def __aenter__(self) -> Self:
        reply = await self._carry(self._asked)
        self.status, self._text = int(reply.status), reply.text
        self.headers = {"Content-Type": reply.kind, **reply.headers}
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""

    async def text(self, errors: str = "strict") -> str:
        """Return the body."""
        del errors
        return self._text
