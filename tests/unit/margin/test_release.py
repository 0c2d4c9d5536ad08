from decimal import Decimal as D
from typing import Any

import pytest

from bot.margin import release
from bot.margin.assess import release_limit, removable
from bot.margin.release import Binding
from bot.margin.rules import Release
from tests.kit.builders import a_position, an_instrument, tiers

ASKED: dict[str, Any] = {
    "margin": D(150),
    "equity": D(140),
    "maintenance": D(10),
    "value": D(1000),
    "leverage_setting": D(20),
}


@pytest.mark.parametrize(
    ("rule", "change", "amount", "binding"),
    [
        pytest.param(Release.BINANCE, {}, "90", Binding.LEVERAGE_SETTING, id="the setting"),
        pytest.param(
            Release.BINANCE, {"equity": D(300)}, "140", Binding.MAINTENANCE, id="profit stays"
        ),
        pytest.param(
            Release.BINANCE, {"leverage_setting": D(5)}, "0", Binding.LEVERAGE_SETTING, id="low"
        ),
        pytest.param(Release.ASK, {}, "90", Binding.LEVERAGE_SETTING, id="fallback, setting"),
        pytest.param(
            Release.ASK, {"leverage_setting": D(200)}, "130", Binding.MAINTENANCE, id="a loss"
        ),
        pytest.param(
            Release.ASK, {"leverage_setting": D(200), "equity": D(300)}, "140",
            Binding.MAINTENANCE, id="fallback, profit stays",
        ),
        pytest.param(Release.TENTH, {}, "40", Binding.TENTH, id="a tenth stays"),
        pytest.param(
            Release.TENTH, {"leverage_setting": D(4)}, "0", Binding.LEVERAGE_SETTING, id="both"
        ),
    ],
)  # fmt: skip
def test_the_smallest_limit_binds_and_is_named(
    rule: Release, change: dict[str, D], amount: str, binding: Binding
) -> None:
    found = release.removable(rule, **(ASKED | change))
    assert (found.amount, found.binding) == (D(amount), binding)


def test_limits_are_told_by_these_words() -> None:
    assert [binding.value for binding in Binding] == [
        "maintenance", "leverage_setting", "tenth_of_notional", "wallet", "available",
    ]  # fmt: skip


def test_a_setting_blocks_only_where_nothing_else_does() -> None:
    low = release.removable(Release.BINANCE, **(ASKED | {"leverage_setting": D(5)}))
    assert low.setting_blocks
    barely = release.removable(
        Release.BINANCE, **(ASKED | {"leverage_setting": D(5), "maintenance": D("149.5")})
    )
    assert barely.setting_blocks
    both = release.removable(
        Release.BINANCE, **(ASKED | {"leverage_setting": D(5), "maintenance": D(150)})
    )
    assert both.amount == 0
    assert not both.setting_blocks
    assert not release.removable(Release.BINANCE, **ASKED).setting_blocks
    tenth = release.removable(Release.TENTH, **(ASKED | {"equity": D(90), "margin": D(90)}))
    assert not tenth.setting_blocks


def test_the_setting_to_raise_to_lets_exactly_the_amount_out() -> None:
    setting = release.setting_for(equity=D(140), value=D(1000), amount=D(100))
    assert setting == 25
    found = release.removable(Release.BINANCE, **(ASKED | {"leverage_setting": setting}))
    assert found.amount == 100
    assert release.setting_for(equity=D(140), value=D(1000), amount=D(140)) is None


@pytest.mark.parametrize(
    ("setting", "amount", "binding"),
    [
        pytest.param("10", "0", Binding.LEVERAGE_SETTING, id="10x releases nothing"),
        pytest.param("20", "4100", Binding.LEVERAGE_SETTING, id="20x down to its initial margin"),
        pytest.param("100", "8820", Binding.LEVERAGE_SETTING, id="100x, after a loss"),
    ],
)
def test_a_position_tells_what_may_leave_and_which_limit_keeps_the_rest_in(
    setting: str, amount: str, binding: Binding
) -> None:
    # V32: 12,000 behind 2 from 60,000, at 59,000.
    position = a_position(
        size="2", entry="60000", mark="59000", margin="12000", leverage_setting=setting
    )
    instrument = an_instrument(table=tiers(("0", "0.005", "50")))
    found = release_limit(position, instrument)
    assert (found.amount, found.binding) == (D(amount), binding)
    assert found.limits[Binding.MAINTENANCE] == D(11460)
    assert removable(position, instrument) == found.amount


def test_an_isolated_position_takes_what_the_wallet_does_not_need_for_others() -> None:
    asked = {"wallet": D(100), "isolated_order_margin": D(10), "cross_maintenance": D(30)}
    found = release.addable(**asked, available=D(70))
    assert (found.amount, found.binding) == (D(60), Binding.WALLET)
    found = release.addable(**asked, available=D(50))
    assert (found.amount, found.binding) == (D(50), Binding.AVAILABLE)
    assert release.addable(**asked, available=D(-5)).amount == 0


def test_a_cross_wallet_lets_out_what_neither_maintenance_nor_settings_keep() -> None:
    asked = {"wallet": D(100), "isolated_order_margin": D(10), "cross_maintenance": D(30)}
    found = release.withdrawable(**asked, cross_initial=D(50), cross_pnl=D(-20))
    assert (found.amount, found.binding) == (D(20), Binding.LEVERAGE_SETTING)
    found = release.withdrawable(**asked, cross_initial=D(50), cross_pnl=D(40))
    assert (found.amount, found.binding) == (D(60), Binding.MAINTENANCE)
