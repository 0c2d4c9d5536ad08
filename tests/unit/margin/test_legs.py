from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.instrument import Contract, MarginTier
from bot.margin import curve, legs, lone, solver
from bot.margin.by_rule import flat
from bot.margin.legs import Book, Leg, Span
from bot.margin.solver import INFINITE, Interval
from tests.kit.builders import FOUR_TIERS, ONE_TIER, tiers

LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
JUMPING = tiers(("0", "0.01", "0"), ("1000", "0.05", "0"))
"""Without amounts: 10 of maintenance just below a value of 1,000, 50 from there on."""


def alone(
    size: str,
    margin: str,
    *,
    table: tuple[MarginTier, ...] = ONE_TIER,
    entry: str = "100",
    contract: Contract = LINEAR,
    reflexive: str = "0",
) -> Book:
    leg = Leg(size=D(size), entry_price=D(entry), tiers=table)
    return Book(contract=contract, margin=D(margin), legs=(leg,), reflexive=D(reflexive))


@pytest.mark.parametrize(
    ("at", "per", "expected"),
    [
        pytest.param("0", "2", ["0", "25000", "300000", "1500000"], id="a price from 0 up"),
        pytest.param("1", "2", ["0", "24999.5", "299999.5", "1499999.5"], id="a value of 1"),
        pytest.param("100000", "50", ["0", "10000", "58000"], id="rising from the second tier"),
        pytest.param("100000", "0.5", ["0", "1000000", "5800000"], id="rising slowly"),
        pytest.param("700000", "-100", ["0", "1000", "6500"], id="falling from the third tier"),
        pytest.param("700000", "0", ["0"], id="standing still"),
    ],
)
def test_a_need_bends_where_the_value_enters_another_tier(
    at: str, per: str, expected: list[str]
) -> None:
    found = curve.of_tiers(FOUR_TIERS, at=D(at), per=D(per), fee=D("0.001"))
    assert [piece[0] for piece in found] == [D(one) for one in expected]
    for x in (D(0), D(500), D(1200), D(6800)):
        value = D(at) + D(per) * x
        wanted = sum(
            value * (tier.maintenance_rate + D("0.001")) - tier.maintenance_amount
            for tier in FOUR_TIERS
            if tier == [one for one in FOUR_TIERS if one.notional_floor <= value][-1]
        )
        assert curve.need(found, x) == wanted


def test_a_need_without_tiers_is_refused() -> None:
    with pytest.raises(ValueError, match="tiers must not be empty"):
        curve.of_tiers((), per=D(1))
    with pytest.raises(ValueError, match="tiers must not be empty"):
        lone.walk((), fixed=D(1), side=1)


def test_the_sum_of_needs_bends_where_any_of_them_does_and_the_sum_of_none_is_nothing() -> None:
    one = curve.of_tiers(FOUR_TIERS, per=D(2))
    two = curve.of_tiers(FOUR_TIERS, per=D(1))
    found = curve.total([one, two, one])
    assert len(found) == 7
    for x in (D(0), D(25000), D(40000), D(300000), D(10**7)):
        assert curve.need(found, x) == 2 * curve.need(one, x) + curve.need(two, x)
    assert curve.need(curve.total([]), D(5)) == 0
    assert curve.total([curve.constant(D(3))]) == curve.constant(D(3))


def test_a_value_that_falls_from_a_joint_needs_the_lower_tier_once_alone_or_with_others() -> None:
    falling = curve.of_tiers(FOUR_TIERS, at=D(50000), per=D(-50))
    rising = curve.of_tiers(FOUR_TIERS, at=D(50000), per=D(50))
    for x in (D(0), D(1), D(999)):
        assert curve.need(falling, x) == (50000 - 50 * x) * D("0.004")
        together = curve.total([falling, curve.constant(D(3)), rising])
        assert curve.need(together, x) == 3 + curve.need(falling, x) + curve.need(rising, x)


def test_a_jumping_need_leaves_stretches_and_mark_tells_which_one_is_meant() -> None:
    # A long of 10 with 15 of margin: healthy from 99.4… to 100, again from 103.6…
    book = alone("10", "15", table=JUMPING)
    low, pocket = (D(1000) - 15) / D("9.9"), (D(1000) - 15) / D("9.5")
    assert legs.span(book, mark_price=D("99.8")) == Span(below=low, above=D(100))
    assert legs.span(book, mark_price=D(110)) == Span(below=pocket, above=INFINITE)
    assert legs.span(book) == Span(below=pocket, above=INFINITE)
    # Between them it is liquidatable; the nearer stretch is meant.
    assert legs.span(book, mark_price=D("100.5")).above == 100
    assert legs.span(book, mark_price=D("103.5")).below == pocket
    assert legs.span(book, mark_price=D("103.5")).distance(D("103.5")) == (
        (D("103.5") - pocket) / D("103.5")
    )


