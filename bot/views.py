"""How is the journal, a what-if or the capability table shown to a person?"""

import csv
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

from bot import files
from bot.domain.instrument import Contract, contract_of, settle_of
from bot.domain.switch import Pause
from bot.errors import ConfigError, JournalError
from bot.journal.queries import JournalReader, StoredAction
from bot.leverage.library import Library
from bot.operate import heartbeat
from bot.operate.switches import is_made, seen_in
from bot.record import described, plain
from bot.spans import seconds_of
from bot.whatif import answer, parse

FOLLOW_EVERY = 0.5
"""How often a followed journal is read. [s]"""


def status(path: Path, state_dir: Path) -> dict[str, Any]:
    """Return the present state.

    Args:
        path: The journal.
        state_dir: Where the switches lie.

    Raises:
        JournalError: The journal cannot be read.
    """
    with JournalReader.open(path) as reader:
        found = reader.status(now=datetime.now(UTC))
    return {
        "journal": str(path),
        "last": None if found.last is None else found.last.record,
        "age_s": found.age_s,
        "counts": found.counts,
        "open_intents": [
            {"id": i.id, "state": i.state.value, **described(i.action)} for i in found.open_intents
        ],
        "last_action": None if found.last_action is None else _action(found.last_action),
        "epoch": found.epoch,
        "switches": switches(state_dir),
    }


def status_text(state: Mapping[str, Any]) -> str:
    """Return the state as lines."""
    last = state["last"]
    lines = [
        f"journal       {state['journal']} (opened {state['epoch']} times)",
        "switches      " + _switch_text(state["switches"]),
    ]
    if last is None:
        return "\n".join([*lines, "no decision yet"]) + "\n"
    lines += [
        f"last decision {last['at']} {last['verdict']}: {last['reason']} (mode {last['mode']})",
        "decisions     " + ", ".join(f"{n} {v}" for v, n in sorted(state["counts"].items())),
    ]
    lines += [
        f"position      {p['symbol']} {p['side']} {p['size']} at {p['mark']}, liquidation "
        f"{p['liquidation_price']}, distance {p['distance']}, leverage {p['effective_leverage']}"
        f"\n              {_backstop_text(p)}"
        for p in last["positions"]
    ]
    lines += [
        f"foreign stop  {s['symbol']} {s['side']} {s['size'] or 'all'} at {s['stop_price']}"
        for s in last.get("stops", [])
        if not s["is_ours"]
    ]
    lines += [
        f"wallet        {w['name']} {w['free']} {w['currency']} free" for w in last["wallets"]
    ]
    if state["last_action"] is not None:
        lines.append("last action   " + action_text(state["last_action"]).rstrip())
    lines += [f"not settled   {i['id']} {i['kind']} ({i['state']})" for i in state["open_intents"]]
    return "\n".join(lines) + "\n"


def _backstop_text(position: Mapping[str, Any]) -> str:
    """Return what a position survives while nobody acts."""
    stop = position.get("stop")
    stands = (
        f"resident stop at {stop}, distance {position['stop_distance']}"
        if stop is not None
        else "no backstop"
    )
    return f"{stands}; without the bot it survives {_survival_text(position)}"


def _survival_text(found: Mapping[str, Any]) -> str:
    move, minutes = found.get("blackout_move"), found.get("blackout_minutes")
    return f"a move of {'any size' if move is None else move}, {minutes} min of the worst on record"


def switches(state_dir: Path) -> dict[str, Any]:
    """Return how the switches stand and when a bot last polled beside them."""
    found = seen_in(state_dir)
    return {
        "state_dir": str(state_dir.absolute()),
        "made": is_made(state_dir),
        "killed": found.killed,
        "pause": found.pause.value,
        "since": None if found.since is None else found.since.isoformat(timespec="milliseconds"),
        "why": found.why,
        "last_poll_age_s": heartbeat.age(state_dir / heartbeat.FILE_NAME, datetime.now(UTC)),
    }


