"""A full disk must not end protection, and what was done without the journal comes back to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap.recall import memory_before
from bot.bootstrap.storage import adopt, opened_or_lost, reserve_of, writable
from bot.domain.action import AddMargin
from bot.domain.intent import Execution, IntentState, Outcome
from bot.domain.lease import Claim, Lease
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.errors import JournalError, JournalLost
from bot.execute.bookkeeper import Bookkeeper
from bot.execute.facts import KINDS
from bot.execute.fingerprint import Fingerprints
from bot.journal.failover import FailoverJournal
from bot.journal.queries import JournalReader
from bot.journal.reserve import LOW, SLOTS, Reserve
from bot.journal.sqlite import SqliteJournal
from bot.loop import Identity, Ids, Loop
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory, amount_of
from bot.schemas import encode
from tests.kit.builders import ETH, LEVELS, a_policy, a_position, an_observation, choose
from tests.kit.disks import fill, only_reading
from tests.kit.fakes import Collected, FakeAuthority, FakeClock, FakeSwitches, FakeVenue
from tests.kit.ledger_world import WRITER
from tests.kit.records import NOON, a_record, a_request, an_intent

ENDANGERED = an_observation(a_position(margin="2000"), futures="9000", spot="9000")
BELOW_TRIGGER = an_observation(a_position(margin="5000"), futures="9000", spot="9000")


def a_loop(
    journal: FailoverJournal,
    names: SqliteJournal,
    seen: Collected,
    *,
    observation: Observation = ENDANGERED,
    resident_stops: bool = False,
    memory: Memory | None = None,
    strategy: str = "strategies.liquidation_buffer:LiquidationBuffer",
) -> tuple[Loop, FakeVenue, FakeClock]:
    policy = a_policy(resident_stops=resident_stops)
    clock, switches = FakeClock(), FakeSwitches()
    venue = FakeVenue(observation, clock)
    loop = Loop(
        venue=venue,
        journal=journal,
        clock=clock,
        sinks=[seen],
        choose=choose,
        policy=policy,
        identity=Identity(account="main", config_hash="abc", strategy="x:Y"),
        ids=Ids(decision=names.ids.decision, intent=names.ids.intent),
        fingerprints=Fingerprints(step=D("0.00001"), epoch=names.ids.epoch),
        switchboard=switches,
        watchdog=switches,
        supported=KINDS,
        authority=FakeAuthority(),
        bookkeeper=Bookkeeper(venue=venue, clock=clock, writer=WRITER),
        encode=lambda observation, memory: encode(
            Inputs(
                observation=observation,
                memory=memory,
                policy=policy,
                strategy=strategy,
                strategy_settings=tuple((name, str(v)) for name, v in asdict(LEVELS).items()),
            )
        ),
        clean=lambda record: record,
        memory=memory or Memory(),
        first_sequence=names.next_seq,
        fallback=journal,
    )
    return loop, venue, clock


async def test_on_a_full_disk_protection_goes_on_and_the_next_start_knows_of_it(
    small_disk: Path,
) -> None:
    path, seen = small_disk / "journal.sqlite", Collected()
    sqlite = SqliteJournal.open(path)
    with Reserve.open(reserve_of(path)) as reserve:
        loop, venue, clock = a_loop(FailoverJournal(sqlite, reserve), sqlite, seen)
        fill(small_disk)
        await loop.poll()  # the journal fails under it: nothing leaves
        assert venue.sent == []
        assert [alarm.code for alarm in seen.alarms] == ["journal_unwritable"]
        clock.advance(1)
        decision = await loop.poll()
        assert decision.mode is Mode.DEGRADED
        (sent,) = venue.sent
        (kept,) = reserve.kept()
        assert (kept.intent.id, kept.intent.state) == (sent.id, IntentState.DONE)
    await sqlite.close()

    (small_disk / "other.log").unlink()
    async with SqliteJournal.open(path) as again:
        with Reserve.open(reserve_of(path)) as reserve:
            await adopt(again, reserve)
            await adopt(again, reserve)
            assert reserve.kept() == ()
        followed = await again.open_intents()
        assert [(i.id, i.state, i.action) for i in followed] == [
            (sent.id, IntentState.DONE, sent.action)
        ]
    with JournalReader.open(path) as reader:
        assert reader.decision(sent.id) is not None


async def a_claim(look: Callable[[], Lease | None]) -> Claim:
    return Claim(holder="here", name="a test", at=NOON, unless_changed=look())


async def a_start(path: Path, seen: Collected, *, polls: int, sends: bool) -> tuple[set[str], Mode]:
    """Start as the bot does, poll, and end; return the ids that were sent, and the last mode."""
    async with AsyncExitStack() as stack:
        journal, reserve = await writable(path, opened_or_lost(path, stack), stack, claim=a_claim)
        loop, venue, clock = a_loop(
            FailoverJournal(journal, reserve),
            journal,
            seen,
            # This venue forgets each run, the books do not: there is enough for all of them.
            observation=an_observation(a_position(margin="2000"), futures="90000"),
            memory=memory_before(path, "main", reserve),
        )
        clock.advance(90 * journal.ids.epoch)  # what was sent before is not the same any more
        if not sends:
            venue.observation = an_observation(futures="9000", spot="9000")
        await loop.recover()
        for _ in range(polls):
            decision = await loop.poll()
            clock.advance(1)
        return {intent.id for intent in venue.sent}, decision.mode


async def test_a_start_on_a_full_disk_protects_and_the_first_with_room_imports_it_all(
    small_disk: Path,
) -> None:
    path, seen = small_disk / "journal.sqlite", Collected()
    earlier, _ = await a_start(path, seen, polls=1, sends=True)
    assert len(earlier) == 1
    fill(small_disk)
    ids: list[set[str]] = []
    for n in range(1, 4):
        sent, mode = await a_start(path, seen, polls=2, sends=True)
        ids.append(sent)
        assert mode is Mode.DEGRADED
        assert len(sent) == 1
        assert [alarm.code for alarm in seen.alarms] == ["journal_unwritable"] * n
    given = set().union(earlier, *ids)
    assert len(given) == 4  # no name is given twice

    (small_disk / "other.log").unlink()
    more, mode = await a_start(path, seen, polls=1, sends=True)
    assert mode is Mode.NORMAL
    assert not more & given
    with JournalReader.open(path) as reader:
        assert {item.intent.id for item in reader.actions()} == given | more
    with Reserve.open(reserve_of(path)) as reserve:
        assert reserve.kept() == ()
        memory = memory_before(path, "main", reserve)
    assert len(memory.moves) == len(given | more)  # no start refills a budget


async def test_a_start_remembers_the_run_before_although_its_strategy_is_gone(
    tmp_path: Path,
) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    async with SqliteJournal.open(path) as journal:
        with Reserve.open(reserve_of(path)) as reserve:
            failover = FailoverJournal(journal, reserve)
            loop, venue, _ = a_loop(failover, journal, seen, strategy=f"{tmp_path}/moved.py:Mine")
            await loop.poll()
            (sent,) = venue.sent
    memory = memory_before(path, "main", None)
    assert [move.action for move in memory.moves] == [sent.action]
    assert isinstance(sent.action, AddMargin)
    assert [entry.added for entry in memory.keys] == [sent.action.amount]


async def test_a_start_on_a_full_disk_without_a_reserve_only_looks_on(small_disk: Path) -> None:
    path, seen = small_disk / "journal.sqlite", Collected()
    await a_start(path, seen, polls=1, sends=False)
    reserve_of(path).unlink()
    fill(small_disk)
    sent, mode = await a_start(path, seen, polls=3, sends=True)
    assert (sent, mode) == (set(), Mode.OBSERVE)
    assert [alarm.code for alarm in seen.alarms] == ["reserve_unwritable"]


async def test_a_start_on_a_read_only_disk_only_looks_on(small_disk: Path) -> None:
    path, seen = small_disk / "journal.sqlite", Collected()
    await a_start(path, seen, polls=1, sends=False)
    only_reading(small_disk)
    sent, mode = await a_start(path, seen, polls=3, sends=True)
    assert (sent, mode) == (set(), Mode.OBSERVE)
    assert [alarm.code for alarm in seen.alarms] == ["reserve_unwritable"]


async def test_a_reserve_that_fails_as_well_leaves_the_bot_looking_on(tmp_path: Path) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    async with failing_at(path, "record") as disk:
        loop, venue, clock = a_loop(disk.journal, disk.sqlite, seen)
        await loop.poll()
        disk.reserve._file.close()
        for _ in range(3):
            clock.advance(1)
            decision = await loop.poll()
        assert venue.sent == []
        assert decision.mode is Mode.OBSERVE
    assert [alarm.code for alarm in seen.alarms] == ["journal_unwritable", "reserve_unwritable"]


async def test_a_position_below_its_trigger_waits_for_the_journal(tmp_path: Path) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    async with failing_at(path, "record") as disk:
        loop, venue, clock = a_loop(disk.journal, disk.sqlite, seen, observation=BELOW_TRIGGER)
        for _ in range(3):
            decision = await loop.poll()
            clock.advance(1)
        assert venue.sent == []
        assert disk.reserve.kept() == ()  # it takes no slot from an emergency
        assert decision.reason == "journal_unwritable"


async def test_a_reserve_that_fills_up_is_told_once_per_fall(tmp_path: Path) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    async with failing_at(path, "record", slots=LOW) as disk:
        loop, venue, clock = a_loop(disk.journal, disk.sqlite, seen)
        codes = []
        for n in range(5):
            await loop.poll()
            clock.advance(1)
            codes = [alarm.code for alarm in seen.alarms]
            assert codes.count("reserve_low") == (1 if venue.sent else 0), n
            assert disk.journal.slots_for("another") == LOW - len(venue.sent)
        (sent,) = venue.sent
        assert disk.journal.slots_for(sent.id) == LOW
        assert codes == ["journal_unwritable", "reserve_low"]


async def test_a_crash_between_import_and_release_imports_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Reserve.open(reserve_of(path)) as reserve:
        reserve.write([an_intent("pl1", "d1"), an_intent("pl2", "d1")], sequence=7, reason="x")
        reserve.sent("pl1", a_request(NOON))
        for _ in range(2):
            async with SqliteJournal.open(path) as journal:
                for reserved in reserve.kept():
                    await journal.adopt(reserved)  # and dies before the slot is freed
        async with SqliteJournal.open(path) as journal:
            await adopt(journal, reserve)
            assert [(i.id, i.state.value) for i in await journal.open_intents()] == [
                ("pl1", "sent"),
                ("pl2", "written"),
            ]
            assert journal.next_seq == 8
        assert reserve.kept() == ()


class Full:
    """A journal whose disk fails at one step."""

    def __init__(self, journal: SqliteJournal, *, fails: str) -> None:
        self._journal, self._fails = journal, fails

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == self._fails:

            async def fail(*_: Any) -> None:
                raise JournalLost("the disk is full")

            return fail
        found: Callable[..., Any] = getattr(self._journal, name)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A journal whose disk fails at a step, its reserve, and what stands before both."""

    sqlite: SqliteJournal
    reserve: Reserve
    journal: FailoverJournal


