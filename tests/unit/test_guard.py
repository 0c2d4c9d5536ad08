from collections.abc import Callable
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
from bot.domain.mode import Mode
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.domain.switch import Pause, Switches
from bot.domain.venue import VenueCondition
from bot.execute.denial import DenialCode
from bot.execute.facts import Conditions, Facts
from bot.execute.guard import guard
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.claims import Claim
from bot.rebalance.memory import KeyMemory, Memory, Move
from tests.kit.builders import (
    ETH,
    LEVELS,
    NOON,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
)

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D("100.00123"), currency="USDT")
REMOVE = RemoveMargin(key=KEY, amount=D("99.99123"), currency="USDT")
REDUCE = ReducePosition(key=KEY, size=D("0.5"), limit_price=D(59000))
MOVE = Transfer(source="spot", destination="futures", amount=D("50.00125"), currency="USDT")
STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(55000), is_needed=True)
CANCEL = CancelStop(key=KEY, stop_id="1", client_id="pl1")


def some_facts(action: Action = ADD, *, margin: str = "5000", **changes: Any) -> Facts:
    position = a_position(margin=margin)
    rules = an_instrument()
    ours = assess(position, rules).liquidation_price
    position = replace(position, venue_liquidation_price=ours)
    seen = an_observation(position, futures="1000", spot="1000")
    band = band_at_distances(assess(position, rules), LEVELS)
    values: dict[str, Any] = {
        "action": action,
        "account": seen.account,
        "instruments": {rules.symbol: rules},
        "bands": {KEY: band},
        "memory": Memory(),
        "policy": a_policy(),
        "switches": Switches(),
        "urgency": Urgency.ROUTINE,
        "now": NOON,
        "age": 0.1,
        "step": D("0.00001"),
        "conditions": Conditions(),
    }
    values |= changes
    return Facts(**({"held": values["account"].held()} | values))


def under(action: Action = ADD, **conditions: Any) -> Facts:
    return some_facts(action, conditions=Conditions(**conditions))


def after(*moves: tuple[float, Action], **memory: Any) -> Memory:
    return Memory(
        moves=tuple(Move(at=NOON - timedelta(seconds=ago), action=a) for ago, a in moves), **memory
    )


RICH = "20000"
OWN: dict[str, Any] = {"memory": Memory(keys=(KeyMemory(key=KEY, added=D(500)),))}

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


