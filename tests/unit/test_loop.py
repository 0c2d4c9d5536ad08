from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from itertools import count, pairwise

import pytest

from bot.domain.action import AddMargin, Transfer
from bot.domain.band import Levels, LeverageBand
from bot.domain.decision import Urgency, Verdict
from bot.domain.intent import Intent, IntentState, Outcome
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.position import MarginMode
from bot.domain.risk import PositionRisk
from bot.domain.switch import Pause, Switches
from bot.domain.venue import VenueCondition
from bot.errors import Denied, Incomplete, InUse, JournalError, Unavailable
from bot.execute.bookkeeper import Bookkeeper
from bot.execute.facts import KINDS
from bot.execute.fingerprint import Fingerprints
from bot.loop import Identity, Ids, Loop, Pace
from bot.margin.bands import band_at_distances
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy
from bot.schemas import DecisionRecord
from tests.kit.builders import ETH, NOON, a_policy, a_position, a_stop, an_observation
from tests.kit.fakes import (
    Collected,
    FakeAuthority,
    FakeClock,
    FakeJournal,
    FakeSwitches,
    FakeVenue,
)
from tests.kit.ledger_world import WRITER

LEVELS = Levels(emergency=D("0.05"), trigger=D("0.10"), target=D("0.15"), give_back=D("0.25"))


def choose(risk: PositionRisk, market: Market) -> LeverageBand:
    del market
    return band_at_distances(risk, LEVELS)


