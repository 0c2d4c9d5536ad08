"""How do log lines leave the program without ever holding it up?"""

import json
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import orjson
import structlog

from bot.domain.alarm import Alarm, Delivery
from bot.operate.console import event_line
from bot.operate.redact import Redactor
from bot.ports import Receipt, answer

Event = MutableMapping[str, Any]
Level = Literal["debug", "info", "warning", "error"]

_LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How the log looks and how much of it waits.

    Attributes:
        level: The least that is shown.
        view: ``json`` for machines, ``console`` for people, ``auto`` for the console on a
            terminal and JSON elsewhere.
        every: On the console, one hold decision in so many is shown.
        queue: Lines that may wait for a slow reader; more are dropped and counted.
        flush_s: How long the end of the program waits for them. [s]
    """

    level: Level = "info"
    view: Literal["auto", "json", "console"] = "auto"
    every: int = 1
    queue: int = 2000
    flush_s: float = 2.0


_JSON = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
_LOOK_AGAIN_MS = 1000
_RECEIPT = "_receipt"


class Pipe:
    """A bounded queue and a thread that writes it to a file descriptor of its own."""

    def __init__(self, fd: int, *, limit: int) -> None:
        self._fd = os.dup(fd)
        self._limit = limit
        self._lines: deque[tuple[bytes, Future[Delivery] | None]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._broken = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines dropped since the last line that was taken."""
        return self._dropped

    def offer(self, line: Callable[[int], bytes], delivery: Future[Delivery] | None = None) -> bool:
        """Take a line without waiting, or count it as dropped; return whether it was taken.

        Args:
            line: Gives the line, told how many were dropped before it.
            delivery: Told what became of it; ``None`` where nobody asks.
        """
        with self._wake:
            is_taken = not (self._broken or self._closing or len(self._lines) >= self._limit)
            if is_taken:
                dropped, self._dropped = self._dropped, 0
                self._lines.append((line(dropped), delivery))
                self._wake.notify()
            else:
                self._dropped += 1
        if not is_taken:
            _answer([delivery], Delivery.DROPPED)
        return is_taken

    def close(self, *, timeout_s: float) -> bool:
        """Write what waits, for a limited time; return whether all of it left. [s]"""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():  # blocked in a write; it ends with the process
            return False
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        return not self._broken

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                # Lines leave the queue only after they are written, so a stuck reader cannot
                # make more than the limit wait.
                batch = b"".join(line for line, _ in self._lines)
                asked = [delivery for _, delivery in self._lines]
            written = self._write(batch)
            with self._wake:
                for _ in asked:
                    self._lines.popleft()
                if not written:
                    self._broken = True
                    asked += [delivery for _, delivery in self._lines]
                    self._dropped += len(asked)
                    self._lines.clear()
            _answer(asked, Delivery.DELIVERED if written else Delivery.FAILED)
            if not written:
                return

    def _write(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:  # someone made the shared pipe non-blocking
                waiting = select.poll()
                waiting.register(self._fd, select.POLLOUT)
                waiting.poll(_LOOK_AGAIN_MS)
            except OSError:  # the reader is gone
                return False
        return True


def _answer(asked: Iterable[Future[Delivery] | None], what: Delivery) -> None:
    for delivery in asked:
        if delivery is not None:
            answer(delivery, what)


class Logs:
    """The log of the process: structlog and the standard library through one pipe.

    Attributes:
        dropped: Lines nobody can read any more, not yet reported in a later line.
    """

    def __init__(self, settings: LogSettings, *, redactor: Redactor, fd: int = 1) -> None:
        is_terminal = os.isatty(fd)
        self._settings = settings
        self._pipe = Pipe(fd, limit=settings.queue)
        self._console = settings.view == "console" or (settings.view == "auto" and is_terminal)
        self._colours = is_terminal and "NO_COLOR" not in os.environ
        self._bridge = _Bridge()
        self._asked = threading.local()
        self._processors: list[Any] = [
            self._take_receipt,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            redactor,
            self._send,
        ]

    @property
    def dropped(self) -> int:
        """Lines dropped and not yet reported."""
        return self._pipe.dropped

    @property
    def is_console(self) -> bool:
        """Whether lines are made for people."""
        return self._console

    def __enter__(self) -> Self:
        """Send everything that is logged from now on through this log."""
        level = _LEVELS[self._settings.level]
        structlog.configure(
            processors=self._processors,
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=lambda *_: None,
            cache_logger_on_first_use=False,
        )
        # Libraries show requests with their signatures at DEBUG: never less than INFO from them.
        self._bridge.setLevel(max(level, logging.INFO))
        root = logging.getLogger()
        self._root_level = root.level
        root.setLevel(max(level, logging.INFO))
        root.addHandler(self._bridge)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Flush for a limited time and let go of the standard library."""
        root = logging.getLogger()
        root.removeHandler(self._bridge)
        root.setLevel(self._root_level)
        structlog.reset_defaults()
        self._pipe.close(timeout_s=self._settings.flush_s)

    def _take_receipt(self, _logger: object, _method: str, event: Event) -> Event:
        # No other processor sees it: it is nothing to show.
        self._asked.delivery = event.pop(_RECEIPT, None)
        return event

    def _send(self, _logger: object, _method: str, event: Event) -> Event:
        self._pipe.offer(lambda dropped: self._line(event, dropped), self._asked.delivery)
        raise structlog.DropEvent  # the line has left; there is no logger behind this one

    def _line(self, event: Event, dropped: int) -> bytes:
        if dropped:
            event["dropped"] = dropped
        if self._console:
            line = event_line(event, colours=self._colours)
            return line.encode(errors="backslashreplace") + b"\n"
        try:
            return orjson.dumps(event, default=str, option=_JSON)
        except TypeError:  # half a surrogate pair, an integer beyond 64 bits
            line = json.dumps(event, default=str, skipkeys=True, ensure_ascii=False)
            return line.encode(errors="replace") + b"\n"


class _Bridge(logging.Handler):
    """Passes lines of the standard library on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        # A line that cannot be made must not break the library that logged it.
        with suppress(Exception):
            structlog.get_logger().log(
                record.levelno,
                record.getMessage(),
                logger=record.name,
                exc_info=record.exc_info or None,
            )


class DecisionLog:
    """The `Sink` that logs one line per decision."""

    def __init__(self, *, every: int = 1) -> None:
        """Make the sink.

        Args:
            every: One hold decision in so many is shown, with the number left out before it;
                any other decision is shown always.
        """
        self._every = max(every, 1)
        self._holds = 0
        self._skipped = 0
        self.failed = 0
        """Records that could not be logged."""

    def publish(self, record: dict[str, Any]) -> None:
        """Log one record without waiting and without raising."""
        try:
            self._publish(record)
        except Exception:  # noqa: BLE001 - a view must not stop the bot, whatever is wrong with it
            self.failed += 1

    def alarm(self, alarm: Alarm) -> Receipt:
        """Log one alarm without waiting and without raising."""
        delivery: Future[Delivery] = Future()
        try:
            structlog.get_logger().error(
                "alarm",
                code=alarm.code,
                text=alarm.text,
                intent=alarm.intent_id,
                **{_RECEIPT: delivery},
            )
        except Exception:  # noqa: BLE001 - as in `publish`
            self.failed += 1
            answer(delivery, Delivery.FAILED)
        return Receipt(sink="log", delivery=delivery)

    def _publish(self, record: Mapping[str, Any]) -> None:
        if record.get("verdict") == "hold":
            self._holds += 1
            if (self._holds - 1) % self._every:
                self._skipped += 1
                return
        else:
            self._holds = 0
        skipped, self._skipped = self._skipped, 0
        more = {"skipped": skipped} if skipped else {}
        structlog.get_logger().info("decision", record=record, **more)
