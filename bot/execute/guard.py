"""May this write leave? The last opinion, formed apart from the plan and its review.

Ordered checks; the first that fails denies. It asks again on purpose what the review has asked:
a mistake in one of the two must not be enough to move money.
"""

from collections.abc import Callable, Iterator
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
    is_protective,
)
from bot.domain.decision import Refusal, Urgency
from bot.domain.position import MarginMode, PositionKey
from bot.domain.timing import CLOCK_BOUND
from bot.execute.arithmetic import fingerprint_scale, sums_coincide
from bot.execute.budgets import DAY, budgets, of_position
from bot.execute.denial import (
    SKIPPED_FOR_ADDS,
    SKIPPED_IN_EMERGENCY,
    SKIPPED_WHERE_PROTECTIVE,
    Denial,
    DenialCode,
)
from bot.execute.effect import known, orders, source, state_after
from bot.execute.facts import Facts
from bot.execute.steps import LARGEST, floor, is_countable, is_priced, is_whole
from bot.margin.assess import distance, liquidation_price, removable
from bot.rebalance.memory import amount_of, key_of

PLAN_OLDEST = 3.0
"""Of a plan whose write does not protect. [s]"""
PLAN_OLDEST_PROTECTIVE = 15.0
SAME_WITHIN = timedelta(seconds=60)

Check = Callable[[Facts], Iterator[Denial]]


def guard(facts: Facts) -> Refusal | None:
    """Return why a write may not leave, ``None`` when it may; raises nothing."""
    try:
        return _first(facts)
    except (ArithmeticError, ValueError) as error:
        # What cannot be judged may not leave; nor may it end the process that protects the rest.
        text = f"{facts.action.kind} cannot be judged: {type(error).__name__}: {error}"
        return Refusal(code=DenialCode.INPUT_MISSING.value, text=text)


def _first(facts: Facts) -> Refusal | None:
    skipped = _skipped(facts)
    for check in CHECKS:
        for code, text in check(facts):
            if code not in skipped:
                return Refusal(code=code.value, text=text)
    return None


def _skipped(facts: Facts) -> frozenset[DenialCode]:
    if facts.urgency is not Urgency.EMERGENCY:
        return frozenset()
    skipped = SKIPPED_IN_EMERGENCY
    if is_protective(facts.action):
        skipped |= SKIPPED_WHERE_PROTECTIVE
    if isinstance(facts.action, AddMargin):
        skipped |= SKIPPED_FOR_ADDS
    return skipped


def _switches(facts: Facts) -> Iterator[Denial]:
    needed = isinstance(facts.action, CancelStop) or (
        isinstance(facts.action, PlaceStop) and facts.action.is_needed
    )
    refusal = facts.switches.refusal(facts.action.kind, mode=facts.memory.mode, is_needed=needed)
    if refusal is not None:
        yield DenialCode(refusal.code), refusal.text


def _authority(facts: Facts) -> Iterator[Denial]:
    if not facts.conditions.has_lease:
        yield DenialCode.LEASE_LOST, "another process may write"
    if not facts.conditions.is_epoch_current:
        yield DenialCode.EPOCH_STALE, "a later run has begun"


def _plan(facts: Facts) -> Iterator[Denial]:
    oldest = PLAN_OLDEST_PROTECTIVE if is_protective(facts.action) else PLAN_OLDEST
    where = facts.conditions
    # Asked so that what is not a number fails, as does a plan from the future.
    if not -CLOCK_BOUND <= where.plan_age <= oldest:
        yield (
            DenialCode.PLAN_EXPIRED,
            f"plan must be 0 to {oldest} s old, was {where.plan_age:.1f} s",
        )
    if where.planned_in is not facts.memory.mode:
        yield DenialCode.PLAN_EXPIRED, f"plan was made in {where.planned_in}"
    if where.stalled:
        yield DenialCode.PLAN_EXPIRED, "the program stood still since the plan"


