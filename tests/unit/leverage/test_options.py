import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from scipy import optimize

from bot.leverage import options, passage
from bot.leverage.arrays import Floats
from bot.leverage.options import LOST, Buffer, Roots

SPOT, VOLATILITY, EXPIRY, HELD = 100.0, 0.6, 14 / 365, 4.0
DAY = VOLATILITY / math.sqrt(365)


def straddle(price: Floats, *, strike: float, volatility: float, years: float) -> Floats:
    return np.asarray(
        sum(
            options.black_scholes(
                price, strike=strike, volatility=volatility, years=years, call=call
            )
            for call in (True, False)
        )
    )


def premium(strike: float) -> float:
    return float(straddle(np.array(SPOT), strike=strike, volatility=VOLATILITY, years=EXPIRY))


def short_straddle(strike: float, *, held: float = HELD) -> Buffer:
    sold = premium(strike)

    def buffer(prices: Floats, shift: float, hours: float) -> Floats:
        years = max(EXPIRY - hours / 24 / 365, 0.0)
        now = straddle(prices, strike=strike, volatility=VOLATILITY * (1 + shift), years=years)
        return held - (now - sold)

    return buffer


def greeks(strike: float) -> tuple[float, float]:
    found = [
        options.greeks(SPOT, strike=strike, volatility=VOLATILITY, years=EXPIRY, call=call)
        for call in (True, False)
    ]
    return -sum(float(d) for d, _ in found), -sum(float(g) for _, g in found)


def probability(found: Roots) -> float:
    return float(passage.two_sided(found.below, found.above, deviation=DAY))


@pytest.mark.parametrize(
    ("strike", "price", "quadratic", "full"),
    [(100.0, 9.370421, 0.0020834, 0.0012287), (110.0, 12.902502, 0.0592180, 0.0538903)],
)
def test_a_short_straddle_has_its_tabulated_numbers(
    strike: float, price: float, quadratic: float, full: float
) -> None:
    assert premium(strike) == pytest.approx(price, abs=1e-6)
    delta, gamma = greeks(strike)
    screen = options.delta_gamma(HELD, delta=delta, gamma=gamma, spot=SPOT)
    assert probability(screen) == pytest.approx(quadratic, abs=1e-6)
    found = options.roots(short_straddle(strike), SPOT, hours=(0.0,), shifts=(0.0,))
    assert probability(found) == pytest.approx(full, abs=1e-6)


def test_delta_alone_sees_no_risk_where_there_is_some() -> None:
    delta, gamma = greeks(100.0)
    alone = options.delta_gamma(HELD, delta=delta, gamma=0.0, spot=SPOT)
    assert probability(alone) < 1e-80
    delta, _ = greeks(110.0)
    alone = options.delta_gamma(HELD, delta=delta, gamma=0.0, spot=SPOT)
    assert probability(alone) == pytest.approx(0.0158348, abs=1e-6)
    assert gamma < 0


@pytest.mark.parametrize(
    ("strike", "tabulated", "precision"), [(100.0, 0.0008, 3e-4), (110.0, 0.0438, 2e-3)]
)
def test_paths_of_a_day_lose_a_straddle_as_often_as_tabulated(
    strike: float, tabulated: float, precision: float
) -> None:
    # The price is a martingale, looked at every quarter of an hour while time passes: that is why
    # this lies below the full revaluation of now.
    random = np.random.default_rng(4)
    paths, looks = 40_000, 96
    buffer = short_straddle(strike)
    x, lost = np.zeros(paths), np.zeros(paths, dtype=bool)
    for look in range(1, looks + 1):
        x += random.normal(-DAY * DAY / 2 / looks, DAY / math.sqrt(looks), paths)
        lost |= buffer(SPOT * np.exp(x), 0.0, look * 24 / looks) <= 0
    assert float(lost.mean()) == pytest.approx(tabulated, abs=precision)


def test_roots_are_the_nearest_over_all_cases() -> None:
    buffer = short_straddle(110.0)
    cases = [(shift, hours) for shift in (0.0, 0.05, -0.25) for hours in (0.0, 24.0)]

    def root(shift: float, hours: float, low: float, high: float) -> float:
        def of(x: float) -> float:
            return float(buffer(SPOT * np.exp(np.array([x])), shift, hours)[0])

        return float(optimize.brentq(of, low, high, xtol=1e-13))

    found = options.roots(buffer, SPOT, hours=(0.0, 24.0), shifts=(0.0, 0.05, -0.25))
    assert found.below == pytest.approx(min(-root(*case, -1, 0) for case in cases), abs=2e-10)
    assert found.above == pytest.approx(min(root(*case, 0, 1) for case in cases), abs=2e-10)
    assert buffer(SPOT * np.exp(np.array([-found.below])), 0.05, 0.0)[0] > 0


def test_a_shift_of_volatility_that_alone_uses_the_buffer_up_is_a_loss() -> None:
    assert options.roots(short_straddle(100.0, held=1.0), SPOT, hours=(0.0,)) == LOST
    assert probability(LOST) == 1


def test_a_book_that_only_a_move_would_save_is_a_loss() -> None:
    # A straddle that expires at the money: alive on both sides, not here.
    def at_expiry(prices: Floats, _: float, __: float) -> Floats:
        return np.abs(prices - SPOT) - 0.001

    assert options.roots(at_expiry, SPOT, hours=(0.0,)) == LOST


