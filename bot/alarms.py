"""How does an alarm leave at once, and how is it known afterwards that it did?"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bot.domain.alarm import Alarm, Delivery, Told
from bot.errors import JournalError
from bot.ports import AlarmBook, Clock, Receipt, Sink

PATIENCE = 5.0
"""An alarm that did not leave within this counts as failed. [s]"""
AT_ONCE = 256
"""Alarms that are followed at a time; more leave all the same."""
GOODBYE = 1.0
"""How long the end of the program waits for what became of the last alarms. [s]"""


class Alarms:
    """Gives alarms to every sink at once; what became of them is written down beside the loop.

    Neither a sink nor the journal can hold it up or fail it: an alarm that cannot be written down
    leaves all the same.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        clock: Clock,
        book: AlarmBook | None,
        clean: Callable[[str], str],
        patience: float = PATIENCE,
    ) -> None:
        """Take the ways to people.

        Args:
            sinks: Each takes every alarm.
            clock: Venue time.
            book: Where they are written down; ``None`` for nowhere.
            clean: Takes secrets out of a text.
            patience: An alarm that did not leave within this counts as failed. [s]
        """
        self._sinks, self._clock, self._book, self._clean = sinks, clock, book, clean
        self._patience = patience
        self._followed: set[asyncio.Task[None]] = set()
        self.unrecorded = 0
        """Alarms, or words about them, that nobody could write down."""

    def tell(self, code: str, text: str, *, intent_id: str = "") -> None:
        """Send an alarm to every sink, without waiting and without raising."""
        alarm = Alarm(code=code, text=self._clean(text), at=self._clock.now(), intent_id=intent_id)
        receipts = [receipt for sink in self._sinks if (receipt := sink.alarm(alarm)) is not None]
        if self._book is None or len(self._followed) >= AT_ONCE:
            self.unrecorded += 1
            return
        task = asyncio.create_task(self._follow(alarm, receipts, self._book), name="alarm")
        self._followed.add(task)
        task.add_done_callback(self._followed.discard)

    async def close(self) -> None:
        """Wait for what becomes of the last alarms, for a limited time."""
        if self._followed:
            _, late = await asyncio.wait(self._followed, timeout=GOODBYE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _follow(self, alarm: Alarm, receipts: Sequence[Receipt], book: AlarmBook) -> None:
        number = await self._write(alarm, book, 0, "", Delivery.RAISED)
        await asyncio.gather(*(self._await(alarm, book, number, receipt) for receipt in receipts))

    async def _await(self, alarm: Alarm, book: AlarmBook, number: int, receipt: Receipt) -> None:
        left = asyncio.wrap_future(receipt.delivery)
        done, _ = await asyncio.wait({left}, timeout=self._patience)
        if not done:
            await self._write(alarm, book, number, receipt.sink, Delivery.FAILED)
        await self._write(alarm, book, number, receipt.sink, await left)

    async def _write(
        self, alarm: Alarm, book: AlarmBook, number: int, sink: str, delivery: Delivery
    ) -> int:
        """Write one word down; return its number, 0 where it could not be written."""
        at = self._clock.now() if sink else alarm.at
        told = Told(alarm=alarm, number=number, at=at, sink=sink, delivery=delivery)
        if sink and not number:
            self.unrecorded += 1
            return 0
        try:
            return await book.alarmed(told)
        except JournalError:
            self.unrecorded += 1
            return 0


class Lasting:
    """Says once of each thing that it lasts."""

    def __init__(self, *, looks: int = 1) -> None:
        self._looks = looks
        self._seen: dict[str, int] = {}

    def due(self, found: Iterable[str]) -> list[str]:
        """Return what was found at enough looks in a row just now.

        Args:
            found: At this look.
        """
        self._seen = {name: self._seen.get(name, 0) + 1 for name in found}
        return [name for name, times in self._seen.items() if times == self._looks]
