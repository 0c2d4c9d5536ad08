"""Which actions bring the endangered positions back?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import AddMargin, Transfer
from bot.domain.decision import PlannedAction, PositionVerdict, Refusal, Urgency
from bot.domain.instrument import Instrument
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.position import Side
from bot.leverage.claimant import Claimant, Offer
from bot.rebalance import book, reducing, sharing
from bot.rebalance.claims import surplus
from bot.rebalance.memory import Memory
from bot.rebalance.planned import Plan, planned
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of
from bot.rebalance.returning import give_back
from bot.rebalance.rounding import down, up
from bot.rebalance.sizing import least_effect, margin_need, required


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """Collateral of one currency that may be spent.

    Attributes:
        near: In the wallet that backs positions, above its reserve; negative below it. [currency]
        coming: Left another wallet for that one and does not show in it yet. [currency]
        far: In wallets to transfer from, above their reserves, by name. [currency]
        may_transfer: Whether it can be sent now; else it waits for what is not settled.
    """

    near: Decimal
    coming: Decimal
    far: tuple[tuple[str, Decimal], ...]
    may_transfer: bool

    @property
    def now(self) -> Decimal:
        """What can enter a position at once. [currency]."""
        return max(Decimal(0), self.near)

    @property
    def total(self) -> Decimal:
        """What can enter positions, now and after transfers. [currency]."""
        rest = sum((amount for _, amount in self.far), self.coming)
        return max(Decimal(0), self.near + rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The margin one position gets.

    Attributes:
        now: At once. [currency]
        later: When it has arrived. [currency]
    """

    now: Decimal
    later: Decimal

    @property
    def total(self) -> Decimal:
        """Both. [currency]."""
        return self.now + self.later


TWINS = 60
"""Two equal additions to a position are this far apart at least. [s]"""


def plan(
    observation: Observation,
    verdicts: Sequence[PositionVerdict],
    memory: Memory,
    policy: Policy,
) -> Plan:
    """Return the actions of one poll in merit order.

    Endangered positions share the purse (`sharing`). What is near enters at once; what must travel
    first is sent on its way last, and enters when a later look finds it arrived. Who cannot reach
    the trigger with all of it is shrunk, and what that releases is added back. Margin returns only
    when nobody needs any.

    Args:
        observation: Screened.
        verdicts: Most endangered first.
        memory: Of earlier polls.
        policy: Limits.
    """
    endangered = [v for v in verdicts if v.urgency is not Urgency.HOLD and _is_below(v)]
    if endangered:
        return _rescue(observation, endangered, memory, policy)
    surplus = [v for v in verdicts if v.urgency is not Urgency.HOLD]
    if surplus and memory.mode is Mode.NORMAL and not memory.unsettled:
        return give_back(observation, surplus, memory, policy)
    return Plan()


def _is_below(verdict: PositionVerdict) -> bool:
    distance, band = verdict.risk.distance, verdict.band
    return band is not None and distance is not None and distance < band.distance.trigger


