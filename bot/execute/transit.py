"""Where is every unit of collateral while some of it is on its way?

Double entry per place and asset, by values only. A move is pending until its end is proven: the
source is debited when it is written down, the destination is credited only when the venue's
history shows it. A time-out ends nothing: what is unknown or given up stays debited and is not
credited. What no intent of ours explains is booked from the venue's own ledger, each line once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import product
from math import prod
from typing import TypeVar

from bot.domain.account import Account, Wallet
from bot.domain.action import AddMargin, RemoveMargin, Transfer
from bot.domain.intent import Intent, IntentState
from bot.domain.ledger import LedgerRow
from bot.domain.timing import CLOCK_BOUND
from bot.execute import arithmetic

K = TypeVar("K")
ZERO = Decimal(0)
BACKING = "futures"
"""The wallet that margin comes from and returns to."""
EXACT = Decimal("0.00000001")
"""Finest step of any balance. [asset]"""
BESIDE = timedelta(seconds=CLOCK_BOUND)
"""A line this near to a look may be in it or not."""
MOST_WAYS = 4_096
"""Combinations that are tried to explain one asset; beyond them nothing counts as explained."""
WITHOUT_EFFECT = (IntentState.ABSENT, IntentState.REJECTED, IntentState.DROPPED)


class Stage(StrEnum):
    """Where a move stands."""

    PENDING = "pending"
    POSTED = "posted"
    VOID = "void"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where collateral can be: a wallet by name, or the isolated margin of a symbol."""

    where: str
    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Collateral on its way from one place of ours to another.

    Attributes:
        id: Of the intent.
        source: Debited as long as the move is not void.
        destination: Credited with what is posted.
        amount: > 0. [asset]
        stage: See `Stage`.
        arrived: What is posted, at most the amount. [asset]
        is_carried: It was on its way when the ledger was opened: the opening may have it or not.
        seen: What a line of the venue shows of it while nothing is proven; ``None`` without one.
            [asset]
    """

    id: str
    source: Place
    destination: Place
    amount: Decimal
    stage: Stage = Stage.PENDING
    arrived: Decimal = ZERO
    is_carried: bool = False
    seen: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A change that no intent made.

    Attributes:
        id: Of the venue's line, or of the look that showed it.
        at: When it took effect. Aware UTC.
        changes: Signed, by place; they sum to what came from outside. [asset]
        is_carried: It is so near to the opening that the opening may have it or not.
    """

    id: str
    at: datetime
    changes: tuple[tuple[Place, Decimal], ...]
    is_carried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far the venue is from the ledger in one asset.

    Attributes:
        asset: The collateral.
        pools: What is not explained, by pool: a wallet, the futures wallet together with all
            isolated margin; venue minus ledger. [asset]
    """

    asset: str
    pools: tuple[tuple[str, Decimal], ...]

    @property
    def amount(self) -> Decimal:
        """What is not explained in all: > 0 came from nowhere, < 0 vanished. [asset]."""
        return sum((amount for _, amount in self.pools), ZERO)

    @property
    def is_open(self) -> bool:
        """Whether anything is not explained."""
        return any(amount for _, amount in self.pools)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A fold over an opening, the states of intents and the venue's lines.

    Attributes:
        opening: Balances at the beginning. [asset]
        moves: Of intents, in the order they were written.
        booked: Changes that no intent made, in the order they were booked.
    """

    opening: tuple[tuple[Place, Decimal], ...]
    moves: tuple[Move, ...] = ()
    booked: tuple[Booked, ...] = ()

    def balance(self, place: Place) -> Decimal:
        """Return what is in a place: all that may have left debited, only what is proven credited.

        [asset]; below 0 only if more was written down than was there.
        """
        found = self.balances().get(place, ZERO)
        for move in self.moves:
            if move.source == place and _is_doubtful(move):
                found -= move.amount
        return found

    def balances(self) -> dict[Place, Decimal]:
        """Return every place as if what is doubtful had not happened. [asset]."""
        found = dict(self.opening)
        for move in self.moves:
            if move.stage is Stage.POSTED and not move.is_carried:
                _add(found, move.source, -move.arrived)
                _add(found, move.destination, move.arrived)
        for entry in self.booked:
            if not entry.is_carried:
                for place, change in entry.changes:
                    _add(found, place, change)
        return found

    def pending(self, asset: str) -> Decimal:
        """Return what is debited and not credited. [asset]."""
        doubtful = (m.amount for m in self.moves if m.source.asset == asset and _is_doubtful(m))
        return sum(doubtful, ZERO)

    def is_pending(self, where: str | None = None) -> bool:
        """Whether a move has not ended, of one place or of any."""
        return any(
            m.stage is Stage.PENDING
            and (where is None or where in (m.source.where, m.destination.where))
            for m in self.moves
        )

    @property
    def is_carried(self) -> bool:
        """Whether the opening may have something of it or not."""
        return any(m.is_carried for m in self.moves) or any(e.is_carried for e in self.booked)

    def is_doubtful(self, place: Place) -> bool:
        """Whether it is not known what of a move a place has."""
        return any(_is_doubtful(m) and place in (m.source, m.destination) for m in self.moves)


