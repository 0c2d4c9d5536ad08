"""Lemmas of the planning: proven of the functions themselves, for all real numbers.

Beside each stands the same lemma about a function with one fault, which must be refuted.
"""

from collections.abc import Callable
from typing import Any

import pytest
import z3

from bot.execute import arithmetic
from bot.leverage import merit, mix
from tests.kit.symbolic import is_valid

notional, equity, margin, closed = z3.Reals("notional equity margin closed")
required, cost, kept, scale = z3.Reals("required cost kept scale")
source, sink, flight, paid, amount, fee = z3.Reals("source sink flight paid amount fee")
value, collateral, credit = z3.Reals("value collateral credit")

Function = Callable[..., Any]


def l13_relief_is_what_the_requirement_asks_for(relief: Function, deficit: Function) -> bool:
    after = equity + margin - cost * closed >= (notional - closed) * required
    return is_valid(
        after == (relief(margin, closed, required, cost) >= deficit(notional, required, equity))
    )


def test_l13_a_unit_stands_where_it_must_exactly_when_relief_reaches_the_deficit() -> None:
    assert l13_relief_is_what_the_requirement_asks_for(merit.relief, merit.deficit)


@pytest.mark.parametrize(
    "relief",
    [
        pytest.param(lambda m, x, r, c: m + x * r, id="closing is free"),
        pytest.param(lambda m, x, r, c: m + x * (r + c), id="cost relieves"),
        pytest.param(lambda m, x, r, c: m + x * (1 - c), id="closing frees its notional"),
        pytest.param(lambda m, x, r, c: m * (1 + r) + x * (r - c), id="margin counts more"),
    ],
)
def test_l13_refutes(relief: Function) -> None:
    assert not l13_relief_is_what_the_requirement_asks_for(relief, merit.deficit)


def l14_a_pro_rata_close_scales_the_deficit(deficit: Function) -> bool:
    return is_valid(
        deficit(kept * notional, required, kept * equity)
        == kept * deficit(notional, required, equity)
    )


def test_l14_closing_pro_rata_leaves_the_same_share_of_the_deficit() -> None:
    assert l14_a_pro_rata_close_scales_the_deficit(merit.deficit)


@pytest.mark.parametrize(
    "deficit",
    [
        pytest.param(lambda v, r, e: v * r - e + 1, id="a fixed part"),
        pytest.param(lambda v, r, e: v * v * r - e, id="grows with the square"),
        pytest.param(lambda v, r, e: v + r - e, id="a distance is no share"),
    ],
)
def test_l14_refutes(deficit: Function) -> None:
    assert not l14_a_pro_rata_close_scales_the_deficit(deficit)


def floor(real: Any) -> Any:
    return z3.ToInt(real)


def ceil(real: Any) -> Any:
    return -z3.ToInt(-real)


def l15_the_check_in_steps_implies_the_real_one(
    needed: Function, *, down: Function = floor, up: Function = ceil
) -> bool:
    per = 1_000_000
    return all(
        is_valid(
            z3.Implies(
                z3.And(
                    value >= 0,
                    credit >= 0,
                    down(collateral)
                    >= needed(notional=up(value), parts=parts, per=per, credit=down(credit)),
                ),
                collateral >= value * parts / per - credit,
            )
        )
        for parts in (4_000, 10_000, 25_000, 500_000)
    )


def maintenance(*, notional: Any, parts: int, per: int, credit: Any) -> Any:
    """The function of the guard on terms: z3 and Python round whole numbers alike."""
    return -(-notional * parts / per) - credit


def test_l15_a_maintenance_margin_rounded_up_is_never_kinder_than_the_real_one() -> None:
    assert l15_the_check_in_steps_implies_the_real_one(maintenance)


def test_l15_the_term_is_what_the_guard_computes() -> None:
    for held, parts in ((0, 1), (999_999, 4_000), (123_456_789, 25_000)):
        term = maintenance(notional=z3.IntVal(held), parts=parts, per=10**6, credit=z3.IntVal(7))
        expected = arithmetic.maintenance(notional=held, parts=parts, per=10**6, credit=7)
        assert z3.simplify(term).as_long() == expected


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            {"needed": lambda *, notional, parts, per, credit: notional * parts / per - credit},
            id="margin rounded down",
        ),
        pytest.param({"needed": maintenance, "down": ceil}, id="equity rounded up"),
        pytest.param({"needed": maintenance, "up": floor}, id="notional rounded down"),
    ],
)
def test_l15_refutes(change: dict[str, Function]) -> None:
    assert not l15_the_check_in_steps_implies_the_real_one(**change)


def l16_nothing_is_made_or_lost(depart: Function, arrive: Function) -> bool:
    left, flying, fees = depart(source, flight, paid, amount, fee)
    landed, still = arrive(sink, flying, amount, fee)
    before = source + sink + flight + paid
    return (
        is_valid(left + sink + flying + fees == before)
        and is_valid(left + landed + still + fees == before)
        and is_valid(still == flight)
    )


def test_l16_wallets_flight_and_fees_keep_their_sum() -> None:
    assert l16_nothing_is_made_or_lost(mix.depart, mix.arrive)


@pytest.mark.parametrize(
    ("depart", "arrive"),
    [
        pytest.param(lambda f, g, p, a, c: (f - a, g + a, p + a * c), mix.arrive, id="fee twice"),
        pytest.param(
            lambda f, g, p, a, c: (f - a * (1 + c), g + a, p), mix.arrive, id="fee unbooked"
        ),
        pytest.param(mix.depart, lambda f, g, a, c: (f + a, g - a), id="arrives without its fee"),
        pytest.param(mix.depart, lambda f, g, a, c: (f + a - a * c, g), id="flies for ever"),
    ],
)
def test_l16_refutes(depart: Function, arrive: Function) -> None:
    assert not l16_nothing_is_made_or_lost(depart, arrive)
