"""How near to liquidation does a position stand by our own rules?"""

from decimal import Decimal

from bot.domain.instrument import Instrument
from bot.domain.position import Position
from bot.domain.risk import PositionRisk
from bot.margin import backing, isolated, release
from bot.margin.curve import ZERO
from bot.margin.release import Limit
from bot.margin.rules import Release
from bot.margin.tiers import maintenance_margin


def assess(position: Position, instrument: Instrument) -> PositionRisk:
    """Return our numbers for one isolated position.

    Raises:
        ValueError: If the instrument has no tiers.
    """
    contract = instrument.contract
    notional = isolated.value(contract, size=position.size, price=position.mark_price)
    pnl = isolated.unrealized_pnl(
        contract, size=position.size, entry_price=position.entry_price, price=position.mark_price
    )
    equity = position.margin + pnl
    price = liquidation_price(position, instrument)
    return PositionRisk(
        position=position,
        instrument=instrument,
        notional=notional,
        unrealized_pnl=pnl,
        equity=equity,
        maintenance_margin=maintenance_margin(instrument.tiers, notional=notional),
        liquidation_price=price,
        distance=isolated.distance(
            size=position.size, mark_price=position.mark_price, liquidation=price
        ),
        leverage=notional / equity if equity > 0 else None,
    )


def liquidation_price(
    position: Position, instrument: Instrument, *, change: Decimal = ZERO
) -> Decimal | None:
    """Return the price that liquidates an isolated position by its venue's rule. [quote/base].

    Args:
        position: As observed.
        instrument: Its rules.
        change: Of its margin, before it is asked. [settle]

    Raises:
        ValueError: If the instrument has no tiers.
    """
    return isolated.liquidation_price(
        instrument.contract,
        instrument.tiers,
        size=position.size,
        entry_price=position.entry_price,
        margin=backing.of_position(position, instrument, change=change),
    )


def distance(
    position: Position, instrument: Instrument, *, change: Decimal = ZERO
) -> Decimal | None:
    """Return the distance of an isolated position to that price. [ratio].

    Arguments and errors as of `liquidation_price`; ``None`` when no price liquidates.
    """
    return isolated.distance(
        size=position.size,
        mark_price=position.mark_price,
        liquidation=liquidation_price(position, instrument, change=change),
    )


def margin_at(position: Position, instrument: Instrument, *, distance: Decimal) -> Decimal:
    """Return the margin at which a position stands exactly at a distance. [settle].

    Args:
        position: As observed.
        instrument: Its rules.
        distance: [ratio]

    Raises:
        ValueError: If the instrument has no tiers.
    """
    counted = isolated.margin_for_distance(
        instrument.contract,
        instrument.tiers,
        size=position.size,
        entry_price=position.entry_price,
        mark_price=position.mark_price,
        distance=distance,
    )
    return backing.counting(counted, position, instrument)


def removable(position: Position, instrument: Instrument) -> Decimal:
    """Return what the venue releases of a position at most. [settle].

    Raises:
        ValueError: If the instrument has no tiers.
    """
    return release_limit(position, instrument).amount


def release_limit(position: Position, instrument: Instrument) -> Limit:
    """Return what the venue releases of a position at most, and which limit keeps the rest in.

    Raises:
        ValueError: If the instrument has no tiers.
    """
    contract = instrument.contract
    value = isolated.value(contract, size=position.size, price=position.mark_price)
    return release.removable(
        Release.TENTH if instrument.keeps_tenth else Release.BINANCE,
        margin=position.margin,
        equity=isolated.equity(
            contract,
            size=position.size,
            entry_price=position.entry_price,
            margin=position.margin,
            price=position.mark_price,
        ),
        maintenance=maintenance_margin(instrument.tiers, notional=value),
        value=value,
        leverage_setting=position.leverage_setting,
    )
