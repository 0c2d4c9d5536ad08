"""What did a person switch off, and what may still be written?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal

from bot.domain.decision import Refusal
from bot.domain.mode import Mode

Kind = Literal[
    "add_margin", "reduce_position", "place_stop", "cancel_stop", "remove_margin", "transfer"
]
"""What can be written to a venue."""


class Pause(StrEnum):
    """How much a person paused; later members allow less."""

    NONE = "none"
    """Nothing."""
    OPTIONAL = "optional"
    """What does not protect: giving back, transfers."""
    ALL = "all"
    """Every write, also protection."""


class Permission(IntEnum):
    """Whether a kind of write is allowed; the lower of two is the stricter."""

    NO = 0
    NEEDED = 1
    """A stop is placed only where none stands, and cancelled only where it blocks a reduction."""
    YES = 2


_NO, _NEEDED, _YES = Permission

TABLE: Mapping[str, Mapping[Mode | Pause, Permission]] = {
    kind: dict(zip((*Mode, *Pause), cells, strict=True))
    for kind, cells in {
        #                   normal degraded  observe killed  none  optional all
        "add_margin":      (_YES,  _YES,     _NO,    _NO,    _YES, _YES,    _NO),
        "reduce_position": (_YES,  _YES,     _NO,    _NO,    _YES, _YES,    _NO),
        "place_stop":      (_YES,  _NEEDED,  _NO,    _NO,    _YES, _YES,    _NO),
        "cancel_stop":     (_YES,  _NEEDED,  _NO,    _NO,    _YES, _YES,    _NO),
        "remove_margin":   (_YES,  _NO,      _NO,    _NO,    _YES, _NO,     _NO),
        "transfer":        (_YES,  _NO,      _NO,    _NO,    _YES, _NO,     _NO),
    }.items()
}  # fmt: skip
"""What each mode and each pause allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How the switches of the operator stand.

    Attributes:
        killed: Nothing may be written until a person re-arms.
        pause: How much a person paused.
        since: When the strictest of them was switched; ``None`` when none is. Aware UTC.
        why: Who or what switched it, for people; empty when none is.
        resumed_at: When a person last said ``resume``; what matters is that it changed, not how
            old it is. Aware UTC.
    """

    killed: bool = False
    pause: Pause = Pause.NONE
    since: datetime | None = None
    why: str = ""
    resumed_at: datetime | None = None

    def allows(self, kind: Kind, *, mode: Mode = Mode.NORMAL, is_needed: bool = False) -> bool:
        """Whether this kind of write may leave now; the strictest of mode and switch decides.

        Args:
            kind: Of the action.
            mode: The bot's own.
            is_needed: Of a stop: none stands (to place it), it blocks a reduction (to cancel it).
        """
        least = Permission.NEEDED if is_needed else Permission.YES
        return self.permission(kind, mode=mode) >= least

    def permission(self, kind: Kind, *, mode: Mode) -> Permission:
        """Return what mode and switches together say of a kind; NO for one nobody listed."""
        row = TABLE.get(kind, {})
        columns = (Mode.KILLED if self.killed else mode, mode, self.pause)
        return min(row.get(column, Permission.NO) for column in columns)

    def refusal(self, kind: Kind, *, mode: Mode, is_needed: bool = False) -> Refusal | None:
        """Return why this kind of write may not leave, ``None`` when it may.

        Args:
            kind: Of the action.
            mode: The bot's own.
            is_needed: As for `allows`.
        """
        if self.allows(kind, mode=mode, is_needed=is_needed):
            return None
        if self.killed or mode is Mode.KILLED:
            return Refusal(code="killed", text=f"{kind} is not allowed: killed{self._because()}")
        if not Switches(pause=self.pause).allows(kind, is_needed=is_needed):
            return Refusal(
                code="paused",
                text=f"{kind} is not allowed while paused ({self.pause}){self._because()}",
            )
        return Refusal(code="mode_forbids", text=f"{kind} is not allowed in {mode}")

    def _because(self) -> str:
        return f", {self.why}" if self.why else ""
