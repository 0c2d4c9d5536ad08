"""What does one look at inverse contracts of Bybit see, and when does it see nothing at all?"""

import re
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.instrument import Contract
from bot.domain.position import MarginMode, PositionMode
from bot.errors import ConfigError, Denied, Incomplete, Unavailable
from bot.exchanges.bybit.adapter import BybitVenue, _together
from bot.margin.assess import assess
from bot.paper.faults import Fault
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from tests.kit.builders import a_coin_policy, choose
from tests.kit.bybit import INVERSE, Rig, connected
from tests.kit.liquidations import farthest
from tests.kit.paper import START

ASKED = ("position/list", "wallet-balance", "account/info", "account/withdrawal",
         "market/tickers", "coins-balance", "market/orderbook")  # fmt: skip
NUMBERS = (
    ("position/list", "markPrice"),
    ("position/list", "positionIM"),
    ("position/list", "avgPrice"),
    ("position/list", "size"),
    ("position/list", "positionMM"),
    ("position/list", "leverage"),
    ("wallet-balance", "walletBalance"),
    ("wallet-balance", "totalPositionIM"),
    ("account/withdrawal", "BTC"),
    ("market/tickers", "markPrice"),
    ("coins-balance", "transferBalance"),
)
BROKEN = ('""', '"NaN"')
TOLD_BY_NOTHING = {("leverage", '""'), ("totalPositionIM", '""')}
"""These are empty where an account or a position has none."""


async def test_one_look_has_positions_in_dollars_and_wallets_of_their_coins(
    venue: BybitVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    btc, eth = seen.account.positions
    assert (str(btc.key), btc.size, btc.leverage_setting) == ("BTC/USD:BTC long", D(12_000), D(10))
    assert (str(eth.key), eth.size, eth.leverage_setting) == ("ETH/USD:ETH short", D(-900), D(20))
    assert btc.margin == rig.engine.holdings["BTCUSD_PERP", "BOTH"].margin
    assert {p.margin_mode for p in (btc, eth)} == {MarginMode.ISOLATED}
    assert seen.account.position_mode is PositionMode.ONE_WAY
    assert {(w.name, w.currency): (w.total, w.free) for w in seen.account.wallets} == {
        ("futures", "BTC"): (rig.engine.cross["BTC"], rig.engine.available("BTC")),
        ("spot", "BTC"): (D("0.4"), D("0.4")),
        ("futures", "ETH"): (rig.engine.cross["ETH"], rig.engine.available("ETH")),
        ("spot", "ETH"): (D(6), D(6)),
    }
    for rules in seen.instruments:
        assert (rules.contract, rules.size_step, rules.min_size, rules.min_notional) == (
            Contract.INVERSE, D(1), D(1), D(0),
        )  # fmt: skip
        assert (rules.taker_fee, rules.added_fee) == (D("0.0005"), D("0.0005"))
    assert [i.settle for i in seen.instruments] == ["BTC", "ETH"]
    assert seen.markets[0].bids[0].price < seen.markets[0].asks[0].price
    asked = {dict(said.parameters).get("category") for _, path, said in rig.desk.requests
             if "market/" in path or path.endswith("fee-rate")}  # fmt: skip
    assert asked == {None, "inverse"}  # the time has none


@pytest.mark.parametrize("moved", ["0", "0.0251", "0.1"])
async def test_our_liquidation_price_is_the_venues_whatever_was_added(
    venue: BybitVenue, rig: Rig, moved: str
) -> None:
    for symbol in ("BTCUSD_PERP", "ETHUSD_PERP"):
        if D(moved):
            rig.engine.move_margin(symbol, "BOTH", D(moved), add=True)
    await rig.pace.sleep(600)
    seen = await venue.observe()
    assert farthest(seen) < D("0.000001")


async def test_without_the_rule_a_long_would_hope_for_more_than_there_is(
    venue: BybitVenue, rig: Rig
) -> None:
    rig.engine.move_margin("BTCUSD_PERP", "BOTH", D("0.1"), add=True)
    seen = await venue.observe()
    position, rules = seen.account.positions[0], seen.instruments[0]
    ours = assess(position, rules).liquidation_price
    plain = assess(position, replace(rules, added_fee=D(0))).liquidation_price
    assert ours is not None
    assert plain is not None
    assert plain < ours


async def test_the_margin_that_is_seen_moves_by_exactly_what_was_moved(
    venue: BybitVenue, rig: Rig
) -> None:
    before = (await venue.observe()).account.positions
    rig.engine.move_margin("BTCUSD_PERP", "BOTH", D("0.0771"), add=True)
    rig.engine.move_margin("ETHUSD_PERP", "BOTH", D("0.3301"), add=True)
    await rig.pace.sleep(120)  # and mark with it
    after = (await venue.observe()).account.positions
    moved = [b.margin - a.margin for a, b in zip(before, after, strict=True)]
    assert moved == [D("0.0771"), D("0.3301")]


async def test_a_position_in_another_coin_is_shown_and_named_as_not_protected(
    venue: BybitVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    decision = decide(seen, Memory(), a_coin_policy(), choose=choose)
    (refused,) = (r for r in decision.refusals if r.code == "other_currency")
    assert "ETH/USD:ETH short" in refused.text
    assert {p.symbol for p in seen.account.positions} == {"BTC/USD:BTC", "ETH/USD:ETH"}


async def test_a_linear_position_is_named_and_nothing_is_decided_beside_it(
    venue: BybitVenue, rig: Rig
) -> None:
    rig.engine.hold("BTCUSDT", D("0.1"), leverage=10)
    rig.engine.hold("ETHUSDC", D("0.1"), leverage=10)
    with pytest.raises(
        Incomplete, match="must be inverse to be protected, were also BTCUSDT, ETHUSDC"
    ):
        await venue.observe()


async def test_an_inverse_position_is_named_by_an_account_of_linear_ones(rig: Rig) -> None:
    async with connected(rig, symbols=("BTC/USDT:USDT",)) as linear:
        with pytest.raises(
            Incomplete, match="must be linear to be protected, were also BTCUSD, ETHUSD"
        ):
            await linear.observe()


@pytest.mark.parametrize("status", [3, 4])
async def test_an_account_whose_inverse_contracts_are_elsewhere_is_denied(
    venue: BybitVenue, rig: Rig, status: int
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="account/info",
            rewrite=lambda t: t.replace(
                '"unifiedMarginStatus": 6', f'"unifiedMarginStatus": {status}'
            ),
        )
    )
    with pytest.raises(Denied, match="version 2"):
        await venue.observe()


async def test_in_another_margin_mode_positions_are_shown_as_cross(
    venue: BybitVenue, rig: Rig
) -> None:
    other = Fault(
        kind="rewrite",
        path="account/info",
        rewrite=lambda t: t.replace("ISOLATED_MARGIN", "REGULAR_MARGIN"),
    )
    rig.faults.add(other)
    seen = await venue.observe()
    assert {(p.margin_mode, p.margin) for p in seen.account.positions} == {(MarginMode.CROSS, D(0))}


@pytest.mark.parametrize("symbol", ["BTC/USDT:USDT", "BTC/USD:BTC-270326", "XBT/USD:XBT"])
async def test_what_is_no_inverse_perpetual_does_not_exist_beside_one(
    rig: Rig, symbol: str
) -> None:
    with pytest.raises(ConfigError, match=f"{symbol} does not exist at bybit"):
        async with INVERSE.connected(rig, symbols=("BTC/USD:BTC", symbol)):
            pass


async def test_a_future_that_is_held_is_missed_by_its_name(venue: BybitVenue, rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="position/list",
            rewrite=lambda t: t.replace('"symbol": "ETHUSD"', '"symbol": "ETHUSDH27"'),
        )
    )
    with pytest.raises(Incomplete, match="ETHUSDH27"):
        await venue.observe()


