"""Does a decision follow again, with the strategy it was made with?"""

from pathlib import Path

from bot.journal.queries import JournalReader
from bot.plugins import load_strategy
from bot.ports import Strategy
from bot.rebalance.inputs import Inputs
from bot.replay import Report, replay


def replay_journal(path: Path) -> Report:
    """Return whether every recorded decision of a journal follows again.

    Raises:
        BotError: The journal cannot be read or the strategy cannot be loaded.
    """
    with JournalReader.open(path) as reader:
        return replay(reader.inputs(), lambda inputs: strategy_then(inputs, path))


def strategy_then(inputs: Inputs, journal: Path | None) -> Strategy:
    """Return the strategy a decision was made with.

    Args:
        inputs: Of the decision.
        journal: Where it is kept, if its strategy reads files that may have changed since.

    Raises:
        StrategyError: It cannot be loaded any more.
    """
    archive = None if journal is None else archive_of(journal)
    return load_strategy(inputs.strategy, dict(inputs.strategy_settings), archive=archive)


def archive_of(journal: Path) -> Path:
    """Return the folder beside a journal with the files its decisions were made with."""
    return journal.with_name(journal.name + ".files")
