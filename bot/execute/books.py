"""Do our books agree with what the venue shows, and who moved what we did not?

Called once a poll: `told` what became of intents, `look` at what the account shows, and where the
look wants it `read` the venue's ledger and look again. Everything is a value; nothing is asked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.observation import Observation
from bot.domain.position import PositionKey
from bot.execute.foreign import (
    TOGETHER,
    Actor,
    Finding,
    Sent,
    Writer,
    classified,
    explained,
    strange_names,
)
from bot.execute.transit import (
    BACKING,
    CLOCK_BOUND,
    EXACT,
    ZERO,
    Booked,
    Gap,
    Ledger,
    Place,
    booked,
    compacted,
    conservation,
    entry_of,
    followed,
    is_over,
    margin_of,
    move_of,
    opened,
    shown,
    sighted,
    unsure,
    usable,
)

LAG = timedelta(seconds=2)
"""Longest time between an effect and its line in the venue's ledger."""
ROWS_EVERY = timedelta(seconds=60)
"""The venue's ledger is read so often when balances explain themselves."""
ROWS_AGAIN = timedelta(seconds=5)
"""And not sooner than this when they do not: one reading costs a 40th of what a minute allows."""
OVERLAP = timedelta(seconds=60)
"""A reading begins so long before the one before it; a line that shows late is not missed."""
KEPT = timedelta(days=1)
"""Lines and intents are remembered so long."""
FUNDING_KEPT = timedelta(minutes=10)
"""A payment is found inside a margin within this time."""
REPEATED_WITHIN = timedelta(hours=1)
SUSPICIOUS = timedelta(minutes=10)
"""So long after a foreign move only protective acts are allowed."""


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
        sent: Intents that move collateral, each with its line.
        funding: Payments that may show inside a margin, oldest first.
        foreign: External lines that a second writer's next could follow.
        seen: Lines that were read, and when they took effect.
        read_at: When the request of the last complete reading left; ``None`` before the first.
        picture: What the last look left unexplained; empty for nothing.
        picture_since: Since when it is that. Aware UTC.
        is_broken: Whether something stayed unexplained although every line was read.
        breaks: Different pictures of the last hour that did.
        suspicious_until: Until then a foreign move is too near; ``None`` for none. Aware UTC.
    """

    writer: Writer
    opened_from: datetime
    opened_until: datetime
    ledger: Ledger
    sizes: tuple[tuple[PositionKey, Decimal], ...]
    names: dict[str, datetime] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()
    funding: tuple[LedgerRow, ...] = ()
    foreign: tuple[LedgerRow, ...] = ()
    seen: dict[str, datetime] = field(default_factory=dict)
    read_at: datetime | None = None
    picture: str = ""
    picture_since: datetime | None = None
    is_broken: bool = False
    breaks: tuple[tuple[datetime, str], ...] = ()
    suspicious_until: datetime | None = None

    @property
    def since(self) -> datetime:
        """From when the venue's ledger is to be read next. Aware UTC."""
        return (self.opened_from if self.read_at is None else self.read_at) - OVERLAP

    def usable(self, account: Account, name: str, currency: str, *, floor: Decimal) -> Decimal:
        """Return what may leave a wallet. [currency], >= 0; 0 for one that is not shown."""
        wallet = account.wallet(name, currency)
        return ZERO if wallet is None else usable(self.ledger, wallet, floor=floor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a look found.

    Attributes:
        gaps: By asset, also those that are closed.
        findings: New foreign moves and orders.
        is_explained: Whether everything the account shows follows from the books.
        is_broken: It does not, although every line was read: only protective acts.
        is_repeated: The second different break within the hour: only look.
        is_suspicious: A foreign move was within ten minutes: only protective acts.
        wants_rows: Read the venue's ledger now, then look again at the same observation.
    """

    gaps: tuple[Gap, ...]
    findings: tuple[Finding, ...]
    is_explained: bool
    is_broken: bool
    is_repeated: bool
    is_suspicious: bool
    wants_rows: bool

    @property
    def is_second_writer(self) -> bool:
        """Whether another bot of our kind acts on the account."""
        return any(finding.actor is Actor.SECOND_WRITER for finding in self.findings)


def open_books(observation: Observation, intents: Iterable[Intent], *, writer: Writer) -> Books:
    """Return the books that begin with a look.

    Args:
        observation: The first one of the run, or one that a person has looked at.
        intents: That were sent before it and are not settled or not read back.
        writer: This run.
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
        sizes=_sizes(account),
        names=standing | {intent.id: observation.at for intent in intents},
        sent=tuple(Sent(intent=intent) for intent in moving),
    )