def switches_text(state: Mapping[str, Any]) -> str:
    """Return the switches as lines."""
    age = state["last_poll_age_s"]
    poll = (
        "none here: is this the state directory of the bot?"
        if age is None
        else f"{age:.1f} s ago; a bot that runs sees a switch within 250 ms"
    )
    return (
        f"switches      {_switch_text(state)}\n"
        f"directory     {state['state_dir']}\n"
        f"last poll     {poll}\n"
    )


def _switch_text(state: Mapping[str, Any]) -> str:
    parts = []
    if state["killed"]:
        parts.append("KILLED, nothing is sent until: plimsoll rearm")
    if state["pause"] != Pause.NONE:
        parts.append(f"paused ({state['pause']}) until: plimsoll resume")
    if not parts:
        return "none is set" if state["made"] else f"none were made in {state['state_dir']}"
    return f"{'; '.join(parts)} (since {state['since']}: {state['why']})"


def decisions(
    path: Path, *, since: str | None, verdict: str | None, limit: int, follow: bool
) -> Iterator[dict[str, Any]]:
    """Yield records, oldest first; with ``follow`` for ever.

    Raises:
        JournalError: The journal cannot be read.
        ConfigError: ``since`` is no instant and no span.
    """
    with JournalReader.open(path) as reader:
        last = 0
        for stored in reader.decisions(since=_since(reader, since), verdict=verdict, limit=limit):
            last = max(last, stored.row)
            yield stored.record
        while follow:
            time.sleep(FOLLOW_EVERY)
            for stored in reader.decisions(after_row=last, verdict=verdict, limit=1000):
                last = max(last, stored.row)
                yield stored.record


def decision(path: Path, decision_id: str) -> dict[str, Any]:
    """Return one record.

    Raises:
        JournalError: The journal cannot be read or has no such decision.
    """
    with JournalReader.open(path) as reader:
        found = reader.decision(decision_id)
    if found is None:
        raise JournalError(f"{path} has no decision {decision_id}")
    return found.record


def actions(path: Path, *, since: str | None, limit: int) -> Iterator[dict[str, Any]]:
    """Yield what was done, oldest first.

    Raises:
        JournalError: The journal cannot be read.
        ConfigError: ``since`` is no instant and no span.
    """
    with JournalReader.open(path) as reader:
        for stored in reader.actions(since=_since(reader, since), limit=limit):
            yield _action(stored)


def action_text(row: Mapping[str, Any]) -> str:
    """Return one action as a line."""
    what = row.get("amount") or row.get("size") or row.get("stop_id") or "all"
    if "stop_price" in row:
        what = f"{what} at {row['stop_price']}"
    where = (
        f"{row['source']} to {row['destination']}"
        if row["kind"] == "transfer"
        else f"{row['symbol']} {row['side']}"
    )
    unit = row.get("currency") or ("" if "stop_id" in row else _size_unit(row["symbol"]))
    note = f" ({row['code']} {row['text']})".replace("( ", "(") if row["text"] else ""
    return (
        f"{row['at']}  {row['id']}  {row['kind']:<15} {where:<22} {what} {unit}  "
        f"{row['state']}{note}\n"
    )


def _size_unit(symbol: str) -> str:
    return "base" if contract_of(symbol) is Contract.LINEAR else "quote"


def alarms(path: Path, *, since: str | None, limit: int) -> Iterator[dict[str, Any]]:
    """Yield what people were told, oldest first, and what became of it on each way.

    Raises:
        JournalError: The journal cannot be read.
        ConfigError: ``since`` is no instant and no span.
    """
    with JournalReader.open(path) as reader:
        for stored in reader.alarms(since=_since(reader, since), limit=limit):
            yield {
                "at": stored.alarm.at.isoformat(timespec="milliseconds"),
                "code": stored.alarm.code,
                "text": stored.alarm.text,
                "intent": stored.alarm.intent_id,
                "told": [
                    {
                        "sink": told.sink,
                        "delivery": told.delivery.value,
                        "at": told.at.isoformat(timespec="milliseconds"),
                    }
                    for told in stored.told
                ],
            }


