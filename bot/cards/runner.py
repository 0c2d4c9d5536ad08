"""What becomes of every card?"""

from collections.abc import Iterable

from bot.cards import (
    m01_read,
    m02_add,
    m03_remove,
    m04_transfer,
    m05_sub_account,
    m06_reduce,
    m07_stop,
    m08_unknown,
    m09_modes,
    m10_restart,
)
from bot.cards.bench import NEUTRAL, Seam, bench_of
from bot.cards.card import Card, Group, Result, Verdict, failed
from bot.cards.tongues import tongue_of

GROUPS: tuple[Group, ...] = (
    m01_read.GROUP,
    m02_add.GROUP,
    m03_remove.GROUP,
    m04_transfer.GROUP,
    m05_sub_account.GROUP,
    m06_reduce.GROUP,
    m07_stop.GROUP,
    m08_unknown.GROUP,
    m09_modes.GROUP,
    m10_restart.GROUP,
)
"""In the order of their numbers."""


def all_cards() -> tuple[Card, ...]:
    """Return every card, in order."""
    return tuple(card for group in GROUPS for card in group.cards)


async def run_all(cards: Iterable[Card], seam: Seam = NEUTRAL, *, venue: str) -> list[Result]:
    """Return what became of each card at a venue, in order, each on an exchange of its own."""
    return [await run_one(card, seam, venue=venue) for card in cards]


async def run_one(card: Card, seam: Seam = NEUTRAL, *, venue: str) -> Result:
    """Return what became of one card.

    Args:
        card: Which.
        seam: What a test puts between.
        venue: Whose adapter, and in whose words the exchange answers.

    Raises:
        ConfigError: Cards do not know how that venue speaks.
    """
    skips = card.skipped_at(tongue_of(venue))
    if skips or card.action is None:
        return Result(card=card, verdict=Verdict.SKIP, reason=skips)
    try:
        async with bench_of(card.scene, seam, venue=venue) as bench:
            await card.action(bench)
    except Exception as error:  # noqa: BLE001 - a card that cannot go on has not passed
        return failed(card, error)
    return Result(card=card, verdict=Verdict.PASS)
