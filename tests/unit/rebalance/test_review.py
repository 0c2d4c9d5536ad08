from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.account import Account
from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.decision import Refusal
from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.mode import Mode
from bot.domain.position import Position
from bot.domain.switch import Pause
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.memory import KeyMemory, Memory, Move
from bot.rebalance.policy import Policy
from bot.rebalance.review import review
from bot.rebalance.review_stops import review_place
from tests.kit.builders import (
    LEVELS,
    NOON,
    ONE_TIER,
    a_policy,
    a_position,
    a_stop,
    an_instrument,
    an_observation,
)

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D(100), currency="USDT")
REMOVE = RemoveMargin(key=KEY, amount=D(100), currency="USDT")
REDUCE = ReducePosition(key=KEY, size=D("0.5"), limit_price=D(59000))
MOVE = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(56500), is_needed=True)
CANCEL = CancelStop(key=KEY, stop_id="1", client_id="plabcd0001000001")
OWN = Memory(keys=(KeyMemory(key=KEY, added=D(500)),))
RICH = "12000"
HELD, RULES, EMPTY, POLICY = a_position(margin="5000"), an_instrument(), Memory(), a_policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one review is asked, with safe defaults."""

    position: Position = HELD
    rules: Instrument = RULES
    memory: Memory = EMPTY
    policy: Policy = POLICY
    futures: str = "1000"
    spot: str = "1000"
    age_ms: int = 100
    account: Account | None = None
    has_band: bool = True
    agreed: D | None = D(1)
    """The venue's liquidation price as a multiple of ours; ``None`` when it gives none."""


def reviewed(action: Action, case: Case | None = None, **changes: Any) -> Refusal | None:
    case = replace(case or Case(), **changes)
    risk = assess(case.position, case.rules)
    ours = risk.liquidation_price
    theirs = None if ours is None or case.agreed is None else ours * case.agreed
    position = replace(case.position, venue_liquidation_price=theirs)
    seen = an_observation(position, futures=case.futures, spot=case.spot)
    return review(
        action,
        case.account or seen.account,
        {case.rules.symbol: case.rules},
        {position.key: band_at_distances(risk, LEVELS)} if case.has_band else {},
        case.memory,
        case.policy,
        now=NOON,
        age_ms=case.age_ms,
    )


def code(action: Action, case: Case | None = None, **changes: Any) -> str | None:
    refusal = reviewed(action, case, **changes)
    assert refusal is None or refusal.text
    return None if refusal is None else refusal.code


def rich(**changes: Any) -> dict[str, Any]:
    """A position with margin to give back, all of it added by the bot."""
    values: dict[str, Any] = {"position": a_position(margin=RICH), "memory": OWN}
    return values | changes


def with_stop(**changes: Any) -> dict[str, Any]:
    held = a_position(margin="5000")
    account = an_observation(held, stops=(a_stop("57000"), a_stop("56800", stop_id="2"))).account
    return {"position": held, "account": account} | changes


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        (ADD, {}),
        (replace(ADD, after_reduction=True), {}),
        (REMOVE, rich()),
        (REDUCE, {}),
        (REDUCE, {"rules": an_instrument(margin_release=MarginRelease.STAYS)}),
        (MOVE, {}),
        (STOP, {}),
        (replace(STOP, size=None), {}),
        (CANCEL, with_stop()),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_what_is_right_is_approved(action: Action, changes: dict[str, Any]) -> None:
    assert reviewed(action, **changes) is None


@pytest.mark.parametrize(
    ("action", "kept"),
    [(ADD, 900), (MOVE, 950)],
    ids=["margin", "transfer"],
)
def test_a_reserve_is_kept_to_the_last_cent(action: Action, kept: int) -> None:
    wallet = "futures" if action is ADD else "spot"
    least, too_much = ((wallet, D(kept)),), ((wallet, kept + D("0.01")),)
    assert code(action, policy=a_policy(reserves=least)) is None
    assert code(action, policy=a_policy(reserves=too_much)) == "breaks_reserve"


@pytest.mark.parametrize("action", [ADD, MOVE], ids=["margin", "transfer"])
def test_a_wallet_that_is_not_known_holds_nothing(action: AddMargin | Transfer) -> None:
    assert code(replace(action, currency="USDC")) == "breaks_reserve"
    assert code(replace(action, currency="USDC", amount=D("0.01"))) == "breaks_reserve"


