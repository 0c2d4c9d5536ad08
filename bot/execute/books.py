"""What do the books of an account hold, and what do intents and the venue's lines make of them?

`told` what became of intents, `read` the venue's ledger where it was asked for; `looking` compares
them with what the account shows. Everything is a value; nothing is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import Action
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.observation import Observation
from bot.domain.position import PositionKey
from bot.execute.foreign import (
    Actor,
    Finding,
    Sent,
    Writer,
    classified,
    explained,
)
from bot.execute.transit import (
    BESIDE,
    ZERO,
    Ledger,
    Place,
    booked,
    entry_of,
    followed,
    is_over,
    move_of,
    opened,
    sighted,
    usable,
)

STALE = timedelta(seconds=15)
"""No answer older than this is acted on: what is strange for less may be an old answer, or a line
that the venue's ledger does not show yet."""
LONGEST_DOUBT = timedelta(seconds=60)
MOST_LOOKS = 6
"""What changes each time it is looked at is a break after so long and so many looks."""
ROWS_EVERY = timedelta(seconds=60)
"""The venue's ledger is read so often when balances explain themselves."""
ROWS_AGAIN = timedelta(seconds=10)
"""And not sooner than this when they do not: one reading costs a 40th of what a minute allows."""
OVERLAP = timedelta(seconds=60)
"""A reading begins so long before the one before it; a line that shows late is not missed."""
SUSPICIOUS = timedelta(minutes=10)
"""So long after a foreign move only protective acts are allowed."""


Open = tuple[str, str, Decimal]
"""Pool, asset and amount of what is not explained. [asset]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something that looks leave unexplained.

    Attributes:
        where: Pool of wallets, or the symbol of a margin.
        asset: The collateral.
        amount: Venue minus ledger. [asset]
        since: When it was first that much. Aware UTC.
        first: When it was first anything. Aware UTC.
        looks: How many looks have left something since then.
    """

    where: str
    asset: str
    amount: Decimal
    since: datetime
    first: datetime
    looks: int = 1

    @property
    def text(self) -> str:
        """Return it for people."""
        return f"{self.where} {self.amount} {self.asset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is remembered between polls; a fold over looks, intents and lines.

    Attributes:
        writer: This run.
        opened_from: Lines before this, less the clock bound, are in the opening. Aware UTC.
        opened_until: Lines after this, plus the clock bound, are not. Aware UTC.
        ledger: Double entry.
        sizes: Of positions, as the ledger last took them over. [base]
        names: Client ids that are ours or stood before this run, and when each was last seen.
        knows_stops: Whether it was seen which orders stood before this run.
        sent: Intents that move collateral, each with its line.
        earlier: What runs before this one sent in the last day.
        recent: Payments and foreign moves that may show inside a margin, oldest first.
        foreign: External lines that a second writer's next could follow.
        seen: Lines that were read, and when they took effect.
        read_at: When the request of the last complete reading left; ``None`` before the first.
        doubts: What the last look left unexplained.
        is_broken: Whether something stayed unexplained although every line was read.
        breaks: Different pictures of the last hour that did.
        suspicious_until: Until then a foreign move is too near; ``None`` for none. Aware UTC.
        accepted_at: When a person last looked; ``None`` for never. Aware UTC.
        has_agreed: Whether a look was ever explained by what is certain.
        supposed: What of the lines beside it the opening seems to have lacked, and since when.
    """

    writer: Writer
    opened_from: datetime
    opened_until: datetime
    ledger: Ledger
    sizes: tuple[tuple[PositionKey, Decimal], ...]
    names: dict[str, datetime] = field(default_factory=dict)
    knows_stops: bool
    sent: tuple[Sent, ...] = ()
    earlier: tuple[Action, ...] = ()
    recent: tuple[LedgerRow, ...] = ()
    foreign: tuple[LedgerRow, ...] = ()
    seen: dict[str, datetime] = field(default_factory=dict)
    read_at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()
    is_broken: bool = False
    breaks: tuple[tuple[datetime, str], ...] = ()
    suspicious_until: datetime | None = None
    accepted_at: datetime | None = None
    supposed: tuple[tuple[Open, ...], datetime] | None = None
    has_agreed: bool = False

    @property
    def since(self) -> datetime:
        """From when the venue's ledger is to be read next. Aware UTC."""
        return (self.opened_from if self.read_at is None else self.read_at) - OVERLAP

    @property
    def picture(self) -> str:
        """What the last look left unexplained, for people; empty for nothing."""
        return ", ".join(doubt.text for doubt in self.doubts)

    def wants_rows(self, now: datetime) -> bool:
        """Whether the venue's ledger is to be read at an instant."""
        if self.read_at is None:
            return True
        age = now - self.read_at
        is_open = any(not (self.is_break(doubt) and self.has_agreed) for doubt in self.doubts)
        return age >= ROWS_EVERY or (is_open and age >= ROWS_AGAIN)

    def is_lasting(self, doubt: Doubt) -> bool:
        """Whether every line that could explain a doubt was read, and no answer is that old."""
        return self.read_at is not None and self.read_at >= doubt.since + STALE

    def is_break(self, doubt: Doubt) -> bool:
        """Whether a doubt lasts, or there is another one each time."""
        is_long = self.read_at is not None and self.read_at >= doubt.first + LONGEST_DOUBT
        return self.is_lasting(doubt) or (is_long and doubt.looks >= MOST_LOOKS)

    def doubtful(self, account: Account) -> Mapping[tuple[str, str], Decimal]:
        """Return what wallets hold for certain while something of theirs is on its way.

        [currency], by wallet and currency; nothing for wallets without doubt.
        """
        places = [(w, Place(w.name, w.currency)) for w in account.wallets]
        return {
            (w.name, w.currency): max(ZERO, self.ledger.balance(place))
            for w, place in places
            if self.ledger.is_doubtful(place)
        }

    def usable(self, account: Account, name: str, currency: str, *, floor: Decimal) -> Decimal:
        """Return what may leave a wallet. [currency], >= 0; 0 for one that is not shown."""
        wallet = account.wallet(name, currency)
        return ZERO if wallet is None else usable(self.ledger, wallet, floor=floor)