def opened(account: Account) -> Ledger:
    """Return the ledger that begins with what an account shows."""
    return Ledger(opening=tuple(sorted(shown(account).items())))


def widened(ledger: Ledger, account: Account) -> Ledger:
    """Return the ledger that also begins with assets that are shown for the first time."""
    known = {place.asset for place, _ in ledger.opening}
    new = [(place, amount) for place, amount in shown(account).items() if place.asset not in known]
    return replace(ledger, opening=tuple(sorted((*ledger.opening, *new))))


def shown(account: Account) -> dict[Place, Decimal]:
    """Return what an account shows, by place. [asset]."""
    found: dict[Place, Decimal] = {}
    for wallet in account.wallets:
        _add(found, Place(wallet.name, wallet.currency), wallet.total)
    for position in account.positions:
        _add(found, margin_of(position.symbol), position.margin)
    return found


def margin_of(symbol: str) -> Place:
    """Return the place of the isolated margin of a symbol, both sides together."""
    return Place(symbol, symbol.rpartition(":")[2])


def move_of(intent: Intent) -> Move | None:
    """Return the move an intent makes; ``None`` for orders, whose effects the venue books."""
    match intent.action:
        case AddMargin(key=key, amount=amount, currency=asset):
            source, destination = Place(BACKING, asset), Place(key.symbol, asset)
        case RemoveMargin(key=key, amount=amount, currency=asset):
            source, destination = Place(key.symbol, asset), Place(BACKING, asset)
        case Transfer(source=left, destination=right, amount=amount, currency=asset):
            source, destination = Place(left, asset), Place(right, asset)
        case _:
            return None
    return Move(id=intent.id, source=source, destination=destination, amount=amount)


def is_over(intent: Intent) -> bool:
    """Whether an intent has ended, so that nothing it is told again may count again."""
    return intent.state in WITHOUT_EFFECT or (
        intent.state is IntentState.APPLIED and intent.applied is not None
    )


def followed(ledger: Ledger, intents: Iterable[Intent], *, is_carried: bool = False) -> Ledger:
    """Return the ledger after intents as they are now; told twice, nothing changes.

    Only the venue's history posts, and only a proof that there is no effect voids. A confirmation
    that is not read back, an unknown and a given-up effect stay pending; so does an effect whose
    size nobody says.

    Args:
        ledger: Before.
        intents: As they are now, whatever their state.
        is_carried: They were sent before the ledger was opened.
    """
    for intent in intents:
        move = move_of(intent)
        if move is None:
            continue
        if all(known.id != intent.id for known in ledger.moves):
            if is_carried and intent.state in WITHOUT_EFFECT:
                continue
            carried = replace(move, is_carried=is_carried)
            ledger = replace(ledger, moves=(*ledger.moves, carried))
        if intent.state is IntentState.APPLIED and intent.applied is not None:
            ledger = posted(ledger, intent.id, intent.applied)
        elif intent.state in WITHOUT_EFFECT:
            ledger = voided(ledger, intent.id)
    return ledger


def posted(ledger: Ledger, move_id: str, applied: Decimal) -> Ledger:
    """Return the ledger once a move is proven to have done so much; the rest returns.

    More than was sent cannot be one intent's effect: the excess stays a gap until a line of the
    venue's ledger explains it.

    Raises:
        ValueError: The move is not known, has ended otherwise, or the amount is below 0.
    """
    if applied < 0:
        raise ValueError(f"applied must be >= 0, was {applied}")
    move = _known(ledger, move_id)
    arrived = min(applied, move.amount)
    if (move.stage, move.arrived) == (Stage.POSTED, arrived):
        return ledger
    return _ended(ledger, move, replace(move, stage=Stage.POSTED, arrived=arrived))