def test_a_need_of_rates_that_nothing_outgrows_leaves_no_stretch() -> None:
    assert solver.healthy(fixed=D(-5), slope=D(0), curve=curve.constant(D(0))) == ()
    level = solver.healthy(fixed=D(5), slope=D(0), curve=curve.constant(D(0)))
    assert level == (Interval(D(0), INFINITE),)
    assert solver.healthy(fixed=D(-1), slope=D(-1), curve=curve.constant(D(0))) == ()


def test_exactly_what_is_needed_is_not_more_than_it() -> None:
    assert solver.healthy(fixed=D(0), slope=D(0), curve=curve.constant(D(0))) == ()
    # It touches the need where the first part ends, and lies below it after the jump, until 15.
    jump = ((D(0), D(0), D(0)), (D(10), D(0), D(-5)))
    assert solver.healthy(fixed=D(-10), slope=D(1), curve=jump) == (Interval(D(15), INFINITE),)


def test_a_part_that_is_too_dear_everywhere_does_not_end_the_search() -> None:
    found = solver.healthy(fixed=D(1), slope=D(0), curve=((D(0), D(0), D(-5)), (D(3), D(0), D(0))))
    assert found == (Interval(D(3), INFINITE),)


def test_stretches_in_one_over_a_price_are_short_and_none_is_lost() -> None:
    bends = ((D(0), D(2), D(0)), (D("0.9"), D(0), D(0)))
    found = solver.healthy(fixed=D(1), slope=D(0), curve=bends)
    assert found == (Interval(D(0), D("0.5")), Interval(D("0.9"), INFINITE))


def test_at_a_joint_the_upper_tier_holds_already() -> None:
    rising = curve.of_tiers(JUMPING, per=D(10))
    assert curve.need(rising, D(100)) == 50
    assert curve.need(rising, D("99.99")) == D("9.999")
    assert curve.need(curve.of_tiers(JUMPING, at=D(1000), per=D(0)), D(7)) == 50
    assert curve.need(curve.of_tiers(JUMPING, per=D(0)), D(7)) == 0


def test_a_stretch_that_ends_and_begins_again_is_two() -> None:
    bends = ((D(0), D(2), D(0)), (D(10), D(0), D(0)))
    found = solver.healthy(fixed=D(10), slope=D(0), curve=bends)
    assert found == (Interval(D(0), D(5)), Interval(D(10), INFINITE))
    assert solver.nearest(found, D(7)) == found[0]
    assert solver.nearest(found, D(9)) == found[1]


@pytest.mark.parametrize(
    ("book", "expected"),
    [
        pytest.param(alone("1", "101"), None, id="a covered long"),
        pytest.param(alone("1", "100"), None, id="a long covered to the cent"),
        pytest.param(alone("-1", "-150"), D(0), id="a lost short"),
        pytest.param(alone("-100", "1.5", contract=INVERSE), None, id="a covered inverse short"),
        pytest.param(alone("100", "-1", contract=INVERSE), INFINITE, id="a lost inverse long"),
        pytest.param(alone("-1", "0", reflexive="1.005", entry="0.1"), None, id="hedged in coin"),
    ],
)
def test_where_no_price_or_every_price_liquidates_it_is_said(
    book: Book, expected: D | None
) -> None:
    assert legs.liquidation_price(book) == expected
    if not book.reflexive:
        leg = book.legs[0]
        found = lone.liquidation_price(
            leg.tiers, contract=book.contract, size=leg.size, entry_price=leg.entry_price,
            margin=book.margin,
        )  # fmt: skip
        assert found == expected


def test_a_lost_book_is_lost_from_wherever_one_looks() -> None:
    found = legs.span(alone("-1", "-150"), mark_price=D(100))
    assert found == legs.LOST
    assert found.is_empty
    assert legs.liquidation_price(alone("-1", "-150"), mark_price=D(100)) == 0
    assert legs.liquidation_price(alone("100", "-1", contract=INVERSE), mark_price=D(1)) == INFINITE


