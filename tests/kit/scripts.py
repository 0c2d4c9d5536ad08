"""What does a fresh interpreter print?"""

import subprocess
import sys


def printed(script: str) -> str:
    """Run a script in an interpreter that has imported nothing yet, and return its output."""
    done = subprocess.run(  # noqa: S603 - this interpreter, a constant script
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout
