import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.paper.desk import Asked, Desk
from bot.paper.pace import Stepped
from tests.kit.paper import FAST, an_engine

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
    """Return rows of the paper exchange and the shipped files, each before its parser."""
    engine = an_engine()
    desk = Desk(engine, Stepped(engine, speed=FAST))
    info = body(desk, "/fapi/v1/exchangeInfo")["symbols"][0]
    mark = body(desk, "/fapi/v1/premiumIndex", "symbol=BTCUSDT")
    book = body(desk, "/fapi/v1/depth", "symbol=BTCUSDT&limit=5")
    bars = body(desk, "/fapi/v1/klines", "symbol=BTCUSDT&interval=1h&limit=3")
    held = {
        "symbol": "BTCUSDT", "positionAmt": "-0.1", "positionSide": "BOTH", "entryPrice": "60000",
        "markPrice": "60010.5", "liquidationPrice": "62000", "isolatedWallet": "300",
        "maintMargin": "24",
    }  # fmt: skip
    found = [(0, held), (1, info), (7, mark | book), (8, bars)]
    written = [bytes([which]) + json.dumps(value).encode() for which, value in found]
    files = [ROOT / "config" / name for name in ("live.example.toml", "paper.toml")]
    return written + [bytes([9]) + file.read_bytes() for file in files]


def body(desk: Desk, path: str, query: str = "") -> Any:
    reply = desk.answer(Asked(method="GET", path=path, query=query))
    assert reply.status == 200, reply.text
    return json.loads(reply.text)
