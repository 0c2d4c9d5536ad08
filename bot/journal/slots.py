"""How does an emergency intent fit a slot so that a torn write is seen and loses nothing?

A slot is two halves. A state is written over the older half, so the newer one is whole until the
next is on the disk. A half begins and ends with a mark of the run that wrote it: the remains of a
torn write can never be completed by a later one. What is assumed: writing some sectors of 512 bytes
leaves the others alone.
"""

import struct
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bot.domain.intent import Intent, IntentState
from bot.errors import JournalError
from bot.schemas import decode, encode

SLOT_BYTES = 2048
HALF_BYTES = SLOT_BYTES // 2
_MAGIC = b"PLR1"
MARK_BYTES = 8
_HEAD = struct.Struct(f"<4sIQ{MARK_BYTES}sH")  # magic, CRC of what follows, serial, mark, length
_ROOM = HALF_BYTES - _HEAD.size - MARK_BYTES
_LATER_STATES = 320  # kept free in a new slot for what sending and settling add [bytes]
_CODE_BYTES, _TEXT_BYTES = 40, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One state that an intent reached.

    Attributes:
        state: The state.
        at: Aware UTC, venue time.
        applied: What took effect, of the action's own unit; ``None`` where nothing is proven.
        code: Of the answer; cut to 40 bytes.
        text: Of the answer, or the evidence; cut to 120 bytes, or to none where room is short.
        latency_ms: Of the send; ``None`` where none was answered. [ms]
    """

    state: IntentState
    at: datetime
    applied: Decimal | None = None
    code: str = ""
    text: str = ""
    latency_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """An emergency intent as the reserve keeps it, all the journal needs to take it over.

    Attributes:
        number: Grows with every intent of a reserve; the order of import.
        sequence: Of the poll that decided it.
        reason: The decision's.
        intent: With its present state.
        steps: Oldest first, beginning with WRITTEN; of several UNKNOWN the last.
    """

    number: int
    sequence: int
    reason: str
    intent: Intent
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What one slot holds now.

    Attributes:
        serial: Of its newest whole write; grows with every write to the file.
        half: Which half holds it, 0 or 1.
        reserved: ``None`` where the slot is free.
    """

    serial: int
    half: int
    reserved: Reserved | None


def empty_slot() -> bytes:
    """Return a slot that was never used."""
    return _half(b"", serial=0, mark=bytes(MARK_BYTES)) * 2


def first_half(reserved: Reserved, *, serial: int, mark: bytes) -> bytes:
    """Return the half of a new intent, with room left for every later state.

    Raises:
        JournalError: It is too long.
    """
    payload = _packed(reserved)
    if len(payload) > _ROOM - _LATER_STATES:
        raise JournalError(
            f"intent {reserved.intent.id} must fit {_ROOM - _LATER_STATES} bytes of the reserve, "
            f"has {len(payload)}"
        )
    return _half(payload, serial=serial, mark=mark)


def next_half(reserved: Reserved | None, *, serial: int, mark: bytes) -> bytes:
    """Return the half of a later state; ``None`` frees the slot.

    Texts are for people and are left out where they do not fit; codes, amounts and instants stay.

    Raises:
        JournalError: It is too long even so.
    """
    if reserved is None:
        return _half(b"", serial=serial, mark=mark)
    payload = _packed(reserved)
    if len(payload) > _ROOM:
        bare = tuple(replace(step, text="") for step in reserved.steps)
        payload = _packed(replace(reserved, steps=bare))
    if len(payload) > _ROOM:
        raise JournalError(
            f"state of intent {reserved.intent.id} must fit {_ROOM} bytes of the reserve, "
            f"has {len(payload)}"
        )
    return _half(payload, serial=serial, mark=mark)


def read_slot(data: bytes) -> Slot:
    """Return what a slot holds after whatever happened to its last write.

    An intent that was written and whose other half cannot be read counts as sent: the half may
    have said so, and what was sent is looked for, never dropped. Every other state is safe to go
    back to, since it is settled by looking or nothing had left.

    Raises:
        ValueError: Neither half can be read.
    """
    halves = [_read_half(data[:HALF_BYTES]), _read_half(data[HALF_BYTES:])]
    whole = [(half[0], number, half[1]) for number, half in enumerate(halves) if half is not None]
    if not whole:
        raise ValueError("neither half can be read")
    serial, number, payload = max(whole)
    try:
        reserved = decode(Reserved, zlib.decompress(payload)) if payload else None
    except zlib.error as error:
        raise ValueError(f"its payload cannot be unpacked: {error}") from error
    is_torn = len(whole) == 1
    if is_torn and reserved is not None and reserved.intent.state is IntentState.WRITTEN:
        sent = Step(state=IntentState.SENT, at=reserved.intent.written_at, text="torn write")
        reserved = replace(
            reserved,
            intent=replace(reserved.intent, state=IntentState.SENT),
            steps=(*reserved.steps, sent),
        )
    return Slot(serial=serial, half=number, reserved=reserved)


def step(
    state: IntentState,
    at: datetime,
    *,
    applied: Decimal | None = None,
    code: str = "",
    text: str = "",
    latency_ms: int | None = None,
) -> Step:
    """Return a state with its words cut to what a slot has room for."""
    return Step(
        state=state,
        at=at,
        applied=applied,
        code=_cut(code, _CODE_BYTES),
        text=_cut(text, _TEXT_BYTES),
        latency_ms=latency_ms,
    )


def _cut(words: str, limit: int) -> str:
    # A venue's text may hold half of a surrogate pair, which UTF-8 has no bytes for.
    raw = words.encode(errors="backslashreplace")
    return raw[:limit].decode(errors="ignore")


def _packed(reserved: Reserved) -> bytes:
    return zlib.compress(encode(reserved))


def _half(payload: bytes, *, serial: int, mark: bytes) -> bytes:
    rest = struct.pack(f"<Q{MARK_BYTES}sH", serial, mark, len(payload))
    rest += payload.ljust(_ROOM, b"\0") + mark
    return _MAGIC + struct.pack("<I", zlib.crc32(rest)) + rest


def _read_half(data: bytes) -> tuple[int, bytes] | None:
    magic, crc, serial, mark, length = _HEAD.unpack_from(data)
    is_whole = magic == _MAGIC and zlib.crc32(data[8:]) == crc and data.endswith(mark)
    return (serial, data[_HEAD.size : _HEAD.size + length]) if is_whole else None
