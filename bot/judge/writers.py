"""Did only one run write at a time?"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A request that could change something.

    Attributes:
        at: Its first byte left. [s]
        machine: From where.
        epoch: Of the run that sent it.
        landed: When it took effect. [s]
        what: For people.
    """

    at: float
    machine: str
    epoch: int
    landed: tuple[float, ...]
    what: str


def overlaps(writes: Sequence[Write]) -> list[str]:
    """Return every write of a run after the first of a later run, in words.

    What the run of another machine sent must also have landed by then: it waits for that. On the
    same machine a successor follows at once, and looks for what its predecessor sent.

    Args:
        writes: In the order in which they left.
    """
    first: dict[int, Write] = {}
    found = []
    for write in writes:
        first.setdefault(write.epoch, write)
    for write in writes:
        for epoch, later in first.items():
            if epoch <= write.epoch:
                continue
            if write.at > later.at:
                found.append(_told(write, later, "left", at=write.at))
            if write.machine != later.machine:
                found += [
                    _told(write, later, "landed", at=at) for at in write.landed if at > later.at
                ]
    return found


def _told(write: Write, later: Write, did: str, *, at: float) -> str:
    return (
        f"I5: {write.what} of run {write.epoch} {did} at {at:.3f}, after run {later.epoch} "
        f"had begun to write at {later.at:.3f}"
    )
