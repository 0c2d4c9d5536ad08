"""How far had the journal come when it last told a caller that something is durable?

The database drops a damaged end of its log without a word, as it must after a crash. What was
acknowledged is therefore noted beside it, always after the disk has it: the note may be older
than the journal, never newer.
"""

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import orjson

from bot.errors import JournalError
from bot.journal import preallocated
from bot.journal.faults import file_error, start_new
from bot.journal.preallocated import Preallocated

SIZE = 4096
_NOTE_BYTES = 256  # written at once, within one sector of the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """What the journal must hold at least.

    Attributes:
        instance: Name of the journal.
        epoch: Number of its runs.
        decision: Row of the newest decision; 0 for none.
        event: Row of the newest event; 0 for none.
        hash: Of that event, in hexadecimal digits.
    """

    instance: str
    epoch: int
    decision: int
    event: int
    hash: str


def place_of(journal: Path) -> Path:
    """Return the file beside a journal."""
    return journal.with_name(journal.name + ".tip")


def read(journal: Path) -> Tip | None:
    """Return what was noted; ``None`` if there is no note, as beside a journal of schema 1.

    Raises:
        JournalError: It cannot be read or is damaged.
    """
    path = place_of(journal)
    try:
        with path.open("rb") as file:
            content = file.read(SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise file_error(path, error) from error
    try:
        return _tip(content)
    except (TypeError, ValueError) as error:
        raise JournalError(
            f"{path} is damaged: it cannot be proven that the journal is whole; "
            f"{start_new(journal)}"
        ) from error


class TipFile:
    """The note of the process that writes the journal."""

    def __init__(self, file: Preallocated, tip: Tip, *, path: Path) -> None:
        self._file, self._tip, self._path = file, tip, path

    @classmethod
    def open(cls, journal: Path, tip: Tip) -> Self:
        """Note what the journal holds at the start of a run.

        Raises:
            JournalError: It cannot be written.
        """
        path = place_of(journal)
        if not path.exists():
            preallocated.create(path, _note(tip).ljust(SIZE))
        file = Preallocated.open(path, size=SIZE, must_own=False)
        noted = cls(file, tip, path=path)
        try:
            noted._write()
        except BaseException:
            file.close()
            raise
        return noted

    def advance(self, *, decision: int = 0, event: int = 0, hash_: bytes = b"") -> None:
        """Note what the disk has now; an older row than noted changes nothing.

        Raises:
            JournalError: It cannot be noted; the row is durable all the same.
        """
        tip = self._tip
        if decision <= tip.decision and event <= tip.event:
            return
        is_newer = event > tip.event
        self._tip = Tip(
            instance=tip.instance,
            epoch=tip.epoch,
            decision=max(decision, tip.decision),
            event=event if is_newer else tip.event,
            hash=hash_.hex() if is_newer else tip.hash,
        )
        self._write()

    def close(self) -> None:
        """Let another process write it."""
        self._file.close()

    def _write(self) -> None:
        try:
            self._file.overwrite(_note(self._tip), at=0, is_durable=False)
        except OSError as error:
            raise file_error(self._path, error) from error


def _tip(content: bytes) -> Tip:
    crc, text = content[:_NOTE_BYTES].rstrip(b" ").split(b" ", 1)
    if len(content) != SIZE or int(crc, 16) != zlib.crc32(text):
        raise ValueError("its size or checksum differs")
    return Tip(**orjson.loads(text))


def _note(tip: Tip) -> bytes:
    text = orjson.dumps(asdict(tip))
    return (b"%08x " % zlib.crc32(text) + text).ljust(_NOTE_BYTES)
