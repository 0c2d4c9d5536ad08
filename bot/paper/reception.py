"""What have the desks in common whose endpoints all look into one room?"""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Generic, Protocol, TypeVar

from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.pace import Pace


class Furnished(Protocol):
    """What a venue keeps beside its exchange.

    Attributes:
        engine: The exchange.
        keys: Who may ask.
    """

    engine: Engine
    keys: Keys


RoomT = TypeVar("RoomT", bound=Furnished)
RequestT = TypeVar("RequestT")


class Reception(Generic[RoomT, RequestT]):
    """Keys, and what arrived, of one exchange; the venue's `Desk` answers."""

    def __init__(self, room: RoomT, pace: Pace) -> None:
        self.room, self.engine, self.pace = room, room.engine, pace
        self.requests: list[tuple[str, str, RequestT]] = []
        """What arrived and was understood, for tests: method, path, parameters."""

    @property
    def keys(self) -> Keys:
        """Who may ask."""
        return self.room.keys

    @keys.setter
    def keys(self, keys: Keys) -> None:
        self.room.keys = keys


def dated(now_ms: int) -> str:
    """Return a market time as the header ``Date`` has it."""
    return format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC), usegmt=True)