def voided(ledger: Ledger, move_id: str) -> Ledger:
    """Return the ledger once a move is proven to have done nothing.

    Raises:
        ValueError: The move is not known or has ended otherwise.
    """
    move = _known(ledger, move_id)
    if move.stage is Stage.VOID:
        return ledger
    return _ended(ledger, move, replace(move, stage=Stage.VOID))


def sighted(ledger: Ledger, move_id: str, amount: Decimal | None) -> Ledger:
    """Return the ledger with what a line shows of a move: no proof, but it explains looks."""
    return replace(
        ledger,
        moves=tuple(replace(m, seen=amount) if m.id == move_id else m for m in ledger.moves),
    )


def booked(ledger: Ledger, entry: Booked) -> Ledger:
    """Return the ledger with a change that no intent made; of one id only once."""
    if any(known.id == entry.id for known in ledger.booked):
        return ledger
    return replace(ledger, booked=(*ledger.booked, entry))


def entry_of(row: LedgerRow, *, is_carried: bool = False) -> Booked:
    """Return what a line of the venue's ledger changes."""
    wallet = Place(row.wallet, row.asset)
    if row.kind.is_margin:
        changes = [(Place(row.symbol, row.asset), row.amount), (wallet, -row.amount)]
    else:
        changes = [(wallet, row.amount)]
        if row.kind.is_transfer and row.other:
            changes.append((Place(row.other, row.asset), -row.amount))
    return Booked(id=row.id, at=row.at, changes=tuple(changes), is_carried=is_carried)


def imbalance(ledger: Ledger, asset: str) -> Decimal:
    """Return what the ledger holds, with what is on its way, beyond what it was given. [asset].

    0 whatever happens: double entry makes nothing and loses nothing.
    """
    found = (*ledger.balances(), *(move.source for move in ledger.moves))
    places = {place for place in found if place.asset == asset}
    held = sum((ledger.balance(place) for place in sorted(places)), ledger.pending(asset))
    given = sum((amount for place, amount in ledger.opening if place.asset == asset), ZERO)
    for entry in ledger.booked:
        if not entry.is_carried:
            given += sum((c for place, c in entry.changes if place.asset == asset), ZERO)
    return held - given


def compacted(ledger: Ledger) -> Ledger:
    """Return the same balances with what has ended folded into the opening."""
    return Ledger(
        opening=tuple(sorted(ledger.balances().items())),
        moves=tuple(m for m in ledger.moves if _is_doubtful(m)),
        booked=tuple(entry for entry in ledger.booked if entry.is_carried),
    )


def certain(ledger: Ledger) -> Ledger:
    """Return the ledger without lines that its opening may have."""
    return replace(ledger, booked=tuple(e for e in ledger.booked if not e.is_carried))


def conservation(ledger: Ledger, account: Account, *, at: datetime) -> tuple[Gap, ...]:
    """Return what the venue shows and the ledger does not explain, by asset.

    Wallets + isolated margins + pending = opening + booked. A pending move may have left its
    source or not and reached its destination or not; a line near the look may be in it or not.
    The combination that leaves least is taken. Of an asset that the account does not show there is
    no opinion: fees may be paid in one that nobody watches.

    Args:
        ledger: As it is.
        account: As observed.
        at: When the request for it left. Aware UTC.
    """
    there, ours = shown(account), ledger.balances()
    assets = sorted({place.asset for place in there})
    return tuple(_gap(asset, ledger, there, ours, at) for asset in assets)


def unsure(ledger: Ledger, at: datetime) -> tuple[Booked, ...]:
    """Return the lines that a look at an instant may have or not, by time."""
    near = (e for e in ledger.booked if e.at > at - BESIDE and not e.is_carried)
    return tuple(sorted(near, key=_by_time))


def usable(ledger: Ledger, wallet: Wallet, *, floor: Decimal) -> Decimal:
    """Return what may leave a wallet: min(reported - locked, ledger) - floor. [asset], >= 0."""
    balance = ledger.balance(Place(wallet.name, wallet.currency))
    steps = arithmetic.usable(
        reported=_steps(wallet.free, ROUND_FLOOR),
        ledger=_steps(balance, ROUND_FLOOR),
        floor=_steps(floor, ROUND_CEILING),
    )
    return steps * EXACT


