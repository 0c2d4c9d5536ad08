import os
import random
import resource
import subprocess
import sys
from collections import deque
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.domain.action import RemoveMargin, Transfer
from bot.domain.intent import Execution, IntentState, Outcome, Settlement
from bot.domain.position import PositionKey, Side
from bot.errors import JournalError
from bot.journal.emergency import EmergencyJournal
from bot.journal.reserve import LOW, SLOTS, Reserve, ReserveExhausted
from bot.journal.slots import SLOT_BYTES
from bot.journal.sqlite import SqliteJournal
from bot.ports import Journal
from tests.kit.disks import fill
from tests.kit.records import BTC, NOON, a_record, a_request, an_intent

UNTIL_KILLED = Path(__file__).with_name("reserve_until_killed.py")
INTENTS = 1000
LATER = NOON + timedelta(seconds=1)
RANK = {state: rank for rank, state in enumerate(("written", "sent", "unknown", "applied"))}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.reserve"


def run_and_kill(path: Path, *, after_lines: int) -> dict[str, str]:
    """Return the last state acknowledged for each intent before the process was killed."""
    command = [sys.executable, str(UNTIL_KILLED), str(path), str(INTENTS)]
    said: deque[str] = deque()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - this interpreter and a file of this folder
        assert child.stdout is not None
        for _ in range(after_lines):
            said.append(child.stdout.readline())
        child.kill()
        said.extend(child.stdout.readlines())
    # A last line without its end was not acknowledged.
    return dict(line.split() for line in said if line.endswith("\n"))


def is_reached(found: str, acknowledged: str) -> bool:
    # Whoever is killed has said less than the disk has, in the last run as in those before.
    if found == acknowledged or (found, acknowledged) == ("dropped", "written"):
        return True
    return RANK.get(found, -1) > RANK.get(acknowledged, 9)


def test_a_thousand_emergencies_are_settled_on_a_full_disk_over_many_kills(
    small_disk: Path,
) -> None:
    path = small_disk / "journal.reserve"
    Reserve.open(path).close()
    fill(small_disk)
    chance = random.Random(7)  # noqa: S311 - the same kills in every run
    acknowledged: dict[str, str] = {}
    for _ in range(10):
        acknowledged |= run_and_kill(path, after_lines=chance.randrange(1, 380))
        with Reserve.open(path) as reserve:
            found = {kept.intent.id: kept.intent.state.value for kept in reserve.kept()}
        lost = {i: s for i, s in acknowledged.items() if not is_reached(found.get(i, ""), s)}
        assert lost == {}
    acknowledged |= run_and_kill(path, after_lines=5 * INTENTS)
    assert os.statvfs(small_disk).f_bavail == 0
    with Reserve.open(path) as reserve:
        kept = reserve.kept()
        assert (len(kept), reserve.free) == (INTENTS, SLOTS - INTENTS)
    assert [item.intent.id for item in kept] == [f"pl{number:06}" for number in range(INTENTS)]
    assert {item.intent.state.value for item in kept} <= {"applied", "dropped"}
    assert sum(item.intent.state is IntentState.APPLIED for item in kept) >= INTENTS - 11
    # A kill may fall between the disk and the word: what stands may be further than what was said.
    states = {item.intent.id: item.intent.state.value for item in kept}
    assert states.keys() == acknowledged.keys()
    assert {i: s for i, s in acknowledged.items() if not is_reached(states[i], s)} == {}


async def test_when_a_full_disk_stops_the_journal_the_reserve_takes_the_emergency(
    small_disk: Path,
) -> None:
    journal = SqliteJournal.open(small_disk / "journal.sqlite")
    with Reserve.open(small_disk / "journal.reserve") as reserve:
        fill(small_disk)
        with pytest.raises(JournalError, match="the disk is full"):
            await journal.record(a_record(), b"", [an_intent()])
        emergency: Journal = EmergencyJournal(reserve)
        await emergency.record(a_record(), b"", [an_intent()])
        await emergency.sent(an_intent().id, a_request(LATER))
        assert [i.state for i in await emergency.open_intents()] == [IntentState.SENT]
        done = Execution(intent_id=an_intent().id, outcome=Outcome.DONE, applied=Decimal(250))
        await emergency.conclude(done, LATER)
        assert [i.state for i in await emergency.open_intents()] == [IntentState.DONE]
        assert await emergency.last_inputs("main") is None
    await journal.close()


