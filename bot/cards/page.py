"""What do people read of the cards?"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from bot.cards.card import Group, Result, Verdict
from bot.cards.classes import NAMED, NAMED_MOVES, SHOWN, STOPPED, WINDOWED, Classes, classes
from bot.cards.remote import NOT_HERE, REMOTE
from bot.cards.runner import GROUPS
from bot.cards.tongues import TONGUES

Found = Mapping[str, Sequence[Result]]
"""What became of cards, by venue."""
WORDS = {Verdict.PASS: "passed", Verdict.SKIP: "skipped", Verdict.FAIL: "failed"}


def totals(found: Sequence[Result]) -> str:
    """Return how many passed, were skipped and failed, for people."""
    counts = Counter(result.verdict for result in found)
    told = ", ".join(f"{counts[verdict]} {word}" for verdict, word in WORDS.items())
    return f"{told}, {len(found)} cards"


def text(found: Found) -> str:
    """Return a line for each card, below the venue's name where there are several."""
    blocks = []
    for venue, results in found.items():
        lines = [
            f"{result.card.number:<6} {result.verdict:<4} {result.card.title}"
            + (f": {result.reason}" if result.reason else "")
            for result in results
        ]
        heading = [venue] if len(found) > 1 else []
        blocks.append("\n".join([*heading, *lines, totals(results)]) + "\n")
    return "\n".join(blocks)


def as_json(found: Found) -> list[dict[str, Any]]:
    """Return a row for each card and venue."""
    return [
        {
            "venue": venue,
            "card": result.card.number,
            "title": result.card.title,
            "verdict": str(result.verdict),
            "reason": result.reason,
        }
        for venue, results in found.items()
        for result in results
    ]


def page(found: Found) -> str:
    """Return the page for people: no date, so that the same code makes the same page.

    Args:
        found: Every card, in order, by venue.
    """
    judged = [venue for venue in found if TONGUES[venue].beside is not None]
    return "\n".join([
        "# Venues",
        "",
        "Each venue is asked at the paper exchange, which answers in that venue's words.",
        f"ccxt {version('ccxt')}:",
        "",
        *(f"- {venue}: {totals(results)}." for venue, results in found.items()),
        "",
        "Each card is one question to the adapter, its signing and parsers included, and is judged",
        "by the exchange's books, never by what the bot believes. A card that passes here says",
        "that the adapter does what it should at an exchange that follows the venue's own",
        "documentation; whether the venue does is for a person with keys of its test hosts:",
        f"`plimsoll cards --against testnet -c FILE` ({', '.join(judged)}). There the cards",
        f"{', '.join(sorted(REMOTE))} are asked, judged by other endpoints than",
        f"the adapter reads; every other one is skipped: it {NOT_HERE}.",
        "Made by `make cards`, compared by `make test`.",
        "",
        *_table(("what the bot relies on", "by cards", *found), _relied(found)),
        "",
        *(line for group in GROUPS for line in _group(group, found)),
    ])  # fmt: skip


def _relied(found: Found) -> list[tuple[str, ...]]:
    granted = [classes(results) for results in found.values()]
    rows: tuple[tuple[str, Collection[str], Callable[[Classes], str]], ...] = (
        ("margin moves are protected from happening twice by", WINDOWED, lambda c: c.moves),
        ("transfers are protected from it by", WINDOWED | NAMED_MOVES, lambda c: c.transfers),
        ("orders and stops are protected from it by", NAMED, lambda c: c.orders),
        (
            "stops at the venue fire on mark and only reduce",
            STOPPED,
            lambda c: _word(c.has_stops),
        ),
        ("history shows an effect in time", SHOWN, lambda c: _word(c.is_shown_in_time)),
    )
    return [
        (what, ", ".join(sorted(by)), *(str(how(each)) for each in granted))
        for what, by, how in rows
    ]


def _group(group: Group, found: Found) -> list[str]:
    own = {
        venue: [result for result in results if result.card.group == group.name]
        for venue, results in found.items()
    }
    rows = [_cells(results) for results in zip(*own.values(), strict=True)]
    return [
        f"### {group.name} {group.about}",
        "",
        *(f"{venue}: {totals(results)}." for venue, results in own.items()),
        "",
        *_table(("card", "question", "before", "does", "passes if", *found), rows),
        "",
    ]


def _cells(results: Sequence[Result]) -> tuple[str, ...]:
    """Return a row: one card, and what became of it at each venue."""
    card = results[0].card
    before = "-" if card.action is None else str(card.scene)
    became = (f"{r.verdict}: {r.reason}" if r.reason else str(r.verdict) for r in results)
    return card.number, card.title, before, card.does, card.passes, *became


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _word(is_so: bool) -> str:  # noqa: FBT001 - the fact itself
    return "yes" if is_so else "no"