def test_what_a_reduction_released_needs_no_reserve_and_counts_in_no_hour_but_must_be_there() -> (
    None
):
    back = replace(ADD, after_reduction=True)
    poor = a_policy(
        reserves=(("futures", D(1000)),), max_margin_per_hour=D(1), max_margin_per_day=D(1)
    )
    assert code(back, policy=poor, futures="100") is None
    assert code(back, policy=poor, futures="99.99") == "breaks_reserve"
    assert code(ADD, policy=poor, futures="100") == "breaks_reserve"
    small = a_policy(max_margin_per_action=D("99.99"))
    assert code(back, policy=small, futures="100") == "budget_action"


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_no_approved_transfer_leaves_a_wallet_below_its_reserve(cents: int, kept: int) -> None:
    action = replace(MOVE, amount=D(cents) / 100)
    policy = a_policy(reserves=(("spot", D(kept) / 100),))
    fits = 50 - action.amount >= D(kept) / 100
    assert (code(action, policy=policy, spot="50") is None) == fits


@pytest.mark.parametrize(
    ("limits", "moves", "expected"),
    [
        ({"max_margin_per_action": D(100)}, (), None),
        ({"max_margin_per_action": D("99.99")}, (), "budget_action"),
        ({"max_margin_per_hour": D(170)}, ((3600, 70),), None),
        ({"max_margin_per_hour": D("169.99")}, ((3600, 70),), "budget_hour"),
        ({"max_margin_per_hour": D("169.99")}, ((3601, 70),), None),
        ({"max_margin_per_day": D(170)}, ((86_400, 70),), None),
        ({"max_margin_per_day": D("169.99")}, ((86_400, 70),), "budget_day"),
        ({"max_margin_per_day": D("169.99")}, ((86_401, 70),), None),
        ({"max_margin_per_action": D(100)}, ((10, 70),), None),
    ],
)
def test_budgets_hold_to_the_last_cent_and_the_last_second(
    limits: dict[str, Any], moves: tuple[tuple[int, int], ...], expected: str | None
) -> None:
    memory = Memory(
        moves=tuple(
            Move(at=NOON - timedelta(seconds=ago), action=replace(ADD, amount=D(amount)))
            for ago, amount in moves
        )
    )
    assert code(ADD, policy=a_policy(**limits), memory=memory) == expected


@pytest.mark.parametrize(
    ("action", "changes", "expected"),
    [
        (replace(ADD, amount=D(0)), {}, "not_positive"),
        (replace(ADD, amount=D("NaN")), {}, "not_positive"),
        (replace(ADD, amount=D("Infinity")), {}, "not_positive"),
        (replace(ADD, amount=D("0.01")), {}, None),
        (replace(ADD, amount=D("5.001")), {}, "step_mismatch"),
        (replace(REMOVE, amount=D(0)), rich(), "not_positive"),
        (replace(REMOVE, amount=D("5.001")), rich(), "step_mismatch"),
        (replace(MOVE, amount=D(0)), {}, "not_positive"),
        (replace(MOVE, amount=D("0.01")), {}, None),
        (replace(REDUCE, size=D(0)), {}, "not_positive"),
        (replace(REDUCE, size=D("0.001")), {}, None),
        (replace(REDUCE, size=D("0.0015")), {}, "step_mismatch"),
        (replace(REDUCE, size=D(1)), {}, None),
        (replace(REDUCE, size=D("1.001")), {}, "would_flip"),
    ],
)
def test_amounts_are_positive_whole_and_no_larger_than_what_is_held(
    action: Action, changes: dict[str, Any], expected: str | None
) -> None:
    assert code(action, **changes) == expected


def test_all_of_a_position_may_be_closed_dust_included() -> None:
    dust = a_position(size="0.5004", margin="3000")
    assert code(replace(REDUCE, size=D("0.5004")), position=dust) is None
    assert code(replace(REDUCE, size=D("0.5003")), position=dust) == "step_mismatch"


def test_a_short_is_closed_by_its_own_size() -> None:
    short = a_position(size="-1", margin="5000")
    order = replace(REDUCE, key=short.key, size=D(1), limit_price=D(61000))
    assert code(order, position=short) is None
    assert code(replace(order, size=D("1.5")), position=short) == "would_flip"


