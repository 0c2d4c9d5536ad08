from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, ReducePosition
from bot.domain.band import LeverageBand
from bot.domain.decision import Decision, Verdict
from bot.domain.market import BookLevel, Market
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, PositionKey, Side
from bot.domain.risk import PositionRisk
from bot.domain.switch import Pause
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory, Move
from bot.rebalance.remembering import remember
from bot.rebalance.review_stops import review_cancel, review_place
from tests.kit.builders import (
    BTC,
    ETH,
    NOON,
    a_market,
    a_policy,
    a_position,
    a_stop,
    an_instrument,
    an_observation,
    choose,
)

LONG = PositionKey(BTC, Side.LONG)
# A long of 1 BTC from 60,000 with a margin of 9,000 is liquidated at (51,000 - 50) / 0.995, and
# its emergency begins at that over 0.95.
LIQUIDATION = D(50950) / D("0.995")
EMERGENCY = LIQUIDATION / D("0.95")
# Closing it costs 30 of slippage and 29.985 of fee, so its room begins at that over 0.99900025.
PLACE = D("52579.2")
"""Half of the way from 51,257.3 to 53,901.1, up to a tick."""


def decided(observation: Observation, *, memory: Memory | None = None) -> Decision:
    return decide(observation, memory or Memory(), a_policy(resident_stops=True), choose=choose)


def safe(*stops: object, **changes: object) -> Observation:
    return an_observation(a_position(margin="9000"), stops=stops, **changes)  # type: ignore[arg-type]  # any field by name


def actions(decision: Decision) -> list[Action]:
    return [step.action for step in decision.approved]


def place(price: D = PLACE, *, size: str = "1", is_needed: bool = True) -> PlaceStop:
    return PlaceStop(key=LONG, size=D(size), stop_price=price, is_needed=is_needed)


def cancel(stop_id: str) -> CancelStop:
    return CancelStop(key=LONG, stop_id=stop_id, client_id=f"plabcd0001{stop_id:0>6}")


def test_a_position_without_a_stop_gets_one_for_all_of_it() -> None:
    found = decided(safe())
    assert actions(found) == [place()]
    assert (found.verdict, found.reason) == (Verdict.ACT, "no_stop_stands")
    assert LIQUIDATION < PLACE < EMERGENCY
    assert found.refusals == ()


def test_without_the_setting_no_stop_is_planned() -> None:
    found = decide(safe(), Memory(), a_policy(), choose=choose)
    assert (found.verdict, found.approved) == (Verdict.HOLD, ())


def test_a_stop_that_stands_in_its_room_is_left_alone_and_shown() -> None:
    found = decided(safe(a_stop("52000")))
    assert (found.verdict, found.approved) == (Verdict.HOLD, ())
    assert found.positions[0].stop == a_stop("52000")


def test_a_short_gets_its_stop_below_its_liquidation_price_rounded_down() -> None:
    short = a_position(size="-1", margin="9000")
    (action,) = actions(decided(an_observation(short)))
    assert isinstance(action, PlaceStop)
    liquidation = D(69050) / D("1.005")
    assert liquidation / D("1.05") < action.stop_price < liquidation
    assert action.key == PositionKey(BTC, Side.SHORT)


@pytest.mark.parametrize(
    "old",
    [
        pytest.param(a_stop("53850"), id="too near to the emergency"),
        pytest.param(a_stop("51300"), id="too near to liquidation"),
        pytest.param(a_stop("55000"), id="would fire before the emergency"),
    ],
)
def test_a_stop_out_of_its_room_is_replaced_the_new_one_first(old: object) -> None:
    found = decided(safe(old))
    assert actions(found) == [place(is_needed=False), cancel("1")]


@pytest.mark.parametrize(
    "old",
    [
        pytest.param(a_stop("52000", size="0.9"), id="another size"),
        pytest.param(a_stop("52000", on_mark=False), id="not on mark"),
        pytest.param(a_stop("51000"), id="beyond liquidation"),
    ],
)
def test_a_stop_that_does_not_protect_counts_as_none(old: object) -> None:
    found = decided(safe(old))
    assert actions(found) == [place(), cancel("1")]
    assert found.positions[0].stop is None


def test_a_stop_that_closes_whatever_is_open_covers_any_size() -> None:
    assert decided(safe(a_stop("52000", size=None))).approved == ()


def test_of_several_stops_the_best_placed_stays() -> None:
    found = decided(safe(a_stop("51800", stop_id="1"), a_stop("52500", stop_id="2")))
    assert actions(found) == [cancel("1")]


def test_a_stop_of_somebody_else_is_shown_and_neither_counted_nor_touched() -> None:
    foreign = a_stop("52000", is_ours=False, stop_id="77")
    found = decided(safe(foreign))
    assert actions(found) == [place()]
    assert found.stops == (foreign,)
    assert found.positions[0].stop is None
    assert actions(decided(safe(foreign), memory=Memory(mode=Mode.DEGRADED))) == [place()]


