"""Which moves of margin and which closes are approved, and what refuses the others?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.instrument import MarginRelease
from bot.domain.mode import Mode
from bot.domain.position import Position
from bot.domain.switch import Pause
from bot.rebalance.memory import KeyMemory, Memory, Move
from tests.kit.builders import NOON, ONE_TIER, a_policy, a_position, an_instrument, an_observation
from tests.kit.reviewing import (
    ADD,
    CANCEL,
    KEY,
    MOVE,
    OWN,
    REDUCE,
    REMOVE,
    RICH,
    STOP,
    code,
    reviewed,
    rich,
    with_stop,
)


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
    ("theirs", "expected"), [("51000", None), ("51000.001", "liquidation_price_disputed")]
)
def test_a_dispute_begins_just_beyond_its_limit(theirs: str, expected: str | None) -> None:
    # 60,000 - 50 - 0.995 * 50,949 = 9,255.745, and 50,949 is a thousandth of 51,000 below it.
    held = a_position(margin="9255.745", venue_liquidation_price=theirs)
    account = an_observation(held).account
    less = replace(REMOVE, amount=D("49.99"))
    assert code(less, position=held, memory=OWN, account=account) == expected


def test_nothing_is_taken_from_a_position_that_the_venue_tops_up() -> None:
    remove = RemoveMargin(key=a_position().key, amount=D(1), currency="USDT")
    assert code(remove, **rich()) is None
    topped = a_position(margin=RICH, venue_adds_margin=True)
    assert code(remove, **rich(position=topped)) == "venue_adds_margin"