def test_transfers_leave_only_wallets_that_the_owner_named() -> None:
    back = replace(MOVE, source="futures", destination="spot")
    assert code(back) == "destination_not_owned"
    refusal = reviewed(MOVE, policy=a_policy(transfer_from=()))
    assert refusal is not None
    assert (refusal.code, "no wallet" in refusal.text) == ("destination_not_owned", True)
    named = a_policy(transfer_from=("earn", "spot"))
    refusal = reviewed(back, policy=named)
    assert refusal is not None
    assert "earn, spot" in refusal.text


def test_margin_that_no_price_can_reach_is_not_increased() -> None:
    # 1 BTC long, covered: 60,000 of margin lets it fall to 0.
    assert code(ADD, position=a_position(margin="60000")) == "not_better"
    # So near to covered that 100 more takes its liquidation price away: better, though no number.
    assert code(ADD, position=a_position(margin="59950")) is None


def test_what_is_not_held_or_has_no_band_or_is_of_another_side_is_refused() -> None:
    other = replace(ADD, key=a_position(size="-1").key)
    assert code(other) == "position_unknown"
    assert code(ADD, has_band=False) == "no_band"


@pytest.mark.parametrize(
    ("added", "only_own", "expected"),
    [
        (100, True, None),
        (99, True, "not_bot_margin"),
        (0, False, None),
    ],
)
def test_only_margin_of_the_bot_returns_unless_the_owner_allows_more(
    added: int, only_own: bool, expected: str | None
) -> None:
    memory = Memory(keys=(KeyMemory(key=KEY, added=D(added)),))
    policy = a_policy(only_own_margin=only_own)
    assert code(REMOVE, position=a_position(margin=RICH), memory=memory, policy=policy) == expected


def test_no_more_returns_than_the_venue_releases_and_than_the_target_leaves() -> None:
    owned = Memory(keys=(KeyMemory(key=KEY, added=D(20_000)),))
    # At a setting of 5 the venue keeps 60,000 / 5 = 12,000: of 20,000 it releases 8,000.
    held = a_position(margin="20000", leverage_setting="5")
    assert code(replace(REMOVE, amount=D(8000)), position=held, memory=owned) is None
    above = replace(REMOVE, amount=D("8000.01"))
    assert code(above, position=held, memory=owned) == "above_maximum"
    # 15 % below 60,000 needs 60,000 - 0.995 * 51,000 - 50 = 9,205: of 12,000, 2,795 may go.
    held = a_position(margin=RICH)
    assert code(replace(REMOVE, amount=D(2795)), position=held, memory=owned) is None
    above = replace(REMOVE, amount=D("2795.01"))
    assert code(above, position=held, memory=owned) == "overshoot"


@pytest.mark.parametrize(
    ("agreed", "expected"),
    [
        # At the limit of 0.001 of theirs, either way, and just beyond it.
        (D(1000) / D(999), None),
        (D(1000) / D("998.9"), "liquidation_price_disputed"),
        (D(1000) / D("1000.9"), None),
        (D(1000) / D("1001.1"), "liquidation_price_disputed"),
        (None, "liquidation_price_disputed"),
    ],
)
def test_margin_returns_only_where_the_venue_agrees_on_the_liquidation_price(
    agreed: D | None, expected: str | None
) -> None:
    assert code(REMOVE, **rich(agreed=agreed)) == expected


def test_margin_that_no_price_can_reach_returns_without_a_price_to_dispute() -> None:
    assert code(REMOVE, **rich(position=a_position(margin="70000"))) is None


@pytest.mark.parametrize(
    ("age_ms", "action", "expected"),
    [
        (3000, REMOVE, None),
        (3001, REMOVE, "input_stale"),
        (14_000, ADD, None),
        (14_000, REDUCE, None),
        (14_000, MOVE, None),
    ],
)
def test_giving_back_needs_fresh_inputs_and_nothing_else_does(
    age_ms: int, action: Action, expected: str | None
) -> None:
    changes = rich() if action is REMOVE else {}
    assert code(action, age_ms=age_ms, **changes) == expected


