"""What does a library of models look like as a file, and who makes it?"""

import json
from collections.abc import Mapping
from pathlib import Path

from bot.errors import ConfigError
from bot.leverage import library
from bot.leverage.history import HOUR, History
from bot.leverage.library import Library


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
    for quote in ("USDT", "USDC", "BUSD"):
        if name.endswith(quote) and name != quote:
            return name.removesuffix(quote)
    return name.partition("/")[0]
