import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from scipy import optimize, special

from bot.leverage import bridge, passage

ONE_TOUCH = [
    # side of the position, log distance, volatility [1/sqrt(year)], days of 365, price of a
    # one-touch option at 100 without interest: QuantLib 1.44, AnalyticDigitalAmericanEngine
    (-1, 0.474, 0.91, 4, 5.124234470488016e-07),
    (1, 0.412, 0.37, 38, 0.000685099355794103),
    (1, 0.455, 0.59, 6, 2.257914956141321e-09),
    (-1, 0.212, 0.63, 36, 0.2547050904504571),
    (-1, 0.034, 1.22, 15, 0.874953909583214),
    (1, 0.291, 0.91, 15, 0.1322781000409252),
    (1, 0.281, 0.44, 27, 0.021684670807787715),
    (1, 0.273, 1.23, 36, 0.5456523532601028),
    (1, 0.056, 1.23, 13, 0.8313806088111511),
    (-1, 0.053, 1.48, 37, 0.8845479843372124),
    (1, 0.311, 1.09, 35, 0.41393264107469097),
    (-1, 0.39, 1.04, 60, 0.28889154780537807),
    (-1, 0.184, 0.65, 12, 0.10793596482321573),
    (1, 0.046, 0.74, 32, 0.8523316563340029),
    (-1, 0.366, 0.72, 5, 1.1684321470832684e-05),
    (1, 0.258, 0.5, 22, 0.04041379094107485),
    (1, 0.467, 0.96, 43, 0.19582731027514527),
    (1, 0.383, 1.23, 57, 0.5147711344959198),
    (-1, 0.173, 0.83, 32, 0.44018926688661764),
    (-1, 0.039, 0.37, 18, 0.6226119306485216),
]


def exact_hit(z: float, m: float) -> mp.mpf:
    with mp.workdps(60):
        a, b = mp.mpf(z), mp.mpf(m)

        def cdf(x: mp.mpf) -> mp.mpf:
            return mp.erfc(-x / mp.sqrt(2)) / 2

        return cdf(-a - b) + mp.exp(-2 * a * b) * cdf(b - a)


def plain_hit(a: float, sigma: float, hours: float, drift: float) -> float:
    # The formula as it is printed, one unit at a time.
    s = sigma * math.sqrt(hours)
    exponent = -2 * drift * a / sigma**2 + special.log_ndtr((-a + drift * hours) / s)
    return float(special.ndtr((-a - drift * hours) / s) + math.exp(min(exponent, 0.0)))


@pytest.mark.parametrize("m", [-50.0, -3.1, -0.4, -1e-9, 0.0, 1e-9, 0.7, 2.9, 50.0])
@pytest.mark.parametrize("z", [1e-9, 1e-3, 0.4, 1.0, 2.9, 3.1, 8.0, 30.0])
def test_hit_keeps_its_relative_accuracy(z: float, m: float) -> None:
    exact = exact_hit(z, m)
    found = float(passage.hit(z, sigma=1, hours=1, drift=m))
    assert math.isfinite(found)
    if exact > 1e-300:
        conditioning = 1 + (z + m) ** 2 + 2 * abs(m * z)
        with mp.workdps(60):
            assert float(abs(mp.mpf(found) / exact - 1)) <= 4 * 2.0**-52 * conditioning


def test_hit_is_the_printed_formula() -> None:
    random = np.random.default_rng(3)
    a, sigma = random.uniform(0.005, 0.5, 500), random.uniform(0.002, 0.05, 500)
    hours, drift = random.uniform(0.1, 48, 500), random.normal(0, 1e-3, 500)
    expected = [plain_hit(*row) for row in zip(a, sigma, hours, drift, strict=True)]
    assert np.allclose(
        passage.hit(a, sigma=sigma, hours=hours, drift=drift), expected, rtol=1e-10, atol=1e-300
    )


@pytest.mark.parametrize(("side", "a", "volatility", "days", "price"), ONE_TOUCH)
def test_hit_is_the_price_of_a_one_touch_option(
    side: int, a: float, volatility: float, days: int, price: float
) -> None:
    found = passage.hit(a, sigma=volatility, hours=days / 365, drift=-side * volatility**2 / 2)
    assert float(found) == pytest.approx(price, abs=1e-12)


def test_two_thousand_one_touch_options_have_the_prices_of_quantlib() -> None:
    ql: Any = pytest.importorskip("QuantLib", reason="QuantLib is a rival of bench/, not a tool")
    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    volatility, days = ql.SimpleQuote(0.2), ql.Actual365Fixed()
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, days))
    surface = ql.BlackVolTermStructureHandle(
        ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(volatility), days)
    )
    spot = ql.QuoteHandle(ql.SimpleQuote(100.0))
    engine = ql.AnalyticDigitalAmericanEngine(
        ql.BlackScholesMertonProcess(spot, flat, flat, surface)
    )
    random = np.random.default_rng(11)
    for _ in range(2000):
        side = int(random.choice((-1, 1)))
        a, v = float(random.uniform(0.002, 0.8)), float(random.uniform(0.1, 3.0))
        length = int(random.integers(1, 90))
        volatility.setValue(v)
        kind = ql.Option.Put if side > 0 else ql.Option.Call
        option = ql.VanillaOption(
            ql.CashOrNothingPayoff(kind, 100 * math.exp(-side * a), 1.0),
            ql.AmericanExercise(today, today + length, False),
        )
        option.setPricingEngine(engine)
        found = passage.hit(a, sigma=v, hours=length / 365, drift=-side * v * v / 2)
        assert float(found) == pytest.approx(option.NPV(), abs=1e-12)


