"""Do our books agree with what the venue shows, and who moved what we did not?

Called once a poll with what the account shows. Everything is a value; nothing is asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.observation import Observation
from bot.domain.position import PositionKey
from bot.execute.books import STALE, Books, Doubt, Open, alerted, sizes_of
from bot.execute.foreign import TOGETHER, Actor, Finding, strange_names
from bot.execute.transit import (
    BACKING,
    EXACT,
    ZERO,
    Booked,
    Gap,
    Ledger,
    Place,
    booked,
    certain,
    compacted,
    conservation,
    is_over,
    margin_of,
    opened,
    pool_of,
    shown,
    unsure,
    widened,
)

KEPT = timedelta(days=1)
"""Lines and intents are remembered so long."""
RECENT = timedelta(minutes=10)
"""A payment, or what a person moved, is found inside a margin within this time."""
MOST_RECENT = 6
"""Of one symbol, whose sums are tried."""
REPEATED_WITHIN = timedelta(hours=1)


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
        wants_rows: Read the venue's ledger, beside the next look.
        picture: What is not explained, for people.
    """

    gaps: tuple[Gap, ...]
    findings: tuple[Finding, ...]
    is_explained: bool
    is_broken: bool
    is_repeated: bool
    is_suspicious: bool
    wants_rows: bool
    picture: str = ""

    @property
    def is_second_writer(self) -> bool:
        """Whether another bot of our kind acts on the account."""
        return any(finding.actor is Actor.SECOND_WRITER for finding in self.findings)


def look(books: Books, observation: Observation) -> tuple[Books, Report]:
    """Return the books after a look, and what it found."""
    account, at = observation.account, observation.account_at
    findings = list(_strangers(books, account, at))
    books = _with_names(books, account, observation.at)
    books = _taken_over(replace(books, ledger=widened(books.ledger, account)), at)
    # Margin first: only what a whole pool cannot explain is a gap.
    books, shifts, moved = _with_margins(books, account, at)
    books, gaps, came = _with_wallets(books, account, at)
    findings += (*moved, *came)
    books = _with_doubts(books, gaps, shifts, account, at)
    books = alerted(_forgetting(books, observation), findings)
    books = _agreeing(books, account, at)
    report = Report(
        gaps=gaps,
        findings=tuple(findings),
        is_explained=not books.doubts,
        is_broken=books.is_broken,
        # Of books that never agreed each difference says the same: their opening was wrong.
        is_repeated=books.has_agreed and len({seen for _, seen in books.breaks}) > 1,
        is_suspicious=books.suspicious_until is not None and at < books.suspicious_until,
        wants_rows=books.wants_rows(observation.at),
        picture=books.picture,
    )
    return books, report


def _agreeing(books: Books, account: Account, at: datetime) -> Books:
    """Fold what is certain; begin anew where the first look was the fault.

    An opening is put together from several answers, each of which may be old. What stays strange
    since then, with nothing on its way and every line read, was never in the books: there is
    nothing to compare it with.
    """
    if not books.doubts:
        ledger = _settled(books, account, at)
        # The first look is the opening itself: of course they agree.
        agrees = at > books.opened_until and not ledger.is_carried
        books = replace(books, ledger=ledger)
        # What was strange before was the opening.
        return replace(books, has_agreed=True, breaks=()) if agrees > books.has_agreed else books
    is_at_rest = not books.ledger.is_pending() and all(books.is_lasting(d) for d in books.doubts)
    if books.has_agreed or not is_at_rest:
        return books
    return replace(
        books,
        ledger=opened(account),
        sizes=sizes_of(account),
        doubts=(),
        is_broken=False,
        breaks=(),
        has_agreed=True,
    )


def _taken_over(books: Books, at: datetime) -> Books:
    """Book what stayed strange since before a person looked."""
    if books.accepted_at is None or any(entry.is_carried for entry in books.ledger.booked):
        return books  # a line beside the opening may be all of it
    for doubt in books.doubts:
        if doubt.first > books.accepted_at or not books.is_break(doubt):
            continue
        place = Place(doubt.where, doubt.asset)
        if "/" in doubt.where:
            books = _shifted(books, place, doubt.amount, at)
            continue
        entry = Booked(
            id=f"person:{doubt.where}:{doubt.asset}:{at.isoformat()}",
            at=books.opened_from,  # the look has it, it is in no doubt
            changes=((place, doubt.amount),),
        )
        books = replace(books, ledger=booked(books.ledger, entry))
    return books


