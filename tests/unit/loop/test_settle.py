"""What becomes of a send of unknown fate, and of one that was confirmed?"""

from dataclasses import replace
from decimal import Decimal as D

from bot.domain.action import AddMargin, Transfer
from bot.domain.intent import Intent, IntentState, Outcome
from bot.domain.observation import Observation
from tests.kit.builders import a_position, an_observation
from tests.kit.loops import ENDANGERED, Rig, polls


async def test_an_unknown_margin_move_is_never_sent_again_before_it_is_settled() -> None:
    rig = Rig(ENDANGERED)
    rig.venue.answers = [Outcome.UNKNOWN]
    await rig.loop.poll()
    # The effect stays hidden: the venue still shows the old margin.
    rig.venue.observation = ENDANGERED
    for _ in range(5):
        rig.clock.advance(1)
        await rig.loop.poll()
    adds = [i for i in rig.venue.sent if isinstance(i.action, AddMargin)]
    assert len(adds) == 1


async def test_evidence_of_an_effect_settles_at_once_and_counts_once() -> None:
    rig = Rig(ENDANGERED)
    rig.venue.answers = [Outcome.UNKNOWN]
    await rig.loop.poll()
    (intent,) = rig.venue.sent
    rig.venue.evidence[intent.id] = intent.action.amount  # type: ignore[union-attr]  # an add
    await rig.loop.poll()
    assert rig.journal.intents[intent.id].state is IntentState.APPLIED
    assert rig.loop.memory.unsettled == ()
    assert [m.action for m in rig.loop.memory.moves] == [intent.action]
    assert rig.loop.memory.of(a_position().key).added == intent.action.amount  # type: ignore[union-attr]  # an add


async def test_absence_is_believed_only_after_the_settle_point_and_two_looks() -> None:
    rig = Rig(ENDANGERED)
    rig.venue.answers = [Outcome.UNKNOWN]
    await rig.loop.poll()
    rig.venue.observation = ENDANGERED
    (intent,) = rig.venue.sent
    rig.venue.evidence[intent.id] = D(0)
    for after, state in (
        (3, IntentState.UNKNOWN),
        (5, IntentState.UNKNOWN),
        (1, IntentState.ABSENT),
    ):
        rig.clock.advance(after)
        await rig.loop.poll()
        assert rig.journal.intents[intent.id].state is state
    assert rig.loop.memory.of(a_position().key).added >= 0
    adds = [i for i in rig.venue.sent if isinstance(i.action, AddMargin)]
    assert len(adds) == 2  # decided anew with a new id, not sent again
    assert adds[0].id != adds[1].id


async def test_a_restart_drops_what_was_never_sent_and_waits_for_what_was() -> None:
    rig = Rig(ENDANGERED)
    add = AddMargin(key=a_position().key, amount=D(10), currency="USDT")
    for name, state in (("plwritten", IntentState.WRITTEN), ("plsent", IntentState.SENT)):
        rig.journal.intents[name] = Intent(
            id=name,
            decision_id="d0",
            account="main",
            action=add,
            written_at=rig.clock.now(),
            sent_at=rig.clock.now() if state is IntentState.SENT else None,
            state=state,
        )
    await rig.loop.recover()
    assert rig.journal.intents["plwritten"].state is IntentState.DROPPED
    await rig.loop.poll()
    assert not any(isinstance(i.action, AddMargin) for i in rig.venue.sent)


async def test_what_was_confirmed_is_read_back_and_then_forgotten() -> None:
    rig = Rig(ENDANGERED)
    await rig.loop.poll()
    (name,) = rig.journal.intents
    rig.venue.evidence[name] = rig.venue.sent[0].action.amount  # type: ignore[union-attr]  # margin
    await rig.loop.poll()
    assert rig.journal.intents[name].state is IntentState.APPLIED


async def test_a_confirmed_move_that_the_history_lacks_is_unknown_and_then_absent() -> None:
    rig = Rig(ENDANGERED)
    await rig.loop.poll()
    (name,) = rig.journal.intents
    assert rig.loop.memory.keys[0].added > 0
    rig.venue.evidence[name] = D(0)
    for _ in range(2):
        rig.clock.advance(8)
        await rig.loop.poll()
    assert rig.journal.intents[name].state is IntentState.UNKNOWN
    assert not rig.loop.memory.keys or rig.loop.memory.keys[0].added == 0
    assert rig.loop.memory.is_margin_unsettled(rig.venue.sent[0].action.key)  # type: ignore[union-attr]  # margin
    assert [alarm.intent_id for alarm in rig.seen.alarms] == [name]
    for _ in range(2):
        rig.clock.advance(8)
        await rig.loop.poll()
    assert rig.journal.intents[name].state is IntentState.ABSENT


