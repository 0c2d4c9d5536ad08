"""Is each reason reached, by each of its ways, and which of them does an emergency skip?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.decision import Urgency
from bot.domain.instrument import MarginRelease
from bot.domain.mode import Mode
from bot.domain.position import PositionKey, PositionMode, Side
from bot.domain.switch import Pause, Switches
from bot.domain.venue import VenueCondition
from bot.execute.denial import DenialCode
from bot.execute.facts import Facts
from bot.execute.guard import guard
from bot.rebalance.claims import Claim
from bot.rebalance.memory import KeyMemory, Memory
from tests.kit.builders import ETH, NOON, a_policy, a_position, an_instrument, an_observation
from tests.kit.guarding import (
    ADD,
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

REACHED: dict[DenialCode, Callable[[], Facts]] = {
    DenialCode.KILLED: lambda: some_facts(switches=Switches(killed=True)),
    DenialCode.PAUSED: lambda: some_facts(switches=Switches(pause=Pause.ALL)),
    DenialCode.MODE_FORBIDS: lambda: some_facts(MOVE, memory=Memory(mode=Mode.DEGRADED)),
    DenialCode.LEASE_LOST: lambda: under(has_lease=False),
    DenialCode.EPOCH_STALE: lambda: under(is_epoch_current=False),
    DenialCode.PLAN_EXPIRED: lambda: under(plan_age=15.1),
    DenialCode.JOURNAL_UNWRITABLE: lambda: under(MOVE, is_journal_writable=False),
    DenialCode.RESERVE_EXHAUSTED: lambda: replace(
        under(is_journal_writable=False, reserve_free=0), urgency=Urgency.EMERGENCY
    ),
    DenialCode.CLOCK_UNCERTAIN: lambda: under(venue=VenueCondition(clock_uncertainty=0.6)),
    DenialCode.VENUE_BANNED: lambda: under(venue=VenueCondition(is_banned=True)),
    DenialCode.VENUE_UNAVAILABLE: lambda: under(venue=VenueCondition(is_reachable=False)),
    DenialCode.WEIGHT_EXHAUSTED: lambda: under(venue=VenueCondition(weight_left=0)),
    DenialCode.OP_UNSUPPORTED: lambda: under(supported=frozenset({"transfer"})),
    DenialCode.ENDPOINT_NOT_ALLOWED: lambda: some_facts(
        replace(MOVE, source="futures", destination="spot")
    ),
    DenialCode.DESTINATION_NOT_OWNED: lambda: some_facts(replace(MOVE, destination="stranger")),
    DenialCode.NOT_FINITE: lambda: some_facts(replace(ADD, amount=D("NaN"))),
    DenialCode.NOT_POSITIVE: lambda: some_facts(replace(ADD, amount=D(-5))),
    DenialCode.STEP_MISMATCH: lambda: some_facts(replace(ADD, amount=D("5.000001"))),
    DenialCode.BELOW_MINIMUM: lambda: some_facts(
        replace(REDUCE, size=D("0.001")),
        instruments={KEY.symbol: replace(an_instrument(), min_size=D("0.01"))},
    ),
    DenialCode.ABOVE_MAXIMUM: lambda: some_facts(
        REDUCE, instruments={KEY.symbol: replace(an_instrument(), max_market_size=D("0.1"))}
    ),
    DenialCode.POSITION_UNKNOWN: lambda: some_facts(
        replace(ADD, key=PositionKey(ETH, Side.LONG)),
        instruments={KEY.symbol: an_instrument(), ETH: an_instrument(ETH)},
    ),
    DenialCode.POSITION_MODE_CHANGED: lambda: under(position_mode=PositionMode.HEDGE),
    DenialCode.SIDE_MISMATCH: lambda: some_facts(
        replace(ADD, key=PositionKey(KEY.symbol, Side.SHORT))
    ),
    DenialCode.INPUT_MISSING: lambda: some_facts(instruments={}),
    DenialCode.INPUT_STALE: lambda: some_facts(age=16.0),
    DenialCode.INPUT_TORN: lambda: under(is_torn=True),
    DenialCode.PRICE_UNCONFIRMED: lambda: under(is_price_confirmed=False),
    DenialCode.TIERS_CHANGED: lambda: under(are_tiers_changed=True),
    DenialCode.LIQUIDATION_PRICE_DISPUTED: lambda: some_facts(
        REMOVE, account=an_observation(a_position(margin=RICH)).account, **OWN
    ),
    DenialCode.IN_FLIGHT: lambda: some_facts(memory=after((30, ADD), unsettled=(ADD,))),
    DenialCode.OVER_ADD_REFUSED: lambda: some_facts(
        urgency=Urgency.EMERGENCY, memory=Memory(unsettled=(ADD, ADD))
    ),
    DenialCode.DUPLICATE: lambda: some_facts(
        memory=after((59, replace(ADD, amount=D("100.00456"))))
    ),
    DenialCode.FINGERPRINT_CLASH: lambda: some_facts(memory=after((3600, ADD))),
    DenialCode.COOLDOWN: lambda: some_facts(
        REMOVE,
        margin=RICH,
        memory=after((300, replace(REMOVE, amount=D(7))), keys=(KeyMemory(key=KEY, added=D(500)),)),
    ),
    DenialCode.REVERSAL: lambda: some_facts(memory=after((5, replace(REMOVE, amount=D(7))))),
    DenialCode.SYMBOL_CLOSING: lambda: under(closing=frozenset({KEY.symbol})),
    DenialCode.RATE_WINDOW: lambda: under(writes_10s=12),
    DenialCode.BUDGET_ACTION: lambda: some_facts(policy=a_policy(max_margin_per_action=D(90))),
    DenialCode.BUDGET_POSITION: lambda: some_facts(policy=a_policy(max_margin_per_hour=D(90))),
    DenialCode.BUDGET_ACCOUNT: lambda: some_facts(policy=a_policy(account_budget=D("0.001"))),
    DenialCode.BUDGET_VENUE: lambda: some_facts(policy=a_policy(venue_budget=D("0.001"))),
    DenialCode.BUDGET_GLOBAL: lambda: some_facts(policy=a_policy(global_budget=D("0.001"))),
    DenialCode.LEDGER_SHORT: lambda: some_facts(
        memory=Memory(
            claims=(
                Claim(
                    wallet="futures",
                    currency="USDT",
                    at_most=D(20),
                    until=NOON + timedelta(seconds=9),
                ),
            )
        )
    ),
    DenialCode.SOURCE_FLOOR: lambda: some_facts(policy=a_policy(reserves=(("futures", D(950)),))),
    DenialCode.NOT_REDUCE_ONLY: lambda: under(REDUCE, is_reduce_only=False),
    DenialCode.WOULD_INCREASE: lambda: some_facts(replace(STOP, size=D(2))),
    DenialCode.WOULD_FLIP: lambda: some_facts(replace(REDUCE, size=D(2))),
    DenialCode.POST_STATE_WORSE: lambda: some_facts(
        # Closing where margin stays behind, of a position that is under water beyond its margin.
        replace(REDUCE, limit_price=D(100)),
        margin="-900",
        account=an_observation(a_position(margin="-900", entry="60000", mark="59000")).account,
        instruments={KEY.symbol: an_instrument(margin_release=MarginRelease.STAYS)},
    ),
    DenialCode.OVERSHOOT: lambda: some_facts(
        replace(REMOVE, amount=D("12000.00123")), margin=RICH, **OWN
    ),
    DenialCode.NOT_BOT_MARGIN: lambda: some_facts(REMOVE, margin=RICH),
}


ELSEWHERE = {DenialCode.REQUEST_MISMATCH, DenialCode.REQUEST_EXPIRED}
"""Of the comparison with the signed request and of the last look; tested with those."""


def test_there_are_52_codes_and_each_is_reached() -> None:
    assert len(DenialCode) == 52
    assert set(REACHED) | ELSEWHERE == set(DenialCode)


@pytest.mark.parametrize("code", REACHED, ids=lambda code: code.value)
def test_each_reason_denies(code: DenialCode) -> None:
    refusal = guard(REACHED[code]())
    assert refusal is not None
    assert (refusal.code, bool(refusal.text)) == (code.value, True)


def test_the_first_reason_wins() -> None:
    facts = some_facts(replace(ADD, amount=D("NaN")), switches=Switches(killed=True), age=99.0)
    refusal = guard(facts)
    assert refusal is not None
    assert refusal.code == "killed"


@pytest.mark.parametrize("code", sorted(set(REACHED)), ids=lambda code: code.value)
def test_an_emergency_skips_what_is_listed_and_nothing_else(code: DenialCode) -> None:
    facts = replace(REACHED[code](), urgency=Urgency.EMERGENCY)
    refusal = guard(facts)
    skipped = {
        DenialCode.REVERSAL,
        DenialCode.COOLDOWN,
        DenialCode.TIERS_CHANGED,
        DenialCode.PRICE_UNCONFIRMED,
    }
    if code in skipped:
        assert refusal is None or refusal.code == "reversal"
    elif code is DenialCode.IN_FLIGHT:
        assert refusal is not None  # it stands too far for one more
        assert refusal.code == "over_add_refused"
    else:
        assert refusal is not None
        assert refusal.code == code.value


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (lambda: some_facts(MOVE, memory=Memory(unsettled=(ADD,))), "in_flight"),
        (lambda: some_facts(MOVE, memory=Memory(in_transit=(MOVE,))), "in_flight"),
        (lambda: some_facts(REDUCE, memory=Memory(unsettled=(REDUCE,))), "in_flight"),
        (
            lambda: some_facts(
                REMOVE, margin=RICH, memory=replace(OWN["memory"], given_up=(OTHER,))
            ),
            "in_flight",
        ),
        (
            lambda: critical(replace(ADD, amount=OTHER.amount), memory=Memory(unsettled=(OTHER,))),
            "fingerprint_clash",
        ),
        (
            lambda: some_facts(
                REMOVE, margin=RICH, memory=replace(OWN["memory"], moves=after((300, ADD)).moves)
            ),
            "reversal",
        ),
        (lambda: some_facts(replace(MOVE, currency="USDC")), "ledger_short"),
        (
            lambda: some_facts(
                replace(ADD, amount=D(7)), memory=after((30, replace(ADD, amount=D(7))))
            ),
            "duplicate",
        ),
        (lambda: some_facts(account=an_observation(a_position(margin="70000")).account),
         "post_state_worse"),
        (lambda: some_facts(replace(REDUCE, size=D("1.5"))), "would_flip"),
    ],
)  # fmt: skip
def test_each_way_to_a_reason_denies(facts: Callable[[], Facts], expected: str) -> None:
    refusal = guard(facts())
    assert refusal is not None
    assert refusal.code == expected
