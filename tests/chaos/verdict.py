"""Does the journal believe what the exchange booked, no more and no less?"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.chaos.ledger import Effect, Ledger

ROUTES = {("spot", "futures"): "MAIN_UMFUTURE", ("futures", "spot"): "UMFUTURE_MAIN"}
BELIEVED = ("done", "applied")
OPEN = ("written", "sent", "unknown", "gave_up")
STOPS = ("place_stop", "cancel_stop")
"""Kinds that move no money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What a journal says.

    Attributes:
        effects: What it believes to have happened, and how often.
        stops: Ids under which it believes to have placed one, or cancelled one.
        events: Every state that every intent has passed, as ``state:id``.
        excess: Intents with more effect than they meant.
        settled: How many intents, by state.
        open: Intents that are not settled, as ``state:id``.
        decisions: How many, by verdict.
        reasons: How many, by reason.
    """

    effects: Counter[Effect]
    stops: frozenset[str]
    events: frozenset[str]
    excess: tuple[str, ...]
    settled: Counter[str]
    open: tuple[str, ...]
    decisions: Counter[str]
    reasons: Counter[str]

    def named(self, state: str) -> frozenset[str]:
        """Return the intents that have passed a state."""
        marks = (event.partition(":") for event in self.events)
        return frozenset(name for passed, _, name in marks if passed == state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong; all empty when nothing is.

    Attributes:
        lost: Believed done, or acknowledged, and not there.
        doubled: Booked by the exchange and not believed, or more often than believed, or larger
            than meant.
        created: Money that appeared in a wallet, or < 0 vanished. [quote]
    """

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    created: Decimal

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.created)


def belief(journal: Path) -> Belief:
    """Read a journal as any program can."""
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        intents = connection.execute(
            "SELECT id, action, state,"
            " (SELECT applied FROM intent_events WHERE intent_id = intents.id"
            "  AND applied IS NOT NULL ORDER BY row DESC LIMIT 1) FROM intents ORDER BY row"
        ).fetchall()
        events = connection.execute("SELECT state || ':' || intent_id FROM intent_events")
        names = frozenset(name for (name,) in events)
        decisions = connection.execute("SELECT verdict, reason FROM decisions").fetchall()
    effects: Counter[Effect] = Counter()
    excess: list[str] = []
    stops: set[str] = set()
    for name, text, state, applied in intents:
        action = json.loads(text)
        if state not in BELIEVED:
            continue
        if action["kind"] in STOPS:
            stops.add(name)
            continue
        if not Decimal(applied):
            continue
        kind, what, amount = _effect(name, action, Decimal(applied))
        effects[kind, what, amount] += 1
        if amount > _meant(action):
            excess.append(f"{kind} {name} took effect for {amount}")
    return Belief(
        effects=effects,
        stops=frozenset(stops),
        events=names,
        excess=tuple(excess),
        settled=Counter(state for _, _, state, _ in intents),
        open=tuple(f"{state}:{name}" for name, _, state, _ in intents if state in OPEN),
        decisions=Counter(verdict for verdict, _ in decisions),
        reasons=Counter(reason for _, reason in decisions),
    )


def judge(
    ledger: Ledger,
    believed: Belief,
    *,
    futures: Decimal,
    spot: Decimal,
    acknowledged: frozenset[str] = frozenset(),
) -> Verdict:
    """Return what is wrong.

    Args:
        ledger: The exchange's.
        believed: The journal's, with nothing open.
        futures: Wallet at the start. [quote]
        spot: Wallet at the start. [quote]
        acknowledged: States, as ``state:id``, that a process had seen to be durable.
    """
    gone = sorted(acknowledged - believed.events)
    missing = believed.effects - ledger.effects
    surplus = ledger.effects - believed.effects
    in_futures = ledger.futures - futures - ledger.booked
    in_spot = ledger.spot - spot + ledger.moved_in
    return Verdict(
        lost=(*gone, *map(_named, missing.elements())),
        doubled=(
            *map(_named, surplus.elements()),
            *believed.excess,
            *(f"stop {name}" for name in sorted(ledger.stops - believed.stops)),
        ),
        created=abs(in_futures) + abs(in_spot),
    )


def _effect(name: str, action: dict[str, Any], applied: Decimal) -> Effect:
    match action["kind"]:
        case "transfer":
            return "transfer", ROUTES[action["source"], action["destination"]], applied
        case "reduce_position":
            return "reduce_position", name, applied
    symbol = action["key"]["symbol"].partition(":")[0].replace("/", "")
    return action["kind"], symbol, applied


def _meant(action: dict[str, Any]) -> Decimal:
    return Decimal(action["size"] if action["kind"] == "reduce_position" else action["amount"])


def _named(effect: Effect) -> str:
    return " ".join(map(str, effect))
