from decimal import Decimal as D

import pytest

from bot.domain.instrument import Contract, MarginTier
from bot.margin import isolated
from bot.margin.assess import assess
from bot.margin.tiers import check_tiers, maintenance_margin
from tests.kit.builders import FOUR_TIERS, ONE_TIER, a_position, an_instrument, tiers

LINEAR = Contract.LINEAR


def relative(ours: D | None, theirs: str) -> D:
    assert ours is not None
    return abs(ours - D(theirs)) / D(theirs)


@pytest.mark.parametrize(
    ("rate", "amount", "size", "entry", "margin", "expected", "tolerance"),
    [
        pytest.param(
            "0.1", "135365", "3683.979", "1456.84", "1535443.01", "1114.78", "5e-6", id="V1 ETH"
        ),
        pytest.param(
            "0.025", "16300", "109.488", "32481.98", "1535443.01", "18778.73", "5e-6", id="V1 BTC"
        ),
        pytest.param(
            "0.005", "50", "20", "6563.665", "13200.70726908", "5930.78", "1e-6", id="V3 long"
        ),
        pytest.param(
            "0.005", "50", "-10", "6563.86", "6570.42511771", "7189.95", "1e-6", id="V3 short"
        ),
        pytest.param("0.005", "50", "2", "60000", "12000", "54246.2311558", "1e-10", id="V27"),
        pytest.param("0.005", "0", "1", "10000", "1000", "9045.226", "1e-6", id="reference long"),
        pytest.param(
            "0.005", "0", "-1", "10000", "1000", "10945.274", "1e-6", id="reference short"
        ),
    ],
)
def test_liquidation_price_matches_published_examples(
    rate: str, amount: str, size: str, entry: str, margin: str, expected: str, tolerance: str
) -> None:
    price = isolated.liquidation_price(
        LINEAR, tiers(("0", rate, amount)), size=D(size), entry_price=D(entry), margin=D(margin)
    )
    assert relative(price, expected) <= D(tolerance)


@pytest.mark.parametrize(
    ("size", "margin", "expected"),
    [
        pytest.param("10.1", "12000", "59102.4429", id="V28: the second tier holds there"),
        pytest.param("-9.5", "60000", "65986.8748", id="V29: the third tier holds there"),
    ],
)
def test_the_tier_at_the_liquidation_price_sets_the_rate(
    size: str, margin: str, expected: str
) -> None:
    price = isolated.liquidation_price(
        LINEAR, FOUR_TIERS, size=D(size), entry_price=D(60000), margin=D(margin)
    )
    assert relative(price, expected) <= D("1e-8")


def test_a_fully_covered_long_has_no_liquidation_price() -> None:
    price = isolated.liquidation_price(
        LINEAR, FOUR_TIERS, size=D(1), entry_price=D(100), margin=D(101)
    )
    assert price is None
    assert isolated.distance(size=D(1), mark_price=D(100), liquidation=None) is None


@pytest.mark.parametrize("size", ["1", "-1"])
def test_a_linear_price_is_told_however_high_it_is(size: str) -> None:
    # In a currency of which a trillion buys little; with 0.5 % to be kept at P.
    side, entry = D(size), D("4E+12")
    found = isolated.liquidation_price(
        Contract.LINEAR, ONE_TIER, size=side, entry_price=entry, margin=D("1E+12")
    )
    assert found is not None
    assert D("1E+12") + side * (found - entry) == pytest.approx(found * D("0.005"), rel=D("1e-9"))


def test_distance_is_negative_beyond_the_liquidation_price() -> None:
    assert isolated.distance(size=D(1), mark_price=D(90), liquidation=D(99)) == D("-0.1")
    assert isolated.distance(size=D(-1), mark_price=D(110), liquidation=D(99)) == D("-0.1")


