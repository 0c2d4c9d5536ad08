from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.band import Levels
from bot.domain.instrument import Contract, MarginTier, contract_of, settle_of
from bot.margin import isolated
from bot.margin.assess import assess, release_limit
from bot.margin.bands import band_at_distances, band_at_leverages
from bot.margin.legs import coordinate
from bot.margin.release import Binding
from bot.margin.tiers import check_tiers
from tests.kit.builders import COIN_TIERS, a_coin_instrument, a_position, tiers

INVERSE = Contract.INVERSE
V31 = a_position(
    "BTC/USD:BTC", size="10000", entry="60000", mark="61000", margin="0.02", leverage_setting="20"
)
"""100 contracts of 100 US dollars."""
RULES = a_coin_instrument(table=tiers(("0", "0.004", "0")))


def near(ours: D | None, theirs: str, tolerance: str = "1e-8") -> bool:
    return ours is not None and abs(ours - D(theirs)) <= D(tolerance) * D(theirs)


def test_the_numbers_of_a_long_are_those_of_the_specification() -> None:
    risk = assess(V31, RULES)
    assert near(risk.liquidation_price, "53785.7143")
    # 10,000 US dollars at 61,000, and what a rise from 60,000 earned of them.
    assert risk.notional == D(10000) / 61000
    assert risk.unrealized_pnl == D(10000) / 60000 - D(10000) / 61000
    assert risk.equity == D("0.02") + risk.unrealized_pnl
    assert risk.maintenance_margin == risk.notional * D("0.004")
    assert risk.leverage == risk.notional / risk.equity
    assert risk.distance is not None
    assert risk.liquidation_price == pytest.approx(61000 * (1 - risk.distance), rel=D("1e-20"))


def test_at_the_price_of_the_specification_equity_is_what_must_be_held() -> None:
    there = replace(V31, mark_price=D("53785.7142857142857"))
    risk = assess(there, RULES)
    assert near(risk.equity, "0.00074369", "1e-5")
    assert near(risk.maintenance_margin, "0.00074369", "1e-5")


def test_what_may_leave_is_that_of_the_specification() -> None:
    limit = release_limit(V31, RULES)
    assert near(limit.amount, "0.0145355191")
    assert limit.binding is Binding.LEVERAGE_SETTING


def test_a_short_dies_of_a_rise() -> None:
    # Where 0.996 of the value is all that the entry left over the margin: 9,960 / (1/6 - 0.02).
    risk = assess(replace(V31, size=D(-10000), mark_price=D(60000)), RULES)
    assert near(risk.liquidation_price, "67909.0909090909")
    assert risk.distance is not None
    assert near(risk.distance, "0.13181818181818")


def test_a_fully_covered_short_has_no_liquidation_price() -> None:
    # The usual hedge: coins for as many dollars as are sold.
    hedge = replace(V31, size=D(-10000), mark_price=D(60000), margin=D(10000) / 60000)
    risk = assess(hedge, RULES)
    assert (risk.liquidation_price, risk.distance) == (None, None)
    # Nor has one that only a price no coin has would liquidate.
    barely = replace(hedge, margin=hedge.margin - D("1E-12"))
    assert assess(barely, RULES).liquidation_price is None
    uncovered = assess(replace(hedge, margin=hedge.margin * D("0.99")), RULES)
    assert near(uncovered.liquidation_price, "5976000", "1e-15")


def test_a_long_of_any_margin_has_a_liquidation_price() -> None:
    rich = assess(replace(V31, margin=D(100)), RULES)
    assert rich.liquidation_price is not None
    assert 0 < rich.liquidation_price < 101


@pytest.mark.parametrize("size", ["10000", "1"])
def test_a_long_that_is_lost_at_every_price_is_not_one_that_nothing_liquidates(size: str) -> None:
    lost = assess(replace(V31, size=D(size), margin=D("-0.2")), RULES)
    assert lost.liquidation_price == isolated.HIGHEST
    assert lost.distance is not None
    assert lost.distance < -1


def test_a_short_is_safe_from_a_price_that_no_coin_has_and_not_from_one_below() -> None:
    free = tiers(("0", "0", "0"))
    # Without maintenance a short of 1 BTC dies at 60,000 over what margin leaves of it.
    for margin, price in (("0.99999994", None), ("0.9999998", D("3E+11"))):
        found = isolated.liquidation_price(
            INVERSE, free, size=D(-60000), entry_price=D(60000), margin=D(margin)
        )
        assert found == price


