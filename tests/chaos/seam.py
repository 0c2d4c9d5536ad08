"""Which step has a bot reached, and what is done to it there?

What is watched is wrapped from outside: the journal, its note, the emergency reserve, the HTTP
client. Nothing of it is part of the bot. Three distortions lead it to steps that it would reach
once in months.
"""

import asyncio
import functools
import os
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from bot import clock
from bot.domain.intent import Intent, IntentState, Settlement
from bot.errors import JournalLost, Unavailable
from bot.exchanges.binance.adapter import BinanceVenue
from bot.execute import resolve
from bot.execute.resolve import Resolver
from bot.journal import database
from bot.journal.reserve import Reserve
from bot.journal.sqlite import SqliteJournal
from bot.journal.tip import TipFile
from bot.journal.writer import Writer


class Steps:
    """The steps that a process reached, in a file that outlives it."""

    def __init__(self, file: str, *, at: str, signal: int) -> None:
        self._fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._at, self._signal = at, signal
        self._is_armed = True
        self.kinds: dict[str, str] = {}
        """What each known intent does."""
        self.confirmed: set[str] = set()
        """Intents that the exchange confirmed and nobody has read back."""
        self.sending = ""
        """What is on its way: an action's kind between `sent` and `conclude`."""

    def reached(self, name: str, *facts: str) -> None:
        """Note a step with its time and its facts; raise the signal if it is the one."""
        line = " ".join((name, f"{time.monotonic():.4f}", *facts))
        os.write(self._fd, f"{line}\n".encode())
        if self._is_armed and name == self._at:
            self._is_armed = False
            os.kill(os.getpid(), self._signal)

    def know(self, intents: Any) -> None:
        """Remember what intents do."""
        for intent in intents:
            if isinstance(intent, Intent):
                self.kinds[intent.id] = intent.action.kind
                if intent.state is IntentState.DONE:
                    self.confirmed.add(intent.id)


_step: ContextVar[tuple[str, tuple[str, ...]]] = ContextVar("step", default=("", ()))


def watch(steps: Steps) -> None:
    """Note each step of the journal, of what stands in for it, and of the wire."""
    _watch_open(steps)
    _watch_reserve(steps)
    for name, described in _JOURNAL_CALLS.items():
        original = getattr(SqliteJournal, name)
        setattr(SqliteJournal, name, _named(original, name, described, steps))
    commit = Writer.do

    async def do(self: Writer, work: Callable[[Any], Any]) -> Any:
        name, ids = _step.get()
        if not name:
            return await commit(self, work)
        steps.reached(f"{name}.before")

        def inside(connection: Any) -> Any:
            result = work(connection)
            steps.reached(f"{name}.inside")  # the rows are written and not committed
            return result

        result = await commit(self, inside)
        steps.reached(f"{name}.after", *ids)
        return result

    Writer.do = do  # type: ignore[method-assign]  # the seam of this test
    _watch_wire(steps)


def _watch_open(steps: Steps) -> None:
    original = SqliteJournal.begin.__func__  # type: ignore[attr-defined]  # a class method

    def begun(cls: type[SqliteJournal], /, *what: Any, **options: Any) -> SqliteJournal:
        steps.reached("open.before")
        journal: SqliteJournal = original(cls, *what, **options)
        steps.reached("open.after")
        return journal

    SqliteJournal.begin = classmethod(begun)  # type: ignore[assignment,method-assign]  # the seam of this test
    create, noted = database.create, TipFile.open.__func__  # type: ignore[attr-defined]  # a class method

    def created(path: Path, **options: Any) -> None:
        steps.reached("create.before")
        create(path, **options)
        steps.reached("create.after")

    def note(cls: type[TipFile], /, path: Path, tip: Any) -> TipFile:
        steps.reached("open.inside")  # the new run is committed and not noted beside the journal
        file: TipFile = noted(cls, path, tip)
        return file

    database.create = created
    TipFile.open = classmethod(note)  # type: ignore[assignment,method-assign]  # the seam of this test
    advance = TipFile.advance

    def advanced(self: TipFile, **rows: Any) -> None:
        advance(self, **rows)
        steps.reached("note.after")

    TipFile.advance = advanced  # type: ignore[method-assign]  # the seam of this test


