"""What does a library of models look like as a file, and who makes it?"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from bot import bootstrap
from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.market import Candle
from bot.errors import ConfigError
from bot.exchanges.connect import GatewaySettings, connect
from bot.leverage import har, library
from bot.leverage.history import HOUR, History, of_rows
from bot.leverage.library import Library
from bot.ports import Clock
from bot.settings import Settings

SPAN = timedelta(hours=har.BURN_IN + har.FIT_HOURS)
"""A year before the first window, and what a regression is fitted on."""


def fitted(histories: Mapping[str, History], *, source: str) -> Library:
    """Return the library of coins, from the venue's names of their contracts.

    Args:
        histories: By contract such as ``BTCUSDT``.
        source: Whose prices they are.

    Raises:
        ConfigError: They are too short.
    """
    coins = {_coin(name): record for name, record in histories.items()}
    try:
        return library.fit(coins, source=source)
    except ValueError as error:
        raise ConfigError(str(error)) from None


async def fetched(
    settings: Settings, clock: Clock, *, gateway: GatewaySettings | None = None
) -> dict[str, History]:
    """Return the histories that the venue still knows of the configured symbols.

    Args:
        settings: Whose account; nothing of it but public prices is read.
        clock: The machine's.
        gateway: Overrides the account's.

    Raises:
        BotError: The venue gave no usable answer.
    """
    connection = bootstrap.connection_of(settings, gateway)
    venue_clock = VenueClock(clock)
    venue = await connect(connection, venue_clock, rng=SeededRng("fit"))
    try:
        since = venue_clock.now() - SPAN
        return {
            symbol: history_of(await venue.marks(symbol, since)) for symbol in connection.symbols
        }
    finally:
        await venue.close()


def history_of(candles: Sequence[Candle]) -> History:
    """Return the history of dated hours.

    Raises:
        ConfigError: There is none, or they are out of order.
    """
    times = np.array([int(c.opened_at.timestamp()) * 1000 for c in candles], dtype=np.int64)
    columns = ([c.high for c in candles], [c.low for c in candles], [c.close for c in candles])
    try:
        return of_rows(times, *(np.array(column, dtype=np.float64) for column in columns))
    except ValueError as error:
        raise ConfigError(f"hours of mark {error}") from None


def save(found: Library, file: Path) -> None:
    """Write a library; the file appears whole or not at all.

    Raises:
        ConfigError: It cannot be written.
    """
    unfinished = file.with_name(file.name + ".new")
    try:
        unfinished.write_text(
            json.dumps(found.as_dict(), separators=(",", ":")) + "\n", encoding="utf-8"
        )
        unfinished.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None


def text(found: Library, histories: Mapping[str, History]) -> str:
    """Return what a library was fitted on, for people."""
    lines = [f"{'coin':<10} {'hours':>7} {'days missing':>13}  regression"]
    for name, record in histories.items():
        missing = sum(record.close != record.close) * HOUR / 86_400
        own = (
            ", ".join(f"{hours} h" for hours in found.coins[_coin(name)].own)
            if (_coin(name) in found.coins)
            else "shared"
        )
        lines.append(f"{_coin(name):<10} {len(record):>7} {missing:>13.1f}  {own}")
    until = "" if found.until is None else f", until {found.until:%Y-%m-%d %H:%M} UTC"
    lines.append(f"tails shared by {len(histories)} coins{until}")
    return "\n".join(lines) + "\n"


def _coin(name: str) -> str:
    if "/" in name:
        return name.partition("/")[0]
    for quote in ("USDT", "USDC", "BUSD"):
        if name.endswith(quote) and name != quote:
            return name.removesuffix(quote)
    return name
