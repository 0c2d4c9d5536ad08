"""How far may the buffers of cross accounts fall together?

Filtered historical simulation: whole rows of past standardised returns are drawn in blocks, so
correlation and joint fat tails come with the data, and are scaled by a variance that starts at
today's forecast. The same seed gives the same paths whatever the accounts hold: a plan is judged
before and after on common random numbers, and more cash can never raise a number of hits.
"""

from typing import Literal

import numpy as np

from bot.leverage import paths_compiled, paths_plain
from bot.leverage.arrays import Floats
from bot.leverage.cross import Accounts
from bot.leverage.paths import Asked, Simulation
from bot.leverage.scaling import HALF_LIFE

Backend = Literal["auto", "numba", "numpy"]


class WildPathsError(ValueError):
    """Paths left what a number can hold."""


def simulate(
    residuals: Floats,
    variance: Floats,
    accounts: Accounts | None,
    *,
    paths: int,
    steps: int,
    block: int,
    seed: int,
    half_life: float = HALF_LIFE,
    threads: int = 1,
    backend: Backend = "auto",
) -> Simulation:
    """Return what accounts and symbols did at worst on each path.

    The compiled kernel and the numpy one agree to 1e-9 relative; each gives the same bits for any
    number of threads. The first call of a process compiles, which takes seconds.

    Args:
        residuals: Shape (r, d), see `scaling.standardised`; r >= ``block``.
        variance: Shape (d,), forecast of the variance of one step, >= 0. [log^2]
        accounts: What is held, or ``None`` for symbols alone.
        paths: >= 1.
        steps: Of the horizon, >= 1.
        block: Rows drawn together, >= 1; 6 for hours, 30 for minutes.
        seed: 64 bits, see `draws.seed_of`.
        half_life: Of the variance along a path, > 0. [steps]
        threads: >= 1; the numpy kernel uses one.
        backend: ``auto`` is numba where it is installed.

    Raises:
        ValueError: If a number or a shape is outside.
        WildPathsError: If a path leaves what a number can hold.
        ImportError: If numba is asked for by name and is not there.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999), filtered historical simulation.
    """
    for name, count in (("paths", paths), ("threads", threads)):
        if count < 1:
            raise ValueError(f"{name} must be >= 1, was {count}")
    asked = Asked(
        residuals=np.ascontiguousarray(residuals),
        variance=np.ascontiguousarray(variance),
        accounts=accounts,
        steps=steps,
        block=block,
        seed=seed,
        half_life=half_life,
    )
    out = Simulation.begun(asked, paths)
    if backend == "numba" or (backend == "auto" and paths_compiled.has_numba()):
        paths_compiled.run(asked, out, threads=threads)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            paths_plain.run(asked, out)
    # What is no number, or beyond all, is what is least or most.
    ends = (out.lowest.min(), out.highest.max(), out.worst.max(initial=0.0))
    if not np.isfinite(ends).all():
        raise WildPathsError("paths must stay finite: residuals are not standardised")
    return out
