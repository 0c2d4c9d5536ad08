from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.band import LeverageBand
from bot.domain.decision import Decision, Urgency, Verdict
from bot.domain.instrument import MarginRelease
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.position import MarginMode
from bot.domain.risk import PositionRisk
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.claims import LONGEST_WAY
from bot.rebalance.decide import decide
from bot.rebalance.memory import KeyMemory, Memory, Move, remember
from bot.rebalance.policy import Policy
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
    choose,
)


def decided(
    observation: Observation, *, memory: Memory | None = None, policy: Policy | None = None
) -> Decision:
    return decide(observation, memory or Memory(), policy or a_policy(), choose=choose)


# 15 % below 60,000 a long of 1 BTC needs 60,000 - 0.995 * 60,000 * 0.85 - 50 = 9,205.
NEEDED_AT_TARGET = D(9205)


def test_a_position_inside_its_band_is_left_alone_and_the_reason_is_recorded() -> None:
    found = decided(an_observation(a_position(margin="8000")))
    assert (found.verdict, found.reason) == (Verdict.HOLD, "inside_band")
    assert found.positions[0].band is not None
    assert found.approved == ()


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


@pytest.mark.parametrize(("seconds", "reason"), [(9, "cooldown"), (10, "below_trigger")])
def test_a_position_that_a_person_touched_is_left_alone_unless_it_is_an_emergency(
    seconds: int, reason: str
) -> None:
    touched = KeyMemory(key=a_position().key, touched_at=NOON - timedelta(seconds=seconds))
    memory = Memory(keys=(touched,))
    near = decided(an_observation(a_position(margin="5000"), futures="9000"), memory=memory)
    assert near.reason == reason
    nearest = decided(an_observation(a_position(margin="1000"), futures="9000"), memory=memory)
    assert nearest.verdict is Verdict.ACT


def test_margin_is_not_given_back_soon_after_a_person_moved_some() -> None:
    key = a_position().key
    long_ago = NOON - timedelta(hours=2)
    entry = KeyMemory(key=key, added=D(5000), beyond_since=long_ago)
    seen = an_observation(a_position(margin="20000"))
    assert decided(seen, memory=Memory(keys=(entry,))).urgency is Urgency.ROUTINE
    touched = replace(entry, touched_at=NOON - timedelta(seconds=599))
    held = decided(seen, memory=Memory(keys=(touched,)))
    assert (held.urgency, held.reason) == (Urgency.HOLD, "rebalance_interval")


def test_an_emergency_skips_the_cooldown_and_routine_does_not() -> None:
    recent = Move(
        at=NOON - timedelta(seconds=3),
        action=AddMargin(key=a_position().key, amount=D(10), currency="USDT"),
    )
    memory = Memory(moves=(recent,))
    near = decided(an_observation(a_position(margin="5000"), futures="9000"), memory=memory)
    assert (near.verdict, near.reason) == (Verdict.HOLD, "cooldown")
    nearest = decided(an_observation(a_position(margin="1000"), futures="9000"), memory=memory)
    assert nearest.urgency is Urgency.EMERGENCY
    assert nearest.verdict is Verdict.ACT


@pytest.mark.parametrize(
    ("memory", "reason"),
    [
        pytest.param(Memory(), "nothing_to_give_back", id="nothing was added"),
        pytest.param(
            Memory(keys=(KeyMemory(key=a_position().key, added=D(500)),)),
            "give_back_unconfirmed",
            id="first look beyond",
        ),
        pytest.param(
            Memory(
                keys=(
                    KeyMemory(
                        key=a_position().key,
                        added=D(500),
                        beyond_since=NOON - timedelta(minutes=10),
                    ),
                ),
                moves=(
                    Move(
                        at=NOON - timedelta(minutes=2),
                        action=AddMargin(key=a_position().key, amount=D(500), currency="USDT"),
                    ),
                ),
            ),
            "rebalance_interval",
            id="moved a moment ago",
        ),
    ],
)
def test_margin_stays_until_giving_back_is_confirmed(memory: Memory, reason: str) -> None:
    found = decided(an_observation(a_position(margin="20000")), memory=memory)
    assert (found.verdict, found.reason) == (Verdict.HOLD, reason)


