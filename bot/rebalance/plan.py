"""Which actions bring the endangered positions back, and which surplus may return?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.decision import PlannedAction, PositionVerdict, Refusal, Urgency
from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.rebalance import book
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of, project, released_by, snapshot
from bot.rebalance.rounding import down
from bot.rebalance.sizing import margin_need, margin_surplus, reduction_need


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Actions in the order in which they must be sent, and what could not be planned."""

    actions: tuple[PlannedAction, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """Collateral of one currency that may be spent.

    Attributes:
        near: In the wallet that backs positions, above its reserve. [currency]
        far: In wallets to transfer from, above their reserves, by name. [currency]
    """

    near: Decimal
    far: tuple[tuple[str, Decimal], ...]

    @property
    def total(self) -> Decimal:
        """All of it. [currency]."""
        return self.near + sum((amount for _, amount in self.far), Decimal(0))


def plan(
    observation: Observation,
    verdicts: Sequence[PositionVerdict],
    memory: Memory,
    policy: Policy,
) -> Plan:
    """Return the actions of one poll in merit order.

    Endangered positions share the purse: the most endangered first, everyone to the trigger
    before anyone to the target. Who cannot reach the trigger with margin is shrunk, and what
    that releases is added back. Margin returns only when nobody needs any.

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
    if surplus and memory.mode is Mode.NORMAL:
        return _give_back(observation, surplus, memory, policy)
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
    planned: list[PlannedAction] = []
    refusals: list[Refusal] = []
    for currency in sorted({v.risk.instrument.settle for v in verdicts}):
        group = [v for v in verdicts if v.risk.instrument.settle == currency]
        purse = _purse(account, currency, memory, policy)
        shares = _share(group, purse, memory, policy, observation)
        transfers = _transfers(sum(shares, Decimal(0)), purse, currency, policy)
        for action in transfers:
            account = project(account, instruments, action, wallet=policy.futures_wallet)
            planned.append(
                PlannedAction(
                    action=action, why="wallet_low", cost=Decimal(0), before=None, after=None
                )
            )
        for verdict, share in zip(group, shares, strict=True):
            steps, account, refused = _steps(
                verdict,
                share,
                account,
                instruments,
                markets[verdict.key.symbol],
                memory,
                policy,
            )
            planned += steps
            refusals += refused
    return Plan(actions=tuple(planned), refusals=tuple(refusals))


def _purse(account: Account, currency: str, memory: Memory, policy: Policy) -> Purse:
    def usable(name: str) -> Decimal:
        wallet = account.wallet(name, currency)
        if wallet is None:
            return Decimal(0)
        return max(Decimal(0), wallet.free - policy.reserve(name))

    # Money may only travel in normal mode, and one transfer at a time.
    may_transfer = memory.mode is Mode.NORMAL and not memory.is_transfer_unsettled()
    far = tuple((name, usable(name)) for name in policy.transfer_from) if may_transfer else ()
    return Purse(near=usable(policy.futures_wallet), far=far)


def _share(
    group: Sequence[PositionVerdict],
    purse: Purse,
    memory: Memory,
    policy: Policy,
    observation: Observation,
) -> list[Decimal]:
    """Return the margin each position gets, in the order of ``group``. [currency]."""
    left = purse.total
    shares = [Decimal(0) for _ in group]
    for level in ("trigger", "target"):
        for index, verdict in enumerate(group):
            assert verdict.band is not None  # noqa: S101 - _is_below has asked
            if memory.is_margin_unsettled(verdict.key):
                continue
            wanted = min(
                margin_need(verdict.risk, distance=getattr(verdict.band.distance, level)),
                _allowance(verdict, memory, policy, observation),
            )
            more = max(Decimal(0), min(wanted - shares[index], left))
            more = down(more, step=verdict.risk.instrument.margin_step)
            shares[index] += more
            left -= more
    return [
        # Dust would cost a request and change nothing.
        share if share >= policy.min_move or verdict.urgency is Urgency.EMERGENCY else Decimal(0)
        for share, verdict in zip(shares, group, strict=True)
    ]


def _allowance(
    verdict: PositionVerdict, memory: Memory, policy: Policy, observation: Observation
) -> Decimal:
    """Return how much margin the budgets still allow for a position. [quote]."""
    now = observation.at
    hour = memory.added_since(verdict.key, now - timedelta(hours=1))
    day = memory.added_since(verdict.key, now - timedelta(days=1))
    return max(
        Decimal(0),
        min(
            policy.max_margin_per_action,
            policy.max_margin_per_hour - hour,
            policy.max_margin_per_day - day,
        ),
    )


def _transfers(
    needed: Decimal, purse: Purse, currency: str, policy: Policy
) -> tuple[Transfer, ...]:
    missing = needed - purse.near
    found: list[Transfer] = []
    for name, usable in purse.far:
        amount = min(missing, usable, policy.max_margin_per_action)
        if amount <= 0:
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


def _steps(
    verdict: PositionVerdict,
    share: Decimal,
    account: Account,
    instruments: Mapping[str, Instrument],
    market: Market,
    memory: Memory,
    policy: Policy,
) -> tuple[list[PlannedAction], Account, list[Refusal]]:
    """Return what one endangered position gets: margin first, then a reduction if that is short."""
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    key, instrument = verdict.key, verdict.risk.instrument
    levels = verdict.band.distance
    steps: list[PlannedAction] = []
    is_emergency = verdict.urgency is Urgency.EMERGENCY
    is_short = share < margin_need(verdict.risk, distance=levels.trigger)
    if share > 0:
        add = AddMargin(key=key, amount=share, currency=instrument.settle)
        step, account = _planned(add, verdict.reason, Decimal(0), account, instruments, policy)
        steps.append(step)
    if not is_short:
        return steps, account, []
    position = position_of(account, key)
    if position is None or memory.is_order_unsettled(key):
        return steps, account, [_short_of_funds(verdict, share, "an order is not settled yet")]
    if memory.is_margin_unsettled(key) and not is_emergency:
        return steps, account, [_short_of_funds(verdict, share, "a margin move is not settled")]
    reduce = _reduction(position, instrument, market, verdict, policy)
    if reduce is None:
        refusal = _short_of_funds(verdict, share, "the book shows nothing to close into")
        return steps, account, [refusal]
    cost = book.reduction_cost(
        market, instrument, position.side, size=reduce.size, limit_price=reduce.limit_price
    )
    step, after = _planned(reduce, "wallet_low", cost, account, instruments, policy)
    steps.append(step)
    re_add = _re_add(position, after, reduce, instrument)
    if re_add is not None:
        step, after = _planned(re_add, "re_add_released", Decimal(0), after, instruments, policy)
        steps.append(step)
    return steps, after, []


def _reduction(
    position: Position,
    instrument: Instrument,
    market: Market,
    verdict: PositionVerdict,
    policy: Policy,
) -> ReducePosition | None:
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    is_emergency = verdict.urgency is Urgency.EMERGENCY
    slippage = policy.emergency_slippage if is_emergency else policy.slippage
    limit = book.worst_price(
        market,
        instrument,
        position.side,
        slippage=slippage,
        furthest=policy.emergency_slippage,
    )
    whole = abs(position.size)
    wanted = reduction_need(
        position, instrument, distance=verdict.band.distance.target, limit_price=limit
    )
    most = [wanted, instrument.max_market_size]
    if policy.max_reduction_per_action < 1:
        most.append(whole * policy.max_reduction_per_action)
    depth = book.resting(market, position.side, limit_price=limit)
    if depth is not None:
        most.append(depth)
    size = min(most)
    if size < whole:
        size = down(size, step=instrument.size_step)
    if size < instrument.min_size and size < whole:
        size = min(whole, instrument.min_size)
        if depth is not None and depth < size:
            return None
    return ReducePosition(key=position.key, size=size, limit_price=limit)


def _re_add(
    before: Position, account: Account, reduce: ReducePosition, instrument: Instrument
) -> AddMargin | None:
    """Return the second half of the pair on venues that release margin pro rata."""
    if instrument.margin_release is not MarginRelease.PRO_RATA:
        return None
    if position_of(account, before.key) is None:
        return None
    released = released_by(before, instrument, size=reduce.size, price=reduce.limit_price)
    amount = down(released, step=instrument.margin_step)
    if amount <= 0:
        return None
    return AddMargin(
        key=before.key, amount=amount, currency=instrument.settle, after_reduction=True
    )


def _give_back(
    observation: Observation,
    verdicts: Sequence[PositionVerdict],
    memory: Memory,
    policy: Policy,
) -> Plan:
    instruments = {i.symbol: i for i in observation.instruments}
    account = observation.account
    steps: list[PlannedAction] = []
    refusals: list[Refusal] = []
    for verdict in verdicts:
        if verdict.band is None or memory.is_margin_unsettled(verdict.key):
            continue
        amount = margin_surplus(verdict.risk, distance=verdict.band.distance.target)
        if policy.only_own_margin:
            step = verdict.risk.instrument.margin_step
            amount = min(amount, down(memory.of(verdict.key).added, step=step))
        amount = min(amount, policy.max_margin_per_action)
        if amount < policy.min_move or amount <= 0:
            refusals.append(_nothing_removable(verdict, amount, policy))
            continue
        remove = RemoveMargin(
            key=verdict.key, amount=amount, currency=verdict.risk.instrument.settle
        )
        planned, account = _planned(
            remove, "above_give_back", Decimal(0), account, instruments, policy
        )
        steps.append(planned)
    return Plan(actions=tuple(steps), refusals=tuple(refusals))


def _planned(
    action: Action,
    why: str,
    cost: Decimal,
    account: Account,
    instruments: Mapping[str, Instrument],
    policy: Policy,
) -> tuple[PlannedAction, Account]:
    after = project(account, instruments, action, wallet=policy.futures_wallet)
    before = None
    shown = None
    if not isinstance(action, Transfer):
        held, rest = position_of(account, action.key), position_of(after, action.key)
        instrument = instruments[action.key.symbol]
        before = snapshot(held, instrument) if held is not None else None
        shown = snapshot(rest, instrument) if rest is not None else None
    planned = PlannedAction(action=action, why=why, cost=cost, before=before, after=shown)
    return planned, after


def _short_of_funds(verdict: PositionVerdict, share: Decimal, why: str) -> Refusal:
    assert verdict.band is not None  # noqa: S101 - _is_below has asked
    need = margin_need(verdict.risk, distance=verdict.band.distance.trigger)
    return Refusal(
        code="short_of_funds",
        text=f"{verdict.key} needs {need} to reach its trigger, {share} may be used, and it was "
        f"not shrunk: {why}",
    )


def _nothing_removable(verdict: PositionVerdict, amount: Decimal, policy: Policy) -> Refusal:
    position = verdict.risk.position
    floor = verdict.risk.notional / position.leverage_setting
    return Refusal(
        code="nothing_removable",
        text=f"{verdict.key} may give back {amount}, less than the smallest move "
        f"{policy.min_move}; the venue keeps equity above {floor:.2f} at a leverage setting of "
        f"{position.leverage_setting}",
    )
