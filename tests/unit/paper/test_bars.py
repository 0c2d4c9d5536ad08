import math
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.paper.bars import Recorded, read
from bot.paper.instruments import CONTRACTS
from bot.paper.scenario import ScenarioError

MINUTE = 60_000


def written(
    tmp_path: Path, rows: Sequence[tuple[float, ...]], name: str = "BTCUSDT_x.parquet"
) -> Path:
    names = ["timestamp", "open", "high", "low", "close"][: len(rows[0]) if rows else 5]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    file = tmp_path / name
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), file)
    return file


GOOD = [(n * MINUTE, 100.0, 110.0, 90.0, 105.0) for n in range(1, 5)]


def test_prices_stay_inside_their_bar_and_touch_its_extremes(tmp_path: Path) -> None:
    contract, bars = read(written(tmp_path, GOOD))
    feed = Recorded(contract, bars)
    lasts = [float(feed.step(MINUTE + s * 1000)["BTCUSDT"].last) for s in range(60)]
    assert min(lasts) == pytest.approx(90, abs=1)
    assert max(lasts) == pytest.approx(110, abs=1)


def test_a_missing_bar_is_a_halt_and_not_a_line(tmp_path: Path) -> None:
    rows = [*GOOD, (9 * MINUTE, 50.0, 51.0, 49.0, 50.0)]
    contract, bars = read(written(tmp_path, rows))
    feed = Recorded(contract, bars)
    before = feed.step(4 * MINUTE + 59_000)["BTCUSDT"]
    gap = feed.step(7 * MINUTE)["BTCUSDT"]
    assert not before.halted
    assert gap.halted
    assert gap.mark == before.mark
    assert not feed.step(9 * MINUTE)["BTCUSDT"].halted


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([(1, 2.0)], "must have columns", id="columns"),
        pytest.param(GOOD[:1], "at least two bars", id="one bar"),
        pytest.param([*GOOD, (5 * MINUTE, math.nan, 1.0, 1.0, 1.0)], "row 5", id="NaN"),
        pytest.param([*GOOD, (5 * MINUTE, 0.0, 1.0, 1.0, 1.0)], "prices > 0", id="zero"),
        pytest.param([*GOOD, GOOD[0]], "later than the row before", id="order"),
    ],
)
def test_broken_bars_are_one_message(
    tmp_path: Path, rows: Sequence[tuple[float, ...]], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        read(written(tmp_path, rows))


def test_a_file_that_is_no_table_or_of_no_contract_is_named(tmp_path: Path) -> None:
    text = tmp_path / "BTCUSDT_x.parquet"
    text.write_text("no")
    with pytest.raises(ScenarioError, match="must be a Parquet file"):
        read(text)
    with pytest.raises(ScenarioError, match="must begin with one of"):
        read(tmp_path / "ABC_x.parquet")
    assert "BTCUSDT" in CONTRACTS
