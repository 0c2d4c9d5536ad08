import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.switch import Pause
from bot.operate.switches import KILL_LATCH, PAUSE_LATCH, FileSwitchboard, seen_in

CONTENT = st.one_of(st.binary(max_size=4), st.binary(min_size=4000, max_size=5000))


def found(name: str, content: bytes | None) -> tuple[bool, Pause]:
    """Return killed and pause as the next start and every reader find them."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        with FileSwitchboard(state):
            pass
        if content is None:
            (state / name).unlink()
        else:
            (state / name).write_bytes(content)
        read = seen_in(state)
        with FileSwitchboard(state) as board:
            started = board.state
        assert (read.killed, read.pause) == (started.killed, started.pause)
        return started.killed, started.pause


@given(st.one_of(st.none(), CONTENT))
def test_whatever_the_latch_of_kill_holds_only_its_own_byte_lets_the_bot_write(
    content: bytes | None,
) -> None:
    killed, _ = found(KILL_LATCH, content)
    assert killed or content == calm(KILL_LATCH)


@given(CONTENT)
def test_whatever_the_latch_of_pause_holds_only_its_own_byte_means_no_pause(
    content: bytes,
) -> None:
    killed, pause = found(PAUSE_LATCH, content)
    assert killed or pause is not Pause.NONE or content == calm(PAUSE_LATCH)


def calm(name: str) -> bytes:
    """Return what a latch holds when nobody switched anything."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        with FileSwitchboard(state):
            return (state / name).read_bytes()
