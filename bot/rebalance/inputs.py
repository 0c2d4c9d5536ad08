"""Everything that a decision was made from, so that it can be made again."""

from dataclasses import dataclass

from bot.domain.observation import Observation
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The arguments of `decide`, kept with the decision.

    Attributes:
        observation: ``None`` when the venue gave no complete answer.
        memory: Before the decision.
        policy: In force.
        strategy: Path of the strategy in force.
        strategy_settings: Its own settings as text, in the order of the configuration.
    """

    observation: Observation | None
    memory: Memory
    policy: Policy
    strategy: str
    strategy_settings: tuple[tuple[str, str], ...] = ()
