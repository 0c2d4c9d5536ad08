"""What shall be done about this observation?"""

from collections.abc import Callable

from bot.domain.action import Action, AddMargin, ReducePosition
from bot.domain.band import LeverageBand
from bot.domain.decision import (
    Decision,
    PlannedAction,
    PositionVerdict,
    Refusal,
    Urgency,
    Verdict,
)
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, PositionKey
from bot.domain.risk import PositionRisk
from bot.margin.assess import assess
from bot.rebalance.memory import Memory
from bot.rebalance.plan import plan
from bot.rebalance.policy import Policy
from bot.rebalance.project import project
from bot.rebalance.review import review
from bot.rebalance.screen import inputs_age_ms, screen
from bot.rebalance.urgency import weigh

Choose = Callable[[PositionRisk, Market], LeverageBand]
"""A strategy's only method."""


def decide(observation: Observation, memory: Memory, policy: Policy, *, choose: Choose) -> Decision:
    """Return the decision of one poll: a pure function of its arguments.

    Args:
        observation: One complete look.
        memory: Of the polls before it.
        policy: Limits and timing.
        choose: Where a position shall stand.
    """
    age_ms = inputs_age_ms(observation)
    unfit = screen(observation, policy)
    if unfit:
        return Decision(
            at=observation.at,
            account=observation.account.name,
            mode=memory.mode,
            urgency=Urgency.HOLD,
            verdict=Verdict.NOT_READY,
            reason=unfit[0].code,
            wallets=observation.account.wallets,
            refusals=unfit,
            inputs_age_ms=age_ms,
        )
    verdicts, refusals = _verdicts(observation, memory, policy, choose)
    found = plan(observation, verdicts, memory, policy)
    approved, refused = _review_all(observation, verdicts, found.actions, memory, policy, age_ms)
    refusals = (*refusals, *found.refusals, *refused)
    urgency = max((v.urgency for v in verdicts), key=lambda u: u.rank, default=Urgency.HOLD)
    verdict, reason = _conclude(verdicts, approved, (*found.refusals, *refused), refusals)
    return Decision(
        at=observation.at,
        account=observation.account.name,
        mode=memory.mode,
        urgency=urgency,
        verdict=verdict,
        reason=reason,
        positions=verdicts,
        wallets=observation.account.wallets,
        approved=approved,
        refusals=refusals,
        inputs_age_ms=age_ms,
    )


def _verdicts(
    observation: Observation, memory: Memory, policy: Policy, choose: Choose
) -> tuple[tuple[PositionVerdict, ...], tuple[Refusal, ...]]:
    """Return one verdict per position, most endangered first, and what could not be judged."""
    instruments = {i.symbol: i for i in observation.instruments}
    markets = {m.symbol: m for m in observation.markets}
    verdicts: list[PositionVerdict] = []
    refusals: list[Refusal] = []
    for position in observation.account.positions:
        risk = assess(position, instruments[position.symbol])
        if position.margin_mode is not MarginMode.ISOLATED:
            refusals.append(
                Refusal(
                    code="cross_margin",
                    text=f"{position.key} must be isolated to be protected, is "
                    f"{position.margin_mode}",
                )
            )
            verdicts.append(_unjudged(risk, "cross_margin"))
            continue
        try:
            band = choose(risk, markets[position.symbol])
        except ValueError as error:
            refusals.append(Refusal(code="no_band", text=str(error)))
            verdicts.append(_unjudged(risk, "no_band"))
            continue
        urgency, reason = weigh(risk, band, memory, policy, now=observation.at)
        verdicts.append(PositionVerdict(risk=risk, band=band, urgency=urgency, reason=reason))
    verdicts.sort(key=_order)
    return tuple(verdicts), tuple(refusals)


def _unjudged(risk: PositionRisk, reason: str) -> PositionVerdict:
    return PositionVerdict(risk=risk, band=None, urgency=Urgency.HOLD, reason=reason)


def _order(verdict: PositionVerdict) -> tuple[int, object, str]:
    distance, band = verdict.risk.distance, verdict.band
    if distance is None or band is None:
        return (1, 0, str(verdict.key))
    return (0, distance / band.distance.trigger, str(verdict.key))


def _review_all(
    observation: Observation,
    verdicts: tuple[PositionVerdict, ...],
    actions: tuple[PlannedAction, ...],
    memory: Memory,
    policy: Policy,
    age_ms: int,
) -> tuple[tuple[PlannedAction, ...], tuple[Refusal, ...]]:
    """Return what may be sent; a refused action takes those that build on it along."""
    instruments = {i.symbol: i for i in observation.instruments}
    bands = {v.key: v.band for v in verdicts if v.band is not None}
    account = observation.account
    approved: list[PlannedAction] = []
    refused: list[Refusal] = []
    not_reduced: set[PositionKey] = set()
    for planned in actions:
        action: Action = planned.action
        if isinstance(action, AddMargin) and action.after_reduction and action.key in not_reduced:
            continue
        refusal = review(
            action,
            account,
            instruments,
            bands,
            memory,
            policy,
            now=observation.at,
            age_ms=age_ms,
        )
        if refusal is not None:
            refused.append(refusal)
            if isinstance(action, ReducePosition):
                not_reduced.add(action.key)
            continue
        account = project(account, instruments, action, wallet=policy.futures_wallet)
        approved.append(planned)
    return tuple(approved), tuple(refused)


def _conclude(
    verdicts: tuple[PositionVerdict, ...],
    approved: tuple[PlannedAction, ...],
    refused: tuple[Refusal, ...],
    refusals: tuple[Refusal, ...],
) -> tuple[Verdict, str]:
    if approved:
        return Verdict.ACT, approved[0].why
    if refused:
        return Verdict.REFUSE, refused[0].code
    if refusals:
        return Verdict.REFUSE, refusals[0].code
    if not verdicts:
        return Verdict.HOLD, "no_positions"
    return Verdict.HOLD, verdicts[0].reason