@pytest.mark.parametrize("contract", list(Contract))
@pytest.mark.parametrize("size", [D(100), D(-100)])
def test_equity_rises_with_the_coordinate_where_the_direction_says_so(
    contract: Contract, size: D
) -> None:
    low, high = sorted((D(50000), D(60000)), key=lambda price: coordinate(contract, price))
    rise = isolated.unrealized_pnl(contract, size=size, entry_price=low, price=high)
    assert isolated.direction(contract, size=size) == (1 if rise > 0 else -1)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param("100", "4.951570632", id="long"),
        pytest.param("-100", "5.948625128", id="short"),
    ],
)
def test_leverage_at_a_log_distance_is_that_of_the_other_side_of_a_linear_contract(
    size: str, expected: str
) -> None:
    a, side = D("0.174"), 1 if D(size) > 0 else -1
    leverage = isolated.leverage_at_distance(
        INVERSE,
        tiers(("0", "0.01", "0")),
        size=D(size),
        mark_price=D(100),
        distance=side * (1 - (-side * a).exp()),
    )
    assert near(leverage, expected, "1e-9")


def test_the_tier_at_the_liquidation_price_sets_the_rate_although_value_grows_in_a_fall() -> None:
    # 9 BTC at mark, in the second tier; 10 and more where it dies, in the third.
    held = replace(V31, size=D(540000), mark_price=D(60000), margin=D("1.5"))
    risk = assess(held, a_coin_instrument())
    assert risk.maintenance_margin == D(9) * D("0.005") - D("0.005")
    # With 10.555 BTC of margin, amount and entry value.
    assert near(risk.liquidation_price, "51672.1932733302")


def test_a_band_maps_distances_to_leverages_and_back() -> None:
    levels = Levels(emergency=D("0.05"), trigger=D("0.10"), target=D("0.15"), give_back=D("0.25"))
    for size in ("540000", "-540000"):
        risk = assess(replace(V31, size=D(size)), a_coin_instrument())
        band = band_at_distances(risk, levels)
        again = band_at_leverages(risk, band.leverage)
        for name in ("emergency", "trigger", "target", "give_back"):
            found, meant = getattr(again.distance, name), getattr(levels, name)
            assert found == pytest.approx(meant, rel=D("1e-20"))


@pytest.mark.parametrize(
    ("side", "share", "move"),
    [
        pytest.param(
            1, "0.25", "0.2", id="a long loses a quarter of its value in a fall of a fifth"
        ),
        pytest.param(-1, "0.2", "0.25", id="a short a fifth in a rise of a quarter"),
        pytest.param(-1, "1", None, id="and never all of it"),
        pytest.param(1, "1", "0.5", id="while a long does in a fall by half"),
    ],
)
def test_a_share_of_the_value_is_lost_at_another_distance(
    side: int, share: str, move: str | None
) -> None:
    found = isolated.distance_of_loss(INVERSE, size=D(side), share=D(share))
    assert found == (None if move is None else D(move))


def test_a_table_in_coin_is_measured_by_what_must_be_held() -> None:
    check_tiers("BTC/USD:BTC", COIN_TIERS, contract=INVERSE)
    torn: tuple[MarginTier, ...] = (
        COIN_TIERS[0],
        replace(COIN_TIERS[1], maintenance_amount=D("0.0051")),
    )
    # A ten-thousandth of a coin: in quote that would be nothing.
    check_tiers("BTC/USDT:USDT", torn)
    with pytest.raises(ValueError, match=r"must be 0.005 to be continuous, was 0.0051"):
        check_tiers("BTC/USD:BTC", torn, contract=INVERSE)


@pytest.mark.parametrize(
    ("symbol", "settle", "contract"),
    [
        ("BTC/USDT:USDT", "USDT", Contract.LINEAR),
        ("BTC/USD:BTC", "BTC", INVERSE),
        ("BTC/USD:BTC-260327", "BTC", INVERSE),
        ("ETH/BTC:BTC", "BTC", Contract.LINEAR),
        ("", "", Contract.LINEAR),
        ("BTC/USDT", "", Contract.LINEAR),
    ],
)
def test_a_unified_name_tells_in_what_a_contract_settles(
    symbol: str, settle: str, contract: Contract
) -> None:
    assert settle_of(symbol) == settle
    assert contract_of(symbol) is contract
