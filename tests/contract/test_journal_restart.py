"""What is there again after a restart, or after an end without warning?"""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

from bot.journal.sqlite import SqliteJournal
from tests.kit.records import a_record, an_intent

RECORDS_UNTIL_KILLED = Path(__file__).with_name("record_until_killed.py")


async def test_an_intent_survives_reopening_with_every_digit(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(), b"inputs", [an_intent()])
    async with SqliteJournal.open(path) as journal:
        assert await journal.open_intents() == (an_intent(),)
        assert str((await journal.open_intents())[0].action) == str(an_intent().action)
        assert await journal.last_inputs("main") == b"inputs"
        assert await journal.last_inputs("other") is None


async def test_ids_are_never_given_again_after_a_restart(path: Path) -> None:
    given: list[str] = []
    for _ in range(3):
        async with SqliteJournal.open(path) as journal:
            given += [journal.ids.intent() for _ in range(40)] + [journal.ids.decision()]
    assert len(set(given)) == len(given)
    assert all(len(name) <= 20 and name.isalnum() and name == name.lower() for name in given)


async def test_the_number_of_the_next_poll_is_kept_over_a_restart(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        assert journal.next_seq == 1
        await journal.record(a_record(7), b"", [])
    async with SqliteJournal.open(path) as journal:
        assert journal.next_seq == 8


def test_every_acknowledged_intent_survives_sigkill(path: Path) -> None:
    acknowledged: list[str] = []
    for delay_s in (0.03, 0.11, 0.2, 0.07):
        with subprocess.Popen(  # noqa: S603 - this interpreter and a file of this folder
            [sys.executable, str(RECORDS_UNTIL_KILLED), str(path)],
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            acknowledged.append(child.stdout.readline().strip())
            time.sleep(delay_s)
            child.send_signal(signal.SIGKILL)
            # A last line without its end was not acknowledged.
            rest = child.stdout.read()
            acknowledged += rest[: rest.rfind("\n") + 1].split()
    assert len(acknowledged) > 8
    assert len(set(acknowledged)) == len(acknowledged)

    async def reopen() -> set[str]:
        async with SqliteJournal.open(path) as journal:
            return {intent.id for intent in await journal.open_intents()}

    assert set(acknowledged) <= asyncio.run(reopen())
