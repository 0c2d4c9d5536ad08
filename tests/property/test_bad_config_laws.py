import tempfile
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.settings import LARGEST, SMALLEST, Settings, load

FOLDER = Path(__file__).parents[2] / "config"
FILES = {
    path.name: path.read_text() for path in (FOLDER / "live.example.toml", FOLDER / "paper.toml")
}
ACCOUNT = """
[[accounts]]
name = "main"
symbols = ["BTC/USDT:USDT"]
api_key = "k"
secret = "s"
"""
VALUES = st.one_of(
    st.sampled_from([
        "nan", "inf", "-inf", "-1", "0", "1e400", "1e-400", "10", "0.1", "true", "[]", "{}", "''",
        "'nan'", "'sNaN'", "'inf'", "'1E+999999999'", "'1E-999999999'", "'-3'",
        "'1_0'", "1979-05-27", "07:32:00", "[[]]", "[1, 'a']", "{a = {b = 1}}",
        "99999999999999999999", "'../../etc/passwd'", "'\\u0000'", "'x'",
        "'strategies.hazard:Hazard'",
    ]),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)  # fmt: skip


def fields() -> list[tuple[str, str]]:
    """Return every section and key there is."""
    found = []
    for section, info in Settings.model_fields.items():
        model: Any = info.annotation
        inner = getattr(model, "model_fields", None)
        if inner is None:  # a list of tables
            (model,) = model.__args__[:1]
            inner = model.model_fields
        found += [(section, key) for key in inner]
    return found


FIELDS = fields()


def outcome(text: str) -> Settings | ConfigError:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.toml"
        file.write_bytes(text.encode(errors="surrogatepass"))
        try:
            return load([file], environ={}).settings
        except ConfigError as error:
            return error


@given(st.sampled_from(FIELDS), VALUES)
def test_any_value_of_any_field_is_valid_or_refused_by_the_name_of_its_field(
    field: tuple[str, str], value: str
) -> None:
    section, key = field
    head = "[[accounts]]" if section == "accounts" else f"[{section}]"
    text = f"{head}\n{key} = {value}\n"
    if section == "accounts":
        text = (
            "\n".join(line for line in ACCOUNT.splitlines() if not line.startswith(f"{key} ="))
            + f"\n{key} = {value}\n"
        )
    else:
        text = ACCOUNT + text
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert isinstance(outcome(text), ConfigError)
        return
    found = outcome(text)
    if isinstance(found, ConfigError):
        assert section in str(found)
        return
    chosen: Any = getattr(found, section)
    number = getattr(chosen[0] if section == "accounts" else chosen, key, None)
    if isinstance(number, Decimal) and number:
        assert SMALLEST <= abs(number) <= LARGEST


@settings(max_examples=max(25, settings().max_examples // 2))
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_shipped_file_with_lines_changed_is_valid_or_refused_in_words(
    name: str, data: st.DataObject
) -> None:
    lines = FILES[name].splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    kind = data.draw(st.sampled_from(["drop", "twice", "cut", "value", "noise"]))
    if kind == "drop":
        del lines[at]
    elif kind == "twice":
        lines.insert(at, lines[at])
    elif kind == "cut":
        lines = lines[:at]
    elif kind == "value":
        key = lines[at].lstrip("# ").partition("=")[0]
        lines[at] = f"{key}= {data.draw(VALUES)}"
    else:
        lines[at] = data.draw(st.text(max_size=20))
    found = outcome("\n".join(lines))
    assert isinstance(found, Settings) or str(found)


@pytest.mark.parametrize("name", sorted(FILES))
@given(cut=st.integers(0, 5000), byte=st.binary(min_size=1, max_size=3))
def test_a_file_of_other_bytes_is_valid_or_refused_in_words(
    name: str, cut: int, byte: bytes
) -> None:
    raw = FILES[name].encode()
    place = cut % (len(raw) + 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.toml"
        file.write_bytes(raw[:place] + byte + raw[place + 1 :])
        try:
            load([file], environ={})
        except ConfigError as error:
            assert str(error)  # noqa: PT017 - either is right