def reopened(books: Books, observation: Observation) -> Books:
    """Return the books that take over what an account shows, because a person looked at it.

    What is on its way stays pending, and lines that were read stay read.
    """
    ahead = [entry.intent for entry in books.sent if not is_over(entry.intent)]
    anew = open_books(observation, ahead, writer=books.writer)
    return replace(
        anew,
        names=books.names | anew.names,
        sent=books.sent,
        seen=books.seen,
        read_at=books.read_at,
    )


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
        if entry.row is not None and is_over(intent) and not _bears_out(intent, entry.row):
            released.append((intent, entry.row))
            entry = replace(entry, row=None)
        sent[intent.id] = replace(entry, intent=intent)
    books = replace(books, ledger=ledger, names=names, sent=tuple(sent.values()))
    return _explained_again(books, released)


def _explained_again(
    books: Books, released: Iterable[tuple[Intent, LedgerRow]]
) -> tuple[Books, tuple[Finding, ...]]:
    """Give lines that were taken for another intent's to whom they belong, else book them."""
    findings = []
    for intent, row in released:
        sent, foreign = explained([row], books.sent)
        books = replace(books, sent=sent, ledger=_sighted(books.ledger, sent))
        for left in foreign:
            if left.at >= books.opened_from - CLOCK_BOUND:
                findings.append(_belied(intent, left))
                books = replace(books, ledger=_with_row(books, books.ledger, left))
    return _alerted(books, findings), tuple(findings)


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
    sent, foreign = explained(new.values(), books.sent)
    own = {row.id for row in new.values() if row.kind.is_margin or row.kind.is_transfer}
    own -= {row.id for row in foreign}
    begin = books.opened_from - CLOCK_BOUND
    # A line that was taken for a clipped effect of ours until the exact one came is foreign now.
    returned = [row for row in foreign if row.id not in new]
    others = [row for row in new.values() if row.id not in own]
    late = [row for row in (*others, *returned) if row.at >= begin]
    ledger = _sighted(books.ledger, sent)
    for row in late:
        ledger = _with_row(books, ledger, row)
    external = [row for row in foreign if row.at >= begin]
    findings = classified(external, books.foreign, books.writer)
    books = replace(
        books,
        ledger=ledger,
        sent=sent,
        seen=books.seen | {row.id: row.at for row in new.values()},
        funding=(*books.funding, *(row for row in late if row.kind is RowKind.FUNDING)),
        foreign=(*books.foreign, *external),
        read_at=asked_at,
    )
    return _alerted(books, findings), findings


def look(books: Books, observation: Observation) -> tuple[Books, Report]:
    """Return the books after a look, and what it found."""
    account, at = observation.account, observation.account_at
    findings = list(strange_names(_names(account), frozenset(books.names), at=at))
    # Margin first: only what a whole pool cannot explain is a gap.
    books, shifts, moved = _with_margins(books, account, at)
    books, gaps, came = _with_wallets(books, account, at)
    findings += (*moved, *came)
    picture = _picture(gaps, shifts)
    books = _with_picture(books, picture, at)
    books = _alerted(_forgetting(books, observation), findings)
    if not picture:
        books = replace(books, ledger=_settled(books.ledger, account, at))
    report = Report(
        gaps=gaps,
        findings=tuple(findings),
        is_explained=not picture,
        is_broken=books.is_broken,
        is_repeated=len({seen for _, seen in books.breaks}) > 1,
        is_suspicious=books.suspicious_until is not None and at < books.suspicious_until,
        wants_rows=_wants_rows(books, observation.at),
    )
    return books, report


