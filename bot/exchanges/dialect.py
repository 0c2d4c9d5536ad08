"""In which words does a venue speak, as far as its client must understand them?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bot.exchanges.limits import Budgets, Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """What the codes of a venue prove; one that is in no set proves nothing.

    Attributes:
        no_effect: Nothing happened.
        denied: Key, address or permission: a person must act.
        no_such_order: Of a read; weak evidence, since a list may lag.
        time_refused: The time inside a request is wrong: measure the clock again.
        mode_refused: The request may be of another position mode than the account's.
        throttled: Asked too often, under whatever HTTP status; nothing happened.
        words: Codes that the bot itself acts on, in its own words.
    """

    no_effect: frozenset[int]
    denied: frozenset[int]
    no_such_order: frozenset[int] = frozenset()
    time_refused: frozenset[int] = frozenset()
    mode_refused: frozenset[int] = frozenset()
    throttled: frozenset[int] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)


class Sent(Protocol):
    """Reads back what a request says as it stands on the wire."""

    def __call__(self, query: str, body: str) -> list[tuple[str, str]]:
        """Return every parameter, apart from time, window and signature."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one venue speaks.

    Attributes:
        library: Class of the venue in the library.
        options: Given to the library beside what holds for every venue.
        codes: What its codes prove.
        budgets: What it counts.
        cost: Returns what a request costs: method, path, query, body.
        told: Returns code and text of an answer; no code where it tells none, or success.
        sent: Reads back what a request says.
        is_reduce_only: Whether a write can only shrink, of method, path and what it says; ``None``
            for one that is no order.
        wait: Returns what an answer says of waiting, as seconds in text; of its headers with names
            in lower case and of venue time [ms]. Empty where it says nothing.
        window_ms: How long the venue accepts a request after the time signed in it. [ms]
        rehearsal: The library's name for turning to the venue's test hosts.
    """

    library: type[Any]
    options: Mapping[str, Any]
    codes: Codes
    budgets: Budgets
    cost: Callable[[str, str, str, str], Cost]
    told: Callable[[Any], tuple[int | None, str]]
    sent: Sent
    is_reduce_only: Callable[[str, str, Mapping[str, str]], bool | None]
    wait: Callable[[Mapping[str, str], int], str]
    window_ms: int
    rehearsal: Literal["enable_demo_trading", "set_sandbox_mode"] = "enable_demo_trading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The one request that a write may become.

    Attributes:
        method: HTTP.
        path: With its leading slash.
        parameters: All of them, apart from time, window and signature.
    """

    method: str
    path: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A request.

    Attributes:
        call: Name of the raw call.
        expected: What may leave, and nothing else.
        typed: What the call is given where the venue wants other than words, or a list; ``None``
            gives the words.
    """

    call: str
    expected: Expected
    typed: Mapping[str, Any] | tuple[Mapping[str, Any], ...] | None = None

    @property
    def given(self) -> Any:
        """Return what the raw call is given."""
        if isinstance(self.typed, tuple):
            return [dict(item) for item in self.typed]
        return dict(self.expected.parameters if self.typed is None else self.typed)


def retry_after(headers: Mapping[str, str], _: int) -> str:
    """Return the usual header's text; empty without one."""
    return headers.get("retry-after", "")
