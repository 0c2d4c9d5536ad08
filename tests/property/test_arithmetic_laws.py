import random
from fractions import Fraction
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.execute.arithmetic import (
    fingerprint_scale,
    live_tags,
    maintenance,
    quantised,
    reducible,
    settle_point,
    sums_coincide,
    tag_in,
    tag_of,
    tagged,
    usable,
    within_budget,
)

SAMPLE = 1_000_000

scales = st.sampled_from([10**k for k in range(3, 9)])
amounts = st.integers(1, 10**16)
counters = st.integers(0, 36**6 - 1)


@given(amounts, st.integers(1, 10**9), st.integers(1, 2_000))
def test_a_scale_is_worth_at_most_one_unit_and_one_percent_and_tells_all_moves_apart(
    amount: int, steps_per_unit: int, moves: int
) -> None:
    scale = fingerprint_scale(amount=amount, steps_per_unit=steps_per_unit, moves=moves)
    if scale is None:
        # Not even the smallest that has enough tags would do.
        fitting = [10**k for k in range(3, 12) if live_tags(scale=10**k) >= moves]
        assert fitting[0] > steps_per_unit or 100 * fitting[0] > amount
    else:
        assert scale >= 1_000
        assert scale <= steps_per_unit
        assert 100 * scale <= amount
        assert live_tags(scale=scale) >= moves


@pytest.mark.parametrize(
    ("moves", "scale"), [(1, 1_000), (112, 1_000), (113, 10_000), (1_125, 10_000), (1_126, 100_000)]
)
def test_the_scale_is_the_smallest_that_has_a_tag_for_each_move(moves: int, scale: int) -> None:
    # 125 and 1,250 remainders to each epoch, of which 13 and 125 are multiples of ten
    amount = 100 * scale  # the least that a hundredth of is the scale
    assert fingerprint_scale(amount=amount, steps_per_unit=scale, moves=moves) == scale
    assert fingerprint_scale(amount=amount - 1, steps_per_unit=scale, moves=moves) is None
    assert fingerprint_scale(amount=amount, steps_per_unit=scale - 1, moves=moves) is None


@given(amounts, amounts, st.integers(1, 10**9))
def test_the_scale_does_not_depend_on_the_amount_so_that_any_row_can_be_read(
    one: int, other: int, steps_per_unit: int
) -> None:
    found = {
        fingerprint_scale(amount=amount, steps_per_unit=steps_per_unit) for amount in (one, other)
    }
    assert len(found - {None}) <= 1


@given(amounts, scales, st.integers(0, 10**6), counters, st.booleans())
def test_a_tagged_amount_carries_its_tag_on_the_safe_side_for_less_than_a_scale(
    nominal: int, scale: int, epoch: int, counter: int, up: bool
) -> None:
    tag = tag_of(epoch=epoch, counter=counter, scale=scale)
    amount = tagged(nominal, scale=scale, tag=tag, up=up)
    if amount == 0:
        assert not up
        assert nominal < tag  # no positive amount up to the nominal ends in the tag
        return
    assert nominal <= amount < nominal + scale if up else nominal - scale < amount <= nominal
    assert tag_in(amount, scale=scale) == (epoch % 8, counter % live_tags(scale=scale))


@given(st.integers(-(10**6), 10**15), scales)
def test_an_amount_with_fewer_digits_never_decodes(typed: int, scale: int) -> None:
    assert tag_in(typed * 10, scale=scale) is None


@given(st.integers(-(10**15), 0), scales)
def test_only_a_positive_amount_decodes(amount: int, scale: int) -> None:
    assert tag_in(amount, scale=scale) is None
    assert tag_in(1, scale=scale) == (0, 0)


