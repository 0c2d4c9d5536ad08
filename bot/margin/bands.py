"""Which leverages belong to which distances of one position?"""

from dataclasses import fields
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.risk import PositionRisk
from bot.margin import isolated


def band_at_distances(risk: PositionRisk, distance: Levels, *, why: str = "") -> LeverageBand:
    """Return the band whose levels are given as distances. [ratio].

    Raises:
        ValueError: If the levels are not ordered or a long is asked for a distance >= 1.
    """
    check_order(distance)
    position = risk.position
    return LeverageBand(
        distance=distance,
        leverage=Levels(
            **{
                field.name: isolated.leverage_at_distance(
                    risk.instrument.contract,
                    risk.instrument.tiers,
                    size=position.size,
                    mark_price=position.mark_price,
                    distance=getattr(distance, field.name),
                )
                for field in fields(Levels)
            }
        ),
        why=why,
    )


def band_at_leverages(risk: PositionRisk, leverage: Levels, *, why: str = "") -> LeverageBand:
    """Return the band whose levels are given as effective leverages. [x].

    A leverage so low that no price liquidates has no distance; such a level is refused.

    Raises:
        ValueError: If a level has no distance, or the levels are not ordered.
    """
    position = risk.position
    found: dict[str, Decimal] = {}
    for field in fields(Levels):
        level: Decimal = getattr(leverage, field.name)
        at = isolated.distance_at_leverage(
            risk.instrument.contract,
            risk.instrument.tiers,
            size=position.size,
            mark_price=position.mark_price,
            leverage=level,
        )
        if at is None:
            raise ValueError(
                f"{field.name} leverage of {position.key} must be high enough to have a "
                f"liquidation price, was {level}"
            )
        found[field.name] = at
    distance = Levels(**found)
    check_order(distance)
    return LeverageBand(distance=distance, leverage=leverage, why=why)


def check_order(distance: Levels) -> None:
    """Accept only ``0 < emergency <= trigger < target < give_back``.

    Raises:
        ValueError: Naming the levels.
    """
    if not (0 < distance.emergency <= distance.trigger < distance.target < distance.give_back):
        raise ValueError(
            "distances must satisfy 0 < emergency <= trigger < target < give_back, were "
            f"{distance.emergency}, {distance.trigger}, {distance.target}, {distance.give_back}"
        )