def _journal(facts: Facts) -> Iterator[Denial]:
    if facts.conditions.is_journal_writable:
        return
    if not isinstance(facts.action, AddMargin | ReducePosition):
        yield DenialCode.JOURNAL_UNWRITABLE, f"{facts.action.kind} needs the journal"
    if facts.urgency is not Urgency.EMERGENCY:
        text = f"{facts.action.kind} must be an emergency without the journal, is {facts.urgency}"
        yield DenialCode.JOURNAL_UNWRITABLE, text
    if facts.conditions.reserve_free <= 0:
        yield DenialCode.RESERVE_EXHAUSTED, "the emergency reserve has no free slot"


def _clock(facts: Facts) -> Iterator[Denial]:
    unsure = facts.conditions.venue.clock_uncertainty
    if not 0 <= unsure <= CLOCK_BOUND:
        yield (
            DenialCode.CLOCK_UNCERTAIN,
            f"venue time must be known within {CLOCK_BOUND} s, is within {unsure:.3f} s",
        )


def _way(facts: Facts) -> Iterator[Denial]:
    way = facts.conditions.venue
    if way.is_banned:
        yield DenialCode.VENUE_BANNED, "the venue asked to wait"
    if not way.is_reachable:
        yield DenialCode.VENUE_UNAVAILABLE, "the last look was not complete"
    left = way.weight_left if is_protective(facts.action) else way.weight_left_optional
    if left is not None and left <= 0:
        yield DenialCode.WEIGHT_EXHAUSTED, "the request budget of this minute is spent"


def _operation(facts: Facts) -> Iterator[Denial]:
    action, where = facts.action, facts.conditions
    if action.kind not in where.supported:
        yield DenialCode.OP_UNSUPPORTED, f"{action.kind} is not supported there"
    yield from _currency(facts)
    position = facts.position
    if (
        isinstance(action, AddMargin | RemoveMargin)
        and position is not None
        and position.margin_mode is not MarginMode.ISOLATED
    ):
        yield DenialCode.OP_UNSUPPORTED, f"{action.kind} needs isolated margin"
    if isinstance(action, Transfer):
        if not {action.source, action.destination} <= where.owned:
            yield (
                DenialCode.DESTINATION_NOT_OWNED,
                f"wallets must be owned, were {action.source} and {action.destination}",
            )

        if (
            action.source not in facts.policy.transfer_from
            or action.source == action.destination
            or action.destination != facts.policy.futures_wallet
        ):
            yield (
                DenialCode.ENDPOINT_NOT_ALLOWED,
                f"no way from {action.source} to {action.destination}",
            )


def _currency(facts: Facts) -> Iterator[Denial]:
    """Deny what the limits do not measure: amounts of two coins are not compared."""
    action, policy, rules = facts.action, facts.policy, facts.rules
    if isinstance(action, CancelStop):
        return
    here = policy.coin or "quote"
    if rules is not None and not policy.serves(rules):
        text = f"{rules.symbol} settles in {rules.settle}, limits are in {here}"
        yield DenialCode.OP_UNSUPPORTED, text
    of = getattr(action, "currency", policy.coin)
    if policy.coin and of != policy.coin:
        yield DenialCode.OP_UNSUPPORTED, f"amount must be in {here}, was in {of}"


def _amount(facts: Facts) -> Iterator[Denial]:
    action = facts.action
    if isinstance(action, CancelStop):
        return
    yield from _price_of(action)
    if isinstance(action, ReducePosition | PlaceStop) and facts.rules is None:
        return  # denied for that, by a later check
    amount, step, least, most = _measure(facts)
    if amount is None:
        return
    if not amount.is_finite():
        yield DenialCode.NOT_FINITE, f"amount must be finite, was {amount}"
    elif amount <= 0:
        yield DenialCode.NOT_POSITIVE, f"amount must be > 0, was {amount}"
    elif amount > min(most, LARGEST):
        yield DenialCode.ABOVE_MAXIMUM, f"amount must be <= {min(most, LARGEST)}, was {amount}"
    elif not _closes_all(facts, amount):
        if not (is_countable(amount) and is_whole(amount, step=step)):
            yield DenialCode.STEP_MISMATCH, f"amount must be a multiple of {step}, was {amount}"
        if amount < least:
            yield DenialCode.BELOW_MINIMUM, f"amount must be >= {least}, was {amount}"


