"""What became of a margin move, where the venue keeps no list of them?

The margin of a position before the first of them, and as it is now: the difference is a sum of some
of those that were sent since. Amounts carry digits of their own, so there is one such sum, or none
and nothing is proven. A run that did not see the position before the send cannot tell.

Where a margin follows from rounded numbers, its last digits come and go; what is moved has a few
decimals. So changes are rounded to those, and a margin that nobody moved stays the same.
"""

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from bot.clock import VenueClock
from bot.domain.action import AddMargin, RemoveMargin
from bot.domain.intent import Intent
from bot.domain.position import Position, PositionKey
from bot.domain.timing import WINDOW, settle_point
from bot.errors import ExchangeError

ZERO = Decimal(0)
MOST_OPEN = 10
"""Moves of one position whose sums are tried."""
FINEST = Decimal("0.0001")
"""Of what is added to a position or taken from it, where a venue says no other. [settle]"""

Read = Callable[[PositionKey], Awaitable[Position | None]]
"""Returns a position as it is now, ``None`` where it is not held."""


class _Move(NamedTuple):
    """One move that was sent.

    Attributes:
        amount: Signed. [settle]
        at: When it was. Aware UTC.
    """

    amount: Decimal
    at: datetime


@dataclass(slots=True, kw_only=True)
class _Track:
    """One position and what was sent to it.

    Attributes:
        size: As it was seen. Signed. [base or quote]
        base: Its margin before what was sent; ``None`` where that was not seen. [settle]
        moves: By the name of the intent.
        is_moved: Whether an order of ours may have changed it since.
    """

    size: Decimal
    base: Decimal | None
    moves: dict[str, _Move] = field(default_factory=dict)
    is_moved: bool = False


class Margins:
    """Remembers margins and what was sent to them, of one run."""

    def __init__(
        self,
        read: Read,
        clock: VenueClock,
        *,
        window: float = WINDOW,
        finest: Decimal = FINEST,
    ) -> None:
        """Take how the venue is asked, and by what it moves margin.

        Args:
            read: Asks.
            clock: Of the venue.
            window: How long it accepts a request. [s]
            finest: Step of what is moved. [settle]
        """
        self._read, self._clock = read, clock
        self._over_after = 2 * settle_point(window)
        self._finest = finest
        self._tracks: dict[PositionKey, _Track] = {}
        self._ends: dict[str, Decimal] = {}
        """What is proven of moves, by the name of the intent. [settle]"""
        self._first: dict[PositionKey, Position] = {}
        """As first seen with their size, entry and setting."""

    def steady(self, position: Position) -> Position:
        """Return a position whose margin differs from the first one seen by whole steps."""
        first = self._first.get(position.key)
        if first is None or _shape(first) != _shape(position):
            self._first[position.key] = position
            return position
        change = (position.margin - first.margin).quantize(self._finest, rounding=ROUND_HALF_EVEN)
        return replace(position, margin=first.margin + change)

    def saw(self, positions: Iterable[Position]) -> None:
        """Take over a look; once nothing is open, or can be proven, it is a new beginning."""
        for position in positions:
            track = self._tracks.get(position.key)
            if track is not None:
                self._prove(track, position)
                open_ = self._open(track)
                if open_ and not all(self._is_over(track.moves[name].at) for name in open_):
                    continue
            self._tracks[position.key] = _Track(size=position.size, base=position.margin)

    async def ordered(self, key: PositionKey) -> None:
        """Take over that an order of ours is about to change a position.

        What was sent to it shows now or never: afterwards its margin is another one.
        """
        track = self._tracks.get(key)
        if track is None:
            return
        if self._open(track):
            with contextlib.suppress(ExchangeError):
                self._prove(track, await self._read(key))
        track.is_moved = True

    async def before(self, intent: Intent) -> None:
        """Take over a margin move that is about to be sent.

        The look is enough, unless an order has left since; then the position is read once.
        """
        action = intent.action
        assert isinstance(action, AddMargin | RemoveMargin)  # noqa: S101 - nothing else is tracked
        track = self._tracks.get(action.key)
        if track is None or track.is_moved:
            track = await self._again(action.key, track)
        amount = action.amount if isinstance(action, AddMargin) else -action.amount
        track.moves[intent.id] = _Move(amount, self._clock.now())

    def refused(self, intent: Intent) -> None:
        """Take over that a move had no effect."""
        self._ends[intent.id] = ZERO

    async def found(self, intent: Intent) -> Decimal | None:
        """Return what is proven of a move; 0 for no trace of it, ``None`` for nothing. [settle].

        Raises:
            ExchangeError: The position could not be read.
        """
        if intent.id in self._ends:
            return self._ends[intent.id]
        action = intent.action
        assert isinstance(action, AddMargin | RemoveMargin)  # noqa: S101 - nothing else is tracked
        track = self._tracks.get(action.key)
        if track is None or intent.id not in track.moves:
            return None
        if not self._prove(track, await self._read(action.key)):
            return None
        return self._ends.get(intent.id, ZERO)

    def _prove(self, track: _Track, now: Position | None) -> bool:
        """Learn from a position what became of open moves; ``False`` where it proves nothing."""
        # What an order of ours may have changed is no sum of moves.
        if now is None or track.base is None or track.is_moved or now.size != track.size:
            return False
        applied = self._explaining(track, now.margin - track.base)
        if applied is None:
            return False
        for name in self._open(track):
            amount, at = track.moves[name]
            if name in applied:
                self._ends[name] = abs(amount)
            elif self._is_over(at):
                self._ends[name] = ZERO
        return True

    async def _again(self, key: PositionKey, track: _Track | None) -> _Track:
        try:
            now = await self._read(key)
        except ExchangeError:
            now = None  # it is sent all the same, and nothing will be proven of it
        if track is not None and self._open(track):
            track.base = None
            return track
        fresh = _Track(
            size=ZERO if now is None else now.size, base=None if now is None else now.margin
        )
        self._tracks[key] = fresh
        return fresh

    def _is_over(self, sent_at: datetime) -> bool:
        """Whether what was sent then cannot arrive any more."""
        return self._clock.now() - sent_at > self._over_after

    def _open(self, track: _Track) -> list[str]:
        return [name for name in track.moves if name not in self._ends]

    def _explaining(self, track: _Track, change: Decimal) -> frozenset[str] | None:
        """Return the moves that a change is the sum of; ``None`` for none or more than one such."""
        amounts = {name: move.amount for name, move in track.moves.items()}
        done = [name for name in amounts if self._ends.get(name)]
        left = change - sum((amounts[name] for name in done), ZERO)
        open_ = self._open(track)
        if len(open_) > MOST_OPEN:
            return None
        fits = [
            some
            for count in range(len(open_) + 1)
            for some in itertools.combinations(open_, count)
            if sum((amounts[name] for name in some), ZERO) == left
        ]
        return frozenset(fits[0]) if len(fits) == 1 else None


def _shape(position: Position) -> tuple[Decimal, Decimal, Decimal]:
    return position.size, position.entry_price, position.leverage_setting
