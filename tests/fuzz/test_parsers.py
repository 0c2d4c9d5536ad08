import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.parsers import PARSERS, bodies

ROOT = Path(__file__).parents[2]
SECONDS = 15


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_no_bytes_make_a_parser_raise_what_it_does_not_say(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds()):
        (corpus / str(number)).write_bytes(seed)
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-m", "tests.fuzz.parsers", str(corpus), f"-max_total_time={SECONDS}",
         "-seed=1", "-max_len=4096", "-timeout=10", f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done" in done.stderr


def seeds() -> list[bytes]:
    """Return rows of the paper exchange and the shipped files, each after its parser."""
    written = [bytes([which]) + json.dumps(body).encode() for which, body in bodies()]
    files = [ROOT / "config" / name for name in ("live.example.toml", "paper.toml")]
    return written + [bytes([len(PARSERS)]) + file.read_bytes() for file in files]