def _with_margins(
    books: Books, account: Account, at: datetime
) -> tuple[Books, dict[str, Decimal], list[Finding]]:
    """Move between wallet and positions what fills, funding and people moved.

    Returns:
        The books, what is not explained yet by symbol [asset], and what was adopted.
    """
    there, sizes = shown(account), sizes_of(account)
    symbols = {p.where for p in (*there, *books.ledger.balances()) if "/" in p.where}
    near = {place for entry in unsure(books.ledger, at) for place, _ in entry.changes}
    shifts: dict[str, Decimal] = {}
    findings = []
    for symbol in sorted(symbols):
        place = margin_of(symbol)
        shift = there.get(place, ZERO) - books.ledger.balances().get(place, ZERO)
        is_filled = _of(sizes, symbol) != _of(books.sizes, symbol)
        # While a move or a line is in doubt it is not known what of a change is its own.
        if books.ledger.is_doubtful(place) or place in near:
            if is_filled and shift < 0:  # at least this much was released, whatever else
                books = _shifted(books, place, shift, at)
        elif abs(shift) < EXACT:
            books = _sized(books, sizes, symbol)
        elif is_filled or _is_recent(books, symbol, shift):
            books = _sized(_shifted(books, place, shift, at), sizes, symbol)
        elif _is_confirmed(books, symbol, place.asset, shift):
            findings.append(_unexplained(symbol, place.asset, shift, at, symbol=symbol))
            books = _shifted(books, place, shift, at)
        else:
            shifts[symbol] = shift
    return books, shifts, findings


def _with_wallets(
    books: Books, account: Account, at: datetime
) -> tuple[Books, tuple[Gap, ...], list[Finding]]:
    """Compare whole pools; adopt what entered or left a wallet whose lines nobody lists."""
    books, gaps = _with_opening(books, account, at)
    has_carried = any(entry.is_carried for entry in books.ledger.booked)
    findings = []
    for gap in gaps:
        for name, amount in gap.pools:
            if name == BACKING or books.ledger.is_pending(name):
                continue
            # While a line beside the opening may be all of it, it is not adopted.
            if has_carried or not _is_confirmed(books, name, gap.asset, amount):
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


def _with_opening(books: Books, account: Account, at: datetime) -> tuple[Books, tuple[Gap, ...]]:
    """Compare whole pools; find out what the opening had of the lines beside it.

    At first either explains a look. Later only what is strange for long is taken for such a line:
    a new line of the same amount must not be.
    """
    gaps = conservation(books.ledger, account, at=at)
    if at < books.opened_until + STALE or not any(e.is_carried for e in books.ledger.booked):
        return books, gaps
    ledger = certain(books.ledger)
    left = conservation(ledger, account, at=at)
    lacking = tuple(_open_of(left))
    if not _open_of(gaps):
        books = _supposing(books, lacking, at)
    if not (_is_supposed(books, lacking) or all(_is_confirmed(books, *o) for o in lacking)):
        return books, left
    gaps = _without_torn(gaps, books.ledger)
    rest = {(name, asset): amount for name, asset, amount in _open_of(gaps)}
    changes = tuple(
        (Place(name, gap.asset), amount - rest.get((name, gap.asset), ZERO))
        for gap in left
        for name, amount in gap.pools
    )
    entry = Booked(id=f"opening:{at.isoformat()}", at=books.opened_from, changes=changes)
    return replace(books, ledger=booked(ledger, entry)), gaps


def _supposing(books: Books, lacking: tuple[Open, ...], at: datetime) -> Books:
    """Remember what the opening seems to have lacked: it alone explains a look."""
    if books.supposed is not None and books.supposed[0] == lacking:
        return books
    return replace(books, supposed=(lacking, at))


def _is_supposed(books: Books, lacking: tuple[Open, ...]) -> bool:
    """Whether the same explained a look long ago, whatever else was strange in between."""
    if books.supposed is None or books.read_at is None:
        return False
    what, since = books.supposed
    return what == lacking and books.read_at >= since + STALE


def _without_torn(gaps: tuple[Gap, ...], ledger: Ledger) -> tuple[Gap, ...]:
    """Return what is left where the opening had one end of a line and not the other.

    Wallets and positions are different answers of one look, and a move may fall between them. What
    is left has either sign: the end that the opening had, or the one it lacked.
    """
    ends = {
        (pool_of(place), place.asset, abs(change))
        for entry in ledger.booked
        if entry.is_carried and len(entry.changes) > 1
        for place, change in entry.changes
    }
    return tuple(
        replace(
            gap,
            pools=tuple(
                (name, ZERO if (name, gap.asset, abs(amount)) in ends else amount)
                for name, amount in gap.pools
            ),
        )
        for gap in gaps
    )


def _with_doubts(
    books: Books,
    gaps: tuple[Gap, ...],
    shifts: Mapping[str, Decimal],
    account: Account,
    at: datetime,
) -> Books:
    """Remember what is not explained, since when, and whether every line was read since.

    What a line beside the opening explains is no break: it is only to be decided yet.
    """
    open_ = _open_of(gaps)
    is_undecided = not _open_of(conservation(books.ledger, account, at=at))
    wallets = {name for name, _, _ in open_} if is_undecided else set[str]()
    open_ += [(symbol, margin_of(symbol).asset, shift) for symbol, shift in shifts.items()]
    books = replace(books, doubts=tuple(_doubt(books, *what, at=at) for what in open_))
    broken = [d.text for d in books.doubts if d.where not in wallets and books.is_break(d)]
    recent = tuple((seen, what) for seen, what in books.breaks if at - seen < REPEATED_WITHIN)
    new = tuple((at, what) for what in broken if all(what != known for _, known in recent))
    return replace(books, is_broken=bool(broken), breaks=(*recent, *new))


