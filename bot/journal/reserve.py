"""How are emergency intents made durable when the journal cannot be?"""

import secrets
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self

from bot.domain.action import AddMargin, ReducePosition
from bot.domain.intent import (
    STEPS,
    Execution,
    Intent,
    IntentState,
    Outcome,
    Settlement,
    SignedRequest,
)
from bot.errors import JournalError, ReserveLost
from bot.journal import preallocated
from bot.journal.faults import file_error
from bot.journal.preallocated import Preallocated
from bot.journal.slots import (
    HALF_BYTES,
    MARK_BYTES,
    SLOT_BYTES,
    Reserved,
    Slot,
    Step,
    empty_slot,
    first_half,
    next_half,
    read_slot,
    step,
)

SLOTS = 1024
LOW = 100
"""Fewer free slots than this are worth an alarm."""

_STATE_OF = {
    Outcome.DONE: IntentState.DONE,
    Outcome.REJECTED: IntentState.REJECTED,
    Outcome.UNKNOWN: IntentState.UNKNOWN,
}


class ReserveExhausted(ReserveLost):
    """No slot is free: nothing more may be sent until the reserve is imported."""

    code = "reserve_exhausted"


class Reserve:
    """A file of slots for emergency intents, overwritten in place, each write on the disk.

    A call returns when the disk has its state. After an error of the disk nothing more is taken,
    since it is not known what the disk has.
    """

    def __init__(self, file: Preallocated, slots: Sequence[Slot], *, path: Path) -> None:
        self._file, self._path = file, path
        self._slots = list(slots)
        self._at = {s.reserved.intent.id: n for n, s in enumerate(slots) if s.reserved is not None}
        self._serial = max(slot.serial for slot in slots)
        self._mark = secrets.token_bytes(MARK_BYTES)
        self._failure: JournalError | None = None
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, slots: int = SLOTS) -> Self:
        """Open the reserve at ``path``, or make it, full size, if nothing is there.

        Args:
            path: The file, on the same disk as the journal.
            slots: How many it has.

        Raises:
            JournalError: It is in use, damaged, has holes or cannot be made or written; the text
                says what a person should do. A damaged file is not touched.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
        except OSError as error:
            raise file_error(path, error) from error
        if is_new:
            preallocated.create(path, empty_slot() * slots)
        file = Preallocated.open(path, size=slots * SLOT_BYTES)
        try:
            content = file.read(slots * SLOT_BYTES)
            return cls(file, _slots(content, path), path=path)
        except OSError as error:
            file.close()
            raise file_error(path, error) from error
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have it."""
        with self._turn:
            self._file.close()
            self._failure = self._failure or JournalError(f"reserve {self._path} is closed")

    @property
    def free(self) -> int:
        """How many further intents it takes."""
        return len(self._slots) - len(self._at)

    @property
    def is_low(self) -> bool:
        """Whether a person should be told that it fills up."""
        return self.free < LOW

    @property
    def warning(self) -> str | None:
        """Why it may fail on a full disk after all; ``None`` if nothing is known."""
        return preallocated.warning(self._path)

    def write(self, intents: Sequence[Intent], *, sequence: int, reason: str) -> None:
        """Write the intents of one emergency decision (state WRITTEN).

        Args:
            intents: Margin additions and reductions only.
            sequence: Of the poll that decided them.
            reason: The decision's.

        Raises:
            ReserveExhausted: There is no room for all of them; none was written.
            JournalError: Not durable, not an emergency's action, or an id was used before;
                nothing of it may be sent.
        """
        with self._turn:
            self._refuse(intents)
            free = (n for n, slot in enumerate(self._slots) if slot.reserved is None)
            for number, intent in zip(list(free), intents, strict=False):
                reserved = Reserved(
                    number=self._serial + 1,
                    sequence=sequence,
                    reason=reason,
                    intent=intent,
                    steps=(step(IntentState.WRITTEN, intent.written_at),),
                )
                self._put(
                    number, reserved, first_half(reserved, serial=self._serial + 1, mark=self._mark)
                )

    def sent(self, intent_id: str, request: SignedRequest) -> None:
        """Mark an intent SENT at the instant signed, before its first byte leaves.

        Raises:
            JournalError: Not durable, or not in state WRITTEN; the intent may not be sent.
        """
        self._step(intent_id, step(IntentState.SENT, request.signed_at))

    def conclude(self, execution: Execution, at: datetime) -> None:
        """Record what a send brought: DONE, REJECTED or UNKNOWN.

        Raises:
            JournalError: Not durable, or the intent is not in state SENT.
        """
        reached = step(
            _STATE_OF[execution.outcome],
            at,
            applied=execution.applied,
            code=execution.code,
            text=execution.text,
            latency_ms=execution.latency_ms,
        )
        self._step(execution.intent_id, reached)

    def drop(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was never sent.

        Raises:
            JournalError: Not durable, or the intent is not in state WRITTEN.
        """
        reached = step(IntentState.DROPPED, at, text=why)
        self._step(intent_id, reached)

    def settled(self, settlement: Settlement, at: datetime) -> None:
        """Record APPLIED or ABSENT for an intent that was unknown or is read back.

        Raises:
            JournalError: Not durable, nothing is proven, or the intent is settled already.
        """
        if settlement.applied is None:
            raise JournalError(f"intent {settlement.intent_id} must be proven to be settled")
        state = IntentState.APPLIED if settlement.applied else IntentState.ABSENT
        reached = step(state, at, applied=settlement.applied, text=settlement.text)
        self._step(settlement.intent_id, reached)

    def mark(self, intent_id: str, at: datetime, state: IntentState, why: str) -> None:
        """Record that an intent was doubted (UNKNOWN) or given up on (GAVE_UP).

        Raises:
            JournalError: Not durable, or that state may not follow its own.
        """
        self._step(intent_id, step(state, at, text=why))

    def open_intents(self) -> tuple[Intent, ...]:
        """Return intents that are not settled or not read back, oldest first."""
        return tuple(item.intent for item in self.kept() if item.intent.state.is_followed)

    def kept(self) -> tuple[Reserved, ...]:
        """Return everything that waits to be imported into the journal, oldest first."""
        with self._turn:
            held = [slot.reserved for slot in self._slots if slot.reserved is not None]
        return tuple(sorted(held, key=lambda item: item.number))

    def release(self, intent_id: str) -> None:
        """Free the slot of an intent that the journal now holds durably.

        Raises:
            JournalError: Not durable, or there is no such intent; it is imported again then.
        """
        with self._turn:
            number, _ = self._find(intent_id)
            self._put(number, None, next_half(None, serial=self._serial + 1, mark=self._mark))

    def _refuse(self, intents: Sequence[Intent]) -> None:
        ids = [intent.id for intent in intents]
        for intent in intents:
            if not isinstance(intent.action, AddMargin | ReducePosition):
                raise JournalError(
                    f"intent {intent.id} must add margin or reduce, was {intent.action.kind}: "
                    "nothing else is sent without the journal"
                )
            if intent.state is not IntentState.WRITTEN or intent.sent_at is not None:
                raise JournalError(f"intent {intent.id} must be new, was {intent.state}")
            if intent.id in self._at or ids.count(intent.id) > 1:
                raise JournalError(f"intent {intent.id} was used before")
        if len(intents) > self.free:
            raise ReserveExhausted(
                f"reserve {self._path} has {self.free} of {len(self._slots)} slots free, needs "
                f"{len(intents)}; make the journal writable again and restart, which imports them"
            )

    def _step(self, intent_id: str, reached: Step) -> None:
        with self._turn:
            number, reserved = self._find(intent_id)
            intent = reserved.intent
            if reached.state not in STEPS[intent.state]:
                allowed = " or ".join(b for b, after in STEPS.items() if reached.state in after)
                raise JournalError(
                    f"intent {intent_id} must be {allowed} to become {reached.state}, "
                    f"was {intent.state}"
                )
            sent_at = reached.at if reached.state is IntentState.SENT else intent.sent_at
            earlier = tuple(item for item in reserved.steps if item.state is not reached.state)
            after = replace(
                reserved,
                intent=replace(
                    intent,
                    state=reached.state,
                    sent_at=sent_at,
                    applied=intent.applied if reached.applied is None else reached.applied,
                ),
                steps=(*earlier, reached),
            )
            self._put(number, after, next_half(after, serial=self._serial + 1, mark=self._mark))

    def _find(self, intent_id: str) -> tuple[int, Reserved]:
        number = self._at.get(intent_id)
        reserved = None if number is None else self._slots[number].reserved
        if number is None or reserved is None:
            raise JournalError(f"intent {intent_id} must be in the reserve, was not")
        return number, reserved

    def _put(self, number: int, reserved: Reserved | None, half: bytes) -> None:
        if self._failure is not None:
            raise ReserveLost(f"nothing is recorded since an earlier failure: {self._failure}")
        before = self._slots[number]
        place = 1 - before.half
        try:
            at = number * SLOT_BYTES + place * HALF_BYTES
            self._file.overwrite(half, at=at, is_durable=True)
        except OSError as error:
            self._failure = ReserveLost(str(file_error(self._path, error)))
            raise self._failure from error
        self._serial += 1
        self._slots[number] = Slot(serial=self._serial, half=place, reserved=reserved)
        if reserved is not None:
            self._at[reserved.intent.id] = number
        elif before.reserved is not None:
            del self._at[before.reserved.intent.id]


def _slots(content: bytes, path: Path) -> list[Slot]:
    found: list[Slot] = []
    for begin in range(0, len(content), SLOT_BYTES):
        try:
            found.append(read_slot(content[begin : begin + SLOT_BYTES]))
        except ValueError as error:
            raise JournalError(
                f"reserve {path} is damaged in slot {begin // SLOT_BYTES} ({error}) and was left "
                "as it is; compare open positions and the last margin moves with the venue, move "
                "the file aside and start again to make a new one"
            ) from error
    return found