@pytest.mark.parametrize(
    "emptied",
    [
        pytest.param(lambda t: re.sub(r'"list": \[.*\], "nextP', '"list": [], "nextP', t),
                     id="all"),
        pytest.param(lambda t: re.sub(r'"list": \[\{.*?\}, ', '"list": [', t, count=1),
                     id="the own of two"),
    ],
)  # fmt: skip
async def test_a_shorter_list_of_positions_is_not_flat_while_the_coin_is_needed(
    venue: BybitVenue, rig: Rig, emptied: Any
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="position/list", rewrite=emptied))
    with pytest.raises(Incomplete, match="must need the same margin"):
        await venue.observe()


async def test_a_small_position_that_vanishes_is_missed_too(rig: Rig) -> None:
    rig.engine.holdings.clear()
    rig.engine.hold("BTCUSD_PERP", D(100), leverage=100)  # needs 0.00002 bitcoin
    async with INVERSE.connected(rig) as venue:
        assert len((await venue.observe()).account.positions) == 1
        gone = Fault(
            kind="rewrite",
            path="position/list",
            rewrite=lambda t: re.sub(r'"list": \[.*\], "nextP', '"list": [], "nextP', t),
        )
        rig.faults.add(gone)
        with pytest.raises(Incomplete, match="must need the same margin"):
            await venue.observe()


@pytest.mark.parametrize("path", ASKED)
async def test_a_look_that_fails_in_any_part_fails_as_a_whole(
    venue: BybitVenue, rig: Rig, path: str
) -> None:
    rig.faults.add(Fault(kind="half_json", path=path))
    with pytest.raises((Incomplete, Unavailable)):
        await venue.observe()


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        pytest.param(path, field, value, id=f"{path}-{field}-{value}")
        for path, field in NUMBERS
        for value in BROKEN
        if (field, value) not in TOLD_BY_NOTHING
    ],
)
async def test_a_broken_number_is_named_and_never_guessed(
    venue: BybitVenue, rig: Rig, path: str, field: str, value: str
) -> None:
    def broken(text: str) -> str:
        return re.sub(rf'"{field}": ("[^"]*"|[-\d.]+)', f'"{field}": {value}', text)

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=broken))
    with pytest.raises(Incomplete, match=field):
        await venue.observe()


async def test_marks_are_read_for_a_fit_and_at_a_glance(venue: BybitVenue, rig: Rig) -> None:
    await rig.pace.sleep(2 * 3600)
    candles = await venue.marks("BTC/USD:BTC", START)
    assert len(candles) == 2
    marks = await venue.glance(["BTC/USD:BTC"])
    assert marks == {"BTC/USD:BTC": rig.engine.quotes["BTCUSD_PERP"].mark}


@pytest.mark.parametrize(("count", "asked"), [(1, [1]), (10, [10]), (11, [10, 1])])
def test_no_request_names_more_coins_than_the_venue_takes(count: int, asked: list[int]) -> None:
    together = _together([f"C{n}" for n in range(count)])
    assert [len(some.split(",")) for some in together] == asked
