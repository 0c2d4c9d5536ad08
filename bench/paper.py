"""How does a person's paper session end?"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def played(state: str, *words: str) -> dict[str, Any]:
    """Return the summary of one session, as fast as it goes."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "bot", "paper", *words, "--speed", "100000", "--json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PLIMSOLL_BOT__STATE_DIR": state},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
