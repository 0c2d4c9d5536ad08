"""Which surplus may return?"""

from collections.abc import Sequence
from decimal import Decimal

from bot.domain.action import RemoveMargin
from bot.domain.decision import PlannedAction, PositionVerdict, Refusal
from bot.domain.observation import Observation
from bot.rebalance.memory import Memory
from bot.rebalance.owner import venue_adds_margin
from bot.rebalance.planned import Plan, planned
from bot.rebalance.policy import Policy
from bot.rebalance.rounding import down, shown
from bot.rebalance.sizing import least_effect, margin_surplus, setting_to_release


def give_back(
    observation: Observation,
    verdicts: Sequence[PositionVerdict],
    memory: Memory,
    policy: Policy,
) -> Plan:
    """Return what leaves positions that stand beyond their give-back level.

    Args:
        observation: Of the poll.
        verdicts: Of those positions.
        memory: Says what the bot added.
        policy: Limits.
    """
    instruments = {i.symbol: i for i in observation.instruments}
    account = observation.account
    steps: list[PlannedAction] = []
    refusals: list[Refusal] = []
    for verdict in verdicts:
        if verdict.band is None or memory.is_given_up(verdict.key):
            continue
        if verdict.risk.position.venue_adds_margin:
            refusals.append(venue_adds_margin(verdict.key))
            continue
        amount = margin_surplus(verdict.risk, distance=verdict.band.distance.target)
        least = max(policy.min_move, least_effect(verdict.risk, verdict.band, policy))
        if policy.only_own_margin:
            finest = verdict.risk.instrument.margin_step
            own = down(memory.of(verdict.key).added, step=finest)
            if own <= amount:
                amount, least = own, policy.min_move  # waiting would not make it more
        amount = min(amount, policy.max_margin_per_action)
        if amount < least or amount <= 0:
            target = verdict.band.distance.target
            refusals.append(_nothing_removable(verdict, amount, least, target=target))
            continue
        remove = RemoveMargin(
            key=verdict.key, amount=amount, currency=verdict.risk.instrument.settle
        )
        step, account = planned(remove, "above_give_back", Decimal(0), account, instruments, policy)
        steps.append(step)
    return Plan(actions=tuple(steps), refusals=tuple(refusals))


def _nothing_removable(
    verdict: PositionVerdict, amount: Decimal, least: Decimal, *, target: Decimal
) -> Refusal:
    position = verdict.risk.position
    step = verdict.risk.instrument.margin_step
    floor = shown(verdict.risk.notional / position.leverage_setting, step=step)
    setting = setting_to_release(verdict.risk, distance=target)
    way_out = "" if setting is None else f"; a person may raise the setting to {setting}"
    return Refusal(
        code="nothing_removable",
        text=f"{verdict.key} may give back {amount}, less than the smallest move "
        f"{shown(least, step=step)}; the venue keeps equity above {floor} at a leverage setting of "
        f"{position.leverage_setting}{way_out}",
    )
