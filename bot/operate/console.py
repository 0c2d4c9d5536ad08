"""How does a log event look to a person?"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.domain.instrument import Contract, contract_of

WIDTH = 160
_RESET = "\x1b[0m"
_COLOURS = {
    "debug": "\x1b[2m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[31;1m",
    "act": "\x1b[32m",
    "refuse": "\x1b[33m",
    "not_ready": "\x1b[33m",
    "emergency": "\x1b[31;1m",
}
_OWN = ("at", "level", "event", "logger", "record", "skipped", "dropped", "exception")


def event_line(event: Mapping[str, Any], *, colours: bool = False) -> str:
    """Return one event as text; a decision is one line of at most 160 columns.

    Only exceptions take more than one line.

    Args:
        event: As structlog made it, already without secrets.
        colours: Mark what needs attention for a terminal.
    """
    record = event.get("record")
    if isinstance(record, Mapping):
        line = decision_line(record, skipped=event.get("skipped", 0))
        mood = "emergency" if record.get("urgency") == "emergency" else str(record.get("verdict"))
    else:
        mood = str(event.get("level", "info"))
        origin = f"{event['logger']}: " if event.get("logger") else ""
        line = f"{_clock(event.get('at'))} {mood:<9} {origin}{event.get('event', '')}"
        line += "".join(f"  {key}={value}" for key, value in event.items() if key not in _OWN)
    line = _printable(line)
    if event.get("dropped"):
        note = f" (+{event['dropped']} lines lost)"
        line = _cut(line, WIDTH - len(note)) + note if isinstance(record, Mapping) else line + note
    if colours and (colour := _COLOURS.get(mood)):
        line = f"{colour}{line}{_RESET}"
    exception = event.get("exception")
    if not exception:
        return line
    return "\n".join([line, *(_printable(part) for part in str(exception).split("\n"))])


def decision_line(record: Mapping[str, Any], *, skipped: int = 0, width: int = WIDTH) -> str:
    """Return time, verdict, reason, urgency, positions and actions of a decision in one line.

    What does not fit gives way to ``…``; actions stand before positions, so they stay.

    Args:
        record: As in ``docs/schemas/decision.json``.
        skipped: Hold decisions that were not shown before it.
        width: Columns. [1]
    """
    verdict, urgency = record.get("verdict"), record.get("urgency")
    head = f"{_clock(record.get('at'))} {verdict!s:<9} {record.get('reason')!s:<14}"
    if urgency != "hold":
        head += f" {str(urgency).upper()}"
    if record.get("mode") != "normal":
        head += f" mode={record.get('mode')}"
    if skipped:
        head += f" after {skipped} more holds"
    parts = [_action(action) for action in record.get("actions") or ()]
    parts += [f"! {refusal.get('code')}" for refusal in record.get("refusals") or ()]
    parts += [_position(position) for position in record.get("positions") or ()]
    return _cut(_printable(" | ".join([head, *parts])), width)


def _position(position: Mapping[str, Any]) -> str:
    base = str(position.get("symbol")).partition("/")[0]
    stop = f" stop {_price(position['stop'])}" if position.get("stop") else ""
    joint = position.get("joint_distance")
    together = f" all {_number(joint, 4)}" if joint else ""
    liquidation, whose = position.get("liquidation_price"), ""
    if position.get("equity") is None and position.get("venue_liquidation_price"):
        liquidation, whose = position["venue_liquidation_price"], " (venue)"
    return (
        f"{base} {position.get('side')} d={_number(position.get('distance'), 4)}{together} "
        f"{_number(position.get('effective_leverage'), 2)}x "
        f"mark {_price(position.get('mark'))} liq {_price(liquidation)}{whose}{stop}"
    )


def _action(action: Mapping[str, Any]) -> str:
    what = action.get("size") or action.get("amount") or action.get("stop_id") or "all"
    symbol = str(action.get("symbol") or "")
    base = symbol.partition("/")[0]
    unit = action.get("currency") or _size_unit(symbol)
    where = f" {base}" if base and base != unit else ""
    if action.get("stop_price"):
        where += f" at {_price(action['stop_price'])}"
    line = f"> {action.get('kind')} {what} {unit}{where} ({action.get('why')})"
    return f"{line} {action['outcome']}" if action.get("outcome") else line


def _size_unit(symbol: str) -> str:
    """Return the currency of sizes: the coin, or dollars where it is margined in coin."""
    base, _, rest = symbol.partition("/")
    return base if contract_of(symbol) is Contract.LINEAR else rest.partition(":")[0]


def _number(text: Any, places: int) -> str:
    try:
        return f"{Decimal(text):.{places}f}" if text is not None else "-"
    except (InvalidOperation, TypeError, ValueError):
        return str(text)


def _price(text: Any) -> str:
    # Six digits are enough to read, whatever the coin costs.
    try:
        return f"{Decimal(text):.6g}" if text is not None else "-"
    except (InvalidOperation, TypeError, ValueError):
        return str(text)


def _clock(at: Any) -> str:
    # 2026-03-01T12:00:59.123+00:00 -> 12:00:59
    return str(at)[11:19] if at is not None else "--:--:--"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def _printable(line: str) -> str:
    # Texts of venues reach a terminal: no character of theirs may steer it.
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )
