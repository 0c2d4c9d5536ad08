import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import files
from bot.errors import StrategyError
from bot.files import KINDS, Kept
from bot.leverage.library import Library
from bot.leverage.stress import Catalogue
from bot.plugins import resolve
from tests.kit.hazard import HAZARD, models_file

RAW: dict[str, Any] = json.loads(Path(models_file()).read_bytes())


def read(named: object, archive: Path | None = None) -> Kept:
    return files.read(KINDS[Library], named, setting="models", archive=archive)


def leaves(raw: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value, of long lists to the first two only."""
    if isinstance(raw, dict):
        return [way, *(x for key, value in raw.items() for x in leaves(value, (*way, key)))]
    if isinstance(raw, list):
        found = [x for n, value in enumerate(raw[:2]) for x in leaves(value, (*way, n))]
        return [way, *found]
    return [way]


WAYS = [way for way in leaves(RAW) if way]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "mine.json"
    place.write_bytes(Path(models_file()).read_bytes())
    return place


def test_a_file_that_is_not_named_is_the_usual_one() -> None:
    kept = read(None)
    assert set(kept.value.coins) == {"ADA", "BTC", "DOGE", "ETH", "LTC", "SOL", "XRP"}
    assert kept.text == f"{models_file()}#sha256={kept.digest}"
    assert kept.value.digest == kept.digest
    catalogue = files.read(KINDS[Catalogue], None, setting="stress", archive=None)
    assert len(catalogue.value.scenarios) > 5


def test_none_is_no_file() -> None:
    assert read("none") == Kept(value=Library(), text="none")


def test_a_decision_finds_the_file_it_was_made_with_after_it_has_changed(
    file: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "journal.sqlite.files"
    before = read(file)
    files.keep({before.digest: before.content}, archive)
    file.write_text(json.dumps(RAW | {"source": "another"}))
    assert read(file).value.source == "another"
    assert read(before.text, archive).value == before.value
    with pytest.raises(StrategyError, match=f"must be the one with SHA-256 {before.digest}"):
        read(before.text)
    file.unlink()
    assert read(before.text, archive).value == before.value
    with pytest.raises(StrategyError, match="cannot be read: No such file"):
        read(before.text)


def test_what_was_kept_in_part_is_kept_again_and_never_used(file: Path, tmp_path: Path) -> None:
    archive = tmp_path / "kept"
    before = read(file)
    files.keep({before.digest: before.content}, archive)
    (archive / before.digest).write_bytes(before.content[:-9])
    file.unlink()
    with pytest.raises(StrategyError, match="cannot be read"):
        read(before.text, archive)
    files.keep({before.digest: before.content}, archive)
    assert read(before.text, archive).value == before.value
    assert len(list(archive.iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"{", "cannot be used"),
        (b"\xff", "cannot be used"),
        (b"[" * 100_000, "cannot be used"),
        (b"null", "models cannot be read"),
        (json.dumps(RAW | {"version": 2}).encode(), "must be of version 1, were 2"),
        (json.dumps({k: v for k, v in RAW.items() if k != "coins"}).encode(), "'coins'"),
    ],
)
def test_a_file_that_is_none_is_named(file: Path, content: bytes, why: str) -> None:
    file.write_bytes(content)
    with pytest.raises(StrategyError, match=f"strategy.models: .*{why}"):
        read(file)


@given(
    st.sampled_from(WAYS),
    st.sampled_from([None, "", "x", -1, 0, 1e400, -1e-300, float("nan"), [], {}, True, 10**30]),
)
def test_a_damaged_field_is_refused_or_harmless(way: tuple[Any, ...], value: object) -> None:
    raw = copy.deepcopy(RAW)
    place = raw
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    try:
        found = Library.from_dict(json.loads(json.dumps(raw)))
    except ValueError:
        return
    is_nan = isinstance(value, float) and math.isnan(value)
    assert Library.from_dict(found.as_dict()) == found or is_nan


def test_a_strategy_says_what_made_it(file: Path) -> None:
    made = resolve(HAZARD, {"models": str(file), "hazard": "2"})
    settings = dict(made.settings)
    assert settings["hazard"] == "2"
    assert settings["models"].startswith(f"{file}#sha256=")
    assert set(settings) == {"models", "stress", "hazard"}
    assert len(made.files) == 2
    again = resolve(HAZARD, settings)
    assert again.settings == made.settings
