from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

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
from bot.domain.band import LeverageBand
from bot.domain.decision import Decision, Urgency, Verdict
from bot.domain.intent import IntentState
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.past import Carried, written
from bot.domain.position import MarginMode
from bot.domain.risk import PositionRisk
from bot.margin.bands import band_at_distances
from bot.rebalance.claims import Claim, Landed, believed
from bot.rebalance.decide import decide
from bot.rebalance.memory import KeyMemory, Memory, Move, amount_of, with_amount
from bot.rebalance.remembering import (
    adopt,
    correct,
    doubt,
    give_up,
    land,
    recalled,
    remember,
    settle,
)
from tests.kit.builders import ETH, LEVELS, NOON, a_policy, a_position, an_observation
from tests.kit.builders import choose as choose_always
from tests.kit.records import an_intent

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D(100), currency="USDT")
HOUR_AGO = NOON - timedelta(hours=1)


@pytest.mark.parametrize("field", ["unsettled", "given_up"])
def test_what_is_open_is_spent_however_old_it_is(field: str) -> None:
    open_: dict[str, Any] = {field: (ADD,)}
    memory = Memory(**open_)
    assert memory.added_since(KEY, HOUR_AGO) == 100
    assert memory.additions_since(KEY, HOUR_AGO) == 1
    old = replace(memory, moves=(Move(at=NOON - timedelta(hours=3), action=ADD),))
    assert old.added_since(KEY, HOUR_AGO) == 100


def test_what_is_open_is_spent_once() -> None:
    memory = Memory(moves=(Move(at=NOON, action=ADD),), unsettled=(ADD,))
    assert memory.added_since(KEY, HOUR_AGO) == 100
    twice = replace(memory, unsettled=(ADD, ADD))
    assert twice.added_since(KEY, HOUR_AGO) == 200


def test_what_only_puts_back_is_not_spent() -> None:
    back = replace(ADD, after_reduction=True)
    memory = Memory(moves=(Move(at=NOON, action=back),), given_up=(back,))
    assert memory.added_since(KEY, HOUR_AGO) == 0


REMOVE = RemoveMargin(key=KEY, amount=D(40), currency="USDT")
OTHER = KeyMemory(key=a_position(ETH).key, added=D(7))


def own(added: int) -> KeyMemory:
    return KeyMemory(key=KEY, added=D(added))


def test_what_is_proven_replaces_the_newest_move_it_was_counted_as() -> None:
    older, newer = Move(at=HOUR_AGO, action=ADD), Move(at=NOON, action=ADD)
    memory = Memory(moves=(older, newer), unsettled=(ADD,))
    part = settle(memory, ADD, applied=D(60))
    assert part.moves == (older, Move(at=NOON, action=replace(ADD, amount=D(60))))
    assert part.unsettled == ()
    assert part.of(KEY).added == 60
    absent = settle(memory, ADD, applied=D(0))
    assert absent.moves == (older,)
    assert absent.of(KEY).added == 0


def test_what_is_proven_of_a_move_that_was_forgotten_changes_no_other() -> None:
    twin = Move(at=NOON, action=replace(ADD, amount=D(90)))
    found = settle(Memory(moves=(twin,), given_up=(ADD,)), ADD, applied=D(100))
    assert found.moves == (twin,)
    assert found.given_up == ()
    assert found.of(KEY).added == 100


def test_a_doubtful_addition_is_not_the_bots_and_a_doubtful_removal_stays_counted() -> None:
    memory = Memory(keys=(own(100), OTHER))
    found = doubt(memory, ADD, believed=D(30))
    assert found.keys == (own(70), OTHER)
    assert found.unsettled == (ADD,)
    assert doubt(memory, ADD, believed=D(300)).keys == (own(0), OTHER)
    assert doubt(memory, REMOVE, believed=D(40)).keys == (own(100), OTHER)
    back = replace(ADD, after_reduction=True)
    assert doubt(memory, back, believed=D(100)).keys == (own(100), OTHER)


def test_an_amount_is_of_the_actions_own_unit_and_a_stop_is_one_order() -> None:
    order = ReducePosition(key=KEY, size=D("0.5"), limit_price=D(1))
    stop = PlaceStop(key=KEY, size=D("0.5"), stop_price=D(1), is_needed=True)
    move = Transfer(source="spot", destination="futures", amount=D(3), currency="USDT")
    assert [amount_of(a) for a in (ADD, REMOVE, order, stop, move)] == [100, 40, D("0.5"), 1, 3]
    assert with_amount(order, D(2)) == replace(order, size=D(2))
    assert with_amount(move, D(2)) == replace(move, amount=D(2))
    assert with_amount(stop, D(2)) == stop


