"""The journal keeps reasons by their words, and people look them up: the words must stay."""

import re
from pathlib import Path

from bot.execute.denial import DenialCode

ERRORS = Path(__file__).parents[3] / "docs" / "errors.md"


def test_every_reason_of_the_guard_is_its_name_and_explained_to_people() -> None:
    words = {code.value for code in DenialCode}
    assert words == {code.name.lower() for code in DenialCode}
    section = ERRORS.read_text().split("## Reasons of the guard")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert words == {word for row in rows for word in re.findall(r"`(\w+)`", row)}
