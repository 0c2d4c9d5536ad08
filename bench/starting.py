"""How long from a cold start to the first decision, and how much memory does the bot need?"""

import asyncio
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measure import timing

ROUNDS = 5
CHILD = """
import asyncio, resource, sys, time, json
from pathlib import Path
began = time.perf_counter()
from bot import bootstrap
from bot.clock import WallClock
from bot.exchanges.connect import GatewaySettings
from bot.settings import load
loaded = load([Path("config/paper.toml")], environ={})
address, ca, folder = sys.argv[1:4]
how = bootstrap.Run(clock=WallClock(), journal=Path(folder) / "journal.sqlite",
                    gateway=GatewaySettings(address=address, ca_file=Path(ca)), polls=1)
asyncio.run(bootstrap.run(loaded, how))
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([(time.perf_counter() - began) * 1000, rss]))
"""


def run() -> dict[str, Any]:
    """Return the time of whole cold starts, imports included, and the peak memory."""
    taken, memory = asyncio.run(_starts())
    return {
        "what": "cold start to first decision; peak memory of the bot alone",
        "aim": "RSS <= 160 MiB",
        "rows": {
            "start to decision [ms]": asdict(timing(taken)),
            "peak RSS [MiB]": {"maximum": max(memory), "rounds": len(memory)},
        },
    }


async def _starts() -> tuple[list[float], list[float]]:
    from bot.paper.fronts import served  # noqa: PLC0415 - other benches run without it
    from bot.paper.pace import FreeRunning  # noqa: PLC0415 - as above
    from bot.paper.scenario import build, load  # noqa: PLC0415 - as above

    engine = build(load(Path("config/scenarios/crash.toml")))
    taken, memory = [], []
    with tempfile.TemporaryDirectory() as name:
        async with served(
            "binanceusdm", engine, FreeRunning(engine, speed=1), folder=Path(name) / "tls"
        ) as server:
            for number in range(ROUNDS):
                folder = Path(name) / str(number)
                folder.mkdir()
                child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-c",
                    CHILD,
                    server.address,
                    str(server.ca_file),
                    str(folder),
                    stdout=subprocess.PIPE,
                )
                printed, _ = await child.communicate()
                took, rss = json.loads(printed.decode().splitlines()[-1])
                taken.append(took)
                memory.append(rss)
    return taken, memory
