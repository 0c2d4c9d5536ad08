from dataclasses import replace
from decimal import Decimal as D

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.margin import account as exact
from bot.margin import legs, lone, release
from bot.margin.account import Account, Holding
from bot.margin.legs import Book, Leg, Span, coordinate
from bot.margin.rules import Release
from bot.margin.solver import INFINITE
from bot.margin.tiers import maintenance_margin
from tests.kit.tables import tables

LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
TINY = D("1e-18")


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[D]:
    return st.decimals(min_value=D(low), max_value=D(high), places=places)


prices = decimals("0.01", "100000", 2)
fees = decimals("0", "0.01", 4)
contracts = st.sampled_from(Contract)


@st.composite
def rows(draw: st.DrawFn, contract: Contract, *, jumping: bool = False) -> Leg:
    """A leg; inverse ones are as large in coin as linear ones in quote are not."""
    table = draw(tables())
    if jumping:
        table = tuple(replace(tier, maintenance_amount=D(0)) for tier in table)
    entry = draw(prices)
    quantity = draw(decimals("0.001", "500", 3))
    if contract is INVERSE:
        quantity *= draw(st.sampled_from([1, 1000, 10**7]))
    return Leg(
        size=quantity * draw(st.sampled_from([1, -1])),
        entry_price=entry,
        tiers=table,
        fee=draw(fees),
    )


@st.composite
def books(draw: st.DrawFn, *, most: int = 3, jumping: bool = False, reflexive: bool = True) -> Book:
    """Legs of one symbol with collateral of both kinds."""
    contract = draw(contracts)
    held = draw(st.lists(rows(contract, jumping=jumping), min_size=1, max_size=most))
    scale = sum((abs(leg.size) * coordinate(contract, leg.entry_price) for leg in held), D(0))
    largest = max(abs(leg.size) for leg in held)
    return Book(
        contract=contract,
        margin=draw(decimals("-0.2", "1.5", 3)) * scale,
        legs=tuple(held),
        reflexive=draw(decimals("-1", "2", 2)) * largest if reflexive else D(0),
    )


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """A cross account of some symbols."""
    contract = draw(contracts)
    held = []
    for number in range(draw(st.integers(1, 4))):
        legs_of_one = draw(st.lists(rows(contract), min_size=0, max_size=2))
        held.append(
            Holding(
                symbol=str(number),
                mark_price=draw(prices),
                legs=tuple(legs_of_one),
                reflexive=draw(decimals("0", "2", 2)),
            )
        )
    scale = sum(
        (abs(leg.size) * coordinate(contract, one.mark_price) for one in held for leg in one.legs),
        D(1),
    )
    return Account(
        contract=contract, margin=draw(decimals("0", "2", 3)) * scale, holdings=tuple(held)
    )


def scale_at(book: Book, price: D) -> D:
    """What rounding is relative to: the largest number on the way."""
    x = coordinate(book.contract, price)
    gross = sum(
        (abs(leg.size) * (coordinate(book.contract, leg.entry_price) + x) for leg in book.legs),
        abs(book.margin) + abs(book.reflexive) * x,
    )
    return gross + sum((abs(leg.tiers[-1].maintenance_amount) for leg in book.legs), D(1))


def ends(span: Span) -> list[D]:
    return [] if span.is_empty else [end for end in (span.below, span.above) if 0 < end < INFINITE]


def buffer(book: Book, price: D) -> D:
    return legs.equity(book, price) - legs.needed(book, price)


def within(inner: Span, outer: Span) -> bool:
    """Whether one span lies in another, but for rounding."""
    slack = 1 + TINY
    return inner.is_empty or (
        outer.below <= inner.below * slack and inner.above <= outer.above * slack
    )


@given(books())
def test_at_every_end_equity_equals_maintenance_plus_fee(book: Book) -> None:
    for end in ends(legs.span(book)):
        assert abs(buffer(book, end)) <= TINY * scale_at(book, end)