def test_a_proven_removal_takes_back_what_the_bot_may_give_back_and_never_below_nothing() -> None:
    memory = Memory(keys=(own(100), OTHER), unsettled=(REMOVE,))
    assert settle(memory, REMOVE, applied=D(40)).keys == (own(60), OTHER)
    assert settle(memory, REMOVE, applied=D(400)).keys == (own(0), OTHER)
    assert settle(memory, REMOVE, applied=D(0)).keys == (own(100), OTHER)


@pytest.mark.parametrize(
    ("state", "applied", "spent", "own"),
    [
        (IntentState.APPLIED, D(90), 90, 90),
        (IntentState.DONE, None, 100, 100),
        (IntentState.UNKNOWN, None, 100, 0),
        (IntentState.GAVE_UP, None, 100, 0),
        (IntentState.SENT, None, 100, 0),
        (IntentState.REJECTED, None, 0, 0),
        (IntentState.ABSENT, D(0), 0, 0),
        (IntentState.DROPPED, None, 0, 0),
    ],
)
def test_what_only_the_reserve_knew_is_spent_and_ours_only_if_it_is_known(
    state: IntentState, applied: D | None, spent: int, own: int
) -> None:
    intent = replace(an_intent(action=ADD), state=state, applied=applied)
    memory = recalled(Memory(), [intent])
    assert memory.added_since(KEY, HOUR_AGO) == spent
    assert memory.of(KEY).added == own


HOLD = Decision(
    at=NOON,
    account="main",
    mode=Mode.NORMAL,
    urgency=Urgency.HOLD,
    verdict=Verdict.HOLD,
    reason="no_positions",
)


def test_a_persons_move_is_remembered_for_a_day() -> None:
    account = an_observation(a_position()).account
    memory = adopt(Memory(), [KEY], amount=D(5), at=NOON)
    assert memory.of(KEY).touched_at == NOON
    for days, is_remembered in ((1.0, True), (1.1, False)):
        decision = replace(HOLD, at=NOON + timedelta(days=days))
        after = remember(memory, decision, account=account, effects=(), unsettled=())
        assert (after.of(KEY).touched_at == NOON) is is_remembered


def test_what_the_books_hold_lowers_a_claim_and_never_raises_one_that_runs() -> None:
    soon, later = NOON + timedelta(seconds=5), NOON + timedelta(seconds=15)
    arrives = NOON + timedelta(seconds=300)
    claims = tuple(
        Claim(wallet=wallet, currency="USDT", at_most=D(100), until=until)
        for wallet, until in (("a", soon), ("b", soon), ("c", NOON), ("d", soon), ("e", arrives))
    )
    holds = {("a", "USDT"): D(70), ("b", "USDT"): D(130), ("c", "USDT"): D(130)}
    holds["e", "USDT"], holds["f", "USDT"] = D(70), D(5)
    after = believed(claims, holds, at=NOON)
    assert [(c.wallet, c.at_most, c.until) for c in after] == [
        ("a", D(70), later),
        ("b", D(100), later),
        ("c", D(130), later),
        ("d", D(100), soon),
        ("e", D(70), arrives),
        ("f", D(5), later),
    ]


MOVE = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
WAITS = Claim(
    wallet="futures", currency="USDT", at_most=D(1000), until=NOON + timedelta(seconds=300)
)


def test_what_has_arrived_is_counted_on_until_no_answer_can_lack_it() -> None:
    memory = land(Memory(claims=(WAITS,)), MOVE, applied=D(40), at=NOON)
    until = NOON + timedelta(seconds=15)
    assert memory.landed == (Landed(transfer=replace(MOVE, amount=D(40)), until=until),)
    assert memory.claims == (replace(WAITS, until=until),)


def test_what_landed_is_remembered_no_longer_than_an_answer_may_lack_it() -> None:
    memory = land(Memory(), MOVE, applied=D(40), at=NOON)
    account = an_observation(a_position()).account
    for seconds, count in ((14, 1), (15, 0)):
        decision = replace(HOLD, at=NOON + timedelta(seconds=seconds))
        after = remember(memory, decision, account=account, effects=(), unsettled=())
        assert len(after.landed) == count


