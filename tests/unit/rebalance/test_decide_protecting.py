"""What does a position get that stands below its trigger, and when is some of it closed?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

from bot.domain.action import AddMargin, ReducePosition, Transfer
from bot.domain.decision import Verdict
from bot.domain.instrument import MarginRelease
from bot.domain.position import MarginMode
from bot.rebalance.claims import LONGEST_WAY
from bot.rebalance.memory import Memory, Move
from tests.kit.builders import (
    BTC,
    ETH,
    LEVELS,
    NOON,
    a_market,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
)
from tests.kit.deciding import NEEDED_AT_TARGET, PICKY, decided


def test_a_position_below_its_trigger_gets_margin_up_to_the_target() -> None:
    found = decided(an_observation(a_position(margin="5000"), futures="10000"))
    assert found.verdict is Verdict.ACT
    (step,) = found.approved
    assert step.action == AddMargin(
        key=a_position().key, amount=NEEDED_AT_TARGET - 5000, currency="USDT"
    )
    assert step.after is not None
    assert step.after.distance is not None
    assert step.after.distance >= LEVELS.target


def test_what_is_near_enters_at_once_and_the_rest_is_sent_on_its_way() -> None:
    found = decided(an_observation(a_position(margin="5000"), futures="1000", spot="10000"))
    add, transfer = (step.action for step in found.approved)
    assert isinstance(add, AddMargin)
    assert add.amount == D("999.99")  # a cent stays: what is sent carries digits of its own
    assert transfer == Transfer(
        source="spot", destination="futures", amount=D("3205.01"), currency="USDT"
    )


def test_money_on_its_way_is_not_sent_again_and_nothing_is_closed_for_its_delay() -> None:
    moved = Transfer(source="spot", destination="futures", amount=D(4300), currency="USDT")
    seen = an_observation(a_position(margin="5000"), futures="0", spot="0")
    sent = (Move(at=NOON - LONGEST_WAY, action=moved),)
    found = decided(seen, memory=Memory(in_transit=(moved,), moves=sent))
    assert found.approved == ()
    found = decided(
        replace(seen, at=seen.at + timedelta(seconds=1)),
        memory=Memory(in_transit=(moved,), moves=sent),
    )
    assert [step.action.kind for step in found.approved][:1] == ["reduce_position"]


def test_what_arrived_enters_without_waiting_for_the_cooldown() -> None:
    add = AddMargin(key=a_position().key, amount=D(100), currency="USDT")
    moved = Transfer(source="spot", destination="futures", amount=D(4300), currency="USDT")
    at = NOON - timedelta(seconds=1)
    seen = an_observation(a_position(margin="5000"), futures="4300")
    waiting = decided(seen, memory=Memory(moves=(Move(at=at, action=add),)))
    assert waiting.reason == "cooldown"
    moves = (Move(at=at, action=add), Move(at=at, action=moved))
    found = decided(seen, memory=Memory(moves=moves))
    assert isinstance(found.approved[0].action, AddMargin)


def test_the_reserve_is_not_touched() -> None:
    policy = a_policy(reserves=(("futures", D(900)), ("spot", D(10000))))
    found = decided(
        an_observation(a_position(margin="5800"), futures="1000", spot="10000"), policy=policy
    )
    assert [step.action for step in found.approved] == [
        AddMargin(key=a_position().key, amount=D("99.99"), currency="USDT"),
        *[step.action for step in found.approved[1:]],
    ]
    assert not any(isinstance(step.action, Transfer) for step in found.approved)


def test_a_position_that_no_wallet_can_save_is_shrunk_and_the_release_added_back() -> None:
    found = decided(an_observation(a_position(margin="4000"), futures="0"))
    reduce, re_add = (step.action for step in found.approved)
    assert isinstance(reduce, ReducePosition)
    assert isinstance(re_add, AddMargin)
    assert re_add.after_reduction
    last = found.approved[-1].after
    assert last is not None
    assert last.distance is not None
    assert last.distance >= LEVELS.trigger


def test_the_reduction_is_the_smallest_that_is_enough() -> None:
    found = decided(an_observation(a_position(margin="4000"), futures="0"))
    last = found.approved[-1].after
    assert last is not None
    assert last.distance is not None
    # One lot less would not reach the target; the worst price was charged.
    assert last.distance < LEVELS.target + D("0.001")


def test_where_release_is_unknown_the_second_half_waits_for_the_next_look() -> None:
    instrument = an_instrument(margin_release=MarginRelease.UNKNOWN)
    found = decided(
        an_observation(a_position(margin="4000"), futures="0", instruments=(instrument,))
    )
    assert [type(step.action) for step in found.approved] == [ReducePosition]


def test_a_reduction_takes_no_more_than_the_book_shows() -> None:
    markets = (a_market(depth="0.05"),)
    found = decided(an_observation(a_position(margin="3000"), futures="0", markets=markets))
    (reduce,) = (s.action for s in found.approved if isinstance(s.action, ReducePosition))
    assert reduce.size == D("0.05")


def test_the_most_endangered_position_is_served_first() -> None:
    btc = a_position(BTC, margin="5500")
    eth = a_position(ETH, size="20", entry="3000", mark="3000", margin="4500")
    found = decided(an_observation(btc, eth, futures="1000"))
    assert found.positions[0].key == eth.key
    first = found.approved[0].action
    assert isinstance(first, AddMargin)
    assert first.key == eth.key


def test_everyone_reaches_the_trigger_before_anyone_reaches_the_target() -> None:
    btc = a_position(BTC, margin="6000")  # needs about 270 to its trigger
    eth = a_position(ETH, size="20", entry="3000", mark="3000", margin="5900")
    found = decided(an_observation(btc, eth, futures="700"))
    touched = {s.action.key for s in found.approved if isinstance(s.action, AddMargin)}
    assert touched == {btc.key, eth.key}
    assert all(v.risk.distance is not None for v in found.positions)
    for step in found.approved:
        assert step.after is not None
        assert step.after.distance is not None
        assert step.after.distance >= LEVELS.trigger


def test_a_cross_position_is_named_and_the_isolated_one_still_protected() -> None:
    cross = a_position(ETH, size="1", entry="3000", mark="3000", margin_mode=MarginMode.CROSS)
    found = decided(an_observation(a_position(margin="5000"), cross, futures="9000"))
    assert found.verdict is Verdict.ACT
    assert [r.code for r in found.refusals] == ["cross_margin"]
    # 9,000 in the wallet bear whatever it does: the venue shows no price, and we have none.
    shown = next(v for v in found.positions if v.key == cross.key)
    assert (shown.risk.equity, shown.risk.distance, shown.risk.is_known) == (D(9000), None, True)


def test_a_small_position_gets_the_smallest_move_instead_of_being_closed() -> None:
    small = a_position(size="0.001", entry="60000", mark="60000", margin="5.9")
    found = decided(an_observation(small, futures="100"))
    (step,) = found.approved
    assert isinstance(step.action, AddMargin)
    assert step.action.amount == a_policy().min_move


def test_a_wallet_that_the_account_does_not_have_is_not_drawn_on() -> None:
    found = decided(
        an_observation(a_position(margin="5000"), futures="1000", spot="10000"),
        policy=a_policy(transfer_from=("earn", "spot")),
    )
    moved = [s.action.source for s in found.approved if isinstance(s.action, Transfer)]
    assert moved == ["spot"]


def test_a_routine_move_that_is_too_small_a_part_of_the_way_waits_and_nothing_is_closed() -> None:
    found = decided(an_observation(a_position(margin="6100"), futures="400"), policy=PICKY)
    assert found.approved == ()
    assert [refusal.code for refusal in found.refusals] == ["too_small"]
    free = decided(an_observation(a_position(margin="6100"), futures="400"))
    assert [s.action.kind for s in free.approved] == ["add_margin"]


def test_an_emergency_takes_whatever_there_is() -> None:
    found = decided(an_observation(a_position(margin="3000"), futures="400"), policy=PICKY)
    first = found.approved[0].action
    assert isinstance(first, AddMargin)
    assert first.amount == D("399.99")


def test_a_little_margin_beside_a_close_is_used() -> None:
    found = decided(an_observation(a_position(margin="5000"), futures="400"), policy=PICKY)
    kinds = [s.action.kind for s in found.approved]
    assert kinds == ["add_margin", "reduce_position", "add_margin"]


def test_a_little_margin_that_does_not_reach_and_cannot_be_helped_does_not_drip() -> None:
    order = ReducePosition(key=a_position().key, size=D("0.1"), limit_price=D(59000))
    seen = an_observation(a_position(margin="5000"), futures="400")
    found = decided(seen, memory=Memory(unsettled=(order,)), policy=PICKY)
    assert found.approved == ()
    assert [refusal.code for refusal in found.refusals] == ["short_of_funds"]


def test_a_small_part_that_is_here_waits_for_the_rest_that_is_not() -> None:
    found = decided(
        an_observation(a_position(margin="5000"), futures="400", spot="10000"), policy=PICKY
    )
    (transfer,) = (s.action for s in found.approved)
    assert isinstance(transfer, Transfer)
    assert transfer.amount == D("3805.01")  # with the 399.99 that are here: to the target


def test_where_a_move_may_not_be_larger_it_is_large_enough() -> None:
    policy = replace(PICKY, max_margin_per_action=D(500))
    found = decided(an_observation(a_position(margin="6100"), futures="9000"), policy=policy)
    (step,) = found.approved
    assert isinstance(step.action, AddMargin)
    assert step.action.amount == 500
