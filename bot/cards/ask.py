"""Who is asked which cards, and what is written down?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.bootstrap.configured import connection_of
from bot.cards.card import Card, Result
from bot.cards.page import page
from bot.cards.remote import run_remote
from bot.cards.runner import GROUPS, all_cards, run_all
from bot.cards.tongues import TONGUES, tongue_of
from bot.clock import WallClock
from bot.errors import ConfigError
from bot.exchanges.connect import ConnectionSettings
from bot.settings import load


def asked(venue: str | None) -> tuple[str, ...]:
    """Return the venues that are asked: one, or every one whose words cards know.

    Raises:
        ConfigError: There is no such venue, or cards do not know how it speaks.
    """
    return tuple(TONGUES) if venue is None else (tongue_of(venue).venue,)


def chosen(only: Sequence[str]) -> tuple[Card, ...]:
    """Return the cards to run.

    Args:
        only: Numbers of cards or names of groups; empty for all.

    Raises:
        ConfigError: No such card or group.
    """
    cards = all_cards()
    known = {card.number for card in cards} | {group.name for group in GROUPS}
    for name in only:
        if name not in known:
            raise ConfigError(f"--only must be a group M1 to M10 or a card M2-09, was {name}")
    return tuple(c for c in cards if not only or c.number in only or c.group in only)


def account_of(config: Sequence[Path], venue: str | None) -> ConnectionSettings:
    """Return how a person's account on the test hosts is reached.

    Args:
        config: Files of settings.
        venue: Where it must be; ``None`` takes the account's own.

    Raises:
        ConfigError: No configuration, not of the test hosts or the venue, or without keys.
    """
    if not config:
        raise ConfigError(
            "--against testnet needs -c FILE: an account with bot.mode = testnet and keys of the "
            "venue's test hosts, where an isolated position is open"
        )
    settings = load(config).settings
    if settings.bot.mode != "testnet":
        raise ConfigError(
            f"bot.mode must be testnet for --against testnet, was {settings.bot.mode}: cards move "
            "margin and close a lot"
        )
    found = connection_of(settings, None)
    if venue is not None and found.venue != venue:
        raise ConfigError(f"accounts.0.venue must be {venue}, was {found.venue}")
    return replace(found, wallets=("futures",))


async def paper(cards: Sequence[Card], venues: Sequence[str]) -> dict[str, list[Result]]:
    """Return what became of cards at the paper exchange, by venue."""
    return {venue: await run_all(cards, venue=venue) for venue in venues}


async def testnet(cards: Sequence[Card], account: ConnectionSettings) -> dict[str, list[Result]]:
    """Return what became of cards on the test hosts, by venue."""
    return {account.venue: await run_remote(cards, account, clock=WallClock())}


def write(file: Path, found: Mapping[str, Sequence[Result]], *, is_whole: bool) -> None:
    """Write the page.

    Args:
        file: Where.
        found: Every card, in order, by venue.
        is_whole: Whether it is every card of every venue at the paper exchange.

    Raises:
        ConfigError: It is not, or the file cannot be written.
    """
    if not is_whole:
        raise ConfigError(
            "--write takes every card of every venue against paper: leave out --only, --venue and "
            "testnet"
        )
    try:
        file.write_text(page(found))
    except OSError as error:
        raise ConfigError(f"--write {file}: {error.strerror or error}") from error
