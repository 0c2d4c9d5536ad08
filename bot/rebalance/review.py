"""May this action be sent? Asked of every action, also in an emergency."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.band import LeverageBand
from bot.domain.decision import Refusal
from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.position import Position, PositionKey
from bot.domain.switch import Switches
from bot.margin.assess import assess, distance, liquidation_price, removable
from bot.rebalance.currency import described, other_currency
from bot.rebalance.memory import Memory
from bot.rebalance.owner import venue_adds_margin
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of, project
from bot.rebalance.review_stops import has_no_stop, review_cancel, review_place
from bot.rebalance.rounding import is_multiple


def review(
    action: Action,
    account: Account,
    instruments: Mapping[str, Instrument],
    bands: Mapping[PositionKey, LeverageBand],
    memory: Memory,
    policy: Policy,
    *,
    now: datetime,
    age_ms: int,
) -> Refusal | None:
    """Return why an action may not be sent, ``None`` when it may.

    Judges the change: after it the position must stand better (or, when margin returns, no
    nearer than its target), nothing may overshoot, no reserve and no budget may break.

    Args:
        action: Planned.
        account: As projected after the actions before it.
        instruments: By symbol.
        bands: Chosen by the strategy.
        memory: Of earlier polls.
        policy: Limits.
        now: Of the observation. Aware UTC.
        age_ms: Age of the oldest input. [ms]
    """
    forbidden = _forbidden(action, account, instruments, memory, policy, age_ms)
    if forbidden is not None:
        return forbidden
    if isinstance(action, Transfer):
        return _review_transfer(action, account, policy)
    if isinstance(action, CancelStop):
        return review_cancel(action, account, instruments)
    position = position_of(account, action.key)
    if position is None:
        return Refusal(code="position_unknown", text=f"{action.key} is not held")
    band = bands.get(action.key)
    if band is None:
        return Refusal(code="no_band", text=f"{action.key} has no band")
    instrument = instruments[action.key.symbol]
    if not policy.serves(instrument):
        return other_currency(action.key, instrument, policy)
    match action:
        case AddMargin():
            return _review_add(action, position, instrument, account, memory, policy, now)
        case RemoveMargin():
            return _review_remove(action, position, instrument, band, memory, policy)
        case ReducePosition():
            return _review_reduction(action, position, instrument, account, policy)
    return review_place(action, position, instrument, band)


def _forbidden(
    action: Action,
    account: Account,
    instruments: Mapping[str, Instrument],
    memory: Memory,
    policy: Policy,
    age_ms: int,
) -> Refusal | None:
    """Return why no action of its kind may be sent now."""
    is_needed = isinstance(action, PlaceStop) and has_no_stop(action.key, account, instruments)
    refusal = Switches(pause=memory.pause).refusal(
        action.kind, mode=memory.mode, is_needed=is_needed
    )
    is_stale = isinstance(action, RemoveMargin) and age_ms > policy.max_age_optional * 1000
    if refusal is not None or not is_stale:
        return refusal
    return Refusal(
        code="input_stale",
        text=f"age of inputs must be <= {policy.max_age_optional} s to give back, was "
        f"{age_ms / 1000:.1f} s",
    )


def _review_transfer(action: Transfer, account: Account, policy: Policy) -> Refusal | None:
    if not action.amount > 0:
        return Refusal(code="not_positive", text=f"amount must be > 0, was {action.amount}")
    if policy.coin and action.currency != policy.coin:
        return Refusal(
            code="other_currency",
            text=f"limits are {described(policy)}, transfer was of {action.currency}",
        )
    wallet = account.wallet(action.source, action.currency)
    reserve = policy.reserve(action.source)
    free = wallet.free if wallet is not None else Decimal(0)
    if free - action.amount < reserve:
        return Refusal(
            code="breaks_reserve",
            text=f"{action.source} must keep {reserve} {action.currency}, has {free} free and "
            f"would send {action.amount}",
        )
    if action.source not in policy.transfer_from:
        return Refusal(
            code="destination_not_owned",
            text=f"transfers may leave {', '.join(policy.transfer_from) or 'no wallet'}, "
            f"not {action.source}",
        )
    return None


def _review_add(
    action: AddMargin,
    position: Position,
    instrument: Instrument,
    account: Account,
    memory: Memory,
    policy: Policy,
    now: datetime,
) -> Refusal | None:
    refusal = _check_amount(action.amount, instrument)
    if refusal is not None:
        return refusal
    wallet = account.wallet(policy.futures_wallet, action.currency)
    free = wallet.free if wallet is not None else Decimal(0)
    reserve = policy.reserve(policy.futures_wallet)
    # What a reduction released was never free before it: it may go back into the position.
    kept = Decimal(0) if action.after_reduction else reserve
    if free - action.amount < kept:
        return Refusal(
            code="breaks_reserve",
            text=f"{policy.futures_wallet} must keep {kept} {action.currency}, has {free} free "
            f"and would give {action.amount}",
        )
    refusal = _check_budgets(action, memory, policy, now)
    if refusal is not None:
        return refusal
    before = distance(position, instrument)
    after = distance(position, instrument, change=action.amount)
    if before is None or (after is not None and after <= before):
        return Refusal(
            code="not_better", text=f"distance of {action.key} must grow, {before} to {after}"
        )
    return None


def _check_budgets(
    action: AddMargin, memory: Memory, policy: Policy, now: datetime
) -> Refusal | None:
    limits = [("budget_action", policy.max_margin_per_action, Decimal(0))]
    if not action.after_reduction:  # what was in the position before is no new margin
        limits += [
            (
                "budget_hour",
                policy.max_margin_per_hour,
                memory.added_since(action.key, now - timedelta(hours=1)),
            ),
            (
                "budget_day",
                policy.max_margin_per_day,
                memory.added_since(action.key, now - timedelta(days=1)),
            ),
        ]
    for code, limit, spent in limits:
        if spent + action.amount > limit:
            return Refusal(
                code=code,
                text=f"margin for {action.key} must be <= {limit}, {spent} is spent and "
                f"{action.amount} would be added",
            )
    return None


def _review_remove(
    action: RemoveMargin,
    position: Position,
    instrument: Instrument,
    band: LeverageBand,
    memory: Memory,
    policy: Policy,
) -> Refusal | None:
    refusal = _check_amount(action.amount, instrument)
    if refusal is not None:
        return refusal
    if position.venue_adds_margin:
        return venue_adds_margin(action.key)
    added = memory.of(action.key).added
    if policy.only_own_margin and action.amount > added:
        return Refusal(
            code="not_bot_margin",
            text=f"the bot added {added} to {action.key} and would remove {action.amount}",
        )
    most = removable(position, instrument)
    if action.amount > most:
        return Refusal(
            code="above_maximum",
            text=f"the venue releases at most {most} of {action.key}, asked {action.amount}",
        )
    after = distance(position, instrument, change=-action.amount)
    if after is not None and after < band.distance.target:
        return Refusal(
            code="overshoot",
            text=f"distance of {action.key} must stay >= {band.distance.target}, would be {after}",
        )
    ours = liquidation_price(position, instrument)
    theirs = position.venue_liquidation_price
    if ours is None:
        return None
    if theirs is None:
        return Refusal(
            code="liquidation_price_disputed",
            text=f"liquidation price of {action.key} is {ours} by our rules, the venue gives none",
        )
    if abs(ours - theirs) / theirs > policy.max_liquidation_dispute:
        return Refusal(
            code="liquidation_price_disputed",
            text=f"liquidation price of {action.key} must agree with the venue's within "
            f"{policy.max_liquidation_dispute}, ours is {ours}, theirs {theirs}",
        )
    return None


def _review_reduction(
    action: ReducePosition,
    position: Position,
    instrument: Instrument,
    account: Account,
    policy: Policy,
) -> Refusal | None:
    if not action.size > 0:
        return Refusal(code="not_positive", text=f"size must be > 0, was {action.size}")
    whole = abs(position.size)
    if action.size > whole:
        return Refusal(
            code="would_flip", text=f"size must be <= {whole} of {action.key}, was {action.size}"
        )
    if action.size != whole and not is_multiple(action.size, step=instrument.size_step):
        return Refusal(
            code="step_mismatch",
            text=f"size must be a multiple of {instrument.size_step}, was {action.size}",
        )
    if instrument.margin_release is MarginRelease.STAYS:
        after = position_of(
            project(
                account,
                {instrument.symbol: instrument},
                action,
                wallet=policy.futures_wallet,
            ),
            action.key,
        )
        before = assess(position, instrument).distance
        reached = assess(after, instrument).distance if after is not None else None
        if before is not None and reached is not None and reached <= before:
            return Refusal(
                code="not_better",
                text=f"distance of {action.key} must grow, {before} to {reached}",
            )
    return None


def _check_amount(amount: Decimal, instrument: Instrument) -> Refusal | None:
    if not (amount.is_finite() and amount > 0):
        return Refusal(code="not_positive", text=f"amount must be > 0, was {amount}")
    if not is_multiple(amount, step=instrument.margin_step):
        return Refusal(
            code="step_mismatch",
            text=f"amount must be a multiple of {instrument.margin_step}, was {amount}",
        )
    return None
