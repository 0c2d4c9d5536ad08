"""What did a run amount to?"""

from collections import Counter
from decimal import Decimal
from typing import Any

from bot.domain.alarm import Alarm


class Tally:
    """Counts decisions as they pass; a `Sink`."""

    def __init__(self) -> None:
        self.polls = 0
        self.verdicts: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.unsuccessful: Counter[str] = Counter()
        self.smallest: dict[str, Decimal] = {}
        self.alarms: Counter[str] = Counter()

    def publish(self, record: dict[str, Any]) -> None:
        """Count one record."""
        self.polls += 1
        self.verdicts[record["verdict"]] += 1
        for action in record["actions"]:
            if action["outcome"] == "done":
                self.actions[action["kind"]] += 1
            else:
                self.unsuccessful[f"{action['kind']} {action['outcome']}"] += 1
        for position in record["positions"]:
            if position["distance"] is None:
                continue
            name = f"{position['symbol']} {position['side']}"
            distance = Decimal(position["distance"])
            self.smallest[name] = min(distance, self.smallest.get(name, distance))

    def alarm(self, alarm: Alarm) -> None:
        """Count one alarm."""
        self.alarms[alarm.code] += 1

    def summary(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return {
            "polls": self.polls,
            "verdicts": dict(sorted(self.verdicts.items())),
            "actions": dict(sorted(self.actions.items())),
            "unsuccessful_actions": dict(sorted(self.unsuccessful.items())),
            "alarms": dict(sorted(self.alarms.items())),
            "smallest_distance": {
                name: format(distance, "f") for name, distance in sorted(self.smallest.items())
            },
        }
