"""How soon must something happen about a position?"""

from datetime import datetime

from bot.domain.action import AddMargin, ReducePosition, RemoveMargin
from bot.domain.band import LeverageBand
from bot.domain.decision import Urgency
from bot.domain.position import PositionKey
from bot.domain.risk import PositionRisk
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy


def weigh(
    risk: PositionRisk, band: LeverageBand, memory: Memory, policy: Policy, *, now: datetime
) -> tuple[Urgency, str]:
    """Return the urgency of one position and the reason as a short code.

    An emergency skips the cooldown, never the review.
    """
    distance, levels = risk.distance, band.distance
    key = risk.position.key
    if distance is not None and distance < levels.trigger:
        if distance < levels.emergency:
            return Urgency.EMERGENCY, "below_emergency"
        if _is_left_alone(memory, key, policy.cooldown, now=now):
            return Urgency.HOLD, "cooldown"
        # A reduction does not start the cooldown: what it released must go back at once.
        last = memory.last_move_at(key, kinds=(AddMargin,))
        if last is None:
            return Urgency.ROUTINE, "below_trigger"
        travelled = memory.last_transfer_at()
        has_more = travelled is not None and travelled >= last
        if not has_more and (now - last).total_seconds() < policy.cooldown:
            return Urgency.HOLD, "cooldown"
        return Urgency.CONTINUE, "below_trigger"
    if distance is None or distance > levels.give_back:
        if not band.may_give_back:
            return Urgency.HOLD, "give_back_forbidden"
        return _weigh_give_back(risk, memory, policy, now=now)
    return Urgency.HOLD, "inside_band"


def _weigh_give_back(
    risk: PositionRisk, memory: Memory, policy: Policy, *, now: datetime
) -> tuple[Urgency, str]:
    key = risk.position.key
    entry = memory.of(key)
    if policy.only_own_margin and entry.added <= 0:
        return Urgency.HOLD, "nothing_to_give_back"
    since = entry.beyond_since
    if since is None or (now - since).total_seconds() < policy.give_back_confirmation:
        return Urgency.HOLD, "give_back_unconfirmed"
    if _is_left_alone(memory, key, policy.rebalance_interval, now=now):
        return Urgency.HOLD, "rebalance_interval"
    last = memory.last_move_at(key, kinds=(AddMargin, ReducePosition, RemoveMargin))
    if last is not None and (now - last).total_seconds() < policy.rebalance_interval:
        return Urgency.HOLD, "rebalance_interval"
    return Urgency.ROUTINE, "above_give_back"


def _is_left_alone(memory: Memory, key: PositionKey, seconds: int, *, now: datetime) -> bool:
    """Whether somebody else moved its margin so short a while ago."""
    touched_at = memory.of(key).touched_at
    return touched_at is not None and (now - touched_at).total_seconds() < seconds