def test_margin_for_a_distance_is_the_published_buffer() -> None:
    # V33: P' = 53,100; 2 * 53,100 * 0.005 - 50 - 2 * (53,100 - 60,000) = 14,281
    wanted = isolated.margin_for_distance(
        LINEAR,
        tiers(("0", "0.005", "50")),
        size=D(2),
        entry_price=D(60000),
        mark_price=D(59000),
        distance=D("0.1"),
    )
    assert wanted == D(14281)


@pytest.mark.parametrize(
    ("size", "expected"),
    [pytest.param("1", "5.948625128", id="long"), pytest.param("-1", "4.951570632", id="short")],
)
def test_leverage_at_a_log_distance_matches_the_core_table(size: str, expected: str) -> None:
    a = D("0.174")
    side = 1 if D(size) > 0 else -1
    distance = side * (1 - (-side * a).exp())
    leverage = isolated.leverage_at_distance(
        LINEAR, tiers(("0", "0.01", "0")), size=D(size), mark_price=D(100), distance=distance
    )
    assert relative(leverage, expected) <= D("1e-9")


def test_a_long_cannot_stand_at_a_distance_of_one() -> None:
    with pytest.raises(ValueError, match="distance of a long must be below 1, was 1"):
        isolated.margin_for_distance(
            LINEAR, FOUR_TIERS, size=D(1), entry_price=D(1), mark_price=D(1), distance=D(1)
        )


def test_maintenance_margin_is_continuous_at_a_joint() -> None:
    # 600,000 * 0.005 - 50 = 2,950 = 600,000 * 0.0065 - 950
    assert maintenance_margin(FOUR_TIERS, notional=D(600000)) == D(2950)
    assert maintenance_margin(FOUR_TIERS, notional=D("599999.99")) < D(2950)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param((), "must not be empty", id="empty"),
        pytest.param(tiers(("10", "0.01", "0")), "first notional floor", id="no zero floor"),
        pytest.param(tiers(("0", "1.5", "0")), "maintenance rate", id="rate above one"),
        pytest.param(tiers(("0", "0.01", "-1")), "maintenance amount", id="negative amount"),
        pytest.param(
            tiers(("0", "0.01", "0"), ("0", "0.02", "0")), "must ascend", id="equal floors"
        ),
        pytest.param(
            tiers(("0", "0.02", "0"), ("100", "0.01", "0")), "must not fall", id="falling rates"
        ),
        pytest.param(
            tiers(("0", "0.01", "0"), ("50000", "0.02", "0")), "to be continuous", id="jump"
        ),
    ],
)
def test_a_table_the_formulae_cannot_rely_on_is_refused(
    table: tuple[object, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_tiers("BTC/USDT:USDT", table)  # type: ignore[arg-type]  # an empty tuple has no type


def test_a_short_that_is_lost_at_every_price_is_not_one_that_nothing_liquidates() -> None:
    price = isolated.liquidation_price(
        LINEAR, ONE_TIER, size=D(-1), entry_price=D(100), margin=D(-150)
    )
    assert price == 0
    distance = isolated.distance(size=D(-1), mark_price=D(90), liquidation=price)
    assert distance == -1


@pytest.mark.parametrize("table", [FOUR_TIERS, FOUR_TIERS[:1]], ids=["four tiers", "one tier"])
def test_a_continuous_table_with_rising_rates_is_accepted(table: tuple[MarginTier, ...]) -> None:
    check_tiers("BTC", table)


def test_the_numbers_of_a_long_are_those_of_its_size_and_prices() -> None:
    risk = assess(a_position(mark="61000", margin="3050"), an_instrument())
    assert (risk.notional, risk.unrealized_pnl, risk.equity) == (D(61000), D(1000), D(4050))
    assert risk.maintenance_margin == 61000 * D("0.005") - 50
    assert risk.leverage == D(61000) / 4050


@pytest.mark.parametrize("margin", ["0", "-1"])
def test_what_has_no_equity_has_no_leverage(margin: str) -> None:
    assert assess(a_position(margin=margin), an_instrument()).leverage is None