@asynccontextmanager
async def failing_at(path: Path, step: str, *, slots: int = SLOTS) -> AsyncIterator[Failing]:
    async with SqliteJournal.open(path) as sqlite:
        with Reserve.open(reserve_of(path), slots=slots) as reserve:
            failing: Any = Full(sqlite, fails=step)
            yield Failing(sqlite=sqlite, reserve=reserve, journal=FailoverJournal(failing, reserve))


@pytest.mark.parametrize("step", ["record", "sent"])
async def test_nothing_leaves_of_an_intent_that_the_failing_journal_holds(
    tmp_path: Path, step: str
) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    async with failing_at(path, step) as disk:
        loop, venue, clock = a_loop(disk.journal, disk.sqlite, seen)
        await loop.poll()
        assert venue.sent == []
        for _ in range(2):
            clock.advance(1)
            await loop.poll()
        assert [alarm.code for alarm in seen.alarms] == ["journal_unwritable"]
        (sent,) = venue.sent
        assert [item.intent.id for item in disk.reserve.kept()] == [sent.id]


async def test_what_came_of_a_send_is_not_lost_when_only_its_answer_cannot_be_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite"
    async with failing_at(path, "conclude") as disk:
        await disk.journal.record(a_record(), b"", [an_intent()])
        await disk.journal.sent(an_intent().id, a_request(NOON))
        done = Execution(intent_id=an_intent().id, outcome=Outcome.DONE, applied=D(250))
        await disk.journal.conclude(done, NOON)
        assert disk.journal.lost
    async with SqliteJournal.open(path) as again:
        (found,) = await again.open_intents()
        assert found.state is IntentState.SENT  # so the next start looks for it


