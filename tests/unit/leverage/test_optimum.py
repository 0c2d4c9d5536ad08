import itertools
import json
import math
import os
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.domain.instrument import Contract, MarginTier
from bot.leverage import optimum
from bot.leverage.optimum import Tiers
from bot.margin.tiers import check_tiers
from tests.kit.builders import FOUR_TIERS, tiers

DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))
BRACKETS = DATA / "reference" / "binance_leverage_tiers.json"


def liquidation_by_bisection(
    *, equity: float, mark: float, size: float, table: Tiers, contract: Contract
) -> float:
    # The buffer at a price, slowly: no algebra of the liquidation price is used.
    quantity = abs(size)

    def buffer(price: float) -> float:
        if contract is Contract.LINEAR:
            return (
                equity + size * (price - mark) - float(optimum.maintenance(quantity * price, table))
            )
        profit = size * (1 / mark - 1 / price)
        return equity + profit - float(optimum.maintenance(quantity / price, table))

    lost, kept = (mark * 1e-6, mark) if size > 0 else (mark * 1e6, mark)
    for _ in range(200):
        middle = math.sqrt(lost * kept)
        lost, kept = (lost, middle) if buffer(middle) > 0 else (middle, kept)
    return kept


@pytest.mark.parametrize("contract", Contract)
@pytest.mark.parametrize("size", [0.7, 40.0, -0.7, -40.0])
@pytest.mark.parametrize("leverage", [2.0, 7.5, 40.0])
def test_the_liquidation_price_is_where_a_search_finds_it(
    contract: Contract, size: float, leverage: float
) -> None:
    mark, table = 25_000.0, Tiers.of(FOUR_TIERS)
    contracts = size if contract is Contract.LINEAR else size * mark * 10_000
    value = abs(size) * (mark if contract is Contract.LINEAR else 10_000)
    held = value / leverage
    found = optimum.liquidation(
        held,
        mark=mark,
        value=value,
        tiers=table,
        side=math.copysign(1, size),
        contract=contract,
    )
    slow = liquidation_by_bisection(
        equity=held, mark=mark, size=contracts, table=table, contract=contract
    )
    assert float(found) == pytest.approx(slow, rel=1e-9)


def test_leverage_has_its_tabulated_values() -> None:
    one = Tiers.flat(0.01)
    found = optimum.leverage(0.174, tiers=one, side=[1, -1])
    assert found.tolist() == pytest.approx([5.948625128, 4.951570632], rel=1e-9)
    mirrored = optimum.leverage(0.174, tiers=one, side=[-1, 1], contract=Contract.INVERSE)
    assert mirrored.tolist() == found.tolist()


@pytest.mark.parametrize(
    ("rate", "amount", "size", "entry", "mark", "margin", "price"),
    [
        # Binance's FAQ, isolated, as in the tests of freqtrade at c9ae5e1e
        (0.1, 135_365, 3683.979, 1456.84, 1335.18, 1_535_443.01, 1114.78),
        (0.025, 16_300, 109.488, 32481.98, 31967.27, 1_535_443.01, 18778.73),
        # dYdX documentation: short 3 at 3000, equity 1000: (1000 + 9000) / (3 * 1.05)
        (0.05, 0, -3, 3000, 3000, 1000, 3174.6032),
    ],
)
def test_liquidation_prices_have_their_published_values(
    rate: float, amount: float, size: float, entry: float, mark: float, margin: float, price: float
) -> None:
    tier = MarginTier(
        notional_floor=D(0),
        maintenance_rate=D(repr(rate)),
        maintenance_amount=D(repr(amount)),
        max_leverage=D(50),
    )
    found = optimum.liquidation(
        margin + size * (mark - entry),
        mark=mark,
        value=abs(size) * mark,
        tiers=Tiers.of((tier,)),
        side=math.copysign(1, size),
    )
    assert float(found) == pytest.approx(price, abs=0.01)


@pytest.mark.parametrize(
    ("size", "entry", "mark", "other", "price"),
    [(3683.979, 1456.84, 1335.18, 1, 1153.26), (109.488, 32481.98, 31967.27, 0, 26316.89)],
)
def test_cross_liquidation_prices_have_their_published_values(
    size: float, entry: float, mark: float, other: int, price: float
) -> None:
    # Two longs share one wallet; each liquidates while the other stands still at its mark.
    book = [
        (3683.979, 1456.84, 1335.18, 0.1, 135_365),
        (109.488, 32481.98, 31967.27, 0.025, 16_300),
    ]
    held, began, now, rate, amount = book[other]
    needed = held * now * rate - amount
    own_rate, own_amount = book[1 - other][3:]
    cash = 1_535_443.01 + held * (now - began) - needed
    tier = Tiers(
        floor=np.zeros(1),
        rate=np.array([own_rate]),
        amount=np.array([float(own_amount)]),
        cap=np.array([50.0]),
    )
    span = optimum.reflexive(tier, size=size, entry=entry, cash=cash, coins=0.0, haircut=0.0)
    assert span.below == pytest.approx(price, abs=0.01)
    assert mark > span.below


@pytest.mark.data
@pytest.mark.skipif(not BRACKETS.exists(), reason="the recorded brackets are not at PLIMSOLL_DATA")
def test_every_recorded_bracket_table_is_the_maximum_of_its_lines() -> None:
    rows: dict[str, Any] = json.loads(BRACKETS.read_text(), parse_float=D, parse_int=D)
    joints = 0
    for symbol, brackets in rows.items():
        table = tuple(
            MarginTier(
                notional_floor=D(row["info"]["notionalFloor"]),
                maintenance_rate=D(row["info"]["maintMarginRatio"]),
                maintenance_amount=D(row["info"]["cum"]),
                max_leverage=D(row["info"]["initialLeverage"]),
            )
            for row in brackets
        )
        check_tiers(symbol, table)
        unit = Tiers.of(table)
        for lower, upper in itertools.pairwise(table):
            at = upper.notional_floor
            expected = at * lower.maintenance_rate - lower.maintenance_amount
            found = float(optimum.maintenance(float(at), unit))
            assert found == pytest.approx(float(expected), abs=0.5)
            joints += 1
    assert joints > 400


def test_a_covered_long_is_never_liquidated_and_a_lost_position_is_lost_everywhere() -> None:
    one = Tiers.flat(0.01)
    asked: dict[str, Any] = {"value": 100.0, "tiers": one}
    assert float(optimum.log_distance(100.0, side=1, **asked)) == math.inf
    assert float(optimum.liquidation(100.0, mark=5.0, side=1, **asked)) == 0
    assert float(optimum.log_distance(-200.0, side=-1, **asked)) == -math.inf
    assert float(optimum.liquidation(-200.0, mark=5.0, side=-1, **asked)) == 0
    coin: dict[str, Any] = asked | {"contract": Contract.INVERSE}
    assert float(optimum.log_distance(100.0, side=-1, **coin)) == math.inf
    assert float(optimum.liquidation(100.0, mark=5.0, side=-1, **coin)) == math.inf
    assert float(optimum.log_distance(-200.0, side=1, **coin)) == -math.inf


def test_a_position_behind_its_liquidation_price_has_a_negative_distance() -> None:
    found = optimum.log_distance([0.5, 0.5], value=100, tiers=Tiers.flat(0.01), side=[1, -1])
    assert np.isfinite(found).all()
    assert (found < 0).all()


@pytest.mark.parametrize(
    ("coins", "haircut", "below", "above"),
    [
        # 1000 - 10 * 100 + P * (10 - 0.1 + 0.9 * 5): liquidated nowhere, B(0) = 0
        (5.0, 0.1, 0.0, math.inf),
        # without coins 1000 - 1000 + 9.9 P > 0
        (0.0, 0.0, 0.0, math.inf),
    ],
)
def test_a_fully_paid_long_survives_every_price(
    coins: float, haircut: float, below: float, above: float
) -> None:
    span = optimum.reflexive(
        Tiers.flat(0.01), size=10, entry=100, cash=1000, coins=coins, haircut=haircut
    )
    assert (span.below, span.above, span.is_empty) == (below, above, False)


def test_a_short_covered_by_its_own_coin_is_liquidated_below_not_above() -> None:
    # -200 + 10 * 100 + P * (-10 - 0.1 + 12): no price liquidates; with a debt of 1200 one does.
    asked: dict[str, float] = {"size": -10, "entry": 100, "coins": 12, "haircut": 0}
    safe = optimum.reflexive(Tiers.flat(0.01), cash=-200, **asked)
    assert (safe.below, safe.above) == (0, math.inf)
    owing = optimum.reflexive(Tiers.flat(0.01), cash=-1200, **asked)
    assert owing.below == pytest.approx(200 / 1.9)
    assert owing.above == math.inf


