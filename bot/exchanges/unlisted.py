"""How does an adapter act on an account whose venue lists no moves of margin?

What was sent is told from margins: as they were before, and as they are now. So each move, and
each order that may change one, is announced to those who remember them.
"""

from bot.domain.action import AddMargin, ReducePosition, RemoveMargin
from bot.domain.intent import Execution, Intent, Outcome
from bot.exchanges.adapter import Adapter
from bot.exchanges.dialect import Write
from bot.exchanges.margins import Margins
from bot.ports import Gate


class Unlisted(Adapter):
    """One account at a venue that lists no moves of margin; a `Venue`.

    Attributes:
        _margins: Remembers margins, and what was sent to them.
    """

    _margins: Margins

    async def execute(self, intent: Intent, gate: Gate) -> Execution:
        """Send one action once; whatever happens is an outcome.

        Raises:
            JournalError: The intent is not durable as sent, and did not leave.
        """
        is_margin = isinstance(intent.action, AddMargin | RemoveMargin)
        if is_margin and isinstance(self._write_for(intent), Write):
            await self._margins.before(intent)
        if isinstance(intent.action, ReducePosition):
            await self._margins.ordered(intent.action.key)
        done = await super().execute(intent, gate)
        if is_margin and done.outcome is Outcome.REJECTED:
            self._margins.refused(intent)
        return done