def test_a_hedge_of_nearly_nothing_dies_of_a_rise_because_maintenance_rises() -> None:
    hedge = Book(
        contract=LINEAR,
        margin=D(20),
        legs=(
            Leg(size=D(10), entry_price=D(100), tiers=flat(D("0.001"))),
            Leg(size=D("-9.99"), entry_price=D(99), tiers=flat(D("0.001"))),
        ),
        reflexive=D("-0.005"),
    )
    found = legs.span(hedge)
    assert found.below == 0
    # -0.005 + 0.01 - 0.01999 a price unit, of 20 - 1000 + 989.01 at a price of 0.
    assert found.above == D("9.01") / D("0.01499")


def test_a_debt_in_quote_is_carried_by_coins_down_to_a_price() -> None:
    book = alone("0.01", "-50", table=FOUR_TIERS, reflexive="1")
    found = legs.span(book, mark_price=D(100))
    # (1 + 0.01 * (1 - 0.004)) * P = 50 + 1
    assert found == Span(below=51 / D("1.00996"), above=INFINITE)
    assert legs.liquidation_price(book, mark_price=D(100)) == found.below


def test_a_short_that_lives_beyond_twice_its_mark_ends_there_and_not_nowhere() -> None:
    # (150 + 100) / 1.005 = 248.8
    found = legs.liquidation_price(alone("-1", "150"), mark_price=D(100))
    assert found == 250 / D("1.005")


def test_a_hedge_may_end_on_both_sides_and_the_nearer_end_counts() -> None:
    table = tiers(("0", "0.001", "0"), ("1100", "0.01", "9.9"))
    hedge = Book(
        contract=LINEAR,
        margin=D("2.5"),
        legs=(
            Leg(size=D(10), entry_price=D(100), tiers=table),
            Leg(size=D("-9.9"), entry_price=D(100), tiers=table),
        ),
    )
    ends = legs.span(hedge, mark_price=D(100))
    assert 0 < ends.below < 100 < ends.above < INFINITE
    near_top, near_bottom = ends.above - D("0.1"), ends.below + D("0.1")
    assert legs.liquidation_price(hedge, mark_price=near_top) == ends.above
    assert legs.liquidation_price(hedge, mark_price=near_bottom) == ends.below
    assert legs.liquidation_price(hedge) == ends.below
    assert ends.distance(near_top) == D("0.1") / near_top
    # The same in coin, from 0.01: it loses by a rise.
    turned = tuple(replace(leg, size=-leg.size, entry_price=D("0.01")) for leg in hedge.legs)
    coin = replace(hedge, contract=INVERSE, legs=turned)
    assert legs.span(coin) == Span(below=1 / ends.above, above=1 / ends.below)
    assert legs.liquidation_price(coin) == 1 / ends.below


@pytest.mark.parametrize("sizes", [("10", "-10"), ("10", "-9.99"), ("9.99", "-10")])
@pytest.mark.parametrize("contract", Contract)
def test_a_hedge_ends_where_its_need_outgrows_it_whichever_leg_is_the_larger(
    contract: Contract, sizes: tuple[str, str]
) -> None:
    hedge = Book(
        contract=contract,
        margin=D("0.05") if contract is INVERSE else D(20),
        legs=tuple(Leg(size=D(s), entry_price=D(100), tiers=flat(D("0.01"))) for s in sizes),
    )
    price = legs.liquidation_price(hedge)
    assert price is not None
    assert abs(legs.equity(hedge, price) - legs.needed(hedge, price)) < D("1e-20")
    assert price == legs.liquidation_price(hedge, mark_price=price)


@pytest.mark.parametrize("contract", Contract)
def test_a_lost_hedge_is_beyond_mark_on_the_side_of_its_larger_leg(contract: Contract) -> None:
    def lost(*sizes: str) -> Book:
        held = tuple(Leg(size=D(s), entry_price=D(100), tiers=ONE_TIER) for s in sizes)
        return Book(contract=contract, margin=D(-50), legs=held)

    assert legs.liquidation_price(lost("10", "-9.99")) == INFINITE
    assert legs.liquidation_price(lost("9.99", "-10")) == 0


def test_a_span_whose_ends_meet_holds_no_price() -> None:
    assert Span(below=D(5), above=D(5)).is_empty
    assert not Span(below=D(5), above=D("5.01")).is_empty


def test_a_book_that_nothing_liquidates_has_no_distance() -> None:
    assert legs.span(alone("1", "101")).distance(D(100)) is None


def test_a_book_needs_a_leg_and_a_position_a_size() -> None:
    with pytest.raises(ValueError, match="legs must not be empty"):
        Book(contract=LINEAR, margin=D(1), legs=())
    with pytest.raises(ValueError, match="size must not be 0"):
        lone.liquidation_price(ONE_TIER, contract=LINEAR, size=D(0), entry_price=D(1), margin=D(1))


