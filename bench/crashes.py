"""Is a position with reachable funds lost on recorded crash days?"""

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.paper import played
from bot.paper import bars

DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))
BEFORE = timedelta(minutes=45)
AFTER = timedelta(minutes=30)
HOUR_MS = 3_600_000


def worst_hour(file: Path) -> datetime:
    """Return when the largest fall within an hour of a window began, two days after its start."""
    _, rows = bars.read(file)
    first = rows[0][0] + bars.HISTORY + int(BEFORE.total_seconds() * 1000)
    worst, at = 0.0, first
    start = 0
    for number, (opened, _, _, low, _) in enumerate(rows):
        while rows[start][0] < opened - HOUR_MS:
            start += 1
        high, high_at = max((row[2], row[0]) for row in rows[start : number + 1])
        if opened >= first and high_at >= first and 1 - low / high > worst:
            worst, at = 1 - low / high, high_at
    return datetime.fromtimestamp(at / 1000, UTC)


def run() -> dict[str, Any]:
    """Play the worst hour of every window with and without the bot."""
    folder = DATA / "market" / "spot_1m_windows"
    rows: dict[str, dict[str, Any]] = {}
    survived = threatened = 0
    for file in sorted(folder.glob("*USDT_binance_spot_1m_D*.parquet")):
        if file.name.split("_")[0] not in ("BTCUSDT", "ETHUSDT"):
            continue
        at = worst_hour(file) - BEFORE
        with tempfile.TemporaryDirectory() as state:
            found = played(
                state,
                "--market", str(file.resolve()),
                "--from", f"{at:%Y-%m-%dT%H:%MZ}",
                "--for", f"{int((BEFORE + timedelta(hours=1) + AFTER).total_seconds())}s",
            )  # fmt: skip
        ((before, after),) = found["held"].values()
        is_kept = found["liquidations"] == 0 and float(after) / float(before) > 0
        if found["without_bot"]["liquidations"]:
            threatened += 1
            survived += is_kept and not found["stops_fired"]
        rows[file.name.removesuffix(".parquet").replace("_binance_spot_1m", "")] = {
            "from": f"{at:%m-%d %H:%M}",
            "liquidated without": found["without_bot"]["liquidations"],
            "with": found["liquidations"],
            "stops fired": found["stops_fired"],
            "kept": float(after) / float(before),
            "equity": found["equity"],
            "equity without": found["without_bot"]["equity"],
        }
    rows["all"] = {"lost without the bot": threatened, "of these survived": survived}
    return {
        "what": "worst hour of each recorded window: 10x long, equity three times its margin",
        "aim": "N of N survive",
        "rows": rows,
    }
