"""What does closing a part of a position cost?"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bot.leverage.arrays import Floats

SEGMENTS = 8
EXACT = 1e-12
NEAREST = 1.0 / 64.0
"""Where the first segment ends, as a share of the size. [ratio]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The side of an order book that a reduction takes, and what is known beyond it.

    Attributes:
        side: Of the position: 1 is a long, which sells into bids; -1 buys from asks.
        mark: > 0. [quote/base]
        price: Shape (n,), best first, may be empty. [quote/base]
        size: Shape (n,), > 0. [base]
        half_spread: Charged beyond the visible book, >= 0. [ratio]
        taker_fee: Of the value filled, in [0, 1). [ratio]
        sigma_day: Standard deviation of the log price over a day, >= 0. [log]
        volume_day: Turnover of a day, > 0. [quote]
        strength: Factor of the square-root law, about 1. [ratio]
    """

    side: int
    mark: float
    price: Floats
    size: Floats
    half_spread: float
    taker_fee: float
    sigma_day: float
    volume_day: float
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.side not in (1, -1):
            raise ValueError(f"side must be 1 or -1, was {self.side}")
        for name in ("mark", "volume_day"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be finite and > 0, was {value}")
        for name in ("half_spread", "sigma_day", "strength"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be finite and >= 0, was {value}")
        if not 0 <= self.taker_fee < 1:
            raise ValueError(f"taker_fee must be in [0, 1), was {self.taker_fee}")
        if self.price.ndim != 1 or self.price.shape != self.size.shape:
            raise ValueError("price and size of the book must have one and the same dimension")
        levels = np.concatenate((self.price, self.size))
        if not (np.isfinite(levels) & (levels > 0)).all():
            raise ValueError("levels of the book must be finite and > 0")
        if (self.side * np.diff(self.price) > 0).any():
            raise ValueError("levels of the book must stand best first")


def cost(book: Book, closed: Floats) -> Floats:
    """Return what closing a notional costs against mark, fee included. [quote].

    The visible levels one after the other, a price better than mark counted as mark; beyond them
    the square-root law ``half_spread + strength * sigma_day * sqrt(x / volume_day)`` per unit,
    its marginal cost never below that of the last level. So the marginal cost never falls and the
    cost is convex, which is what makes `segments` safe.

    Args:
        book: The side that is taken.
        closed: Any shape, >= 0, at mark. [quote]

    Source: Gatheral (2010) discusses the square-root law; its factor is a setting.
    """
    slip = np.maximum(book.side * (book.mark - book.price) / book.mark, 0.0)
    filled = np.concatenate(([0.0], np.cumsum(book.size * book.mark)))
    paid = np.concatenate(([0.0], np.cumsum(slip * book.size * book.mark)))
    depth, last = filled[-1], max(float(slip[-1]), book.half_spread) if slip.size else 0.0
    inside = np.interp(closed, filled, paid)
    pull = book.strength * book.sigma_day / math.sqrt(book.volume_day)
    # From `turn` on the square-root law is dearer at the margin than the last level.
    turn = depth
    if last > book.half_spread:
        turn = (
            math.inf if pull == 0 else max(depth, ((last - book.half_spread) / (1.5 * pull)) ** 2)
        )
    flat = last * (np.clip(closed, depth, turn) - depth)
    beyond = np.maximum(closed, turn) if math.isfinite(turn) else closed
    start = turn if math.isfinite(turn) else closed
    law = book.half_spread * (beyond - start) + pull * (beyond**1.5 - start**1.5)
    slipped = inside + flat + law
    total: Floats = slipped + book.taker_fee * (closed - book.side * slipped)
    return total


def slippage(
    levels: Iterable[tuple[float, float]], size: float, *, side: int, mark: float, most: float
) -> tuple[float, bool]:
    """Return how far beyond mark a size is filled on average [log], and is the book thin.

    What the book does not show is filled at ``most``, and so is what it shows beyond: a thinner
    book never fills nearer. Without any level nothing is known, and nothing is charged.

    Args:
        levels: Price [quote/base] and size [base] of the side that is taken, best first, > 0.
        size: > 0. [base]
        side: Of the position: 1 is a long, -1 a short.
        mark: > 0. [quote/base]
        most: [log], >= 0
    """
    left, paid, is_known = size, 0.0, False
    for price, resting in levels:
        part = min(left, resting)
        paid += part * min(most, max(0.0, side * math.log(mark / price)))
        left, is_known = left - part, True
    if not is_known:
        return 0.0, False
    # Sums of floats: a book that holds just the size is not thin.
    return (paid + left * most) / size, left > size * EXACT


def segments(book: Book, size: float, *, count: int = SEGMENTS) -> tuple[Floats, Floats]:
    """Return capacities [quote] and costs per notional [ratio] of the parts of a close.

    Geometric parts from 1/64 of the size on, each with the cost of its secant: a secant of a convex
    cost lies above it, so a plan made of segments never costs more than it says.

    Args:
        book: The side that is taken.
        size: The whole notional, > 0, at mark. [quote]
        count: >= 2.

    Returns:
        Two arrays of shape (count,); the costs never fall.

    Raises:
        ValueError: If ``size`` or ``count`` is outside.
    """
    if not (math.isfinite(size) and size > 0):
        raise ValueError(f"size must be finite and > 0, was {size}")
    if count < 2:  # noqa: PLR2004 - one segment has no geometric row
        raise ValueError(f"count must be >= 2, was {count}")
    edges = np.concatenate(([0.0], size * np.geomspace(NEAREST, 1.0, count)))
    caps = np.diff(edges)
    costs = np.diff(cost(book, edges)) / caps
    # Rounding may lower a secant of a straight piece by the last bit.
    return caps, np.maximum.accumulate(costs)