class Rig:
    """A loop on fakes."""

    def __init__(
        self,
        observation: Observation,
        memory: Memory | None = None,
        *,
        policy: Policy | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.venue = FakeVenue(observation, self.clock)
        self.journal = FakeJournal()
        self.seen = Collected()
        self.switches = FakeSwitches()
        self.authority = FakeAuthority()
        names = count(1)
        self.loop = Loop(
            venue=self.venue,
            journal=self.journal,
            clock=self.clock,
            sinks=[self.seen],
            choose=choose,
            policy=policy or a_policy(),
            identity=Identity(account="main", config_hash="abc", strategy="x:Y"),
            ids=Ids(decision=lambda: f"d{next(names)}", intent=lambda: f"pl{next(names)}"),
            fingerprints=Fingerprints(step=D("0.00001"), epoch=1),
            switchboard=self.switches,
            watchdog=self.switches,
            supported=KINDS,
            authority=self.authority,
            bookkeeper=Bookkeeper(venue=self.venue, clock=self.clock, writer=WRITER),
            encode=lambda observation, memory: repr((observation, memory)).encode(),
            clean=lambda record: record,
            memory=memory or Memory(),
        )


ENDANGERED = an_observation(a_position(margin="5000"), futures="9000")
BROKE = an_observation(a_position(margin="4000"), futures="0")
SHORT_OF_CASH = an_observation(a_position(margin="5000"), futures="1000", spot="9000")


async def test_a_decision_that_changes_nothing_is_recorded_with_its_numbers() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    decision = await rig.loop.poll()
    assert decision.verdict is Verdict.HOLD
    assert rig.journal.records[0]["reason"] == "inside_band"
    assert rig.journal.records[0]["positions"][0]["liquidation_price"] is not None
    assert rig.seen.records == rig.journal.records


@pytest.mark.parametrize(
    "observation", [ENDANGERED, SHORT_OF_CASH, BROKE], ids=["rich", "short", "broke"]
)
async def test_every_record_keeps_its_schema(observation: Observation) -> None:
    rig = Rig(observation)
    rig.venue.failures = [Unavailable("x")]
    await rig.loop.poll()
    await rig.loop.poll()
    for record in (*rig.journal.records, *rig.seen.records):
        DecisionRecord.model_validate(record)
    assert rig.seen.records[-1]["actions"]


async def test_an_intent_is_durable_before_its_send_and_concluded_after() -> None:
    rig = Rig(ENDANGERED)
    states: list[IntentState] = []
    rig.venue.on_send = lambda i: states.append(rig.journal.intents[i.id].state)
    await rig.loop.poll()
    assert states == [IntentState.SENT]
    (name,) = rig.journal.intents
    assert rig.journal.steps == [(name, "written"), (name, "sent"), (name, "done")]
    assert rig.journal.intents[name].decision_id == rig.journal.records[0]["id"]


async def test_nothing_is_sent_when_the_journal_cannot_take_the_decision() -> None:
    rig = Rig(ENDANGERED)
    rig.journal.is_broken = True
    with pytest.raises(JournalError):
        await rig.loop.poll()
    assert rig.venue.sent == []


async def test_nothing_is_sent_when_the_journal_cannot_mark_the_send() -> None:
    rig = Rig(ENDANGERED)
    taken = rig.journal.record

    async def record_then_break(*args: object) -> None:
        await taken(*args)  # type: ignore[arg-type]  # passed through as given
        rig.journal.is_broken = True

    rig.journal.record = record_then_break  # type: ignore[assignment]  # a disk that fills up
    with pytest.raises(JournalError):
        await rig.loop.poll()
    assert rig.venue.sent == []


async def test_what_builds_on_a_rejected_action_is_dropped() -> None:
    rig = Rig(SHORT_OF_CASH)
    rig.venue.answers = [Outcome.REJECTED]
    await rig.loop.poll()
    assert len(rig.venue.sent) == 1
    states = [i.state for i in rig.journal.intents.values()]
    assert states == [IntentState.REJECTED, IntentState.DROPPED]
    assert [a["outcome"] for a in rig.seen.records[0]["actions"]] == ["rejected", "dropped"]


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


@pytest.mark.parametrize(
    ("error", "reason", "mode"),
    [
        pytest.param(Unavailable("no answer"), "unavailable", Mode.DEGRADED, id="silent"),
        pytest.param(Incomplete("markPrice of X"), "incomplete", Mode.DEGRADED, id="a hole"),
        pytest.param(Denied("key"), "denied", Mode.OBSERVE, id="key refused"),
    ],
)
async def test_a_failed_look_is_recorded_and_changes_the_mode(
    error: Unavailable | Incomplete | Denied, reason: str, mode: Mode
) -> None:
    rig = Rig(ENDANGERED)
    rig.venue.failures = [error]
    decision = await rig.loop.poll()
    assert (decision.verdict, decision.reason) == (Verdict.NOT_READY, reason)
    assert rig.loop.memory.mode is mode
    assert rig.journal.records[0]["refusals"][0]["text"] == str(error)
    assert rig.venue.sent == []


async def test_two_good_looks_bring_a_degraded_bot_back() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    rig.venue.failures = [Unavailable("x")]
    modes = []
    for _ in range(3):
        await rig.loop.poll()
        modes.append(rig.loop.memory.mode)
    assert modes == [Mode.DEGRADED, Mode.DEGRADED, Mode.NORMAL]


async def test_nothing_follows_a_denied_look() -> None:
    rig = Rig(ENDANGERED)
    rig.venue.failures = [Denied("key was revoked")]
    for _ in range(4):
        await rig.loop.poll()
    assert rig.venue.sent == []


async def test_a_failed_look_does_not_forget_what_the_bot_added() -> None:
    rig = Rig(ENDANGERED)
    await rig.loop.poll()
    added = rig.loop.memory.of(a_position().key).added
    assert added > 0
    rig.venue.failures = [Unavailable("x")]
    await rig.loop.poll()
    assert rig.loop.memory.of(a_position().key).added == added


async def test_a_closed_position_is_forgotten() -> None:
    rig = Rig(ENDANGERED)
    await rig.loop.poll()
    empty = replace(rig.venue.observation.account, positions=())
    rig.venue.observation = replace(rig.venue.observation, account=empty)
    await rig.loop.poll()
    assert rig.loop.memory.keys == ()


async def test_a_stop_ends_the_wait_but_not_the_poll() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    rig.loop.stop()
    await rig.loop.run(Pace(routine=5, urgent=1))
    assert rig.journal.records == []


async def test_the_loop_waits_less_while_something_is_urgent_and_longer_while_nobody_answers() -> (
    None
):
    pace = Pace(routine=5, urgent=1)
    rig = Rig(ENDANGERED)
    urgent = await rig.loop.poll()
    assert pace.pause(urgent, misses=0) == 1
    assert [pace.pause(urgent, misses=n) for n in (1, 2, 3, 9)] == [1, 2, 4, 15]
    assert [pace.pause(urgent, misses=0, spent=s) for s in (0.4, 0.9, 30)] == [0.6, 0.25, 0.25]
    assert pace.pause(urgent, misses=1, spent=0.9) == 1


async def test_polls_begin_as_far_apart_as_they_are_meant_to() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    began: list[float] = []

    def look_slowly() -> None:
        began.append(rig.clock.monotonic())
        rig.clock.advance(1.5)

    rig.venue.on_look = look_slowly
    polls = count(1)
    await rig.loop.run(Pace(routine=5.0, urgent=1.0), is_over=lambda: next(polls) == 4)
    assert [b - a for a, b in pairwise(began)] == [5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        pytest.param("8000", 5.0, id="nearer to the target"),
        pytest.param("6800", 1.0, id="nearer to the trigger"),
    ],
)
async def test_the_loop_waits_less_while_a_position_may_soon_cross_its_trigger(
    margin: str, expected: float
) -> None:
    rig = Rig(an_observation(a_position(margin=margin), futures="0"))
    decision = await rig.loop.poll()
    (found,) = decision.positions
    assert found.urgency is Urgency.HOLD
    assert found.risk.distance is not None
    assert LEVELS.trigger < found.risk.distance < LEVELS.target
    assert Pace(routine=5.0, urgent=1.0).pause(decision, misses=0) == expected


