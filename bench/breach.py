"""How long from a crossed trigger to the protective request on the wire, in simulated worlds?"""

from pathlib import Path
from typing import Any

from bot.simulate.breach import NO_BANS, measure
from bot.simulate.many import configuration

SEEDS = range(60)
FAULTS = 0.3
ROWS: dict[str, dict[str, Any]] = {
    "healthy, polls every 1 s [s]": {"faults": 0.0, "interval": 1.0},
    "healthy, polls every 5 s [s]": {"faults": 0.0, "interval": 5.0},
    "30 % faults, no bans, 1 s [s]": {"faults": FAULTS, "interval": 1.0, "without": NO_BANS},
    "30 % faults, no bans, 5 s [s]": {"faults": FAULTS, "interval": 5.0, "without": NO_BANS},
    "30 % faults, bans too, 5 s [s]": {"faults": FAULTS, "interval": 5.0},
}


def run() -> dict[str, Any]:
    """Return the quantiles of each row; virtual time, so the same on every machine."""
    loaded = configuration(Path("config/paper.toml"))
    rows = {}
    for name, how in ROWS.items():
        found = measure(SEEDS, loaded, **how)
        rows[name] = {
            "p50": found.quantile(0.5),
            "p90": found.quantile(0.9),
            "p99": found.quantile(0.99),
            "breaches": len(found.delays),
            "recovered": found.recovered,
            "unanswered": found.unanswered,
        }
    return {
        "what": "breach of a trigger to protective request on the wire, virtual time",
        "aim": "p99 <= 2 s healthy, <= 15 s at 30 % faults",
        "rows": rows,
    }
