"""What shall be done about this observation?"""

from collections.abc import Callable

from bot.domain.account import Account
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
from bot.margin.blackout import survival
from bot.rebalance.backstop import plan_stops, standing
from bot.rebalance.choose import chosen
from bot.rebalance.crossed import assess_crossed
from bot.rebalance.currency import other_currency
from bot.rebalance.memory import Memory, key_of
from bot.rebalance.plan import plan
from bot.rebalance.policy import Policy
from bot.rebalance.project import project
from bot.rebalance.review import review
from bot.rebalance.screen import inputs_age_ms, screen
from bot.rebalance.urgency import weigh

Choose = Callable[[PositionRisk, Market], LeverageBand]
"""A strategy's only method; one with a third argument ``past`` is told of what came before."""


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
            stops=observation.account.stops,
            refusals=unfit,
            inputs_age_ms=age_ms,
        )
    verdicts, refusals = _verdicts(observation, memory, policy, choose)
    found = plan(observation, verdicts, memory, policy)
    approved, refused, account = _review_all(
        observation, observation.account, verdicts, found.actions, memory, policy, age_ms
    )
    refused = (*found.refusals, *refused)
    if policy.resident_stops:
        placed, more = _backstop(observation, account, verdicts, memory, policy, age_ms)
        approved, refused = (*approved, *placed), (*refused, *more)
    refusals = (*refusals, *refused)
    urgency = max((v.urgency for v in verdicts), key=lambda u: u.rank, default=Urgency.HOLD)
    verdict, reason = _conclude(verdicts, approved, refused, refusals)
    return Decision(
        at=observation.at,
        account=observation.account.name,
        mode=memory.mode,
        urgency=urgency,
        verdict=verdict,
        reason=reason,
        positions=verdicts,
        wallets=observation.account.wallets,
        stops=observation.account.stops,
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
    crossed = assess_crossed(observation, policy)
    verdicts: list[PositionVerdict] = []
    refusals: list[Refusal] = []
    for position in observation.account.positions:
        instrument = instruments[position.symbol]
        risk = crossed.get(position.key) or assess(position, instrument)
        if not policy.serves(instrument):
            refusals.append(other_currency(position.key, instrument, policy))
            verdicts.append(_verdict(observation, risk, None, Urgency.HOLD, "other_currency"))
            continue
        if position.margin_mode is not MarginMode.ISOLATED:
            refusals.append(
                Refusal(
                    code="cross_margin",
                    text=f"{position.key} must be isolated to be protected, is "
                    f"{position.margin_mode}",
                )
            )
            verdicts.append(_verdict(observation, risk, None, Urgency.HOLD, "cross_margin"))
            continue
        past = memory.past_of(position.key, now=observation.at)
        band = chosen(choose, risk, markets[position.symbol], past)
        if isinstance(band, Refusal):
            refusals.append(band)
            verdicts.append(_verdict(observation, risk, None, Urgency.HOLD, band.code))
            continue
        urgency, reason = weigh(risk, band, memory, policy, now=observation.at)
        verdicts.append(_verdict(observation, risk, band, urgency, reason))
    verdicts.sort(key=_order)
    return tuple(verdicts), tuple(refusals)


def _verdict(
    observation: Observation,
    risk: PositionRisk,
    band: LeverageBand | None,
    urgency: Urgency,
    reason: str,
) -> PositionVerdict:
    return PositionVerdict(
        risk=risk,
        band=band,
        urgency=urgency,
        reason=reason,
        blackout=survival(risk.position.side, risk.distance),
        stop=standing(observation.account.stops, risk.position, risk.liquidation_price),
    )


def _order(verdict: PositionVerdict) -> tuple[int, object, str]:
    distance, band = verdict.risk.distance, verdict.band
    if distance is None or band is None:
        return (1, 0, str(verdict.key))
    return (0, distance / band.distance.trigger, str(verdict.key))


def _backstop(
    observation: Observation,
    account: Account,
    verdicts: tuple[PositionVerdict, ...],
    memory: Memory,
    policy: Policy,
    age_ms: int,
) -> tuple[tuple[PlannedAction, ...], tuple[Refusal, ...]]:
    """Return the changes of resident stops for the account as it will be, and what is missing."""
    found = plan_stops(
        account,
        {i.symbol: i for i in observation.instruments},
        {m.symbol: m for m in observation.markets},
        {v.key: v.band for v in verdicts if v.band is not None},
        memory,
        policy,
        now=observation.at,
    )
    approved, refused, _ = _review_all(
        observation, account, verdicts, found.actions, memory, policy, age_ms
    )
    return approved, (*found.refusals, *refused)


def _review_all(
    observation: Observation,
    account: Account,
    verdicts: tuple[PositionVerdict, ...],
    actions: tuple[PlannedAction, ...],
    memory: Memory,
    policy: Policy,
    age_ms: int,
) -> tuple[tuple[PlannedAction, ...], tuple[Refusal, ...], Account]:
    """Return what may be sent, and the account after it.

    A refused action takes those that build on it along.
    """
    instruments = {i.symbol: i for i in observation.instruments}
    bands = {v.key: v.band for v in verdicts if v.band is not None}
    approved: list[PlannedAction] = []
    refused: list[Refusal] = []
    not_reduced: set[PositionKey] = set()
    for planned in actions:
        action: Action = planned.action
        if isinstance(action, AddMargin) and action.after_reduction and action.key in not_reduced:
            continue
        refusal = _not_urgent(action, verdicts, policy) or review(
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
    return tuple(approved), tuple(refused), account


def _not_urgent(
    action: Action, verdicts: tuple[PositionVerdict, ...], policy: Policy
) -> Refusal | None:
    """Return why an action must wait until the journal can be written again."""
    if not policy.only_emergencies or any(
        v.key == key_of(action) and v.urgency is Urgency.EMERGENCY for v in verdicts
    ):
        return None
    return Refusal(
        code="journal_unwritable",
        text=f"{action.kind} is no emergency: it waits until the journal can be written",
    )


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