@pytest.mark.parametrize(
    ("action", "margin"),
    [(ADD, "5000"), (REDUCE, "5000"), (MOVE, "5000"), (STOP, "5000"), (CANCEL, "5000")],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_what_is_right_may_leave(action: Action, margin: str) -> None:
    assert guard(some_facts(action, margin=margin)) is None


def test_margin_of_the_bot_may_be_given_back() -> None:
    assert guard(some_facts(REMOVE, margin=RICH, **OWN)) is None


def test_what_protects_may_leave_when_only_its_part_of_the_budget_is_left() -> None:
    way = Conditions(venue=VenueCondition(weight_left=5, weight_left_optional=0))
    assert guard(some_facts(ADD, conditions=way)) is None
    stopped = guard(some_facts(MOVE, conditions=way))
    assert stopped is not None
    assert stopped.code == DenialCode.WEIGHT_EXHAUSTED.value


def test_the_first_reason_wins() -> None:
    facts = some_facts(replace(ADD, amount=D("NaN")), switches=Switches(killed=True), age=99.0)
    refusal = guard(facts)
    assert refusal is not None
    assert refusal.code == "killed"


def test_what_the_books_do_not_hold_cannot_be_spent_whatever_the_venue_shows() -> None:
    holds = {("futures", "USDT"): D(20)}
    refusal = guard(some_facts(holds=holds))
    assert refusal is not None
    assert refusal.code == DenialCode.LEDGER_SHORT
    assert guard(some_facts(holds={("spot", "USDT"): D(0)})) is None


@pytest.mark.parametrize(("ago", "is_denied"), [(9.9, True), (10, False)])
def test_what_a_person_touched_is_left_alone_for_the_cooldown(ago: float, is_denied: bool) -> None:
    entry = KeyMemory(key=KEY, touched_at=NOON - timedelta(seconds=ago))
    refusal = guard(some_facts(memory=Memory(keys=(entry,))))
    assert (refusal is not None and refusal.code == DenialCode.COOLDOWN) is is_denied
    back = replace(ADD, after_reduction=True)
    assert guard(some_facts(back, memory=Memory(keys=(entry,)))) is None
    urgent = some_facts(memory=Memory(keys=(entry,)), urgency=Urgency.EMERGENCY)
    assert guard(urgent) is None


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


def test_one_over_add_is_allowed_beside_an_unknown_one_in_an_emergency_only() -> None:
    other = replace(ADD, amount=D("80.00456"))
    memory = after((30, other), unsettled=(other,))
    routine = guard(some_facts(memory=memory))
    assert routine is not None
    assert routine.code == "in_flight"
    assert guard(critical(memory=memory)) is None


def critical(action: Action = ADD, **changes: Any) -> Facts:
    """Facts of a position below its emergency distance."""
    return some_facts(action, margin="3000", urgency=Urgency.EMERGENCY, **changes)


OTHER = replace(ADD, amount=D("80.00456"))


def test_an_over_add_needs_a_critical_distance_and_a_band() -> None:
    memory = after((30, OTHER), unsettled=(OTHER,))
    for facts in (
        some_facts(memory=memory, urgency=Urgency.EMERGENCY),
        critical(memory=memory, bands={}),
    ):
        refusal = guard(facts)
        assert refusal is not None
        assert refusal.code == "over_add_refused"


def test_an_over_add_counts_all_open_additions() -> None:
    memory = after((30, OTHER), unsettled=(OTHER,))
    for limit, allowed in ((180, False), (181, True)):
        refusal = guard(critical(memory=memory, policy=a_policy(max_margin_per_hour=D(limit))))
        assert (refusal is None) == allowed
        assert refusal is None or refusal.code == "over_add_refused"


def test_a_second_over_add_is_refused() -> None:
    more = replace(ADD, amount=D("60.00457"))
    memory = after((30, OTHER), (20, more), unsettled=(OTHER, more))
    refusal = guard(critical(memory=memory))
    assert refusal is not None
    assert refusal.code == "over_add_refused"


def test_an_over_add_is_an_own_amount() -> None:
    refusal = guard(critical(memory=after((30, ADD), unsettled=(ADD,))))
    assert refusal is not None
    assert refusal.code == "duplicate"


def test_what_a_reduction_released_returns_beside_an_unknown_move() -> None:
    memory = after((30, OTHER), unsettled=(OTHER,))
    back = replace(ADD, after_reduction=True)
    assert guard(some_facts(back, memory=memory, urgency=Urgency.EMERGENCY)) is None


@pytest.mark.parametrize("field", ["unsettled", "given_up"])
def test_what_is_open_counts_in_full_however_old_it_is(field: str) -> None:
    policy = a_policy(max_margin_per_hour=D(170), max_margin_per_day=D(170))
    open_: dict[str, Any] = {field: (OTHER,)}
    facts = critical(memory=Memory(**open_), policy=policy)
    refusal = guard(facts)
    assert refusal is not None
    assert refusal.code == ("over_add_refused" if field == "unsettled" else "budget_position")
    assert guard(critical(policy=policy)) is None


def test_what_is_open_counts_once() -> None:
    policy = a_policy(max_margin_per_hour=D(181), max_margin_per_day=D(181))
    memory = after((400, OTHER), given_up=(OTHER,))
    assert guard(critical(memory=memory, policy=policy)) is None


def test_an_action_is_above_its_budget_by_the_digits_it_carries_at_most() -> None:
    policy = a_policy(max_margin_per_action=D(100))
    assert guard(some_facts(replace(ADD, amount=D("100.00999")), policy=policy)) is None
    refusal = guard(some_facts(replace(ADD, amount=D("100.01001")), policy=policy))
    assert refusal is not None
    assert refusal.code == "budget_action"


def test_no_more_of_a_position_is_closed_at_once_than_the_policy_says() -> None:
    policy = a_policy(max_reduction_per_action=D("0.4"))
    assert guard(some_facts(replace(REDUCE, size=D("0.4")), policy=policy)) is None
    refusal = guard(some_facts(replace(REDUCE, size=D("0.401")), policy=policy))
    assert refusal is not None
    assert refusal.code == "budget_action"
    least = a_policy(max_reduction_per_action=D("0.0001"))
    assert guard(some_facts(replace(REDUCE, size=D("0.001")), policy=least)) is None


def test_margin_moves_need_isolated_margin() -> None:
    refusal = guard(some_facts(**held(margin_mode=MarginMode.CROSS)))
    assert refusal is not None
    assert refusal.code == "op_unsupported"


@pytest.mark.parametrize(("size", "price"), [("1", 60000), ("-1", 59999)])
def test_a_stop_that_would_fire_at_once_is_not_placed(size: str, price: int) -> None:
    position = a_position(size=size)
    stop = replace(STOP, key=position.key, stop_price=D(price))
    refusal = guard(some_facts(stop, account=an_observation(position).account))
    assert refusal is not None
    assert refusal.code == "post_state_worse"


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


def test_the_reserve_takes_what_protects() -> None:
    for action in (ADD, REDUCE):
        facts = under(action, is_journal_writable=False)
        assert guard(replace(facts, urgency=Urgency.EMERGENCY)) is None
        for urgency in set(Urgency) - {Urgency.EMERGENCY}:
            refusal = guard(replace(facts, urgency=urgency))
            assert refusal is not None
            assert refusal.code == "journal_unwritable"


def test_margin_that_no_price_can_reach_is_given_back_without_a_price_to_dispute() -> None:
    account = an_observation(a_position(margin="70000")).account
    assert guard(some_facts(REMOVE, account=account, **OWN)) is None


def test_a_reduction_that_leaves_the_margin_behind_may_leave() -> None:
    rules = {KEY.symbol: an_instrument(margin_release=MarginRelease.STAYS)}
    assert guard(some_facts(REDUCE, instruments=rules)) is None


def test_a_position_smaller_than_any_order_may_be_closed() -> None:
    account = an_observation(a_position(size="0.00047", margin="3")).account
    close = replace(REDUCE, size=D("0.00047"))
    assert guard(some_facts(close, account=account)) is None
    part = guard(some_facts(replace(REDUCE, size=D("0.00046")), account=account))
    assert part is not None
    assert part.code == "step_mismatch"


def test_a_quarter_of_the_moves_is_kept_for_emergencies() -> None:
    moves = tuple((120.0 + n, replace(ADD, amount=D(10 + n))) for n in range(30))
    spent = after(*moves)
    routine = guard(some_facts(memory=spent))
    assert routine is not None
    assert routine.code == "budget_position"
    assert guard(some_facts(memory=spent, urgency=Urgency.EMERGENCY)) is None


def held(**numbers: Any) -> dict[str, Any]:
    """An account whose one position reads like this."""
    account = some_facts().account
    position = replace(account.positions[0], **numbers)
    return {"account": replace(account, positions=(position,))}


def funded(free: D) -> dict[str, Any]:
    account = some_facts().account
    return {"account": replace(account, wallets=(replace(account.wallets[0], free=free),))}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"action": replace(ADD, amount=D("1E+40"))}, "above_maximum"),
        ({"action": replace(ADD, amount=D("1E+999999999"))}, "above_maximum"),
        ({"action": replace(ADD, amount=D("1E-999999999"))}, "step_mismatch"),
        ({"action": replace(ADD, amount=D("100.0012300000000000000000000000000001"))},
         "step_mismatch"),
        ({"action": replace(ADD, amount=D("sNaN"))}, "not_finite"),
        ({"action": replace(REDUCE, size=D("1E+40"))}, "above_maximum"),
        ({"action": replace(REDUCE, limit_price=D("NaN"))}, "not_finite"),
        ({"action": replace(REDUCE, limit_price=D("sNaN"))}, "not_finite"),
        ({"action": replace(STOP, stop_price=D(-1))}, "not_positive"),
        ({"age": float("nan")}, "input_stale"),
        ({"age": -1.0}, "input_stale"),
        ({"conditions": Conditions(plan_age=float("nan"))}, "plan_expired"),
        ({"conditions": Conditions(plan_age=-3600.0)}, "plan_expired"),
        (held(mark_price=D("NaN")), "input_missing"),
        (held(mark_price=D(0)), "input_missing"),
        (held(margin=D("Infinity")), "input_missing"),
        (held(leverage_setting=D(0)), "input_missing"),
        (funded(D("NaN")), "input_missing"),
        (funded(D("-Infinity")), "input_missing"),
        ({"instruments": {KEY.symbol: an_instrument(table=())}}, "input_missing"),
        ({"step": D(0)}, "input_missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_numbers_that_are_none_are_denied_and_never_raise(
    changes: dict[str, Any], code: str
) -> None:
    refusal = guard(some_facts(**changes))
    assert refusal is not None
    assert refusal.code == code