@pytest.mark.parametrize("scale", [1_000, 10_000, 100_000])
def test_every_epoch_has_its_lane_and_no_tag_belongs_to_two_moves(scale: int) -> None:
    lane = scale // 8
    moves = [(epoch, counter) for epoch in range(8) for counter in range(live_tags(scale=scale))]
    tags = {tag_of(epoch=epoch, counter=counter, scale=scale): (epoch, counter)
            for epoch, counter in moves}  # fmt: skip
    assert len(tags) == len(moves)
    assert all(tag // lane == epoch for tag, (epoch, _) in tags.items())
    read = {tag: tag_in(scale + tag, scale=scale) for tag in range(scale)}
    assert {tag: move for tag, move in read.items() if move is not None} == tags
    # Of 1,000 remainders 896 are used: 8 lanes of 112; four lanes leave one of theirs over.
    assert len(tags) == (896 if scale == 1_000 else scale * 9 // 10)


def test_no_two_live_moves_of_a_million_have_the_same_amount() -> None:
    # One key as bad as it gets: all nominals lie in one block, runs of the bot end after 60 moves
    # on average, and the moves of the last eight runs all live.
    rng = random.Random(20200312)  # noqa: S311 - a sample, the same on every run
    scale, nominal = 1_000, 250_000_000
    epoch = counter = collisions = 0
    live: dict[int, tuple[int, int]] = {}
    for _ in range(SAMPLE):
        if counter == live_tags(scale=scale) or rng.random() < 1 / 60:
            epoch, counter = epoch + 1, 0
            live = {amount: move for amount, move in live.items() if move[0] > epoch - 8}
        wanted = nominal - rng.randrange(scale // 2)
        amount = tagged(
            wanted, scale=scale, tag=tag_of(epoch=epoch, counter=counter, scale=scale), up=True
        )
        collisions += amount in live
        live[amount] = (epoch, counter)
        counter += 1
    assert epoch > 8_000
    assert collisions == 0


@given(st.lists(st.integers(-60, 60), max_size=6), st.integers(-60, 60))
def test_sums_coincide_exactly_if_two_subsets_with_and_without_the_candidate_are_equal(
    open_amounts: list[int], candidate: int
) -> None:
    subsets = list(
        chain.from_iterable(
            combinations(open_amounts, count) for count in range(len(open_amounts) + 1)
        )
    )
    expected = any(sum(some) + candidate == sum(others) for some in subsets for others in subsets)
    assert sums_coincide(open_amounts, candidate) is expected


def test_more_open_amounts_than_are_compared_count_as_coinciding() -> None:
    powers = [3**k for k in range(17)]  # 2**16 subsets take 15 ms, twice as many are not tried
    assert not sums_coincide(powers[:-1], powers[-1])
    assert sums_coincide(powers, 3 ** len(powers))


@given(st.integers(-(10**9), 10**12), st.integers(1, 10**6), st.integers(-(10**6), 10**12))
def test_quantising_gives_the_largest_multiple_that_fits_or_nothing(
    amount: int, step: int, maximum: int
) -> None:
    found = quantised(amount, step=step, maximum=maximum)
    assert found % step == 0
    if found == 0:
        assert min(amount, maximum) < step
    else:
        assert 0 < found <= min(amount, maximum) < found + step


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.booleans()), max_size=8),
    st.integers(-5, 10**6),
    st.integers(0, 10**7),
)
def test_a_budget_holds_whatever_became_of_the_unknown(
    unknown: list[tuple[int, bool]], new: int, limit: int
) -> None:
    spent, total = 0, sum(amount for amount, _ in unknown)
    if within_budget(spent=spent, unknown=total, new=new, limit=limit):
        assert new > 0
        assert spent + sum(amount for amount, happened in unknown if happened) + new <= limit


def test_a_budget_may_be_spent_to_its_last_step_and_negative_sums_make_no_room() -> None:
    assert within_budget(spent=4, unknown=3, new=3, limit=10)
    assert not within_budget(spent=4, unknown=3, new=4, limit=10)
    assert not within_budget(spent=-4, unknown=3, new=3, limit=10)
    assert not within_budget(spent=4, unknown=-3, new=3, limit=10)
    assert not within_budget(spent=0, unknown=0, new=0, limit=10)
    assert within_budget(spent=0, unknown=0, new=1, limit=1)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_what_is_usable_leaves_the_floor_in_both_balances(
    reported: int, ledger: int, floor: int
) -> None:
    found = usable(reported=reported, ledger=ledger, floor=floor)
    assert found >= 0
    if found > 0:
        assert min(reported, ledger) - found == max(0, floor)


@given(st.integers(-10, 10**9), st.integers(-(10**9), 10**9), st.integers(1, 10**5))
def test_a_reduction_shrinks_and_never_turns_a_position(wanted: int, held: int, lot: int) -> None:
    size = reducible(wanted=wanted, held=held, lot=lot)
    after = held - size if held >= 0 else held + size
    assert size % lot == 0
    assert 0 <= after <= held or held <= after <= 0
    if wanted > 0:
        # All that is wanted is closed, or all whole lots are.
        assert size >= wanted or abs(held) - size < lot


@given(
    st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**6), st.integers(0, 10**12)
)
def test_equity_that_reaches_the_rounded_maintenance_reaches_the_exact_one(
    equity: int, notional: int, parts: int, credit: int
) -> None:
    # Exact numbers are hundredths of a step.
    needed = maintenance(notional=-(-notional // 100), parts=parts, per=10**6, credit=credit // 100)
    if equity // 100 >= needed:
        assert equity * 10**6 >= notional * parts - credit * 10**6


@given(st.integers(0, 10**12), st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**12))
def test_the_rounded_maintenance_is_less_than_a_step_above_the_exact_one(
    notional: int, parts: int, per: int, credit: int
) -> None:
    exact = Fraction(notional * parts, per) - credit
    assert exact <= maintenance(notional=notional, parts=parts, per=per, credit=credit) < exact + 1


def test_the_settle_point_is_what_the_resolver_waits_for() -> None:
    # 5 s window, 0.5 s clock bound, 2 s history lag
    assert settle_point(signed=1_000, window=5_000, bound=500, lag=2_000) == 1_000 + 7_500