def _watch_reserve(steps: Steps) -> None:
    for name, described in _RESERVE_CALLS.items():
        original = getattr(Reserve, name)
        setattr(Reserve, name, _in_reserve(original, name, described, steps))


def _in_reserve(
    original: Callable[..., Any],
    name: str,
    described: Callable[..., tuple[str, ...]],
    steps: Steps,
) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Reserve, *args: Any, **options: Any) -> Any:
        facts = described(steps, *args)
        steps.reached(f"reserve:{name}.before")
        result = original(self, *args, **options)
        steps.reached(f"reserve:{name}.after", *facts)
        return result

    return call


def _watch_wire(steps: Steps) -> None:
    tracing = aiohttp.TraceConfig()

    async def sent(session: Any, context: Any, parameters: Any) -> None:
        del session, context, parameters
        if steps.sending:
            # aiohttp writes right after this returns; the next turn of the loop comes later.
            asyncio.get_running_loop().call_soon(steps.reached, f"wire:{steps.sending}.sent")

    async def sent_without_body(session: Any, context: Any, parameters: Any) -> None:
        if parameters.method == "DELETE":
            await sent(session, context, parameters)

    tracing.on_request_chunk_sent.append(sent)
    tracing.on_request_headers_sent.append(sent_without_body)
    session = functools.partial(aiohttp.ClientSession, trace_configs=[tracing])
    aiohttp.ClientSession = session  # type: ignore[assignment,misc]  # the seam of this test


def _record(steps: Steps, record: Any, inputs: Any, intents: Any) -> tuple[str, tuple[str, ...]]:
    del record, inputs
    return ("record:intents" if intents else "record:none"), _written(steps, intents)


def _written(steps: Steps, intents: Any) -> tuple[str, ...]:
    steps.know(intents)
    return tuple(f"written:{intent.id}" for intent in intents)


def _sent(steps: Steps, intent_id: str, request: Any) -> tuple[str, tuple[str, ...]]:
    facts = _sending(steps, intent_id, request)
    return f"sent:{steps.sending}", facts


def _sending(steps: Steps, intent_id: str, request: Any) -> tuple[str, ...]:
    del request
    steps.sending = steps.kinds[intent_id]
    return (f"sent:{intent_id}",)


def _conclude(steps: Steps, execution: Any, at: Any) -> tuple[str, tuple[str, ...]]:
    return f"conclude:{steps.kinds[execution.intent_id]}", _concluded(steps, execution, at)


def _concluded(steps: Steps, execution: Any, at: Any) -> tuple[str, ...]:
    del at
    steps.sending = ""
    if execution.outcome.value == IntentState.DONE.value:
        steps.confirmed.add(execution.intent_id)
    return (f"{execution.outcome.value}:{execution.intent_id}",)


def _drop(steps: Steps, intent_id: str, at: Any, why: Any) -> tuple[str, tuple[str, ...]]:
    del steps, at, why
    return "drop", (f"dropped:{intent_id}",)


def _settled(steps: Steps, settlement: Any, at: Any) -> tuple[str, tuple[str, ...]]:
    (fact,) = _found(steps, settlement, at)
    if settlement.intent_id in steps.confirmed:
        return "read_back", (fact,)
    return f"settled:{fact.partition(':')[0]}", (fact,)


def _found(steps: Steps, settlement: Any, at: Any) -> tuple[str, ...]:
    del steps, at
    return (f"{'applied' if settlement.applied else 'absent'}:{settlement.intent_id}",)


