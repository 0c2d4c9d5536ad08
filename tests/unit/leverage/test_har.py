import json
import math
from typing import Any

import numpy as np
import pytest

from bot.leverage import forecast as forecasts
from bot.leverage import har
from bot.leverage.arrays import Floats
from bot.leverage.forecast import Flag, Source, forecast
from bot.leverage.har import HarModel
from bot.leverage.history import believed, variances
from tests.kit.markets import a_record, plain_features, plain_target, without

RECORD = a_record(9000, seed=21)


def test_a_fit_agrees_with_least_squares_over_rows_made_by_loops() -> None:
    hours = 3
    table = har.features(RECORD.start, variances(RECORD))
    for t in (650, 1000, 8990):
        assert table[t].tolist() == pytest.approx(plain_features(RECORD, t), rel=1e-9)
    used = [t for t in range(len(RECORD) - hours) if np.isfinite(table[t]).all()]
    target = np.array([plain_target(RECORD, t, hours) for t in used])
    expected, *_ = np.linalg.lstsq(table[used], target, rcond=None)
    found = har.fit(RECORD, hours)
    assert found.rows == len(used)
    assert found.plain.coefficients == pytest.approx(tuple(expected), rel=1e-4, abs=1e-6)
    fitted = table[used] @ expected
    assert found.plain.kappa == pytest.approx(
        np.exp(target).mean() / np.exp(fitted).mean(), rel=1e-6
    )
    # Retransformed forecasts are right on average over what was fitted.
    sigma = har.sigmas(found, RECORD.start, variances(RECORD))[used]
    assert np.square(sigma).mean() == pytest.approx(np.exp(target).mean(), rel=1e-6)


def test_a_walk_uses_the_regression_of_a_fit_at_each_refit() -> None:
    record = without(a_record(20_500, seed=22), 400, 5000, 5001, 18_000)
    for hours in (1, 8):
        walked = har.walk(record, hours)
        for known in (walked.refits[0], walked.refits[5], walked.refits[-1]):
            fitted = har.fit(record.until(known), hours)
            alone = har.sigmas(fitted, record.start, variances(record))
            span = slice(known - 1, min(known + 719, len(record)))
            assert walked.sigma[span] == pytest.approx(alone[span], rel=1e-8, nan_ok=True)
            assert walked.floor[span] == pytest.approx(fitted.floor, rel=1e-8)
        assert np.isnan(walked.sigma[: har.BURN_IN - 1]).all()
        assert (walked.floored[har.BURN_IN :] >= walked.floor[har.BURN_IN :]).sum() > 10_000


def test_the_floor_is_the_quarter_quantile_of_enough_values() -> None:
    values = np.random.Generator(np.random.PCG64(1)).random(2500)
    values[::9] = np.nan
    known = values[np.isfinite(values)]
    assert har.quiet_floor(values) == pytest.approx(np.quantile(known, 0.25), rel=1e-12)
    assert har.quiet_floor(values[:2000]) == 0.0


def test_constant_prices_meet_the_floor() -> None:
    model = har.fit(RECORD, 8)
    still = believed(RECORD.start, *(np.full(1000, 50.0) for _ in range(3)))
    found = forecast(still, 8, own=model)
    assert found.sigma_h == model.floor
    assert Flag.FLOORED in found.flags
    assert forecast(still, 8).sigma_h is None, "and without a floor there is no forecast"


def test_a_model_survives_json_and_a_damaged_one_is_refused() -> None:
    extra = np.sin(np.arange(len(RECORD)) / 50)[:, None]
    model = har.fit(RECORD, 8, extra=extra)
    assert model.extended is not None
    raw: dict[str, Any] = json.loads(json.dumps(model.as_dict()))
    assert HarModel.from_dict(raw) == model
    for damaged in (
        raw | {"floor": math.nan},
        raw | {"hours": 0},
        raw | {"plain": raw["plain"] | {"kappa": -1}},
        raw | {"plain": raw["plain"] | {"coefficients": [1.0]}},
        raw | {"extended": raw["extended"] | {"low": []}},
    ):
        with pytest.raises(ValueError, match=r"must be|were"):
            HarModel.from_dict(damaged)


def test_too_short_a_history_is_not_fitted() -> None:
    with pytest.raises(ValueError, match="8760"):
        har.fit(RECORD.until(8759), 8)
    with pytest.raises(ValueError, match="whole windows"):
        har.fit(without(RECORD, *range(0, 9000, 5)), 8)
    with pytest.raises(ValueError, match="hours"):
        har.fit(RECORD, 0)
    with pytest.raises(ValueError, match="whole windows"):
        har.fit_pooled([], 8)


