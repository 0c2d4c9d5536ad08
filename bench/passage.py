"""How long does one hit probability take, and one highest leverage, beside those of others?

Goals G1 and G2: only ratios within this one run are claimed. ``numpy`` is what the bot uses;
``compiled`` needs the extra `fast`. The floor is what any formula pays that evaluates two normal
distributions and one exponential; compiled against compiled, numpy against scipy's.
"""

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import QuantLib as ql  # noqa: N813  # as its own documentation writes it
from scipy import optimize, special

from bench.measure import Timing, interleaved
from bot.leverage import kernels, optimum, passage
from bot.leverage.arrays import Floats
from bot.leverage.optimum import Tiers

UNITS = 1000
HOURS = 4.0
TOLERANCE = 1.14e-4
RATE = 0.01


@numba.njit(error_model="numpy")
def floor_of(plus: Floats, minus: Floats, exponent: Floats) -> Floats:
    found = np.empty(plus.size)
    for i in range(plus.size):
        second = 0.5 * math.erfc(minus[i] * 0.7071067811865476)
        found[i] = 0.5 * math.erfc(plus[i] * 0.7071067811865476) + math.exp(exponent[i]) * second
    return found


@numba.njit(error_model="numpy")
def compiled_scalar(a: float, sigma: float, hours: float, drift: float) -> float:
    s = sigma * math.sqrt(hours)
    first = 0.5 * math.erfc((a + drift * hours) / s * 0.7071067811865476)
    second = 0.5 * math.erfc((a - drift * hours) / s * 0.7071067811865476)
    return first + math.exp(-2.0 * drift * a / (sigma * sigma)) * second


def with_scipy(a: Any, sigma: Any, hours: Any, drift: Any) -> Any:
    s = sigma * np.sqrt(hours)
    second = -2.0 * drift * a / sigma**2 + special.log_ndtr((-a + drift * hours) / s)
    found = special.ndtr((-a - drift * hours) / s) + np.exp(np.minimum(second, 0.0))
    return np.where(a <= 0, 1.0, np.clip(found, 0.0, 1.0))


def with_quantlib(a: Floats, sigma: Floats) -> Callable[[], list[float]]:
    """Return a pricing of one-touch options at one strike, its two quotes reused."""
    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    days = ql.Actual365Fixed()
    spot, volatility = ql.SimpleQuote(100.0), ql.SimpleQuote(0.5)
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, days))
    surface = ql.BlackVolTermStructureHandle(
        ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(volatility), days)
    )
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(spot), flat, flat, surface)
    option = ql.VanillaOption(
        ql.CashOrNothingPayoff(ql.Option.Put, 100.0, 1.0),
        ql.AmericanExercise(today, today + 1, False),
    )
    option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(process))
    cases = list(zip((100.0 * np.exp(a)).tolist(), sigma.tolist(), strict=True))

    def price() -> list[float]:
        found = []
        for at, of in cases:
            spot.setValue(at)
            volatility.setValue(of)
            found.append(option.NPV())
        return found

    return price


def root_by(hit: Callable[..., Any], sigma: float, drift: float) -> float:
    def excess(a: float) -> float:
        return float(hit(a, sigma, HOURS, drift)) - TOLERANCE

    return float(optimize.brentq(excess, 1e-9, 12.0 * sigma * math.sqrt(HOURS), xtol=1e-12))


def leverages_by(hit: Callable[..., Any], sigma: Floats, drift: Floats) -> list[float]:
    found = []
    for of, nu in zip(sigma.tolist(), drift.tolist(), strict=True):
        a = root_by(hit, of, nu)
        found.append(1.0 / (1.0 - (1.0 - RATE) * math.exp(-a)))
    return found


