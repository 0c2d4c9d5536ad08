"""Which numbers may a formula be asked about?"""

import numpy as np
import numpy.typing as npt

from bot.leverage.arrays import Floats


def positive(name: str, values: npt.ArrayLike) -> Floats:
    """Return numbers as an array.

    Raises:
        ValueError: If one is not finite and positive, with the first such.
    """
    array = np.asarray(values, dtype=np.float64)
    # A NaN fails both comparisons: what is not positive is refused, not guessed.
    if not (array.min(initial=np.inf) > 0.0 and array.max(initial=0.0) < np.inf):
        bad = array[~((array > 0.0) & (array < np.inf))]
        raise ValueError(f"{name} must be finite and > 0, was {bad[0]}")
    return array


def not_negative(name: str, values: npt.ArrayLike) -> Floats:
    """Return numbers as an array.

    Raises:
        ValueError: If one is not finite or negative, with the first such.
    """
    array = np.asarray(values, dtype=np.float64)
    if not (array.min(initial=0.0) >= 0.0 and array.max(initial=0.0) < np.inf):
        bad = array[~((array >= 0.0) & (array < np.inf))]
        raise ValueError(f"{name} must be finite and >= 0, was {bad[0]}")
    return array


def finite(name: str, values: npt.ArrayLike) -> Floats:
    """Return numbers as an array.

    Raises:
        ValueError: If one is not finite, with the first such.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, was {array[~np.isfinite(array)][0]}")
    return array
