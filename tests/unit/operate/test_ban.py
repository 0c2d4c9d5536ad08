from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.operate.ban import FILE_NAME, LONGEST, FileBanNote

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Wall:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


def test_a_ban_is_known_to_the_next_run_until_it_is_over(tmp_path: Path) -> None:
    wall = Wall()
    FileBanNote(tmp_path / FILE_NAME, wall.now).write(120, "HTTP 418")
    wall.at += timedelta(seconds=50)
    assert FileBanNote(tmp_path / FILE_NAME, wall.now).left() == (
        70.0,
        "HTTP 418, noted by an earlier run",
    )
    wall.at += timedelta(seconds=71)
    assert FileBanNote(tmp_path / FILE_NAME, wall.now).left() == (0.0, "")


def test_a_later_ban_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    note = FileBanNote(tmp_path / FILE_NAME, Wall().now)
    note.write(60, "one")
    note.write(600, "two")
    assert note.left()[0] == 600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b"{", b'{"until": 5, "why": ""}', b'{"until": "soon", "why": ""}',
        b'{"why": ""}', b'{"until": "2026-01-05T13:00:00", "why": ""}', b"\xff",
    ],
)  # fmt: skip
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert FileBanNote(tmp_path / FILE_NAME, Wall().now).left() == (0.0, "")


def test_a_clock_that_was_set_back_does_not_keep_the_bot_out_for_years(tmp_path: Path) -> None:
    wall = Wall()
    note = FileBanNote(tmp_path / FILE_NAME, wall.now)
    note.write(60, "HTTP 418")
    wall.at -= LONGEST
    assert note.left() == (0.0, "")


def test_a_note_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    note = FileBanNote(tmp_path / "nowhere" / FILE_NAME, Wall().now)
    note.write(60, "HTTP 418")
    assert note.left() == (0.0, "")