def test_a_book_whose_price_does_not_matter_lives_or_dies_by_its_cash() -> None:
    asked: dict[str, float] = {"size": -8, "entry": 100, "coins": 10, "haircut": 0}
    flat = Tiers.flat(0.25)  # -8 - 2 + 10 = 0
    assert not optimum.reflexive(flat, cash=-799, **asked).is_empty
    assert optimum.reflexive(flat, cash=-800, **asked).is_empty


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rate": []}, "must not be empty"),
        ({"amount": [0.0]}, "one shape"),
        ({"rate": [0.02, 0.01]}, "rates must not fall"),
        ({"rate": [0.01, 1.0]}, "must be in"),
        ({"rate": [0.01, math.nan]}, "must be in"),
        ({"floor": [1.0, 5.0]}, "first notional floor must be 0"),
        ({"floor": [0.0, -5.0]}, "notional floor must be finite and >= 0"),
        ({"amount": [5.0, 1.0]}, "amounts must not fall"),
        ({"cap": [50.0, 0.0]}, "caps must be > 0"),
    ],
)
def test_a_table_that_breaks_the_formulae_is_refused(
    changed: dict[str, list[float]], message: str
) -> None:
    sound = {"floor": [0.0, 5e4], "rate": [0.01, 0.02], "amount": [0.0, 500.0], "cap": [50.0, 20.0]}
    arrays = {name: np.array(values, dtype=float) for name, values in (sound | changed).items()}
    with pytest.raises(ValueError, match=message):
        Tiers(**arrays)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"side": 0.5}, "side must be"),
        ({"side": math.nan}, "side must be"),
        ({"a_log": -0.1}, "a_log must be"),
        ({"a_log": 701.0}, "a_log must be in"),
        ({"a_log": math.nan}, "a_log must be"),
        ({"value": 0.0}, "value must be"),
        ({"a_log": 0.0, "tiers": Tiers.flat(0.0)}, "must have a bound"),
    ],
)
def test_leverage_refuses_what_has_no_answer(changed: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"a_log": 0.1, "side": 1, "tiers": Tiers.flat(0.01)} | changed
    with pytest.raises(ValueError, match=message):
        optimum.leverage(asked.pop("a_log"), **asked)


def test_the_largest_value_needs_a_bound_as_well() -> None:
    with pytest.raises(ValueError, match="must have a bound"):
        optimum.value_for(100.0, a_log=0.0, tiers=Tiers.flat(0.0), side=1)


@pytest.mark.parametrize("changed", [{"size": 0.0}, {"haircut": 1.5}, {"entry": 0.0}])
def test_a_book_in_its_own_coin_refuses_what_has_no_answer(changed: dict[str, float]) -> None:
    asked = {"size": 1.0, "entry": 1.0, "cash": 1.0, "coins": 1.0, "haircut": 0.0} | changed
    with pytest.raises(ValueError, match=f"{next(iter(changed))} must be"):
        optimum.reflexive(Tiers.flat(0.01), **asked)


def test_the_setting_is_capped_by_the_tier_of_the_value() -> None:
    table = Tiers.of(tiers(("0", "0.01", "0"), ("50000", "0.02", "500")))
    assert optimum.setting_cap([0, 49_999, 50_000], table).tolist() == [50, 50, 50]
    other = Tiers(floor=table.floor, rate=table.rate, amount=table.amount, cap=np.array([50.0, 20]))
    assert optimum.setting_cap([0, 49_999, 50_000], other).tolist() == [50, 50, 20]


def test_half_kelly_is_half_of_the_drift_over_the_variance() -> None:
    found = optimum.kelly_cap([10.0, 1.0, 10.0], drift=[0.002, 0.002, -0.1], sigma=0.02)
    assert found.tolist() == pytest.approx([2.5, 1.0, 0.0])
    with pytest.raises(ValueError, match="fraction must be in"):
        optimum.kelly_cap(10.0, drift=0.1, sigma=0.1, fraction=0.0)