def _price_of(action: Action) -> Iterator[Denial]:
    match action:
        case ReducePosition(limit_price=price) | PlaceStop(stop_price=price):
            pass
        case _:
            return
    if not price.is_finite():
        yield DenialCode.NOT_FINITE, f"price must be finite, was {price}"
    elif not is_priced(price):
        yield DenialCode.NOT_POSITIVE, f"price must be > 0, was {price}"


def _measure(facts: Facts) -> tuple[Decimal | None, Decimal, Decimal, Decimal]:
    """Return amount, step, least and most of an action, of its own unit."""
    action, forever = facts.action, Decimal("Infinity")
    if isinstance(action, ReducePosition | PlaceStop):
        rules = facts.rules
        assert rules is not None  # noqa: S101 - the caller has asked
        most = rules.max_market_size if isinstance(action, ReducePosition) else forever
        return action.size, rules.size_step, rules.min_size, most
    assert not isinstance(action, CancelStop)  # noqa: S101 - the caller has asked
    most = _removable(facts) if isinstance(action, RemoveMargin) else forever
    return action.amount, facts.step, facts.step, most


def _removable(facts: Facts) -> Decimal:
    """Return what the venue releases of a position at most. [settle]."""
    position, rules = facts.position, facts.rules
    if position is None or rules is None:
        return Decimal("Infinity")  # denied for that, by a later check
    return removable(position, rules)


def _closes_all(facts: Facts, amount: Decimal) -> bool:
    """Whether an order closes the whole position, dust included."""
    position = facts.position
    return isinstance(facts.action, ReducePosition) and (
        position is not None and amount == abs(position.size)
    )


def _held(facts: Facts) -> Iterator[Denial]:
    key = facts.key
    if facts.account.position_mode is not facts.conditions.position_mode:
        yield (
            DenialCode.POSITION_MODE_CHANGED,
            f"position mode was {facts.account.position_mode}",
        )
    if key is None or isinstance(facts.action, CancelStop):
        return
    other = [p for p in facts.account.positions if p.symbol == key.symbol]
    if facts.position is None:
        code = DenialCode.SIDE_MISMATCH if other else DenialCode.POSITION_UNKNOWN
        yield code, f"{key} must be held, is not"


def _inputs(facts: Facts) -> Iterator[Denial]:
    action, key, where = facts.action, facts.key, facts.conditions
    optional = not is_protective(action) and not isinstance(action, CancelStop)
    oldest = facts.policy.max_age_optional if optional else facts.policy.max_age_protective
    if key is not None and key.symbol not in facts.instruments:
        yield DenialCode.INPUT_MISSING, f"rules of {key.symbol} must be known"
    yield from _unreadable(facts)
    if not -CLOCK_BOUND <= facts.age <= oldest:
        yield DenialCode.INPUT_STALE, f"inputs must be 0 to {oldest} s old, were {facts.age:.1f} s"
    if where.is_torn:
        yield DenialCode.INPUT_TORN, "inputs are from different instants"
    if not where.is_price_confirmed:
        yield DenialCode.PRICE_UNCONFIRMED, "no second source agrees with the mark"
    if where.are_tiers_changed:
        yield DenialCode.TIERS_CHANGED, "the maintenance table changed"
    if isinstance(action, RemoveMargin):
        yield from _disputed(facts)


