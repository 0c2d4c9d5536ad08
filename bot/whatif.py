"""What is the risk of a position that a person describes?

Measured as `hazard` decides: by the fitted tails of the coin, or by the prior and at 3x at most
where there are none. Only the volatility is the person's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.domain.instrument import Contract, Instrument, MarginTier, contract_of, settle_of
from bot.domain.position import MarginMode, Position, Side
from bot.leverage import distance, tail
from bot.leverage.library import Library
from bot.leverage.model import HORIZONS, leverage_cap, tail_of
from bot.leverage.tail import Tail
from bot.leverage.tolerance import window_tolerance
from bot.margin import isolated
from bot.margin.assess import assess
from bot.margin.blackout import survival
from bot.margin.tiers import check_tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A position as a person describes it; one that settles in its coin is inverse.

    Attributes:
        venue: The venue's id.
        symbol: Unified name.
        side: Long or short.
        size: > 0; inverse: contracts times their value. [base or quote]
        entry: Average price. [quote/base]
        mark: Now. [quote/base]
        margin: Without unrealized PnL. [settle]
        rate: Maintenance rate of the tier. [ratio]
        amount: Maintenance amount of the tier. [settle]
        volatility: Of the log price per square-root hour.
        hazard: Liquidations tolerated per year. [1/year]
    """

    venue: str
    symbol: str
    side: Side
    size: Decimal
    entry: Decimal
    mark: Decimal
    margin: Decimal
    rate: Decimal
    amount: Decimal
    volatility: Decimal
    hazard: Decimal

    def __post_init__(self) -> None:
        """Refuse numbers no position has.

        Raises:
            ValueError: Naming the field.
        """
        for name in ("size", "entry", "mark", "volatility", "hazard"):
            value: Decimal = getattr(self, name)
            if not (value.is_finite() and value > 0):
                raise ValueError(f"{name} must be > 0, was {value}")
        for name in ("margin", "rate", "amount"):
            value = getattr(self, name)
            if not value.is_finite():
                raise ValueError(f"{name} must be a number, was {value}")

    @property
    def contract(self) -> Contract:
        """Linear or inverse, as the symbol tells."""
        return contract_of(self.symbol)


def answer(question: Question, library: Library) -> dict[str, Any]:
    """Return liquidation price, distance, chances, permissible leverage, next action.

    Args:
        question: A position.
        library: Of fitted models; the empty one knows nothing and is allowed.

    Raises:
        ValueError: The description is impossible; the text names the field.
    """
    tiers = (
        MarginTier(
            notional_floor=Decimal(0),
            maintenance_rate=question.rate,
            maintenance_amount=question.amount,
            max_leverage=Decimal(1) / question.rate,
        ),
    )
    check_tiers(question.symbol, tiers, contract=question.contract)
    position = Position(
        symbol=question.symbol,
        size=question.side.sign * question.size,
        entry_price=question.entry,
        mark_price=question.mark,
        margin=question.margin,
        leverage_setting=Decimal(1),
        margin_mode=MarginMode.ISOLATED,
        venue_liquidation_price=None,
        venue_maintenance_margin=None,
    )
    risk = assess(position, _instrument(question, tiers))
    blackout = survival(question.side, risk.distance)
    models = library.of(question.symbol)
    shapes = {hours: tail_of(models, question.side, hours) for hours in HORIZONS}
    permissible = {
        f"{hours}h": _permissible(question, tiers, position.size, shape, hours)
        for hours, shape in shapes.items()
    }
    return {
        "venue": question.venue,
        "symbol": question.symbol,
        "side": question.side.value,
        "notional": _text(risk.notional),
        "equity": _text(risk.equity),
        "maintenance_margin": _text(risk.maintenance_margin),
        "effective_leverage": _text(risk.leverage),
        "liquidation_price": _text(risk.liquidation_price),
        "distance": _text(risk.distance),
        "blackout_move": _text(blackout.move),
        "blackout_minutes": blackout.minutes,
        "hit_probability": {
            f"{hours}h": _hit_probability(question, risk.distance, shape, hours)
            for hours, shape in shapes.items()
        },
        "highest_permissible_leverage": permissible,
        "next_action": _next_action(question, tiers, position, shapes[HORIZONS[0]]),
        "tail": _told(shapes[HORIZONS[0]], library),
    }