def test_what_never_left_is_not_counted_on_and_its_claim_ends_all_the_same() -> None:
    memory = land(Memory(claims=(WAITS,)), MOVE, applied=D(0), at=NOON)
    assert memory.landed == ()
    assert memory.claims == (replace(WAITS, until=NOON + timedelta(seconds=15)),)


@pytest.mark.parametrize("confirmed", [0, 50, 100])
@pytest.mark.parametrize("applied", [0, 30, 50, 100])
def test_no_more_is_there_again_than_was_taken_for_gone(confirmed: int, applied: int) -> None:
    # 1,000 less what the venue had confirmed of the 100 that were sent.
    claims = (replace(WAITS, at_most=D(1000 - confirmed)),)
    found = correct(Memory(claims=claims), ADD, believed=D(confirmed), applied=D(applied))
    assert found.claims == (replace(WAITS, at_most=D(1000 - applied)),)


def test_what_is_no_transfer_lands_nowhere() -> None:
    memory = Memory(claims=(WAITS,))
    assert land(memory, ADD, applied=D(100), at=NOON) == memory


@pytest.mark.parametrize("field", ["in_transit", "unsettled"])
def test_a_claim_goes_on_while_something_else_is_on_its_way_there(field: str) -> None:
    open_: dict[str, Any] = {field: (ADD, replace(MOVE, amount=D(7)))}
    memory = land(Memory(claims=(WAITS,), **open_), MOVE, applied=D(50), at=NOON)
    assert memory.claims == (WAITS,)
    assert len(memory.landed) == 1


STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(50000), is_needed=True)
CLOSE = ReducePosition(key=KEY, size=D(1), limit_price=D(59000))


def test_what_waits_is_asked_of_its_own_position_and_its_own_kind() -> None:
    other = a_position(ETH).key
    memory = Memory(unsettled=(ADD, REMOVE, MOVE))
    assert (memory.unsettled_moves(KEY), memory.unsettled_moves(other)) == (2, 0)
    assert not memory.is_order_unsettled(KEY)
    assert not memory.is_stop_unsettled(KEY)
    memory = Memory(unsettled=(CLOSE,))
    assert (memory.is_order_unsettled(KEY), memory.is_order_unsettled(other)) == (True, False)
    assert memory.unsettled_moves(KEY) == 0
    cancel = CancelStop(key=KEY, stop_id="1", client_id="pl1")
    for change in (STOP, cancel):
        memory = Memory(unsettled=(change,))
        assert (memory.is_stop_unsettled(KEY), memory.is_stop_unsettled(other)) == (True, False)


CARRIED = Carried(kind="k", values=(("since", "1"),))


def test_a_strategy_is_told_what_came_before_for_its_position() -> None:
    entry = replace(own(100), carried=written(CARRIED) or "")
    moves = (Move(at=HOUR_AGO, action=ADD), Move(at=NOON, action=STOP))
    past = Memory(keys=(entry,), moves=moves).past_of(KEY, now=NOON)
    assert (past.now, past.moved_at, past.carried) == (NOON, HOUR_AGO, CARRIED)


def seen_with(margin: str, memory: Memory, *, at: datetime, carry: Carried | None) -> Memory:
    """Return the memory after a look at one position whose strategy carries this."""

    def choose(risk: PositionRisk, market: Market) -> LeverageBand:
        del market
        return replace(band_at_distances(risk, LEVELS), carry=carry)

    seen = an_observation(a_position(margin=margin), at=at)
    decision = decide(seen, memory, a_policy(), choose=choose)
    return remember(memory, decision, account=seen.account, effects=(), unsettled=())


def test_since_when_a_position_stands_beyond_is_remembered_until_it_does_not() -> None:
    later = NOON + timedelta(seconds=5)
    memory = seen_with("20000", Memory(), at=NOON, carry=None)
    assert memory.of(KEY).beyond_since == NOON
    assert seen_with("20000", memory, at=later, carry=None).of(KEY).beyond_since == NOON
    assert seen_with("9205", memory, at=later, carry=None).of(KEY) == KeyMemory(key=KEY)
    # Just at the level: 60,000 - 0.996 * 45,000.
    assert seen_with("15180", memory, at=later, carry=None).of(KEY).beyond_since is None


def test_what_a_strategy_carries_replaces_what_it_carried() -> None:
    memory = seen_with("9205", Memory(), at=NOON, carry=CARRIED)
    assert memory.of(KEY).carried == written(CARRIED)
    assert seen_with("9205", memory, at=NOON, carry=None).of(KEY).carried == ""