def test_the_constant_of_monitoring_is_a_value_of_the_zeta_function() -> None:
    with mp.workdps(30):
        exact = -mp.zeta(mp.mpf(1) / 2) / mp.sqrt(2 * mp.pi)
    assert pytest.approx(float(exact), abs=1e-15) == passage.MONITORING


def monitored(a: float, dates: int, *, grid: float = 0.001) -> float:
    # Convolution of what is still alive, standard deviation 1 over the window.
    step = 1 / math.sqrt(dates)
    reach = round(8.5 * step / grid)
    kernel = np.diff(special.ndtr((np.arange(-reach, reach + 2) - 0.5) * grid / step))
    x = np.arange(-round(9 / grid), round(9 / grid) + 1) * grid
    alive = np.zeros_like(x)
    alive[x.size // 2] = 1.0
    above = np.clip((x + a) / grid + 0.5, 0, 1)
    for _ in range(dates):
        size = 1 << (x.size + kernel.size).bit_length()
        product = np.fft.rfft(alive, size) * np.fft.rfft(kernel, size)
        alive = np.fft.irfft(product, size)[reach : reach + x.size] * above
    return float(1 - alive.sum())


@pytest.mark.parametrize(
    ("continuous", "dates", "expected", "ratio", "precision"),
    [
        (0.1, 24, 0.0793586, 0.980, 1e-6),
        (0.01, 24, 0.0073577, 0.957, 1e-6),
        (0.001, 24, 0.0006967, 0.934, 1e-6),
        (0.1, 96, 0.0887430, 0.995, 5e-6),
        (0.01, 96, 0.0084940, 0.990, 5e-6),
        (0.001, 96, 0.0008214, 0.984, 5e-6),
    ],
)
def test_looking_at_dates_finds_what_a_convolution_finds(
    continuous: float, dates: int, expected: float, ratio: float, precision: float
) -> None:
    a = float(passage.distance(continuous, sigma=1, hours=1))
    slow = monitored(a, dates)
    assert slow == pytest.approx(expected, abs=precision)
    found = float(passage.hit(a, sigma=1, hours=1, step_hours=1 / dates))
    assert found / slow == pytest.approx(ratio, abs=2e-3)
    assert found < continuous


@pytest.mark.parametrize("drift", [-0.02, -0.001, 0.0005, 0.03])
@pytest.mark.parametrize("tolerance", [1e-12, 1.14e-4, 0.01, 0.5])
def test_distance_is_what_a_root_finder_finds(tolerance: float, drift: float) -> None:
    sigma, hours = 0.01, 4.0
    with_logs = math.log(tolerance)
    root = optimize.brentq(
        lambda a: (
            math.log(float(passage.hit(a, sigma=sigma, hours=hours, drift=drift))) - with_logs
        ),
        1e-9,
        0.4,
        xtol=1e-15,
        rtol=1e-14,
    )
    found = passage.distance(tolerance, sigma=sigma, hours=hours, drift=drift)
    assert float(found) == pytest.approx(root, rel=1e-11)


def images(a: float, b: float, s: float) -> float:
    w = a + b
    stays = math.fsum(
        special.ndtr((b - 2 * k * w) / s)
        - special.ndtr((-a - 2 * k * w) / s)
        - special.ndtr((-b - 2 * k * w) / s)
        + special.ndtr((-a - 2 * b - 2 * k * w) / s)
        for k in range(-6, 7)
    )
    return 1 - stays


def fourier(a: float, b: float, s: float) -> float:
    w = a + b
    return 1 - 4 / math.pi * math.fsum(
        math.sin(n * math.pi * a / w) * math.exp(-((n * math.pi * s / w) ** 2) / 2) / n
        for n in range(1, 400, 2)
    )


@pytest.mark.parametrize(
    ("a", "b", "s"),
    [(0.06, 0.09, 0.05), (0.1, 0.1, 0.12), (0.1, 0.11, 0.13), (0.02, 0.3, 0.2), (0.1, 0.1, 0.25)],
)
def test_two_sided_is_both_series(a: float, b: float, s: float) -> None:
    found = float(passage.two_sided(a, b, deviation=s))
    assert found == pytest.approx(images(a, b, s), abs=1e-13)
    assert found == pytest.approx(fourier(a, b, s), abs=1e-13)


def test_two_sided_has_its_tabulated_value() -> None:
    found = float(passage.two_sided(0.06, 0.09, deviation=0.05))
    assert found == pytest.approx(0.3019717005155, abs=1e-12)


def test_two_sided_keeps_a_rare_exit_that_one_minus_staying_would_lose() -> None:
    found = float(passage.two_sided(0.5, 0.6, deviation=0.05))
    sides = [float(passage.hit(a, sigma=0.05, hours=1)) for a in (0.5, 0.6)]
    assert found == pytest.approx(sum(sides), rel=1e-13)
    assert found < 1e-20


def test_a_side_without_a_level_is_no_risk() -> None:
    found = passage.two_sided([math.inf, 0.1, math.inf], [0.1, math.inf, math.inf], deviation=0.05)
    one = float(passage.hit(0.1, sigma=0.05, hours=1))
    assert found.tolist() == pytest.approx([one, one, 0.0], rel=1e-14)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"a_log": math.nan}, "a_log must be finite"),
        ({"a_log": math.inf}, "a_log must be finite"),
        ({"sigma": 0.0}, "sigma must be finite and > 0, was 0"),
        ({"sigma": [0.01, -1.0]}, "sigma must be finite and > 0, was -1"),
        ({"sigma": math.nan}, "sigma must be finite"),
        ({"hours": 0.0}, "hours must be finite and > 0"),
        ({"hours": math.inf}, "hours must be finite and > 0"),
        ({"drift": math.nan}, "drift must be finite"),
        ({"drift": 1e300, "sigma": 1e-300}, "must be finite"),
        ({"a_log": 1e300, "sigma": 1e-300}, "must be finite"),
        ({"step_hours": -1.0}, "step_hours must be finite and >= 0"),
        ({"step_hours": math.nan}, "step_hours must be finite and >= 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_number_that_is_none_is_refused_by_name(changed: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"a_log": 0.1, "sigma": 0.01, "hours": 1.0, "drift": 0.0} | changed
    with pytest.raises(ValueError, match=message):
        passage.hit(asked.pop("a_log"), **asked)


@pytest.mark.parametrize("tolerance", [0.0, -0.1, 0.51, 1.0, math.nan])
def test_a_tolerance_outside_is_refused(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance must be in"):
        passage.distance([0.1, tolerance], sigma=0.01, hours=1)


def test_two_sided_refuses_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="NaN"):
        passage.two_sided(math.nan, 0.1, deviation=0.1)
    with pytest.raises(ValueError, match="deviation must be"):
        passage.two_sided(0.1, 0.1, deviation=0.0)


def test_arguments_broadcast() -> None:
    found = passage.hit(np.full((3, 1), 0.1), sigma=np.array([0.01, 0.02]), hours=4, drift=0.001)
    assert found.shape == (3, 2)
    assert passage.hit(0.1, sigma=0.01, hours=1).shape == ()
    assert passage.distance([0.1, 0.2], sigma=0.01, hours=1, drift=[[0.0], [0.1]]).shape == (2, 2)
    assert passage.hit(0.1, sigma=0.01, hours=1, drift=[0.0, 0.1]).shape == (2,)
    assert passage.hit([], sigma=0.01, hours=1).shape == (0,)


def test_bridges_over_a_coarse_path_survive_as_often_as_the_formula_says() -> None:
    random = np.random.default_rng(5)
    paths, looks, sigma, a = 40_000, 4, 0.01, 0.02
    steps = random.normal(0, sigma, (paths, looks))
    x = np.concatenate((np.zeros((paths, 1)), np.cumsum(steps, axis=1)), axis=1)
    expected = 1 - float(passage.hit(a, sigma=sigma, hours=looks))
    survived = bridge.survival(x + a, sigma=sigma, step_hours=1.0)
    # 0.46 / sqrt(40,000) is the largest possible standard error of the mean.
    assert float(survived.mean()) == pytest.approx(expected, abs=5 * 0.5 / 200)
    lowest = bridge.minimum(
        x[:, :-1], x[:, 1:], random.exponential(size=(paths, looks)), sigma=sigma, step_hours=1.0
    ).min(axis=1)
    assert float((lowest > -a).mean()) == pytest.approx(expected, abs=5 * 0.5 / 200)


def test_a_path_seen_once_at_its_level_did_not_survive() -> None:
    assert bridge.survival([[0.0], [0.1]], sigma=0.1, step_hours=1).tolist() == [0.0, 1.0]


def test_opposite_drifts_in_one_array_do_not_overflow() -> None:
    found = passage.hit([1.0, 30.0], sigma=1, hours=1, drift=[50.0, -50.0])
    assert found.tolist() == pytest.approx([math.exp(-100), 1.0], rel=1e-12)


def test_a_bridge_is_refused_without_a_look_or_a_number() -> None:
    with pytest.raises(ValueError, match="at least one look"):
        bridge.survival([], sigma=0.1, step_hours=1)
    with pytest.raises(ValueError, match="distances must be finite"):
        bridge.survival([0.1, math.nan], sigma=0.1, step_hours=1)
    with pytest.raises(ValueError, match="exponential must be finite and >= 0"):
        bridge.minimum(0.0, 0.0, -1.0, sigma=0.1, step_hours=1)
    with pytest.raises(ValueError, match="step_hours must be"):
        bridge.minimum(0.0, 0.0, 1.0, sigma=0.1, step_hours=0)
