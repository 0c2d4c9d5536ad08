"""How near is a position to liquidation?"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.instrument import Instrument
from bot.domain.position import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRisk:
    """Our own numbers about one position, beside the venue's inside ``position``.

    Attributes:
        position: As observed.
        instrument: Its rules.
        notional: Value at mark: ``abs(size) * mark``, inverse ``abs(size) / mark``. [settle]
        unrealized_pnl: Signed. [settle]
        equity: ``margin + unrealized_pnl``, signed; of a cross position what its account holds
            beyond what its other positions need. [settle]
        maintenance_margin: At mark. [settle]
        liquidation_price: ``None`` when no positive price liquidates. [quote/base]
        distance: Adverse move to it over mark, <= 0 when already liquidatable; ``None`` when no
            price liquidates. [ratio]
        leverage: ``notional / equity``; ``None`` when equity <= 0. [x]
        joint_distance: Of a cross position: the share by which all prices of its account may move
            against it together; ``None`` for others, and where no such move liquidates. [ratio]
        is_known: Whether it is known what stands behind it. If not, ``equity`` is without any
            collateral, ``liquidation_price`` is the venue's, and nothing may rest on them.
    """

    position: Position
    instrument: Instrument
    notional: Decimal
    unrealized_pnl: Decimal
    equity: Decimal
    maintenance_margin: Decimal
    liquidation_price: Decimal | None
    distance: Decimal | None
    leverage: Decimal | None
    joint_distance: Decimal | None = None
    is_known: bool = True

    @property
    def buffer(self) -> Decimal:
        """``equity - maintenance_margin``; <= 0 is liquidatable. [settle]"""
        return self.equity - self.maintenance_margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout:
    """What a position survives while nobody acts.

    Attributes:
        move: Adverse move it survives; ``None`` when no price liquidates. [ratio]
        minutes: How long it survives the worst move on record, the stop not counted; the length
            of the record when it survives all of it. [min]
    """

    move: Decimal | None
    minutes: int
