"""What does the adapter see at KuCoin, and what does it call its own?"""

import json
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.position import MarginMode
from bot.errors import Incomplete
from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.paper.faults import Fault
from bot.paper.kucoin.listing import LEVELS
from tests.kit.kucoin import Rig, connected, serving
from tests.kit.moves import BTC, SOL
from tests.kit.paper import a_hedged_engine, an_engine

TAKER = D("0.0005")


async def test_sizes_are_coins_and_the_rate_is_that_of_the_position_with_the_fee(
    venue: KucoinVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    btc, sol = seen.instruments
    assert (sol.size_step, sol.price_step, sol.taker_fee) == (D(1), D("0.01"), TAKER)
    assert (btc.size_step, btc.max_market_size) == (D("0.001"), D(100))
    assert sol.tiers[0].maintenance_rate == LEVELS["SOL"][0].maintenance + TAKER
    assert sol.tiers[0].max_leverage == 75
    held = {p.key: p for p in seen.account.positions}
    for key, name in ((SOL, "SOLUSDT"), (BTC, "BTCUSDT")):
        holding = rig.engine.holdings[name, "BOTH"]
        theirs = held[key].venue_liquidation_price
        assert theirs is not None
        assert abs(theirs - rig.engine.liquidation_price(holding)) < D("1e-9")


async def test_a_level_that_the_owner_chose_is_believed_and_no_lower_one(
    venue: KucoinVenue, rig: Rig
) -> None:
    def third(text: str) -> str:
        return text.replace('"maintMarginReq": 0.0065', '"maintMarginReq": 0.05')

    rig.faults.add(Fault(kind="rewrite", path="v1/positions", rewrite=third))
    tier = (await venue.observe()).instruments[1].tiers[0]
    assert (tier.maintenance_rate, tier.max_leverage) == (D("0.05") + TAKER, D(10))
    rig.faults.forget()
    tier = (await venue.observe()).instruments[1].tiers[0]
    assert tier.maintenance_rate == D("0.0065") + TAKER


async def test_of_two_legs_the_higher_rate_holds_for_both(authority: Path) -> None:
    def first_is_higher(text: str) -> str:
        return text.replace('"maintMarginReq": 0.0065', '"maintMarginReq": 0.05', 1)

    async with serving(a_hedged_engine(), authority) as rig, connected(rig) as venue:
        rig.faults.add(Fault(kind="rewrite", path="v1/positions", rewrite=first_is_higher))
        (tier,) = (await venue.observe()).instruments[1].tiers
        assert tier.maintenance_rate == D("0.05") + TAKER


async def test_a_cross_position_is_shown_and_nothing_is_planned_for_it(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        (position,) = (await venue.observe()).account.positions
        assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))


async def test_margin_that_the_venue_adds_by_itself_is_seen(venue: KucoinVenue, rig: Rig) -> None:
    rig.desk.room.adds_margin.add("SOLUSDT")
    btc, sol = (await venue.observe()).account.positions
    assert (btc.venue_adds_margin, sol.venue_adds_margin) == (False, True)


async def test_contracts_settled_in_another_dollar_are_seen_with_their_wallet(
    authority: Path,
) -> None:
    engine = an_engine(symbols=("BTCUSDT", "BTCUSDC"))
    engine.cross["USDC"] = D(9000)
    engine.hold("BTCUSDC", D("0.1"), leverage=10)
    async with serving(engine, authority) as rig:
        async with connected(rig, symbols=("BTC/USDT:USDT",)) as venue:
            seen = await venue.observe()
        (position,) = seen.account.positions
        assert position.symbol == "BTC/USDC:USDC"
        wallet = seen.account.wallet("futures", "USDC")
        assert wallet is not None
        assert wallet.free == engine.available("USDC")


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "XBTUSDM", "isInverse": True, "settleCurrency": "XBT"},
        {"symbol": "XBTMH26", "settleCurrency": "XBT"},
    ],
)
async def test_a_position_of_another_kind_is_named_and_not_lost(
    venue: KucoinVenue, rig: Rig, changes: dict[str, object]
) -> None:
    def with_another(text: str) -> str:
        body = json.loads(text)
        return json.dumps(body | {"data": [*body["data"], body["data"][0] | changes]})

    rig.faults.add(Fault(kind="rewrite", path="v1/positions", rewrite=with_another))
    with pytest.raises(Incomplete, match=str(changes["symbol"])):
        await venue.observe()


@pytest.mark.parametrize("count", [0, 1])
async def test_a_list_of_too_few_positions_is_no_list(
    venue: KucoinVenue, rig: Rig, count: int
) -> None:
    def shortened(text: str) -> str:
        body = json.loads(text)
        return json.dumps(body | {"data": body["data"][:count]})

    rig.faults.add(Fault(kind="rewrite", path="v1/positions", rewrite=shortened))
    with pytest.raises(Incomplete, match="margin of positions in USDT"):
        await venue.observe()
    rig.faults.forget()
    rig.faults.add(Fault(kind="rewrite", path="v1/positions", rewrite=shortened, times=1))
    assert len((await venue.observe()).account.positions) == 2  # the second look was whole


async def test_an_account_without_profit_in_its_margin_is_believed_as_well(
    venue: KucoinVenue, rig: Rig
) -> None:
    """The venue's texts leave open which of the two it writes."""
    await rig.pace.sleep(1800)
    margins = sum(h.margin for h in rig.engine.holdings.values())

    def without_profit(text: str) -> str:
        body = json.loads(text)
        body["data"]["positionMargin"] = float(margins)
        return json.dumps(body)

    rig.faults.add(Fault(kind="rewrite", path="account-overview", rewrite=without_profit))
    assert len((await venue.observe()).account.positions) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"marginMode": "ISOLATED"', '"marginMode": "OTHER"'),
        ('"marginMode": "ISOLATED"', '"marginMode": "CROSS"'),
        ('"crossMode": false', '"crossMode": true'),
        ('"positionSide": "BOTH"', '"positionSide": "SHORT"'),
        ('"positionSide": "BOTH"', '"positionSide": ""'),
        ('"autoDeposit": false', '"autoDeposit": "no"'),
    ],
)
async def test_a_row_that_contradicts_itself_is_no_position(
    venue: KucoinVenue, rig: Rig, old: str, new: str
) -> None:
    rig.faults.add(
        Fault(kind="rewrite", path="v1/positions", rewrite=lambda text: text.replace(old, new))
    )
    with pytest.raises(Incomplete):
        await venue.observe()


async def test_a_funding_account_that_is_not_listed_is_empty_after_two_answers(
    venue: KucoinVenue, rig: Rig
) -> None:
    def nothing(text: str) -> str:
        return json.dumps(json.loads(text) | {"data": []})

    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path="v1/accounts", rewrite=nothing, times=1))
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 5000  # the second answer had it
    rig.engine.spot["USDT"] = D(0)
    before = rig.count("v1/accounts")
    await venue.observe()
    assert rig.count("v1/accounts") == before + 2
    await venue.observe()
    assert rig.count("v1/accounts") == before + 3  # it is known by now
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 0
