"""What does a run remember of the one before it?"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bot.bootstrap.again import strategy_then
from bot.domain.band import LeverageBand
from bot.domain.market import Market
from bot.domain.risk import PositionRisk
from bot.errors import StrategyError
from bot.journal.queries import JournalReader
from bot.journal.reserve import Reserve
from bot.ports import Strategy
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory
from bot.rebalance.remembering import recalled
from bot.replay import memory_after
from bot.schemas import decode

_MOST_ACTIONS = 10_000
"""More than the budgets of a day allow, and more than the emergency reserve holds."""


def memory_before(path: Path, account: str, reserve: Reserve | None) -> Memory:
    """Return the memory of the run before this one, with what only the reserve knows.

    Raises:
        BotError: The journal cannot be read.
    """
    with JournalReader.open(path) as reader:
        memory = memory_left_behind(reader, account, journal=path)
    return recalled(memory, [kept.intent for kept in reserve.kept()] if reserve else ())


def memory_left_behind(
    reader: JournalReader, account: str, *, journal: Path | None = None
) -> Memory:
    """Return the memory of the run before this one; an empty one for a new journal.

    Args:
        reader: Of the journal.
        account: Whose.
        journal: Where it lies, if its strategy reads files that may have changed.
    """
    newest = reader.newest_inputs(account)
    if newest is None:
        imported = reader.actions(limit=_MOST_ACTIONS)
        return recalled(Memory(), [replace(i.intent, applied=i.applied) for i in imported])
    inputs = decode(Inputs, newest.inputs)
    since = inputs.observation.at - timedelta(days=1) if inputs.observation else None
    return memory_after(
        inputs,
        _strategy_left_behind(inputs, journal),
        reader.actions(since=since, limit=_MOST_ACTIONS),
        decision_id=newest.record["id"],
        at=datetime.fromisoformat(newest.record["at"]),
    )


def _strategy_left_behind(inputs: Inputs, journal: Path | None) -> Strategy:
    """Return the strategy of the run before, or one that chooses nothing where it is gone.

    A file that was moved or changed since must not keep the bot from starting. All that is lost is
    since when a position stands beyond its give-back, and that is confirmed again.
    """
    try:
        return strategy_then(inputs, journal)
    except StrategyError as error:
        return _Gone(str(error))


class _Gone:
    """A strategy that cannot be loaded any more."""

    def __init__(self, why: str) -> None:
        self._why = why

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:  # noqa: ARG002 - the port
        """Refuse."""
        raise ValueError(self._why)
