"""What do people read of the cards?"""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from bot.cards.card import Result, Verdict
from bot.cards.remote import NOT_HERE, REMOTE
from bot.cards.runner import GROUPS

WORDS = {Verdict.PASS: "passed", Verdict.SKIP: "skipped", Verdict.FAIL: "failed"}
ESTABLISHED = (
    ("margin moves cannot happen after their window", ("M8-01", "M8-02")),
    ("transfers are found by their amount, and cannot be named by us", ("M4-05", "M4-08")),
    ("orders are named by us, and a second one of that name has no effect", ("M6-07", "M8-04")),
    ("history shows an effect by the settle point", ("M8-02", "M8-03")),
    ("resident stops fire on mark and only reduce", ("M7-01", "M7-04", "M7-05")),
)
"""What the bot relies on, and the cards that show it."""


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
    verdicts = {result.card.number: result.verdict for result in found}
    shown = [
        f"| {what} | {', '.join(cards)} | {_all(verdicts[card] for card in cards)} |"
        for what, cards in ESTABLISHED
    ]
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
        "| what the bot relies on | cards | |",
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


def _all(verdicts: Any) -> Verdict:
    return Verdict.PASS if all(verdict is Verdict.PASS for verdict in verdicts) else Verdict.FAIL
