"""Bytes in, by coverage: rows of a venue and configuration files must be read or refused.

Run by `test_parsers.py` in a process of its own; whatever else is raised ends it with a report.
"""

import contextlib
import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bot.exchanges.binance.parse", "bot.exchanges.numbers"]):
    from tests.kit.parsers import PARSERS

from bot.errors import ConfigError, Incomplete
from bot.settings import load

FILE = Path(tempfile.mkdtemp()) / "a.toml"


def config(data: bytes) -> None:
    """Read a configuration file."""
    FILE.write_bytes(data)
    with contextlib.suppress(ConfigError):
        load([FILE], environ={})


def one(data: bytes) -> None:
    """Read one input: the first byte says by which parser."""
    if not data:
        return
    which = data[0] % (len(PARSERS) + 1)
    if which == len(PARSERS):
        config(data[1:])
        return
    try:
        body = json.loads(data[1:], parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(Incomplete):
        PARSERS[which](body)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