def alarm_text(row: Mapping[str, Any]) -> str:
    """Return one alarm as a line."""
    told = ", ".join(f"{word['sink']} {word['delivery']}" for word in row["told"])
    return f"{row['at']}  {row['code']:<20} {row['text']}  [{told or 'not known to have left'}]\n"


def risks(
    given: Mapping[str, str], file: Path | None, *, models: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the answer to one question, or to each row of a CSV file.

    Args:
        given: Fields by name.
        file: With a row per question.
        models: Fitted ones, as `strategy.models` names them; ``None`` for those shipped.

    Raises:
        ConfigError: A field is missing or impossible; the text names it.
    """
    library = files.read(files.KINDS[Library], models, setting="models", archive=None).value
    for place, row in _rows(given, file):
        try:
            yield answer(parse(row), library)
        except ValueError as error:
            raise ConfigError(f"{place}{error}") from error


def risk_text(found: Mapping[str, Any]) -> str:
    """Return an answer as lines."""
    hits = ", ".join(f"{h} {p:.3g}" for h, p in found["hit_probability"].items())
    allowed = ", ".join(
        f"{h} {float(x):.2f}x" for h, x in found["highest_permissible_leverage"].items()
    )
    action, symbol = found["next_action"], found["symbol"]
    unit = settle_of(symbol) if contract_of(symbol) is Contract.INVERSE else "quote"
    amount = f" {action['amount']}" if "amount" in action else ""
    return (
        f"{found['symbol']} {found['side']} at {found['venue']}\n"
        f"  liquidation price    {found['liquidation_price']}\n"
        f"  distance             {found['distance']} [ratio]\n"
        f"  effective leverage   {found['effective_leverage']} [x]\n"
        f"  equity, maintenance  {found['equity']}, {found['maintenance_margin']} [{unit}]\n"
        f"  without any action   survives {_survival_text(found)}\n"
        f"  hit probability      {hits}\n"
        f"  permissible leverage {allowed}\n"
        f"  next action          {action['kind']}{amount}: {action['why']}\n"
        f"  tail                 {found['tail']}\n"
    )


def venues() -> Iterator[dict[str, Any]]:
    """Yield the capability table; a venue of both kinds of contract has a row for each."""
    from bot.exchanges.venues import INVERSE, VENUES  # noqa: PLC0415 - only this view needs adapters

    for name, row in sorted((*VENUES.items(), *INVERSE.items()), key=itemgetter(0)):
        yield {"venue": name, **asdict(row)}


def venue_text(row: Mapping[str, Any]) -> str:
    """Return one venue as lines."""
    lines = [str(row["venue"])]
    lines += [
        f"  {name:<28} {format(value, 'f') if isinstance(value, Decimal) else value}"
        for name, value in row.items()
        if name != "venue"
    ]
    return "\n".join(lines) + "\n"


def _action(stored: StoredAction) -> dict[str, Any]:
    return {
        "at": stored.at.isoformat(timespec="milliseconds"),
        "id": stored.intent.id,
        "decision": stored.intent.decision_id,
        **described(stored.intent.action),
        "state": stored.intent.state.value,
        "applied": None if stored.applied is None else plain(stored.applied),
        "code": stored.code,
        "text": stored.text,
        "latency_ms": stored.latency_ms,
    }


def _since(reader: JournalReader, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    newest = reader.status(now=datetime.now(UTC)).last
    end = datetime.fromisoformat(newest.record["at"]) if newest else datetime.now(UTC)
    return end - timedelta(seconds=seconds_of(text, "--since"))


def _rows(given: Mapping[str, str], file: Path | None) -> Iterator[tuple[str, Mapping[str, str]]]:
    if file is None:
        yield "--", given
        return
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            for number, row in enumerate(csv.DictReader(stream), start=2):
                yield f"{file} line {number}: ", {**given, **{k: v for k, v in row.items() if v}}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"--file {file} must be a readable CSV file: {error}") from error