def _open_of(gaps: Iterable[Gap]) -> list[Open]:
    """Return pool, asset and amount of what is not explained."""
    return [(name, gap.asset, amount) for gap in gaps for name, amount in gap.pools if amount]


def _doubt(books: Books, where: str, asset: str, amount: Decimal, *, at: datetime) -> Doubt:
    for known in books.doubts:
        if (known.where, known.asset) == (where, asset):
            since = known.since if known.amount == amount else at
            return replace(known, amount=amount, since=since, looks=known.looks + 1)
    return Doubt(where=where, asset=asset, amount=amount, since=at, first=at)


def _is_confirmed(books: Books, where: str, asset: str, amount: Decimal) -> bool:
    """Whether something was as strange before, and every line was read since."""
    return any(
        (known.where, known.asset, known.amount) == (where, asset, amount)
        and books.is_lasting(known)
        for known in books.doubts
    )


def _settled(books: Books, account: Account, at: datetime) -> Ledger:
    """Fold what is certain into the opening; take over the account where nothing is in doubt."""
    ledger = books.ledger
    if unsure(ledger, at):
        return ledger
    # With nothing on its way the two are the same, once no answer is as old as the opening.
    is_young = at < books.opened_until + STALE
    return compacted(ledger) if ledger.is_pending() or is_young else opened(account)


def _forgetting(books: Books, observation: Observation) -> Books:
    now = observation.at
    names = {name: at for name, at in books.names.items() if now - at < KEPT}
    return replace(
        books,
        names=names,
        sent=tuple(
            entry
            for entry in books.sent
            if not is_over(entry.intent) or now - entry.intent.written_at < KEPT
        ),
        seen={row: at for row, at in books.seen.items() if now - at < KEPT},
        recent=tuple(row for row in books.recent if now - row.at < RECENT),
        foreign=tuple(row for row in books.foreign if now - row.at < 2 * TOGETHER),
    )


def _shifted(books: Books, place: Place, shift: Decimal, at: datetime) -> Books:
    entry = Booked(
        id=f"look:{place.where}:{at.isoformat()}",
        at=books.opened_from,  # the look has it, it is in no doubt
        changes=((place, shift), (Place(BACKING, place.asset), -shift)),
    )
    return replace(books, ledger=booked(books.ledger, entry))


def _is_recent(books: Books, symbol: str, shift: Decimal) -> bool:
    """Whether a change of margin is made of payments and moves whose lines were read.

    A payment is booked on the wallet until it is found here. A move is booked where it went; it
    shows again as its opposite if a look had it before its line was read, and then as itself.
    """
    lines = [row for row in books.recent if row.symbol == symbol][-MOST_RECENT:]
    sums = {ZERO}
    for row in lines:
        ways = (ZERO, row.amount, -row.amount) if row.kind.is_margin else (ZERO, row.amount)
        sums = {total + way for total in sums for way in ways}
    return shift in sums


def _sized(books: Books, sizes: tuple[tuple[PositionKey, Decimal], ...], symbol: str) -> Books:
    others = tuple(item for item in books.sizes if item[0].symbol != symbol)
    return replace(books, sizes=tuple(sorted((*others, *_of(sizes, symbol)))))


def _of(
    sizes: tuple[tuple[PositionKey, Decimal], ...], symbol: str
) -> tuple[tuple[PositionKey, Decimal], ...]:
    return tuple(item for item in sizes if item[0].symbol == symbol)


def _strangers(books: Books, account: Account, at: datetime) -> Iterator[Finding]:
    if books.knows_stops:
        yield from strange_names(_names(account), frozenset(books.names), books.writer, at=at)


def _with_names(books: Books, account: Account, now: datetime) -> Books:
    """Take over which orders stand, so that each stranger is said once."""
    names = books.names | dict.fromkeys(_names(account), now)
    is_known = books.knows_stops or account.stops_at is not None
    return replace(books, names=names, knows_stops=is_known)


def _names(account: Account) -> Iterator[str]:
    return (stop.client_id for stop in account.stops if stop.client_id)


def _unexplained(
    where: str, asset: str, amount: Decimal, at: datetime, *, symbol: str = ""
) -> Finding:
    text = f"{where} changed by {amount} {asset}, no intent and no line of the venue explains it"
    change = amount if symbol else ZERO
    return Finding(actor=Actor.EXTERNAL, at=at, text=text, symbol=symbol, amount=change)
