"""Who moved collateral that no intent of ours moved?

A margin move or a transfer in the venue's ledger is ours if one intent explains it; each intent
explains one line at most, so a request that the network delivered twice shows as a foreign line.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.intent import Intent, IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.position import Side
from bot.domain.stop import is_own_name
from bot.domain.timing import WINDOW, settle_point
from bot.execute.arithmetic import EPOCHS, fingerprint_scale, live_tags, tag_in
from bot.execute.transit import BACKING, BESIDE, WITHOUT_EFFECT, is_over

TOGETHER = timedelta(minutes=10)
"""Two foreign lines of one writer are at most this far apart."""


class Actor(StrEnum):
    """Who it was, as far as that can be told."""

    KNOWN = "known"
    """Declared in advance: nothing follows."""
    EXTERNAL = "external"
    """A person or the venue: adopt it, leave the position alone for a while, say so."""
    SECOND_WRITER = "second_writer"
    """Another bot of our kind: only look, until a person has looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What is known of the run that asks.

    Attributes:
        epoch: Of this run.
        step: Finest step of the collateral that the venue books. [asset]
        actors: Words of the venue for who may move collateral without an intent, as declared.
        window: How long the venue accepts a request after the time signed in it. [s]
        before: Client ids that sort from the first to before the second were given by earlier runs
            on the same journal.
    """

    epoch: int
    step: Decimal
    before: tuple[str, str] = ("", "")
    actors: frozenset[str] = frozenset()
    window: float = WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that no intent explains.

    Attributes:
        actor: Who it was.
        at: When it took effect, or was first seen. Aware UTC.
        text: What happened, with its numbers.
        symbol: Of the position to be left alone; empty for wallets.
        side: Of that position; ``None`` where the venue does not say: both.
        amount: What entered the position, < 0 if it left; 0 for wallets and orders. [asset]
        is_repeat: Whether it is a move of ours that took effect once more.
    """

    actor: Actor
    at: datetime
    text: str
    symbol: str = ""
    side: Side | None = None
    amount: Decimal = Decimal(0)
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An intent that moves collateral, and the line that shows its effect.

    Attributes:
        intent: As it is now.
        row: The line; ``None`` until one is found.
    """

    intent: Intent
    row: LedgerRow | None = None


def explained(
    rows: Iterable[LedgerRow], sent: Sequence[Sent], *, window: float
) -> tuple[tuple[Sent, ...], tuple[LedgerRow, ...]]:
    """Return the intents with the lines they explain, and the moves that none explains.

    An exact amount first; it takes the place of a smaller one that was taken for the intent's
    before. Then a smaller one that took effect while the request could: clipped. Lines that are
    neither margin moves nor transfers are in neither result.

    Args:
        rows: In any order.
        sent: Intents with the lines that explained them so far.
        window: How long the venue accepts a request after the time signed in it. [s]
    """
    after = list(sent)
    moves = sorted(
        (row for row in rows if row.kind.is_margin or row.kind.is_transfer),
        key=lambda row: (row.at, row.id),
    )
    for is_clipped in (False, True):
        rest = []
        for row in moves:
            index = _owner(row, after, clipped_for=window if is_clipped else None)
            if index is None:
                rest.append(row)
                continue
            before = after[index].row
            if before is not None:
                rest.append(before)
            after[index] = replace(after[index], row=row)
        moves = rest
    return tuple(after), tuple(moves)


def classified(
    rows: Iterable[LedgerRow],
    earlier: Sequence[LedgerRow],
    writer: Writer,
    *,
    own: Iterable[Action] = (),
) -> tuple[Finding, ...]:
    """Return what moves that no intent explains mean, by time.

    Args:
        rows: New ones.
        earlier: External ones that were found before.
        writer: This run.
        own: What this run and those before it sent; its digits say nothing of another writer.
    """
    findings = []
    others, own = list(earlier), list(own)
    for row in sorted(rows, key=lambda row: (row.at, row.id)):
        if row.actor and row.actor in writer.actors:
            findings.append(_finding(row, Actor.KNOWN, f"declared: {row.actor}"))
            continue
        if any(_amount_meant(action, row) == abs(row.amount) for action in own):
            again = _finding(row, Actor.EXTERNAL, "one of our moves took effect once more")
            findings.append(replace(again, is_repeat=True))
            continue
        twin = next((o for o in others if _are_successive(o, row, writer)), None)
        if twin is None:
            findings.append(_finding(row, Actor.EXTERNAL, "no intent of ours explains it"))
        else:
            why = f"its digits follow those of {twin.amount} at {twin.at.isoformat()}"
            findings.append(_finding(row, Actor.SECOND_WRITER, why))
        others.append(row)
    return tuple(findings)


def strange_names(
    names: Iterable[str], known: frozenset[str], writer: Writer, *, at: datetime
) -> Iterator[Finding]:
    """Yield a finding for each client id that has our shape and that nobody here gave.

    Args:
        names: Of orders at the venue.
        known: Of our intents, and what stood there before this run.
        writer: This run.
        at: When they were seen. Aware UTC.
    """
    first, last = writer.before
    for name in names:
        if is_own_name(name) and name not in known and not first <= name < last:
            text = f"order {name} has the shape of our ids and is none of ours"
            yield Finding(actor=Actor.SECOND_WRITER, at=at, text=text)


def _owner(row: LedgerRow, sent: Sequence[Sent], *, clipped_for: float | None) -> int | None:
    for index, entry in enumerate(sent):
        intent = entry.intent
        wanted = _amount_there(intent, row)
        began = intent.sent_at or intent.written_at
        if wanted is None or intent.state in WITHOUT_EFFECT or row.at < began - BESIDE:
            continue
        held = None if entry.row is None else abs(entry.row.amount)
        if abs(row.amount) == wanted != held:
            return index
        if clipped_for is None or held is not None or is_over(intent):
            continue
        if abs(row.amount) < wanted and row.at <= began + settle_point(clipped_for):
            return index
    return None


def _amount_there(intent: Intent, row: LedgerRow) -> Decimal | None:
    """Return how much an intent moves the way a line goes; ``None`` if it goes another way."""
    found = _amount_meant(intent.action, row)
    if found is None or intent.state is not IntentState.APPLIED or intent.applied is None:
        return found
    return min(found, intent.applied)


def _amount_meant(action: Action, row: LedgerRow) -> Decimal | None:
    match action:
        case AddMargin(key=key, amount=amount, currency=asset):
            kind, where = RowKind.MARGIN_ADDED, (key.symbol, key.side)
        case RemoveMargin(key=key, amount=amount, currency=asset):
            kind, where = RowKind.MARGIN_REMOVED, (key.symbol, key.side)
        case Transfer(source=source, destination=destination, amount=amount, currency=asset):
            ends = {
                RowKind.TRANSFER_IN: (row.other, row.wallet),
                RowKind.TRANSFER_OUT: (row.wallet, row.other),
            }
            is_same = ends.get(row.kind) == (source, destination)
            return amount if is_same and row.asset == asset else None
        case _:
            return None
    is_same = row.kind is kind and row.asset == asset and row.wallet == BACKING
    here = (row.symbol, where[1] if row.side is None else row.side)
    return amount if is_same and here == where else None


def _are_successive(earlier: LedgerRow, later: LedgerRow, writer: Writer) -> bool:
    """Whether two lines carry successive tags of one epoch that is not ours."""
    if abs(later.at - earlier.at) > TOGETHER:
        return False
    one, two = _tag(earlier, writer), _tag(later, writer)
    if one is None or two is None or one[0] != two[0]:
        return False
    # The scale of a step is the same whatever the amount.
    is_next = (two[1] - one[1]) % live_tags(scale=one[2]) == 1
    return is_next and one[0] != writer.epoch % EPOCHS


def _tag(row: LedgerRow, writer: Writer) -> tuple[int, int, int] | None:
    """Return epoch, counter and scale that the amount of a line carries."""
    amount = abs(row.amount)
    if amount % writer.step != 0:
        return None
    steps = int(amount / writer.step)
    scale = fingerprint_scale(amount=steps, steps_per_unit=int(1 / writer.step))
    if scale is None:
        return None
    found = tag_in(steps, scale=scale)
    return None if found is None else (*found, scale)


def _finding(row: LedgerRow, actor: Actor, why: str) -> Finding:
    where = f"{row.symbol} {row.side or ''}".strip() if row.symbol else _route(row)
    text = f"{row.kind} of {row.amount} {row.asset} at {where}: {why}"
    amount = row.amount if row.kind.is_margin else Decimal(0)
    return Finding(
        actor=actor, at=row.at, text=text, symbol=row.symbol, side=row.side, amount=amount
    )


def _route(row: LedgerRow) -> str:
    ends = (row.other or "outside", row.wallet)
    return " to ".join(ends if row.kind is RowKind.TRANSFER_IN else reversed(ends))
