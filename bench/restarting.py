"""How long from the start of the process to the first complete poll, 100 ms from the venue?"""

import asyncio
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.delay import Delayed
from bench.measure import timing

ROUNDS = 31
ROUND_TRIP = 0.1
"""[s]"""
CHILD = """
import asyncio, sys
from pathlib import Path
from bot import bootstrap
from bot.clock import WallClock
from bot.exchanges.connect import GatewaySettings
from bot.settings import load

class Told:
    def publish(self, record):
        print("poll", record["verdict"], flush=True)
    def alarm(self, alarm):
        print("alarm", alarm.code, flush=True)

address, ca, folder = sys.argv[1:4]
loaded = load([Path("config/paper.toml")], environ={"PLIMSOLL_BOT__STATE_DIR": folder})
how = bootstrap.Run(clock=WallClock(), journal=Path(folder) / "journal.sqlite", sinks=[Told()],
                    gateway=GatewaySettings(address=address, ca_file=Path(ca)), polls=1)
print("imported", flush=True)
asyncio.run(bootstrap.run(loaded, how))
"""


def run() -> dict[str, Any]:
    """Return the time of restarts over one journal, imports included."""
    whole, imports, polls = asyncio.run(_restarts())
    return {
        "what": f"restart to first complete poll, {ROUND_TRIP * 1000:.0f} ms round trip",
        "aim": "p99 <= 3000 ms with no open intent",
        "rows": {
            "process start to complete poll [ms]": asdict(timing(whole)),
            "of it, until everything is imported [ms]": asdict(timing(imports)),
            "of it, round trips and work [ms]": asdict(timing(polls)),
        },
    }


async def _restarts() -> tuple[list[float], list[float], list[float]]:
    from bot.paper.fronts import served  # noqa: PLC0415 - other benches run without it
    from bot.paper.pace import FreeRunning  # noqa: PLC0415 - as above
    from bot.paper.scenario import build, load  # noqa: PLC0415 - as above

    engine = build(load(Path("config/scenarios/calm.toml")))
    taken: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pace = FreeRunning(engine, speed=1)
        async with served("binanceusdm", engine, pace, folder=folder / "tls") as server:
            moving = asyncio.create_task(pace.run())
            async with Delayed(server.address, round_trip=ROUND_TRIP) as delayed:
                for number in range(ROUNDS):
                    found = await _one(delayed.address, server.ca_file, folder)
                    # The first makes the journal and places the stops: it is no restart.
                    taken += [found] if number else []
            moving.cancel()
    imports, whole = [one for one, _ in taken], [one for _, one in taken]
    return whole, imports, [b - a for a, b in taken]


async def _one(address: str, ca: Path, folder: Path) -> tuple[float, float]:
    began = time.perf_counter()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, address, str(ca), str(folder),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdout is not None
    imported = polled = 0.0
    while line := (await child.stdout.readline()).decode().strip():
        passed = (time.perf_counter() - began) * 1000
        if line == "imported":
            imported = passed
        elif line.startswith("poll"):
            assert line in ("poll hold", "poll act"), line
            polled = passed
    assert await child.wait() == 0
    return imported, polled
