import csv
import gzip
import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.instrument import Contract, MarginTier
from bot.margin import legs, lone
from bot.margin.legs import Book, Leg
from bot.margin.tiers import check_tiers, continued, maintenance_margin

DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))
FILE = DATA / "reference/leverage_tiers_history.csv.gz"
CENT = D("0.01")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FILE.exists(), reason="recorded tiers are not at PLIMSOLL_DATA"),
]


def tables() -> Iterator[tuple[str, tuple[MarginTier, ...]]]:
    """Each table with its name and day."""
    found = defaultdict(list)
    with gzip.open(FILE, "rt") as file:
        for row in csv.DictReader(file):
            found[f"{row['symbol']} {row['as_of']}"].append(row)
    for name, rows in found.items():
        yield (
            name,
            tuple(
                MarginTier(
                    notional_floor=D(row["min_notional"]),
                    maintenance_rate=D(row["maint_margin_rate"]),
                    maintenance_amount=D(row["maint_amount"]),
                    max_leverage=D(row["max_leverage"]),
                )
                for row in sorted(rows, key=lambda row: int(row["tier"]))
            ),
        )


def test_every_joint_of_four_years_reproduces_the_amount_of_the_venue() -> None:
    joints = 0
    for name, table in tables():
        check_tiers(name, table)
        for lower, upper in itertools.pairwise(table):
            floor = upper.notional_floor
            ours = continued(lower, floor=floor, rate=upper.maintenance_rate)
            assert abs(ours - upper.maintenance_amount) <= CENT, (name, floor)
            below = maintenance_margin(table, notional=floor - D("1e-12"))
            assert abs(below - maintenance_margin(table, notional=floor)) <= CENT, (name, floor)
            joints += 1
    assert joints > 1500


def test_both_ways_to_a_price_agree_on_every_recorded_table() -> None:
    for name, table in tables():
        value = table[-1].notional_floor or D(1000)
        for side, share in itertools.product((1, -1), (D("0.01"), D("0.5"), D("1.2"))):
            size = side * value * share / 100
            margin = value * share / 8
            walked = lone.liquidation_price(
                table, contract=Contract.LINEAR, size=size, entry_price=D(100), margin=margin
            )
            leg = Leg(size=size, entry_price=D(100), tiers=table)
            solved = legs.liquidation_price(
                Book(contract=Contract.LINEAR, margin=margin, legs=(leg,))
            )
            assert walked is not None
            assert solved is not None
            assert abs(walked - solved) <= D("1e-12") * solved, name
