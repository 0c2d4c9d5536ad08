"""Protections switched off one at a time, to show that the simulation would notice.

A seam for tests only: each ablation replaces one constant or one small function while it lasts.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from bot.domain.intent import Execution, Intent, IntentState, Outcome, Settlement, SignedRequest
from bot.exchanges import adapter, connect, outcomes
from bot.exchanges.binance import adapter as venue
from bot.exchanges.binance import parse
from bot.exchanges.dialect import Codes
from bot.execute import books, gate, guard, judge, resolve, transit
from bot.journal import sqlite
from bot.loop import Loop
from bot.rebalance.memory import Memory
from bot.rebalance.remembering import remember
from bot.simulate import disk, world
from bot.simulate.weather import Wire

Ablation = Callable[[contextlib.ExitStack], None]


def _no_wait(stack: contextlib.ExitStack) -> None:
    stack.enter_context(patch.object(resolve, "settle_point", lambda _: timedelta(0)))
    stack.enter_context(patch.object(resolve, "BETWEEN_LOOKS", timedelta(0)))


def _longer_window(stack: contextlib.ExitStack) -> None:
    spoken = connect.SPOKEN["binanceusdm"]
    wide = replace(spoken, dialect=replace(spoken.dialect, window_ms=60_000))
    stack.enter_context(patch.dict(connect.SPOKEN, {"binanceusdm": wide}))


def _intent_after_send(stack: contextlib.ExitStack) -> None:
    """Let the request leave first, and mark it SENT when it is concluded."""

    async def sent(self: Any, request: SignedRequest) -> None:
        self._check()
        self.request = request
        LATER[self._intent.id] = request

    concluded = sqlite.SqliteJournal.conclude

    async def conclude(self: Any, execution: Execution, at: datetime) -> None:
        await self.sent(execution.intent_id, LATER.pop(execution.intent_id))
        await concluded(self, execution, at)

    stack.enter_context(patch.object(gate.SendGate, "sent", sent))
    stack.enter_context(patch.object(sqlite.SqliteJournal, "conclude", conclude))


LATER: dict[str, SignedRequest] = {}


def _rejected_when(is_so: Callable[[outcomes.Trace], bool]) -> Ablation:
    proof_of = outcomes.proof_of

    def proof(trace: outcomes.Trace, codes: Codes) -> tuple[outcomes.Proof, str]:
        if is_so(trace):
            return outcomes.Proof.NO_EFFECT, "ablated"
        return proof_of(trace, codes)

    def switch_off(stack: contextlib.ExitStack) -> None:
        stack.enter_context(patch.object(adapter, "proof_of", proof))

    return switch_off


def _parser_error_rejects(stack: contextlib.ExitStack) -> None:
    judge = adapter.Adapter._judged

    def strict(self: Any, *arguments: Any, **named: Any) -> Execution:
        done = judge(self, *arguments, **named)
        if done.outcome is Outcome.UNKNOWN:
            return replace(done, outcome=Outcome.REJECTED)
        return done

    stack.enter_context(patch.object(adapter.Adapter, "_judged", strict))


def _no_history_lag(stack: contextlib.ExitStack) -> None:
    stack.enter_context(
        patch.object(resolve, "settle_point", lambda window: timedelta(seconds=window + 0.5))
    )


def _timeouts_reject(stack: contextlib.ExitStack) -> None:
    """Give up after three looks, and call it absent."""
    follow = resolve.Resolver._follow

    async def third_time(self: Any, intent: Intent, *seen: Any) -> Any:
        LOOKS[intent.id] = LOOKS.get(intent.id, 0) + 1
        found = await follow(self, intent, *seen)
        if found is None and LOOKS[intent.id] >= 3 and intent.state is IntentState.UNKNOWN:
            absent = Settlement(intent_id=intent.id, applied=Decimal(0), text="ablated")
            await self._journal.settled(absent, self._clock.now())
            after = replace(intent, state=IntentState.ABSENT)
            return resolve.Followed(before=intent, after=after, settlement=absent)
        return found

    stack.enter_context(patch.object(resolve.Resolver, "_follow", third_time))


LOOKS: dict[str, int] = {}


def _empty_is_flat(stack: contextlib.ExitStack) -> None:
    stack.enter_context(patch.object(venue, "_check_whole", lambda *_: None))


def _credited_at_send(stack: contextlib.ExitStack) -> None:
    """Count what was sent as arrived, and send again what is still missing."""

    def forgetful(*arguments: Any, **named: Any) -> Memory:
        return replace(remember(*arguments, **named), in_transit=())

    stack.enter_context(patch("bot.loop.remember", forgetful))


def old_requests_leave(stack: contextlib.ExitStack) -> None:
    """Let a request leave however long it, its plan and its inputs waited.

    Each of these stops a process that stood still, and so would hide that its lease does.
    """
    others = tuple(c for c in guard.CHECKS if c not in (guard._plan, guard._inputs))
    stack.enter_context(patch.object(guard, "CHECKS", others))
    stack.enter_context(patch.object(gate, "OLDEST", float("inf")))


def _lease_at_planning(stack: contextlib.ExitStack) -> None:
    """Look at the lease when a poll begins and is planned, and not when its writes leave."""
    old_requests_leave(stack)
    stack.enter_context(patch.object(judge, "holds", lambda _: True))


def _credited_in_the_books(stack: contextlib.ExitStack) -> None:
    """Let the bot's books give the destination what is on its way."""
    balances = transit.Ledger.balances

    def hasty(self: transit.Ledger) -> dict[transit.Place, Decimal]:
        found = balances(self)
        for move in self.moves:
            if move.stage is transit.Stage.PENDING:
                found[move.destination] = found.get(move.destination, Decimal(0)) + move.amount
        return found

    stack.enter_context(patch.object(transit.Ledger, "balances", hasty))


