"""What do breakages have in common?"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.cards.bench import Seam
from bot.cards.tongue import Target, Tongue
from bot.domain.action import Action
from bot.exchanges import connect
from bot.paper.desk import Asked, Reply
from bot.paper.socketless import Carry

Patch = pytest.MonkeyPatch
Breaks = Callable[[Patch, Tongue], Seam]
HISTORIES = (
    Target.MARGIN_HISTORY,
    Target.ORDER_HISTORY,
    Target.TRANSFER_HISTORY,
    Target.LEDGER,
)


def adapter_of(tongue: Tongue) -> Any:
    """Return the class that speaks to a venue."""
    return connect.SPOKEN[tongue.venue].adapter


def careless(patch: Patch, tongue: Tongue, change: Callable[[Action], Action]) -> Seam:
    """The adapter does another action than it was given."""
    venue = adapter_of(tongue)
    write_for = venue._write_for

    def worse(self: Any, intent: Any) -> Any:
        return write_for(self, replace(intent, action=change(intent.action)))

    patch.setattr(venue, "_write_for", worse)
    return Seam()


def misworded(
    patch: Patch, tongue: Tongue, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Seam:
    """The adapter means another request than the action."""
    venue = adapter_of(tongue)
    write_for = venue._write_for

    def worse(self: Any, intent: Any) -> Any:
        write = write_for(self, intent)
        if isinstance(write, str):
            return write
        expected = replace(write.expected, parameters=change(dict(write.expected.parameters)))
        typed = None if write.typed is None else change(dict(write.typed))
        return replace(write, expected=expected, typed=typed)

    patch.setattr(venue, "_write_for", worse)
    return Seam()


def answering(change: Callable[[Asked, Reply], Reply]) -> Seam:
    def carry(inner: Carry) -> Carry:
        async def carried(asked: Asked) -> Reply:
            return change(asked, await inner(asked))

        return carried

    return Seam(carry=carry)


def without_rows(tongue: Tongue, text: str) -> str:
    """Return an answer that lists something as one that lists nothing."""
    body = json.loads(text)
    tongue.rows(body).clear()
    return json.dumps(body)


def deaf_to(patch: Patch, tongue: Tongue, **codes: Any) -> None:
    """Let the adapter not know what some codes prove."""
    spoken = connect.SPOKEN[tongue.venue]
    dialect = replace(spoken.dialect, codes=replace(spoken.dialect.codes, **codes))
    patch.setitem(connect.SPOKEN, tongue.venue, replace(spoken, dialect=dialect))
