"""Does every fault leave every write whole? Cell by cell, with counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from bot.settings import Loaded
from bot.simulate.case import STRATEGIES, Case, Held, case_of
from bot.simulate.events import NOT_HERE
from bot.simulate.operations import Local, Market, Operation
from bot.simulate.weather import Read, Unsent, Wire
from bot.simulate.world import run

ENOUGH = 30
"""Worlds that broke no promise in which its fault must have hit, for each cell."""
AIMED = 3
"""Of them in worlds that are about nothing else."""
AT_MOST = 240
"""Worlds in which they must come together."""
NO_CHANNEL = frozenset({Operation.SUB_TRANSFER, Operation.HAND_OFF, Operation.AUTO_MARGIN})
"""Writes that the bot has no code for."""
KEEPS_WHOLE = frozenset({Operation.STOP, Operation.CANCEL, Operation.ADD, Operation.REMOVE,
                         Operation.TRANSFER, Operation.REDUCE})  # fmt: skip
FAULTS: tuple[StrEnum, ...] = (*Wire, *Read, *Unsent, *Local, *Market)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One write under one fault.

    Attributes:
        operation: The write.
        fault: What hit it.
        status: ``pass``, ``fail`` or ``na``.
        reason: Why it is not applicable; empty otherwise.
        worlds: Made for it.
        hits: Of them those in which the fault hit while the write was planned, in flight or
            unsettled.
        beside: Worlds of the swarm in which it hit that write, among other faults.
        sent: Writes of that kind that left in the worlds made for it.
        settling: Longest time until everything was settled after the storm. [s]
        violations: What must not be, in words.
    """

    operation: Operation
    fault: StrEnum
    status: str
    reason: str = ""
    worlds: int = 0
    hits: int = 0
    beside: int = 0
    sent: int = 0
    settling: float = 0.0
    violations: tuple[str, ...] = ()


def not_applicable(operation: Operation, fault: StrEnum) -> str:
    """Return why a cell cannot be, from a closed list; empty when it can."""
    if operation in NO_CHANNEL or fault in NOT_HERE:
        return "not_on_this_channel"
    if fault is Unsent.STREAM:
        return "no_wire"
    if fault is Unsent.PARTIAL and operation in KEEPS_WHOLE:
        return "no_such_reply"
    return ""


def cells() -> Iterator[tuple[Operation, StrEnum]]:
    """Yield every cell: nine writes by 56 faults."""
    for operation in Operation:
        for fault in FAULTS:
            yield operation, fault


def cell(
    operation: Operation, fault: StrEnum, loaded: Loaded, *, enough: int = ENOUGH, beside: int = 0
) -> Cell:
    """Return what came of one cell.

    Args:
        operation: The write.
        fault: What hits it.
        loaded: Configuration that every world starts from.
        enough: Worlds that it must hit.
        beside: Worlds of the swarm that it has hit.
    """
    reason = not_applicable(operation, fault)
    if reason:
        return Cell(operation=operation, fault=fault, status="na", reason=reason)
    needed = max(min(AIMED, enough), enough - beside)
    hits = worlds = sent = 0
    settling = 0.0
    violations: list[str] = []
    while hits < needed and worlds < AT_MOST:
        case = aimed(operation, fault, seed=worlds)
        result = run(case, loaded)
        worlds += 1
        hits += result.hits > 0
        sent += result.sent
        settling = max(settling, result.settling)
        violations += [f"world {worlds - 1}: {text}" for text in result.violations]
    is_good = hits >= needed and not violations
    return Cell(
        operation=operation,
        fault=fault,
        status="pass" if is_good else "fail",
        worlds=worlds,
        hits=hits,
        beside=beside,
        sent=sent,
        settling=settling,
        violations=tuple(violations),
    )


_MONEY: Mapping[Operation, tuple[str, str, str]] = {
    #                     path       futures spot
    Operation.ADD:      ("crash",    "6000", "0"),
    Operation.REMOVE:   ("rebound",  "6000", "0"),
    Operation.TRANSFER: ("crash",    "20",   "6000"),
    Operation.REDUCE:   ("crash",    "0",    "0"),
    Operation.CANCEL:   ("crash",    "6000", "0"),
    Operation.STOP:     ("crash",    "6000", "0"),
}  # fmt: skip


def _rates(fault: StrEnum) -> dict[StrEnum, float]:
    if isinstance(fault, Read):
        # Only a write that nothing is known of is still open when the venue is read.
        return {fault: 0.9, Wire.LOST_REQUEST: 0.6}
    return {} if isinstance(fault, Local | Market) else {fault: 0.8}


def aimed(operation: Operation, fault: StrEnum, *, seed: int) -> Case:
    """Return a world in which a write happens and a fault is about it alone."""
    path, futures, spot = _MONEY[operation]
    base = case_of(seed, faults=0)
    return replace(
        base,
        storm=40.0 if operation is Operation.REMOVE else 22.0,
        path=path,
        held=(Held(symbol="BTCUSDT", notional=Decimal(12_000 + seed * 7), leverage=12),),
        futures=Decimal(futures),
        spot=Decimal(spot),
        reserves={},
        strategy=STRATEGIES[0],
        interval=3.0,
        rates=_rates(fault),
        target=operation,
        event=fault if isinstance(fault, Local | Market) else None,
        patience=3.0 if seed % 2 else 0.5,
        history_lag_ms=1900 if seed % 3 == 0 or fault is Read.HISTORY_LAG else 0,
        transfer_ms=0,
        person=(),
        killed_at=None,
        disk_fails=(),
    )
