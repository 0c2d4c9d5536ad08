from typing import Any

import pytest

from bot.views import action_text, venues


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


def test_a_venue_of_both_kinds_of_contract_is_told_twice() -> None:
    rows = [(row["venue"], row["market"]) for row in venues()]
    assert len(rows) == len(set(rows))
    kinds = [market for venue, market in rows if venue == "bybit"]
    assert ["inverse" in market for market in kinds] == [False, True]
