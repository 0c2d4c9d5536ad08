"""Bytes in, by coverage: rows of a venue and configuration files must be read or refused.

Run by `test_parsers.py` in a process of its own; whatever else is raised ends it with a report.
"""

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["bot.exchanges.binance_parse", "bot.exchanges.numbers"]):
    from bot.exchanges import binance_parse as parse

from bot.domain.instrument import MarginRelease
from bot.domain.market import Bars
from bot.domain.position import MarginMode, PositionMode
from bot.errors import ConfigError, Incomplete
from bot.exchanges.numbers import rows, table
from bot.margin.assess import assess
from bot.settings import load
from tests.kit.builders import D, an_instrument

CONFIG = parse.Config(mode=MarginMode.ISOLATED, leverage=D(20))
FILE = Path(tempfile.mkdtemp()) / "a.toml"


def position(body: Any) -> None:
    """Read a position, and judge it if it is one."""
    found = parse.position(table(body, "row"), "BTC/USDT:USDT", CONFIG)
    if found.size:
        assess(found, an_instrument())


def rules(body: Any) -> None:
    """Read the rules of a contract."""
    parse.instrument(
        table(body, "row"), (), margin_step=D("0.01"), margin_release=MarginRelease.UNKNOWN
    )


def config(data: bytes) -> None:
    """Read a configuration file."""
    FILE.write_bytes(data)
    with contextlib.suppress(ConfigError):
        load([FILE], environ={})


PARSERS: tuple[Callable[[Any], object], ...] = (
    position,
    rules,
    lambda body: parse.tiers(table(body, "row")),
    lambda body: parse.config(table(body, "row")),
    lambda body: parse.stop(table(body, "row"), "BTC/USDT:USDT", PositionMode.ONE_WAY),
    lambda body: parse.futures_wallets(table(body, "account")),
    lambda body: parse.spot_wallets(rows(body, "wallet"), frozenset({"USDT"})),
    lambda body: parse.market(table(body, "mark"), "BTC", bars=Bars(), depth=table(body, "book")),
    lambda body: parse.bars(body, "BTC", seconds=3600, now_ms=10**13),
)


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