def _gap(
    asset: str,
    ledger: Ledger,
    there: Mapping[Place, Decimal],
    ours: Mapping[Place, Decimal],
    at: datetime,
) -> Gap:
    change: dict[str, Decimal] = {}
    for place in {**there, **ours}:
        if place.asset == asset:
            _add(change, pool_of(place), there.get(place, ZERO) - ours.get(place, ZERO))
    names = sorted(change)
    ways = list(_ways(asset, ledger, at))
    if prod(len(way) for way in ways) > MOST_WAYS:
        ways = []
    best: tuple[Decimal, ...] | None = None
    for chosen in product(*ways):
        left = tuple(change[n] - sum((way.get(n, ZERO) for way in chosen), ZERO) for n in names)
        if best is None or _cost(names, left) < _cost(names, best):
            best = left
    assert best is not None  # noqa: S101 - a product has at least one element
    exact = tuple(ZERO if abs(amount) < EXACT else amount for amount in best)
    return Gap(asset=asset, pools=tuple(zip(names, exact, strict=True)))


def _ways(asset: str, ledger: Ledger, at: datetime) -> Iterator[list[dict[str, Decimal]]]:
    """Yield for each doubt what it may have changed, by pool."""
    for move in ledger.moves:
        if move.source.asset == asset and _is_doubtful(move):
            yield _ways_of(move)
    # The venue books in order: an opening has the oldest lines of those in doubt, a look lacks the
    # newest.
    carried = sorted((e for e in ledger.booked if e.is_carried), key=_by_time)
    for entries, sign in ((carried, 1), (unsure(ledger, at), -1)):
        yield _suffixes([e for e in entries if _touches(e, asset)], asset, sign=sign)


def _suffixes(entries: Sequence[Booked], asset: str, *, sign: int) -> list[dict[str, Decimal]]:
    """Return what the newest none, one, two, ... of some lines change, by pool."""
    change: dict[str, Decimal] = {}
    found = [dict(change)]
    for entry in reversed(entries):
        for pool, amount in _by_pool(entry, asset).items():
            _add(change, pool, sign * amount)
        found.append(dict(change))
    return found


def _by_time(entry: Booked) -> tuple[datetime, str]:
    return entry.at, entry.id


def _ways_of(move: Move) -> list[dict[str, Decimal]]:
    source, destination = pool_of(move.source), pool_of(move.destination)
    size = move.arrived
    if move.stage is Stage.PENDING:
        size = move.amount if move.seen is None else move.seen
    if source == destination:
        # Wallets and positions are different answers: an opening may have had one end alone.
        return [{}, {source: size}, {source: -size}] if move.is_carried else [{}]
    left, came = {source: -size}, {destination: size}
    ways = [{}, {**left, **came}]
    if move.stage is Stage.PENDING:
        ways.append(left)
    if move.is_carried:
        ways.append(came)
    return ways


def pool_of(place: Place) -> str:
    """Return the pool of a place: a wallet, or the futures wallet for all isolated margin."""
    return BACKING if "/" in place.where else place.where


def _touches(entry: Booked, asset: str) -> bool:
    return any(place.asset == asset for place, _ in entry.changes)


def _by_pool(entry: Booked, asset: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for place, change in [item for item in entry.changes if item[0].asset == asset]:
        _add(found, pool_of(place), change)
    return found


def _is_doubtful(move: Move) -> bool:
    """Whether it is not known what of it the balances have."""
    return move.stage is Stage.PENDING or (move.is_carried and move.stage is Stage.POSTED)


def _known(ledger: Ledger, move_id: str) -> Move:
    for move in ledger.moves:
        if move.id == move_id:
            return move
    raise ValueError(f"move {move_id} must be written before it ends")


def _ended(ledger: Ledger, move: Move, after: Move) -> Ledger:
    if move.stage is not Stage.PENDING:
        raise ValueError(f"move {move.id} has ended as {move.stage}, now {after.stage}")
    return replace(ledger, moves=tuple(after if m.id == move.id else m for m in ledger.moves))


def _add(found: dict[K, Decimal], key: K, change: Decimal) -> None:
    found[key] = found.get(key, ZERO) + change


def _cost(names: Iterable[str], left: Iterable[Decimal]) -> tuple[Decimal, Decimal]:
    """Return how much an explanation leaves open: first where every line is known, then in all."""
    sizes = {name: abs(amount) for name, amount in zip(names, left, strict=True)}
    return sizes.get(BACKING, ZERO), sum(sizes.values(), ZERO)


def _steps(amount: Decimal, rounding: str) -> int:
    return int((amount / EXACT).to_integral_value(rounding))
