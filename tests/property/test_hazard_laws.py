from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.domain.market import Bars, BookLevel, Market
from bot.domain.risk import PositionRisk
from bot.margin.assess import assess
from tests.kit.builders import NOON, a_position, an_instrument
from tests.kit.hazard import a_walk, a_walked_market, ignorant, shipped

STRATEGY, IGNORANT = shipped(), ignorant()
NARROW = shipped(target="1.001", give_back="1.002")
"""So narrow that the room an action needs decides."""
WALKS = [a_walk(seed, sigma=sigma) for seed, sigma in enumerate((0.001, 0.004, 0.01, 0.03))]
walks = st.integers(0, len(WALKS) - 1)
sizes = st.sampled_from([D("0.1"), D(1), D(-1), D("-0.4"), D(40)])
anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


def risk_of(size: D, *, factor: D = D(1)) -> PositionRisk:
    price = 60_000 * factor
    held = a_position(
        size=str(size), entry=str(price), mark=str(price), margin=str(abs(size) * price / 10)
    )
    instrument = an_instrument()
    tiers = tuple(
        replace(
            tier,
            notional_floor=tier.notional_floor * factor,
            maintenance_amount=tier.maintenance_amount * factor,
        )
        for tier in instrument.tiers
    )
    step = instrument.price_step * factor
    return assess(held, replace(instrument, tiers=tiers, price_step=step))


def times(bars: Bars, factor: float) -> Bars:
    return replace(
        bars,
        high=tuple(x * factor for x in bars.high),
        low=tuple(x * factor for x in bars.low),
        close=tuple(x * factor for x in bars.close),
    )


@given(walks, sizes)
def test_levels_are_ordered_and_the_same_again(walk: int, size: D) -> None:
    bars = WALKS[walk]
    market = a_walked_market(bars)
    band = STRATEGY.choose(risk_of(size), market)
    at = band.distance
    assert 0 < at.emergency <= at.trigger < at.target < at.give_back < 1
    assert band == shipped().choose(risk_of(size), market)


@given(walks, sizes, st.sampled_from([-3, 5]))
def test_another_unit_of_price_changes_no_level(walk: int, size: D, power: int) -> None:
    bars = WALKS[walk]
    factor = D(2) ** power
    one = STRATEGY.choose(risk_of(size), a_walked_market(bars))
    market = a_walked_market(times(bars, float(factor)), mark=str(60_000 * factor))
    two = STRATEGY.choose(risk_of(size, factor=factor), market)
    for name in ("emergency", "trigger", "target", "give_back"):
        assert abs(getattr(one.distance, name) - getattr(two.distance, name)) <= D("0.000002")


@given(
    sizes,
    st.lists(st.tuples(anything, anything, anything), max_size=60),
    st.sampled_from([300, 3600]),
    st.integers(-2000, 2000),
)
def test_whatever_bars_a_venue_sends_there_is_a_band_or_a_widest_one(
    size: D, rows: list[tuple[float, float, float]], seconds: int, late: int
) -> None:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    bars = Bars(
        opened_at=NOON - timedelta(hours=len(rows) + late),
        seconds=seconds,
        high=columns[0],
        low=columns[1],
        close=columns[2],
    )
    band = STRATEGY.choose(risk_of(size), a_walked_market(bars))
    at = band.distance
    assert 0 < at.emergency <= at.trigger < at.target < at.give_back < 1
    assert not band.may_give_back


@given(walks, sizes, st.sets(st.integers(1, 168), min_size=1, max_size=4))
@example(1, D(-1), {16, 116, 157})  # a calm hour among them, and the two widest
def test_bars_that_are_lost_or_broken_never_bring_a_position_nearer(
    walk: int, size: D, ages: set[int]
) -> None:
    bars = WALKS[walk]
    whole = STRATEGY.choose(risk_of(size), a_walked_market(bars)).distance.trigger
    count = len(bars.close)
    close = tuple(-1.0 if count - at in ages else price for at, price in enumerate(bars.close))
    broken = STRATEGY.choose(risk_of(size), a_walked_market(replace(bars, close=close)))
    # What the widest hours themselves hid cannot be known: that may lower a forecast by a hair.
    assert broken.distance.trigger >= whole * D("0.98")
    assert not broken.may_give_back