def _foreign_unseen(stack: contextlib.ExitStack) -> None:
    """Take every line of the venue's ledger for one of ours."""
    stack.enter_context(patch.object(books, "classified", lambda *_, **__: ()))


def _kill_seen_once(stack: contextlib.ExitStack) -> None:
    """Look at the switches when the loop starts, and never again."""
    stack.enter_context(patch.object(Loop, "_look_at_switches", lambda _: None))
    stack.enter_context(patch.object(guard, "CHECKS", guard.CHECKS[1:]))


def _no_fsync(stack: contextlib.ExitStack) -> None:
    def lazy(*arguments: Any, **named: Any) -> disk.Disk:
        return disk.Disk(*arguments, **(named | {"syncs": False}))

    stack.enter_context(patch.object(world, "Disk", lazy))


def _other_timestamp(stack: contextlib.ExitStack) -> None:
    """Journal a time 3 s before the one that is signed."""
    sent = gate.SendGate.sent

    async def early(self: Any, request: SignedRequest) -> None:
        await sent(self, replace(request, signed_at=request.signed_at - timedelta(seconds=3)))
        self.request = request

    stack.enter_context(patch.object(gate.SendGate, "sent", early))


def _missing_is_zero(stack: contextlib.ExitStack) -> None:
    def zero(row: Any, key: str) -> Decimal:
        try:
            return Decimal(row.get(key) or 0)
        except (ArithmeticError, TypeError, ValueError):
            return Decimal(0)

    for module, name in ((parse, "number"), (parse, "amount"), (venue, "number")):
        stack.enter_context(patch.object(module, name, zero))


ABLATIONS: dict[str, Ablation] = {
    "A01 no wait for the window": _no_wait,
    "A02 window longer than the resolver believes": _longer_window,
    "A03 intent after send": _intent_after_send,
    "A04 a parser's error is a rejection": _parser_error_rejects,
    "A05 5xx is a rejection": _rejected_when(
        lambda trace: trace.left and trace.status is not None and trace.status >= 500
    ),
    "A06 no history lag": _no_history_lag,
    "A08 three looks are a rejection": _timeouts_reject,
    "A09 an empty list is flat": _empty_is_flat,
    "A10 credited at send": _credited_at_send,
    "A11 lease is checked only when planning": _lease_at_planning,
    "A10 the books credit the destination at send": _credited_in_the_books,
    "A13 kill is seen once": _kill_seen_once,
    "A14 no fsync": _no_fsync,
    "A15 another timestamp is journalled": _other_timestamp,
    "A16 a missing balance is 0": _missing_is_zero,
}

UNSEEN = "a person's move is not told from ours"
IN_FAIR_WEATHER: dict[str, Ablation] = {UNSEEN: _foreign_unseen}
"""Missed where nothing else goes wrong: only there it is known what a bot must have seen."""

ABOUT: dict[str, frozenset[Wire]] = {
    "A02 window longer than the resolver believes": frozenset({Wire.LATE_OUTSIDE}),
    "A06 no history lag": frozenset({Wire.LATE_INSIDE}),
    "A16 a missing balance is 0": frozenset({Wire.BAD_NUMBER}),
}
"""Faults that a protection is against, where only they show that it is needed."""

ABOUT_SUCCESSION = frozenset({"A11 lease is checked only when planning"})
"""What only matters where another machine takes over."""


OFTEN: dict[str, float] = {"A06 no history lag": 0.2}
"""Seconds between polls, where only a bot that looks often looks in time to be wrong."""


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """Switch one protection off."""
    LATER.clear()
    LOOKS.clear()
    with contextlib.ExitStack() as stack:
        (ABLATIONS | IN_FAIR_WEATHER)[name](stack)
        yield
