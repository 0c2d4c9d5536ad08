from dataclasses import dataclass, replace
from decimal import Decimal as D

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.domain.position import MarginMode, Position
from bot.margin import isolated
from bot.margin.assess import removable
from bot.margin.tiers import check_tiers, maintenance_margin
from tests.kit.builders import an_instrument
from tests.kit.tables import tables

LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
TINY = D("1e-15")


def decimals(low: str, high: str, places: int = 4) -> st.SearchStrategy[D]:
    return st.decimals(min_value=D(low), max_value=D(high), places=places)


prices = decimals("0.01", "100000", 2)
settings = st.integers(1, 125)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position of either kind."""

    contract: Contract
    table: tuple[MarginTier, ...]
    size: D
    entry: D
    margin: D

    @property
    def side(self) -> int:
        return 1 if self.size > 0 else -1

    def price(self, margin: D | None = None) -> D | None:
        """Its liquidation price, with another margin if one is given."""
        return isolated.liquidation_price(
            self.contract,
            self.table,
            size=self.size,
            entry_price=self.entry,
            margin=self.margin if margin is None else margin,
        )

    def value(self, price: D) -> D:
        return isolated.value(self.contract, size=self.size, price=price)

    def equity(self, price: D) -> D:
        return isolated.equity(
            self.contract,
            size=self.size,
            entry_price=self.entry,
            margin=self.margin,
            price=price,
        )

    def needed(self, price: D) -> D:
        return maintenance_margin(self.table, notional=self.value(price))


@st.composite
def positions(draw: st.DrawFn, *, least_margin: str = "0") -> Held:
    contract = draw(st.sampled_from(Contract))
    quantity, entry = draw(decimals("0.001", "500", 3)), draw(prices)
    if contract is INVERSE:
        quantity *= draw(st.sampled_from([1000, 10**5, 10**7]))
    size = quantity * draw(st.sampled_from([1, -1]))
    if contract is LINEAR and draw(st.booleans()):
        margin = draw(decimals("0", "1000000", 2))
    else:
        margin = isolated.value(contract, size=size, price=entry) * draw(
            decimals(least_margin, "1.5", 3)
        )
    return Held(contract=contract, table=draw(tables()), size=size, entry=entry, margin=margin)


def is_price(price: D | None) -> bool:
    """Whether a price liquidates, and not every one does."""
    return price is not None and price not in (0, isolated.HIGHEST)


@given(tables(), st.sampled_from(Contract))
def test_generated_tables_are_ones_the_bot_accepts(
    table: tuple[MarginTier, ...], contract: Contract
) -> None:
    check_tiers("X", table, contract=contract)


@given(positions(least_margin="-0.2"))
def test_at_the_liquidation_price_equity_equals_maintenance_margin(held: Held) -> None:
    price = held.price()
    assume(is_price(price))
    assert price is not None
    scale = max(D(1), held.value(price), held.value(held.entry))
    assert abs(held.equity(price) - held.needed(price)) <= TINY * scale


@given(positions())
def test_before_the_liquidation_price_the_position_is_healthy_and_beyond_it_is_not(
    held: Held,
) -> None:
    price = held.price()
    assume(is_price(price))
    assert price is not None

    def buffer(at: D) -> D:
        return held.equity(at) - held.needed(at)

    assert buffer(price * (1 + held.side * D("0.001"))) > 0
    assert buffer(price * (1 - held.side * D("0.001"))) < 0


@given(positions(least_margin="-2"), prices)
def test_a_position_is_healthy_at_a_mark_exactly_when_its_distance_is_above_zero(
    held: Held, mark: D
) -> None:
    found = isolated.distance(size=held.size, mark_price=mark, liquidation=held.price())
    buffer = held.equity(mark) - held.needed(mark)
    assume(abs(buffer) > TINY * max(D(1), held.value(mark), held.value(held.entry)))
    assert (found is None or found > 0) == (buffer > 0)


@given(positions(), decimals("0.0001", "1"))
def test_more_margin_moves_the_liquidation_price_away(held: Held, share: D) -> None:
    near = held.price()
    far = held.price(held.margin + held.value(held.entry) * share)
    if near is None:
        assert far is None
    elif far is not None:
        assert far < near if held.size > 0 else far > near


@given(positions(), prices, decimals("0.001", "0.9"))
def test_margin_for_a_distance_puts_the_liquidation_price_just_there(
    held: Held, mark: D, wanted: D
) -> None:
    margin = isolated.margin_for_distance(
        held.contract,
        held.table,
        size=held.size,
        entry_price=held.entry,
        mark_price=mark,
        distance=wanted,
    )
    price = held.price(margin)
    found = isolated.distance(size=held.size, mark_price=mark, liquidation=price)
    assert found is not None
    assert abs(found - wanted) <= D("1e-9")


@given(positions(), prices, decimals("0.001", "0.9"))
def test_distance_and_leverage_are_inverse(held: Held, mark: D, wanted: D) -> None:
    leverage = isolated.leverage_at_distance(
        held.contract, held.table, size=held.size, mark_price=mark, distance=wanted
    )
    found = isolated.distance_at_leverage(
        held.contract, held.table, size=held.size, mark_price=mark, leverage=leverage
    )
    assert found is not None
    assert abs(found - wanted) <= D("1e-9")


@given(positions(), prices, decimals("0", "0.9"))
def test_the_distance_of_a_loss_is_where_so_much_of_the_value_is_lost(
    held: Held, mark: D, share: D
) -> None:
    move = isolated.distance_of_loss(held.contract, size=held.size, share=share)
    assert move is not None
    there = mark * (1 - held.side * move)
    lost = -isolated.unrealized_pnl(held.contract, size=held.size, entry_price=mark, price=there)
    assert abs(lost - share * held.value(mark)) <= TINY * held.value(mark)


@given(positions(least_margin="-0.2"), decimals("0.001", "0.9"))
def test_an_inverse_position_is_the_opposite_linear_one_in_one_over_the_price(
    held: Held, wanted: D
) -> None:
    inverse = replace(held, contract=INVERSE)
    linear = replace(held, contract=LINEAR, size=-held.size, entry=1 / held.entry)
    ours, theirs = inverse.price(), linear.price()
    if is_price(ours) and is_price(theirs):
        assert ours is not None
        assert theirs is not None
        assert abs(ours * theirs - 1) <= D("1e-9")
    elif ours is None:
        # A long of more than its own value, or one whose price no coin has.
        assert theirs is None or theirs <= 1 / isolated.HIGHEST
    else:
        assert ours == isolated.HIGHEST
        assert theirs is not None
        assert theirs <= 1 / isolated.HIGHEST
    # What is a fall of d for one over a price is a rise of d / (1 - d) for the price.
    far = wanted / (1 - wanted) if held.size > 0 else wanted / (1 + wanted)
    needed = [
        isolated.margin_for_distance(
            one.contract,
            one.table,
            size=one.size,
            entry_price=one.entry,
            mark_price=one.entry,
            distance=distance,
        )
        for one, distance in ((inverse, wanted), (linear, far))
    ]
    assert abs(needed[0] - needed[1]) <= TINY * max(D(1), inverse.value(held.entry))


@given(positions(), decimals("0.01", "1000", 2))
def test_scaling_prices_and_margins_leaves_distance_unchanged(held: Held, k: D) -> None:
    # Linear margin is money of the price, inverse margin is coins: there sizes grow instead.
    money = k if held.contract is LINEAR else 1
    scaled = replace(
        held,
        table=tuple(
            replace(
                tier,
                notional_floor=tier.notional_floor * money,
                maintenance_amount=tier.maintenance_amount * money,
            )
            for tier in held.table
        ),
        size=held.size if held.contract is LINEAR else held.size * k,
        entry=held.entry * k,
        margin=held.margin * money,
    )
    one, many = held.price(), scaled.price()
    assume(one != isolated.HIGHEST != many)
    assert (one is None) == (many is None) or max(one or 0, many or 0) >= isolated.HIGHEST / 1000
    if one is not None and many is not None:
        assert abs(many / k - one) <= D("1e-15") * max(D(1), one, held.entry)


@given(positions(), prices, settings)
def test_what_the_venue_would_release_never_liquidates(held: Held, mark: D, setting: int) -> None:
    position = Position(
        symbol="X",
        size=held.size,
        entry_price=held.entry,
        mark_price=mark,
        margin=held.margin,
        leverage_setting=D(setting),
        margin_mode=MarginMode.ISOLATED,
        venue_liquidation_price=None,
        venue_maintenance_margin=None,
    )
    rules = replace(an_instrument(table=held.table), contract=held.contract)
    free = removable(position, rules)
    assert free >= 0
    rounded = TINY * held.value(mark)  # what is sent is rounded down to a step
    assert free == 0 or held.margin - free >= held.needed(mark) - rounded
