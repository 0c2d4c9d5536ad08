import math

import mpmath as mp
import pytest

from bot.leverage import jumps, passage
from bot.leverage.jumps import Kou


def a_model(**changed: float) -> Kou:
    values = {
        "drift": 0.1,
        "sigma": 0.2,
        "intensity": 3.0,
        "towards": 0.5,
        "rate_towards": 50.0,
        "rate_away": 1 / 0.03,
    }
    return Kou(**(values | changed))


def talbot(a: float, model: Kou, time: float) -> float:
    # Another inversion, at forty digits, with roots by another method.
    with mp.workdps(40):
        e, f = mp.mpf(model.rate_towards), mp.mpf(model.rate_away)
        mu, half, lam = mp.mpf(model.drift), mp.mpf(model.sigma) ** 2 / 2, mp.mpf(model.intensity)
        p = mp.mpf(model.towards)

        def transform(theta: mp.mpc) -> mp.mpc:
            level = -(theta + lam)
            near, far = sorted(
                mp.polyroots(
                    [
                        level * e * f + lam * e * f,
                        mu * e * f + level * (e - f) + lam * (p * e - (1 - p) * f),
                        half * e * f + mu * (e - f) - level,
                        half * (e - f) - mu,
                        -half,
                    ],
                    asc=True,
                    maxsteps=500,
                    extraprec=200,
                ),
                key=mp.re,
            )[2:]
            one = (e - near) / e * far / (far - near) * mp.exp(-near * a)
            two = (far - e) / e * near / (far - near) * mp.exp(-far * a)
            return (one + two) / theta

        return float(mp.invertlaplace(transform, time, method="talbot", degree=24))


@pytest.mark.parametrize(("intensity", "published"), [(3.0, 0.2558430363), (0.01, 0.2605980496)])
def test_touches_with_jumps_have_their_published_probabilities(
    intensity: float, published: float
) -> None:
    found = jumps.hit(0.3, a_model(intensity=intensity), time=1.0)
    assert found == pytest.approx(published, abs=1e-7)


@pytest.mark.parametrize(
    ("a", "model", "time"),
    [
        (0.3, a_model(), 1.0),
        (0.05, a_model(drift=-0.4, towards=0.9), 0.3),
        (0.6, a_model(intensity=12.0, rate_towards=8.0, towards=1.0), 2.0),
    ],
)
def test_two_inversions_agree(a: float, model: Kou, time: float) -> None:
    assert jumps.hit(a, model, time=time) == pytest.approx(talbot(a, model, time), abs=2e-9)


@pytest.mark.parametrize("a", [0.01, 0.3, 1.5])
def test_without_jumps_it_is_the_plain_first_passage(a: float) -> None:
    plain = float(passage.hit(a, sigma=0.2, hours=1.0, drift=-0.1))
    assert jumps.hit(a, a_model(intensity=0.0), time=1.0) == pytest.approx(plain, abs=1e-9)


def test_larger_jumps_towards_the_level_are_more_dangerous() -> None:
    found = [
        jumps.hit(0.3, a_model(rate_towards=rate, towards=1.0, drift=0.0), time=1.0)
        for rate in (200, 50, 20, 5)
    ]
    assert found == sorted(found)
    assert found[-1] > 2 * found[0]


def test_what_stands_at_the_level_is_touched() -> None:
    assert jumps.hit(0.0, a_model(), time=1.0) == 1.0


@pytest.mark.parametrize(
    "name", ["drift", "sigma", "intensity", "towards", "rate_towards", "rate_away"]
)
def test_a_model_with_a_number_that_is_none_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        a_model(**{name: math.nan})


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="time > 0"):
        jumps.hit(0.3, a_model(), time=0.0)