def _with_margins(
    books: Books, account: Account, at: datetime
) -> tuple[Books, dict[str, Decimal], list[Finding]]:
    """Move between wallet and positions what fills, funding and people moved.

    Returns:
        The books, what is not explained yet by symbol [asset], and what was adopted.
    """
    there, sizes = shown(account), _sizes(account)
    symbols = {p.where for p in (*there, *books.ledger.balances()) if "/" in p.where}
    near = {place for entry in unsure(books.ledger, at) for place, _ in entry.changes}
    shifts: dict[str, Decimal] = {}
    findings = []
    for symbol in sorted(symbols):
        place = margin_of(symbol)
        # While a move or a line is in doubt it is not known what of a change is its own.
        if books.ledger.is_doubtful(place) or place in near:
            continue
        shift = there.get(place, ZERO) - books.ledger.balance(place)
        is_filled = _of(sizes, symbol) != _of(books.sizes, symbol)
        if abs(shift) < EXACT:
            books = _sized(books, sizes, symbol)
        elif is_filled or _is_funding(books, symbol, shift):
            books = _sized(_shifted(books, place, shift, at), sizes, symbol)
        elif _is_confirmed(books):
            findings.append(_unexplained(symbol, place.asset, shift, at, symbol=symbol))
            books = _shifted(books, place, shift, at)
        else:
            shifts[symbol] = shift
    return books, shifts, findings


def _with_wallets(
    books: Books, account: Account, at: datetime
) -> tuple[Books, tuple[Gap, ...], list[Finding]]:
    """Compare whole pools; adopt what entered or left a wallet whose lines nobody lists."""
    gaps = conservation(books.ledger, account, at=at)
    if not _is_confirmed(books):
        return books, gaps, []
    findings = []
    for gap in gaps:
        for name, amount in gap.pools:
            if name == BACKING or not amount or books.ledger.is_pending(name):
                continue
            findings.append(_unexplained(name, gap.asset, amount, at))
            entry = Booked(
                id=f"look:{name}:{gap.asset}:{at.isoformat()}",
                at=books.opened_from,  # the look has it, it is in no doubt
                changes=((Place(name, gap.asset), amount),),
            )
            books = replace(books, ledger=booked(books.ledger, entry))
    if findings:
        gaps = conservation(books.ledger, account, at=at)
    return books, gaps, findings


def _with_picture(books: Books, picture: str, at: datetime) -> Books:
    """Remember what is not explained, since when, and whether every line was read since."""
    if not picture:
        return replace(books, picture="", picture_since=None, is_broken=False)
    if picture != books.picture:
        return replace(books, picture=picture, picture_since=at)
    if not _is_confirmed(books):
        return books
    recent = tuple((seen, what) for seen, what in books.breaks if at - seen < REPEATED_WITHIN)
    if all(what != picture for _, what in recent):
        recent = (*recent, (at, picture))
    return replace(books, is_broken=True, breaks=recent)


def _settled(ledger: Ledger, account: Account, at: datetime) -> Ledger:
    """Fold what is certain into the opening; take over the account where nothing is in doubt."""
    if unsure(ledger, at):
        return ledger
    # With nothing on its way the two are the same, and what an opening may have had is settled.
    return compacted(ledger) if ledger.is_pending() else opened(account)


