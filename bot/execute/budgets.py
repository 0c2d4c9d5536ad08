"""How often and how much may still be written?

What is not settled and what was given up on counts in full in each window, however old it is:
nobody knows that it did not happen.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.decision import Urgency
from bot.domain.position import PositionKey
from bot.execute.arithmetic import fingerprint_scale, within_budget
from bot.execute.denial import Denial, DenialCode
from bot.execute.effect import known
from bot.execute.facts import Facts
from bot.execute.steps import ceiling, floor
from bot.rebalance.rounding import shown

DAY = timedelta(days=1)
"""Rolling: it holds the UTC day so far, so what it allows that allows too."""
HOUR = timedelta(hours=1)
EMERGENCY_SHARE = 4
"""One part in so many of the moves of a position is kept for emergencies."""


def budgets(facts: Facts) -> Iterator[Denial]:
    """Deny what is too often or too much; an emergency skips none of it."""
    where, action, policy = facts.conditions, facts.action, facts.policy
    is_much = where.writes_10s >= policy.max_writes_10s or where.writes_60s >= policy.max_writes_60s
    if is_much and not isinstance(action, PlaceStop | CancelStop):
        yield (
            DenialCode.RATE_WINDOW,
            f"{where.writes_10s} writes in 10 s, {where.writes_60s} in 60 s",
        )
    yield from _of_action(facts)
    if isinstance(action, AddMargin) and not action.after_reduction:
        yield from of_position(facts, action)
        yield from _shared(facts, action)


def of_position(facts: Facts, action: AddMargin) -> Iterator[Denial]:
    """Deny what a position may not get any more in the hour or the day."""
    policy = facts.policy
    share = 1 if facts.urgency is Urgency.EMERGENCY else 1 - Decimal(1) / EMERGENCY_SHARE
    for span, amount, count in (
        (HOUR, policy.max_margin_per_hour, policy.max_moves_per_hour),
        (DAY, policy.max_margin_per_day, policy.max_moves_per_day),
    ):
        spent, unknown = _spent(facts, action.key, span)
        times = len(spent) + len(unknown)
        if times + 1 > count * share:
            yield (
                DenialCode.BUDGET_POSITION,
                f"{action.key} may get margin {count} times in {span}, {times} are spent",
            )
        if not _fits(facts, spent, unknown, action.amount, limit=amount):
            yield (
                DenialCode.BUDGET_POSITION,
                f"{action.key} may get {amount} in {span}, {sum(spent + unknown)} is spent",
            )


def _of_action(facts: Facts) -> Iterator[Denial]:
    action, policy = facts.action, facts.policy
    if isinstance(action, AddMargin | RemoveMargin | Transfer):
        most = policy.max_margin_per_action
        if most.is_finite() and _is_above(facts, action.amount, most):
            yield DenialCode.BUDGET_ACTION, f"amount must be <= {most}, was {action.amount}"
    if isinstance(action, ReducePosition):
        position, rules = known(facts)
        whole = abs(position.size)
        # A position so small that its share is no order may be given the smallest order.
        part = max(whole * policy.max_reduction_per_action, min(whole, rules.min_size))
        if part < action.size <= whole:  # more than the whole is denied for what it is
            yield DenialCode.BUDGET_ACTION, f"size must be <= {part}, was {action.size}"


def _is_above(facts: Facts, amount: Decimal, most: Decimal) -> bool:
    """Whether an amount is above a limit by more than the digits it carries."""
    new, limit = facts.whole(amount), facts.whole(most)
    if facts.apart:
        return new >= limit + facts.apart
    scale = fingerprint_scale(amount=new, steps_per_unit=floor(Decimal(1), step=facts.step))
    return new >= limit + scale if scale is not None else new > limit


def _shared(facts: Facts, action: AddMargin) -> Iterator[Denial]:
    _, rules = known(facts)
    spent, unknown = _spent(facts, None, DAY)
    for code, part in (
        (DenialCode.BUDGET_ACCOUNT, facts.policy.account_budget),
        (DenialCode.BUDGET_VENUE, facts.policy.venue_budget),
        (DenialCode.BUDGET_GLOBAL, facts.policy.global_budget),
    ):
        limit = facts.held * part
        if not _fits(facts, spent, unknown, action.amount, limit=limit):
            yield (
                code,
                (
                    f"at most {shown(limit, step=rules.margin_step)} may be added in a day, "
                    f"{sum(spent + unknown)} is spent"
                ),
            )


def _spent(
    facts: Facts, key: PositionKey | None, span: timedelta
) -> tuple[list[Decimal], list[Decimal]]:
    """Return the additions of a window, and the open ones that are not among them.

    Args:
        facts: Of the write.
        key: Of the position; ``None`` for all of them.
        span: Of the window, up to now.
    """
    moves = [m.action for m in facts.memory.moves if facts.now - m.at < span]
    coin = facts.policy.coin
    spent = list(_additions(moves, key, coin))
    open_ = list(_additions((*facts.memory.unsettled, *facts.memory.given_up), key, coin))
    for move in spent:
        if move in open_:
            open_.remove(move)
    return [a.amount for a in spent], [a.amount for a in open_]


def _additions(
    actions: Iterable[Action], key: PositionKey | None, coin: str
) -> Iterator[AddMargin]:
    for action in actions:
        if (
            isinstance(action, AddMargin)
            and not action.after_reduction
            and (key is None or action.key == key)
            and (not coin or action.currency == coin)
        ):
            yield action


def _fits(
    facts: Facts, spent: list[Decimal], unknown: list[Decimal], new: Decimal, *, limit: Decimal
) -> bool:
    if not limit.is_finite():
        return True
    return within_budget(
        spent=sum(ceiling(amount, step=facts.step) for amount in spent),
        unknown=sum(ceiling(amount, step=facts.step) for amount in unknown),
        new=ceiling(new, step=facts.step),
        limit=facts.whole(limit),
    )
