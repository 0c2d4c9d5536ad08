"""What is asked of the paper exchange, and who answers in a venue's words?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bot.paper.engine import Engine
from bot.paper.pace import Pace

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A key pair and what it may do.

    Attributes:
        key: Sent in a header.
        secret: Signs.
        password: A third word, at venues that want one.
        may_withdraw: Shown in the rights of the key; the bot must refuse such a one.
        is_valid: A revoked key is known and refused.
    """

    key: str = "paper-key"
    secret: str = "paper-secret"  # noqa: S105 - public: it opens the paper exchange only
    password: str = "paper-word"  # noqa: S105 - as the secret
    may_withdraw: bool = False
    is_valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it stood on the wire.

    Attributes:
        method: HTTP.
        path: With its leading slash.
        query: Raw, without the question mark.
        body: Raw.
        headers: Names in lower case.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP.
        text: The body.
        kind: Its content type.
        headers: Besides that.
    """

    status: int
    text: str
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Desk(Protocol):
    """Keys, limits and endpoints of one exchange in the words of one venue; no network.

    Attributes:
        engine: The exchange.
        pace: Its time.
        keys: Who may ask.
    """

    engine: Engine
    pace: Pace
    keys: Keys

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request; it takes effect now or never."""
        ...

    def timed_out(self, asked: Asked) -> Reply:
        """Return the venue's words for an answer that its own inside did not give in time."""
        ...

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Use the budget of a request's kind up, for a fault."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A desk of a venue whose requests all have one method and one of few paths."""

    def about(self, asked: Asked) -> tuple[str, str]:
        """Return method and path of a request, as if each thing that is asked had its own."""
        ...


def about(desk: Desk, asked: Asked) -> tuple[str, str]:
    """Return method and path of a request, as faults and tests name it."""
    return desk.about(asked) if isinstance(desk, Telling) else (asked.method, asked.path)