GIVE_BACK = Memory(
    keys=(KeyMemory(key=a_position().key, added=D(500), beyond_since=NOON - timedelta(minutes=10)),)
)


def test_only_margin_that_the_bot_added_is_given_back() -> None:
    position = a_position(margin="20000", venue_liquidation_price="39999")
    position = replace(position, venue_liquidation_price=D("40152.7638"))
    found = decided(an_observation(position), memory=GIVE_BACK)
    assert [s.action for s in found.approved] == [
        RemoveMargin(key=position.key, amount=D(500), currency="USDT")
    ]


def test_nothing_is_given_back_on_numbers_that_are_doubted() -> None:
    position = a_position(margin="20000")

    def doubting(risk: PositionRisk, market: Market) -> LeverageBand:
        return replace(choose(risk, market), may_give_back=False)

    seen = an_observation(position)
    found = decide(seen, GIVE_BACK, a_policy(), choose=doubting)
    assert (found.verdict, found.reason) == (Verdict.HOLD, "give_back_forbidden")
    after = remember(GIVE_BACK, found, account=seen.account, effects=(), unsettled=())
    assert after.of(position.key).beyond_since is None  # what was confirmed counts no more


@pytest.mark.parametrize(
    ("position", "age", "mode", "code"),
    [
        pytest.param(
            a_position(margin="20000", venue_liquidation_price="39000"),
            0,
            Mode.NORMAL,
            "liquidation_price_disputed",
            id="the venue disagrees",
        ),
        pytest.param(
            a_position(margin="20000"),
            0,
            Mode.NORMAL,
            "liquidation_price_disputed",
            id="the venue gives no price",
        ),
        pytest.param(
            a_position(margin="20000", venue_liquidation_price="40152.7638"),
            6,
            Mode.NORMAL,
            "input_stale",
            id="inputs are old",
        ),
    ],
)
def test_giving_back_is_refused_on_doubt(
    position: object, age: float, mode: Mode, code: str
) -> None:
    found = decided(
        an_observation(position, age_seconds=age),  # type: ignore[arg-type]  # a parameter
        memory=replace(GIVE_BACK, mode=mode),
    )
    assert (found.verdict, found.reason) == (Verdict.REFUSE, code)


def test_a_degraded_bot_protects_and_gives_nothing_back() -> None:
    position = a_position(margin="20000", venue_liquidation_price="40152.7638")
    memory = replace(GIVE_BACK, mode=Mode.DEGRADED)
    assert decided(an_observation(position), memory=memory).approved == ()
    low = decided(an_observation(a_position(margin="5000"), futures="9000"), memory=memory)
    assert low.verdict is Verdict.ACT


@pytest.mark.parametrize(
    ("mode", "reason"), [(Mode.OBSERVE, "mode_forbids"), (Mode.KILLED, "killed")]
)
def test_a_bot_that_may_only_read_sends_nothing(mode: Mode, reason: str) -> None:
    found = decided(
        an_observation(a_position(margin="1000"), futures="9000"), memory=Memory(mode=mode)
    )
    assert (found.verdict, found.reason, found.approved) == (Verdict.REFUSE, reason, ())


def test_a_degraded_bot_transfers_nothing() -> None:
    found = decided(
        an_observation(a_position(margin="5000"), futures="1000", spot="10000"),
        memory=Memory(mode=Mode.DEGRADED),
    )
    assert not any(isinstance(s.action, Transfer) for s in found.approved)


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        pytest.param(
            an_observation(a_position(), age_seconds=16), "stale_account", id="old account"
        ),
        pytest.param(
            an_observation(a_position(), markets=(a_market(mark_at=NOON - timedelta(seconds=16)),)),
            "stale_mark",
            id="old mark",
        ),
        pytest.param(an_observation(a_position(), markets=()), "missing_market", id="no market"),
        pytest.param(
            an_observation(a_position(), instruments=()), "missing_instrument", id="no rules"
        ),
        pytest.param(
            an_observation(a_position(), markets=(a_market(mark="61000"),)),
            "mark_split",
            id="two marks",
        ),
    ],
)
def test_an_unfit_observation_is_not_decided_upon(observation: Observation, reason: str) -> None:
    found = decided(observation)
    assert (found.verdict, found.reason) == (Verdict.NOT_READY, reason)
    assert found.approved == ()


