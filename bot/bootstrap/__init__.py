"""Who is connected to whom: the only package that names concrete adapters and loads the strategy.

`life` runs a bot from its start to its end; the other modules answer what that asks.
"""

from bot.bootstrap.again import replay_journal
from bot.bootstrap.assembly import assemble
from bot.bootstrap.configured import (
    connection_of,
    journal_of,
    logs_of,
    pace_of,
    policy_of,
    redactor_of,
    strategy_of,
)
from bot.bootstrap.life import Run, run
from bot.bootstrap.recall import memory_left_behind
from bot.bootstrap.turn import claim_to

__all__ = [
    "Run",
    "assemble",
    "claim_to",
    "connection_of",
    "journal_of",
    "logs_of",
    "memory_left_behind",
    "pace_of",
    "policy_of",
    "redactor_of",
    "replay_journal",
    "run",
    "strategy_of",
]