async def test_a_ban_is_told_once_and_told_again_when_there_is_another() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    shut_out = VenueCondition(is_banned=True, ban="shut out with HTTP 418")
    for way in (shut_out, shut_out, VenueCondition(is_banned=True), shut_out):
        rig.venue.way = way
        rig.venue.failures = [Unavailable("asked to wait")]
        await rig.loop.poll()
    assert [alarm.code for alarm in rig.seen.alarms] == ["venue_banned", "venue_banned"]
    assert rig.seen.alarms[0].text == "shut out with HTTP 418"


async def test_a_ban_that_a_write_brings_is_told_at_once() -> None:
    rig = Rig(ENDANGERED)
    ban = VenueCondition(is_banned=True, ban="shut out with HTTP 418")
    rig.venue.on_send = lambda _: setattr(rig.venue, "way", ban)
    await rig.loop.poll()
    assert "venue_banned" in [alarm.code for alarm in rig.seen.alarms]


async def test_a_position_that_nothing_is_planned_for_is_told_once_while_that_lasts() -> None:
    cross = an_observation(a_position(margin="8000", margin_mode=MarginMode.CROSS))
    isolated = an_observation(a_position(margin="8000"))
    rig = Rig(cross)
    told = []
    for seen in (cross, cross, isolated, cross):
        rig.venue.observation = seen
        await rig.loop.poll()
        told.append([alarm.text for alarm in rig.seen.alarms if alarm.code == "unprotected"])
    text = "nothing is planned for BTC/USDT:USDT long: cross_margin"
    assert told == [[text], [text], [text], [text, text]]


async def test_a_poll_without_an_answer_says_nothing_new_of_who_is_unprotected() -> None:
    rig = Rig(an_observation(a_position(margin="8000", margin_mode=MarginMode.CROSS)))
    await rig.loop.poll()
    rig.venue.failures = [Unavailable("busy")]
    for _ in range(2):
        await rig.loop.poll()
    assert [a.code for a in rig.seen.alarms].count("unprotected") == 1


async def test_the_last_poll_is_not_followed_by_a_wait() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    before = rig.clock.monotonic()
    await rig.loop.run(Pace(routine=5.0, urgent=1.0), is_over=lambda: True)
    assert len(rig.journal.records) == 1
    assert rig.clock.monotonic() == before


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