def test_one_bad_regressor_moves_a_forecast_by_no_more_than_the_double() -> None:
    interest = np.cumsum(np.random.Generator(np.random.PCG64(6)).normal(size=len(RECORD)))
    model = har.fit(RECORD, 8, extra=interest[:, None])
    table = har.features(RECORD.start, variances(RECORD))[-5:]
    plain = har.with_extra(har.fit(RECORD, 8), table, np.empty((5, 0)))
    absurd = np.array([[1e12], [-1e12], [math.nan], [math.inf], [interest[-1]]])
    full = har.with_extra(model, table, absurd)
    assert np.isfinite(full).all()
    assert (full <= 2 * plain).all()
    assert (full >= plain / 2).all()
    assert full[2] == plain[2]
    with pytest.raises(ValueError, match="shape"):
        har.with_extra(model, table, np.empty((5, 2)))
    # In a live forecast a regressor may only raise.
    wild: Floats = np.vstack((interest[:-1, None], [[1e12]]))
    sigma = forecast(RECORD, 8, own=model, extra=wild).sigma_h
    bare = forecast(RECORD, 8, own=model).sigma_h
    assert sigma is not None
    assert bare is not None
    assert bare <= sigma <= 2 * bare


def test_a_symbol_is_forecast_by_the_history_it_has() -> None:
    pooled = har.fit_pooled([RECORD, a_record(3000, seed=30)], 8)
    own = har.fit(RECORD, 8)
    cases = [
        (RECORD, own, Source.OWN, True),
        (RECORD.until(900), None, Source.POOLED, True),
        (RECORD.until(719), None, Source.SHORT, False),
        (RECORD.until(24), None, Source.SHORT, False),
        (RECORD.until(23), None, Source.NONE, False),
    ]
    for record, model, source, may in cases:
        found = forecast(record, 8, own=model, pooled=pooled)
        assert (found.source, found.may_give_back) == (source, may)
    assert pooled.is_pooled
    with pytest.raises(ValueError, match="for 24 h"):
        forecast(RECORD, 24, own=own)


def test_the_short_forecast_is_counted_by_hand() -> None:
    record = RECORD.until(100)
    squares = np.square(np.diff(np.log(record.close)))
    weights = 0.5 ** (np.arange(98, -1, -1) / 72)
    smoothed = float(weights @ squares / weights.sum())
    ranged = float(np.square(np.log(record.high / record.low))[-24:].mean() / (4 * math.log(2)))
    found = forecast(record, 8)
    assert found.sigma_h == pytest.approx(1.5 * math.sqrt(8 * max(smoothed, ranged)))


def test_an_implied_volatility_only_raises_and_an_insane_one_is_capped() -> None:
    model = har.fit(RECORD, 8)
    plain = forecast(RECORD, 8, own=model)
    assert plain.sigma_h is not None
    for implied in (plain.sigma_h / 2, math.nan, math.inf, -1.0):
        assert forecast(RECORD, 8, own=model, implied=implied).sigma_h == plain.sigma_h
    double = forecast(RECORD, 8, own=model, implied=2 * plain.sigma_h)
    assert double.sigma_h == 2 * plain.sigma_h
    assert Flag.IMPLIED in double.flags
    insane = forecast(RECORD, 8, own=model, implied=1000 * plain.sigma_h)
    assert insane.sigma_h is not None
    assert insane.sigma_h >= 4 * plain.sigma_h * (1 - 1e-12)
    assert insane.sigma_h < 100 * plain.sigma_h
    assert Flag.VOL_CAPPED in insane.flags
    assert not insane.may_give_back


def test_a_storm_beyond_a_hole_is_not_overlooked() -> None:
    model = har.fit(RECORD, 8)
    calm = without(RECORD, 8997)
    columns = [column.copy() for column in (calm.high, calm.low, calm.close)]
    for column in columns:
        column[8998:] *= 0.6
    columns[0][8998] = calm.close[8996]
    storm = believed(RECORD.start, *columns)
    still, wild = (forecast(one, 8, own=model).sigma_h for one in (calm, storm))
    assert still is not None
    assert wild is not None
    assert wild > 5 * still


def test_bars_at_hand_are_all_that_a_forecast_looks_at() -> None:
    model = har.fit(RECORD, 8)
    whole, cut = (
        forecast(record, 8, own=model) for record in (RECORD, RECORD.last(forecasts.AT_HAND))
    )
    assert whole == cut
