import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.mode import Mode
from bot.domain.switch import Pause, Switches
from bot.errors import JournalError
from bot.operate.latch import Latch
from bot.operate.switches import (
    KILL_FILE,
    KILL_LATCH,
    PAUSE_LATCH,
    FileSwitchboard,
    _find,
    kill_in,
    seen_in,
)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def board(state_dir: Path) -> Iterator[FileSwitchboard]:
    with FileSwitchboard(state_dir) as board:
        yield board


def restarted(state_dir: Path) -> Switches:
    """What the next start finds."""
    with FileSwitchboard(state_dir) as board:
        return board.state


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end


def test_a_first_start_switches_nothing_and_takes_the_room_it_will_need(
    board: FileSwitchboard, state_dir: Path
) -> None:
    assert board.state.allows("transfer", mode=Mode.NORMAL)
    assert (board.state.killed, board.state.why, board.state.since) == (False, "", None)
    assert {entry.name: entry.read_bytes() for entry in state_dir.iterdir()} == {
        KILL_LATCH: b"-",
        PAUSE_LATCH: b"-",
    }


def test_a_kill_overwrites_one_byte_in_place_and_survives_a_restart(
    board: FileSwitchboard, state_dir: Path
) -> None:
    before = (state_dir / KILL_LATCH).stat()
    board.kill("an operator")
    after = (state_dir / KILL_LATCH).stat()
    assert (before.st_ino, before.st_size, after.st_size) == (after.st_ino, 1, 1)
    assert (board.state.killed, board.state.why) == (True, "an operator")
    found = restarted(state_dir)
    assert (found.killed, found.why) == (True, "latched on disk")
    assert found.since is not None
    assert abs(found.since - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_kill_is_in_memory_before_the_disk_is_asked(
    board: FileSwitchboard, state_dir: Path
) -> None:
    # The disk hangs: whoever holds its lock never comes back.
    with board._disk:
        killer = threading.Thread(target=board.kill)
        killer.start()
        until(lambda: board.state.killed)
        assert (state_dir / KILL_LATCH).read_bytes() == b"-"
    killer.join()
    assert (state_dir / KILL_LATCH).read_bytes() == b"K"


def test_a_kill_that_waits_for_the_disk_outlives_a_rearm_that_holds_it(
    board: FileSwitchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Latch.write
    killers: list[threading.Thread] = []

    def kill_meanwhile(latch: Latch, byte: bytes) -> None:
        write(latch, byte)
        if byte == b"-":
            killers.append(threading.Thread(target=board.kill))
            killers[0].start()
            until(lambda: board.state.killed)

    monkeypatch.setattr(Latch, "write", kill_meanwhile)
    board.rearm()
    assert board.state.killed
    killers[0].join()
    board.look()
    assert board.state.killed


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda path: path.touch(), id="an empty file"),
        pytest.param(lambda path: path.write_text("stop, now"), id="a file with a reason"),
        pytest.param(lambda path: path.mkdir(), id="a folder"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link to nothing"),
    ],
)
def test_whatever_is_named_kill_kills_and_is_latched_when_seen(
    board: FileSwitchboard, state_dir: Path, ask: Callable[[Path], None]
) -> None:
    ask(state_dir / KILL_FILE)
    assert seen_in(state_dir).killed
    board.look()
    assert board.state.killed
    assert str(state_dir / KILL_FILE) in board.state.why
    assert (state_dir / KILL_LATCH).read_bytes() == b"K"


def test_removing_the_file_kill_takes_nothing_back(board: FileSwitchboard, state_dir: Path) -> None:
    (state_dir / KILL_FILE).touch()
    board.look()
    (state_dir / KILL_FILE).unlink()
    board.look()
    assert board.state.killed
    assert restarted(state_dir).killed


def test_rearm_removes_the_file_kill_and_allows_again(
    board: FileSwitchboard, state_dir: Path
) -> None:
    (state_dir / KILL_FILE).touch()
    board.look()
    with FileSwitchboard(state_dir) as person:
        person.rearm()
    board.look()
    assert board.state.allows("add_margin")
    assert not (state_dir / KILL_FILE).exists()
    assert not restarted(state_dir).killed


def test_a_rearm_that_cannot_remove_the_file_kill_changes_nothing(
    board: FileSwitchboard, state_dir: Path
) -> None:
    (state_dir / KILL_FILE).mkdir()
    board.look()
    with pytest.raises(JournalError, match="stay killed"):
        board.rearm()
    assert board.state.killed
    assert (state_dir / KILL_LATCH).read_bytes() == b"K"