async def test_after_a_kill_nothing_leaves_and_every_poll_says_so() -> None:
    rig = Rig(ENDANGERED)
    rig.switches.state = Switches(killed=True, why="a person")
    decision = await rig.loop.poll()
    assert (decision.mode, decision.verdict) == (Mode.KILLED, Verdict.REFUSE)
    assert [r.code for r in decision.refusals] == ["killed"]
    assert rig.venue.sent == []
    assert [alarm.code for alarm in rig.seen.alarms] == ["killed"]


async def test_a_kill_during_the_poll_stops_the_request_before_its_first_byte() -> None:
    rig = Rig(ENDANGERED)

    def kill(step: str) -> None:
        if step == "sent":
            rig.switches.state = Switches(killed=True, why="a person")

    rig.journal.after = kill
    await rig.loop.poll()
    assert rig.venue.sent == []
    (intent,) = rig.journal.intents.values()
    assert intent.state is IntentState.REJECTED


async def test_a_rearmed_bot_protects_at_once_and_does_the_rest_after_two_good_looks() -> None:
    rig = Rig(ENDANGERED)
    rig.switches.state = Switches(killed=True)
    await rig.loop.poll()
    rig.switches.state = Switches()
    modes = [(await rig.loop.poll()).mode for _ in range(2)]
    assert modes == [Mode.DEGRADED, Mode.NORMAL]
    assert rig.venue.sent


@pytest.mark.parametrize(
    ("pause", "sends"), [(Pause.OPTIONAL, True), (Pause.ALL, False)], ids=["optional", "all"]
)
async def test_a_paused_bot_still_protects_unless_everything_is_paused(
    pause: Pause, sends: bool
) -> None:
    rig = Rig(ENDANGERED)
    rig.switches.state = Switches(pause=pause)
    await rig.loop.poll()
    assert bool(rig.venue.sent) is sends


async def test_a_standstill_drops_what_was_planned_and_the_bot_looks_again() -> None:
    rig = Rig(ENDANGERED)

    def stand_still(step: str) -> None:
        if step == "written":
            rig.switches.stalled_for = 30.0

    rig.journal.after = stand_still
    await rig.loop.poll()
    assert rig.venue.sent == []
    rig.journal.after = lambda _: None
    decision = await rig.loop.poll()
    assert decision.mode is Mode.DEGRADED
    assert len(rig.venue.sent) == 1


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


def a_line(amount: str) -> LedgerRow:
    return LedgerRow(
        id=amount,
        at=NOON + timedelta(seconds=15),
        kind=RowKind.MARGIN_ADDED,
        amount=D(amount),
        asset="USDT",
        symbol=a_position().symbol,
    )


async def polls(rig: Rig, times: int) -> None:
    for _ in range(times):
        rig.clock.advance(6)
        await rig.loop.poll()


def mode_of(rig: Rig) -> Mode:
    return rig.loop.memory.mode


async def test_a_bot_without_a_lease_only_reads_and_goes_on_when_it_is_renewed() -> None:
    rig = Rig(ENDANGERED)
    rig.authority.left = 5.5
    await rig.loop.poll()
    await rig.loop.poll()
    assert mode_of(rig) is Mode.OBSERVE
    assert rig.venue.sent == []
    assert [alarm.code for alarm in rig.seen.alarms] == ["lease_lost"]
    rig.authority.left = 15.0
    await rig.loop.poll()
    assert mode_of(rig) is Mode.DEGRADED
    assert len(rig.venue.sent) == 1
    await rig.loop.poll()
    await rig.loop.poll()
    assert mode_of(rig) is Mode.NORMAL


@pytest.mark.parametrize("denied_first", [True, False])
async def test_a_renewed_lease_does_not_bring_back_a_bot_that_waits_for_a_person(
    denied_first: bool,
) -> None:
    rig = Rig(ENDANGERED)
    if denied_first:
        rig.venue.failures = [Denied("key")]
        await rig.loop.poll()
    rig.authority.left = 0.0
    if not denied_first:
        await rig.loop.poll()
        rig.venue.failures = [Denied("key")]
    await rig.loop.poll()
    rig.authority.left = 15.0
    for _ in range(4):
        await rig.loop.poll()
    assert mode_of(rig) is Mode.OBSERVE
    rig.switches.state = Switches(resumed_at=rig.clock.now())
    await rig.loop.poll()
    assert mode_of(rig) is Mode.DEGRADED