@given(walks, sizes)
def test_who_knows_nothing_stands_no_nearer_and_gives_nothing_back(walk: int, size: D) -> None:
    bars = WALKS[walk]
    known = STRATEGY.choose(risk_of(size), a_walked_market(bars))
    blind = IGNORANT.choose(risk_of(size), a_walked_market(bars))
    assert blind.leverage.trigger <= D("3.0001")
    assert blind.distance.trigger >= known.distance.trigger * D("0.999") or (
        known.leverage.trigger <= blind.leverage.trigger
    )
    assert not blind.may_give_back


LEVELS = ("emergency", "trigger", "target", "give_back")
rates = st.none() | st.decimals(D("-0.02"), D("0.02"), places=5)
indexes = st.decimals(D(50_000), D(72_000), places=1)
books = st.lists(
    st.tuples(st.decimals(D(0), D("0.05"), places=4), st.decimals(D("0.01"), D(30), places=2)),
    max_size=6,
).map(sorted)


def looked(
    walk: int,
    *,
    index: D = D(60_000),
    funding: D | None = None,
    book: list[tuple[D, D]] | None = None,
) -> Market:
    """Return a market with the same bars and another look; a book is distances and sizes."""
    rows = book or []
    return replace(
        a_walked_market(WALKS[walk]),
        index_price=index,
        funding_rate=funding,
        bids=tuple(BookLevel(price=60_000 * (1 - at), size=size) for at, size in rows),
        asks=tuple(BookLevel(price=60_000 * (1 + at), size=size) for at, size in rows),
    )


@given(walks, sizes, rates, indexes, books)
def test_a_look_never_permits_more_leverage_than_bars_alone_and_moves_it_by_little(
    walk: int, size: D, funding: D | None, index: D, book: list[tuple[D, D]]
) -> None:
    alone = STRATEGY.choose(risk_of(size), looked(walk))
    found = STRATEGY.choose(risk_of(size), looked(walk, index=index, funding=funding, book=book))
    for name in LEVELS:
        near, far = getattr(alone.distance, name), getattr(found.distance, name)
        assert near <= far <= near * D("1.06") + 3 * D("0.0102")
    assert not found.may_give_back or alone.may_give_back
    at = found.distance
    assert 0 < at.emergency <= at.trigger < at.target < at.give_back < 1
    assert alone.volatility is not None
    assert found.volatility is not None
    assert alone.volatility <= found.volatility <= alone.volatility * D("1.052") + D("0.000001")
    assert set(alone.flags) <= set(found.flags)


@given(walks, sizes, rates, rates, indexes, indexes)
def test_more_strain_never_permits_more_leverage(
    walk: int, size: D, one: D | None, two: D | None, here: D, there: D
) -> None:
    assume(abs(one or D(0)) <= abs(two or D(0)) and abs(here - 60_000) <= abs(there - 60_000))
    assume(abs(60_000 / here - 1) <= abs(60_000 / there - 1))
    less = STRATEGY.choose(risk_of(size), looked(walk, index=here, funding=one))
    more = STRATEGY.choose(risk_of(size), looked(walk, index=there, funding=two))
    for name in LEVELS:
        assert getattr(less.distance, name) <= getattr(more.distance, name)
    assert not more.may_give_back or less.may_give_back


@given(walks, sizes, books, st.integers(0, 5), st.decimals(D("0.1"), D(1), places=2))
def test_a_thinner_book_never_permits_more_leverage(
    walk: int, size: D, book: list[tuple[D, D]], gone: int, share: D
) -> None:
    thin = [(at, rest * share) for n, (at, rest) in enumerate(book) if n != gone]
    assume(thin)
    for strategy in (STRATEGY, NARROW):
        deep = strategy.choose(risk_of(size), looked(walk, book=book))
        thinner = strategy.choose(risk_of(size), looked(walk, book=thin))
        for name in LEVELS:
            assert getattr(deep.distance, name) <= getattr(thinner.distance, name)
        assert "thin_book" not in deep.flags or "thin_book" in thinner.flags


def test_room_to_act_grows_with_what_closing_would_slip() -> None:
    deep = NARROW.choose(risk_of(D(1)), looked(0, book=[(D(0), D(10))]))
    thin = NARROW.choose(risk_of(D(1)), looked(0, book=[(D(0), D("0.01"))]))
    assert thin.distance.trigger == deep.distance.trigger
    assert D("0.008") < thin.distance.target - deep.distance.target <= D("0.01")
    assert thin.distance.give_back - deep.distance.give_back > D("0.02")
