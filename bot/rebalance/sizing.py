"""How much margin or how many lots bring a position to a distance, and is that worth a move?"""

from dataclasses import replace
from decimal import Decimal

from bot.domain.band import LeverageBand
from bot.domain.instrument import Instrument
from bot.domain.position import Position
from bot.domain.risk import PositionRisk
from bot.margin import isolated
from bot.margin.assess import assess, margin_at, release_limit, removable
from bot.margin.release import Binding, setting_for
from bot.margin.tiers import tier_at
from bot.rebalance.policy import Policy
from bot.rebalance.project import realized_by
from bot.rebalance.rounding import down, up


def margin_need(risk: PositionRisk, *, distance: Decimal) -> Decimal:
    """Return the margin to add to stand at least at a distance, rounded up to a step. [settle].

    0 when the position already stands there.
    """
    need = _margin_at(risk, distance) - risk.position.margin
    return max(Decimal(0), up(need, step=risk.instrument.margin_step))


def required(risk: PositionRisk, *, distance: Decimal) -> Decimal:
    """Return the equity per notional of a position that stands at a distance. [ratio]."""
    return 1 / isolated.leverage_at_distance(
        risk.instrument.contract,
        risk.instrument.tiers,
        size=risk.position.size,
        mark_price=risk.position.mark_price,
        distance=distance,
    )


def margin_surplus(risk: PositionRisk, *, distance: Decimal) -> Decimal:
    """Return the margin that may leave and still stand at a distance, rounded down. [settle].

    Never more than the venue would release.
    """
    position = risk.position
    spare = position.margin - _margin_at(risk, distance)
    surplus = min(spare, removable(position, risk.instrument))
    return max(Decimal(0), down(surplus, step=risk.instrument.margin_step))


def setting_to_release(risk: PositionRisk, *, distance: Decimal) -> int | None:
    """Return the leverage setting at which the venue would let a position's surplus out. [x].

    ``None`` where the setting keeps nothing in, or where none would let it out. Only a person
    changes it: a setting moves no liquidation price, but what a mistake may open.
    """
    position = risk.position
    spare = position.margin - _margin_at(risk, distance)
    limit = release_limit(position, risk.instrument)
    if spare <= 0 or limit.binding is not Binding.LEVERAGE_SETTING or limit.amount >= spare:
        return None
    needed = setting_for(equity=risk.equity, value=risk.notional, amount=spare)
    most = tier_at(risk.instrument.tiers, notional=risk.notional).max_leverage
    return None if needed is None or needed > most else int(up(needed, step=Decimal(1)))


def _margin_at(risk: PositionRisk, distance: Decimal) -> Decimal:
    """Return the margin that stands exactly at a distance. [settle]."""
    return margin_at(risk.position, risk.instrument, distance=distance)


def least_effect(risk: PositionRisk, band: LeverageBand, policy: Policy) -> Decimal:
    """Return the least routine margin move of a position that is worth it. [settle]."""
    levels = band.distance
    span = required(risk, distance=levels.target) - required(risk, distance=levels.trigger)
    return min(policy.min_effect * span * risk.notional, policy.max_margin_per_action)


def reduction_need(
    position: Position, instrument: Instrument, *, distance: Decimal, limit_price: Decimal
) -> Decimal:
    """Return the smallest size whose closing puts the rest at a distance. [base or quote].

    Equity is kept: whatever the venue releases is added back, and each unit closed costs the gap
    between mark and ``limit_price`` and the taker fee. Found by bisection over whole lots, so
    tiers need no special case. The whole position where no smaller size is enough: closing helps
    only while its cost share is below one over the leverage.

    Args:
        position: Before, with any margin that is added first.
        instrument: Its rules.
        distance: To reach. [ratio]
        limit_price: Worst fill. [quote/base]
    """
    whole = abs(position.size)
    lot = instrument.size_step
    low, high = 0, int(up(whole, step=lot) / lot)

    def is_enough(lots: int) -> bool:
        rest = after_pair(position, instrument, size=lots * lot, price=limit_price)
        reached = assess(rest, instrument).distance
        return reached is None or reached >= distance

    # The middle is below ``high``, so it always leaves a rest to assess.
    while high - low > 1:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle
    return min(whole, high * lot)


def after_pair(
    position: Position, instrument: Instrument, *, size: Decimal, price: Decimal
) -> Position:
    """Return the rest of a position after closing ``size`` and adding back what was released.

    Args:
        position: Before.
        instrument: Its rules.
        size: > 0, less than the position. [base or quote]
        price: Of the fill. [quote/base]
    """
    rest = abs(position.size) - size
    realized = realized_by(position, instrument, size=size, price=price)
    return replace(position, size=position.side.sign * rest, margin=position.margin + realized)