async def test_an_emergency_is_dropped_settled_and_refused_as_in_the_journal(path: Path) -> None:
    with Reserve.open(path) as reserve:
        emergency = EmergencyJournal(reserve)
        await emergency.record(a_record(), b"", [an_intent("pl1"), an_intent("pl2")])
        await emergency.drop("pl2", LATER, "an earlier action was not done")
        with pytest.raises(JournalError, match="must be written to become sent, was dropped"):
            await emergency.sent("pl2", a_request(LATER))
        await emergency.sent("pl1", a_request(LATER))
        with pytest.raises(JournalError, match="was sent"):
            await emergency.sent("pl1", a_request(LATER))
        with pytest.raises(JournalError, match="must be proven"):
            await emergency.settled(Settlement(intent_id="pl1", applied=None, text="-"), LATER)
        await emergency.give_up("pl1", LATER, "not settled within 300 s")
        await emergency.settled(Settlement(intent_id="pl1", applied=Decimal(0), text="no"), LATER)
        assert [item.intent.state for item in reserve.kept()] == ["absent", "dropped"]
        with pytest.raises(JournalError, match="must be in the reserve"):
            await emergency.sent("plnever", a_request(LATER))
        with pytest.raises(JournalError, match="cannot be written"):
            await emergency.record({}, b"", [])


def test_what_is_kept_comes_oldest_first_with_every_state_it_went_through(path: Path) -> None:
    with Reserve.open(path) as reserve:
        reserve.write([an_intent("plb")], sequence=4, reason="below_emergency")
        reserve.write([an_intent("plc")], sequence=5, reason="below_emergency")
        reserve.release("plb")
        reserve.write([an_intent("pla")], sequence=6, reason="below_emergency")
        reserve.sent("pla", a_request(LATER))
        rejected = Execution(intent_id="pla", outcome=Outcome.REJECTED, code="-2019", text="no")
        reserve.conclude(rejected, LATER)
    with Reserve.open(path) as reserve:
        first, second = reserve.kept()
    assert (first.intent.id, first.sequence) == ("plc", 5)
    assert (second.intent.id, second.sequence, second.reason) == ("pla", 6, "below_emergency")
    assert [step.state for step in second.steps] == ["written", "sent", "rejected"]
    assert (second.steps[-1].code, second.steps[-1].text) == ("-2019", "no")


def test_a_full_reserve_refuses_with_its_code_and_takes_more_after_an_import(path: Path) -> None:
    with Reserve.open(path) as reserve:
        for number in range(SLOTS - 1):
            reserve.write([an_intent(f"pl{number}")], sequence=1, reason="")
            assert reserve.is_low is (SLOTS - 1 - number < LOW)
        with pytest.raises(ReserveExhausted, match="has 1 of 1024 slots free, needs 2") as caught:
            reserve.write([an_intent("plx"), an_intent("ply")], sequence=1, reason="")
        assert caught.value.code == "reserve_exhausted"
        reserve.write([an_intent("plx")], sequence=1, reason="")
        assert reserve.free == 0
        for kept in reserve.kept():
            reserve.release(kept.intent.id)
        assert reserve.free == SLOTS


@pytest.mark.parametrize(
    "action",
    [
        RemoveMargin(key=PositionKey(BTC, Side.LONG), amount=Decimal(1), currency="USDT"),
        Transfer(source="spot", destination="futures", amount=Decimal(1), currency="USDT"),
    ],
    ids=["remove margin", "transfer"],
)
def test_nothing_but_protection_is_sent_without_the_journal(
    path: Path, action: RemoveMargin | Transfer
) -> None:
    with Reserve.open(path) as reserve:
        with pytest.raises(JournalError, match="must add margin or reduce"):
            reserve.write(
                [an_intent("pl1"), an_intent("pl2", action=action)], sequence=1, reason=""
            )
        assert reserve.kept() == ()