def parse(row: Mapping[str, str]) -> Question:
    """Return the question of one row of text fields.

    Raises:
        ValueError: A field is missing or no number; the text names it.
    """
    numbers: dict[str, Decimal] = {}
    defaults = {"rate": "0.005", "amount": "0", "volatility": "0.006", "hazard": "1"}
    for name in ("size", "entry", "mark", "margin", "rate", "amount", "volatility", "hazard"):
        text = row.get(name) or defaults.get(name)
        if text is None:
            raise ValueError(f"{name} must be given")
        try:
            numbers[name] = Decimal(text)
        except ArithmeticError:
            raise ValueError(f"{name} must be a number, was {text!r}") from None
    side = (row.get("side") or "").lower()
    if side not in tuple(Side):
        raise ValueError(f"side must be long or short, was {side!r}")
    return Question(
        venue=row.get("venue") or "binanceusdm",
        symbol=row.get("symbol") or "",
        side=Side(side),
        **numbers,
    )


def _instrument(question: Question, tiers: tuple[MarginTier, ...]) -> Instrument:
    tiny = Decimal("0.00000001")
    return Instrument(
        symbol=question.symbol,
        settle=settle_of(question.symbol) or "quote",
        price_step=tiny,
        size_step=tiny,
        min_size=tiny,
        max_market_size=question.size,
        min_notional=Decimal(0),
        margin_step=tiny,
        taker_fee=Decimal(0),
        tiers=tiers,
        contract=question.contract,
    )


def _told(shape: Tail, library: Library) -> str:
    cap = leverage_cap(shape)
    if cap is not None:
        return f"prior of large coins, shape raised to 0.35, {cap:g}x at most"
    return f"{shape.origin}, of {library.source}"


def _required(
    question: Question, tiers: tuple[MarginTier, ...], size: Decimal, shape: Tail, hours: int
) -> Decimal:
    """Return the distance at which the tolerated hazard is met. [ratio]."""
    alpha = min(tail.EXCEEDANCE, window_tolerance(float(question.hazard), hours=hours))
    a_log = tail.required(shape, alpha) * float(question.volatility) * hours**0.5
    needed, cap = distance.from_log(a_log, question.side), leverage_cap(shape)
    if cap is None:
        return needed
    capped = isolated.distance_at_leverage(
        question.contract, tiers, size=size, mark_price=question.mark, leverage=Decimal(str(cap))
    )
    return needed if capped is None else max(needed, capped)


def _permissible(
    question: Question, tiers: tuple[MarginTier, ...], size: Decimal, shape: Tail, hours: int
) -> str | None:
    required = _required(question, tiers, size, shape, hours)
    return _text(
        isolated.leverage_at_distance(
            question.contract, tiers, size=size, mark_price=question.mark, distance=required
        )
    )


def _hit_probability(question: Question, at: Decimal | None, shape: Tail, hours: int) -> float:
    if at is None or (question.side is Side.LONG and at >= 1):
        return 0.0
    if at <= 0:
        return 1.0
    sigma = float(question.volatility) * hours**0.5
    return float(f"{tail.hit(shape, distance.to_log(at, question.side) / sigma):.4g}")


def _next_action(
    question: Question, tiers: tuple[MarginTier, ...], position: Position, shape: Tail
) -> dict[str, str]:
    wanted = isolated.margin_for_distance(
        question.contract,
        tiers,
        size=position.size,
        entry_price=position.entry_price,
        mark_price=position.mark_price,
        distance=_required(question, tiers, position.size, shape, HORIZONS[0]),
    )
    missing = wanted - position.margin
    if missing <= 0:
        return {"kind": "hold", "why": "stands at or beyond the distance the hazard asks for"}
    return {
        "kind": "add_margin",
        "amount": _text(missing) or "0",
        "why": "stands nearer than the distance the hazard asks for",
    }


def _text(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = format(value.quantize(Decimal("0.00000001")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