def _rescue(
    observation: Observation,
    verdicts: Sequence[PositionVerdict],
    memory: Memory,
    policy: Policy,
) -> Plan:
    account = observation.account
    instruments = {i.symbol: i for i in observation.instruments}
    markets = {m.symbol: m for m in observation.markets}
    made: list[PlannedAction] = []
    refusals: list[Refusal] = []
    left = _account_allowance(memory, policy, observation)
    for currency in sorted({v.risk.instrument.settle for v in verdicts}):
        group = [v for v in verdicts if v.risk.instrument.settle == currency]
        room = sum((v.risk.instrument.margin_step for v in group), Decimal(0))
        purse = _purse(account, currency, memory, policy, room=room, at=observation.at)
        if not purse.may_transfer and any(v.urgency is Urgency.EMERGENCY for v in group):
            purse = replace(purse, far=())  # what cannot be sent now may come too late
        claimants = [
            _claimant(v, markets[v.key.symbol], memory, policy, observation) for v in group
        ]
        shares = sharing.shared(claimants, min(purse.total, left))
        at_once = sharing.at_once(claimants, shares, min(purse.now, left))
        refusals += [_shared_in_order(currency, s.doubt) for s in (shares, at_once) if s.doubt]
        parts: list[tuple[PositionVerdict, Share]] = []
        for index, verdict in enumerate(group):
            now, whole = at_once.amounts[index], shares.amounts[index]
            share = Share(now=now, later=whole - now)
            worth = _worth(verdict, share, claimants[index], policy)
            if worth is None:
                refusals.append(_too_small(verdict, share))
            else:
                parts.append((verdict, worth))
        total = sum((share.total for _, share in parts), Decimal(0))
        left -= total
        # Margin first: what an order brings or costs is not certain.
        for verdict, share in parts:
            amount = _distinct(share.now, memory, policy, verdict, now=observation.at)
            if amount > 0:
                add = AddMargin(key=verdict.key, amount=amount, currency=currency)
                step, account = planned(
                    add, verdict.reason, Decimal(0), account, instruments, policy
                )
                made.append(step)
        for verdict, share in parts:
            steps, account, refused = _shrunk(
                verdict, share, account, instruments, markets[verdict.key.symbol], memory, policy
            )
            made += steps
            refusals += refused
        for action in _transfers(total, purse, currency, policy, step=room):
            made.append(
                PlannedAction(
                    action=action, why="wallet_low", cost=Decimal(0), before=None, after=None
                )
            )
    return Plan(actions=tuple(made), refusals=tuple(refusals))


def _purse(
    account: Account,
    currency: str,
    memory: Memory,
    policy: Policy,
    *,
    room: Decimal,
    at: datetime,
) -> Purse:
    """Return what may be spent.

    Args:
        account: As observed.
        currency: Of the purse.
        memory: Of earlier polls.
        policy: Limits.
        room: Left in each wallet, because what is sent carries digits of its own: a little more
            than planned. [currency]
        at: Of the observation. Aware UTC.
    """

    def above_reserve(name: str) -> Decimal:
        wallet = account.wallet(name, currency)
        if wallet is None:
            return Decimal(0)
        old = surplus(memory.claims, name, currency, total=wallet.total, at=at)
        return wallet.free - old - policy.reserve(name) - room

    backing = account.wallet(policy.futures_wallet, currency)
    # Money may only travel in normal mode, one transfer at a time, and nothing else unsettled.
    may_travel = memory.mode is Mode.NORMAL and not policy.only_emergencies
    far = policy.transfer_from if may_travel else ()
    return Purse(
        near=above_reserve(policy.futures_wallet),
        coming=Decimal(0) if backing is None else memory.coming(backing, at=at),
        far=tuple((name, max(Decimal(0), above_reserve(name))) for name in far),
        may_transfer=not memory.unsettled and not memory.in_transit,
    )


def _worth(
    verdict: PositionVerdict, share: Share, claimant: Claimant, policy: Policy
) -> Share | None:
    """Return what of a share is worth a move; ``None`` where it had better wait for more.

    A little margin beside a close makes that smaller. Alone it would only drip.
    """
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    is_short = share.total < claimant.need
    if verdict.urgency is Urgency.EMERGENCY or (is_short and claimant.offer.size > 0):
        return share
    least = least_effect(verdict.risk, verdict.band, policy)
    if share.total < least:
        return Share(now=Decimal(0), later=Decimal(0)) if is_short else None
    return share if share.now >= least else Share(now=Decimal(0), later=share.total)


def _claimant(
    verdict: PositionVerdict,
    market: Market,
    memory: Memory,
    policy: Policy,
    observation: Observation,
) -> Claimant:
    """Return what an endangered position may get of a purse."""
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    risk, levels = verdict.risk, verdict.band.distance
    step = risk.instrument.margin_step
    is_emergency = verdict.urgency is Urgency.EMERGENCY
    # Dust would cost a request and change nothing: a little more than needed, or nothing.
    least = up(
        policy.least_move if is_emergency else max(policy.least_move, policy.min_move), step=step
    )
    allowed = Decimal(0)
    if _may_add(verdict, memory, policy):
        allowed = _allowance(verdict, memory, policy, observation)

    def at_most(need: Decimal) -> Decimal:
        return down(min(max(need, least), allowed), step=step) if allowed >= least else Decimal(0)

    need = margin_need(risk, distance=levels.trigger)
    return Claimant(
        risk=risk,
        trigger=levels.trigger,
        required=required(risk, distance=levels.trigger),
        need=need,
        to_trigger=at_most(need),
        to_target=at_most(margin_need(risk, distance=levels.target)),
        least=least,
        is_measured=verdict.band.volatility is not None,
        offer=_offer(verdict, market, memory, policy),
    )


