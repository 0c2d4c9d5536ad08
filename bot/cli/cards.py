"""Does a venue do what the bot relies on?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import AccountConfig, Json, print_json
from bot.cli.exits import EXIT_DIFFERENT


class Against(StrEnum):
    """Who answers."""

    PAPER = "paper"
    TESTNET = "testnet"


def cards(
    venue: Annotated[
        str | None, typer.Option(help="Only this one; without it every venue that cards know.")
    ] = None,
    against: Annotated[
        Against, typer.Option(help="testnet needs keys of the venue's test hosts.")
    ] = Against.PAPER,
    config: AccountConfig = None,
    only: Annotated[list[str] | None, typer.Option(help="A card or a group: M2-09, M2.")] = None,
    write: Annotated[Path | None, typer.Option(help="Write the page with all results.")] = None,
    as_json: Json = False,
) -> None:
    """Run the conformance cards of venues; each is judged by the exchange's books."""
    import asyncio
    import sys

    from bot.cards import ask, page
    from bot.cards.card import Verdict

    chosen, venues = ask.chosen(only or []), ask.asked(venue)
    if against is Against.TESTNET:
        account = ask.account_of(config or [], venue)
        found = asyncio.run(ask.testnet(chosen, account))
    else:
        found = asyncio.run(ask.paper(chosen, venues))
    if write is not None:
        is_whole = against is Against.PAPER and not only and venue is None
        ask.write(write, found, is_whole=is_whole)
    if as_json:
        for row in page.as_json(found):
            print_json(row)
    else:
        sys.stdout.write(page.text(found))
    if any(result.verdict is Verdict.FAIL for results in found.values() for result in results):
        raise SystemExit(EXIT_DIFFERENT)
