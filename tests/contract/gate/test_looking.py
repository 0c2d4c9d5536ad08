"""What does one look at Gate see, in coins and with whose liquidation prices?"""

import json
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.position import MarginMode
from bot.errors import Denied, Incomplete
from bot.exchanges.gate.adapter import GateVenue
from bot.exchanges.gate.parse import CLOSING_FEE
from bot.paper.faults import Fault
from bot.paper.gate.listing import face
from tests.kit.gate import Rig, connected, serving
from tests.kit.liquidations import farthest
from tests.kit.paper import an_engine

POSITIONS = "futures/usdt/positions"


def each(**changes: Any) -> Callable[[str], str]:
    """Return what changes every row of a list."""
    return lambda text: json.dumps([row | changes for row in json.loads(text)])


async def test_one_look_has_rules_prices_and_history_in_coins(venue: GateVenue, rig: Rig) -> None:
    seen = await venue.observe()
    assert seen.account.positions[0].size == D("-0.1")  # a hundred contracts
    market = seen.markets[0]
    assert len(market.bars.close) == 48
    assert market.index_price == rig.engine.quotes["BTCUSDT"].index
    assert market.funding_rate == D("0.0001")
    said = rig.said("futures/usdt/candlesticks")
    assert said["contract"].startswith("mark_")  # positions are liquidated on mark
    rules = {i.symbol: i for i in seen.instruments}["BTC/USDT:USDT"]
    assert (rules.size_step, rules.min_size, rules.price_step) == (D("0.001"), D("0.001"), D("0.1"))
    # A book is told in contracts and seen in coins.
    assert market.bids[0].size * market.bids[0].price > 1000


async def test_our_liquidation_price_is_the_venues_through_every_step_of_the_table(
    authority: Path,
) -> None:
    engine = an_engine(futures="5000000")
    async with serving(engine, authority) as rig, connected(rig) as venue:
        for size in ("0.5", "-0.8", "1", "-9.9", "30", "-60"):
            engine.holdings.clear()
            engine.hold("BTCUSDT", D(size), leverage=10)
            await rig.pace.sleep(5)
            seen = await venue.observe()
            assert len(seen.account.positions) == 1
            assert farthest(seen) < D("0.1") / 60_000  # the venue rounds what it shows to a tick
        tiers = seen.instruments[0].tiers
        steps = engine.contracts["BTCUSDT"].brackets
        assert [t.maintenance_rate for t in tiers] == [s.rate + CLOSING_FEE for s in steps]
        assert [t.maintenance_amount for t in tiers] == [s.cum for s in steps]


async def test_a_cross_position_is_shown_as_one(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        (position,) = (await venue.observe()).account.positions
        assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))
        assert position.leverage_setting == 10


@pytest.mark.parametrize("lever", ["", None])
async def test_the_setting_of_a_cross_position_stands_in_the_older_field_too(
    authority: Path, lever: str | None
) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        rig.faults.add(Fault(kind="rewrite", path=POSITIONS, rewrite=each(lever=lever)))
        assert (await venue.observe()).account.positions[0].leverage_setting == 10


async def test_bars_before_a_gap_are_left_out(venue: GateVenue, rig: Rig) -> None:
    await venue.observe()
    rig.engine.advance(rig.engine.now_ms + 3_600_000)

    def with_a_gap(text: str) -> str:
        rows = json.loads(text)
        return json.dumps([rows[0] | {"t": rows[1]["t"] - 25 * 3600}, *rows[1:]])

    rig.faults.add(Fault(kind="rewrite", path="candlesticks", rewrite=with_a_gap))
    assert len((await venue.observe()).markets[0].bars.close) == 47


async def test_a_position_of_bitcoin_is_named_and_not_lost(venue: GateVenue, rig: Rig) -> None:
    rig.desk.room.coin_positions = [{"contract": "BTC_USD", "size": "-3"}]
    with pytest.raises(Incomplete, match="BTC_USD"):
        await venue.observe()
    rig.desk.room.coin_positions = [{"contract": "BTC_USD", "size": "0"}]
    await venue.observe()
    rig.desk.room.coin_positions = None  # that account was never opened
    await venue.observe()