def test_without_a_band_what_was_carried_stays() -> None:
    memory = seen_with("9205", Memory(), at=NOON, carry=CARRIED)
    seen = an_observation(a_position(margin_mode=MarginMode.CROSS))
    decision = decide(seen, memory, a_policy(), choose=choose_always)
    after = remember(memory, decision, account=seen.account, effects=(), unsettled=())
    assert after.of(KEY).carried == written(CARRIED)


@pytest.mark.parametrize(
    "state",
    [IntentState.WRITTEN, IntentState.DROPPED, IntentState.REJECTED, IntentState.ABSENT],
)
def test_what_had_no_effect_is_not_recalled(state: IntentState) -> None:
    assert recalled(Memory(), [replace(an_intent(), state=state)]) == Memory()


def test_nothing_is_remembered_at_first() -> None:
    assert Memory().good_polls == 0


def taken(*effects: Action) -> Memory:
    """Return the memory after effects on two BTC, of whose margin the bot added 100."""
    account = an_observation(a_position(size="2")).account
    memory = Memory(keys=(own(100),))
    return remember(memory, HOLD, account=account, effects=effects, unsettled=())


def test_what_was_added_shrinks_with_the_position_and_never_below_nothing() -> None:
    assert taken(replace(CLOSE, size=D("0.5"))).of(KEY).added == 75
    assert taken(replace(CLOSE, size=D(2))).of(KEY).added == 0
    assert taken(MOVE, STOP).of(KEY).added == 100
    assert taken(MOVE).in_transit == (MOVE,)


def test_a_day_of_moves_and_a_minute_of_stops_is_remembered() -> None:
    cancel = CancelStop(key=KEY, stop_id="1", client_id="pl1")
    account = an_observation(a_position()).account
    moves = tuple(Move(at=NOON, action=action) for action in (ADD, STOP, cancel))
    for ago, count in (
        (timedelta(minutes=1), 3),
        (timedelta(minutes=1, seconds=1), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, seconds=1), 0),
    ):
        decision = replace(HOLD, at=NOON + ago)
        after = remember(Memory(moves=moves), decision, account=account, effects=(), unsettled=())
        assert len(after.moves) == count


def test_what_is_given_up_is_no_longer_waited_for() -> None:
    found = give_up(Memory(unsettled=(ADD, CLOSE)), ADD)
    assert (found.unsettled, found.given_up) == ((CLOSE,), (ADD,))


def test_of_what_is_read_back_as_confirmed_nothing_changes_but_its_arrival() -> None:
    memory = Memory(keys=(own(100),), moves=(Move(at=NOON, action=ADD),), in_transit=(MOVE,))
    assert correct(memory, ADD, believed=D(100), applied=D(100)) == memory
    less = correct(memory, ADD, believed=D(100), applied=D(60))
    assert less.of(KEY).added == 60
    assert less.moves == (Move(at=NOON, action=replace(ADD, amount=D(60))),)


def test_what_had_no_effect_keeps_nothing_after_it_from_being_recalled() -> None:
    gone = replace(an_intent(action=ADD), state=IntentState.REJECTED)
    done = replace(gone, state=IntentState.DONE)
    assert recalled(Memory(), [gone, done]).of(KEY).added == 100


def test_a_transfer_elsewhere_does_not_keep_a_claim() -> None:
    memory = Memory(claims=(WAITS,), in_transit=(replace(MOVE, destination="earn"),))
    found = land(memory, MOVE, applied=D(50), at=NOON)
    assert found.claims == (replace(WAITS, until=NOON + timedelta(seconds=15)),)


def test_a_claim_lasts_while_anything_is_not_settled_and_not_longer() -> None:
    account = an_observation(a_position()).account
    short = replace(WAITS, until=NOON + timedelta(seconds=5))
    for waiting, seconds in (((ADD,), 15), ((), 5)):
        memory = Memory(claims=(short,), unsettled=waiting)
        after = remember(memory, HOLD, account=account, effects=(), unsettled=())
        assert after.claims == (replace(short, until=NOON + timedelta(seconds=seconds)),)


def test_what_was_proven_of_no_position_or_as_nothing_is_remembered_of_none() -> None:
    assert settle(Memory(unsettled=(MOVE,)), MOVE, applied=D(50)).keys == ()
    assert settle(Memory(unsettled=(ADD,)), ADD, applied=D(0)).keys == ()


def test_a_person_who_takes_all_leaves_nothing_of_the_bots() -> None:
    memory = adopt(Memory(keys=(own(100),)), [KEY], amount=D(-300), at=NOON)
    assert memory.of(KEY).added == 0
