"""Whatever happened to the files of a journal: nothing is lost, or it is refused and left alone."""

import asyncio
import tempfile
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.intent import Execution, Outcome
from bot.errors import JournalError
from bot.journal import database, tip
from bot.journal.queries import JournalReader
from bot.journal.slots import empty_slot
from bot.journal.sqlite import SqliteJournal
from tests.kit.records import NOON, a_record, a_request, an_action_record, an_intent

NAME = "journal.sqlite"
FILES = ("", "-wal", ".tip")
PAGE = 4096


class Files(dict[str, bytes]):
    """The bytes of each file by the end of its name."""

    def __repr__(self) -> str:
        return "the files"  # a failing case that printed them would hide what failed

    def __or__(self, other: dict[str, bytes]) -> "Files":  # type: ignore[override]  # narrower
        return Files({**self, **other})


class Content(dict[str, Any]):
    """Everything a reader can ask."""

    def __repr__(self) -> str:
        return "the content"  # as above


async def _act(journal: SqliteJournal, numbers: range) -> None:
    for number in numbers:
        intent_id, decision_id = f"pl{number:014}", f"d{number}"
        record = a_record(number, verdict="act", actions=[an_action_record(id=intent_id)])
        await journal.record(record, bytes(range(256)) * 8, [an_intent(intent_id, decision_id)])
        if number % 4 == 0:
            await journal.drop(intent_id, NOON, "an earlier action was not done")
        elif number % 4 > 1:
            await journal.sent(intent_id, a_request(NOON))
        if number % 4 == 3:
            done = Execution(intent_id=intent_id, outcome=Outcome.DONE, applied=Decimal("250.00"))
            await journal.conclude(done, NOON + timedelta(seconds=1))


async def _make(folder: Path) -> Files:
    async with SqliteJournal.open(folder / NAME, instance="keel") as journal:
        await _act(journal, range(1, 20))
    async with SqliteJournal.open(folder / NAME) as journal:
        await _act(journal, range(20, 32))
        # As a process that is killed now leaves them.
        return Files({end: (folder / (NAME + end)).read_bytes() for end in FILES})


@pytest.fixture(scope="module")
def whole() -> Files:
    with tempfile.TemporaryDirectory() as folder:
        files = asyncio.run(_make(Path(folder)))
    assert len(files["-wal"]) > 20 * PAGE
    return files


def content(path: Path) -> Content:
    with JournalReader.open(path) as reader:
        return Content(
            {
                "decisions": reader.decisions(limit=10**6),
                "actions": reader.actions(limit=10**6),
                "open": reader.status(now=NOON).open_intents,
                "why": reader.decision("d1"),
                "newest": reader.newest_inputs("main"),
            }
        )


async def refusal_of(path: Path) -> str | None:
    try:
        journal = SqliteJournal.open(path)
    except JournalError as error:  # any other error is a fault
        return str(error)
    await journal.open_intents()
    await journal.close()
    return None


def is_refused(files: Files, expected: Content) -> bool:
    """Return whether a journal is refused; fail if it is neither refused properly nor whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        for end, data in files.items():
            (Path(folder) / (NAME + end)).write_bytes(data)
        with suppress(JournalError):
            content(path)
        refusal = asyncio.run(refusal_of(path))
        if refusal is None:
            assert content(path) == expected
            return False
        assert str(path) in refusal
        left = {end: (Path(folder) / (NAME + end)).read_bytes() for end in files}
        assert left == files
        return True


@pytest.fixture(scope="module")
def expected(whole: Files) -> Content:
    with tempfile.TemporaryDirectory() as folder:
        for end, data in whole.items():
            (Path(folder) / (NAME + end)).write_bytes(data)
        return content(Path(folder) / NAME)


def test_what_a_killed_process_leaves_is_whole(whole: Files, expected: Content) -> None:
    assert len(expected["decisions"]) == 31
    assert len(expected["open"]) == 16
    assert not is_refused(whole, expected)


@given(
    end=st.sampled_from(FILES),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1),
)
@settings(deadline=None, max_examples=150)
def test_changed_bytes_lose_nothing_or_are_refused(
    whole: Files, expected: Content, end: str, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(whole[end])
    for place, change in changes:
        data[int(place * len(data))] ^= change
    is_refused(whole | {end: bytes(data)}, expected)


@given(
    end=st.sampled_from(("", "-wal")),
    place=st.floats(0, 1, exclude_max=True),
    other=st.floats(0, 1, exclude_max=True) | st.none(),
)
@settings(deadline=None, max_examples=60)
def test_a_page_that_is_zero_or_another_ones_loses_nothing_or_is_refused(
    whole: Files, expected: Content, end: str, place: float, other: float | None
) -> None:
    data = bytearray(whole[end])
    pages = len(data) // PAGE
    at = int(place * pages) * PAGE
    take = None if other is None else int(other * pages) * PAGE
    data[at : at + PAGE] = bytes(PAGE) if take is None else whole[end][take : take + PAGE]
    is_refused(whole | {end: bytes(data)}, expected)


def test_a_log_cut_at_any_byte_is_refused(whole: Files, expected: Content) -> None:
    log = whole["-wal"]
    step = max(1, len(log) // 60)
    cuts = {*range(0, len(log), step), *range(len(log) - 4200, len(log), 131), len(log) - 1}
    for cut in sorted(cuts):
        assert is_refused(whole | {"-wal": log[:cut]}, expected), cut


def test_a_database_cut_at_any_byte_loses_nothing_or_is_refused(
    whole: Files, expected: Content
) -> None:
    data = whole[""]
    for cut in {*range(0, len(data), len(data) // 40), *range(len(data) - PAGE, len(data), 509)}:
        is_refused(whole | {"": data[:cut]}, expected)


def test_a_note_cut_at_any_byte_loses_nothing_or_is_refused(
    whole: Files, expected: Content
) -> None:
    for cut in range(0, 256, 9):
        is_refused(whole | {".tip": whole[".tip"][:cut]}, expected)


@pytest.mark.parametrize("end", ["", "-wal"])
def test_a_file_that_is_gone_is_refused(whole: Files, expected: Content, end: str) -> None:
    rest = {name: data for name, data in whole.items() if name != end}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        for name, data in rest.items():
            path.with_name(NAME + name).write_bytes(data)
        with pytest.raises(JournalError, match=r"lies beside it|its end is lost"):
            SqliteJournal.open(path)
        assert {n: path.with_name(NAME + n).read_bytes() for n in rest} == rest


@given(
    end=st.sampled_from(FILES),
    data=st.binary(max_size=2000)
    | st.sampled_from([empty_slot(), b"SQLite format 3\0" + bytes(4080), b"{}\n", bytes(PAGE)]),
)
@settings(deadline=None, max_examples=60)
def test_another_file_in_its_place_is_refused(
    whole: Files, expected: Content, end: str, data: bytes
) -> None:
    assert is_refused(whole | {end: data}, expected)


def test_an_older_copy_is_refused(whole: Files, expected: Content) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.write_bytes(whole[""])
        assert database.check(path, thorough=True) == database.SCHEMA_VERSION
        tip.place_of(path).write_bytes(whole[".tip"])
        with pytest.raises(JournalError, match="its end is lost"):
            database.check(path, thorough=True)