def open_books(
    observation: Observation,
    intents: Iterable[Intent],
    *,
    writer: Writer,
    earlier: Iterable[Action] = (),
) -> Books:
    """Return the books that begin with a look.

    Args:
        observation: The first one of the run, or one that a person has looked at.
        intents: That were sent before it and are not settled or not read back.
        writer: This run.
        earlier: What runs before this one sent in the last day.
    """
    account = observation.account
    intents = tuple(intents)
    moving = [intent for intent in intents if move_of(intent) is not None]
    standing = {stop.client_id: observation.at for stop in account.stops if stop.client_id}
    return Books(
        writer=writer,
        opened_from=observation.account_at,
        opened_until=observation.at,
        ledger=followed(opened(account), moving, is_carried=True),
        sizes=sizes_of(account),
        names=standing | {intent.id: observation.at for intent in intents},
        knows_stops=account.stops_at is not None,
        sent=tuple(Sent(intent=intent) for intent in moving),
        earlier=tuple(earlier),
    )


def accepted(books: Books, at: datetime) -> Books:
    """Return the books after a person has looked: what was strange by then will be taken over.

    Nothing is taken from one look, which may be an old answer or lie between two ends of a move.

    Args:
        books: Before.
        at: When the person said so. Aware UTC.
    """
    return replace(books, accepted_at=at, breaks=(), suspicious_until=None, foreign=())


def told(
    books: Books, intents: Iterable[Intent], *, at: datetime
) -> tuple[Books, tuple[Finding, ...]]:
    """Return the books after intents as they are now; whoever has ended is not heard again.

    Args:
        books: Before.
        intents: As they are now; one that is applied with the amount that was.
        at: Venue time. Aware UTC.
    """
    sent = {entry.intent.id: entry for entry in books.sent}
    ledger, names = books.ledger, dict(books.names)
    released: list[tuple[Intent, LedgerRow]] = []
    for intent in intents:
        names[intent.id] = at
        if move_of(intent) is None:
            continue
        entry = sent.get(intent.id, Sent(intent=intent))
        if intent.id in sent and is_over(entry.intent):
            continue
        ledger = followed(ledger, [intent])
        if entry.row is not None and is_over(intent):
            released.append((intent, entry.row))
            entry = replace(entry, row=None)
        sent[intent.id] = replace(entry, intent=intent)
    books = replace(books, ledger=ledger, names=names, sent=tuple(sent.values()))
    return _explained_again(books, released)