@given(books(), prices)
def test_a_price_is_healthy_exactly_where_it_lies_between_the_ends(book: Book, price: D) -> None:
    span = legs.span(book)
    left = buffer(book, price)
    assume(abs(left) > TINY * scale_at(book, price))
    assert (left > 0) == (span.below < price < span.above)


@given(books(jumping=True), prices)
def test_around_a_healthy_mark_everything_up_to_the_ends_is_healthy_although_the_table_jumps(
    book: Book, mark: D
) -> None:
    assume(buffer(book, mark) > TINY * scale_at(book, mark))
    span = legs.span(book, mark_price=mark)
    assert span.below < mark < span.above
    low, high = max(span.below, mark / 10), min(span.above, mark * 10)
    for k in range(1, 8):
        assert buffer(book, low + (high - low) * k / 8) > -TINY * scale_at(book, high)
    beyond = [
        end * (1 + side * D("1e-15"))
        for end, side in ((span.below, -1), (span.above, 1))
        if 0 < end < INFINITE
    ]
    for price in beyond:
        assert buffer(book, price) <= D("1e-12") * scale_at(book, price)


@given(books(), decimals("0", "1000000", 2))
def test_more_collateral_never_brings_an_end_nearer(book: Book, more: D) -> None:
    richer = replace(book, margin=book.margin + more)
    assert within(legs.span(book), legs.span(richer))


@given(books(), decimals("0.01", "1000", 2))
def test_scaling_prices_and_collateral_scales_the_ends(book: Book, k: D) -> None:
    # Linear: quote in another unit. Inverse: coins in another unit, of which each costs k more.
    coin = book.contract is INVERSE
    unit = 1 / k if coin else k
    scaled = Book(
        contract=book.contract,
        margin=book.margin * unit,
        reflexive=book.reflexive,
        legs=tuple(
            replace(leg, entry_price=leg.entry_price * k, tiers=_in_unit(leg.tiers, unit))
            for leg in book.legs
        ),
    )
    one, many = legs.span(book), legs.span(scaled)
    assert one.is_empty == many.is_empty
    for near, far in ((one.below, many.below), (one.above, many.above)):
        if 0 < near < INFINITE:
            assert abs(far / k / near - 1) <= D("1e-9")


@given(books(), st.integers(1, 1000))
def test_a_larger_book_with_more_behind_it_and_wider_tiers_has_the_same_ends(
    book: Book, k: int
) -> None:
    many = replace(
        book,
        margin=book.margin * k,
        reflexive=book.reflexive * k,
        legs=tuple(
            replace(leg, size=leg.size * k, tiers=_in_unit(leg.tiers, D(k))) for leg in book.legs
        ),
    )
    one, other = legs.span(book), legs.span(many)
    assert one.is_empty == other.is_empty
    for near, far in zip(ends(one), ends(other), strict=True):
        assert abs(far / near - 1) <= D("1e-9")


def _in_unit(table: tuple[MarginTier, ...], unit: D) -> tuple[MarginTier, ...]:
    return tuple(
        replace(
            tier,
            notional_floor=tier.notional_floor * unit,
            maintenance_amount=tier.maintenance_amount * unit,
        )
        for tier in table
    )


@given(books())
def test_an_inverse_book_is_a_linear_one_of_the_other_side_in_one_over_the_price(
    book: Book,
) -> None:
    dual = Book(
        contract=LINEAR if book.contract is INVERSE else INVERSE,
        margin=book.margin,
        reflexive=book.reflexive,
        legs=tuple(
            replace(leg, size=-leg.size, entry_price=1 / leg.entry_price) for leg in book.legs
        ),
    )
    one, other = legs.span(book), legs.span(dual)
    assert one.is_empty == other.is_empty
    assume(not one.is_empty)
    for end, turned in ((one.below, other.above), (one.above, other.below)):
        if 0 < end < INFINITE:
            assert abs(end * turned - 1) <= D("1e-15")
        else:
            assert turned == (INFINITE if end == 0 else 0)


