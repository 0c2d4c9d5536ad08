"""May this stop be placed, or taken back?"""

from collections.abc import Mapping
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import CancelStop, PlaceStop
from bot.domain.band import LeverageBand
from bot.domain.decision import Refusal
from bot.domain.instrument import Instrument
from bot.domain.position import Position, PositionKey
from bot.margin.assess import assess
from bot.rebalance.backstop import emergency_price, standing
from bot.rebalance.project import position_of, project
from bot.rebalance.rounding import is_multiple


def has_no_stop(key: PositionKey, account: Account, instruments: Mapping[str, Instrument]) -> bool:
    """Whether a position is held and no stop of ours stands for it."""
    position = position_of(account, key)
    if position is None:
        return False
    liquidation = assess(position, instruments[key.symbol]).liquidation_price
    return standing(account.stops, position, liquidation) is None


def review_place(
    action: PlaceStop, position: Position, instrument: Instrument, band: LeverageBand
) -> Refusal | None:
    """Return why a stop may not be placed, ``None`` when it may.

    Args:
        action: Planned.
        position: As projected after the actions before it.
        instrument: Its rules.
        band: Chosen by the strategy.
    """
    return _check_size(action, position, instrument) or _check_price(
        action, position, instrument, band
    )


def review_cancel(
    action: CancelStop, account: Account, instruments: Mapping[str, Instrument]
) -> Refusal | None:
    """Return why a stop may not be taken back: it is not ours, or the last one that stands.

    Args:
        action: Planned.
        account: As projected after the actions before it.
        instruments: By symbol.
    """
    stop = next((s for s in account.stops if s.stop_id == action.stop_id), None)
    if stop is None or not stop.is_ours:
        return Refusal(
            code="not_own_stop", text=f"stop {action.stop_id} of {action.key} is not ours to cancel"
        )
    position = position_of(account, action.key)
    if position is None:
        return None
    after = project(account, instruments, action, wallet="")
    is_wanted = assess(position, instruments[action.key.symbol]).liquidation_price is not None
    if is_wanted and has_no_stop(action.key, after, instruments):
        return Refusal(
            code="no_backstop", text=f"{action.key} would have no stop without {action.stop_id}"
        )
    return None


def _check_size(action: PlaceStop, position: Position, instrument: Instrument) -> Refusal | None:
    size, whole = action.size, abs(position.size)
    if size is None:
        return None
    if not size > 0:
        return Refusal(code="not_positive", text=f"size must be > 0, was {size}")
    if size > whole:
        return Refusal(
            code="would_flip", text=f"size must be <= {whole} of {action.key}, was {size}"
        )
    if not is_multiple(size, step=instrument.size_step):
        return Refusal(
            code="step_mismatch",
            text=f"size must be a multiple of {instrument.size_step}, was {size}",
        )
    return None


def _check_price(
    action: PlaceStop, position: Position, instrument: Instrument, band: LeverageBand
) -> Refusal | None:
    price, step = action.stop_price, instrument.price_step
    if not (price > 0 and is_multiple(price, step=step)):
        return Refusal(
            code="step_mismatch", text=f"stop price must be a multiple of {step}, was {price}"
        )
    bounds = _bounds(position, instrument, band)
    sign = position.side.sign
    if bounds is None or not sign * bounds[0] < sign * price < sign * bounds[1]:
        return Refusal(
            code="stop_misplaced",
            text=f"stop of {action.key} must lie between its liquidation price and the nearer of "
            f"its emergency and mark, {bounds}, was {price}",
        )
    return None


def _bounds(
    position: Position, instrument: Instrument, band: LeverageBand
) -> tuple[Decimal, Decimal] | None:
    """Return the liquidation price and the nearer of emergency and mark. [quote/base]."""
    liquidation = assess(position, instrument).liquidation_price
    if liquidation is None:
        return None
    side = position.side
    emergency = emergency_price(side, liquidation=liquidation, emergency=band.distance.emergency)
    if emergency is None:
        return None
    nearer = min(emergency, position.mark_price, key=lambda price: side.sign * price)
    return liquidation, nearer