@pytest.mark.parametrize("theirs", [D(0), D("NaN"), D(-1)], ids=str)
def test_a_liquidation_price_that_is_none_is_disputed(theirs: D) -> None:
    account = some_facts(REMOVE, margin=RICH).account
    position = replace(account.positions[0], venue_liquidation_price=theirs)
    facts = some_facts(REMOVE, margin=RICH, account=replace(account, positions=(position,)), **OWN)
    refusal = guard(facts)
    assert refusal is not None
    assert refusal.code == "liquidation_price_disputed"


def test_numbers_of_other_positions_do_not_keep_one_from_protection() -> None:
    broken = replace(a_position(ETH), mark_price=D("NaN"))
    account = some_facts().account
    account = replace(account, positions=(*account.positions, broken))
    assert guard(some_facts(account=account)) is None


def test_a_wallet_that_cannot_be_read_does_not_keep_a_position_from_shrinking() -> None:
    assert guard(some_facts(REDUCE, **funded(D("NaN")))) is None


@pytest.mark.parametrize(
    ("source", "destination"),
    [("futures", "spot"), ("spot", "spot"), ("futures", "futures")],
)
def test_transfers_only_feed_the_wallet_that_backs_positions(source: str, destination: str) -> None:
    refusal = guard(some_facts(replace(MOVE, source=source, destination=destination)))
    assert refusal is not None
    assert refusal.code == "endpoint_not_allowed"


def test_a_wallet_that_may_be_drawn_on_feeds_positions_and_nothing_else() -> None:
    policy = a_policy(transfer_from=("spot", "futures"))
    refusal = guard(some_facts(replace(MOVE, source="futures", destination="spot"), policy=policy))
    assert refusal is not None
    assert refusal.code == "endpoint_not_allowed"


def test_a_wallet_that_may_not_be_drawn_on_is_not() -> None:
    refusal = guard(some_facts(MOVE, policy=a_policy(transfer_from=())))
    assert refusal is not None
    assert refusal.code == "endpoint_not_allowed"


def test_no_more_is_given_back_than_the_venue_releases() -> None:
    account = some_facts(REMOVE, margin=RICH).account
    position = replace(account.positions[0], leverage_setting=D(3))
    facts = some_facts(REMOVE, margin=RICH, account=replace(account, positions=(position,)), **OWN)
    refusal = guard(facts)
    assert refusal is not None
    assert refusal.code == "above_maximum"
