"""Which arrays does the core compute on?"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""Structure of arrays: one number of each kind for each unit."""
Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint32]
"""Numbers of rows, where half the memory counts."""
Booleans = npt.NDArray[np.bool_]