def test_a_cross_position_is_named_and_the_isolated_one_still_protected() -> None:
    cross = a_position(ETH, size="1", entry="3000", mark="3000", margin_mode=MarginMode.CROSS)
    found = decided(an_observation(a_position(margin="5000"), cross, futures="9000"))
    assert found.verdict is Verdict.ACT
    assert [r.code for r in found.refusals] == ["cross_margin"]


def test_no_second_margin_move_while_one_is_not_settled() -> None:
    waiting = AddMargin(key=a_position().key, amount=D(100), currency="USDT")
    memory = Memory(unsettled=(waiting,))
    found = decided(an_observation(a_position(margin="5000"), futures="9000"), memory=memory)
    assert not any(isinstance(s.action, AddMargin) for s in found.approved)


def test_budgets_count_what_was_spent_before() -> None:
    spent = Move(
        at=NOON - timedelta(minutes=30),
        action=AddMargin(key=a_position().key, amount=D(900), currency="USDT"),
    )
    policy = a_policy(
        max_margin_per_action=D(1000), max_margin_per_hour=D(1000), max_margin_per_day=D(1000)
    )
    found = decided(
        an_observation(a_position(margin="5500"), futures="9000"),
        memory=Memory(moves=(spent,)),
        policy=policy,
    )
    adds = [s.action for s in found.approved if isinstance(s.action, AddMargin)]
    assert [a.amount for a in adds if not a.after_reduction] == [D("99.99")]


def test_an_account_without_positions_holds() -> None:
    found = decided(an_observation())
    assert (found.verdict, found.reason) == (Verdict.HOLD, "no_positions")


def test_a_strategy_that_cannot_choose_is_named() -> None:
    def refuse(risk: PositionRisk, market: Market) -> LeverageBand:
        raise ValueError(f"history of {market.symbol} for {risk.position.side} is too short")

    found = decide(an_observation(a_position()), Memory(), a_policy(), choose=refuse)
    assert (found.verdict, found.reason) == (Verdict.REFUSE, "no_band")
    assert "history of BTC/USDT:USDT" in found.refusals[0].text


def test_a_small_position_gets_the_smallest_move_instead_of_being_closed() -> None:
    small = a_position(size="0.001", entry="60000", mark="60000", margin="5.9")
    found = decided(an_observation(small, futures="100"))
    (step,) = found.approved
    assert isinstance(step.action, AddMargin)
    assert step.action.amount == a_policy().min_move


def test_a_removal_that_was_given_up_on_keeps_its_position_from_giving_more_back() -> None:
    position = a_position(margin="20000", venue_liquidation_price="40152.7638")
    lost = RemoveMargin(key=position.key, amount=D(40), currency="USDT")
    memory = replace(GIVE_BACK, given_up=(lost,))
    found = decided(an_observation(position), memory=memory)
    assert (found.approved, found.refusals) == ((), ())


def test_margin_of_the_owner_returns_where_he_allows_it() -> None:
    position = a_position(margin="20000", venue_liquidation_price="40152.7638")
    policy = a_policy(only_own_margin=False)
    (step,) = decided(an_observation(position), memory=GIVE_BACK, policy=policy).approved
    # All above the 9,205 that the target needs.
    assert step.action == RemoveMargin(
        key=position.key, amount=20000 - NEEDED_AT_TARGET, currency="USDT"
    )


