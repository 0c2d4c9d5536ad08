"""What does one look at Bitget see, and with whose liquidation prices?"""

import json
from decimal import Decimal as D
from pathlib import Path

from bot.domain.intent import Outcome
from bot.domain.position import MarginMode, PositionMode
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.paper.faults import Fault
from bot.paper.values import Ask
from tests.kit.bitget import Rig, connected, serving
from tests.kit.liquidations import farthest
from tests.kit.moves import reduce
from tests.kit.paper import an_engine
from tests.kit.rigs import send


async def test_one_look_has_rules_prices_and_history(venue: BitgetVenue, rig: Rig) -> None:
    seen = await venue.observe()
    market = seen.markets[0]
    assert len(market.bars.close) == 48
    assert market.index_price == rig.engine.quotes["BTCUSDT"].index
    assert market.funding_rate == D("0.0001")
    rules = {i.symbol: i for i in seen.instruments}["BTC/USDT:USDT"]
    assert (rules.size_step, rules.min_size, rules.price_step) == (D("0.001"), D("0.001"), D("0.1"))
    assert rules.max_market_size == rig.engine.contracts["BTCUSDT"].market_maximum
    assert rules.closes_at is None


async def test_our_liquidation_price_is_the_venues_and_has_the_fee_in_it(
    venue: BitgetVenue,
) -> None:
    seen = await venue.observe()
    rules = {i.symbol: i for i in seen.instruments}
    assert farthest(seen) < D("1e-12")
    (tier,) = rules["SOL/USDT:USDT"].tiers
    assert tier.maintenance_rate == D("0.005") + D("0.0005")


async def test_the_step_of_maintenance_is_that_of_what_is_held_is_worth(authority: Path) -> None:
    engine = an_engine(futures="5000000")
    async with serving(engine, authority) as rig, connected(rig) as venue:
        rates = []
        for size in ("0.5", "5", "20"):
            engine.holdings.clear()
            engine.hold("BTCUSDT", D(size), leverage=10)
            await rig.pace.sleep(5)
            seen = await venue.observe()
            rates.append(seen.instruments[0].tiers[0].maintenance_rate)
            assert len(seen.account.positions) == 1
            assert farthest(seen) < D("1e-12")
        assert rates == [D("0.0045"), D("0.0055"), D("0.007")]


async def test_a_short_is_held_to_the_step_that_it_will_have_where_it_is_liquidated(
    authority: Path,
) -> None:
    """Its worth grows on the way there; what is shown with it is the rate of now."""
    engine = an_engine(futures="5000000")
    engine.hold("BTCUSDT", D("-9.5"), leverage=10)  # 570,000 now, 600,000 at 63,158
    async with serving(engine, authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        assert seen.instruments[0].tiers[0].maintenance_rate == D("0.007")
        assert farthest(seen) < D("1e-12")


async def test_a_cross_position_is_shown_as_one(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        (position,) = seen.account.positions
        assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))
        wallet = seen.account.wallet("futures", "USDT")
        assert wallet is not None
        assert wallet.total == engine.cross["USDT"]


async def test_where_several_coins_are_margin_nothing_is_planned(rig: Rig) -> None:
    rig.desk.room.assets = "union"
    async with connected(rig) as venue:
        seen = await venue.observe()
        assert {p.margin_mode for p in seen.account.positions} == {MarginMode.CROSS}


async def test_margin_that_the_venue_adds_by_itself_is_seen(venue: BitgetVenue, rig: Rig) -> None:
    on = Fault(
        kind="rewrite", path="all-position",
        rewrite=lambda text: text.replace('"autoMargin": "off"', '"autoMargin": "on"', 1),
    )  # fmt: skip
    rig.faults.add(on)
    seen = await venue.observe()
    assert sorted(p.venue_adds_margin for p in seen.account.positions) == [False, True]


async def test_what_open_orders_hold_stays_in_the_wallet_and_is_not_free(
    venue: BitgetVenue, rig: Rig
) -> None:
    rig.engine.place(Ask(symbol="SOLUSDT", side="BUY", type="LIMIT", size=D(5), price=D("145.00")))
    wallet = (await venue.observe()).account.wallet("futures", "USDT")
    assert wallet is not None
    assert wallet.total == rig.engine.cross["USDT"]
    assert wallet.free == rig.engine.available() < wallet.total
    assert rig.count("mix/order/orders-pending") == 1  # only since the margins do not agree


async def test_a_contract_that_is_listed_without_its_rules_is_passed_over(rig: Rig) -> None:
    def with_another(text: str) -> str:
        body = json.loads(text)
        body["data"].insert(0, body["data"][0] | {"symbol": ""})
        body["data"].insert(0, body["data"][0] | {"symbol": "NEWUSDT", "baseCoin": ""})
        return json.dumps(body)

    rig.faults.add(Fault(kind="rewrite", path="market/contracts", rewrite=with_another))
    async with connected(rig) as venue:
        assert len((await venue.observe()).account.positions) == 2


async def test_a_contract_that_is_taken_off_has_an_end(rig: Rig) -> None:
    def ending(text: str) -> str:
        body = json.loads(text)
        for row in body["data"]:
            row["offTime" if row["symbol"] == "BTCUSDT" else "symbolStatus"] = (
                "1800000000000" if row["symbol"] == "BTCUSDT" else "off"
            )
        return json.dumps(body)

    rig.faults.add(Fault(kind="rewrite", path="market/contracts", rewrite=ending))
    async with connected(rig) as venue:
        btc, sol = (i.closes_at for i in (await venue.observe()).instruments)
        assert btc is not None
        assert sol is not None
        assert (btc.year, sol.year) == (2027, 1970)


async def test_a_mode_that_a_person_changed_is_read_again_after_a_refusal(authority: Path) -> None:
    engine = an_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        await rig.pace.sleep(5)
        engine.set_hedge_mode(hedge=True)
        engine.hold("SOLUSDT", D(50), leverage=10)
        done = await send(venue, rig, reduce())
        assert (done.outcome, done.code) == (Outcome.REJECTED, "40774")
        assert (await venue.observe()).account.position_mode is PositionMode.HEDGE
