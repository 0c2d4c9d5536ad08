import math
import subprocess
import sys

import numpy as np
import pytest

from bot.leverage import kernels, passage
from bot.leverage.kernels import Kernels

RANDOM = np.random.default_rng(9)
A = RANDOM.uniform(-0.01, 0.4, 700)
SIGMA = RANDOM.uniform(0.002, 0.05, 700)
HOURS = RANDOM.uniform(0.1, 48, 700)
DRIFT = np.where(RANDOM.uniform(size=700) < 0.1, 0.0, RANDOM.normal(0, 5e-3, 700))
TOLERANCE = 10 ** RANDOM.uniform(-12, -0.31, 700)


def plain() -> Kernels:
    return kernels.PLAIN


def fast() -> Kernels:
    found = kernels.compiled()
    if found is None:
        pytest.skip("numba is not installed: the extra `fast` is optional")
    return found


@pytest.fixture(scope="module", params=[plain, fast], ids=["plain loops", "compiled"])
def kernel(request: pytest.FixtureRequest) -> Kernels:
    found: Kernels = request.param()
    return found


def test_kernels_give_the_numbers_of_numpy(kernel: Kernels) -> None:
    asked = {"sigma": SIGMA, "hours": HOURS, "drift": DRIFT}
    expected = passage.hit(A, **asked)
    assert np.allclose(kernel.hit(A, **asked), expected, rtol=1e-12, atol=1e-300)
    rows = zip(A, SIGMA, HOURS, DRIFT, strict=True)
    one = [kernel.hit_one(*(float(value) for value in row)) for row in rows]
    assert np.allclose(one, expected, rtol=1e-12, atol=1e-300)
    assert np.allclose(
        kernel.distance(TOLERANCE, **asked), passage.distance(TOLERANCE, **asked), rtol=1e-12
    )


def test_kernels_broadcast_like_numpy(kernel: Kernels) -> None:
    found = kernel.hit(np.full((2, 1), 0.1), sigma=[0.01, 0.02, 0.03], hours=4)
    assert np.allclose(found, passage.hit(np.full((2, 1), 0.1), sigma=[0.01, 0.02, 0.03], hours=4))
    assert kernel.distance(0.01, sigma=0.01, hours=4).shape == ()


@pytest.mark.parametrize("name", ["sigma", "hours"])
def test_kernels_refuse_what_numpy_refuses(kernel: Kernels, name: str) -> None:
    asked = {"sigma": 0.01, "hours": 1.0} | {name: math.nan}
    with pytest.raises(ValueError, match=f"{name} must be finite"):
        kernel.hit([0.1, 0.2], **asked)
    with pytest.raises(ValueError, match=f"{name} must be finite"):
        kernel.distance(0.1, **asked)
    assert math.isnan(kernel.hit_one(0.1, asked["sigma"], asked["hours"], 0.0))
    assert math.isnan(kernel.hit_one(math.inf, 0.01, 1.0, 0.0))


def test_importing_the_core_imports_neither_numba_nor_scipy() -> None:
    names = "jumps, kernels, optimum, options, passage, bridge"
    program = f"import sys\nfrom bot.leverage import {names}\nprint(*sys.modules)"
    done = subprocess.run(  # noqa: S603  # our own interpreter, our own text
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "bot.leverage.kernels" in loaded
    assert not {"numba", "scipy", "QuantLib"} & set(loaded)