@pytest.mark.parametrize(
    ("memory", "action", "expected"),
    [
        (Memory(mode=Mode.DEGRADED), ADD, None),
        (Memory(mode=Mode.DEGRADED), MOVE, "mode_forbids"),
        (Memory(mode=Mode.DEGRADED), STOP, None),
        (Memory(mode=Mode.OBSERVE), ADD, "mode_forbids"),
        (Memory(mode=Mode.KILLED), ADD, "killed"),
        (Memory(pause=Pause.OPTIONAL), MOVE, "paused"),
        (Memory(pause=Pause.OPTIONAL), REDUCE, None),
        (Memory(pause=Pause.ALL), REDUCE, "paused"),
    ],
)
def test_mode_and_pause_forbid_what_their_table_says(
    memory: Memory, action: Action, expected: str | None
) -> None:
    assert code(action, memory=memory) == expected


def test_in_degraded_mode_a_stop_is_placed_only_where_none_stands() -> None:
    degraded = Memory(mode=Mode.DEGRADED)
    assert code(STOP, memory=degraded) is None
    assert code(STOP, **with_stop(memory=degraded)) == "mode_forbids"
    nowhere = replace(STOP, key=a_position(size="-1").key)
    assert code(nowhere, memory=degraded) == "mode_forbids"
    # What is forbidden is told, however old the inputs are.
    assert code(REMOVE, **rich(memory=replace(OWN, mode=Mode.DEGRADED), age_ms=9000)) == (
        "mode_forbids"
    )


def under_water(margin: str, **changes: Any) -> Position:
    return a_position(entry="60000", mark="59000", margin=margin, **changes)


def test_a_reduction_whose_margin_stays_must_take_the_position_farther() -> None:
    stays = an_instrument(margin_release=MarginRelease.STAYS, table=ONE_TIER)
    pro_rata = an_instrument(margin_release=MarginRelease.PRO_RATA, table=ONE_TIER)
    deep = under_water("-900")
    order = replace(REDUCE, limit_price=D(100))
    assert code(order, position=deep, rules=stays) == "not_better"
    assert code(order, position=deep, rules=pro_rata) is None
    assert code(REDUCE, position=under_water("3000"), rules=stays) is None
    # All of it: nothing is left to stand nearer.
    assert code(replace(order, size=D(1)), position=deep, rules=stays) is None
    # The margin that stays covers the rest: no price liquidates it.
    assert code(REDUCE, position=under_water("35000"), rules=stays) is None
    # Nor did one before.
    assert code(REDUCE, position=under_water("61000"), rules=stays) is None
    # With nothing behind it, half of it stands no nearer and no farther.
    assert code(REDUCE, position=under_water("0"), rules=stays) == "not_better"


@pytest.mark.parametrize(
    ("size", "expected"),
    [(D(0), "not_positive"), (D(-1), "not_positive"), (D("0.001"), None), (D(1), None),
     (D("1.001"), "would_flip"), (D("0.0005"), "step_mismatch")],
)  # fmt: skip
def test_a_stop_closes_whole_lots_of_what_is_held(size: D, expected: str | None) -> None:
    assert code(replace(STOP, size=size)) == expected


# A long of 1 BTC with 5,000 behind it is liquidated at (60,000 - 5,000 - 50) / 0.995 = 55,226.13;
# its emergency of 5 % begins at 58,132.77.
@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (D("55226.1"), "stop_misplaced"),
        (D("55226.2"), None),
        (D("58132.7"), None),
        (D("58132.8"), "stop_misplaced"),
        (D("56500.05"), "step_mismatch"),
        (D(0), "step_mismatch"),
        (D(-10), "step_mismatch"),
    ],
)
def test_a_stop_stands_between_liquidation_and_emergency_on_a_tick(
    price: D, expected: str | None
) -> None:
    assert code(replace(STOP, stop_price=price)) == expected


# The same as a short: (60,000 + 5,000 + 50) / 1.005 = 64,726.37, and its emergency at 61,644.16.
@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (D("64726.4"), "stop_misplaced"),
        (D("64726.3"), None),
        (D("61644.2"), None),
        (D("61644.1"), "stop_misplaced"),
    ],
)
def test_a_stop_of_a_short_stands_on_the_other_side(price: D, expected: str | None) -> None:
    short = a_position(size="-1", margin="5000")
    assert code(replace(STOP, key=short.key, stop_price=price), position=short) == expected


