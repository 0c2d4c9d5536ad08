"""When is nothing decided, or nothing done, although something is wanted?"""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import AddMargin, Transfer
from bot.domain.band import LeverageBand
from bot.domain.decision import Urgency, Verdict
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.risk import PositionRisk
from bot.rebalance.decide import decide
from bot.rebalance.memory import KeyMemory, Memory, Move
from tests.kit.builders import (
    NOON,
    a_market,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
    tiers,
)
from tests.kit.deciding import decided


def test_a_position_inside_its_band_is_left_alone_and_the_reason_is_recorded() -> None:
    found = decided(an_observation(a_position(margin="8000")))
    assert (found.verdict, found.reason) == (Verdict.HOLD, "inside_band")
    assert found.positions[0].band is not None
    assert found.approved == ()


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


@pytest.mark.parametrize(
    ("margin", "urgency", "reason"),
    [
        ("6000", Urgency.HOLD, "inside_band"),
        ("5999.99", Urgency.ROUTINE, "below_trigger"),
        ("3000", Urgency.ROUTINE, "below_trigger"),
        ("2999.99", Urgency.EMERGENCY, "below_emergency"),
        ("15000", Urgency.HOLD, "inside_band"),
        ("15000.01", Urgency.HOLD, "nothing_to_give_back"),
    ],
)
def test_a_level_belongs_to_what_stands_above_it(
    margin: str, urgency: Urgency, reason: str
) -> None:
    # Without maintenance margin over value is the distance of a long.
    rules = an_instrument(table=tiers(("0", "0", "0")))
    (verdict,) = decided(an_observation(a_position(margin=margin), instruments=(rules,))).positions
    assert (verdict.urgency, verdict.reason) == (urgency, reason)
