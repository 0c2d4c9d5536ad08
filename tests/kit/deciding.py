"""What is decided of an observation, and the numbers of the position that is asked about."""

from decimal import Decimal as D

from bot.domain.decision import Decision
from bot.domain.observation import Observation
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy
from tests.kit.builders import a_policy, choose

# 15 % below 60,000 a long of 1 BTC needs 60,000 - 0.995 * 60,000 * 0.85 - 50 = 9,205.
NEEDED_AT_TARGET = D(9205)
# From trigger to target a long of 1 BTC at 60,000 needs about 2,985 more; a quarter is about 746.
PICKY = a_policy(min_effect=D("0.25"))


def decided(
    observation: Observation, *, memory: Memory | None = None, policy: Policy | None = None
) -> Decision:
    """Decide with nothing remembered and the policy of all tests, unless given."""
    return decide(observation, memory or Memory(), policy or a_policy(), choose=choose)