def test_a_book_better_than_mark_makes_no_room_nearer_than_the_fee() -> None:
    market = replace(a_market(), bids=(BookLevel(price=D(60600), size=D(100)),))
    (stop,) = actions(decided(safe(markets=(market,))))
    assert isinstance(stop, PlaceStop)
    near = LIQUIDATION / (1 - D("0.0005"))
    assert 0 <= stop.stop_price - (near + EMERGENCY) / 2 < D("0.1")


def test_our_stop_of_a_position_that_is_gone_is_taken_back() -> None:
    orphan = a_stop("65000", side=Side.SHORT, stop_id="9")
    found = decided(safe(a_stop("52000"), orphan))
    assert actions(found) == [CancelStop(key=orphan.key, stop_id="9", client_id=orphan.client_id)]
    assert found.approved[0].why == "stop_orphaned"


def test_the_stop_follows_the_margin_that_is_added_in_the_same_decision() -> None:
    endangered = a_position(margin="5000")
    found = decided(an_observation(endangered, futures="10000", stops=(a_stop("56000"),)))
    add, stop, gone = actions(found)
    assert isinstance(add, AddMargin)
    assert isinstance(stop, PlaceStop)
    after = (D(60000) - D(5000) - add.amount - 50) / D("0.995")
    assert after < stop.stop_price < after / D("0.95")
    assert gone == cancel("1")


def test_the_stop_follows_the_size_that_is_left_of_a_reduction() -> None:
    found = decided(an_observation(a_position(margin="4000"), futures="0"))
    (reduce,) = (a for a in actions(found) if isinstance(a, ReducePosition))
    (stop,) = (a for a in actions(found) if isinstance(a, PlaceStop))
    assert stop.size == 1 - reduce.size


def test_in_an_emergency_without_a_stop_what_is_left_of_the_room_is_used() -> None:
    # 1 % above liquidation the place of a stop is passed already, and no money is left.
    thin = a_position(margin="945")
    policy = a_policy(resident_stops=True, max_reduction_per_action=D("0.001"))
    found = decide(an_observation(thin, futures="0"), Memory(), policy, choose=choose)
    (stop,) = (a for a in actions(found) if isinstance(a, PlaceStop))
    assert (D(60000) - D(945) - 50) / D("0.995") < stop.stop_price < 60000


def test_a_stop_that_stands_does_not_follow_mark_down() -> None:
    thin = a_position(margin="945")
    policy = a_policy(resident_stops=True, max_margin_per_action=D(1))
    memory = Memory(
        unsettled=(ReducePosition(key=LONG, size=D(1), limit_price=D(1)),), mode=Mode.DEGRADED
    )
    stands = a_stop("59650")
    seen = an_observation(thin, futures="0", stops=(stands,))
    found = decide(seen, memory, policy, choose=choose)
    assert not any(isinstance(a, PlaceStop | CancelStop) for a in actions(found))
    assert all(r.code != "no_backstop" for r in found.refusals)


def refused(decision: Decision) -> list[str]:
    return [r.text for r in decision.refusals if r.code == "no_backstop"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param(
            {"instruments": (replace(an_instrument(), price_step=D(10_000)),)},
            "nothing is left between",
            id="no tick",
        ),
        pytest.param({"markets": (a_market(depth="0.01"),)}, "", id="thin book"),
        pytest.param(
            {"instruments": (replace(an_instrument(), max_market_size=D("0.5")),)},
            "above the largest market order",
            id="too large",
        ),
        pytest.param(
            {"instruments": (an_instrument(size_step="0.3"),)}, "no multiple", id="off the lot"
        ),
    ],
)
def test_what_cannot_be_placed_is_refused_with_its_reason(
    changes: dict[str, object], why: str
) -> None:
    found = decided(safe(**changes))
    if not why:  # at three hundredths of slippage there is still room
        assert [type(a) for a in actions(found)] == [PlaceStop]
        return
    assert found.verdict is Verdict.REFUSE
    assert found.reason == "no_backstop"
    assert [why in text for text in refused(found)] == [True]


def test_a_position_without_a_band_is_named_unless_a_stop_stands() -> None:
    def none(risk: PositionRisk, market: Market) -> LeverageBand:
        raise ValueError(f"no history of {risk.position.key} at {market.mark_price}")

    policy = a_policy(resident_stops=True)
    found = decide(safe(), Memory(), policy, choose=none)
    assert [r.code for r in found.refusals] == ["no_band", "no_backstop"]
    found = decide(safe(a_stop("52000")), Memory(), policy, choose=none)
    assert [r.code for r in found.refusals] == ["no_band"]


def test_a_position_that_no_price_liquidates_needs_no_stop() -> None:
    covered = a_position(margin="61000")
    assert decided(an_observation(covered)).refusals == ()
    found = decided(an_observation(covered, stops=(a_stop("52000"),)))
    assert actions(found) == [cancel("1")]


