"""Did the books of an exchange stay within what their owner allowed?

Sees rows and limits as plain values, never the bot: what the bot believes cannot excuse it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)
DAY_MS = 86_400_000
EXACT = Decimal("0.00000001")
RE_ADD_MS = 15_000
"""So long after a reduction margin that it released may return below the floor. [ms]"""


SEEN_WITHIN_MS = 15_000
"""What the bot did not do is seen by then: the oldest input that protection may act on. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Margin that entered or left a position.

    Attributes:
        at_ms: [ms]
        position: Symbol and side.
        amount: Signed; > 0 entered. [quote]
        left: What the wallet held after it. [quote]
        by_bot: Whether it came over the bot's wire; a person's moves are not judged.
    """

    at_ms: int
    position: str
    amount: Decimal
    left: Decimal
    by_bot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Collateral that went from one wallet to another.

    Attributes:
        at_ms: [ms]
        source: Wallet.
        destination: Wallet.
        amount: > 0. [quote]
        left: What the source held after it. [quote]
        arrived_ms: When the destination had it. [ms]
    """

    at_ms: int
    arrived_ms: int
    source: str
    destination: str
    amount: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A trade of the account.

    Attributes:
        at_ms: [ms]
        position: Symbol and side.
        before: Signed size before it. [base]
        after: Signed size after it. [base]
    """

    at_ms: int
    position: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the owner allows.

    Attributes:
        margin_per_hour: Of one position. [quote]
        margin_per_day: Of one position. [quote]
        floors: Wallet name to what must stay in it. [quote]
        wallets: That belong to the owner.
    """

    margin_per_hour: Decimal
    margin_per_day: Decimal
    floors: dict[str, Decimal]
    wallets: frozenset[str]


def faults(
    moves: Sequence[Move],
    passages: Sequence[Passage],
    fills: Sequence[Fill],
    limits: Limits,
    *,
    delivered_twice: frozenset[Decimal] = frozenset(),
) -> list[str]:
    """Return what the books show that the owner never allowed, in words.

    Args:
        moves: By time.
        passages: By time.
        fills: By time.
        limits: In force.
        delivered_twice: Amounts whose one request the network itself delivered twice, which no
            client can prevent.
    """
    bots = [move for move in moves if move.by_bot]
    return [
        *_doubled(bots, passages, delivered_twice),
        *_over_budget(bots, limits),
        *_below_floor(
            [m for m in moves if abs(m.amount) not in delivered_twice],
            [p for p in passages if p.amount not in delivered_twice],
            fills,
            limits,
        ),
        *_not_owned(passages, limits),
        *_overtaken(passages, delivered_twice),
        *_grown(fills),
    ]


def unbalanced(
    *, wallets: Decimal, margins: Decimal, pending: Decimal, opening: Decimal, booked: Decimal
) -> list[str]:
    """Return a fault if collateral came from nowhere or vanished. [quote]."""
    gap = wallets + margins + pending - opening - booked
    return [] if abs(gap) < EXACT else [f"I4: books are off by {gap}"]


def _doubled(
    moves: Iterable[Move], passages: Iterable[Passage], excused: frozenset[Decimal]
) -> list[str]:
    seen: dict[tuple[str, Decimal], int] = {}
    found = []
    rows = [(m.position, m.amount, m.at_ms) for m in moves]
    rows += [(f"{p.source}>{p.destination}", p.amount, p.at_ms) for p in passages]
    for where, amount, at_ms in sorted(rows, key=lambda row: row[2]):
        before = seen.get((where, amount))
        if before is not None and at_ms - before < DAY_MS and abs(amount) not in excused:
            found.append(f"I1: {amount} at {where} took effect at {before} and again at {at_ms}")
        seen[where, amount] = at_ms
    return found


def _over_budget(moves: Sequence[Move], limits: Limits) -> list[str]:
    found = []
    added: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        if move.amount > 0:
            added[move.position].append(move)
    for position, rows in added.items():
        for span_ms, limit in (
            (3_600_000, limits.margin_per_hour),
            (DAY_MS, limits.margin_per_day),
        ):
            for row in rows:
                within = [r.amount for r in rows if 0 <= row.at_ms - r.at_ms < span_ms]
                if sum(within, ZERO) > limit:
                    found.append(f"I7: {position} got {sum(within, ZERO)}, limit {limit}")
                    break
    return found


def _below_floor(
    moves: Iterable[Move], passages: Iterable[Passage], fills: Sequence[Fill], limits: Limits
) -> list[str]:
    found = []
    floor = limits.floors.get("futures", ZERO)
    rows = list(moves)
    for move in (row for row in rows if row.by_bot):
        is_re_add = any(
            f.position == move.position and 0 <= move.at_ms - f.at_ms < RE_ADD_MS for f in fills
        )
        # What a person takes between the bot's look and its request, the bot cannot know.
        taken = sum(
            (
                row.amount
                for row in rows
                if not row.by_bot and 0 <= move.at_ms - row.at_ms < SEEN_WITHIN_MS
            ),
            ZERO,
        )
        if move.amount > 0 and move.left + taken < floor and not is_re_add:
            found.append(f"I10: futures held {move.left} after {move.amount}, floor {floor}")
    for passage in passages:
        least = limits.floors.get(passage.source, ZERO)
        if passage.left < least:
            found.append(f"I10: {passage.source} held {passage.left}, floor {least}")
    return found


def _not_owned(passages: Iterable[Passage], limits: Limits) -> list[str]:
    return [
        f"I9: {p.amount} went from {p.source} to {p.destination}"
        for p in passages
        if not {p.source, p.destination} <= limits.wallets
    ]


def _overtaken(passages: Sequence[Passage], excused: frozenset[Decimal]) -> list[str]:
    """Find collateral that was sent while an earlier part of it was still on its way.

    Of a request that was delivered twice the bot sees the second passage only when it looks.
    """
    found = []
    for index, passage in enumerate(passages):
        for place, earlier in enumerate(passages[:index]):
            is_unseen = (
                earlier.amount in excused
                and any(_is_twin(p, earlier) for p in passages[:place])
                and passage.at_ms - earlier.at_ms < SEEN_WITHIN_MS
            )
            if (
                _is_same_way(earlier, passage)
                and passage.at_ms < earlier.arrived_ms
                and passage.amount not in excused
                and not is_unseen
            ):
                found.append(
                    f"I4: {passage.amount} left {passage.source} at {passage.at_ms}, before "
                    f"{earlier.amount} had arrived at {earlier.arrived_ms}"
                )
    return found


def _is_same_way(one: Passage, other: Passage) -> bool:
    return (one.source, one.destination) == (other.source, other.destination)


def _is_twin(one: Passage, other: Passage) -> bool:
    return _is_same_way(one, other) and one.amount == other.amount


def _grown(fills: Iterable[Fill]) -> list[str]:
    return [
        f"I3: {f.position} went from {f.before} to {f.after}"
        for f in fills
        if abs(f.after) > abs(f.before) or f.after * f.before < 0
    ]