def _explained_again(
    books: Books, released: Iterable[tuple[Intent, LedgerRow]]
) -> tuple[Books, tuple[Finding, ...]]:
    """Give lines of intents that have ended to whom they belong, else book them."""
    findings = []
    for intent, row in released:
        sent, foreign = explained([row], books.sent, window=books.writer.window)
        books = replace(books, sent=sent, ledger=_sighted(books.ledger, sent))
        for left in [row for row in foreign if row.at >= books.opened_from - BESIDE]:
            findings.append(_belied(intent, left))
            books = replace(books, ledger=_with_row(books, books.ledger, left))
    return alerted(books, findings), tuple(findings)


def read(
    books: Books, rows: Iterable[LedgerRow], *, asked_at: datetime
) -> tuple[Books, tuple[Finding, ...]]:
    """Return the books after a complete reading of the venue's ledger; each line counts once.

    Args:
        books: Before.
        rows: Everything since `Books.since`.
        asked_at: When the first request for them left. Aware UTC.
    """
    new = {row.id: row for row in rows if row.id not in books.seen}
    sent, foreign = explained(new.values(), books.sent, window=books.writer.window)
    ours = {row.id for row in new.values() if row.kind.is_margin or row.kind.is_transfer}
    ours -= {row.id for row in foreign}
    # The first answer may have been an old one, so lines from shortly before it may not be in it.
    begin = books.opened_from - STALE
    # A line that was taken for a clipped effect of ours until the exact one came is foreign now.
    returned = [row for row in foreign if row.id not in new]
    others = [row for row in new.values() if row.id not in ours]
    assets = {place.asset for place, _ in books.ledger.opening}
    late = [r for r in (*others, *returned) if r.at >= begin and r.asset in assets]
    ledger = _sighted(books.ledger, sent)
    for row in late:
        ledger = _with_row(books, ledger, row)
    external = [row for row in foreign if row.at >= books.opened_from]
    own = (*books.earlier, *(entry.intent.action for entry in sent))
    findings = classified(external, books.foreign, books.writer, own=own)
    books = replace(
        books,
        ledger=ledger,
        sent=sent,
        seen=books.seen | {row.id: row.at for row in new.values()},
        recent=(
            *books.recent,
            *(row for row in late if row.kind is RowKind.FUNDING or row.kind.is_margin),
        ),
        foreign=(*books.foreign, *external),
        read_at=asked_at,
    )
    return alerted(books, findings), findings


def alerted(books: Books, findings: Iterable[Finding]) -> Books:
    """Return the books that are wary after foreign moves."""
    until = [f.at + SUSPICIOUS for f in findings if f.actor is not Actor.KNOWN]
    if books.suspicious_until is not None:
        until.append(books.suspicious_until)
    return replace(books, suspicious_until=max(until, default=None))


def sizes_of(account: Account) -> tuple[tuple[PositionKey, Decimal], ...]:
    """Return the sizes of all positions, in the order of their keys. [base]."""
    return tuple(sorted((position.key, position.size) for position in account.positions))


def _with_row(books: Books, ledger: Ledger, row: LedgerRow) -> Ledger:
    is_carried = row.at <= books.opened_until + BESIDE
    return booked(ledger, entry_of(row, is_carried=is_carried))


def _sighted(ledger: Ledger, sent: Iterable[Sent]) -> Ledger:
    for entry in sent:
        amount = None if entry.row is None else abs(entry.row.amount)
        ledger = sighted(ledger, entry.intent.id, amount)
    return ledger


def _belied(intent: Intent, row: LedgerRow) -> Finding:
    text = (
        f"{intent.id} is {intent.state} with {intent.applied or 0}, "
        f"the venue's ledger has {row.amount} that nothing else explains"
    )
    return Finding(
        actor=Actor.EXTERNAL,
        at=row.at,
        text=text,
        symbol=row.symbol,
        side=row.side,
        amount=row.amount if row.kind.is_margin else ZERO,
    )