def test_a_book_without_a_sign_change_has_no_risk_within_reach() -> None:
    def bought(prices: Floats, shift: float, hours: float) -> Floats:
        return straddle(prices, strike=100.0, volatility=VOLATILITY * (1 + shift), years=EXPIRY)

    found = options.roots(bought, SPOT, hours=(0.0, 24.0))
    assert found == Roots(below=math.inf, above=math.inf)
    assert probability(found) == 0


def test_one_sided_books_have_one_root() -> None:
    # A perpetual, long 2 at 100 with 50: 50 + 2 (P - 100) = 0.02 P at P = 150 / 1.98.
    long_ = options.roots(
        lambda p, _, __: 50 + 2 * (p - 100) - 0.02 * p, SPOT, hours=(0.0,), shifts=(0.0,)
    )
    assert long_.below == pytest.approx(-math.log(150 / 1.98 / 100), abs=2e-10)
    assert long_.above == math.inf
    short = options.roots(
        lambda p, _, __: 50 - 2 * (p - 100) - 0.02 * p, SPOT, hours=(0.0,), shifts=(0.0,)
    )
    assert short.above == pytest.approx(math.log(250 / 2.02 / 100), abs=2e-10)
    assert short.below == math.inf


def test_a_kink_between_two_prices_of_the_grid_is_seen_where_it_is_named() -> None:
    strike = SPOT * math.exp(0.1075)

    def dip(prices: Floats, _: float, __: float) -> Floats:
        return np.abs(np.log(prices / strike)) - 0.001

    asked: dict[str, Any] = {"hours": (0.0,), "shifts": (0.0,)}
    assert options.roots(dip, SPOT, **asked).above == math.inf
    found = options.roots(dip, SPOT, kinks=(strike,), **asked)
    assert found.above == pytest.approx(0.1065, abs=2e-10)


@pytest.mark.parametrize(
    ("buffer", "delta", "gamma", "below", "above"),
    [
        # 4 - x**2 / 2 = 0 at +-2.828427
        (4.0, 0.0, -1.0, -math.log1p(-0.02828427124746190), math.log1p(0.02828427124746190)),
        (4.0, 0.0, 0.0, math.inf, math.inf),
        (4.0, 2.0, 0.0, -math.log1p(-0.02), math.inf),
        (4.0, -2.0, 0.0, math.inf, math.log1p(0.02)),
        (4.0, 0.0, 1.0, math.inf, math.inf),
        # 4 + 3 x + x**2 / 2 = 0 at -2 and -4
        (4.0, 3.0, 1.0, -math.log1p(-0.02), math.inf),
        # below zero there is no price: 300 + 2 x
        (300.0, 2.0, 0.0, math.inf, math.inf),
        (0.0, 1.0, 1.0, 0.0, 0.0),
    ],
)
def test_the_quadratic_has_the_roots_of_school(
    buffer: float, delta: float, gamma: float, below: float, above: float
) -> None:
    found = options.delta_gamma(buffer, delta=delta, gamma=gamma, spot=SPOT)
    assert (found.below, found.above) == pytest.approx((below, above), rel=1e-13)


@pytest.mark.parametrize("strike", [1.0, 80.0, 100.0, 140.0, 1e4])
@pytest.mark.parametrize("years", [1e-4, 0.04, 2.0])
@pytest.mark.parametrize("call", [True, False])
def test_option_values_are_right_to_twelve_digits(strike: float, years: float, call: bool) -> None:
    with mp.workdps(40):
        s, k, v = mp.mpf(SPOT), mp.mpf(strike), mp.mpf(0.6) * mp.sqrt(mp.mpf(years))
        one = mp.log(s / k) / v + v / 2
        sign = 1 if call else -1
        value = float(sign * (s * mp.ncdf(sign * one) - k * mp.ncdf(sign * (one - v))))
        delta = float(mp.ncdf(one) - (0 if call else 1))
        gamma = float(mp.npdf(one) / (s * v))
    asked: dict[str, Any] = {"strike": strike, "volatility": 0.6, "years": years, "call": call}
    assert float(options.black_scholes(SPOT, **asked)) == pytest.approx(value, abs=1e-12 * SPOT)
    found = options.greeks(SPOT, **asked)
    assert float(found[0]) == pytest.approx(delta, abs=1e-12)
    assert float(found[1]) == pytest.approx(gamma, abs=1e-12)


def test_an_expired_option_pays_what_exercise_pays() -> None:
    asked: dict[str, Any] = {"strike": 100.0, "volatility": 0.6, "years": 0.0}
    prices = [90.0, 100.0, 130.0]
    assert options.black_scholes(prices, call=True, **asked).tolist() == [0, 0, 30]
    assert options.black_scholes(prices, call=False, **asked).tolist() == [10, 0, 0]
    with pytest.raises(ValueError, match="years must be"):
        options.greeks(100.0, call=True, **asked)


def test_roots_refuse_a_book_that_has_no_number() -> None:
    asked: dict[str, Any] = {"hours": (0.0,)}
    with pytest.raises(ValueError, match="buffer must be finite"):
        options.roots(lambda p, _, __: p * math.nan, SPOT, **asked)
    with pytest.raises(ValueError, match="buffer must be finite, shape"):
        options.roots(lambda _, __, ___: np.ones(1), SPOT, **asked)
    with pytest.raises(ValueError, match="at least one shift"):
        options.roots(short_straddle(100.0), SPOT, hours=())
    with pytest.raises(ValueError, match="spot must be"):
        options.roots(short_straddle(100.0), 0.0, **asked)
    with pytest.raises(ValueError, match="gamma must be"):
        options.delta_gamma(1.0, delta=1.0, gamma=math.nan, spot=SPOT)
