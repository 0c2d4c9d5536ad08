"""What does one look at Hyperliquid have, and from which fields?"""

import json
import re
from decimal import Decimal as D

import pytest

from bot.domain.position import MarginMode
from bot.errors import Incomplete
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.margin.assess import assess, removable
from bot.paper.faults import Fault
from tests.kit.hyperliquid import Rig, connected

STATE = "info/clearinghouseState"
SOL = "SOL/USDC:USDC"


def rewritten(rig: Rig, path: str, pattern: str, new: str, times: int | None = None) -> None:
    def spoil(text: str) -> str:
        return re.sub(pattern, new, text)

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=spoil, times=times))


async def test_our_liquidation_price_is_the_venues(venue: HyperliquidVenue, rig: Rig) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D("33.25"), add=True)
    seen = await venue.observe()
    rules = {instrument.symbol: instrument for instrument in seen.instruments}
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol]).liquidation_price
        assert ours is not None
        assert position.venue_liquidation_price is not None
        assert abs(ours - position.venue_liquidation_price) < D("1e-9")


async def test_a_table_of_several_steps_goes_on_without_a_jump(venue: HyperliquidVenue) -> None:
    btc = (await venue.observe()).instruments[0]
    assert [tier.max_leverage for tier in btc.tiers] == [40, 30, 20]
    low, high, _ = btc.tiers
    edge = high.notional_floor
    assert edge * low.maintenance_rate == pytest.approx(
        edge * high.maintenance_rate - high.maintenance_amount
    )


async def test_a_tenth_of_the_value_is_never_thought_removable(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    rig.engine.move_margin("BTCUSDT", "BOTH", D(1000), add=True)
    seen = await venue.observe()
    btc = seen.account.positions[0]
    value = abs(btc.size) * btc.mark_price
    equity = btc.margin + btc.size * (btc.mark_price - btc.entry_price)
    # 1300 of equity at 20x: a twentieth of 6000 may be asked for, and a tenth stays
    assert removable(btc, seen.instruments[0]) == equity - value / 10


async def test_a_cross_position_is_shown_and_nothing_is_planned_for_it(rig: Rig) -> None:
    rig.engine.holdings.clear()
    rig.engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with connected(rig) as venue:
        seen = await venue.observe()
    (position,) = seen.account.positions
    assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))
    wallet = seen.account.wallet("futures", "USDC")
    assert wallet is not None
    assert wallet.total == rig.engine.cross["USDT"]
    assert wallet.free == rig.engine.available()


async def test_the_step_of_prices_follows_the_mark(venue: HyperliquidVenue, rig: Rig) -> None:
    steps = {i.symbol: i.price_step for i in (await venue.observe()).instruments}
    assert steps == {"BTC/USDC:USDC": 1, SOL: D("0.01")}
    await rig.pace.sleep(5)
    rewritten(rig, "metaAndAssetCtxs", r'"markPx": "1\d\d\.\d+"', '"markPx": "1500.5"')
    steps = {i.symbol: i.price_step for i in (await venue.observe()).instruments}
    assert steps[SOL] == D("0.1")


async def test_prices_are_read_once_in_a_few_seconds_and_marks_of_what_is_held_at_each_look(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    await venue.observe()
    before = rig.count("info/metaAndAssetCtxs")
    await rig.pace.sleep(2)
    seen = await venue.observe(at_once=True)
    assert rig.count("info/metaAndAssetCtxs") == before
    marks = {market.symbol: market.mark_price for market in seen.markets}
    held = {position.symbol: position.mark_price for position in seen.account.positions}
    assert marks == held
    await rig.pace.sleep(4)
    await venue.observe(at_once=True)
    assert rig.count("info/metaAndAssetCtxs") == before + 1


async def test_prices_of_another_list_are_never_taken_for_those_of_this_one(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    def shifted(text: str) -> str:
        meta, prices = json.loads(text)
        row = {"szDecimals": 0, "name": "NEW", "maxLeverage": 3, "marginTableId": 3}
        return json.dumps([
            meta | {"universe": [row, *meta["universe"]]}, [prices[0] | {"markPx": "7.0"}, *prices]
        ])  # fmt: skip

    rig.engine.deleverage("SOLUSDT", "BOTH", D(50))  # its mark comes from the list now
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path="metaAndAssetCtxs", rewrite=shifted))
    venue._rules.forget()
    await rig.pace.sleep(1)
    marks = {m.symbol: m.mark_price for m in (await venue.observe(at_once=True)).markets}
    assert marks[SOL] == rig.engine.quotes["SOLUSDT"].mark


@pytest.mark.parametrize(
    ("path", "pattern", "new", "why"),
    [
        pytest.param(STATE, '"coin": "SOL"', '"coin": "XYZ"', "XYZ", id="a stranger"),
        pytest.param(STATE, '"oneWay"', '"hedge"', "oneWay", id="a leg"),
        pytest.param(STATE, '"coin": "SOL"', '"coin": "BTC"', "one of each coin", id="twice"),
        pytest.param(STATE, '"type": "isolated"', '"type": "strict"', "strict", id="a mode"),
        pytest.param(STATE, '"szi": "50.0"', '"szi": "50.5"', "lots", id="half a lot"),
        pytest.param(STATE, '"szi": "50.0"', '"szi": "0.0"', "lots", id="none"),
        pytest.param("metaAndAssetCtxs", '"name": "SOL"', '"name": "LOS"', "universe", id="a name"),
        pytest.param("l2Book", '"coin": "SOL"', '"coin": "BTC"', "book of SOL", id="a book"),
        pytest.param("candleSnapshot", '"s": "SOL"', '"s": "BTC"', "candles of SOL", id="bars"),
    ],
)
async def test_what_is_not_understood_ends_the_look_with_its_name(
    venue: HyperliquidVenue, rig: Rig, path: str, pattern: str, new: str, why: str
) -> None:
    rewritten(rig, path, pattern, new)
    with pytest.raises(Incomplete, match=why):
        await venue.observe()


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        pytest.param('"marginTableId": 20', '"marginTableId": 57', id="no such table"),
        pytest.param('"marginTableId": 20', '"marginTableId": 25', id="of another leverage"),
        pytest.param('"lowerBound": "0.0"', '"lowerBound": "1.0"', id="it begins above 0"),
        pytest.param('"lowerBound": "20000.0"', '"lowerBound": "0.0"', id="two begin at 0"),
        pytest.param('"szDecimals": 3', '"szDecimals": 7', id="too many decimals"),
        pytest.param('"userCrossRate": "0.0005"', '"userCrossRate": "1.0"', id="a fee of all"),
    ],
)
async def test_rules_that_make_no_sense_are_no_rules(rig: Rig, pattern: str, new: str) -> None:
    def spoil(text: str) -> str:
        return text.replace(pattern, new)

    rig.faults.add(Fault(kind="rewrite", method="GET", rewrite=spoil))
    with pytest.raises(Incomplete):
        async with connected(rig):
            pass
