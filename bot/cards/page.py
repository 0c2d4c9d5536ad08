"""What do people read of the cards?"""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from bot.cards.card import Result, Verdict
from bot.cards.classes import NAMED, SHOWN, STOPPED, WINDOWED, classes
from bot.cards.remote import NOT_HERE, REMOTE
from bot.cards.runner import GROUPS

WORDS = {Verdict.PASS: "passed", Verdict.SKIP: "skipped", Verdict.FAIL: "failed"}


def totals(found: Sequence[Result]) -> str:
    """Return how many passed, were skipped and failed, for people."""
    counts = Counter(result.verdict for result in found)
    told = ", ".join(f"{counts[verdict]} {word}" for verdict, word in WORDS.items())
    return f"{told}, {len(found)} cards"


def text(found: Sequence[Result]) -> str:
    """Return a line for each card."""
    lines = [
        f"{result.card.number:<6} {result.verdict:<4} {result.card.title}"
        + (f": {result.reason}" if result.reason else "")
        for result in found
    ]
    return "\n".join([*lines, totals(found)]) + "\n"


def as_json(found: Sequence[Result]) -> list[dict[str, Any]]:
    """Return a row for each card."""
    return [
        {
            "card": result.card.number,
            "title": result.card.title,
            "verdict": str(result.verdict),
            "reason": result.reason,
        }
        for result in found
    ]


def page(venue: str, found: Sequence[Result]) -> str:
    """Return the page for people: no date, so that the same code makes the same page.

    Args:
        venue: Its id.
        found: Every card, in order.
    """
    granted = classes(found)
    relied = (
        (
            "margin moves and transfers are protected from happening twice by",
            granted.moves,
            WINDOWED,
        ),
        ("orders and stops are protected from it by", granted.orders, NAMED),
        ("stops at the venue fire on mark and only reduce", _word(granted.has_stops), STOPPED),
        ("history shows an effect in time", _word(granted.is_shown_in_time), SHOWN),
    )
    shown = [f"| {what} | {how} | {', '.join(sorted(by))} |" for what, how, by in relied]
    return "\n".join([
        "# Venues",
        "",
        f"## {venue}, against the paper exchange",
        "",
        f"ccxt {version('ccxt')}: {totals(found)}.",
        "",
        "Each card is one question to the adapter, its signing and parsers included, and is judged",
        "by the exchange's books, never by what the bot believes. A card that passes here says",
        "that the adapter does what it should at an exchange that follows the venue's own",
        "documentation; whether the venue does is for a person with keys of its test hosts:",
        "`plimsoll cards --against testnet -c FILE`. There the cards",
        f"{', '.join(sorted(REMOTE))} are asked, judged by other endpoints than",
        f"the adapter reads; every other one is skipped: it {NOT_HERE}.",
        "Made by `make cards`, compared by `make test`.",
        "",
        "| what the bot relies on | | by cards |",
        "|---|---|---|",
        *shown,
        "",
        *(line for group in GROUPS for line in _group(group.name, group.about, found)),
    ])  # fmt: skip


def _group(name: str, about: str, found: Sequence[Result]) -> list[str]:
    own = [result for result in found if result.card.group == name]
    rows = [f"| {' | '.join(_cells(result))} |" for result in own]
    return [
        f"### {name} {about}",
        "",
        totals(own) + ".",
        "",
        "| card | question | before | does | passes if | result |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _cells(result: Result) -> tuple[str, ...]:
    card = result.card
    before = "-" if card.action is None else str(card.scene)
    became = f"{result.verdict}: {result.reason}" if result.reason else str(result.verdict)
    return card.number, card.title, before, card.does, card.passes, became


def _word(is_so: bool) -> str:  # noqa: FBT001 - the fact itself
    return "yes" if is_so else "no"