def test_a_cross_position_is_not_planned_for() -> None:
    cross = a_position(margin="9000", margin_mode=MarginMode.CROSS)
    found = decided(an_observation(cross))
    assert (found.approved, [r.code for r in found.refusals]) == ((), ["cross_margin"])


@pytest.mark.parametrize("age", [None, 121])
def test_while_it_is_not_known_which_stops_stand_none_is_touched(age: int | None) -> None:
    seen = safe(a_stop("55000"))
    at = None if age is None else NOON - timedelta(seconds=age)
    found = decided(replace(seen, account=replace(seen.account, stops_at=at)))
    assert found.approved == ()
    assert len(refused(found)) == 1


@pytest.mark.parametrize(
    ("mode", "pause", "is_placed"),
    [
        (Mode.NORMAL, Pause.NONE, True),
        (Mode.NORMAL, Pause.OPTIONAL, True),
        (Mode.NORMAL, Pause.ALL, False),
        (Mode.DEGRADED, Pause.NONE, True),
        (Mode.OBSERVE, Pause.NONE, False),
        (Mode.KILLED, Pause.NONE, False),
    ],
)
def test_where_none_stands_the_switch_table_decides_and_a_missing_stop_is_named(
    mode: Mode, pause: Pause, is_placed: bool
) -> None:
    found = decided(safe(), memory=Memory(mode=mode, pause=pause))
    assert actions(found) == ([place()] if is_placed else [])
    assert len(refused(found)) == (0 if is_placed else 1)


@pytest.mark.parametrize("mode", [Mode.DEGRADED, Mode.OBSERVE, Mode.KILLED])
@pytest.mark.parametrize("price", ["55000", "52000"])
def test_outside_normal_mode_a_stop_that_stands_is_left_where_it_is(mode: Mode, price: str) -> None:
    found = decided(safe(a_stop(price), a_stop("51900", stop_id="2")), memory=Memory(mode=mode))
    assert (found.approved, refused(found)) == ((), [])


def test_a_second_stop_waits_for_the_first_to_be_settled() -> None:
    found = decided(safe(), memory=Memory(unsettled=(place(),)))
    assert (found.approved, found.refusals) == ((), ())
    for seconds, count in ((4, 0), (6, 1)):
        moved = Move(at=NOON - timedelta(seconds=seconds), action=place())
        assert len(decided(safe(), memory=Memory(moves=(moved,))).approved) == count


def test_changes_of_stops_are_forgotten_after_a_minute() -> None:
    moves: Sequence[Move] = [Move(at=NOON - timedelta(seconds=61), action=place())]
    quiet = decided(safe(a_stop("52000")))
    later = remember(
        Memory(moves=tuple(moves)), quiet, account=None, effects=[cancel("1")], unsettled=[]
    )
    assert later.moves == (Move(at=NOON, action=cancel("1")),)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(place(size="0"), "not_positive", id="nothing"),
        pytest.param(place(size="1.5"), "would_flip", id="larger than the position"),
        pytest.param(place(size="0.0005"), "step_mismatch", id="off the lot"),
        pytest.param(place(D("52000.05")), "step_mismatch", id="off the tick"),
        pytest.param(place(D(51000)), "stop_misplaced", id="beyond liquidation"),
        pytest.param(place(D(54000)), "stop_misplaced", id="before the emergency"),
        pytest.param(place(), None, id="right"),
    ],
)
def test_a_stop_that_no_plan_would_make_is_refused_by_the_review(
    action: PlaceStop, code: str | None
) -> None:
    position = a_position(margin="9000")
    market = a_market()
    band = choose(decided(safe()).positions[0].risk, market)
    refusal = review_place(action, position, an_instrument(), band)
    assert (None if refusal is None else refusal.code) == code


@pytest.mark.parametrize(
    ("stops", "code"),
    [
        pytest.param((a_stop("52000"),), "no_backstop", id="the last one"),
        pytest.param((a_stop("52000", is_ours=False),), "not_own_stop", id="somebody else's"),
        pytest.param((), "not_own_stop", id="not there"),
        pytest.param((a_stop("52000"), a_stop("52500", stop_id="2")), None, id="one of two"),
    ],
)
def test_only_our_own_stop_may_be_taken_back_and_not_the_last(
    stops: tuple[object, ...], code: str | None
) -> None:
    account = safe(*stops).account
    refusal = review_cancel(cancel("1"), account, {BTC: an_instrument()})
    assert (None if refusal is None else refusal.code) == code


def test_each_position_has_its_own_stop_in_the_order_of_keys() -> None:
    eth = a_position(ETH, size="10", entry="3000", mark="3000", margin="4500")
    found = decided(an_observation(eth, a_position(margin="9000")))
    assert [a.key for a in actions(found) if isinstance(a, PlaceStop)] == [LONG, eth.key]