def test_a_rate_and_a_fee_that_eat_the_whole_value_are_refused() -> None:
    with pytest.raises(ValueError, match=r"plus fee must be below 1, was 0\.005 plus 0\.995"):
        lone.walk(ONE_TIER, fixed=D(1), side=1, fee=D("0.995"))
    # A short meets any need: equity falls as the need rises.
    assert lone.walk(ONE_TIER, fixed=D(1), side=-1, fee=D("0.995")) == (D(1), D(2))


def test_amounts_of_few_digits_put_the_price_at_the_joint() -> None:
    # The second amount is too large by 0.5: just above the joint less is needed than just below.
    rough = tiers(("0", "0.004", "0"), ("50000", "0.005", "50.5"))
    # A short whose equity at a value of 50,000 lies between both needs, 199.5 and 200.
    found = lone.walk(rough, fixed=D("50199.8"), side=-1)
    assert found[0] / found[1] > 49999
    low = tiers(("0", "0.004", "0"), ("50000", "0.005", "49.5"))
    value, one = lone.walk(low, fixed=D("50200.3"), side=-1)
    assert value == 50000
    assert one == 1


def test_a_need_that_falls_at_a_joint_is_met_beyond_it_by_who_just_meets_it_there() -> None:
    # 200 are needed just below 50,000 and 199.5 from there on; (50,200 + 50.5) / 1.005
    rough = tiers(("0", "0.004", "0"), ("50000", "0.005", "50.5"))
    assert lone.walk(rough, fixed=D(50200), side=-1) == (D("50250.5"), D("1.005"))


def test_where_amounts_of_few_digits_leave_a_gap_the_first_end_of_a_short_counts() -> None:
    # Healthy up to a value of 49,999.8, and again between 50,000 and 50,000.3.
    rough = tiers(("0", "0.004", "0"), ("50000", "0.005", "50.5"))
    found = legs.liquidation_price(alone("-1", "199.8", table=rough, entry="50000"))
    assert found is not None
    assert 49999 < found < 50000
    # Long and short of one: 399.5 is behind needs of 400 just below 50,000 and 399 from there on.
    both = tuple(Leg(size=D(size), entry_price=D(100), tiers=rough) for size in ("1", "-1"))
    hedge = Book(contract=LINEAR, margin=D("399.5"), legs=both)
    assert legs.span(hedge) == Span(below=D(0), above=D("49937.5"))
    assert legs.span(hedge, mark_price=D(50001)) == Span(below=D(50000), above=D(50050))


def test_ends_below_a_price_of_one_are_ends_too() -> None:
    cheap = alone("0.5", "0.1", table=flat(D("0.01")), entry="1")
    found = legs.span(cheap)
    assert 0 < found.below < 1
    assert found.distance(D(1)) == 1 - found.below
    assert legs.liquidation_price(cheap, mark_price=D(1)) == found.below
    # A long of half a coin: where the table jumps, the upper stretch is meant without a mark.
    jumping = alone("0.5", "15", table=JUMPING, entry="2000")
    assert legs.span(jumping).below == D(985) / D("0.475")


def test_many_positions_are_looked_at_as_one_by_one() -> None:
    asked = [
        lone.Isolated(
            contract=contract, size=D(size), entry_price=D(100), mark_price=D(98),
            margin=D(margin), tiers=FOUR_TIERS, fee=D("0.0005"),
        )
        for contract, size, margin in (
            (LINEAR, "10", "120"), (LINEAR, "-10", "120"), (LINEAR, "1", "500"),
            (LINEAR, "0.5", "6"), (LINEAR, "-0.5", "6"), (LINEAR, "1", "0"), (LINEAR, "-1", "-9"),
            (INVERSE, "1000", "1"), (INVERSE, "-1000", "1"),
        )
    ]  # fmt: skip
    found = lone.look(asked)
    for one, (price, distance) in zip(asked, found, strict=True):
        leg = Leg(size=one.size, entry_price=one.entry_price, tiers=one.tiers, fee=one.fee)
        book = Book(contract=one.contract, margin=one.margin, legs=(leg,))
        solved = legs.liquidation_price(book)
        assert (price is None) == (solved is None)
        if price is not None and solved is not None:
            assert abs(price - solved) <= D("1e-24") * solved
            wanted = legs.span(book).distance(one.mark_price)
            assert distance is not None
            assert wanted is not None
            assert abs(distance - wanted) <= D("1e-24")
    assert found[2] == (None, None)