async def test_a_position_that_is_not_listed_as_a_contract_is_named(
    venue: GateVenue, rig: Rig
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=POSITIONS, rewrite=each(contract="BTC_USDT_260327")))
    before = rig.count("futures/usdt/contracts")
    for _ in range(2):
        with pytest.raises(Incomplete, match="BTC_USDT_260327"):
            await venue.observe()
    assert rig.count("futures/usdt/contracts") == before + 1  # it may have been listed since


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"mode": "dual_long"}, id="a short of the long leg"),
        pytest.param({"mode": "split"}, id="an unknown leg"),
        pytest.param({"pos_margin_mode": "cross"}, id="cross with a setting of isolated ones"),
        pytest.param({"leverage": "0"}, id="no setting and isolated"),
    ],
)
async def test_a_row_that_contradicts_itself_is_no_position(
    venue: GateVenue, rig: Rig, changes: dict[str, str]
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=POSITIONS, rewrite=each(**changes)))
    with pytest.raises(Incomplete):
        await venue.observe()


@pytest.mark.parametrize("price", ["0", "99999999"])
async def test_a_liquidation_price_that_is_none_is_shown_as_none(
    venue: GateVenue, rig: Rig, price: str
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=POSITIONS, rewrite=each(liq_price=price)))
    seen = await venue.observe()
    assert {p.venue_liquidation_price for p in seen.account.positions} == {None}


async def test_an_empty_list_is_not_flat_while_the_account_has_margin(
    venue: GateVenue, rig: Rig
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=POSITIONS, rewrite=lambda _: "[]"))
    with pytest.raises(Incomplete, match="same margin"):
        await venue.observe()


async def test_a_missing_leg_is_a_torn_look(venue: GateVenue, rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path=POSITIONS,
            rewrite=lambda text: json.dumps(json.loads(text)[:1]),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="same margin"):
        await venue.observe()


async def test_margin_that_counts_results_fits_as_well(venue: GateVenue, rig: Rig) -> None:
    """Which of the two the account tells is not documented; a crash must not blind the bot."""
    rig.engine.quotes = {  # the long has lost most of its margin
        symbol: quote if symbol != "SOLUSDT" else
        type(quote)(mark=D(138), index=D(138), last=D(138))
        for symbol, quote in rig.engine.quotes.items()
    }  # fmt: skip

    def with_results(text: str) -> str:
        body = json.loads(text)
        told = D(body["isolated_position_margin"]) + D(body["unrealised_pnl"])
        return json.dumps(body | {"isolated_position_margin": str(told)})

    assert len((await venue.observe()).account.positions) == 2
    rig.faults.add(Fault(kind="rewrite", path="usdt/accounts", rewrite=with_results))
    assert len((await venue.observe()).account.positions) == 2


async def test_positions_are_listed_to_the_last_page(venue: GateVenue, rig: Rig) -> None:
    def page(text: str) -> str:
        rows = json.loads(text)
        asked = int(rig.said(POSITIONS)["offset"])
        return json.dumps([*rows, *[rows[0] | {"size": "0"}] * (100 - len(rows))][:100]
                          if asked == 0 and rows else [])  # fmt: skip

    rig.faults.add(Fault(kind="rewrite", path=POSITIONS, rewrite=page))
    assert len((await venue.observe()).account.positions) == 2
    assert rig.said(POSITIONS)["offset"] == "100"


async def test_a_spot_account_that_is_listed_once_and_then_not_is_empty_after_two_answers(
    venue: GateVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path="spot/accounts", rewrite=lambda _: "[]", times=1))
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 5000  # the second answer had it
    rig.engine.spot["USDT"] = D(0)
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 0


async def test_an_account_that_becomes_a_unified_one_is_not_looked_at(
    venue: GateVenue, rig: Rig
) -> None:
    rig.desk.room.margin_mode = 2
    with pytest.raises(Denied, match="classic"):
        await venue.observe()


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({"status": "trading"}, False),
        ({"status": "delisting", "delisted_time": 1767700800}, True),
        ({"status": "trading", "in_delisting": True}, True),
        ({"status": "delisted"}, True),
    ],
)
async def test_a_contract_that_ends_says_when(
    rig: Rig, changes: dict[str, Any], ends: bool
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="usdt/contracts", rewrite=each(**changes)))
    async with connected(rig) as venue:
        rules = (await venue.observe()).instruments[0]
        assert (rules.closes_at is not None) is ends


async def test_a_contract_that_is_listed_without_its_rules_is_passed_over(rig: Rig) -> None:
    def with_another(text: str) -> str:
        rows = json.loads(text)
        return json.dumps([rows[0] | {"name": "NEW_USDT", "quanto_multiplier": ""},
                           rows[0] | {"name": "_USDT"}, *rows])  # fmt: skip

    rig.faults.add(Fault(kind="rewrite", path="usdt/contracts", rewrite=with_another))
    async with connected(rig) as venue:
        assert len((await venue.observe()).account.positions) == 2


def test_sizes_of_the_exchange_are_whole_contracts() -> None:
    for contract in an_engine().contracts.values():
        assert (contract.lot / face(contract)) % 1 == 0
