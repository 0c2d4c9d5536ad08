"""Where may a stop stand, how much may it close, and when is it taken back?"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.mode import Mode
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.memory import Memory
from bot.rebalance.review_stops import review_place
from tests.kit.builders import LEVELS, a_position, a_stop, an_observation
from tests.kit.reviewing import CANCEL, HELD, OWN, REMOVE, RULES, STOP, code, rich, with_stop


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
