"""What is asked of simulated paths, and what did they do?"""

import math
from dataclasses import dataclass

import numpy as np

from bot.leverage.arrays import Floats
from bot.leverage.cross import Accounts
from bot.leverage.draws import WORDS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What is drawn and what is held.

    Attributes:
        residuals: Shape (r, d), C-contiguous, standardised log returns; r >= ``block``.
        variance: Shape (d,), of the first step, >= 0. [log^2]
        accounts: What is held, or ``None`` for symbols alone.
        steps: Of a path, >= 1.
        block: Rows drawn together, >= 1.
        seed: 64 bits.
        half_life: Of the variance along a path, > 0. [steps]
    """

    residuals: Floats
    variance: Floats
    accounts: Accounts | None
    steps: int
    block: int
    seed: int
    half_life: float

    def __post_init__(self) -> None:
        for name in ("steps", "block"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, was {getattr(self, name)}")
        if not 0 <= self.seed < WORDS:
            raise ValueError(f"seed must have 64 bits, was {self.seed}")
        if not (math.isfinite(self.half_life) and self.half_life > 0):
            raise ValueError(f"half_life must be > 0, was {self.half_life}")
        rows = self.residuals.shape
        if len(rows) != 2 or self.variance.shape != rows[1:]:  # noqa: PLR2004 - a table
            raise ValueError("variance must have a number for each column of the residuals")
        if rows[0] < self.block:
            raise ValueError(f"residuals must have {self.block} rows or more, had {rows[0]}")
        if not np.isfinite(self.residuals).all():
            raise ValueError("residuals must be finite")
        if not (np.isfinite(self.variance) & (self.variance >= 0)).all():
            raise ValueError("variance must be finite and >= 0")
        if self.accounts is not None and self.accounts.price.shape != self.variance.shape:
            raise ValueError("accounts and residuals must have the same symbols")

    @property
    def decay(self) -> float:
        """Of the variance per step. [ratio]."""
        return float(0.5 ** (1.0 / self.half_life))


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What p paths did.

    Attributes:
        worst: Shape (p, a), largest fall of each account's buffer below its start, >= 0. [quote]
        lowest: Shape (p, d), lowest log price of each symbol against its start, <= 0. [log]
        highest: Shape (p, d), highest, >= 0. [log]
    """

    worst: Floats
    lowest: Floats
    highest: Floats

    @classmethod
    def begun(cls, asked: Asked, paths: int) -> "Simulation":
        """Return where paths start, before any step, to be written by a kernel."""
        symbols = asked.variance.shape[0]
        accounts = 0 if asked.accounts is None else asked.accounts.cash.shape[0]
        return cls(
            worst=np.zeros((paths, accounts)),
            lowest=np.zeros((paths, symbols), order="F"),  # kernels run symbol by symbol
            highest=np.zeros((paths, symbols), order="F"),
        )