def run() -> dict[str, Any]:
    """Return minima and medians of both goals, and the ratios of the minima."""
    fast = kernels.compiled()
    assert fast is not None, "the benchmark compares compiled loops: it wants the extra `fast`"
    random = np.random.default_rng(1)
    a, sigma = random.uniform(0.02, 0.3, UNITS), random.uniform(0.01, 0.05, UNITS)
    hours, drift = np.full(UNITS, HOURS), random.normal(0, 1e-3, UNITS)
    s = sigma * math.sqrt(HOURS)
    terms = (a + drift * HOURS) / s, (a - drift * HOURS) / s, -2 * drift * a / sigma**2
    # QuantLib's dates are days: the same numbers for it are a volatility per day over one day.
    yearly = sigma * math.sqrt(HOURS * 365)
    quantlib = with_quantlib(a, yearly)
    one = np.array([0.1]), np.array([0.02]), np.array([HOURS]), np.array([0.001])
    tiers, out = Tiers.flat(RATE), np.empty(UNITS)
    asked: dict[str, Any] = {"sigma": sigma, "hours": hours, "drift": drift}

    def compiled_leverage() -> Floats:
        return optimum.leverage(fast.distance(TOLERANCE, **asked), tiers=tiers, side=1)

    def numpy_leverage() -> Floats:
        return optimum.leverage_for(TOLERANCE, tiers=tiers, side=1, **asked)

    same(passage.hit(a, sigma=yearly, hours=1 / 365, drift=-(yearly**2) / 2), quantlib())
    same(passage.hit(a, **asked), with_scipy(a, sigma, hours, drift))
    same(numpy_leverage(), leverages_by(compiled_scalar, sigma, drift), relative=1e-6)
    hits = interleaved(
        {
            "numpy": lambda: passage.hit(a, **asked),
            "compiled": lambda: fast.hit(a, **asked),
            "compiled loop": lambda: fast.hit_many(a, sigma, hours, drift, out),
            "floor, compiled": lambda: floor_of(*terms),
            "floor, scipy": lambda: (
                special.ndtr(terms[0]) + np.exp(terms[2]) * special.ndtr(terms[1])
            ),
            "scipy": lambda: with_scipy(a, sigma, hours, drift),
            "QuantLib": quantlib,
        },
        rounds=300,
    )
    single = interleaved(
        {
            "one: numpy": lambda: repeat(
                lambda: passage.hit(0.1, sigma=0.02, hours=HOURS, drift=0.001)
            ),
            "one: compiled": lambda: repeat(lambda: fast.hit_one(0.1, 0.02, HOURS, 0.001)),
            "one: plain": lambda: repeat(lambda: kernels.PLAIN.hit_one(0.1, 0.02, HOURS, 0.001)),
            "one: scipy": lambda: repeat(lambda: with_scipy(*one)),
        },
        rounds=100,
    )
    best = interleaved(
        {
            "leverage: numpy": numpy_leverage,
            "leverage: compiled": compiled_leverage,
            "leverage: brentq, compiled scalar": lambda: leverages_by(
                compiled_scalar, sigma, drift
            ),
            "leverage: brentq, scipy": lambda: leverages_by(with_scipy, sigma, drift),
        },
        rounds=20,
    )
    return {
        "what": f"hit probability and highest leverage of {UNITS} units, one thread [ns per unit]",
        "aim": "G1 >= 30x QuantLib, >= 20x scipy at one, <= 2.5x floor; G2 >= 100x, >= 30x brentq",
        "rows": {
            **{name: per_unit(timing, UNITS) for name, timing in (hits | best).items()},
            **{name: per_unit(timing, REPEATS) for name, timing in single.items()},
            "G1: QuantLib / ours": ratios(hits, "QuantLib", "compiled", "numpy"),
            "G1: scipy / ours at one": ratios(
                single, "one: scipy", "one: compiled", "one: plain", "one: numpy"
            ),
            "G1: compiled / its floor": {
                "with checks": hits["compiled"].minimum / hits["floor, compiled"].minimum,
                "loop": hits["compiled loop"].minimum / hits["floor, compiled"].minimum,
            },
            "G1: numpy / scipy's floor": {
                "with checks": hits["numpy"].minimum / hits["floor, scipy"].minimum
            },
            "G2: brentq on scipy / ours": ratios(
                best, "leverage: brentq, scipy", "leverage: compiled", "leverage: numpy"
            ),
            "G2: brentq on compiled / ours": ratios(
                best, "leverage: brentq, compiled scalar", "leverage: compiled", "leverage: numpy"
            ),
        },
    }


REPEATS = 20


def repeat(call: Callable[[], object]) -> None:
    for _ in range(REPEATS):
        call()


def same(ours: Any, theirs: Any, *, relative: float = 1e-9) -> None:
    """Refuse to compare the speed of different numbers."""
    assert np.allclose(ours, theirs, rtol=relative, atol=1e-12)


def per_unit(timing: Timing, count: int) -> dict[str, float]:
    return {
        "min ns": timing.minimum * 1e6 / count,
        "median ns": timing.median * 1e6 / count,
    }


def ratios(found: dict[str, Timing], rival: str, *ours: str) -> dict[str, float]:
    minima = {f"{name} min": found[rival].minimum / found[name].minimum for name in ours}
    medians = {f"{name} median": found[rival].median / found[name].median for name in ours}
    return minima | medians
