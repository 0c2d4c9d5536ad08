"""When does margin return, how much of it, and why does it stay?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import AddMargin, RemoveMargin
from bot.domain.band import LeverageBand
from bot.domain.decision import Urgency, Verdict
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.risk import PositionRisk
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.decide import decide
from bot.rebalance.memory import KeyMemory, Memory, Move, key_of
from bot.rebalance.project import snapshot
from bot.rebalance.remembering import remember
from tests.kit.builders import (
    ETH,
    LEVELS,
    NOON,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
    choose,
)
from tests.kit.deciding import NEEDED_AT_TARGET, PICKY, decided


def test_margin_is_not_given_back_soon_after_a_person_moved_some() -> None:
    key = a_position().key
    long_ago = NOON - timedelta(hours=2)
    entry = KeyMemory(key=key, added=D(5000), beyond_since=long_ago)
    seen = an_observation(a_position(margin="20000"))
    assert decided(seen, memory=Memory(keys=(entry,))).urgency is Urgency.ROUTINE
    touched = replace(entry, touched_at=NOON - timedelta(seconds=599))
    held = decided(seen, memory=Memory(keys=(touched,)))
    assert (held.urgency, held.reason) == (Urgency.HOLD, "rebalance_interval")


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
    (step,) = found.approved
    assert (step.why, step.cost) == ("above_give_back", D(0))
    assert step.before == snapshot(position, an_instrument())
    assert step.after == snapshot(replace(position, margin=D(19500)), an_instrument())


@pytest.mark.parametrize(
    ("change", "added", "is_lost"),
    [
        pytest.param({"venue_adds_margin": True}, "500", False, id="topped up"),
        pytest.param({}, "500", True, id="given up on"),
        pytest.param({}, "0.5", False, id="too little"),
    ],
)
def test_what_keeps_one_position_from_giving_back_keeps_no_other(
    change: dict[str, Any], added: str, is_lost: bool
) -> None:
    agreed: dict[str, Any] = {"margin": "20000", "venue_liquidation_price": "40152.7638"}
    near, other = a_position(**agreed, **change), a_position(ETH, **agreed)
    confirmed = GIVE_BACK.keys[0]
    lost = RemoveMargin(key=near.key, amount=D(40), currency="USDT")
    memory = Memory(
        keys=(replace(confirmed, added=D(added)), replace(confirmed, key=other.key)),
        given_up=(lost,) if is_lost else (),
    )
    found = decided(an_observation(near, other), memory=memory)
    assert [key_of(s.action) for s in found.approved] == [other.key]


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
    [("3", "500", "5"), ("20", "0.004", "0"), ("20", "0.99", "0.5"), ("20", "4.99", "5")],
    ids=["the venue keeps it", "less than a step", "no digits fit", "less than the smallest move"],
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
    told = found.refusals[0].text
    assert ("a person may raise the setting to" in told) == (leverage == "3")
    floor = {"3": "20000.00", "20": "3000.00"}[leverage]
    assert f"the venue keeps equity above {floor} at a leverage setting of {leverage}" in told


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


@pytest.mark.parametrize(
    ("margin", "added", "given_back"),
    [
        # All that the bot added: it will never be more.
        ("20000", "500", ["500"]),
        ("20000", "5", ["5"]),
        ("9705", "500", ["500"]),
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
