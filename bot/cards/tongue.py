"""What does a venue say its own way, so that a card need not know it?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from bot.cards.beside import Beside
from bot.domain.position import Side
from bot.paper.desk import Asked

Kind = Literal[
    "add_margin", "remove_margin", "transfer", "reduce_position", "place_stop", "cancel_stop"
]
"""Of an action."""


class Target(StrEnum):
    """Which kind of request goes wrong, or has its answer changed."""

    TIME = "time"
    POSITIONS = "positions"
    ACCOUNT = "account"
    """Of totals and wallets."""
    MARKS = "marks"
    MARGIN = "margin"
    """The write that moves margin."""
    ORDER = "order"
    """The write that reduces."""
    TRANSFER = "transfer"
    """The write between wallets."""
    MARGIN_HISTORY = "margin_history"
    ORDER_HISTORY = "order_history"
    TRANSFER_HISTORY = "transfer_history"
    LEDGER = "ledger"


class No(StrEnum):
    """Why a venue says no, where a card names the code."""

    MARGIN_FUNDS = "margin_funds"
    """More margin than is free."""
    TRANSFER_FUNDS = "transfer_funds"
    """More than a wallet has."""
    POSITION = "position"
    """No position to add to."""
    FLOOR = "floor"
    """More margin than may leave."""
    SIZE = "size"
    """An order larger than the venue takes."""
    REDUCTION = "reduction"
    """Nothing that an order could reduce."""
    DUPLICATE = "duplicate"
    """An order of a name that was there before."""
    KEY = "key"
    """A key that it does not know."""
    TIMED_OUT = "timed_out"
    """Its own inside gave no answer: no refusal, anything may have happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a write says as it left, in the bot's words; of stops only that it is one.

    Attributes:
        kind: Of action.
        symbol: Unified; empty for a transfer.
        amount: Of collateral, whatever the direction [settle], or the size of an order [base].
        price: The worst one of an order; ``None`` for none. [quote/base]
        leg: Which it names; ``None`` where it names none.
        trade: ``buy`` or ``sell``; empty for what is no order.
        only_reduces: Whether an order cannot open, as this venue says so in this position mode.
        is_immediate: Whether what is not filled at once is cancelled.
        name: Our id; empty where it carries none.
        route: Source and destination of a transfer; empty for anything else.
        currency: Of a transfer; empty for anything else.
        more: What else it says, or does not say though it must; nothing in what a card expects.
    """

    kind: Kind
    symbol: str = ""
    amount: Decimal = Decimal(0)
    price: Decimal | None = None
    leg: Side | None = None
    trade: Literal["buy", "sell", ""] = ""
    only_reduces: bool = False
    is_immediate: bool = False
    name: str = ""
    route: tuple[str, ...] = ()
    currency: str = ""
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """An answer that is made to say something else.

    Attributes:
        path: Of the request that it answers; a part is enough.
        rewrite: Changes the body.
    """

    path: str
    rewrite: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """One venue, as far as cards must know it.

    Attributes:
        venue: Its id.
        finest: Step of a move of collateral; half of it is not there. [settle]
        edge: Size of SOL that ends or begins a tier, at the price of a scene. [base]
        closing_fee: What the adapter adds to every maintenance rate, since the venue counts
            closing as part of what a position must hold. [ratio]
        rest: How long until the smallest of its request budgets is full again; 0 where none is
            smaller than what a card asks at once. [s]
        codes: By which it says no, as the adapter tells them.
        targets: Method and path of each kind of request.
        fields: What a look cannot do without: where it is, and its name.
        writes: Method and path of every request that moves collateral or orders.
        said: Reads one of those.
        signed_ms: Returns the time that a request is signed with. [ms]
        rows: Returns the very list inside an answer that is one, to be changed in place.
        nameless: Takes the venue's id out of its answer to a transfer.
        misquoted: Makes an answer to an added amount one to another amount.
        dearer: Doubles every maintenance rate that it tells.
        ends: Makes the rules of a contract end at a time. [ms]
        adds_by_itself: Makes settings say that the venue adds margin by itself; ``None`` where it
            has no such flag.
        leaving: Parts of paths that move collateral to others.
        names_leg: Whether a move of margin names the leg also where there is only one.
        fills_what_there_is: Whether an order that only reduces and is larger than the position
            closes all of it; else it is refused.
        beside: Reads at other endpoints than the adapter; ``None`` where there are none, and no
            card can be judged on the test hosts.
    """

    venue: str
    finest: Decimal
    edge: Decimal
    closing_fee: Decimal
    rest: float
    codes: Mapping[No, str]
    targets: Mapping[Target, tuple[str, str]]
    fields: tuple[tuple[Target, str], ...]
    writes: frozenset[tuple[str, str]]
    said: Callable[[Asked], Said]
    signed_ms: Callable[[Asked], int]
    rows: Callable[[Any], list[Any]]
    nameless: Callable[[str], str]
    misquoted: Callable[[str, Decimal], str]
    dearer: Forgery
    ends: Callable[[int], Forgery]
    adds_by_itself: Forgery | None
    leaving: tuple[str, ...]
    names_leg: bool = False
    fills_what_there_is: bool = True
    beside: Beside | None = None

    def is_write(self, asked: Asked) -> bool:
        """Whether a request moves collateral or orders."""
        return (asked.method, asked.path) in self.writes


def left(words: dict[str, Any], must: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what a request says beside what was read of it, or does not say though it must.

    Args:
        words: What was not read yet; what must be said is taken out.
        must: What it has to say besides.
    """
    how = {name: words.pop(name, "") for name in must}
    return (*words.items(), *(how.items() - must.items()))


def misquoted(text: str, amount: Decimal) -> str:
    """Make an answer to an amount one to 12."""
    return text.replace(f"{amount:f}", "12")