@pytest.mark.parametrize(
    ("leverage", "added", "least"),
    [("3", "500", "5"), ("20", "0.004", "0"), ("20", "4.99", "5")],
    ids=["the venue keeps it", "less than a step", "less than the smallest move"],
)
def test_when_nothing_can_return_the_reason_is_told(leverage: str, added: str, least: str) -> None:
    position = a_position(
        margin="20000", leverage_setting=leverage, venue_liquidation_price="40152.7638"
    )
    own = replace(GIVE_BACK.keys[0], added=D(added))
    found = decided(
        an_observation(position),
        memory=replace(GIVE_BACK, keys=(own,)),
        policy=a_policy(min_move=D(least)),
    )
    assert found.approved == ()
    assert [refusal.code for refusal in found.refusals] == ["nothing_removable"]
    assert ("a person may raise the setting to" in found.refusals[0].text) == (leverage == "3")


def test_nothing_returns_from_a_position_that_the_venue_tops_up() -> None:
    position = a_position(
        margin="20000", leverage_setting="20", venue_liquidation_price="40152.7638",
        venue_adds_margin=True,
    )  # fmt: skip
    found = decided(an_observation(position), memory=GIVE_BACK)
    assert found.approved == ()
    assert [refusal.code for refusal in found.refusals] == ["venue_adds_margin"]
    own = replace(position, venue_adds_margin=False)
    assert len(decided(an_observation(own), memory=GIVE_BACK).approved) == 1


def test_a_wallet_that_the_account_does_not_have_is_not_drawn_on() -> None:
    found = decided(
        an_observation(a_position(margin="5000"), futures="1000", spot="10000"),
        policy=a_policy(transfer_from=("earn", "spot")),
    )
    moved = [s.action.source for s in found.approved if isinstance(s.action, Transfer)]
    assert moved == ["spot"]


@pytest.mark.parametrize(
    ("minutes", "limits", "is_added"),
    [
        (59, {"max_moves_per_hour": 1}, False),
        (61, {"max_moves_per_hour": 1}, False),  # a quarter of one is none
        (61, {"max_moves_per_hour": 2}, True),
        (59, {"max_moves_per_hour": 2}, False),
        (61, {"max_moves_per_day": 2}, False),
        (61, {"max_moves_per_day": 3}, True),
    ],
)
def test_a_position_gets_margin_only_so_often_and_a_quarter_waits_for_emergencies(
    minutes: int, limits: dict[str, int], is_added: bool
) -> None:
    earlier = Move(
        at=NOON - timedelta(minutes=minutes),
        action=AddMargin(key=a_position().key, amount=D(7), currency="USDT"),
    )
    found = decided(
        an_observation(a_position(margin="5500"), futures="9000"),
        memory=Memory(moves=(earlier,)),
        policy=a_policy(**limits),
    )
    added = [s for s in found.approved if isinstance(s.action, AddMargin)]
    assert any(s.why == "below_trigger" for s in added) == is_added


# From trigger to target a long of 1 BTC at 60,000 needs about 2,985 more; a quarter is about 746.
PICKY = a_policy(min_effect=D("0.25"))


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


@pytest.mark.parametrize(
    ("margin", "added", "given_back"),
    [
        # All that the bot added: it will never be more.
        ("20000", "500", ["500"]),
        # 9,205 are needed at the target: what is above it is too small a part.
        ("9705", "3000", []),
        ("10205", "3000", ["1000"]),
    ],
)
def test_margin_returns_in_moves_that_are_worth_it(
    margin: str, added: str, given_back: list[str]
) -> None:
    position = a_position(margin=margin)
    risk = assess(position, an_instrument())
    position = replace(position, venue_liquidation_price=risk.liquidation_price)
    own = replace(GIVE_BACK.keys[0], added=D(added))
    narrow = replace(LEVELS, give_back=D("0.155"))
    found = decide(
        an_observation(position),
        replace(GIVE_BACK, keys=(own,)),
        PICKY,
        choose=lambda risk, _: band_at_distances(risk, narrow),
    )
    moved = [s.action.amount for s in found.approved if isinstance(s.action, RemoveMargin)]
    assert moved == [D(amount) for amount in given_back]
    assert bool(found.refusals) == (not given_back)
