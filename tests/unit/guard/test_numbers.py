"""What if a number is none, no price, or too large to reckon with?"""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.execute.facts import Conditions
from bot.execute.guard import guard
from tests.kit.builders import ETH, a_position, an_instrument
from tests.kit.guarding import ADD, KEY, OWN, REDUCE, REMOVE, RICH, STOP, funded, held, some_facts


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
        (held(mark_price=D(-1)), "input_missing"),
        (held(entry_price=D(-1)), "input_missing"),
        (held(margin=D("Infinity")), "input_missing"),
        (held(leverage_setting=D(0)), "input_missing"),
        (held(leverage_setting=D(-1)), "input_missing"),
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
