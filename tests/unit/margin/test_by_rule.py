from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from bot.domain.instrument import Contract
from bot.margin import backing, by_rule, legs
from bot.margin.backing import Asset, Discount
from bot.margin.by_rule import Terms, flat
from bot.margin.release import Binding
from bot.margin.rules import Fee, Mode, Rule
from bot.margin.venues import rule_for
from tests.kit.builders import tiers

LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
DISCOUNTS = (
    Discount(floor=D(0), rate=D("0.98")),
    Discount(floor=D(20), rate=D("0.9")),
    Discount(floor=D(100), rate=D(0)),
)


def rule(venue: str, mode: Mode = Mode.ISOLATED, contract: Contract = LINEAR) -> Rule:
    return rule_for(venue=venue, mode=mode, contract=contract, day=date(2026, 1, 1))


def terms(size: str = "1", *, mark_price: D | None = None) -> Terms:
    return Terms(
        size=D(size), entry_price=D(100), margin=D(10), tiers=flat(D("0.01")), mark_price=mark_price
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param(
            rule("bybit", Mode.CROSS), "BY-X has no price of its own", id="judged by a rate"
        ),
        pytest.param(rule("okx", Mode.SPOT), "OK-M is no contract: use spot", id="spot"),
        pytest.param(rule("okx"), "taker fee must be given for OK-L", id="no fee"),
        pytest.param(
            rule("kucoin"), "liquidation fee must be given for KC-N", id="no liquidation fee"
        ),
        pytest.param(rule("dydx", Mode.CROSS), "mark price must be given for DX", id="no mark"),
    ],
)
def test_a_number_that_a_rule_needs_is_never_guessed(asked: Rule, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        by_rule.liquidation_price(asked, terms())


def test_a_flat_table_allows_the_leverage_that_its_rate_does() -> None:
    (only,) = flat(D("0.02"))
    assert only.max_leverage == 50


def test_an_account_judged_by_a_rate_gives_an_estimate_where_it_is_asked_for() -> None:
    with pytest.raises(ValueError, match="BY-X has no price of its own"):
        by_rule.book(rule("bybit", Mode.CROSS), terms(mark_price=D(100)))
    # MP - s * (equity - maintenance) / (q * (1 - s * m)): 100 - (10 - 1) / 0.99
    found = by_rule.liquidation_price(
        rule("bybit", Mode.CROSS), terms(mark_price=D(100)), estimate=True
    )
    assert found is not None
    assert abs(found - (100 - 9 / D("0.99"))) < D("1e-20")


def test_a_rule_without_amounts_takes_none_and_one_by_size_keeps_its_tier() -> None:
    table = tiers(("0", "0.01", "0"), ("3", "0.02", "0.03"))
    gate = by_rule.book(
        rule("gate"), Terms(size=D(5), entry_price=D(100), margin=D(50), tiers=table)
    )
    assert [tier.maintenance_amount for tier in gate.legs[0].tiers] == [0, 0]
    assert gate.legs[0].fee == D("0.00075")
    okx = by_rule.book(
        rule("okx"),
        Terms(size=D(-5), entry_price=D(100), margin=D(50), tiers=table, closing_fee=D("0.0005")),
    )
    (only,) = okx.legs[0].tiers
    assert only.notional_floor == 0
    assert only.maintenance_rate == D("0.02")
    assert only.maintenance_amount == 0


@pytest.mark.parametrize("size", ["1", "-1"])
def test_maintenance_fixed_at_entry_or_mark_does_not_follow_the_price(size: str) -> None:
    side = int(size)
    kraken = by_rule.liquidation_price(rule("krakenfutures", Mode.CROSS), terms(size))
    assert kraken == 100 - side * (10 - 1)
    with_fee = replace(rule("krakenfutures", Mode.CROSS), fee=Fee.FIXED, fee_rate=D("0.001"))
    assert by_rule.liquidation_price(with_fee, terms(size)) == 100 - side * (10 - 1 - D("0.1"))
    old = rule_for(venue="hyperliquid", mode=Mode.CROSS, contract=LINEAR, day=date(2023, 3, 1))
    assert by_rule.liquidation_price(old, terms(size, mark_price=D(50))) == 50 - side * D("9.5")
    coin = rule_for(venue="bybit", mode=Mode.ISOLATED, contract=INVERSE, day=date(2023, 3, 1))
    found = by_rule.liquidation_price(
        coin,
        Terms(size=D(size) * 1000, entry_price=D(100), margin=D(1), tiers=flat(D("0.005"))),
    )
    # Q / (Q / EP + s * (IM - MM)), MM = 10 * 0.005
    assert found is not None
    assert abs(found - 1000 / (10 + side * D("0.95"))) < D("1e-20")


def test_a_position_that_no_price_liquidates_has_none_on_either_side() -> None:
    covered = Terms(size=D(1), entry_price=D(100), margin=D(101), tiers=flat(D("0.01")))
    assert by_rule.liquidation_price(rule("binance"), covered) is None
    coin = Terms(size=D(-100), entry_price=D(100), margin=D(2), tiers=flat(D("0.01")))
    assert by_rule.liquidation_price(rule("binance", contract=INVERSE), coin) is None


def test_what_may_leave_follows_from_the_rule_of_the_venue() -> None:
    # V32: 12,000 behind 2 from 60,000, at 59,000.
    table = tiers(("0", "0.005", "50"))
    asked = Terms(
        size=D(2), entry_price=D(60000), margin=D(12000), tiers=table, mark_price=D(59000)
    )
    free = by_rule.removable(rule("binance"), asked, leverage_setting=D(20))
    assert (free.amount, free.binding) == (D(4100), Binding.LEVERAGE_SETTING)
    assert by_rule.removable(rule("binance"), asked, leverage_setting=D(10)).setting_blocks
    # The fallback counts the closing fee too: 10,000 - 590 - 88.5 of it.
    gate = by_rule.removable(rule("gate"), asked, leverage_setting=D(1000))
    assert (gate.amount, gate.binding) == (D("9321.5"), Binding.MAINTENANCE)
    tenth = by_rule.removable(rule("hyperliquid"), asked, leverage_setting=D(50))
    assert tenth.amount == 0
    assert tenth.binding is Binding.TENTH
    with pytest.raises(ValueError, match="BN-X is not isolated"):
        by_rule.removable(rule("binance", Mode.CROSS), asked, leverage_setting=D(10))
    with pytest.raises(ValueError, match="mark price must be given for BN-ISO"):
        by_rule.removable(rule("binance"), terms(), leverage_setting=D(10))


def test_spot_margin_of_a_long_is_what_the_coins_must_be_worth() -> None:
    book = by_rule.spot(assets=D(2), owed=D(100), is_long=True, rate=D("0.05"), fee=D("0.0015"))
    found = legs.liquidation_price(book)
    assert found is not None
    assert abs(found - 100 * D("1.05") * D("1.0015") / 2) < D("1e-20")


@pytest.mark.parametrize(
    ("asked", "size", "price", "expected"),
    [
        pytest.param(rule("okx"), "1", "10.03", "10.13", id="a tick towards mark, long"),
        pytest.param(rule("okx"), "-1", "10.03", "9.93", id="a tick towards mark, short"),
        pytest.param(rule("gate"), "1", "10.06", "10.1", id="nearest tick"),
        pytest.param(rule("binance"), "1", "10.06", "10.06", id="as it is"),
    ],
)
def test_the_price_is_shown_as_the_venue_shows_it(
    asked: Rule, size: str, price: str, expected: str
) -> None:
    found = by_rule.finished(asked, D(price), size=D(size), tick=D("0.1"))
    assert found == D(expected)


def test_kucoin_rounded_longs_up_and_left_shorts() -> None:
    old = rule_for(venue="kucoin", mode=Mode.ISOLATED, contract=LINEAR, day=date(2023, 1, 1))
    assert by_rule.finished(old, D("10.01"), size=D(1), tick=D(1)) == 11
    assert by_rule.finished(old, D("10.01"), size=D(1), tick=D("0.2")) == D("10.2")
    assert by_rule.finished(old, D("10.01"), size=D(-1), tick=D(1)) == D("10.01")


@pytest.mark.parametrize(
    ("size", "contract", "expected"),
    [
        pytest.param("1", LINEAR, D(5) + D(3) / D("0.9994"), id="linear long"),
        pytest.param("-1", LINEAR, D(5) + D(3) / D("1.0006"), id="linear short"),
        pytest.param("10000", INVERSE, D(5) + D(3) / D("1.0006"), id="inverse long"),
        pytest.param("-10000", INVERSE, D(5) + D(3) / D("0.9994"), id="inverse short"),
    ],
)
def test_margin_that_was_added_counts_with_the_fee_against_it(
    size: str, contract: Contract, expected: D
) -> None:
    found = backing.from_setting(
        contract=contract, size=D(size), entry_price=D(100), leverage_setting=D(20), extra=D(3),
        taker_fee=D("0.0006"),
    )  # fmt: skip
    assert found == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        pytest.param("10", "9.8", id="first step"),
        pytest.param("0.5", "0.49", id="less than one coin"),
        pytest.param("30", "28.6", id="two steps"),
        pytest.param("500", "91.6", id="what is beyond counts nothing"),
        pytest.param("-5", "-5", id="a debt counts in full"),
    ],
)
def test_a_coin_counts_step_by_step_less_its_haircut(amount: str, expected: str) -> None:
    assert backing.counted(D(amount), DISCOUNTS) == D(expected)


def test_several_currencies_count_together() -> None:
    coin = Asset(amount=D(30), price=D(1000), discounts=DISCOUNTS)
    debt = Asset(amount=D(-100), price=D(1), discounts=(Discount(floor=D(0), rate=D(1)),))
    assert backing.of_assets([coin, debt]) == 28500
    with pytest.raises(ValueError, match="discounts must not be empty"):
        backing.counted(D(1), ())