@given(books(most=1, reflexive=False))
def test_one_leg_has_the_published_closed_form_of_its_contract_in_its_own_tier(book: Book) -> None:
    (leg,) = book.legs
    price = legs.liquidation_price(book)
    assume(price is not None and 0 < price < INFINITE)
    assert price is not None
    q, s, entry = abs(leg.size), (1 if leg.size > 0 else -1), leg.entry_price
    value = q * coordinate(book.contract, price)
    candidates = []
    for tier in leg.tiers:
        if tier.notional_floor > value * (1 + D("1e-9")):
            break
        m, c = tier.maintenance_rate, tier.maintenance_amount
        if book.contract is LINEAR:
            candidates.append((book.margin + c - s * q * entry) / (q * (m + leg.fee - s)))
        else:
            candidates.append(q * (m + leg.fee + s) / (book.margin + c + s * q / entry))
    assert min(abs(one / price - 1) for one in candidates[-2:]) <= D("1e-9")


@given(books(most=1, reflexive=False))
def test_the_walk_from_the_lowest_tier_ends_in_the_tier_of_its_price_and_agrees_with_the_line(
    book: Book,
) -> None:
    (leg,) = book.legs
    walked = lone.liquidation_price(
        leg.tiers,
        contract=book.contract,
        size=leg.size,
        entry_price=leg.entry_price,
        margin=book.margin,
        fee=leg.fee,
    )
    solved = legs.liquidation_price(book)
    assert (walked is None) == (solved is None)
    if walked is None or solved is None or not 0 < solved < INFINITE:
        assert walked == solved
        return
    assert abs(walked / solved - 1) <= D("1e-15")


