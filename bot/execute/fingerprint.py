"""By which last digits will a move be known again where the venue takes no id of ours?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.execute.arithmetic import (
    SMALLEST_MARKED,
    SMALLEST_SCALE,
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


def steps_apart(*, room: Decimal, step: Decimal) -> int:
    """Return how many amounts stand for one that was planned, where they cannot carry tags; else 0.

    Args:
        room: What is planned is a multiple of it. [currency]
        step: Finest step of the collateral that the venue takes. [currency]
    """
    steps = int(room / step)
    return steps if steps < SMALLEST_SCALE else 0


@dataclass(slots=True, kw_only=True)
class Fingerprints:
    """Gives each keyless move an amount that no other move of a day has.

    Attributes:
        step: Finest step of the collateral that the venue books. [currency]
        epoch: Of this run.
        apart: Amounts for each that is planned, where the venue takes too few digits for tags: one
            that was not used lately, but that says nothing of who made it. 0 for tags. [steps]
    """

    step: Decimal
    epoch: int
    apart: int = 0
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

        Margin that is added and transfers become larger, by less than 1/100 of the amount, or by
        less than a step of what is planned where there are no tags; margin that is removed becomes
        smaller. Orders carry an id and stay as they are; so does an amount that is too small to
        carry digits: it is not told from others by its amount.
        """
        if not isinstance(action, AddMargin | RemoveMargin | Transfer):
            return action
        nominal, is_up = self._steps(action.amount), not isinstance(action, RemoveMargin)
        if nominal * self.step != action.amount:
            return action
        self._used = {a: at for a, at in self._used.items() if now - at < REMEMBERED}
        others = [
            self._steps(a.amount)
            for a in open_
            if isinstance(a, AddMargin | RemoveMargin | Transfer)
        ]
        for amount in self._near(nominal, up=is_up):
            if amount > 0 and amount not in self._used and not sums_coincide(others, amount):
                return self._use(action, amount, now=now)
        if not self.apart:
            return action
        # Nothing is looked for by its amount there: what was used longest ago serves again.
        near = self._near(nominal, up=is_up)
        again = [a for a in near if a > 0 and not sums_coincide(others, a)]
        return (
            self._use(action, min(again, key=self._used.__getitem__), now=now) if again else action
        )

    def _use(self, action: Action, amount: int, *, now: datetime) -> Action:
        self._used[amount] = now
        return with_amount(action, amount * self.step)

    def _near(self, nominal: int, *, up: bool) -> Iterator[int]:
        """Yield amounts on the safe side of what was planned. [steps]."""
        if self.apart:
            yield from (
                range(nominal, nominal + self.apart)
                if up
                else range(nominal, nominal - self.apart, -1)
            )
            return
        scale = fingerprint_scale(amount=nominal, steps_per_unit=int(1 / self.step))
        if scale is None:
            return
        for _ in range(live_tags(scale=scale)):
            tag = tag_of(epoch=self.epoch, counter=self._counter, scale=scale)
            self._counter += 1
            yield tagged(nominal, scale=scale, tag=tag, up=up)

    def is_marked(self, action: Action) -> bool:
        """Whether an action is told from others by its id or its amount."""
        if not isinstance(action, AddMargin | RemoveMargin | Transfer):
            return True
        return self._steps(action.amount) % 10 != 0

    def _steps(self, amount: Decimal) -> int:
        return int(amount / self.step)
