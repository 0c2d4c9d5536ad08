"""What is still sent when something before it was not done."""

from dataclasses import replace
from decimal import Decimal as D
from itertools import count

import pytest

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.intent import Execution, Intent, Outcome
from bot.domain.position import PositionKey, Side
from bot.execute.perform import perform
from bot.ports import Gate
from tests.kit.builders import BTC, ETH, a_position, an_observation
from tests.kit.fakes import FakeClock, FakeJournal, FakeVenue
from tests.kit.records import a_record, an_intent

A, B = PositionKey(BTC, Side.LONG), PositionKey(ETH, Side.LONG)


def add(key: PositionKey) -> AddMargin:
    return AddMargin(key=key, amount=D(100), currency="USDT")


def remove(key: PositionKey) -> RemoveMargin:
    return RemoveMargin(key=key, amount=D(100), currency="USDT")


def reduce(key: PositionKey) -> ReducePosition:
    return ReducePosition(key=key, size=D("0.1"), limit_price=D(50))


def stop(key: PositionKey) -> PlaceStop:
    return PlaceStop(key=key, size=D(1), stop_price=D(50), is_needed=True)


def cancel(key: PositionKey) -> CancelStop:
    return CancelStop(key=key, stop_id="1", client_id="c")


TRANSFER = Transfer(source="spot", destination="futures", amount=D(100), currency="USDT")


async def sent(*actions: Action, first: Outcome) -> list[bool]:
    """Return which of the actions after the first were sent."""
    clock, journal, names = FakeClock(), FakeJournal(), count()
    seen = an_observation(a_position(), a_position(ETH, mark="3000", entry="3000"))
    venue = FakeVenue(seen, clock)
    venue.answers = [first]
    intents = [an_intent(f"pl{next(names)}", action=action) for action in actions]
    await journal.record(a_record(), b"", intents)
    done = await perform(
        intents, venue=venue, journal=journal, clock=clock, look=lambda _intent, _request: None
    )
    return [isinstance(done.outcomes[intent.id], Execution) for intent in intents[1:]]


@pytest.mark.parametrize("first", [Outcome.REJECTED, Outcome.UNKNOWN])
@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        pytest.param([add(A), add(B), reduce(B)], [True, True], id="another position"),
        pytest.param([add(A), reduce(A)], [False], id="the same position"),
        pytest.param([add(A), stop(A), stop(B)], [False, True], id="stops"),
        pytest.param([add(A), remove(B)], [False], id="giving back"),
        pytest.param([add(A), TRANSFER], [False], id="a transfer"),
        pytest.param([reduce(A), add(B)], [False], id="released margin"),
        pytest.param([remove(A), add(B)], [False], id="margin taken out"),
        pytest.param([TRANSFER, add(A)], [False], id="money that was to come"),
        pytest.param([TRANSFER, TRANSFER], [False], id="transfers"),
        pytest.param([stop(A), add(B), cancel(A)], [True, False], id="a stop first"),
        pytest.param([add(A), remove(B), add(B)], [False, False], id="by way of another"),
    ],
)
async def test_only_what_builds_on_it_is_dropped(
    actions: list[Action], expected: list[bool], first: Outcome
) -> None:
    assert await sent(*actions, first=first) == expected


class Unfilled(FakeVenue):
    """A venue whose orders end without a fill."""

    async def execute(self, intent: Intent, gate: Gate) -> Execution:
        done = await super().execute(intent, gate)
        return replace(done, applied=D(0))


async def test_what_was_confirmed_without_effect_is_no_effect_and_drops_what_builds_on_it() -> None:
    clock, journal = FakeClock(), FakeJournal()
    venue = Unfilled(an_observation(a_position()), clock)
    intents = [an_intent("pl1", action=reduce(A)), an_intent("pl2", action=add(A))]
    await journal.record(a_record(), b"", intents)
    done = await perform(
        intents, venue=venue, journal=journal, clock=clock, look=lambda _intent, _request: None
    )
    assert done.effects == ()
    assert [intent.applied for intent in done.followed] == [D(0)]
    assert done.outcomes["pl2"] == "pl1 took effect for 0 of 0.1 only"
