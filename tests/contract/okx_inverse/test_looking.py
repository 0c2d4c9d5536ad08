"""What does one look at inverse swaps of OKX see, and when does it see nothing at all?"""

import re
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.instrument import Contract
from bot.domain.position import MarginMode, PositionMode
from bot.errors import ConfigError, Incomplete, Unavailable
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from tests.kit.coins import a_coin_account, a_coin_engine
from tests.kit.liquidations import farthest
from tests.kit.okx import INVERSE, Rig, connected

NUMBERS = (
    ("account/positions", "markPx"),
    ("account/positions", "margin"),
    ("account/positions", "avgPx"),
    ("account/positions", "pos"),
    ("account/balance", "cashBal"),
    ("account-position-risk", "pos"),
    ("public/mark-price", "markPx"),
    ("index-tickers", "idxPx"),
    ("asset/balances", "availBal"),
)


async def test_one_look_has_positions_in_dollars_and_wallets_of_their_coins(
    venue: OkxVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    btc, eth = seen.account.positions
    assert (str(btc.key), btc.size, btc.leverage_setting) == ("BTC/USD:BTC long", D(12_000), D(10))
    assert (str(eth.key), eth.size, eth.leverage_setting) == ("ETH/USD:ETH short", D(-900), D(20))
    assert btc.margin == rig.engine.holdings["BTCUSD_PERP", "BOTH"].margin
    assert btc.margin_mode is MarginMode.ISOLATED
    assert {(w.name, w.currency): (w.total, w.free) for w in seen.account.wallets} == {
        ("futures", "BTC"): (rig.engine.cross["BTC"], rig.engine.available("BTC")),
        ("spot", "BTC"): (D("0.4"), D("0.4")),
        ("futures", "ETH"): (rig.engine.cross["ETH"], rig.engine.available("ETH")),
        ("spot", "ETH"): (D(6), D(6)),
    }
    assert seen.account.position_mode is PositionMode.ONE_WAY
    for rules, lot in zip(seen.instruments, (10, 1), strict=True):
        assert (rules.contract, rules.size_step) == (Contract.INVERSE, D(lot))
    assert [i.settle for i in seen.instruments] == ["BTC", "ETH"]
    assert seen.markets[0].index_price == rig.engine.quotes["BTCUSD_PERP"].index
    assert seen.markets[0].bids[0].size > 1000


@pytest.mark.parametrize("size", ["12000", "2000000", "-12000", "-2000000"])
async def test_our_liquidation_price_is_the_venues_and_has_the_fee_in_it(
    authority: Path, size: str
) -> None:
    money = {"BTC": "40", "ETH": "6", "USDT": "1"}
    engine = a_coin_engine(money=money)
    engine.hold("BTCUSD_PERP", D(size), leverage=10)
    engine.move_margin("BTCUSD_PERP", "BOTH", D("0.0123"), add=True)
    async with INVERSE.serving(engine, authority) as rig, INVERSE.connected(rig) as venue:
        await rig.pace.sleep(600)
        seen = await venue.observe()
        rate = D("0.004") if abs(D(size)) < 1_500_000 else D("0.006")
        assert seen.instruments[0].tiers[0].maintenance_rate == rate + D("0.0005")
        assert farthest(seen) < D("1e-12")


async def test_a_linear_swap_is_named_and_nothing_is_decided_beside_it(
    venue: OkxVenue, rig: Rig
) -> None:
    rig.engine.hold("BTCUSDT", D("0.1"), leverage=10)
    with pytest.raises(Incomplete, match="must be inverse swaps, BTC-USDT-SWAP is none"):
        await venue.observe()


async def test_an_inverse_swap_is_named_by_an_account_of_linear_ones(rig: Rig) -> None:
    async with connected(rig, symbols=("BTC/USDT:USDT",)) as linear:
        with pytest.raises(Incomplete, match="must be linear swaps, BTC-USD-SWAP is none"):
            await linear.observe()


async def test_a_linear_symbol_does_not_exist_beside_an_inverse_one(rig: Rig) -> None:
    with pytest.raises(ConfigError, match="BTC/USDT:USDT does not exist at okx"):
        async with INVERSE.connected(rig, symbols=("BTC/USD:BTC", "BTC/USDT:USDT")):
            pass


@pytest.mark.parametrize(("path", "field"), NUMBERS)
@pytest.mark.parametrize("value", ['""', '"NaN"'])
async def test_a_broken_number_is_named_and_never_guessed(
    venue: OkxVenue, rig: Rig, path: str, field: str, value: str
) -> None:
    def broken(text: str) -> str:
        return re.sub(rf'"{field}": ("[^"]*"|[-\d.]+)', f'"{field}": {value}', text)

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=broken))
    with pytest.raises(Incomplete, match=field):
        await venue.observe()


@pytest.mark.parametrize("path", ["account/positions", "account/balance", "index-tickers"])
async def test_a_look_that_fails_in_any_part_fails_as_a_whole(
    venue: OkxVenue, rig: Rig, path: str
) -> None:
    rig.faults.add(Fault(kind="half_json", path=path))
    with pytest.raises((Incomplete, Unavailable)):
        await venue.observe()


async def test_an_empty_list_is_not_flat_while_its_risk_shows_a_position(
    venue: OkxVenue, rig: Rig
) -> None:
    empty = '{"code": "0", "data": [], "msg": ""}'
    rig.faults.add(Fault(kind="rewrite", path="account/positions", rewrite=lambda _: empty))
    with pytest.raises(Incomplete, match="must show the same amounts"):
        await venue.observe()


async def test_with_legs_both_are_read_in_dollars(authority: Path) -> None:
    engine = a_coin_account()
    engine.holdings.clear()
    engine.hedge_mode = True
    engine.hold("BTCUSD_PERP", D(12_000), leverage=10)
    engine.hold("BTCUSD_PERP", D(-3_000), leverage=10)
    async with INVERSE.serving(engine, authority) as rig, INVERSE.connected(rig) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [p.size for p in seen.account.positions] == [D(12_000), D(-3_000)]
