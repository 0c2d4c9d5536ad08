"""May the formulae rely on the maintenance table that a venue tells?"""

from typing import Any

import pytest

from bot.errors import Incomplete
from bot.exchanges.binance import parse


def a_coin_table(cum: str) -> dict[str, Any]:
    """Return two steps of a table in coins, the second with an amount that may not fit."""
    first = {"initialLeverage": 125, "qtyFloor": 0, "maintMarginRatio": "0.004", "cum": "0"}
    second = {"initialLeverage": 100, "qtyFloor": 5, "maintMarginRatio": "0.005", "cum": cum}
    return {"symbol": "BTCUSD_PERP", "brackets": [first, second]}


def test_a_table_in_coins_that_goes_on_without_a_jump_is_read() -> None:
    # At 5 coins the rates differ by 0.001, so the step must deduct 0.005.
    assert len(parse.coin_tiers(a_coin_table("0.005"))) == 2


@pytest.mark.parametrize("cum", ["0", "0.01", "0.4"])
def test_a_table_in_coins_with_a_jump_is_refused_though_it_would_be_a_small_one_in_quote(
    cum: str,
) -> None:
    with pytest.raises(Incomplete, match="to be continuous"):
        parse.coin_tiers(a_coin_table(cum))