async def test_the_rest_of_a_plan_that_the_failing_journal_holds_is_dropped_and_decided_anew(
    tmp_path: Path,
) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    eth = a_position(ETH, size="10", entry="3000", mark="3000", margin="1000")
    both = an_observation(a_position(margin="2000"), eth, futures="20000")
    async with failing_at(path, "conclude") as disk:
        loop, venue, clock = a_loop(disk.journal, disk.sqlite, seen, observation=both)
        await loop.poll()
        (first,) = venue.sent
        for _ in range(2):
            clock.advance(1)
            await loop.poll()
        assert [i.action.key for i in venue.sent] != [first.action.key] * 2  # type: ignore[union-attr]  # adds
        assert len(venue.sent) == 2
        (kept,) = disk.reserve.kept()
        assert kept.intent.id == venue.sent[1].id


async def test_a_position_without_a_stop_does_not_end_protection_when_the_journal_is_lost(
    tmp_path: Path,
) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    async with failing_at(path, "record") as disk:
        loop, venue, clock = a_loop(disk.journal, disk.sqlite, seen, resident_stops=True)
        for _ in range(3):
            await loop.poll()
            clock.advance(1)
        assert {intent.action.kind for intent in venue.sent} == {"add_margin"}


@pytest.mark.parametrize("step", ["settled", "doubt"])
async def test_a_disk_that_fails_while_a_move_is_read_back_does_not_end_protection(
    tmp_path: Path, step: str
) -> None:
    path, seen = tmp_path / "journal.sqlite", Collected()
    async with failing_at(path, step) as disk:
        loop, venue, clock = a_loop(disk.journal, disk.sqlite, seen)
        await loop.poll()
        (first,) = venue.sent
        venue.evidence[first.id] = amount_of(first.action) if step == "settled" else D(0)
        for _ in range(3):
            clock.advance(8)
            await loop.poll()
        assert "journal_unwritable" in [alarm.code for alarm in seen.alarms]
        venue.observation = ENDANGERED
        clock.advance(8)
        decision = await loop.poll()
        assert decision.mode is Mode.DEGRADED
    async with SqliteJournal.open(path) as again:
        (found,) = (i for i in await again.open_intents() if i.id == first.id)
        assert found.state is IntentState.DONE  # so the next start reads it back


async def test_without_the_journal_only_what_protects_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    async with failing_at(path, "record") as disk:
        with pytest.raises(JournalLost):
            await disk.journal.record(a_record(), b"", [])
        await disk.journal.record(a_record(), b"", [])
        assert disk.journal.unrecorded == 1
        moved = an_intent("pl9", "d9")
        with pytest.raises(JournalError):
            await disk.journal.sent(moved.id, a_request(NOON))
        await disk.journal.record(a_record(), b"", [moved])
        await disk.journal.sent(moved.id, a_request(NOON))
        assert [i.id for i in await disk.journal.open_intents()] == ["pl9"]