def _remove(path: Path) -> None:
    path.unlink()


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE = [
    pytest.param(lambda path: path.write_bytes(b""), "held b''", id="empty"),
    pytest.param(lambda path: path.write_bytes(b"\0"), "held b'\\x00'", id="a zero"),
    pytest.param(lambda path: path.write_bytes(b"--"), "held b'--'", id="two bytes"),
    pytest.param(_remove, "No such file", id="gone"),
    pytest.param(_replace_by_folder, "Illegal seek|Is a directory", id="a folder"),
    pytest.param(_replace_by_pipe, "Illegal seek", id="a pipe"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE)
def test_a_latch_that_cannot_be_believed_counts_as_killed_and_says_what_is_wrong(
    board: FileSwitchboard, state_dir: Path, damage: Callable[[Path], object], says: str
) -> None:
    damage(state_dir / KILL_LATCH)
    board.look()
    first = board.state
    assert first.killed
    assert any(part in first.why for part in says.split("|"))
    assert str(state_dir / KILL_LATCH) in first.why
    board.look()
    assert board.state == first


@pytest.mark.parametrize(("damage", "says"), DAMAGE)
def test_a_pause_that_cannot_be_believed_counts_as_pause_all(
    board: FileSwitchboard, state_dir: Path, damage: Callable[[Path], object], says: str
) -> None:
    damage(state_dir / PAUSE_LATCH)
    board.look()
    assert (board.state.killed, board.state.pause) == (False, Pause.ALL)
    assert any(part in board.state.why for part in says.split("|"))


@pytest.mark.parametrize(("damage", "says"), DAMAGE[:4])
def test_rearm_and_resume_mend_what_was_damaged(
    board: FileSwitchboard, state_dir: Path, damage: Callable[[Path], object], says: str
) -> None:
    del says
    damage(state_dir / KILL_LATCH)
    damage(state_dir / PAUSE_LATCH)
    board.look()
    with FileSwitchboard(state_dir) as person:
        person.rearm()
        person.resume()
    board.look()
    assert board.state.allows("transfer")
    assert seen_in(state_dir).allows("transfer")
    assert (state_dir / KILL_LATCH).read_bytes() == b"-"


@pytest.mark.parametrize("name", [KILL_LATCH, PAUSE_LATCH])
def test_a_switch_that_somebody_removed_is_not_made_anew_by_a_start(
    board: FileSwitchboard, state_dir: Path, name: str
) -> None:
    (state_dir / name).unlink()
    for found in (restarted(state_dir), seen_in(state_dir)):
        assert not found.allows("add_margin")
        assert str(state_dir / name) in found.why
    board.rearm()
    board.resume()
    assert restarted(state_dir).allows("transfer")


def test_a_kill_outlives_the_loss_of_its_latch(board: FileSwitchboard, state_dir: Path) -> None:
    board.kill()
    (state_dir / KILL_LATCH).unlink()
    board.look()
    (state_dir / KILL_LATCH).write_bytes(b"-")  # no rearm: a copy from a backup
    board.look()
    assert board.state.killed
    assert (state_dir / KILL_LATCH).read_bytes() == b"K"


def test_a_kill_that_waits_behind_another_outlives_a_look_that_finds_a_rearm(
    board: FileSwitchboard, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Latch.write

    def look_before(latch: Latch, byte: bytes) -> None:
        board._is_latched = True  # as the kill before it leaves it
        board._take_over(_find(state_dir / KILL_FILE, board._latch, board._level))
        assert board._killed is not None
        write(latch, byte)

    monkeypatch.setattr(Latch, "write", look_before)
    board.kill()
    assert board.state.killed


def test_a_kill_whose_latch_cannot_be_written_leaves_the_file_kill(
    board: FileSwitchboard, state_dir: Path
) -> None:
    _replace_by_folder(state_dir / KILL_LATCH)
    board.kill()
    assert (state_dir / KILL_FILE).exists()
    assert board.state.killed


def test_a_kill_that_no_disk_takes_says_so_and_holds_until_it_is_written(
    board: FileSwitchboard, state_dir: Path, tmp_path: Path
) -> None:
    aside = tmp_path / "aside"
    state_dir.rename(aside)
    with pytest.raises(JournalError, match="did not take the kill"):
        board.kill()
    assert board.state.killed
    aside.rename(state_dir)
    assert (state_dir / KILL_LATCH).read_bytes() == b"-"
    board.look()
    assert board.state.killed
    assert (state_dir / KILL_LATCH).read_bytes() == b"K"


def test_a_pause_that_no_disk_takes_says_so_and_holds_until_it_is_written(
    board: FileSwitchboard, state_dir: Path, tmp_path: Path
) -> None:
    aside = tmp_path / "aside"
    state_dir.rename(aside)
    with pytest.raises(JournalError, match="did not take pause optional"):
        board.pause()
    board.look()
    assert not board.state.allows("transfer")
    aside.rename(state_dir)
    board.look()
    assert (board.state.killed, board.state.pause) == (False, Pause.OPTIONAL)
    assert seen_in(state_dir).pause is Pause.OPTIONAL


def test_a_pause_forbids_at_once_and_survives_a_restart(
    board: FileSwitchboard, state_dir: Path
) -> None:
    board.pause(why="an operator")
    assert board.state.allows("add_margin")
    assert not board.state.allows("transfer")
    assert board.state.why == "an operator"
    board.pause(Pause.ALL)
    assert not restarted(state_dir).allows("add_margin")
    board.pause(Pause.OPTIONAL)
    assert restarted(state_dir).allows("add_margin")
    board.resume()
    assert restarted(state_dir).allows("transfer")


def test_resume_lifts_a_pause_but_no_kill(board: FileSwitchboard) -> None:
    board.pause(Pause.ALL)
    board.kill()
    board.resume()
    assert (board.state.killed, board.state.pause) == (True, Pause.NONE)


def test_a_pause_must_pause_something(board: FileSwitchboard) -> None:
    with pytest.raises(ValueError, match="resume"):
        board.pause(Pause.NONE)


def test_a_resume_of_another_process_is_seen_also_when_nothing_was_paused(
    board: FileSwitchboard, state_dir: Path
) -> None:
    before = board.state.resumed_at
    os.utime(state_dir / PAUSE_LATCH, (0, 0))
    board.look()
    reset = board.state.resumed_at
    with FileSwitchboard(state_dir) as person:
        person.resume()
    board.look()
    assert len({before, reset, board.state.resumed_at}) == 3
    again = board.state.resumed_at
    board.look()
    assert board.state.resumed_at == again


def test_a_resume_in_this_process_counts_once(board: FileSwitchboard) -> None:
    board.resume()
    resumed_at = board.state.resumed_at
    board.look()
    assert board.state.resumed_at == resumed_at


def test_the_state_is_read_without_any_file(board: FileSwitchboard, state_dir: Path) -> None:
    board.kill()
    for entry in state_dir.iterdir():
        entry.unlink()
    state_dir.rmdir()
    assert board.state.killed


def test_doubt_ends_with_the_next_look_that_succeeds(
    board: FileSwitchboard, state_dir: Path
) -> None:
    board.distrust("the watch thread failed")
    assert not board.state.allows("add_margin")
    assert not restarted(state_dir).killed
    board.look()
    assert board.state.allows("add_margin")


def test_a_kill_from_outside_uses_whatever_the_disk_still_takes(tmp_path: Path) -> None:
    (tmp_path / f"{KILL_LATCH}.{os.getpid()}.new").mkdir()  # the latch cannot be made
    kill_in(tmp_path, "an operator")
    assert seen_in(tmp_path).killed


def test_a_kill_that_reached_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="to kill by hand: touch"):
        kill_in(tmp_path / "file", "an operator")


def test_whoever_only_looks_makes_nothing(tmp_path: Path) -> None:
    assert seen_in(tmp_path) == Switches()
    assert list(tmp_path.iterdir()) == []


def test_a_latch_is_made_once_and_never_over_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "latch"
    Latch(path, values=b"-K").make(b"K")
    Latch(path, values=b"-K").make(b"-")
    assert path.read_bytes() == b"K"
    assert [entry.name for entry in tmp_path.iterdir()] == ["latch"]


def test_a_latch_is_not_made_over_a_kill_of_the_same_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "latch"
    sync = os.fsync

    def kill_meanwhile(fd: int) -> None:
        if not path.exists():
            path.write_bytes(b"K")
        sync(fd)

    monkeypatch.setattr(os, "fsync", kill_meanwhile)
    Latch(path, values=b"-K").make(b"-")
    assert path.read_bytes() == b"K"


def test_a_latch_put_in_the_place_of_another_is_the_one_that_counts(tmp_path: Path) -> None:
    latch = Latch(tmp_path / "latch", values=b"-K")
    latch.make(b"-")
    assert latch.read().byte == b"-"
    newer = tmp_path / "newer"
    newer.write_bytes(b"K")
    newer.rename(latch.path)
    assert latch.read().byte == b"K"
    latch.write(b"-")
    assert latch.path.read_bytes() == b"-"
    latch.close()


def test_a_latch_written_beyond_the_calendar_still_says_its_byte(tmp_path: Path) -> None:
    latch = Latch(tmp_path / "latch", values=b"-K")
    latch.make(b"K")
    os.utime(latch.path, (1e12, 1e12))
    assert latch.read().byte == b"K"
    latch.close()


def test_a_place_that_takes_no_switches_is_named_with_a_way_to_kill(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"cannot be made .*touch .*file/kill"):
        FileSwitchboard(tmp_path / "file")
