"""What does one look at OKX see, in coins and with whose liquidation prices?"""

import json
from decimal import Decimal as D
from pathlib import Path

from bot.domain.intent import Outcome
from bot.domain.position import MarginMode, PositionMode
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from bot.paper.okx.listing import face
from tests.kit.liquidations import farthest
from tests.kit.moves import reduce
from tests.kit.okx import Rig, connected, serving
from tests.kit.paper import an_engine
from tests.kit.rigs import send


async def test_one_look_has_rules_prices_and_history_in_coins(venue: OkxVenue, rig: Rig) -> None:
    seen = await venue.observe()
    assert seen.account.positions[0].size == D("-0.1")  # ten contracts
    market = seen.markets[0]
    assert len(market.bars.close) == 48
    assert market.index_price == rig.engine.quotes["BTCUSDT"].index
    assert seen.markets[0].funding_rate == D("0.0001")
    assert rig.count("market/mark-price-candles") == 2  # positions are liquidated on mark
    rules = {i.symbol: i for i in seen.instruments}["BTC/USDT:USDT"]
    assert (rules.size_step, rules.min_size, rules.price_step) == (D("0.001"), D("0.001"), D("0.1"))
    # A book is told in contracts and seen in coins.
    assert market.bids[0].size * market.bids[0].price > 1000


async def test_our_liquidation_price_is_the_venues_and_has_the_fee_in_it(
    venue: OkxVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    rules = {i.symbol: i for i in seen.instruments}
    assert farthest(seen) < D("1e-12")
    (tier,) = rules["SOL/USDT:USDT"].tiers
    assert tier.maintenance_rate == D("0.0065") + D("0.0005")


async def test_the_step_of_maintenance_follows_from_the_size_that_is_held(
    authority: Path,
) -> None:
    engine = an_engine(futures="5000000")
    async with serving(engine, authority) as rig, connected(rig) as venue:
        rates = []
        for size in ("5", "5.001", "60"):
            engine.holdings.clear()
            engine.hold("BTCUSDT", D(size), leverage=10)
            await rig.pace.sleep(5)
            seen = await venue.observe()
            rates.append(seen.instruments[0].tiers[0].maintenance_rate)
            assert len(seen.account.positions) == 1
            assert farthest(seen) < D("1e-12")
        assert rates == [D("0.0045"), D("0.0065"), D("0.0105")]


async def test_a_cross_position_is_shown_as_one(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        (position,) = (await venue.observe()).account.positions
        assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))


async def test_under_portfolio_margin_nothing_is_planned(rig: Rig) -> None:
    rig.desk.room.level = "4"
    async with connected(rig) as venue:
        seen = await venue.observe()
        assert {p.margin_mode for p in seen.account.positions} == {MarginMode.CROSS}


async def test_a_contract_that_is_listed_without_its_rules_is_passed_over(rig: Rig) -> None:
    def with_another(text: str) -> str:
        body = json.loads(text)
        body["data"].insert(0, body["data"][0] | {"instId": "", "ctVal": "", "state": "preopen"})
        body["data"].insert(0, body["data"][0] | {"instId": "NEW-USDT-SWAP", "ctVal": ""})
        return json.dumps(body)

    rig.faults.add(Fault(kind="rewrite", path="public/instruments", rewrite=with_another))
    async with connected(rig) as venue:
        assert len((await venue.observe()).account.positions) == 2


async def test_a_mode_that_a_person_changed_is_read_again_after_a_refusal(authority: Path) -> None:
    engine = an_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        await rig.pace.sleep(5)
        engine.set_hedge_mode(hedge=True)
        engine.hold("SOLUSDT", D(50), leverage=10)
        done = await send(venue, rig, reduce())
        assert done.outcome is Outcome.REJECTED
        assert (await venue.observe()).account.position_mode is PositionMode.HEDGE


def test_sizes_of_the_exchange_are_whole_contracts() -> None:
    for contract in an_engine().contracts.values():
        assert (contract.lot / face(contract)) * face(contract) == contract.lot
