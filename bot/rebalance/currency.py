"""Are the amounts of a contract in the currency of the limits?

Amounts of two coins are never compared or added up: who settles in another one is shown and told,
and nothing is planned for it.
"""

from bot.domain.decision import Refusal
from bot.domain.instrument import Instrument
from bot.domain.position import PositionKey
from bot.rebalance.policy import Policy


def other_currency(key: PositionKey, instrument: Instrument, policy: Policy) -> Refusal:
    """Return why nothing is done about a position that the limits do not serve."""
    return Refusal(
        code="other_currency",
        text=f"{key} settles in {instrument.settle}, the limits are {described(policy)}: it needs "
        "an account of its own",
    )


def described(policy: Policy) -> str:
    """Return in what the limits of a policy are."""
    return f"in {policy.coin}" if policy.coin else "in quote, of linear contracts"
