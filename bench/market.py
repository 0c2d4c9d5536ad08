"""How fast does market time pass inside the paper exchange?"""

import time
from pathlib import Path
from typing import Any

from bot.paper.scenario import build, load

DAY = 86_400


def run() -> dict[str, Any]:
    """Return how long a day of market time takes with two contracts and two positions."""
    engine = build(load(Path("config/scenarios/calm.toml")))
    began = time.perf_counter()
    engine.advance(engine.start_ms + DAY * 1000)
    took = time.perf_counter() - began
    return {
        "what": "24 h of market time, two contracts, two positions",
        "aim": "<= 144 s, so that speed 600 does not fall behind",
        "rows": {"a day": {"seconds": took, "highest speed": DAY / took}},
    }
