"""The last opinion about writes of coin-margined positions: sizes in dollars, money in BTC."""

from dataclasses import replace
from datetime import timedelta
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
from bot.domain.decision import Urgency
from bot.domain.instrument import MarginRelease
from bot.domain.position import Side
from bot.domain.switch import Switches
from bot.execute.facts import Conditions, Facts
from bot.execute.guard import guard
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.memory import KeyMemory, Memory, Move
from tests.kit.builders import (
    COIN,
    LEVELS,
    NOON,
    a_coin_instrument,
    a_coin_policy,
    a_policy,
    a_position,
    an_observation,
    tiers,
)

RULES = a_coin_instrument(table=tiers(("0", "0.005", "0")))
LONG = a_position(COIN).key
ADD = AddMargin(key=LONG, amount=D("0.10000123"), currency="BTC")
REMOVE = RemoveMargin(key=LONG, amount=D("0.09999123"), currency="BTC")
CLOSE = ReducePosition(key=LONG, size=D(30000), limit_price=D(59000))
MOVE = Transfer(source="spot", destination="futures", amount=D("0.05000125"), currency="BTC")
STOP = PlaceStop(key=LONG, size=D(60000), stop_price=D(55000), is_needed=True)


def facts(
    action: Action,
    *,
    side: Side = Side.LONG,
    margin: str = "0.3",
    release: MarginRelease = MarginRelease.PRO_RATA,
    **changes: Any,
) -> Facts:
    """Facts that speak for a write about one BTC worth of dollars."""
    rules = replace(RULES, margin_release=release)
    position = a_position(COIN, size=str(60000 * side.sign), margin=margin)
    risk = assess(position, rules)
    position = replace(position, venue_liquidation_price=risk.liquidation_price)
    seen = an_observation(position, futures="1", spot="1", instruments=(rules,), currency="BTC")
    values: dict[str, Any] = {
        "action": action if isinstance(action, Transfer) else replace(action, key=position.key),
        "account": seen.account,
        "instruments": {COIN: rules},
        "bands": {position.key: band_at_distances(risk, LEVELS)},
        "memory": Memory(keys=(KeyMemory(key=position.key, added=D("0.2")),)),
        "policy": a_coin_policy(),
        "switches": Switches(),
        "urgency": Urgency.ROUTINE,
        "now": NOON,
        "age": 0.1,
        "step": D("0.00000001"),
        "held": seen.account.held("BTC"),
        "conditions": Conditions(),
    }
    return Facts(**(values | changes))


def code(f: Facts) -> str | None:
    refusal = guard(f)
    return None if refusal is None else refusal.code


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("action", [ADD, REMOVE, CLOSE], ids=lambda a: a.kind)
def test_what_helps_or_stays_at_its_target_may_leave(action: Action, side: Side) -> None:
    assert code(facts(action, side=side)) is None


@pytest.mark.parametrize(
    ("side", "needed"),
    # Margin at the target of 15 %: a long dies at 51,000, a short at 69,000.
    [(Side.LONG, "0.18235295"), (Side.SHORT, "0.13478261")],
)
def test_no_more_returns_than_leaves_the_position_at_its_target(side: Side, needed: str) -> None:
    spare = D("0.3") - D(needed)
    for amount, expected in ((spare, None), (spare + D("0.0000001"), "overshoot")):
        action = replace(REMOVE, amount=amount.quantize(D("0.00000001")))
        assert code(facts(action, side=side)) == expected


@pytest.mark.parametrize("side", list(Side))
def test_a_stop_must_not_fire_at_once_nor_close_more_than_is_held(side: Side) -> None:
    away, beyond = 60000 - 5000 * side.sign, 60000 + 100 * side.sign
    assert code(facts(replace(STOP, stop_price=D(away)), side=side)) is None
    there = replace(STOP, stop_price=D(beyond))
    assert code(facts(there, side=side)) == "post_state_worse"
    assert code(facts(replace(STOP, stop_price=D(away), size=D(60100)), side=side)) == (
        "would_increase"
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [("60000", None), ("60100", "would_flip"), ("50", "step_mismatch"), ("59950", "step_mismatch")],
)
def test_orders_are_whole_contracts_within_the_position(size: str, expected: str | None) -> None:
    assert code(facts(replace(CLOSE, size=D(size)))) == expected


@pytest.mark.parametrize("side", list(Side))
def test_where_margin_stays_a_close_must_move_the_price_away(side: Side) -> None:
    assert code(facts(CLOSE, side=side, release=MarginRelease.STAYS)) is None
    # What nothing liquidates stands no farther for being smaller.
    if side is Side.SHORT:
        covered = facts(CLOSE, side=side, margin="1.2", release=MarginRelease.STAYS)
        assert code(covered) is None
        assert code(facts(ADD, side=side, margin="1.2")) == "post_state_worse"


@pytest.mark.parametrize("action", [ADD, REMOVE, CLOSE, STOP], ids=lambda a: a.kind)
@pytest.mark.parametrize(
    ("policy", "limits"), [(a_policy(), "quote"), (a_coin_policy(coin="ETH"), "ETH")]
)
def test_limits_in_another_currency_let_nothing_leave(
    action: Action, policy: object, limits: str
) -> None:
    refusal = guard(facts(action, policy=policy, urgency=Urgency.EMERGENCY))
    assert refusal is not None
    assert refusal.code == "op_unsupported"
    assert refusal.text == f"{COIN} settles in BTC, limits are in {limits}"


