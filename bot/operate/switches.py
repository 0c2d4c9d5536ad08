"""What has a person switched, in this process, in another one, or before the restart?

Three files in the state directory say it: ``kill.latch`` and ``pause.latch`` hold one byte each
and are overwritten in place; ``kill`` is any file of that name, made by any shell. Who switches
off changes memory first and the disk after it; who switches on again, the disk first: whatever
fails on the way, the stricter state stands.
"""

import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.domain.switch import Pause, Switches
from bot.errors import JournalError
from bot.operate.latch import Latch, changed_at

KILL_FILE = "kill"
KILL_LATCH = "kill.latch"
PAUSE_LATCH = "pause.latch"

# Far apart in their bits: a flipped one turns no kill into a permission.
_READY, _KILLED = b"-", b"K"
_LEVELS = {_READY: Pause.NONE, b"O": Pause.OPTIONAL, b"A": Pause.ALL}
_BYTES = {level: byte for byte, level in _LEVELS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the files say.

    Attributes:
        killed: Somebody said so.
        is_latched: The latch itself says so.
        doubt: The latch cannot be believed; counts as killed for as long as that lasts.
        pause: The level; ALL where it cannot be read.
        paused: Why; ``None`` when nothing is paused.
        resumed_at: When the pause was last taken back.
    """

    killed: _Cause | None
    is_latched: bool
    doubt: _Cause | None
    pause: Pause
    paused: _Cause | None
    resumed_at: datetime | None

    def switches(self) -> Switches:
        """Return how the switches stand by these files alone."""
        return _switches(self.killed or self.doubt, self.pause, self.paused, self.resumed_at)


class FileSwitchboard:
    """The switches of one state directory; the `Switchboard` of the bot.

    `state` is one attribute of an immutable value: reading it takes no lock and no I/O. A change
    made by any thread of this process is in it at once; one made by another process after the
    next `look`, which the watch thread calls every 100 ms.
    """

    def __init__(self, state_dir: Path) -> None:
        """Make the files at the first start, then take over what they say.

        Raises:
            JournalError: They cannot be made.
        """
        self._state_dir = state_dir
        self._kill_file = state_dir / KILL_FILE
        self._latch, self._level = _latches(state_dir)
        self._disk = threading.Lock()
        self._memory = threading.Lock()  # never held over I/O: a hung disk must not delay a kill
        self._waiting = 0  # kills that are in memory and wait for the disk
        self._killed: _Cause | None = None
        self._is_latched = False
        self._doubt: _Cause | None = None
        self._pause = Pause.NONE
        self._paused: _Cause | None = None
        self._is_pause_written = True
        self._resumed_at: datetime | None = None
        self._state = Switches()
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            if not is_made(state_dir):  # where one of two is missing, somebody removed it
                self._latch.make(_READY)
                self._level.make(_READY)
        except OSError as error:
            raise self._fault("cannot be made", error) from error
        self.look()

    @property
    def state(self) -> Switches:
        """How the switches stand."""
        return self._state

    def kill(self, why: str = "told to") -> None:
        """Forbid every write until `rearm`; the memory of this process first, then the disk.

        Where the latch cannot be written, the file ``kill`` is made instead.

        Args:
            why: Who or what said so, for people.

        Raises:
            JournalError: Nothing is on the disk: this process is killed, its successor would not
                be. `look` tries again.
        """
        with self._memory:
            self._waiting += 1
            self._killed = self._killed or _Cause(at=_now(), why=why)
            self._is_latched = False
            self._show()
        with self._disk:
            try:
                self._put_down_kill()
            finally:
                with self._memory:
                    self._waiting -= 1

    def rearm(self) -> None:
        """Take a kill back: remove the file ``kill``, mend the latch, then allow writes again.

        Raises:
            JournalError: The disk refused; it stays killed.
        """
        with self._disk:
            try:
                self._kill_file.unlink(missing_ok=True)
                self._latch.make(_READY)
                self._latch.write(_READY)
            except OSError as error:
                raise self._fault("stay killed", error) from error
            with self._memory:
                if not self._waiting:  # else somebody said kill meanwhile: the kill wins
                    self._killed, self._is_latched, self._doubt = None, False, None
                self._show()

    def pause(self, level: Pause = Pause.OPTIONAL, why: str = "told to") -> None:
        """Forbid what a level forbids until `resume`.

        Args:
            level: OPTIONAL or ALL.
            why: Who or what said so, for people.

        Raises:
            JournalError: The disk refused: the stricter of the old and the new level holds in
                this process, and `look` tries again.
            ValueError: ``level`` is NONE.
        """
        if level is Pause.NONE:
            raise ValueError("level must be optional or all, was none; resume takes a pause back")
        with self._disk:
            cause = _Cause(at=_now(), why=why)
            with self._memory:
                self._pause, self._paused = max(self._pause, level, key=_strictness), cause
                self._is_pause_written = False
                self._show()
            self._put_down_pause(level)
            with self._memory:
                self._pause, self._is_pause_written = level, True
                self._show()

    def resume(self) -> None:
        """Take a pause back, and ask a bot that only observes to protect again.

        Raises:
            JournalError: The disk refused; it stays paused.
        """
        with self._disk:
            self._put_down_pause(Pause.NONE)
            _, _, resumed_at = _find_pause(self._level, is_first=False)
            with self._memory:
                self._pause, self._paused, self._is_pause_written = Pause.NONE, None, True
                self._resumed_at = resumed_at
                self._show()

    def look(self) -> None:
        """Take over what the files say, latch a kill that is not latched; raises nothing."""
        with self._disk:
            found = _find(self._kill_file, self._latch, self._level)
            with self._memory:
                self._take_over(found)
                self._show()
            self._try_again()

    def distrust(self, why: str) -> None:
        """Count as killed in this process until a `look` succeeds; nothing is latched.

        Args:
            why: What cannot be relied on, for people.
        """
        with self._memory:
            self._doubt = _Cause(at=_now(), why=why)
            self._show()

    def close(self) -> None:
        """Let go of the files; what was switched stays."""
        with self._disk:
            self._latch.close()
            self._level.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _take_over(self, found: _Found) -> None:
        if found.killed is not None:
            self._killed = self._killed or found.killed
            self._is_latched = found.is_latched
        elif found.doubt is not None:
            self._is_latched = False
        elif self._is_latched and not self._waiting:
            # It was on the disk and is not any more: another process re-armed.
            self._killed, self._is_latched = None, False
        is_same_doubt = self._doubt and found.doubt and self._doubt.why == found.doubt.why
        self._doubt = self._doubt if is_same_doubt else found.doubt
        if self._is_pause_written:
            is_same = self._pause is found.pause and self._paused is not None
            self._paused = self._paused if is_same else found.paused
            self._pause = found.pause
            self._resumed_at = found.resumed_at or self._resumed_at

    def _try_again(self) -> None:
        try:
            if self._killed is not None and not self._is_latched:
                self._put_down_kill()
            if not self._is_pause_written:
                self._put_down_pause(self._pause)
                self._is_pause_written = True
        except JournalError as error:
            with self._memory:
                self._doubt = self._doubt or _Cause(at=_now(), why=str(error))
                self._show()

    def _put_down_kill(self) -> None:
        try:
            self._latch.write(_KILLED)
        except OSError as error:
            try:
                if not os.path.lexists(self._kill_file):
                    self._kill_file.touch()
            except OSError:
                raise self._fault("did not take the kill", error) from error
        with self._memory:
            self._is_latched = True

    def _put_down_pause(self, level: Pause) -> None:
        try:
            self._level.make(_READY)
            self._level.write(_BYTES[level])
        except OSError as error:
            raise self._fault(f"did not take pause {level}", error) from error

    def _show(self) -> None:
        self._state = _switches(
            self._killed or self._doubt, self._pause, self._paused, self._resumed_at
        )

    def _fault(self, what: str, error: OSError) -> JournalError:
        return JournalError(
            f"switches in {self._state_dir} {what} ({_reason(error)}); check the disk, owner and "
            f"permissions; to kill by hand: touch {self._kill_file}"
        )


def kill_in(state_dir: Path, why: str) -> None:
    """Kill the bot of a directory from another process, by whatever the disk still takes.

    Args:
        state_dir: It exists.
        why: Who or what said so, for people.

    Raises:
        JournalError: Nothing is on the disk: the bot is not killed.
    """
    try:
        with FileSwitchboard(state_dir) as board:
            board.kill(why)
    except JournalError:
        try:
            (state_dir / KILL_FILE).touch()
        except OSError:
            pass
        else:
            return
        raise


def is_made(state_dir: Path) -> bool:
    """Whether a bot, or a person, ever made switches in this directory."""
    return any(os.path.lexists(state_dir / name) for name in (KILL_LATCH, PAUSE_LATCH))


def seen_in(state_dir: Path) -> Switches:
    """Return how the switches of a directory stand, as a bot that starts now would find them.

    Changes and makes nothing.
    """
    latch, level = _latches(state_dir)
    try:
        found = _find(state_dir / KILL_FILE, latch, level, is_first=not is_made(state_dir))
        return found.switches()
    finally:
        latch.close()
        level.close()


def _latches(state_dir: Path) -> tuple[Latch, Latch]:
    return (
        Latch(state_dir / KILL_LATCH, values=_READY + _KILLED),
        Latch(state_dir / PAUSE_LATCH, values=b"".join(_LEVELS)),
    )


def _find(kill_file: Path, latch: Latch, level: Latch, *, is_first: bool = False) -> _Found:
    asked = doubt = None
    try:
        asked = _Cause(at=changed_at(kill_file.lstat()), why=f"the file {kill_file} is there")
    except FileNotFoundError:
        pass
    except OSError as error:
        doubt = _doubt(kill_file, _reason(error))
    latched, unsure = _find_latched(latch, is_first=is_first)
    pause, paused, resumed_at = _find_pause(level, is_first=is_first)
    return _Found(
        killed=latched or asked,
        is_latched=latched is not None,
        doubt=doubt or unsure,
        pause=pause,
        paused=paused,
        resumed_at=resumed_at,
    )


def _find_latched(latch: Latch, *, is_first: bool) -> tuple[_Cause | None, _Cause | None]:
    try:
        reading = latch.read()
    except FileNotFoundError as error:
        return None, None if is_first else _doubt(latch.path, _reason(error))
    except OSError as error:
        return None, _doubt(latch.path, _reason(error))
    except ValueError as error:
        return None, _doubt(latch.path, str(error))
    cause = _Cause(at=reading.at, why="latched on disk")
    return (cause if reading.byte == _KILLED else None), None


def _find_pause(level: Latch, *, is_first: bool) -> tuple[Pause, _Cause | None, datetime | None]:
    try:
        reading = level.read()
    except FileNotFoundError as error:
        if is_first:
            return Pause.NONE, None, None
        return Pause.ALL, _unknown_pause(level.path, _reason(error)), None
    except OSError as error:
        return Pause.ALL, _unknown_pause(level.path, _reason(error)), None
    except ValueError as error:
        return Pause.ALL, _unknown_pause(level.path, str(error)), None
    pause = _LEVELS[reading.byte]
    if pause is Pause.NONE:
        return pause, None, reading.at
    return pause, _Cause(at=reading.at, why="paused on disk"), None


def _switches(
    killed: _Cause | None, pause: Pause, paused: _Cause | None, resumed_at: datetime | None
) -> Switches:
    strictest = killed or paused
    return Switches(
        killed=killed is not None,
        pause=pause,
        since=None if strictest is None else strictest.at,
        why="" if strictest is None else strictest.why,
        resumed_at=resumed_at,
    )


def _doubt(path: Path, what: str) -> _Cause:
    return _Cause(at=_now(), why=f"{path}: {what}; counts as killed, plimsoll rearm mends it")


def _unknown_pause(path: Path, what: str) -> _Cause:
    return _Cause(at=_now(), why=f"{path}: {what}; counts as pause all, plimsoll resume mends it")


def _now() -> datetime:
    return datetime.now(UTC)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _strictness(level: Pause) -> int:
    return tuple(Pause).index(level)