async def test_a_venue_that_moved_less_than_it_confirmed_is_believed_by_its_history() -> None:
    rig = Rig(ENDANGERED)
    await rig.loop.poll()
    (name,) = rig.journal.intents
    rig.venue.evidence[name] = D(7)
    await rig.loop.poll()
    assert rig.loop.memory.keys[0].added == 7
    assert rig.loop.memory.moves[0].action.amount == 7  # type: ignore[union-attr]  # margin


async def test_who_is_not_settled_is_told_after_a_minute_and_given_up_after_five() -> None:
    rig = Rig(ENDANGERED)
    rig.venue.answers = [Outcome.UNKNOWN]
    await rig.loop.poll()
    (name,) = rig.journal.intents
    rig.clock.advance(61)
    await rig.loop.poll()
    await rig.loop.poll()
    assert [alarm.intent_id for alarm in rig.seen.alarms] == [name]
    assert rig.journal.intents[name].state is IntentState.UNKNOWN
    rig.clock.advance(240)
    await rig.loop.poll()
    assert rig.journal.intents[name].state is IntentState.GAVE_UP
    assert len(rig.seen.alarms) == 2
    assert rig.loop.memory.is_given_up(rig.venue.sent[0].action.key)  # type: ignore[union-attr]  # margin
    assert not rig.loop.memory.is_margin_unsettled(rig.venue.sent[0].action.key)  # type: ignore[union-attr]  # margin
    rig.venue.evidence[name] = D(3)
    await rig.loop.poll()
    assert rig.journal.intents[name].state is IntentState.APPLIED
    assert rig.loop.memory.given_up == ()


async def test_in_an_emergency_one_more_is_added_beside_an_unknown_one_and_no_third() -> None:
    in_danger = an_observation(a_position(margin="2500"), futures="30000")
    rig = Rig(in_danger)
    rig.venue.answers = [Outcome.UNKNOWN] * 5
    for _ in range(5):
        rig.venue.observation = in_danger  # the effects stay hidden
        await rig.loop.poll()
        rig.clock.advance(1)
    adds = [i for i in rig.venue.sent if isinstance(i.action, AddMargin)]
    assert len(adds) == 2
    assert len({add.action.amount for add in adds}) == 2  # type: ignore[union-attr]  # adds


async def test_money_on_its_way_that_already_shows_is_not_spent_before_it_is_read_back() -> None:
    rig = Rig(an_observation(a_position(margin="5000"), futures="0", spot="9000"))
    await polls(rig, 1)
    sent = [intent.action for intent in rig.venue.sent]
    assert isinstance(sent[-1], Transfer)
    count = len(sent)
    await polls(rig, 1)
    assert (
        len(rig.journal.intents) == count
    )  # nor is it planned: the plan knows what the guard does
    for intent in rig.venue.sent:
        rig.venue.evidence[intent.id] = intent.action.amount  # type: ignore[union-attr]  # moves of collateral only
    await polls(rig, 3)
    assert len(rig.venue.sent) > count


async def sent_from_afar() -> tuple[Rig, Observation]:
    """Return a rig that has sent all it needs from afar, and what the venue showed before."""
    before = an_observation(a_position(margin="5000"), futures="0", spot="4400")
    rig = Rig(before)
    await polls(rig, 1)
    (transfer,) = rig.venue.sent
    assert isinstance(transfer.action, Transfer)
    rig.venue.evidence[transfer.id] = transfer.action.amount
    return rig, before


async def test_nothing_is_closed_for_money_that_arrived_and_does_not_show_yet() -> None:
    rig, before = await sent_from_afar()
    now, rig.venue.observation = rig.venue.observation, before
    await polls(rig, 3)
    assert len(rig.venue.sent) == 1
    rig.venue.observation = now
    await polls(rig, 1)
    assert [intent.action.kind for intent in rig.venue.sent] == ["transfer", "add_margin"]


async def test_money_that_arrived_and_never_shows_is_not_counted_on_for_ever() -> None:
    rig, before = await sent_from_afar()
    rig.venue.observation = replace(
        before,
        account=replace(
            before.account,
            wallets=tuple(
                replace(w, total=D(0), free=D(0)) if w.name == "spot" else w
                for w in before.account.wallets
            ),
        ),
    )
    await polls(rig, 1)
    assert len(rig.venue.sent) == 1
    rig.clock.advance(16)
    await polls(rig, 1)
    assert [intent.action.kind for intent in rig.venue.sent][:2] == ["transfer", "reduce_position"]
