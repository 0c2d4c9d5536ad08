"""When is a resting stop placed, and when is it taken back?"""

from dataclasses import replace
from decimal import Decimal as D

from bot.domain.intent import IntentState, Outcome
from bot.domain.mode import Mode
from bot.errors import Unavailable
from tests.kit.builders import ETH, a_policy, a_position, a_stop, an_observation
from tests.kit.loops import Rig

STOPS = a_policy(resident_stops=True)


def kinds(rig: Rig) -> list[str]:
    return [intent.action.kind for intent in rig.venue.sent]


async def test_a_stop_is_placed_once_and_the_next_polls_find_it() -> None:
    rig = Rig(an_observation(a_position(margin="8000")), policy=STOPS)
    for _ in range(3):
        await rig.loop.poll()
        rig.clock.advance(6)
    assert kinds(rig) == ["place_stop"]
    assert rig.seen.records[0]["actions"][0]["outcome"] == "done"
    assert rig.seen.records[-1]["positions"][0]["stop"] is not None
    assert rig.seen.records[-1]["verdict"] == "hold"


async def test_the_old_stop_goes_only_after_the_new_one_is_confirmed() -> None:
    stale = an_observation(a_position(margin="8000"), stops=(a_stop("59000"),))
    rig = Rig(stale, policy=STOPS)
    await rig.loop.poll()
    assert kinds(rig) == ["place_stop", "cancel_stop"]
    for outcome in (Outcome.REJECTED, Outcome.UNKNOWN):
        rig = Rig(stale, policy=STOPS)
        rig.venue.answers = [outcome]
        await rig.loop.poll()
        assert kinds(rig) == ["place_stop"]


async def test_a_stop_of_unknown_fate_is_not_placed_a_second_time() -> None:
    rig = Rig(an_observation(a_position(margin="8000")), policy=STOPS)
    rig.venue.answers = [Outcome.UNKNOWN]
    await rig.loop.poll()
    rig.clock.advance(30)
    # The list has not got it either: only what settles it may allow another.
    account = replace(rig.venue.observation.account, stops=())
    rig.venue.observation = replace(rig.venue.observation, account=account)
    await rig.loop.poll()
    assert kinds(rig) == ["place_stop"]
    rig.venue.evidence[rig.venue.sent[0].id] = D(0)
    for _ in range(3):
        rig.clock.advance(2)
        await rig.loop.poll()
    assert kinds(rig) == ["place_stop", "place_stop"]


async def test_a_refused_stop_keeps_no_other_position_without_one() -> None:
    btc = a_position(margin="8000")
    eth = a_position(ETH, size="10", entry="3000", mark="3000", margin="4500")
    rig = Rig(an_observation(btc, eth), policy=STOPS)
    rig.venue.answers = [Outcome.REJECTED]
    await rig.loop.poll()
    assert [i.action.key for i in rig.venue.sent] == [btc.key, eth.key]  # type: ignore[union-attr]  # stops


async def test_a_stop_sized_for_margin_that_did_not_arrive_is_dropped_others_are_not() -> None:
    btc = a_position(margin="5000")
    eth = a_position(ETH, size="10", entry="3000", mark="3000", margin="4500")
    rig = Rig(an_observation(btc, eth, futures="9000"), policy=STOPS)
    rig.venue.answers = [Outcome.REJECTED]
    await rig.loop.poll()
    assert kinds(rig) == ["add_margin", "place_stop"]
    assert rig.venue.sent[1].action.key == eth.key  # type: ignore[union-attr]  # a stop
    states = [intent.state for intent in rig.journal.intents.values()]
    assert states.count(IntentState.DROPPED) == 1


async def test_a_degraded_bot_places_a_stop_where_none_stands_and_moves_none() -> None:
    safe = a_position(margin="8000")
    for stops, sent in (((), ["place_stop"]), ((a_stop("59000"),), [])):
        rig = Rig(an_observation(safe, stops=stops), policy=STOPS)
        rig.venue.failures = [Unavailable("x")]
        await rig.loop.poll()
        decision = await rig.loop.poll()
        assert decision.mode is Mode.DEGRADED
        assert kinds(rig) == sent