@given(books(most=1, reflexive=False), decimals("0", "10", 4))
def test_the_price_moves_continuously_with_margin_across_every_joint(book: Book, more: D) -> None:
    (leg,) = book.legs
    assume(book.contract is LINEAR)
    one = legs.liquidation_price(book)
    two = legs.liquidation_price(replace(book, margin=book.margin + more))
    assume(one is not None and two is not None and one > 0 and two > 0)
    assert one is not None
    assert two is not None
    steepest = max(
        abs(t.maintenance_rate + leg.fee - (1 if leg.size > 0 else -1)) for t in leg.tiers
    )
    flattest = min(
        abs(t.maintenance_rate + leg.fee - (1 if leg.size > 0 else -1)) for t in leg.tiers
    )
    moved = abs(one - two) * abs(leg.size)
    assert more / steepest - D("1e-12") <= moved <= more / flattest + D("1e-12")


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_legs_is_of_no_matter(book: Book, random: object) -> None:
    shuffled = list(book.legs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    one, other = legs.span(book), legs.span(replace(book, legs=tuple(shuffled)))
    assert one.is_empty == other.is_empty
    for near, far in zip(ends(one), ends(other), strict=True):
        assert abs(far / near - 1) <= D("1e-15")


@given(books(), prices)
def test_coins_as_collateral_are_a_position_that_needs_nothing(book: Book, price: D) -> None:
    coins = Leg(
        size=book.reflexive if book.contract is LINEAR else -book.reflexive,
        entry_price=price,
        tiers=(),
        fixed=D(0),
    )
    other = Book(
        contract=book.contract,
        margin=book.margin + book.reflexive * coordinate(book.contract, price),
        legs=(*book.legs, coins),
    )
    one, two = legs.span(book), legs.span(other)
    assume(not one.is_empty and not two.is_empty)
    for near, far in zip(ends(one), ends(two), strict=True):
        assert abs(far / near - 1) <= D("1e-9")


@given(books(most=1, reflexive=False), prices)
def test_a_reference_pair_stands_for_margin_and_entry(book: Book, price: D) -> None:
    (leg,) = book.legs
    pair = replace(book, margin=legs.equity(book, price), legs=(replace(leg, entry_price=price),))
    one, two = legs.span(book), legs.span(pair)
    assume(not one.is_empty and not two.is_empty)
    for near, far in zip(ends(one), ends(two), strict=True):
        assert abs(far / near - 1) <= D("1e-9")


def moved(account: Account, growth: dict[str, D]) -> Account:
    return replace(
        account,
        holdings=tuple(
            replace(one, mark_price=one.mark_price * growth[one.symbol]) for one in account.holdings
        ),
    )


def account_scale(account: Account) -> D:
    return sum(
        (
            abs(leg.size)
            * (
                coordinate(account.contract, leg.entry_price)
                + coordinate(account.contract, one.mark_price)
            )
            + leg.tiers[-1].maintenance_amount
            for one in account.holdings
            for leg in one.legs
        ),
        abs(account.margin) + 1,
    )


@given(accounts(), st.sampled_from(["1", "-1", "0.3"]))
def test_before_the_joint_distance_an_account_is_healthy_and_at_it_nothing_is_left(
    account: Account, share: str
) -> None:
    assume(exact.buffer(account) > TINY * account_scale(account))
    direction = {one.symbol: D(share) for one in account.holdings}
    far = exact.along(account, direction)
    if far is None:
        far = D(3) if D(share) > 0 else 1 / abs(D(share)) * D("0.999")
    else:
        there = moved(account, dict.fromkeys(direction, 1 + far * D(share)))
        assert abs(exact.buffer(there)) <= TINY * account_scale(there)
    for k in range(1, 8):
        between = moved(account, dict.fromkeys(direction, 1 + far * k / 8 * D(share)))
        assert exact.buffer(between) > -TINY * account_scale(between)


@given(accounts(), decimals("0", "100000", 2))
def test_more_in_the_wallet_never_brings_any_end_of_an_account_nearer(
    account: Account, more: D
) -> None:
    assume(exact.buffer(account) > 0)
    richer = replace(account, margin=account.margin + more)
    wider = exact.spans(richer)
    for symbol, span in exact.spans(account).items():
        assert within(span, wider[symbol])
    direction = {one.symbol: D(-1) for one in account.holdings}
    near, far = exact.along(account, direction), exact.along(richer, direction)
    assert far is None or (near is not None and near <= far * (1 + TINY))


@given(accounts(), st.randoms(use_true_random=False))
def test_the_order_of_symbols_is_of_no_matter(account: Account, random: object) -> None:
    shuffled = list(account.holdings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    other = exact.spans(replace(account, holdings=tuple(shuffled)))
    assume(exact.buffer(account) > TINY * account_scale(account))
    for symbol, span in exact.spans(account).items():
        for near, far in zip(ends(span), ends(other[symbol]), strict=True):
            assert abs(far / near - 1) <= D("1e-9")


@given(accounts())
def test_an_account_of_one_symbol_is_a_book(account: Account) -> None:
    one = account.holdings[0]
    assume(one.legs)
    alone = replace(account, holdings=(one,))
    book = Book(
        contract=account.contract, margin=account.margin, legs=one.legs, reflexive=one.reflexive
    )
    asked, wanted = exact.spans(alone)[one.symbol], legs.span(book, mark_price=one.mark_price)
    assert asked.is_empty == wanted.is_empty
    for near, far in zip(ends(asked), ends(wanted), strict=True):
        assert abs(far / near - 1) <= D("1e-9")


@given(
    st.sampled_from(Release), tables(), decimals("1", "1000000", 2), decimals("0", "2", 3),
    decimals("-0.5", "0.5", 3), st.integers(1, 125),
)  # fmt: skip
def test_what_may_leave_never_liquidates_and_keeps_the_initial_margin(
    rule: Release, table: tuple[MarginTier, ...], value: D, share: D, profit: D, setting: int
) -> None:
    margin, needed = value * share, maintenance_margin(table, notional=value)
    equity = margin + value * profit
    found = release.removable(
        rule, margin=margin, equity=equity, maintenance=needed, value=value,
        leverage_setting=D(setting),
    )  # fmt: skip
    assert found.amount == max(D(0), min(found.limits.values()))
    if found.amount > 0:
        assert equity - found.amount >= value / setting - TINY * value
        assert margin - found.amount >= needed - TINY * value
        least = release.setting_for(equity=equity, value=value, amount=found.amount)
        assert least is not None
        assert least <= setting * (1 + TINY)
