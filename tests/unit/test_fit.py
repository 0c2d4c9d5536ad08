import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from bot import fit
from bot.cli import app
from bot.errors import ConfigError
from bot.leverage.library import Library
from tests.kit.markets import a_record, without


def write(folder: Path, name: str, hours: int, *, seed: int) -> None:
    record = without(a_record(hours, seed=seed), 5, 6, 7)
    rows = {
        "timestamp": [(record.start + n) * 3_600_000 for n in range(hours)],
        "high": record.high,
        "low": record.low,
        "close": record.close,
    }
    pq.write_table(pa.table(rows), folder / f"{name}_mark_1h.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "marks"
    place.mkdir()
    write(place, "AAAUSDT", 14_000, seed=1)
    write(place, "BBBUSDC", 14_500, seed=2)
    write(place, "CCCUSDT", 900, seed=3)
    return place


def test_the_verb_writes_a_library_that_can_be_read(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "models.json"
    said = CliRunner().invoke(app, ["fit", "--data", str(folder), "--out", str(out)])
    assert said.exit_code == 0, said.output
    found = Library.from_dict(json.loads(out.read_text()))
    assert set(found.coins) == {"AAA", "BBB"}
    assert found.source == "Parquet files of marks"
    assert found.until is not None
    lines = said.stdout.splitlines()
    assert lines[1].split() == ["AAA", "14000", "0.1", "1", "h,", "8", "h,", "24", "h"]
    assert lines[3].split() == ["CCC", "900", "0.1", "shared"]
    assert lines[4].startswith("tails shared by 3 coins, until 2021-08-")


def test_records_that_are_too_short_are_said_and_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path, "CCCUSDT", 900, seed=3)
    out = tmp_path / "models.json"
    said = CliRunner().invoke(app, ["fit", "--data", str(tmp_path), "--out", str(out)])
    assert isinstance(said.exception, ConfigError)
    assert "bars are too few for the tail of 1 h" in str(said.exception)
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        fit.save(Library(), tmp_path / "nowhere" / "models.json")