def test_a_stop_of_a_position_in_its_emergency_stands_before_mark() -> None:
    # (60,000 - 2,000 - 50) / 0.995 = 58,241.21 with an emergency above mark, at 61,306.53.
    near = a_position(margin="2000")
    assert code(replace(STOP, stop_price=D("59999.9")), position=near) is None
    assert code(replace(STOP, stop_price=D(60000)), position=near) == "stop_misplaced"


def test_a_stop_needs_a_liquidation_price_and_an_emergency_that_a_price_can_reach() -> None:
    assert code(STOP, position=a_position(margin="70000")) == "stop_misplaced"
    band = band_at_distances(assess(HELD, RULES), LEVELS)
    far = replace(band, distance=replace(LEVELS, emergency=D(1)))
    refusal = review_place(STOP, HELD, RULES, far)
    assert refusal is not None
    assert refusal.code == "stop_misplaced"


def stands(*names: tuple[str, bool], margin: str = "5000") -> dict[str, Any]:
    """An account with stops of those ids, ours or not."""
    held = a_position(margin=margin)
    stops = tuple(a_stop("57000", stop_id=name, is_ours=is_ours) for name, is_ours in names)
    return {"position": held, "account": an_observation(held, stops=stops).account}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (lambda: stands(("1", True), ("2", True)), None),
        (lambda: stands(("1", True)), "no_backstop"),
        (lambda: stands(("1", True), ("2", False)), "no_backstop"),
        (lambda: stands(("1", False), ("2", True)), "not_own_stop"),
        (lambda: stands(("2", True)), "not_own_stop"),
        # Where no price liquidates no stop is wanted.
        (lambda: stands(("1", True), margin="70000"), None),
    ],
)
def test_a_stop_is_taken_back_only_if_it_is_ours_and_another_stands(
    changes: Callable[[], dict[str, Any]], expected: str | None
) -> None:
    assert code(CANCEL, **changes()) == expected


def test_a_stop_of_a_position_that_is_gone_is_taken_back() -> None:
    gone = an_observation(stops=(a_stop("57000"),)).account
    assert code(CANCEL, account=gone) is None


def test_stops_of_another_symbol_do_not_count() -> None:
    held = a_position(margin="5000")
    stops = (a_stop("57000"), a_stop("57000", stop_id="2", symbol="ETH/USDT:USDT"))
    account = an_observation(held, stops=stops).account
    assert code(CANCEL, position=held, account=account) == "no_backstop"


@pytest.mark.parametrize(
    ("theirs", "expected"), [("51000", None), ("51000.001", "liquidation_price_disputed")]
)
def test_a_dispute_begins_just_beyond_its_limit(theirs: str, expected: str | None) -> None:
    # 60,000 - 50 - 0.995 * 50,949 = 9,255.745, and 50,949 is a thousandth of 51,000 below it.
    held = a_position(margin="9255.745", venue_liquidation_price=theirs)
    account = an_observation(held).account
    less = replace(REMOVE, amount=D("49.99"))
    assert code(less, position=held, memory=OWN, account=account) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("50920", "stop_misplaced"),
        ("50920.1", None),
        ("53599.9", None),
        ("53600", "stop_misplaced"),
        ("0.5", "stop_misplaced"),
    ],
)
def test_a_stop_stands_at_neither_end_of_its_room(price: str, expected: str | None) -> None:
    # Liquidated at 50,920, which is 0.95 * 53,600: 60,000 - 50 - 0.995 * 50,920 = 9,284.6
    held = a_position(margin="9284.6")
    assert code(replace(STOP, stop_price=D(price)), position=held) == expected


def test_a_stop_beyond_liquidation_is_none() -> None:
    degraded, held = Memory(mode=Mode.DEGRADED), a_position(margin="5000")
    account = an_observation(held, stops=(a_stop("55000"),)).account
    assert code(STOP, position=held, account=account, memory=degraded) is None


def test_nothing_is_taken_from_a_position_that_the_venue_tops_up() -> None:
    remove = RemoveMargin(key=a_position().key, amount=D(1), currency="USDT")
    assert code(remove, **rich()) is None
    topped = a_position(margin=RICH, venue_adds_margin=True)
    assert code(remove, **rich(position=topped)) == "venue_adds_margin"