def _offer(verdict: PositionVerdict, market: Market, memory: Memory, policy: Policy) -> Offer:
    """Return what may be closed of an endangered position."""
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    risk, target = verdict.risk, verdict.band.distance.target
    position, instrument = risk.position, risk.instrument
    is_emergency = verdict.urgency is Urgency.EMERGENCY
    price = reducing.worst_price(position, instrument, market, policy, is_emergency=is_emergency)
    may_close = not _waits(verdict, memory) and reducing.pays(position, instrument, market)
    levels = market.bids if position.side is Side.LONG else market.asks
    seen = book.within(levels, position.side, price)
    size = reducing.most(position, instrument, market, policy, limit_price=price)
    return Offer(
        levels=seen,
        nearest=seen[0].price if seen else price,
        size=size if may_close else Decimal(0),
        aim=margin_need(risk, distance=target),
        required=required(risk, distance=target),
    )


def _waits(verdict: PositionVerdict, memory: Memory) -> str:
    """Return why a position may not be shrunk now; empty when it may."""
    if memory.is_order_unsettled(verdict.key):
        return "an order is not settled yet"
    if memory.is_margin_unsettled(verdict.key) and verdict.urgency is not Urgency.EMERGENCY:
        return "a margin move is not settled"
    return ""


def _may_add(verdict: PositionVerdict, memory: Memory, policy: Policy) -> bool:
    """Whether margin may be added beside what is not settled.

    One unknown move of a position leaves room for one more in an emergency: too much protection
    can be taken back, too little can not. Where only emergencies may be written nothing of the
    purse is kept from them.
    """
    waiting = memory.unsettled_moves(verdict.key)
    if verdict.urgency is Urgency.EMERGENCY:
        return waiting <= 1
    return waiting == 0 and not policy.only_emergencies


def _allowance(
    verdict: PositionVerdict, memory: Memory, policy: Policy, observation: Observation
) -> Decimal:
    """Return how much margin its own budgets still allow for a position. [settle]."""
    now = observation.at
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    # A quarter of the moves is kept for emergencies.
    share = Decimal(1) if verdict.urgency is Urgency.EMERGENCY else Decimal("0.75")
    if (
        memory.additions_since(verdict.key, hour) + 1 > policy.max_moves_per_hour * share
        or memory.additions_since(verdict.key, day) + 1 > policy.max_moves_per_day * share
    ):
        return Decimal(0)
    # What is sent carries digits of its own: a little more than planned.
    room = verdict.risk.instrument.margin_step
    return max(
        Decimal(0),
        min(
            policy.max_margin_per_action,
            policy.max_margin_per_hour - memory.added_since(verdict.key, hour) - room,
            policy.max_margin_per_day - memory.added_since(verdict.key, day) - room,
        ),
    )


def _account_allowance(memory: Memory, policy: Policy, observation: Observation) -> Decimal:
    """Return how much margin the budgets that positions share still allow. [settle]."""
    part = min(policy.account_budget, policy.venue_budget, policy.global_budget)
    # What is sent carries digits of its own: a little more than planned, at each position.
    served = (i.margin_step for i in observation.instruments if policy.serves(i))
    room = sum(served, Decimal(0))
    spent = memory.added_since(None, observation.at - timedelta(days=1), coin=policy.coin)
    return max(Decimal(0), observation.account.held(policy.coin) * part - spent - room)


