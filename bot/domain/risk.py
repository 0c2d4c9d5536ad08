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
        equity: ``margin + unrealized_pnl``, signed. [settle]
        maintenance_margin: At mark. [settle]
        liquidation_price: ``None`` when no positive price liquidates. [quote/base]
        distance: Adverse move to it over mark, <= 0 when already liquidatable; ``None`` when no
            price liquidates. [ratio]
        leverage: ``notional / equity``; ``None`` when equity <= 0. [x]
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
