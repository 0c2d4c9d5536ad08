"""Z1 to Z8 of the arithmetic kernel: proven of the functions themselves, for all integers.

Beside each stands the same lemma about a function with one fault, which must be refuted: a lemma
that also holds of the fault says nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.execute import arithmetic
from tests.kit.symbolic import always, is_valid, paths

amount, limit, step, spent, unknown = z3.Ints("amount limit step spent unknown")
reported, ledger, floor, held = z3.Ints("reported ledger floor held")
epoch, counter, tag, other_epoch, other_counter = z3.Ints("epoch counter tag epoch_2 counter_2")
signed, window, bound, lag = z3.Ints("signed window bound lag")

# A step of 1e-8 is the finest any venue books, so no scale of 1.00 [quote] is larger.
SCALES = [10**k for k in range(3, 9)]
LOTS = [1, 3, 10, 1_000]

Proof = Callable[[Callable[..., Any]], bool]


def z1_tagged_amounts_stand_on_the_safe_side(tagged: Callable[..., Any], scale: int) -> bool:
    given_ = (amount > 0, tag > 0, tag < scale)

    def is_safe_up(found: Any) -> Any:
        return z3.And(found >= amount, found - amount <= 2 * scale, found % scale == tag)

    def is_safe_down(found: Any) -> Any:
        return z3.Or(
            z3.And(found == 0, amount < scale),
            z3.And(found > 0, found <= amount, amount - found <= 2 * scale, found % scale == tag),
        )

    return always(
        tagged, is_safe_up, *given_, nominal=amount, scale=scale, tag=tag, up=True
    ) and always(tagged, is_safe_down, *given_, nominal=amount, scale=scale, tag=tag, up=False)


@pytest.mark.parametrize("scale", SCALES)
def test_z1_a_tagged_amount_is_on_the_safe_side_and_costs_at_most_two_scales(scale: int) -> None:
    assert z1_tagged_amounts_stand_on_the_safe_side(arithmetic.tagged, scale)


@pytest.mark.parametrize("scale", SCALES)
def test_z1_refutes_a_tag_that_is_written_over_the_last_digits(scale: int) -> None:
    def overwritten(nominal: int, *, scale: int, tag: int, up: bool) -> int:
        return nominal - nominal % scale + tag  # whichever side `up` asks for

    assert not z1_tagged_amounts_stand_on_the_safe_side(overwritten, scale)


def test_z1_refutes_rounding_a_removal_up_to_make_room_for_its_tag() -> None:
    def roomy(nominal: int, *, scale: int, tag: int, up: bool) -> int:
        return arithmetic.tagged(nominal, scale=scale, tag=tag, up=up) or tag

    assert not z1_tagged_amounts_stand_on_the_safe_side(roomy, 1_000)


def z2_no_outcome_of_the_unknown_breaks_the_limit(within_budget: Callable[..., Any]) -> bool:
    # Any part of what is unknown may have taken effect, and the new move as well.
    came_true = z3.Int("came_true")
    possible = z3.And(came_true >= 0, came_true <= unknown)
    return all(
        is_valid(
            z3.Implies(
                z3.And(path.condition, path.result, possible),
                z3.And(spent + came_true + amount <= limit, amount > 0),
            )
        )
        for path in paths(within_budget, spent=spent, unknown=unknown, new=amount, limit=limit)
    )


def test_z2_a_budget_holds_whatever_became_of_the_unknown() -> None:
    assert z2_no_outcome_of_the_unknown_breaks_the_limit(arithmetic.within_budget)


def test_z2_refutes_a_budget_that_leaves_the_unknown_out() -> None:
    assert not z2_no_outcome_of_the_unknown_breaks_the_limit(
        lambda *, spent, unknown, new, limit: new > 0 and unknown >= 0 and spent + new <= limit
    )


def test_z2_refutes_a_budget_in_which_negative_sums_make_room() -> None:
    # What is unknown cannot undo what is spent: a negative sum is a fault, not room.
    admits = arithmetic.within_budget
    assert not admits(spent=-5, unknown=0, new=12, limit=10)
    assert not admits(spent=0, unknown=-5, new=12, limit=10)
    refused = z3.Or(spent < 0, unknown < 0)

    def is_refused(found: Any) -> Any:
        return z3.Not(found) if z3.is_expr(found) else not found

    given_ = {"spent": spent, "unknown": unknown, "new": amount, "limit": limit}
    assert always(admits, is_refused, refused, **given_)
    assert not always(
        lambda *, spent, unknown, new, limit: new > 0 and spent + unknown + new <= limit,
        is_refused,
        refused,
        **given_,
    )


def z3_what_is_usable_keeps_the_floor(usable: Callable[..., Any]) -> bool:
    def keeps_floor(found: Any) -> Any:
        nothing = found == 0
        return z3.And(
            found >= 0,
            z3.Or(nothing, found <= reported - floor),
            z3.Or(nothing, found <= ledger - floor),
        )

    return always(usable, keeps_floor, reported=reported, ledger=ledger, floor=floor)


def test_z3_usable_is_within_both_balances_less_the_floor_and_never_negative() -> None:
    assert z3_what_is_usable_keeps_the_floor(arithmetic.usable)


@pytest.mark.parametrize(
    "usable",
    [
        pytest.param(
            lambda *, reported, ledger, floor: max(0, reported - floor), id="ledger ignored"
        ),
        pytest.param(
            lambda *, reported, ledger, floor: min(reported, ledger) - floor, id="underflow"
        ),
        pytest.param(
            lambda *, reported, ledger, floor: max(0, max(reported, ledger) - floor),
            id="the larger one",
        ),
        pytest.param(
            lambda *, reported, ledger, floor: max(0, min(reported, ledger - floor)),
            id="floor once",
        ),
    ],
)
def test_z3_refutes(usable: Callable[..., Any]) -> None:
    assert not z3_what_is_usable_keeps_the_floor(usable)


def z4_a_reduction_never_turns_a_position(reducible: Callable[..., Any], lot: int) -> bool:
    def keeps_side(found: Any) -> Any:
        long_after, short_after = held - found, held + found
        return z3.And(
            found >= 0,
            found % lot == 0,
            z3.Implies(held >= 0, z3.And(long_after >= 0, long_after <= held)),
            z3.Implies(held <= 0, z3.And(short_after <= 0, short_after >= held)),
            z3.Implies(amount <= 0, found == 0),
        )

    return always(reducible, keeps_side, wanted=amount, held=held, lot=lot)


@pytest.mark.parametrize("lot", LOTS)
def test_z4_a_reduction_never_crosses_zero_also_after_rounding(lot: int) -> None:
    assert z4_a_reduction_never_turns_a_position(arithmetic.reducible, lot)


@pytest.mark.parametrize("lot", [3, 10, 1_000])
def test_z4_refutes_rounding_after_comparing_with_the_position(lot: int) -> None:
    def rounded_last(*, wanted: int, held: int, lot: int) -> int:
        size = max(0, min(wanted, abs(held)))
        return size + -size % lot

    assert not z4_a_reduction_never_turns_a_position(rounded_last, lot)


def test_z4_refutes_forgetting_that_a_short_is_negative() -> None:
    def unsigned(*, wanted: int, held: int, lot: int) -> int:
        return min(wanted + -wanted % lot, held - held % lot)

    assert not z4_a_reduction_never_turns_a_position(unsigned, 10)


def z5_quantising_stays_in_range(quantised: Callable[..., Any], step: int) -> bool:
    def is_in_range(found: Any) -> Any:
        nothing_fits = z3.Or(amount < step, limit < step)
        return z3.Or(
            z3.And(found == 0, nothing_fits),
            z3.And(
                found > 0,
                found <= amount,
                found <= limit,
                found % step == 0,
                z3.Or(found + step > amount, found + step > limit),
            ),
        )

    return always(quantised, is_in_range, amount=amount, step=step, maximum=limit)


@pytest.mark.parametrize("step", LOTS)
def test_z5_quantising_keeps_an_amount_positive_and_within_the_maximum(step: int) -> None:
    assert z5_quantising_stays_in_range(arithmetic.quantised, step)


@pytest.mark.parametrize(
    "quantised",
    [
        pytest.param(
            lambda *, amount, step, maximum: max(0, min(amount + -amount % step, maximum)),
            id="up, then cut",
        ),
        pytest.param(
            lambda *, amount, step, maximum: max(0, min(amount - amount % step, maximum)),
            id="maximum is no multiple",
        ),
        pytest.param(
            lambda *, amount, step, maximum: min(amount, maximum) - min(amount, maximum) % step,
            id="negative",
        ),
        pytest.param(
            lambda *, amount, step, maximum: max(step, min(amount, maximum) // step * step),
            id="at least a step",
        ),
    ],
)
def test_z5_refutes(quantised: Callable[..., Any]) -> None:
    assert not z5_quantising_stays_in_range(quantised, 10)


def z6_cases() -> Iterator[tuple[int, int]]:
    # Exact numbers lie on a grid this much finer than a collateral step.
    for finer in (1, 10, 10_000):
        for parts in (4_000, 5_000, 10_000, 25_000, 50_000, 100_000, 125_000, 500_000):
            yield finer, parts


def z6_the_projection_is_never_kinder(maintenance: Callable[..., Any]) -> bool:
    equity, notional, credit = z3.Ints("exact_equity exact_notional exact_credit")
    per = 1_000_000

    def holds(finer: int, parts: int) -> bool:
        steps_of_equity = equity / finer
        steps_of_notional = -(-notional / finer)
        steps_of_credit = credit / finer
        exact = equity * per >= notional * parts - credit * per
        return always(
            maintenance,
            lambda needed: z3.Implies(steps_of_equity >= needed, exact),
            notional >= 0,
            credit >= 0,
            notional=steps_of_notional,
            parts=parts,
            per=per,
            credit=steps_of_credit,
        )

    return all(holds(finer, parts) for finer, parts in z6_cases())


def test_z6_a_projected_margin_that_reaches_maintenance_passes_the_exact_check() -> None:
    assert z6_the_projection_is_never_kinder(arithmetic.maintenance)


def test_z6_refutes_a_maintenance_margin_that_is_rounded_down() -> None:
    assert not z6_the_projection_is_never_kinder(
        lambda *, notional, parts, per, credit: notional * parts // per - credit
    )


def z7_no_accepted_request_shows_up_later(settle: Callable[..., Any]) -> bool:
    # The venue takes the request at `taken` on its own clock, its row is there by `shown`, and
    # our clock reads `looked` when a look begins, `error` apart from the venue's. An instant on
    # a clock of whole milliseconds is known to within one, so the true one may be 999 us later.
    taken, shown, looked, error, micros = z3.Ints("taken shown looked error micros")
    arrives = z3.And(
        window >= 0, lag >= 0, taken <= signed + window, micros >= 0, micros < 1_000,
        shown <= taken + lag, error <= bound, error >= -bound,
    )  # fmt: skip
    return always(
        settle,
        lambda point: z3.Implies(
            z3.And(arrives, looked > point),
            (looked - error) * 1_000 > shown * 1_000 + micros,
        ),
        signed=signed,
        window=window,
        bound=bound,
        lag=lag,
    )


def test_z7_the_settle_point_is_later_than_any_accepted_arrival() -> None:
    assert z7_no_accepted_request_shows_up_later(arithmetic.settle_point)


@pytest.mark.parametrize(
    "settle",
    [
        pytest.param(lambda *, signed, window, bound, lag: signed + bound + lag, id="no window"),
        pytest.param(lambda *, signed, window, bound, lag: signed + window + lag, id="no bound"),
        pytest.param(lambda *, signed, window, bound, lag: signed + window + bound, id="no lag"),
        pytest.param(
            lambda *, signed, window, bound, lag: signed + window + bound + lag - 1,
            id="a millisecond early",
        ),
    ],
)
def test_z7_refutes(settle: Callable[..., Any]) -> None:
    assert not z7_no_accepted_request_shows_up_later(settle)


def z8_equal_tags_mean_equal_moves(tag_of: Callable[..., Any], scale: int) -> bool:
    live = arithmetic.live_tags(scale=scale)
    # Any eight epochs and any `live` counters in a row, not only those that begin at 0.
    window_ = (
        epoch >= 0, other_epoch >= epoch, other_epoch < epoch + arithmetic.EPOCHS,
        counter >= 0, other_counter >= counter - live, other_counter < counter + live,
        z3.If(other_counter > counter, other_counter - counter, counter - other_counter) < live,
        other_counter >= 0,
    )  # fmt: skip
    one = paths(tag_of, *window_, epoch=epoch, counter=counter, scale=scale)
    two = paths(tag_of, *window_, epoch=other_epoch, counter=other_counter, scale=scale)
    return all(
        is_valid(
            z3.Implies(
                z3.And(a.condition, b.condition, a.result == b.result),
                z3.And(epoch == other_epoch, counter == other_counter),
            )
        )
        and is_valid(
            z3.Implies(a.condition, z3.And(a.result > 0, a.result < scale, a.result % 10 != 0))
        )
        for a in one
        for b in two
    )


@pytest.mark.parametrize("scale", SCALES)
def test_z8_tags_are_injective_over_live_moves(scale: int) -> None:
    assert z8_equal_tags_mean_equal_moves(arithmetic.tag_of, scale)


@pytest.mark.parametrize("scale", SCALES)
def test_z8_a_tag_decodes_to_its_own_epoch_and_counter(scale: int) -> None:
    live = arithmetic.live_tags(scale=scale)
    given_ = (epoch >= 0, counter >= 0, amount >= 0)
    for made in paths(arithmetic.tag_of, *given_, epoch=epoch, counter=counter, scale=scale):
        for read in paths(
            lambda *, amount: arithmetic.tag_in(amount, scale=scale),
            made.condition,
            amount=amount * scale + made.result,
        ):
            assert read.result is not None
            assert is_valid(z3.Implies(read.condition, read.result[0] == epoch % 8))
            assert is_valid(z3.Implies(read.condition, read.result[1] == counter % live))


@pytest.mark.parametrize("scale", [1_000, 10_000])
@pytest.mark.parametrize(
    "tag_of",
    [
        pytest.param(
            lambda *, epoch, counter, scale: (epoch % 8) * (scale // 8) + counter % (scale // 8),
            id="multiples of ten used",
        ),
        pytest.param(
            lambda *, epoch, counter, scale: arithmetic.tag_of(
                epoch=epoch % 7, counter=counter, scale=scale
            ),
            id="seven epochs",
        ),
        pytest.param(
            lambda *, epoch, counter, scale: arithmetic.tag_of(
                epoch=epoch, counter=counter % (arithmetic.live_tags(scale=scale) - 1), scale=scale
            ),
            id="a tag less",
        ),
        pytest.param(
            lambda *, epoch, counter, scale: (
                (epoch % 8) * (scale // 8)
                + counter % (scale // 8)
                + (1 if ((epoch % 8) * (scale // 8) + counter % (scale // 8)) % 10 == 0 else 0)
            ),
            id="multiples of ten moved up by one",
        ),
    ],
)
def test_z8_refutes(tag_of: Callable[..., Any], scale: int) -> None:
    assert not z8_equal_tags_mean_equal_moves(tag_of, scale)


@settings(max_examples=60)  # each asks z3 five times
@given(
    st.sampled_from(SCALES),
    st.integers(1, 10**14),
    st.integers(-(10**9), 10**9),
    st.integers(1, 10**4),
)
def test_the_terms_of_the_proofs_are_what_the_functions_return(
    scale: int, wanted: int, position: int, lot: int
) -> None:
    def agrees(run: Callable[..., Any], **values: int) -> bool:
        names = {name: z3.Int(name) for name in values}
        fixed = [names[name] == value for name, value in values.items()]
        ((path),) = paths(run, *fixed, **names)
        expected = run(**values)
        if path.result is None or isinstance(path.result, bool | int):
            return bool(path.result == expected)
        return is_valid(z3.Implies(path.condition, path.result == expected))

    assert agrees(arithmetic.reducible, wanted=wanted, held=position, lot=lot)
    assert agrees(arithmetic.quantised, amount=position, step=lot, maximum=wanted)
    assert agrees(arithmetic.usable, reported=wanted, ledger=position, floor=lot)
    assert agrees(arithmetic.maintenance, notional=wanted, parts=lot, per=10**6, credit=position)
    assert agrees(arithmetic.tag_of, epoch=lot, counter=wanted, scale=scale)