def _transfers(
    needed: Decimal, purse: Purse, currency: str, policy: Policy, *, step: Decimal
) -> tuple[Transfer, ...]:
    if not purse.may_transfer:
        return ()
    missing = needed - purse.near - purse.coming
    found: list[Transfer] = []
    for name, usable in purse.far:
        most = min(usable, policy.max_margin_per_action)
        amount = min(up(missing, step=step), down(most, step=step))
        if amount < policy.least_move:
            continue
        found.append(
            Transfer(
                source=name,
                destination=policy.futures_wallet,
                amount=amount,
                currency=currency,
            )
        )
        missing -= amount
    return tuple(found)


def _shrunk(
    verdict: PositionVerdict,
    share: Share,
    account: Account,
    instruments: Mapping[str, Instrument],
    market: Market,
    memory: Memory,
    policy: Policy,
) -> tuple[list[PlannedAction], Account, list[Refusal]]:
    """Return the reduction of a position that its share does not bring to the trigger."""
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    key, instrument = verdict.key, verdict.risk.instrument
    levels = verdict.band.distance
    is_emergency = verdict.urgency is Urgency.EMERGENCY
    if share.total >= margin_need(verdict.risk, distance=levels.trigger):
        return [], account, []
    waits = _waits(verdict, memory)
    if waits:
        return [], account, [_short_of_funds(verdict, share, waits)]
    position = position_of(account, key)
    assert position is not None  # noqa: S101 - margin moves leave it there
    if not reducing.pays(position, instrument, market):
        return [], account, [_not_better(verdict, share)]
    price = reducing.worst_price(position, instrument, market, policy, is_emergency=is_emergency)
    # What comes later is in it when the reduction is sized: nothing is closed for its delay.
    whole = replace(position, margin=position.margin + share.later)
    reduce = reducing.reduction(
        whole, instrument, market, policy, distance=levels.target, limit_price=price
    )
    if reduce is None:
        refusal = _short_of_funds(verdict, share, "the book shows nothing to close into")
        return [], account, [refusal]
    cost = book.reduction_cost(
        market, instrument, position.side, size=reduce.size, limit_price=reduce.limit_price
    )
    step, after = planned(reduce, "wallet_low", cost, account, instruments, policy)
    steps = [step]
    re_add = reducing.re_add(position, after, reduce, instrument, policy)
    if re_add is not None:
        step, after = planned(re_add, "re_add_released", Decimal(0), after, instruments, policy)
        steps.append(step)
    return steps, after, []


def _distinct(
    amount: Decimal, memory: Memory, policy: Policy, verdict: PositionVerdict, *, now: datetime
) -> Decimal:
    """Return an amount that was not added to the position lately; 0 where none is left. [settle].

    Nobody could tell twins apart, so the second of two would be refused, and the rest of the plan
    with it.
    """
    step = verdict.risk.instrument.margin_step
    recent = {
        down(move.action.amount, step=step)
        for move in memory.moves
        if isinstance(move.action, AddMargin)
        and move.action.key == verdict.key
        and (now - move.at).total_seconds() < TWINS
    }
    while amount in recent:
        amount -= step
    return amount if amount >= policy.least_move else Decimal(0)


def _short_of_funds(verdict: PositionVerdict, share: Share, why: str) -> Refusal:
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    need = margin_need(verdict.risk, distance=verdict.band.distance.trigger)
    return Refusal(
        code="short_of_funds",
        text=f"{verdict.key} needs {need} to reach its trigger, {share.total} may be "
        f"used, and it was not shrunk: {why}",
    )


def _not_better(verdict: PositionVerdict, share: Share) -> Refusal:
    risk = verdict.risk
    return Refusal(
        code="not_better",
        text=f"{verdict.key} may use {share.total} and was not shrunk: closing would "
        f"cost no less of its value than its equity is of it, {risk.equity / risk.notional:.4f}",
    )


def _too_small(verdict: PositionVerdict, share: Share) -> Refusal:
    return Refusal(
        code="too_small",
        text=f"{verdict.key} is short of its trigger by less than {share.total}, which is too "
        "small a part of the way to its target to be moved before it is an emergency",
    )


def _shared_in_order(currency: str, why: str) -> Refusal:
    return Refusal(
        code="shared_in_order",
        text=f"{currency} was shared in the order of danger, the estimate that shares it evenly "
        f"was not followed: {why}",
    )
