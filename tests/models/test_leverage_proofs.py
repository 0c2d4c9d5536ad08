"""Ten lemmas of the liquidation geometry, proven for all real numbers.

Beside each stands the same lemma about a variant with one fault, which must be refuted: a lemma
that also holds of the fault says nothing. Lemma 6 is a claim that people make and that is false; it
must stay refuted.
"""

from collections.abc import Callable
from typing import Any

import pytest
import z3

Term = Any
"""A real number of z3."""

size, mark, price, equity, rate = z3.Reals("size mark price equity rate")
more, closed, cost, share, haircut = z3.Reals("more closed cost share haircut")
rate_2, amount_2, other = z3.Reals("rate_2 amount_2 other")

POSITION = (size > 0, mark > 0, rate >= 0, rate < 1)


def holds(claim: Term, *given: Term) -> bool:
    """Whether a claim holds for all real numbers that fit."""
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(*given, z3.Not(claim))
    answer = solver.check()
    if answer == z3.unknown:
        raise AssertionError(f"z3 could not decide: {solver.reason_unknown()}")
    return bool(answer == z3.unsat)


def long_at(q: Term, e: Term, r: Term = rate) -> Term:
    """Liquidation price of a linear long of one tier, as `optimum.liquidation` has it."""
    return (q * mark - e) / (q * (1 - r))


def short_at(q: Term, e: Term, r: Term = rate) -> Term:
    return (q * mark + e) / (q * (1 + r))


def long_buffer(q: Term, e: Term, p: Term, r: Term = rate) -> Term:
    """Equity minus maintenance margin at a price."""
    return e + q * (p - mark) - r * q * p


def short_buffer(q: Term, e: Term, p: Term, r: Term = rate) -> Term:
    return e - q * (p - mark) - r * q * p


Price = Callable[[Term, Term], Term]


def l1_a_long_is_healthy_exactly_above_its_price(at: Price) -> bool:
    return holds((long_buffer(size, equity, mark) > 0) == (mark > at(size, equity)), *POSITION)


def test_l1_a_long_is_healthy_now_exactly_above_its_liquidation_price() -> None:
    assert l1_a_long_is_healthy_exactly_above_its_price(long_at)


def test_l1_refutes_a_price_that_adds_the_rate() -> None:
    assert not l1_a_long_is_healthy_exactly_above_its_price(
        lambda q, e: (q * mark - e) / (q * (1 + rate))
    )


def l2_every_price_beyond_keeps_the_margin(at: Price) -> bool:
    return holds(
        long_buffer(size, equity, price) > 0, *POSITION, price > at(size, equity), price > 0
    )


def test_l2_every_price_beyond_the_liquidation_price_keeps_more_than_maintenance() -> None:
    assert l2_every_price_beyond_keeps_the_margin(long_at)


def test_l2_refutes_a_price_without_the_rate() -> None:
    assert not l2_every_price_beyond_keeps_the_margin(lambda q, e: (q * mark - e) / q)


def l3_adding_margin_moves_a_long_away(at: Price) -> bool:
    return holds(at(size, equity + more) < at(size, equity), *POSITION, more > 0)


def test_l3_adding_margin_moves_the_price_of_a_long_away() -> None:
    assert l3_adding_margin_moves_a_long_away(long_at)


def test_l3_refutes_a_price_that_counts_equity_against_the_position() -> None:
    assert not l3_adding_margin_moves_a_long_away(lambda q, e: (q * mark + e) / (q * (1 - rate)))


def l4_adding_margin_moves_a_short_away(at: Price) -> bool:
    return holds(at(size, equity + more) > at(size, equity), *POSITION, more > 0)


def test_l4_adding_margin_moves_the_price_of_a_short_away() -> None:
    assert l4_adding_margin_moves_a_short_away(short_at)


def test_l4_refutes_a_price_that_does_not_know_the_margin() -> None:
    assert not l4_adding_margin_moves_a_short_away(lambda q, _: q * mark / (q * (1 + rate)))


CLOSING = (closed > 0, closed < size, cost >= 0, cost < 1)


def l5_shrinking_helps_exactly_when_it_costs_less_than_one_over_leverage(
    *, paid: Callable[[], Term], limit: Callable[[], Term]
) -> bool:
    rest, kept = size - closed, equity - paid()
    helps = limit()
    long_ = (long_at(rest, kept) < long_at(size, equity)) == helps
    short = (short_at(rest, kept) > short_at(size, equity)) == helps
    return holds(z3.And(long_, short), *POSITION, *CLOSING)


def paid_at_mark() -> Term:
    return cost * closed * mark


def cheaper_than_one_over_leverage() -> Term:
    return cost * size * mark < equity


def test_l5_shrinking_with_equity_kept_helps_exactly_below_one_over_leverage() -> None:
    assert l5_shrinking_helps_exactly_when_it_costs_less_than_one_over_leverage(
        paid=paid_at_mark, limit=cheaper_than_one_over_leverage
    )


@pytest.mark.parametrize(
    ("paid", "limit"),
    [
        pytest.param(
            paid_at_mark, lambda: cost * closed * mark < equity, id="the closed part counts"
        ),
        pytest.param(paid_at_mark, lambda: cost < 1, id="any cost will do"),
        pytest.param(
            lambda: cost * size * mark, cheaper_than_one_over_leverage, id="all of it is paid for"
        ),
    ],
)
def test_l5_refutes(paid: Callable[[], Term], limit: Callable[[], Term]) -> None:
    assert not l5_shrinking_helps_exactly_when_it_costs_less_than_one_over_leverage(
        paid=paid, limit=limit
    )