def _forgetting(books: Books, observation: Observation) -> Books:
    now = observation.at
    standing = {name: now for name in _names(observation.account) if name in books.names}
    names = {name: at for name, at in books.names.items() if now - at < KEPT} | standing
    return replace(
        books,
        names=names,
        sent=tuple(
            entry
            for entry in books.sent
            if not is_over(entry.intent) or now - entry.intent.written_at < KEPT
        ),
        seen={row: at for row, at in books.seen.items() if now - at < KEPT},
        funding=tuple(row for row in books.funding if now - row.at < FUNDING_KEPT),
        foreign=tuple(row for row in books.foreign if now - row.at < 2 * TOGETHER),
        breaks=tuple((at, what) for at, what in books.breaks if now - at < REPEATED_WITHIN),
    )


def _wants_rows(books: Books, now: datetime) -> bool:
    if books.read_at is None:
        return True
    age = now - books.read_at
    is_open = bool(books.picture) and not _is_confirmed(books)
    return age >= ROWS_EVERY or (is_open and age >= ROWS_AGAIN)


def _is_confirmed(books: Books) -> bool:
    """Whether every line that could explain the last picture has been read."""
    return (
        books.picture_since is not None
        and books.read_at is not None
        and books.read_at >= books.picture_since + LAG
    )


def _alerted(books: Books, findings: Iterable[Finding]) -> Books:
    until = [f.at + SUSPICIOUS for f in findings if f.actor is not Actor.KNOWN]
    if books.suspicious_until is not None:
        until.append(books.suspicious_until)
    return replace(books, suspicious_until=max(until, default=None))


def _shifted(books: Books, place: Place, shift: Decimal, at: datetime) -> Books:
    entry = Booked(
        id=f"look:{place.where}:{at.isoformat()}",
        at=books.opened_from,  # the look has it, it is in no doubt
        changes=((place, shift), (Place(BACKING, place.asset), -shift)),
    )
    return replace(books, ledger=booked(books.ledger, entry))


def _is_funding(books: Books, symbol: str, shift: Decimal) -> bool:
    """Whether a change of margin is a run of payments that were booked on the wallet."""
    paid = [row.amount for row in books.funding if row.symbol == symbol]
    return any(
        sum(paid[first:last], ZERO) == shift
        for first in range(len(paid))
        for last in range(first + 1, len(paid) + 1)
    )


def _sized(books: Books, sizes: tuple[tuple[PositionKey, Decimal], ...], symbol: str) -> Books:
    others = tuple(item for item in books.sizes if item[0].symbol != symbol)
    return replace(books, sizes=tuple(sorted((*others, *_of(sizes, symbol)))))


def _of(
    sizes: tuple[tuple[PositionKey, Decimal], ...], symbol: str
) -> tuple[tuple[PositionKey, Decimal], ...]:
    return tuple(item for item in sizes if item[0].symbol == symbol)


def _sizes(account: Account) -> tuple[tuple[PositionKey, Decimal], ...]:
    return tuple(sorted((position.key, position.size) for position in account.positions))


def _names(account: Account) -> Iterator[str]:
    return (stop.client_id for stop in account.stops if stop.client_id)


def _picture(gaps: tuple[Gap, ...], shifts: dict[str, Decimal]) -> str:
    pools = [f"{n} {g.asset} {a}" for g in gaps for n, a in g.pools if a]
    return ", ".join((*pools, *(f"{symbol} {shift}" for symbol, shift in shifts.items())))


def _unexplained(
    where: str, asset: str, amount: Decimal, at: datetime, *, symbol: str = ""
) -> Finding:
    text = f"{where} changed by {amount} {asset}, no intent and no line of the venue explains it"
    return Finding(actor=Actor.EXTERNAL, at=at, text=text, symbol=symbol)


def _with_row(books: Books, ledger: Ledger, row: LedgerRow) -> Ledger:
    is_carried = row.at <= books.opened_until + CLOCK_BOUND
    return booked(ledger, entry_of(row, is_carried=is_carried))


def _bears_out(intent: Intent, row: LedgerRow) -> bool:
    return intent.applied is not None and abs(row.amount) == intent.applied


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
    return Finding(actor=Actor.EXTERNAL, at=row.at, text=text, symbol=row.symbol, side=row.side)