async def test_a_person_who_resumes_does_not_replace_the_lease() -> None:
    rig = Rig(ENDANGERED)
    rig.authority.left = 0.0
    await rig.loop.poll()
    rig.switches.state = Switches(resumed_at=rig.clock.now())
    await rig.loop.poll()
    assert mode_of(rig) is Mode.OBSERVE
    assert rig.venue.sent == []


async def test_a_lease_that_runs_out_between_plan_and_send_stops_the_send() -> None:
    rig = Rig(ENDANGERED)
    taken = rig.journal.record

    async def record_slowly(*args: object) -> None:
        await taken(*args)  # type: ignore[arg-type]  # passed through as given
        rig.authority.left = 5.5

    rig.journal.record = record_slowly  # type: ignore[assignment]  # a disk that takes its time
    await rig.loop.poll()
    assert rig.venue.sent == []
    assert [i.state for i in rig.journal.intents.values()] == [IntentState.DROPPED]


async def test_after_a_standstill_the_lease_is_renewed_before_anything_leaves() -> None:
    rig = Rig(ENDANGERED)
    rig.authority.left = -45.0
    rig.switches.stalled_for = 60.0
    sent_at_renewal: list[int] = []

    def renew() -> None:
        sent_at_renewal.append(len(rig.venue.sent))
        rig.authority.left = 15.0

    rig.authority.on_renewal = renew
    await rig.loop.poll()
    assert sent_at_renewal[0] == 0
    assert len(rig.venue.sent) == 1
    assert mode_of(rig) is not Mode.OBSERVE


async def test_a_run_that_was_succeeded_ends() -> None:
    rig = Rig(ENDANGERED)

    def refuse() -> None:
        raise InUse("run 1 was succeeded")

    rig.authority.on_renewal = refuse
    with pytest.raises(InUse):
        await rig.loop.run(Pace(routine=5, urgent=1))
    assert rig.venue.sent == []


async def test_the_lease_is_kept_while_the_loop_rests() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    renewed: list[float] = []
    rig.authority.on_renewal = lambda: renewed.append(rig.clock.monotonic())
    began = rig.clock.monotonic()
    polls = count(1)
    await rig.loop.run(Pace(routine=300, urgent=1), is_over=lambda: next(polls) == 2)
    gaps = [b - a for a, b in pairwise(renewed)]
    assert rig.clock.monotonic() - began == 300
    assert max(gaps) == 5


async def test_after_a_foreign_move_the_bot_protects_and_moves_nothing_else() -> None:
    rig = Rig(SHORT_OF_CASH)
    seen = rig.venue.observation
    rig.venue.observation = an_observation(a_position(margin="8000"), futures="1000", spot="9000")
    await polls(rig, 3)
    assert mode_of(rig) is Mode.NORMAL
    rig.venue.lines = [a_line("7")]
    await polls(rig, 12)
    assert [alarm.code for alarm in rig.seen.alarms] == ["foreign_move"]
    assert mode_of(rig) is Mode.DEGRADED
    rig.venue.observation = seen
    await polls(rig, 2)
    kinds = {intent.action.kind for intent in rig.venue.sent}
    assert "transfer" not in kinds
    assert kinds & {"add_margin", "reduce_position"}


async def test_a_second_writer_stops_everything_until_a_person_resumes() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    await polls(rig, 2)
    stop = replace(a_stop("55000", stop_id="1"), client_id="plzzzz0009000001")
    rig.venue.observation = an_observation(a_position(margin="5000"), futures="9000", stops=(stop,))
    await polls(rig, 3)
    assert mode_of(rig) is Mode.OBSERVE
    assert "second_writer" in [alarm.code for alarm in rig.seen.alarms]
    assert rig.venue.sent == []
    rig.switches.state = Switches(resumed_at=rig.clock.now())
    await polls(rig, 1)
    assert mode_of(rig) is Mode.DEGRADED
    assert [intent.action.kind for intent in rig.venue.sent] == ["add_margin"]


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