def _unreadable(facts: Facts) -> Iterator[Denial]:
    """Deny what would be judged by numbers that are none: comparing them proves nothing."""
    position = facts.position
    if position is not None:
        for name in ("entry_price", "mark_price", "leverage_setting"):
            if not is_priced(getattr(position, name)):
                yield (
                    DenialCode.INPUT_MISSING,
                    f"{name} of {position.key} must be > 0, was {getattr(position, name)}",
                )
        if not (is_countable(position.size) and is_countable(position.margin)):
            yield (
                DenialCode.INPUT_MISSING,
                f"{position.key} must hold numbers, was {position.size} with {position.margin}",
            )
    if isinstance(facts.action, ReducePosition | PlaceStop | CancelStop):
        return  # no wallet stands against shrinking
    for wallet in facts.account.wallets:
        if not (is_countable(wallet.total) and is_countable(wallet.free)):
            yield (
                DenialCode.INPUT_MISSING,
                f"{wallet.name} must hold a number, was {wallet.total}, {wallet.free} free",
            )


def _disputed(facts: Facts) -> Iterator[Denial]:
    position, rules = known(facts)
    # What was moved before it in the same plan the venue's figure does not know yet.
    ours, theirs = liquidation_price(position, rules), position.venue_liquidation_price
    if ours is not None and (
        theirs is None
        or not is_priced(theirs)
        or abs(ours - theirs) / theirs > facts.policy.max_liquidation_dispute
    ):
        yield (
            DenialCode.LIQUIDATION_PRICE_DISPUTED,
            f"liquidation price of {position.key} is {ours} by our rules, {theirs} by the venue",
        )


def _slots(facts: Facts) -> Iterator[Denial]:
    action, memory = facts.action, facts.memory
    waiting = memory.unsettled
    if isinstance(action, Transfer | RemoveMargin) and waiting:
        yield DenialCode.IN_FLIGHT, f"{action.kind} waits for {len(waiting)} unsettled"
    if isinstance(action, Transfer) and memory.in_transit:
        yield DenialCode.IN_FLIGHT, "a transfer is on its way"
    if isinstance(action, RemoveMargin) and memory.is_given_up(action.key):
        yield DenialCode.IN_FLIGHT, f"a move of {action.key} was given up on"
    if isinstance(action, ReducePosition) and memory.is_order_unsettled(action.key):
        yield DenialCode.IN_FLIGHT, f"an order on {action.key} is not settled"
    if isinstance(action, AddMargin):
        moves = [
            a for a in waiting if isinstance(a, AddMargin | RemoveMargin) and a.key == action.key
        ]
        if moves and facts.urgency is not Urgency.EMERGENCY:
            yield DenialCode.IN_FLIGHT, f"a margin move of {action.key} is not settled"
        if moves:
            yield from _over_add(facts, action, count=len(moves))


def _over_add(facts: Facts, action: AddMargin, *, count: int) -> Iterator[Denial]:
    """Deny a second addition beside an unknown move unless nothing else can be waited for."""
    if count > 1:
        yield DenialCode.OVER_ADD_REFUSED, f"{action.key} has {count} unsettled moves"
    if action.after_reduction:
        return  # it only puts back what was there
    band, stands_at = facts.bands.get(action.key), distance(*known(facts))
    if band is None or stands_at is None or stands_at >= band.distance.emergency:
        yield DenialCode.OVER_ADD_REFUSED, f"{action.key} stands at {stands_at}: no emergency"
    for _, text in of_position(facts, action):
        yield DenialCode.OVER_ADD_REFUSED, text


def _twins(facts: Facts) -> Iterator[Denial]:
    action = facts.action
    if not isinstance(action, AddMargin | RemoveMargin | Transfer):
        return
    twins = [m for m in facts.memory.moves if _is_like(m.action, action)]
    if any(
        facts.now - m.at < SAME_WITHIN and _nominal(facts, m.action) == _nominal(facts, action)
        for m in twins
    ):
        yield DenialCode.DUPLICATE, f"the same was moved within {SAME_WITHIN.seconds} s"
    # Without tags nothing is looked for by its amount, and an equal plan is new after a minute.
    kept = SAME_WITHIN * facts.apart if facts.apart else DAY
    if any(
        facts.now - m.at < kept and _steps(facts, m.action) == _steps(facts, action) for m in twins
    ):
        yield DenialCode.FINGERPRINT_CLASH, f"the same amount was sent within {_span(kept)}"
    open_ = [
        _steps(facts, a)
        for a in (*facts.memory.unsettled, *facts.memory.given_up)
        if _is_like(a, action)
    ]
    if sums_coincide(open_, _steps(facts, action)):
        yield DenialCode.FINGERPRINT_CLASH, "the amount is not told from what is open"


