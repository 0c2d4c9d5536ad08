import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from bot import calibrate
from bot.cli import app
from bot.errors import ConfigError
from bot.leverage import backtest, coverage
from bot.leverage.coverage import Coverage, Model
from bot.leverage.history import History
from bot.plot import Axes, Panel, svg
from tests.kit.markets import a_record, without

DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))


def stored(folder: Path, name: str, record: History) -> None:
    there = np.isfinite(record.close)
    hours = record.start + np.flatnonzero(there)
    columns = {c: getattr(record, c)[there] for c in ("high", "low", "close")}
    pq.write_table(
        pa.table({"timestamp": hours * 3_600_000, **columns}), folder / f"{name}_mark_1h.parquet"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("marks")
    for seed, name in enumerate(("AAA", "BBB")):
        stored(place, name, without(a_record(16_000, seed=seed + 40), 900, 901, 15_000))
    return place


def test_files_are_read_with_their_gaps(folder: Path) -> None:
    found = calibrate.read(calibrate.folder_of(folder))
    assert list(found) == ["AAA", "BBB"]
    record = a_record(16_000, seed=40)
    assert np.isnan(found["AAA"].close[[900, 901, 15_000]]).all()
    assert found["AAA"].start == record.start
    assert found["AAA"].close[1000] == record.close[1000]


def test_the_verb_prints_what_it_found_and_writes_a_plot(folder: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    asked = ["calibrate", "--data", str(folder), "--plot", str(plot)]
    printed = CliRunner().invoke(app, [*asked, "--json"])
    assert printed.exit_code == 0
    root = ET.fromstring(plot.read_text())  # noqa: S314 - the text is our own
    assert len(root.findall("{*}polyline")) == 3 * len(Model)
    rows = json.loads(printed.stdout)["rows"]
    assert len(rows) == 3 * 2 * len(Model) * len(calibrate.ALPHAS)
    assert all(row["promised"] == pytest.approx(row["windows"] * row["alpha"]) for row in rows)


def test_a_table_has_one_line_for_each_promise(folder: Path) -> None:
    report = calibrate.calibrate(calibrate.read(folder), horizons=(24,))
    lines = calibrate.text(report).splitlines()
    assert lines[0].split() == ["AAA", "2020-01-01", "to", "2021-10-28"]
    assert sum(line.startswith("pooled + mixture") for line in lines) == 2 * len(calibrate.ALPHAS)
    assert len(lines) == 2 + 3 + len(report.rows)


def test_coverage_is_counted_like_a_loop_would(folder: Path) -> None:
    histories = calibrate.read(folder)
    found = coverage.measure(histories, 24, (0.01,))
    by = {(one.model, one.is_floored): one for one in found}
    bare = by[Model.GAUSSIAN, False]
    gaussian = coverage.gaussian_quantile(0.01)
    assert gaussian == pytest.approx(2.5758293035489)
    assert bare.hits(0.01).size == bare.pit.size == bare.day.size
    assert bare.symbols == ("AAA", "BBB")
    assert (np.diff(bare.day[(bare.symbol == 0) & bare.is_short]) > 0).all()
    for model in Model:
        floored, plain = by[model, True], by[model, False]
        assert (floored.pit >= plain.pit).all(), "a floor never makes a hit"
        assert floored.distance[0.01] >= plain.distance[0.01]
    assert np.array_equal(by[Model.OWN, False].hits(0.01), by[Model.OWN_MIXTURE, False].hits(0.01))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda d: (d / "AAA_mark_1h.parquet").write_bytes(b"x"), "AAA", id="no table"),
        pytest.param(
            lambda d: pq.write_table(
                pa.table({"timestamp": [1800_000], "high": [1.0], "low": [1.0], "close": [1.0]}),
                d / "CCC_mark_1h.parquet",
            ),
            "full hours",
            id="half an hour",
        ),
        pytest.param(
            lambda d: pq.write_table(pa.table({"timestamp": [0]}), d / "CCC_mark_1h.parquet"),
            "CCC",
            id="no prices",
        ),
        pytest.param(lambda d: stored(d, "AAA_other", a_record(50)), "another", id="twice"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, change: object, message: str) -> None:
    stored(tmp_path, "AAA", a_record(50))
    assert callable(change)
    change(tmp_path)
    with pytest.raises(ConfigError, match=message):
        calibrate.read(calibrate.folder_of(tmp_path))


def test_what_cannot_be_judged_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data"):
        calibrate.folder_of(None)
    with pytest.raises(ConfigError, match="Parquet"):
        calibrate.folder_of(tmp_path)
    short = {"A": a_record(9000), "B": a_record(9000)}
    with pytest.raises(ConfigError, match="too short"):
        calibrate.calibrate(short)
    with pytest.raises(ConfigError, match="two symbols"):
        calibrate.calibrate({"A": a_record(9000)})
    with pytest.raises(ConfigError, match="cannot be written"):
        calibrate.write(tmp_path / "no" / "file", "")


def test_a_plot_keeps_every_point_on_its_axes_and_refuses_what_has_no_logarithm() -> None:
    axes = Axes(
        x=(1.0, 100.0), y=(1.0, 10.0), x_ticks={10: "<10>"}, y_ticks={1: "1"}, x_label="a&b",
        y_label="c",
    )  # fmt: skip
    panel = Panel(title="t", curves={"one": [(0.1, 1e9), (10.0, 1.0)]}, thin_below=2.0)
    root = ET.fromstring(svg([panel], axes))  # noqa: S314 - the text is our own
    points = root.find("{*}polyline")
    assert points is not None
    assert points.get("points") == "52.0,34.0 217.0,314.0"
    with pytest.raises(ValueError, match="logarithmic"):
        svg([Panel(title="t", curves={"one": [(0.0, 1.0)]}, thin_below=2.0)], axes)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="recorded markets are not here (PLIMSOLL_DATA)")
@pytest.mark.parametrize("hours", [1, 8])
def test_pooled_coverage_of_recorded_marks_is_near_what_was_promised(hours: int) -> None:
    histories = calibrate.read(calibrate.folder_of(DATA))
    found = {
        (one.model, one.is_floored): one
        for one in coverage.measure(histories, hours, calibrate.ALPHAS)
    }

    def ratio(one: Coverage, alpha: float) -> float:
        return float(np.count_nonzero(one.hits(alpha))) / (alpha * one.pit.size)

    for model in (Model.OWN, Model.POOLED, Model.OWN_MIXTURE, Model.POOLED_MIXTURE):
        bare = found[model, False]
        assert bare.pit.size > 300_000 / hours
        assert 0.8 <= ratio(bare, 0.01) <= 1.25
        assert ratio(bare, 0.001) <= 1.6
        assert ratio(found[model, True], 0.001) < ratio(bare, 0.001)
    # The test can fail: a Brownian price with the same forecasts is found out at once.
    gaussian = found[Model.GAUSSIAN, False]
    assert 2.4 <= ratio(gaussian, 0.01) <= 3.1
    assert ratio(gaussian, 0.001) > 10
    assert backtest.traffic_light(gaussian.pit.size, int(gaussian.hits(0.01).sum()), 0.01) == "red"
