"""A disk that was full and is not any more: the bot itself goes back to its journal."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot import bootstrap
from bot.bootstrap import Run
from bot.bootstrap import disk as disk_watch
from bot.bootstrap.again import archive_of
from bot.journal.probe import takes_writes
from bot.journal.queries import JournalReader
from bot.settings import Loaded, load
from tests.kit.binance import Rig, serving
from tests.kit.disks import a_small_disk, fill, only_reading
from tests.kit.fakes import Collected
from tests.kit.paper import an_engine

ROOM = 8
"""Reserve, journal and what a few hundred polls write. [MiB]"""


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    engine = an_engine(symbols=("BTCUSDT", "ETHUSDT"))
    engine.hold("BTCUSDT", D("0.1"), leverage=10)
    async with serving(engine, authority) as served:
        yield served


def configured(state: Path) -> Loaded:
    loaded = load([Path("config/paper.toml")], environ={})
    settings = loaded.settings
    changed = settings.bot.model_copy(update={"state_dir": state, "poll_interval": 0.5})
    return replace(loaded, settings=settings.model_copy(update={"bot": changed}))


async def until(running: asyncio.Future[None], what: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not (running.done() or what()):  # noqa: ASYNC110 - what happens in a program that knows no events
            await asyncio.sleep(0.05)
    assert not running.done(), running.result()


async def test_once_the_disk_takes_writes_again_the_bot_begins_anew_by_itself(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_watch, "PROBE_EVERY", 0.3)
    with a_small_disk(tmp_path / "disk", mebibytes=ROOM) as disk:
        seen, journal = Collected(), disk / "journal.sqlite"
        how = Run(clock=rig.pace, journal=journal, gateway=rig.gateway, sinks=[seen])
        running = asyncio.ensure_future(bootstrap.run(configured(disk), how))
        try:
            await until(running, lambda: len(seen.records) >= 3)
            fill(disk)
            await until(running, lambda: "journal_unwritable" in [a.code for a in seen.alarms])
            (disk / "other.log").unlink()
            await until(running, lambda: "disk_back" in [a.code for a in seen.alarms])
            polls = len(seen.records)
            await until(running, lambda: len(seen.records) >= polls + 3)
            assert [alarm.code for alarm in seen.alarms].count("journal_unwritable") == 1
            assert seen.records[-1]["mode"] == "normal"
            with JournalReader.open(journal) as reader:
                status = reader.status(now=rig.pace.now())
            assert status.epoch == 2
            assert status.last is not None
            assert status.last.record["id"][6:10] == "0002"
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_who_is_told_to_stop_does_not_begin_anew(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_watch, "PROBE_EVERY", 0.3)
    with a_small_disk(tmp_path / "disk", mebibytes=ROOM) as disk:
        seen, journal = Collected(), disk / "journal.sqlite"
        how = Run(clock=rig.pace, journal=journal, gateway=rig.gateway, sinks=[seen])

        taken: list[bool] = []

        def freed_and_told(folder: Path) -> bool:
            taken.append(takes_writes(folder))
            if taken[-2:] == [True, True]:
                os.kill(os.getpid(), signal.SIGTERM)
            return taken[-1]

        monkeypatch.setattr(disk_watch, "takes_writes", freed_and_told)
        running = asyncio.ensure_future(bootstrap.run(configured(disk), how))
        await until(running, lambda: len(seen.records) >= 3)
        fill(disk)
        await until(running, lambda: "journal_unwritable" in [a.code for a in seen.alarms])
        (disk / "other.log").unlink()
        async with asyncio.timeout(30):
            await running
        assert "disk_back" not in [a.code for a in seen.alarms]


async def test_files_that_cannot_be_kept_are_told_and_keep_nobody_from_protecting(
    rig: Rig, tmp_path: Path
) -> None:
    seen, journal = Collected(), tmp_path / "journal.sqlite"
    archive_of(journal).write_text("in the way")
    how = Run(clock=rig.pace, journal=journal, gateway=rig.gateway, sinks=[seen], polls=2)
    await bootstrap.run(configured(tmp_path), how)
    assert [alarm.code for alarm in seen.alarms] == ["files_not_kept"]
    assert len(seen.records) >= 2
    archive_of(journal).unlink()
    await bootstrap.run(configured(tmp_path), how)
    assert len(list(archive_of(journal).iterdir())) == 2


def test_a_probe_leaves_nothing_and_tells_a_full_and_a_read_only_disk(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk") as disk:
        assert takes_writes(disk)
        assert list(disk.iterdir()) == []
        fill(disk)
        assert not takes_writes(disk)
        assert [path.name for path in disk.iterdir()] == ["other.log"]
        (disk / "other.log").unlink()
        only_reading(disk)
        assert not takes_writes(disk)
    assert not takes_writes(tmp_path / "nowhere")