def test_an_id_is_used_once(path: Path) -> None:
    with Reserve.open(path) as reserve:
        reserve.write([an_intent("pl1")], sequence=1, reason="")
        for ids in (["pl1"], ["pl2", "pl2"]):
            with pytest.raises(JournalError, match="was used before"):
                reserve.write([an_intent(name) for name in ids], sequence=1, reason="")


def test_an_intent_too_long_for_a_slot_is_refused_before_anything_is_sent(path: Path) -> None:
    noise = random.Random(1).randbytes(700).hex()  # noqa: S311 - what does not compress
    with Reserve.open(path) as reserve:
        with pytest.raises(JournalError, match="must fit 670 bytes"):
            reserve.write([an_intent(decision_id=noise)], sequence=1, reason="")
        assert reserve.free == SLOTS


def test_it_is_written_full_when_it_is_made(path: Path) -> None:
    Reserve.open(path).close()
    status = path.stat()
    assert status.st_size == SLOTS * SLOT_BYTES == 2 * 1024 * 1024
    assert status.st_blocks * 512 >= status.st_size
    assert status.st_mode & 0o777 == 0o600


def test_a_second_opener_is_refused(path: Path) -> None:
    with Reserve.open(path), pytest.raises(JournalError, match="in use by another process"):
        Reserve.open(path)
    with Reserve.open(path) as reserve:
        assert reserve.warning is None or "copies on write" in reserve.warning


def _hole(path: Path) -> None:
    content = path.read_bytes()
    with path.open("wb") as file:
        file.truncate(len(content))


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        pytest.param(lambda p: p.write_bytes(p.read_bytes()[:-1]), "must have", id="truncated"),
        pytest.param(lambda p: p.write_bytes(p.read_bytes() + b"x"), "must have", id="longer"),
        pytest.param(lambda p: p.write_bytes(b""), "must have", id="empty"),
        pytest.param(_hole, "must own", id="holes"),
        pytest.param(
            lambda p: p.write_bytes(bytes(SLOT_BYTES) + p.read_bytes()[SLOT_BYTES:]),
            "damaged in slot 0",
            id="a slot is gone",
        ),
        pytest.param(lambda p: (p.unlink(), p.mkdir()), "directory", id="a directory"),
    ],
)
def test_a_reserve_that_cannot_be_trusted_is_named_and_left_as_it_is(
    path: Path, damage: object, advice: str
) -> None:
    Reserve.open(path).close()
    assert callable(damage)
    damage(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JournalError, match=advice):
        Reserve.open(path)
    assert before == (path.read_bytes() if path.is_file() else None)


def test_an_impossible_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "reserve", Path("/proc/self/reserve")):
        with pytest.raises(JournalError, match="check the path"):
            Reserve.open(place)


def test_a_disk_without_room_for_it_is_refused_and_nothing_remains(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(JournalError, match="File too large"):
            Reserve.open(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(path.parent.iterdir()) == []


def test_after_an_error_of_the_disk_nothing_more_is_taken(path: Path) -> None:
    reserve = Reserve.open(path)
    reserve.write([an_intent("pl1")], sequence=1, reason="")
    os.close(reserve._file._fd)
    with pytest.raises(JournalError, match="Bad file descriptor"):
        reserve.sent("pl1", a_request(LATER))
    with pytest.raises(JournalError, match="since an earlier failure"):
        reserve.write([an_intent("pl2")], sequence=1, reason="")
    reserve._file._fd = -1
    with Reserve.open(path) as again:
        assert [intent.state for intent in again.open_intents()] == [IntentState.WRITTEN]
    reserve.close()
    with pytest.raises(JournalError, match="earlier failure"):
        reserve.sent("pl1", a_request(LATER))