def _is_like(one: Action, other: Action) -> bool:
    """Whether two moves go the same way, and are not put back after a reduction."""
    if isinstance(one, Transfer) and isinstance(other, Transfer):
        return (one.source, one.destination) == (other.source, other.destination)
    return (
        type(one) is type(other)
        and key_of(one) == key_of(other)
        and not getattr(one, "after_reduction", False)
        and not getattr(other, "after_reduction", False)
    )


def _pace(facts: Facts) -> Iterator[Denial]:
    action, memory, policy = facts.action, facts.memory, facts.policy
    key = key_of(action)
    if key is None:
        return
    yield from _left_alone(facts, key)
    if isinstance(action, RemoveMargin):
        last = memory.last_move_at(key, kinds=(RemoveMargin,))
        if last is not None and (facts.now - last).total_seconds() < policy.rebalance_interval:
            yield DenialCode.COOLDOWN, f"{key} gave margin back at {last:%H:%M:%S}"
        last = memory.last_move_at(key, kinds=(AddMargin, ReducePosition))
        if last is not None and (facts.now - last).total_seconds() < policy.rebalance_interval:
            yield DenialCode.REVERSAL, f"{key} was protected at {last:%H:%M:%S}"
    if isinstance(action, AddMargin) and not action.after_reduction:
        last = memory.last_move_at(key, kinds=(RemoveMargin,))
        if last is not None and (facts.now - last).total_seconds() < policy.cooldown:
            yield DenialCode.REVERSAL, f"{key} gave margin back at {last:%H:%M:%S}"
    if key.symbol in facts.conditions.closing and isinstance(action, AddMargin):
        yield DenialCode.SYMBOL_CLOSING, f"{key.symbol} stops trading: a person must decide"


def _left_alone(facts: Facts, key: PositionKey) -> Iterator[Denial]:
    """Deny what would answer somebody else's move of the margin at once."""
    action, touched_at = facts.action, facts.memory.of(key).touched_at
    if touched_at is None or getattr(action, "after_reduction", False):
        return
    policy = facts.policy
    span = policy.rebalance_interval if isinstance(action, RemoveMargin) else policy.cooldown
    if (facts.now - touched_at).total_seconds() < span:
        yield DenialCode.COOLDOWN, f"somebody moved the margin of {key} at {touched_at:%H:%M:%S}"


def _steps(facts: Facts, action: Action) -> int:
    return facts.whole(amount_of(action))


def _nominal(facts: Facts, action: Action) -> int:
    """Return what was planned of a move, without the digits it carries. [collateral steps]."""
    amount = _steps(facts, action)
    if facts.apart:
        more = -amount if isinstance(action, RemoveMargin) else amount
        return abs(more - more % facts.apart)
    scale = fingerprint_scale(amount=amount, steps_per_unit=floor(Decimal(1), step=facts.step))
    if scale is None or amount % 10 == 0:
        return amount
    return amount - amount % scale + (scale if isinstance(action, RemoveMargin) else 0)


def _span(kept: timedelta) -> str:
    return "a day" if kept == DAY else f"{kept.seconds} s"


CHECKS: tuple[Check, ...] = (
    _switches,
    _authority,
    _plan,
    _journal,
    _clock,
    _way,
    _operation,
    _amount,
    _held,
    _inputs,
    _slots,
    _twins,
    _pace,
    budgets,
    source,
    orders,
    state_after,
)
"""In their order; the first that denies ends the judgement."""
