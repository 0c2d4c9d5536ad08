"""By which last digits will a move be known again where the venue takes no id of ours?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.execute.arithmetic import (
    SMALLEST_MARKED,
    fingerprint_scale,
    live_tags,
    sums_coincide,
    tag_of,
    tagged,
)
from bot.rebalance.memory import with_amount

REMEMBERED = timedelta(days=1)
"""An amount is not used again for so long."""


def least_marked(step: Decimal) -> Decimal:
    """Return the smallest amount that carries digits of its own. [currency].

    Args:
        step: Finest step of the collateral that the venue books, below 0.001. [currency]
    """
    return SMALLEST_MARKED * step


@dataclass(slots=True, kw_only=True)
class Fingerprints:
    """Gives each keyless move an amount that no other move of a day has.

    Attributes:
        step: Finest step of the collateral that the venue books. [currency]
        epoch: Of this run.
    """

    step: Decimal
    epoch: int
    _counter: int = 0
    _used: dict[int, datetime] = field(default_factory=dict)

    def coarsen(self) -> None:
        """Take a step ten times as coarse: the venue found the digits too many."""
        self.step *= 10
        self._used = {}

    def learn(self, actions: Iterable[tuple[datetime, Action]]) -> None:
        """Take over amounts that were used before, by earlier runs or by people."""
        for at, action in actions:
            if isinstance(action, AddMargin | RemoveMargin | Transfer):
                self._used[self._steps(action.amount)] = at

    def marked(self, action: Action, *, now: datetime, open_: Iterable[Action]) -> Action:
        """Return the action with an amount of its own, on the safe side of what was planned.

        Margin that is added and transfers become larger, by less than 1/100 of the amount;
        margin that is removed becomes smaller. Orders carry an id and stay as they are; so does
        an amount that is too small to carry digits: it is not told from others by its amount.
        """
        if not isinstance(action, AddMargin | RemoveMargin | Transfer):
            return action
        nominal = self._steps(action.amount)
        scale = fingerprint_scale(amount=nominal, steps_per_unit=int(1 / self.step))
        if scale is None or nominal * self.step != action.amount:
            return action
        self._used = {a: at for a, at in self._used.items() if now - at < REMEMBERED}
        others = [
            self._steps(a.amount)
            for a in open_
            if isinstance(a, AddMargin | RemoveMargin | Transfer)
        ]
        for _ in range(live_tags(scale=scale)):
            tag = tag_of(epoch=self.epoch, counter=self._counter, scale=scale)
            self._counter += 1
            amount = tagged(nominal, scale=scale, tag=tag, up=not isinstance(action, RemoveMargin))
            if amount > 0 and amount not in self._used and not sums_coincide(others, amount):
                self._used[amount] = now
                return with_amount(action, amount * self.step)
        return action

    def is_marked(self, action: Action) -> bool:
        """Whether an action is told from others by its id or its amount."""
        if not isinstance(action, AddMargin | RemoveMargin | Transfer):
            return True
        return self._steps(action.amount) % 10 != 0

    def _steps(self, amount: Decimal) -> int:
        return int(amount / self.step)
