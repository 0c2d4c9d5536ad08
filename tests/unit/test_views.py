from typing import Any

import pytest

from bot.views import action_text


@pytest.mark.parametrize(
    ("symbol", "unit"), [("BTC/USDT:USDT", "0.5 base"), ("BTC/USD:BTC", "0.5 quote")]
)
def test_a_size_is_told_in_the_unit_of_its_contract(symbol: str, unit: str) -> None:
    row: dict[str, Any] = {
        "at": "2026-01-05T12:00:00.000+00:00",
        "id": "pl1",
        "kind": "reduce_position",
        "symbol": symbol,
        "side": "long",
        "size": "0.5",
        "state": "applied",
        "code": "",
        "text": "",
    }
    assert unit in action_text(row)