def l6_shrinking_always_helps(*given: Term) -> bool:
    rest, kept = size - closed, equity - paid_at_mark()
    alive = long_buffer(size, equity, mark) > 0
    return holds(
        long_at(rest, kept) < long_at(size, equity), *POSITION, *CLOSING, equity > 0, alive, *given
    )


def test_l6_that_shrinking_always_helps_has_a_counterexample() -> None:
    assert not l6_shrinking_always_helps()


def test_l6_the_claim_becomes_true_once_closing_is_free() -> None:
    assert l6_shrinking_always_helps(cost == 0)


def l7_pro_rata_release_moves_nothing(*, released: Callable[[Term], Term]) -> bool:
    rest, kept = share * size, equity - released(share)
    same = z3.And(
        long_at(rest, kept) == long_at(size, equity),
        short_at(rest, kept) == short_at(size, equity),
    )
    return holds(same, *POSITION, share > 0, share < 1)


def test_l7_pro_rata_release_leaves_the_price_where_it_was() -> None:
    assert l7_pro_rata_release_moves_nothing(released=lambda k: (1 - k) * equity)


def test_l7_refutes_a_release_that_leaves_all_margin_behind() -> None:
    assert not l7_pro_rata_release_moves_nothing(released=lambda _: z3.RealVal(0))


def l8_coins_are_never_safer_than_quote(*, counted: Term) -> bool:
    # Collateral of the same value at mark: quote keeps it, coins follow the price.
    fixed = long_buffer(size, equity + counted * mark, price)
    coins = long_buffer(size, equity, price) + counted * price
    return holds(fixed >= coins, *POSITION, price > 0, price <= mark, other > 0)


def test_l8_coins_are_never_safer_than_the_same_value_in_quote() -> None:
    assert l8_coins_are_never_safer_than_quote(counted=other)


def test_l8_refutes_collateral_that_gains_while_the_price_falls() -> None:
    assert not l8_coins_are_never_safer_than_quote(counted=-other)


def l9_beyond_its_price_an_inverse_long_is_healthy(*, of_rate: Callable[[Term], Term]) -> bool:
    # n contracts of 1 quote, equity in coin: buffer(P) = E + n (1/S - 1/P) - rate * n / P.
    at = size * of_rate(rate) / (equity + size / mark)
    buffer = equity + size * (1 / mark - 1 / price) - rate * size / price
    return holds(buffer > 0, *POSITION, equity + size / mark > 0, price > at, price > 0)


def test_l9_an_inverse_long_is_healthy_beyond_its_liquidation_price() -> None:
    assert l9_beyond_its_price_an_inverse_long_is_healthy(of_rate=lambda r: 1 + r)


def test_l9_refutes_the_rate_of_a_short() -> None:
    assert not l9_beyond_its_price_an_inverse_long_is_healthy(of_rate=lambda r: 1 - r)


def l10_one_crossing(*rules: Term) -> bool:
    # Two tiers as the maximum of two lines; a long whose buffer vanishes at two prices.
    def buffer(p: Term) -> Term:
        first, second = rate * size * p, rate_2 * size * p - amount_2
        return equity + size * (p - mark) - z3.If(first > second, first, second)

    return holds(
        price == other,
        *POSITION,
        amount_2 >= 0,
        *rules,
        price > 0,
        other > 0,
        buffer(price) == 0,
        buffer(other) == 0,
    )


def test_l10_rising_rates_below_one_have_one_crossing() -> None:
    assert l10_one_crossing(rate_2 >= rate, rate_2 < 1)


def test_l10_refutes_a_rate_beyond_one() -> None:
    assert not l10_one_crossing(rate_2 >= rate)


def l12_the_binding_tier_decides(
    *, long_of: Callable[[list[Term]], Term], short_of: Callable[[list[Term]], Term]
) -> bool:
    def lines(at: Callable[[Term, Term, Term], Term]) -> list[Term]:
        # The deduction of a tier acts like equity of its own.
        return [at(size, equity, rate), at(size, equity + amount_2, rate_2)]

    def healthy(buffer: Callable[[Term, Term, Term, Term], Term]) -> Term:
        first = buffer(size, equity, price, rate)
        second = buffer(size, equity + amount_2, price, rate_2)
        return z3.And(first >= 0, second >= 0)

    table = (rate_2 >= rate, rate_2 < 1, amount_2 >= 0, price > 0)
    long_ = (price >= long_of(lines(long_at))) == healthy(long_buffer)
    short = (price <= short_of(lines(short_at))) == healthy(short_buffer)
    return holds(z3.And(long_, short), *POSITION, *table)


def highest(of: list[Term]) -> Term:
    return z3.If(of[0] > of[1], of[0], of[1])


def lowest(of: list[Term]) -> Term:
    return z3.If(of[0] < of[1], of[0], of[1])


def test_l12_the_highest_price_decides_for_a_long_and_the_lowest_for_a_short() -> None:
    assert l12_the_binding_tier_decides(long_of=highest, short_of=lowest)


@pytest.mark.parametrize(
    ("long_of", "short_of"),
    [
        pytest.param(lowest, lowest, id="the lowest for a long"),
        pytest.param(highest, highest, id="the highest for a short"),
        pytest.param(lambda of: of[0], lowest, id="the first tier for a long"),
    ],
)
def test_l12_refutes(
    long_of: Callable[[list[Term]], Term], short_of: Callable[[list[Term]], Term]
) -> None:
    assert not l12_the_binding_tier_decides(long_of=long_of, short_of=short_of)
