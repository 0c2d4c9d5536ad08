"""What did the strategy choose, and is it a band?

A strategy may be anybody's file. Whatever it does, one position is refused by name: the others are
protected and the bot goes on.
"""

import decimal
import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, cast

from bot.domain.band import Levels, LeverageBand
from bot.domain.decision import Refusal
from bot.domain.market import Market
from bot.domain.past import Past, written
from bot.domain.position import Side
from bot.domain.risk import PositionRisk

SMALLEST, LARGEST = Decimal("1E-30"), Decimal("1E+15")
"""Of a number other than 0; beyond, nothing could be computed from it or recorded."""
MOST_DIGITS = 1000
"""Of a number."""
LONGEST = 300
"""Of what is quoted of a strategy's failure."""
NOT_CARRIED = "not_carried"
"""The flag of a band whose own carry could not be kept."""


class _BadBandError(Exception):
    """What was returned is no band; the text says why."""


def chosen(
    choose: Callable[[PositionRisk, Market], object],
    risk: PositionRisk,
    market: Market,
    past: Past | None = None,
) -> LeverageBand | Refusal:
    """Return the band of a position, or why it has none; raises nothing.

    Who has an argument ``past`` is told of what came before. What it wants to carry and cannot is
    dropped with a flag: a band that protects is worth more.

    Refusals: ``no_band`` where the strategy says that the inputs do not allow one,
    ``strategy_failed`` where it raised anything else, ``bad_band`` where what it returned is none.
    """
    position = risk.position
    try:
        with decimal.localcontext():  # what a strategy sets for itself is not set for money
            return _checked(_asked(choose, risk, market, past), position.side)
    except _BadBandError as error:
        text = f"the strategy's band for {position.key} {_told(error)}"
        return Refusal(code="bad_band", text=text)
    except ValueError as error:
        return Refusal(code="no_band", text=_told(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is no band
        text = f"the strategy failed for {position.key}: {type(error).__name__}: {_told(error)}"
        return Refusal(code="strategy_failed", text=text)


def _asked(
    choose: Callable[[PositionRisk, Market], object],
    risk: PositionRisk,
    market: Market,
    past: Past | None,
) -> object:
    if past is not None and _looks_back(choose):
        return cast(Any, choose)(risk, market, past=past)
    return choose(risk, market)


def _looks_back(choose: Callable[[PositionRisk, Market], object]) -> bool:
    try:
        return "past" in inspect.signature(choose).parameters
    except (TypeError, ValueError):  # not every callable tells its arguments
        return False


def _told(error: BaseException) -> str:
    try:
        return str(error)[:LONGEST]
    except Exception:  # noqa: BLE001 - an error that cannot even say what it is
        return "no text"


def _checked(band: object, side: Side) -> LeverageBand:
    if not isinstance(band, LeverageBand):
        raise _BadBandError(f"must be a LeverageBand, was {type(band).__name__}")
    at, leverage = _levels(band, "distance"), _levels(band, "leverage")
    if not at.emergency <= at.trigger < at.target < at.give_back:
        raise _BadBandError(
            "must satisfy emergency <= trigger < target < give_back as distances, had "
            f"{at.emergency}, {at.trigger}, {at.target}, {at.give_back}"
        )
    if side is Side.LONG and at.give_back >= 1:
        raise _BadBandError(f"must have distances below 1 for a long, had {at.give_back}")
    if not leverage.emergency >= leverage.trigger >= leverage.target >= leverage.give_back:
        raise _BadBandError(
            "must satisfy emergency >= trigger >= target >= give_back as leverages, had "
            f"{leverage.emergency}, {leverage.trigger}, {leverage.target}, {leverage.give_back}"
        )
    _check_claims(band)
    if band.carry is not None and written(band.carry) is None:
        return replace(band, carry=None, flags=(*band.flags, NOT_CARRIED))
    return band


def _levels(band: LeverageBand, name: str) -> Levels:
    levels: object = getattr(band, name)
    if not isinstance(levels, Levels):
        raise _BadBandError(f"must have {name} levels, had {type(levels).__name__}")
    for field in fields(Levels):
        value: object = getattr(levels, field.name)
        if not _is_number(value):
            raise _BadBandError(f"must have a number > 0 as {name}.{field.name}, had {value!r}")
    return levels


def _check_claims(band: LeverageBand) -> None:
    volatility, chance, seconds, why = (
        getattr(band, name) for name in ("volatility", "hit_probability", "horizon", "why")
    )
    if not (volatility is None or _is_number(volatility, or_zero=True)):
        raise _BadBandError(f"must have a number >= 0 or None as volatility, had {volatility!r}")
    if not (chance is None or (_is_number(chance, or_zero=True) and chance <= 1)):
        raise _BadBandError(f"must have a number of [0, 1] or None as chance, had {chance!r}")
    if not (seconds is None or (isinstance(seconds, int) and seconds >= 0)):
        raise _BadBandError(f"must have whole seconds or None as horizon, had {seconds!r}")
    if not isinstance(why, str):
        raise _BadBandError(f"must have a text as why, had {type(why).__name__}")
    for name in ("flags", "unsurvived"):
        texts: object = getattr(band, name)
        if not (isinstance(texts, tuple) and all(isinstance(text, str) for text in texts)):
            raise _BadBandError(f"must have texts as {name}, had {texts!r}")


def _is_number(value: object, *, or_zero: bool = False) -> bool:
    """Whether it is a number > 0 that can be computed with, and written down."""
    if not isinstance(value, Decimal):
        return False
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or max(len(digits), abs(exponent)) > MOST_DIGITS:
        return False  # only what is finite has a number as its exponent
    return SMALLEST <= value <= LARGEST or (or_zero and not value)