def _doubt(steps: Steps, intent_id: str, at: Any, why: Any) -> tuple[str, tuple[str, ...]]:
    del at, why
    steps.confirmed.discard(intent_id)
    return "doubt", (f"unknown:{intent_id}",)


def _give_up(steps: Steps, intent_id: str, at: Any, why: Any) -> tuple[str, tuple[str, ...]]:
    del steps, at, why
    return "give_up", (f"gave_up:{intent_id}",)


def _adopt(steps: Steps, reserved: Any) -> tuple[str, tuple[str, ...]]:
    del steps, reserved
    return "adopt", ()


def _released(steps: Steps, intent_id: str) -> tuple[str, ...]:
    del steps, intent_id
    return ()


def _open_intents(steps: Steps) -> tuple[str, tuple[str, ...]]:
    del steps
    return "open_intents", ()


_JOURNAL_CALLS: dict[str, Callable[..., tuple[str, tuple[str, ...]]]] = {
    "record": _record,
    "sent": _sent,
    "conclude": _conclude,
    "drop": _drop,
    "settled": _settled,
    "doubt": _doubt,
    "give_up": _give_up,
    "adopt": _adopt,
    "open_intents": _open_intents,
}
_RESERVE_CALLS: dict[str, Callable[..., tuple[str, ...]]] = {
    "write": _written,
    "sent": _sending,
    "conclude": _concluded,
    "settled": _found,
    "release": _released,
}


def _named(
    original: Callable[..., Any],
    name: str,
    described: Callable[..., tuple[str, tuple[str, ...]]],
    steps: Steps,
) -> Callable[..., Any]:
    @functools.wraps(original)
    async def call(self: SqliteJournal, *args: Any) -> Any:
        token = _step.set(described(steps, *args))
        try:
            result = await original(self, *args)
        finally:
            _step.reset(token)
        if name == "open_intents":
            steps.know(result)
        return result

    return call


def hide_history() -> None:
    """Let the exchange's history have no trace of what it confirmed, and believe that at once."""
    settle, is_proven = BinanceVenue.settle, Resolver._is_absence_proven

    async def settled(self: BinanceVenue, intent: Intent) -> Settlement:
        if intent.state is IntentState.DONE:
            return Settlement(intent_id=intent.id, applied=Decimal(0), text="hidden")
        return await settle(self, intent)

    def proven(self: Resolver, intent: Intent, asked_at: datetime) -> bool:
        is_proven(self, intent, asked_at)  # it remembers when it first looked
        if intent.state is IntentState.DONE:
            self._absent_since.setdefault(intent.id, asked_at)
            return True
        return is_proven(self, intent, asked_at)

    BinanceVenue.settle = settled  # type: ignore[assignment,method-assign]  # an exchange that forgets
    Resolver._is_absence_proven = proven  # type: ignore[method-assign]  # 8.5 s in no time


def silence_history() -> None:
    """Let the exchange's history not answer, and be tired of that at once."""

    async def settle(self: BinanceVenue, intent: Intent) -> Settlement:
        del self
        raise Unavailable(f"history of {intent.id} does not answer")

    BinanceVenue.settle = settle  # type: ignore[assignment,method-assign]  # the seam of this test
    resolve.GIVE_UP_AFTER = timedelta(0)


def lose_journal() -> None:
    """Let the journal's disk fail at the first decision."""

    async def record(self: SqliteJournal, *_: Any) -> None:
        del self
        raise JournalLost("the disk failed")

    SqliteJournal.record = record  # type: ignore[assignment,method-assign]  # the seam of this test


def shift_clock(*, first: float, later: float, after: float) -> None:
    """Set the machine's clock wrong, and wrong otherwise from ``after`` on. [s]."""
    began = time.monotonic()
    original = clock.WallClock.now

    def now(self: clock.WallClock) -> datetime:
        is_later = after and time.monotonic() - began >= after
        return original(self) + timedelta(seconds=later if is_later else first)

    clock.WallClock.now = now  # type: ignore[method-assign]  # the seam of this test
