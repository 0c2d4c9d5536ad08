import json
import os
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.margin import linear
from tests.kit.builders import tiers

BASIS_POINT = D("0.0001")
LIMIT = D("0.05")
DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))
VECTORS = [
    # id, rate, amount, size, entry, margin, the venue's price
    ("V1 ETH", "0.1", "135365", "3683.979", "1456.84", "1535443.01", "1114.78"),
    ("V1 BTC", "0.025", "16300", "109.488", "32481.98", "1535443.01", "18778.73"),
    ("V3 long", "0.005", "50", "20", "6563.665", "13200.70726908", "5930.78"),
    ("V3 short", "0.005", "50", "-10", "6563.86", "6570.42511771", "7189.95"),
]


def _rows() -> list[dict[str, Any]]:
    file = DATA / "recorded_positions.json"
    if not file.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(file.read_text(), parse_float=str)
    return [r for r in rows if r["venue"] == "binance" and "isolated" in r["kind"]]


def _price(*, rate: str, amount: str, size: D, entry: str, margin: D) -> D:
    price = linear.liquidation_price(
        tiers(("0", rate, amount)), size=size, entry_price=D(entry), margin=margin
    )
    assert price is not None
    return price


def _show(name: str, ours: D, theirs: D) -> D:
    error = abs(ours - theirs) / theirs / BASIS_POINT
    print(f"{name:<22} {ours:>16.6f} {theirs:>16.6f} {error:>9.5f} bp")
    return error


def test_isolated_binance_positions_agree_with_the_venue_within_a_twentieth_of_a_basis_point(
    capsys: pytest.CaptureFixture[str],
) -> None:
    errors = []
    with capsys.disabled():
        print(f"\n{'isolated position':<22} {'ours':>16} {'venue':>16} {'error':>9}")
        for name, rate, amount, size, entry, margin, theirs in VECTORS:
            ours = _price(rate=rate, amount=amount, size=D(size), entry=entry, margin=D(margin))
            errors.append(_show(name, ours, D(theirs)))
        for row in _rows():
            norm = row["norm"]
            signed = int(norm["side"]) * D(norm["qty"])
            wallet = D(norm["wallet"])
            if row["raw"].get("isolatedMargin"):
                # What the venue itself sent: equity of the position minus its own profit.
                wallet = D(row["raw"]["isolatedMargin"]) - D(row["raw"]["unRealizedProfit"])
            ours = _price(
                rate=norm["mmr"],
                amount=norm["cum"],
                size=signed,
                entry=norm["entry"],
                margin=wallet,
            )
            errors.append(_show(row["id"], ours, D(norm["liq"])))
    assert max(errors) <= LIMIT


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="recorded positions are not here (PLIMSOLL_DATA)")
def test_the_recorded_rows_were_really_read() -> None:
    assert len(_rows()) >= 3