def test_money_of_another_coin_is_not_moved_but_a_stop_may_be_taken_back() -> None:
    assert code(facts(replace(ADD, currency="ETH"))) == "op_unsupported"
    policy = a_coin_policy(transfer_from=("spot",))
    assert code(facts(MOVE, policy=policy)) is None
    assert code(facts(replace(MOVE, currency="ETH"), policy=policy)) == "op_unsupported"
    cancel = CancelStop(key=LONG, stop_id="1", client_id="pl1")
    assert code(facts(cancel, policy=a_policy())) is None


def test_the_budgets_of_the_account_are_in_coin_and_told_in_its_digits() -> None:
    # 2.3 BTC are held; a tenth of them may be added in a day.
    policy = a_coin_policy(account_budget=D("0.1"))

    def spent(amount: str, currency: str) -> Memory:
        earlier = AddMargin(key=LONG, amount=D(amount), currency=currency)
        return Memory(moves=(Move(at=NOON - timedelta(hours=2), action=earlier),))

    assert code(facts(ADD, policy=policy, memory=spent("0.12000321", "BTC"))) is None
    refusal = guard(facts(ADD, policy=policy, memory=spent("0.14000321", "BTC")))
    assert refusal is not None
    assert refusal.code == "budget_account"
    assert "at most 0.23000 may be added in a day, 0.14000321 is spent" in refusal.text
    # What was moved in quote, by an account that was of another kind then, is no BTC.
    assert code(facts(ADD, policy=policy, memory=spent("5000.00321", "USDT"))) is None


def test_a_liquidation_price_the_venue_denies_keeps_margin_in() -> None:
    f = facts(REMOVE)
    (held,) = f.account.positions
    assert held.venue_liquidation_price is not None
    other = replace(held, venue_liquidation_price=held.venue_liquidation_price * D("1.0011"))
    disputed = replace(f, account=replace(f.account, positions=(other,)))
    assert code(disputed) == "liquidation_price_disputed"


# where a coin has too few decimals for tags

COARSE: dict[str, Any] = {"step": D("0.0001"), "apart": 10}


@pytest.mark.parametrize(
    ("amount", "before", "code"),
    [
        pytest.param("0.0201", "0.02", "duplicate", id="the same plan, told apart"),
        pytest.param("0.0209", "0.0201", "duplicate", id="the same plan, both told apart"),
        pytest.param("0.021", "0.0209", "", id="another plan"),
        pytest.param("0.0199", "0.02", "", id="another plan, a step less"),
    ],
)
def test_without_tags_an_addition_is_the_plan_that_it_was_rounded_up_from(
    amount: str, before: str, code: str
) -> None:
    earlier = Move(at=NOON - timedelta(seconds=30), action=replace(ADD, amount=D(before)))
    told = guard(facts(replace(ADD, amount=D(amount)), memory=Memory(moves=(earlier,)), **COARSE))
    assert ("" if told is None else told.code) == code


@pytest.mark.parametrize(
    ("amount", "before", "code"),
    [
        pytest.param("0.0199", "0.02", "duplicate", id="the same plan, told apart"),
        pytest.param("0.0191", "0.0199", "duplicate", id="the same plan, both told apart"),
        pytest.param("0.0201", "0.02", "cooldown", id="another plan"),
    ],
)
def test_without_tags_a_removal_is_the_plan_that_it_was_rounded_down_from(
    amount: str, before: str, code: str
) -> None:
    earlier = Move(at=NOON - timedelta(seconds=30), action=replace(REMOVE, amount=D(before)))
    own = KeyMemory(key=LONG, added=D("0.2"))
    memory = Memory(keys=(own,), moves=(earlier,))
    told = guard(facts(replace(REMOVE, amount=D(amount)), memory=memory, **COARSE))
    assert told is not None
    assert told.code == code


@pytest.mark.parametrize(("amount", "is_denied"), [("0.2009", False), ("0.201", True)])
def test_without_tags_a_move_may_be_a_step_of_the_plan_above_its_limit(
    amount: str, is_denied: bool
) -> None:
    policy = a_coin_policy(max_margin_per_action=D("0.2"))
    told = guard(facts(replace(ADD, amount=D(amount)), policy=policy, **COARSE))
    assert (told is not None and told.code == "budget_action") is is_denied


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        pytest.param(599, "fingerprint_clash", id="within ten minutes"),
        pytest.param(600, "", id="after them"),
    ],
)
def test_without_tags_an_amount_serves_again_once_each_of_its_plan_was_new(
    seconds: int, code: str
) -> None:
    action = replace(ADD, amount=D("0.02"))
    earlier = Move(at=NOON - timedelta(seconds=seconds), action=action)
    told = guard(facts(action, memory=Memory(moves=(earlier,)), **COARSE))
    assert ("" if told is None else told.code) == code
    assert told is None or told.text == "the same amount was sent within 600 s"


def test_without_tags_an_amount_that_is_open_is_never_sent_again() -> None:
    action = replace(ADD, amount=D("0.02"))
    earlier = Move(at=NOON - timedelta(hours=2), action=action)
    memory = Memory(moves=(earlier,), given_up=(action,))
    told = guard(facts(action, memory=memory, **COARSE))
    assert told is not None
    assert (told.code, told.text) == (
        "fingerprint_clash", "the amount is not told from what is open",
    )  # fmt: skip
