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

LINEAR = Contract.LINEAR

TINY = D("1e-15")


def decimals(low: str, high: str, places: int = 4) -> st.SearchStrategy[D]:
    return st.decimals(min_value=D(low), max_value=D(high), places=places)


sizes = st.one_of(decimals("0.001", "500", 3), decimals("-500", "-0.001", 3))
prices = decimals("0.01", "100000", 2)
margins = decimals("0", "1000000", 2)


@given(tables())
def test_generated_tables_are_ones_the_bot_accepts(table: tuple[MarginTier, ...]) -> None:
    check_tiers("X", table)


@given(tables(), sizes, prices, margins)
def test_at_the_liquidation_price_equity_equals_maintenance_margin(
    table: tuple[MarginTier, ...], size: D, entry: D, margin: D
) -> None:
    price = isolated.liquidation_price(LINEAR, table, size=size, entry_price=entry, margin=margin)
    assume(price is not None)
    assert price is not None
    equity = isolated.equity(LINEAR, size=size, entry_price=entry, margin=margin, price=price)
    needed = maintenance_margin(table, notional=abs(size) * price)
    scale = max(D(1), abs(size) * max(price, entry))
    assert abs(equity - needed) <= TINY * scale


@given(tables(), sizes, prices, margins)
def test_before_the_liquidation_price_the_position_is_healthy_and_beyond_it_is_not(
    table: tuple[MarginTier, ...], size: D, entry: D, margin: D
) -> None:
    price = isolated.liquidation_price(LINEAR, table, size=size, entry_price=entry, margin=margin)
    assume(price is not None)
    assert price is not None
    side = 1 if size > 0 else -1

    def buffer(at: D) -> D:
        return isolated.equity(
            LINEAR, size=size, entry_price=entry, margin=margin, price=at
        ) - maintenance_margin(table, notional=abs(size) * at)

    assert buffer(price * (1 + side * D("0.001"))) > 0
    assert buffer(price * (1 - side * D("0.001"))) < 0


@given(tables(), sizes, prices, margins, decimals("0.01", "100000", 2))
def test_more_margin_moves_the_liquidation_price_away(
    table: tuple[MarginTier, ...], size: D, entry: D, margin: D, more: D
) -> None:
    near = isolated.liquidation_price(LINEAR, table, size=size, entry_price=entry, margin=margin)
    far = isolated.liquidation_price(
        LINEAR, table, size=size, entry_price=entry, margin=margin + more
    )
    if near is None:
        assert far is None
    elif far is not None:
        assert far < near if size > 0 else far > near


@given(tables(), sizes, prices, prices, decimals("0.001", "0.9"))
def test_margin_for_a_distance_and_distance_are_inverse(
    table: tuple[MarginTier, ...], size: D, entry: D, mark: D, wanted: D
) -> None:
    margin = isolated.margin_for_distance(
        LINEAR, table, size=size, entry_price=entry, mark_price=mark, distance=wanted
    )
    price = isolated.liquidation_price(LINEAR, table, size=size, entry_price=entry, margin=margin)
    found = isolated.distance(size=size, mark_price=mark, liquidation=price)
    assert found is not None
    assert abs(found - wanted) <= D("1e-9")


@given(tables(), sizes, prices, decimals("0.001", "0.9"))
def test_distance_and_leverage_are_inverse(
    table: tuple[MarginTier, ...], size: D, mark: D, wanted: D
) -> None:
    leverage = isolated.leverage_at_distance(
        LINEAR, table, size=size, mark_price=mark, distance=wanted
    )
    found = isolated.distance_at_leverage(
        LINEAR, table, size=size, mark_price=mark, leverage=leverage
    )
    assert found is not None
    assert abs(found - wanted) <= D("1e-9")


@given(tables(), sizes, prices, margins, decimals("0.01", "1000", 2))
def test_scaling_prices_and_margins_leaves_distance_unchanged(
    table: tuple[MarginTier, ...], size: D, entry: D, margin: D, k: D
) -> None:
    scaled = tuple(
        MarginTier(
            notional_floor=t.notional_floor * k,
            maintenance_rate=t.maintenance_rate,
            maintenance_amount=t.maintenance_amount * k,
            max_leverage=t.max_leverage,
        )
        for t in table
    )
    one = isolated.liquidation_price(LINEAR, table, size=size, entry_price=entry, margin=margin)
    many = isolated.liquidation_price(
        LINEAR, scaled, size=size, entry_price=entry * k, margin=margin * k
    )
    assert (one is None) == (many is None)
    if one is not None and many is not None:
        assert abs(many / k - one) <= D("1e-15") * max(D(1), one, entry)


@given(tables(), sizes, prices, prices, margins, st.integers(1, 125))
def test_what_the_venue_would_release_never_liquidates(
    table: tuple[MarginTier, ...], size: D, entry: D, mark: D, margin: D, setting: int
) -> None:
    position = Position(
        symbol="X",
        size=size,
        entry_price=entry,
        mark_price=mark,
        margin=margin,
        leverage_setting=D(setting),
        margin_mode=MarginMode.ISOLATED,
        venue_liquidation_price=None,
        venue_maintenance_margin=None,
    )
    free = removable(position, an_instrument(table=table))
    assert free >= 0
    assert free == 0 or margin - free >= maintenance_margin(table, notional=abs(size) * mark)
