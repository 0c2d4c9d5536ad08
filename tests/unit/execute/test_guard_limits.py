"""Where exactly each limit of the guard lies: what is just allowed beside what is just denied."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.account import Account
from bot.domain.action import Action, Transfer
from bot.domain.decision import Urgency
from bot.domain.instrument import MarginRelease
from bot.domain.mode import Mode
from bot.domain.position import MarginMode, PositionKey, Side
from bot.domain.venue import VenueCondition
from bot.execute.facts import Conditions, Facts
from bot.execute.guard import guard
from bot.execute.steps import is_countable
from bot.margin.assess import assess
from bot.rebalance.claims import Claim
from bot.rebalance.memory import KeyMemory, Memory
from tests.kit.builders import (
    ETH,
    NOON,
    ONE_TIER,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
)
from tests.kit.guarding import (
    ADD,
    CANCEL,
    KEY,
    MOVE,
    OTHER,
    OWN,
    REDUCE,
    REMOVE,
    RICH,
    STOP,
    after,
    critical,
    some_facts,
    under,
)

BACK = replace(ADD, after_reduction=True)
ELSEWHERE = PositionKey(ETH, Side.LONG)
TICK = D("0.00001")
Given = Callable[[], Facts]


def code(facts: Facts) -> str | None:
    refusal = guard(facts)
    return None if refusal is None else refusal.code


def text(facts: Facts) -> str:
    refusal = guard(facts)
    assert refusal is not None
    return refusal.text


def holding(action: Action = ADD, *, futures: str = "1000", **held: Any) -> Facts:
    """Facts of an account that holds exactly this."""
    rules = an_instrument()
    position = a_position(**({"margin": "5000"} | held))
    price = assess(position, rules).liquidation_price
    position = replace(position, venue_liquidation_price=price)
    account = an_observation(position, futures=futures, spot="1000").account
    return some_facts(action, account=account)


def with_wallet(action: Action, **fields: Any) -> Facts:
    facts = some_facts(action)
    futures, spot = facts.account.wallets
    account = replace(facts.account, wallets=(replace(futures, **fields), spot))
    return replace(facts, account=account)


def stays(**held: Any) -> dict[str, Any]:
    """A position under water at a venue that keeps all margin behind the rest."""
    position = a_position(**({"mark": "59000"} | held))
    rules = an_instrument(margin_release=MarginRelease.STAYS, table=ONE_TIER)
    return {"account": an_observation(position).account, "instruments": {KEY.symbol: rules}}


def within(action: Action = ADD, **limits: Any) -> Facts:
    return some_facts(action, policy=a_policy(**limits))


def shown(price: str) -> Facts:
    """Facts of a removal whose liquidation price is 50,949 by our rules, and this by the venue."""
    # 60,000 - 50 - 0.995 * 50,949 = 9,255.745
    position = a_position(margin="9255.745", venue_liquidation_price=price)
    less = replace(REMOVE, amount=D("49.99123"))
    return some_facts(less, account=an_observation(position).account, **OWN)


def twin(earlier: Action, now: Action = ADD, *, ago: float = 30, **changes: Any) -> Facts:
    extra = {"margin": RICH} if now.kind == "remove_margin" else {}
    keys = (KeyMemory(key=KEY, added=D(500)),)
    return some_facts(now, memory=after((ago, earlier), keys=keys), **extra, **changes)


def touched(action: Action, *, ago: float) -> Facts:
    """Facts of a position whose margin somebody else moved so long ago. [s]"""
    entry = KeyMemory(key=KEY, added=D(500), touched_at=NOON - timedelta(seconds=ago))
    return some_facts(action, margin=RICH, memory=Memory(keys=(entry,)))


def in_mode(action: Action, mode: Mode) -> Facts:
    return some_facts(action, memory=Memory(mode=mode), conditions=Conditions(planned_in=mode))


def often(count: int, *, of: int, open_: int = 0, urgency: Urgency = Urgency.ROUTINE) -> Facts:
    """Facts after so many additions in the hour, of which some were given up on."""
    moves = [(100.0 * n + 100, replace(ADD, amount=20 + n + n * TICK)) for n in range(count)]
    memory = after(*moves[open_:], given_up=tuple(a for _, a in moves[:open_]))
    return some_facts(memory=memory, policy=a_policy(max_moves_per_hour=of), urgency=urgency)


# Additions of 80.00456 before one of 100.00123.
BOTH = D("180.00579")

LIMITS: list[tuple[str, Given, str | None]] = [
    # How often.
    ("11 writes in 10 s", lambda: under(writes_10s=11), None),
    ("12 writes in 10 s", lambda: under(writes_10s=12), "rate_window"),
    ("59 writes in 60 s", lambda: under(writes_60s=59), None),
    ("60 writes in 60 s", lambda: under(writes_60s=60), "rate_window"),
    ("a stop among many", lambda: under(STOP, writes_10s=12), None),
    ("a stop taken back among many", lambda: under(CANCEL, writes_10s=12), None),
    ("three quarters of the moves", lambda: often(2, of=4), None),
    ("a move more", lambda: often(3, of=4), "budget_position"),
    ("a move more, one of them open", lambda: often(3, of=4, open_=1), "budget_position"),
    ("the last quarter", lambda: often(3, of=4, urgency=Urgency.EMERGENCY), None),
    ("more than all", lambda: often(4, of=4, urgency=Urgency.EMERGENCY), "budget_position"),
    # How much.
    ("just within the hour", lambda: twin(OTHER, policy=a_policy(max_margin_per_hour=BOTH)), None),
    ("just beyond it", lambda: twin(OTHER, policy=a_policy(max_margin_per_hour=BOTH - TICK)),
     "budget_position"),
    ("at its end", lambda: twin(OTHER, ago=3599, policy=a_policy(max_margin_per_hour=D(180))),
     "budget_position"),
    ("after it", lambda: twin(OTHER, ago=3600, policy=a_policy(max_margin_per_hour=D(180))), None),
    ("at the end of the day",
     lambda: twin(OTHER, ago=86_399, policy=a_policy(max_margin_per_day=D(180))),
     "budget_position"),
    ("after it", lambda: twin(OTHER, ago=86_400, policy=a_policy(max_margin_per_day=D(180))),
     None),
    ("what was put back is not spent",
     lambda: twin(
         replace(OTHER, after_reduction=True), policy=a_policy(max_margin_per_hour=D(101))),
     None),
    ("nor is what another position got",
     lambda: twin(replace(OTHER, key=ELSEWHERE), policy=a_policy(max_margin_per_hour=D(101))),
     None),
    ("putting back has no budget",
     lambda: some_facts(BACK, policy=a_policy(max_margin_per_hour=D(1), account_budget=D(0))),
     None),
    ("a spent amount finer than a step counts as a step more",
     lambda: twin(replace(ADD, amount=D("80.000001")),
                  policy=a_policy(max_margin_per_hour=D("180.00123"))), "budget_position"),
    ("an open amount finer than a step counts as a step more",
     lambda: some_facts(memory=Memory(given_up=(replace(ADD, amount=D("80.000001")),)),
                        policy=a_policy(max_margin_per_hour=D("180.00123"))), "budget_position"),
    ("and no more than that",
     lambda: twin(replace(ADD, amount=D("80.000001")),
                  policy=a_policy(max_margin_per_hour=D("180.00124"))), None),
    # The account holds 7,000: a hundredth of it is 70.
    ("within a share of the account",
     lambda: within(replace(ADD, amount=D("69.99123")), account_budget=D("0.01")),
     None),
    ("beyond it",
     lambda: within(replace(ADD, amount=D("70.00123")), account_budget=D("0.01")),
     "budget_account"),
    ("a transfer has a largest too",
     lambda: some_facts(MOVE, policy=a_policy(max_margin_per_action=D(49))), "budget_action"),
    ("a removal too",
     lambda: some_facts(REMOVE, margin=RICH, policy=a_policy(max_margin_per_action=D(99)), **OWN),
     "budget_action"),
    ("digits that reach the next amount",
     lambda: within(replace(ADD, amount=D("100.01")), max_margin_per_action=D(100)),
     "budget_action"),
    ("an amount without digits at its largest",
     lambda: within(replace(ADD, amount=D("0.5")), max_margin_per_action=D("0.5")),
     None),
    ("and beyond",
     lambda: some_facts(replace(ADD, amount=D("0.50001")),
                        policy=a_policy(max_margin_per_action=D("0.5"))), "budget_action"),
    ("all of a position is more than its share",
     lambda: within(replace(REDUCE, size=D(1)), max_reduction_per_action=D("0.4")),
     "budget_action"),
    # What the wallet holds.
    ("all of a wallet", lambda: holding(futures="100.00123"), None),
    ("a step more", lambda: holding(futures="100.00122"), "ledger_short"),
    ("putting back all of it", lambda: holding(BACK, futures="100.00123"), None),
    ("a step more of that", lambda: holding(BACK, futures="100.00122"), "ledger_short"),
    ("down to the reserve",
     lambda: some_facts(policy=a_policy(reserves=(("futures", D("899.99877")),))), None),
    ("a step below",
     lambda: some_facts(policy=a_policy(reserves=(("futures", D("899.99878")),))), "source_floor"),
    ("putting back needs no reserve",
     lambda: some_facts(BACK, policy=a_policy(reserves=(("futures", D(950)),))), None),
    ("nor does a claim stop it", lambda: some_facts(BACK, memory=Memory(claims=(Claim(
        wallet="futures", currency="USDT", at_most=D(20), until=NOON + timedelta(seconds=9)),))),
     None),
    # Orders.
    ("a stop just below mark", lambda: some_facts(replace(STOP, stop_price=D("59999.5"))), None),
    ("a stop for whatever is open", lambda: some_facts(replace(STOP, size=None)), None),
    ("a stop larger than a market order", lambda: some_facts(
        STOP, instruments={KEY.symbol: replace(an_instrument(), max_market_size=D("0.5"))}), None),
    ("an order as large as one", lambda: some_facts(
        REDUCE, instruments={KEY.symbol: replace(an_instrument(), max_market_size=D("0.5"))}),
     None),
    ("closing all where margin stays",
     lambda: some_facts(replace(REDUCE, size=D(1)), **stays(margin="-900")), None),
    ("a rest that no price liquidates", lambda: some_facts(REDUCE, **stays(margin="35000")), None),
    ("a rest that stands as near", lambda: some_facts(REDUCE, **stays(margin="0")),
     "post_state_worse"),
    # Where a position stands.
    ("the last margin that has a price", lambda: holding(margin="59950"), None),
    ("down to the target", lambda: replace(holding(REMOVE, margin="9304.99123"), **OWN), None),
    ("a step below", lambda: replace(holding(REMOVE, margin="9304.99122"), **OWN), "overshoot"),
    ("without a band", lambda: some_facts(REMOVE, margin=RICH, bands={}, **OWN), "overshoot"),
    ("all that the bot added", lambda: some_facts(
        REMOVE, margin=RICH, memory=Memory(keys=(KeyMemory(key=KEY, added=REMOVE.amount),))), None),
    ("a step more", lambda: some_facts(
        REMOVE, margin=RICH, memory=Memory(keys=(KeyMemory(key=KEY, added=REMOVE.amount - TICK),))),
     "not_bot_margin"),
    ("the owner's, where he allows it",
     lambda: some_facts(REMOVE, margin=RICH, policy=a_policy(only_own_margin=False)), None),
    ("a price a thousandth of itself away", lambda: shown("51000"), None),
    ("and a little more", lambda: shown("51000.001"), "liquidation_price_disputed"),
    ("nearly so far the other way", lambda: shown("50898.11"), None),
    ("and a little more that way", lambda: shown("50898.09"), "liquidation_price_disputed"),
    # Age of plan, inputs and clock.
    ("an optional plan of 3 s", lambda: under(MOVE, plan_age=3.0), None),
    ("older", lambda: under(MOVE, plan_age=3.1), "plan_expired"),
    ("a protective plan of 15 s", lambda: under(plan_age=15.0), None),
    ("a reduction of that age", lambda: under(REDUCE, plan_age=15.0), None),
    ("a stop of that age", lambda: under(STOP, plan_age=15.0), None),
    ("a plan half a second ahead", lambda: under(plan_age=-0.5), None),
    ("more ahead", lambda: under(plan_age=-0.6), "plan_expired"),
    ("a plan of another mode", lambda: under(planned_in=Mode.DEGRADED), "plan_expired"),
    ("a plan before a standstill", lambda: under(stalled=True), "plan_expired"),
    ("a clock within half a second",
     lambda: under(venue=VenueCondition(clock_uncertainty=0.5)), None),
    ("inputs of 3 s for what is optional", lambda: some_facts(MOVE, age=3.0), None),
    ("older ones", lambda: some_facts(MOVE, age=3.1), "input_stale"),
    ("inputs of 15 s for what protects", lambda: some_facts(age=15.0), None),
    ("and for taking a stop back", lambda: some_facts(CANCEL, age=15.0), None),
    ("inputs half a second ahead", lambda: some_facts(age=-0.5), None),
    ("more ahead", lambda: some_facts(age=-0.6), "input_stale"),
    ("a weight of one left", lambda: under(venue=VenueCondition(weight_left=1)), None),
    # Modes.
    ("a needed stop in degraded mode", lambda: in_mode(STOP, Mode.DEGRADED), None),
    ("one more stop in it",
     lambda: in_mode(replace(STOP, is_needed=False), Mode.DEGRADED), "mode_forbids"),
    ("taking a stop back in it", lambda: in_mode(CANCEL, Mode.DEGRADED), None),
    # What kind of thing.
    ("shrinking a cross position", lambda: holding(REDUCE, margin_mode=MarginMode.CROSS), None),
    ("taking its margin", lambda: replace(
        holding(REMOVE, margin=RICH, margin_mode=MarginMode.CROSS), **OWN), "op_unsupported"),
    ("from a wallet to itself", lambda: some_facts(
        replace(MOVE, source="futures"), policy=a_policy(transfer_from=("futures",))),
     "endpoint_not_allowed"),
    ("nothing", lambda: some_facts(replace(ADD, amount=D(0))), "not_positive"),
    ("a transfer of no number", lambda: some_facts(replace(MOVE, amount=D("NaN"))), "not_finite"),
    ("a transfer finer than a step", lambda: some_facts(replace(MOVE, amount=D("50.000001"))),
     "step_mismatch"),
    ("an amount that only looks like a whole position",
     lambda: holding(replace(ADD, amount=D("0.5000004")), size="0.5000004"), "step_mismatch"),
    ("a removal from what is not held", lambda: some_facts(
        replace(REMOVE, key=ELSEWHERE),
        instruments={KEY.symbol: an_instrument(), ETH: an_instrument(ETH)}), "position_unknown"),
    ("shrinking what is not held", lambda: some_facts(
        replace(REDUCE, key=ELSEWHERE),
        instruments={KEY.symbol: an_instrument(), ETH: an_instrument(ETH)}), "position_unknown"),
    ("a removal without rules", lambda: some_facts(REMOVE, instruments={}), "input_missing"),
    ("a stop of what is gone", lambda: some_facts(
        CANCEL, account=an_observation(instruments=()).account), None),
    ("margin for a symbol that closes", lambda: under(closing=frozenset({KEY.symbol})),
     "symbol_closing"),
    ("shrinking it", lambda: under(REDUCE, closing=frozenset({KEY.symbol})), None),
    # What is on its way.
    ("a removal beside an unknown move",
     lambda: some_facts(REMOVE, margin=RICH, memory=replace(OWN["memory"], unsettled=(OTHER,))),
     "in_flight"),
    ("margin beside a transfer on its way", lambda: some_facts(memory=Memory(in_transit=(MOVE,))),
     None),
    ("margin beside an unknown order", lambda: some_facts(memory=Memory(unsettled=(REDUCE,))),
     None),
    ("margin beside an unknown move elsewhere",
     lambda: some_facts(memory=Memory(unsettled=(replace(OTHER, key=ELSEWHERE),))), None),
    ("margin beside an unknown removal",
     lambda: some_facts(memory=Memory(unsettled=(replace(REMOVE, amount=D("70.00999")),))),
     "in_flight"),
    ("one more just at the emergency", lambda: replace(
        critical(memory=Memory(unsettled=(OTHER,))), account=holding(margin="3235").account),
     "over_add_refused"),
    ("one more just below it", lambda: replace(
        critical(memory=Memory(unsettled=(OTHER,))), account=holding(margin="3234.99").account),
     None),
    ("one more where no price liquidates", lambda: replace(
        critical(memory=Memory(unsettled=(OTHER,))), account=holding(margin="70000").account),
     "over_add_refused"),
    # Twins.
    ("the same within a minute", lambda: twin(replace(ADD, amount=D("100.00456")), ago=59.9),
     "duplicate"),
    ("after it", lambda: twin(replace(ADD, amount=D("100.00456")), ago=60), None),
    ("the same without digits", lambda: twin(replace(ADD, amount=D("100.00000"))), "duplicate"),
    ("a person's amount near it", lambda: twin(replace(ADD, amount=D("100.00450"))), None),
    ("two small ones that differ",
     lambda: twin(replace(ADD, amount=D("0.6")), replace(ADD, amount=D("0.5"))), None),
    ("two small ones with digits that differ",
     lambda: twin(replace(ADD, amount=D("0.60001")), replace(ADD, amount=D("0.50001"))), None),
    ("the same removal", lambda: twin(replace(REMOVE, amount=D("99.99456")), REMOVE), "duplicate"),
    ("the same removal without digits", lambda: twin(replace(REMOVE, amount=D(100)), REMOVE),
     "duplicate"),
    ("the same transfer", lambda: twin(replace(MOVE, amount=D("50.00456")), MOVE), "duplicate"),
    ("the same amount on another way", lambda: twin(
        Transfer(source="earn", destination="futures", amount=MOVE.amount, currency="USDT"), MOVE),
     None),
    ("the same digits in a day", lambda: twin(ADD, ago=86_399), "fingerprint_clash"),
    ("after it", lambda: twin(ADD, ago=86_400), None),
    ("the same amount the other way", lambda: twin(replace(REMOVE, amount=ADD.amount)), None),
    ("the same amount elsewhere", lambda: twin(replace(ADD, key=ELSEWHERE)), None),
    ("the same amount that was put back", lambda: twin(BACK), None),
    ("putting the same amount back", lambda: twin(ADD, BACK), None),
    # Pace.
    ("a removal after ten minutes", lambda: twin(replace(REMOVE, amount=D(7)), REMOVE, ago=600),
     None),
    ("earlier", lambda: twin(replace(REMOVE, amount=D(7)), REMOVE, ago=599), "cooldown"),
    ("a removal ten minutes after an addition", lambda: twin(ADD, REMOVE, ago=600), None),
    ("earlier", lambda: twin(ADD, REMOVE, ago=599), "reversal"),
    ("an addition ten seconds after a removal",
     lambda: twin(replace(REMOVE, amount=D(7)), ago=10), None),
    ("earlier", lambda: twin(replace(REMOVE, amount=D(7)), ago=9.9), "reversal"),
    ("a removal ten minutes after a person's move", lambda: touched(REMOVE, ago=600), None),
    ("earlier", lambda: touched(REMOVE, ago=599), "cooldown"),
    ("putting back at once", lambda: twin(replace(REMOVE, amount=D(7)), BACK, ago=1), None),
    # Wallets that hold no number stand against nothing but margin.
    ("a stop beside them", lambda: with_wallet(STOP, free=D("NaN"), total=D("NaN")), None),
    ("a stop taken back", lambda: with_wallet(CANCEL, free=D("NaN"), total=D("NaN")), None),
    ("shrinking", lambda: with_wallet(REDUCE, free=D("NaN"), total=D("NaN")), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "expected"), [pytest.param(f, c, id=f"{name}: {c}") for name, f, c in LIMITS]
)
def test_each_limit_lies_where_it_says(facts: Given, expected: str | None) -> None:
    assert code(facts()) == expected


@pytest.mark.parametrize("field", ["free", "total"])
def test_a_wallet_that_holds_no_number_is_named(field: str) -> None:
    assert "futures must hold a number" in text(with_wallet(ADD, **{field: D("NaN")}))


@pytest.mark.parametrize("action", [ADD, REMOVE, REDUCE, STOP], ids=lambda a: a.kind)
def test_a_symbol_without_rules_is_named(action: Action) -> None:
    assert text(some_facts(action, instruments={})) == f"rules of {KEY.symbol} must be known"


def test_what_is_no_emergency_is_told_so_where_the_journal_takes_nothing() -> None:
    told = "add_margin must be an emergency without the journal, is routine"
    assert text(under(is_journal_writable=False)) == told


def test_a_position_that_holds_no_number_is_named() -> None:
    for field in ("size", "margin"):
        facts = some_facts()
        (position,) = facts.account.positions
        change: dict[str, Any] = {field: D("Infinity")}
        broken = replace(position, **change)
        account: Account = replace(facts.account, positions=(broken,))
        assert "must hold numbers" in text(replace(facts, account=account))


def test_what_cannot_be_judged_is_denied_with_its_reason() -> None:
    rules = {KEY.symbol: replace(an_instrument(), tiers=())}
    found = guard(some_facts(instruments=rules))
    assert found is not None
    assert found.code == "input_missing"
    assert found.text == "add_margin cannot be judged: ValueError: tiers must not be empty"


@pytest.mark.parametrize(
    ("number", "is_counted"),
    [("1E-100", True), ("1E-101", False), ("1E+18", True), ("1000000000000000001", False)],
)
def test_numbers_are_counted_down_to_their_hundredth_place_and_up_to_a_trillion_millions(
    number: str, is_counted: bool
) -> None:
    assert is_countable(D(number)) == is_counted
    assert is_countable(-D(number)) == is_counted


def test_conditions_that_nobody_changed_stand_against_nothing() -> None:
    calm = Conditions()
    assert (calm.plan_age, calm.writes_10s, calm.writes_60s, calm.reserve_free) == (0, 0, 0, 1)


def test_a_transfer_is_about_no_position_and_no_rules_of_one() -> None:
    facts = some_facts(MOVE)
    assert (facts.key, facts.position, facts.rules) == (None, None, None)
