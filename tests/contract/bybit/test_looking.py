"""What does one look at Bybit see, and with whose liquidation prices?"""

import re
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.position import MarginMode, PositionKey
from bot.exchanges.bybit.adapter import BybitVenue
from bot.margin.assess import assess
from bot.paper.faults import Fault
from bot.rebalance.decide import decide
from bot.rebalance.disputes import disputes
from bot.rebalance.memory import Memory
from tests.kit.builders import a_policy, choose
from tests.kit.bybit import Rig, connected
from tests.kit.liquidations import farthest
from tests.kit.moves import BTC, SOL


async def test_one_look_has_rules_with_the_fee_and_history_on_mark(
    venue: BybitVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    assert len(seen.markets[0].bars.close) == 912
    assert rig.count("market/mark-price-kline")  # positions are liquidated on mark
    assert not rig.count("market/kline")
    (rules,) = (i for i in seen.instruments if i.symbol == SOL.symbol)
    assert (rules.size_step, rules.taker_fee, rules.added_fee) == (D(1), D("0.0005"), D("0.0005"))


@pytest.mark.parametrize("moved", ["0", "250.5", "1234.5678"])
async def test_our_liquidation_price_is_the_venues_whatever_was_added(
    venue: BybitVenue, rig: Rig, moved: str
) -> None:
    for symbol in ("SOLUSDT", "BTCUSDT"):
        if D(moved):
            rig.engine.move_margin(symbol, "BOTH", D(moved), add=True)
    seen = await venue.observe()
    rules = {i.symbol: i for i in seen.instruments}
    assert farthest(seen) < D("0.0000001")
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol]).liquidation_price
        assert ours is not None
        plain = assess(position, replace(rules[position.symbol], added_fee=D(0)))
        assert plain.liquidation_price is not None
        if D(moved) and position.size < 0:  # without the rule we would hope for more than there is
            assert plain.liquidation_price > ours


async def test_a_venue_that_judges_otherwise_is_still_disputed(venue: BybitVenue, rig: Rig) -> None:
    seen = await venue.observe()
    rig.engine.grosses_added = False
    held = rig.engine.holdings["SOLUSDT", "BOTH"]
    held.margin += D(3)  # which the margin it shows does not have
    held.liquidation = None
    wrong = rig.engine.liquidation_price(held)
    held.margin -= D(3)
    held.liquidation = wrong
    seen = await venue.observe()
    found = disputes(decide(seen, Memory(), a_policy(), choose=choose), most=D("0.0001"))
    assert list(found) == [str(SOL)]


async def test_the_margin_that_is_seen_moves_by_exactly_what_was_moved(
    venue: BybitVenue, rig: Rig
) -> None:
    def margins(seen: Any) -> dict[PositionKey, D]:
        return {p.key: p.margin for p in seen.account.positions}

    before = margins(await venue.observe())
    rig.engine.move_margin("SOLUSDT", "BOTH", D("77.1234"), add=True)
    rig.engine.move_margin("BTCUSDT", "BOTH", D("33.0001"), add=True)
    await rig.pace.sleep(120)  # and mark with it
    after = margins(await venue.observe())
    assert after[SOL] - before[SOL] == D("77.1234")
    assert after[BTC] - before[BTC] == D("33.0001")


async def test_every_page_of_positions_is_read(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.exchanges.bybit.held.PAGE", 1)
    async with connected(rig) as venue:
        assert len((await venue.observe()).account.positions) == 2


@pytest.mark.parametrize("mode", ["REGULAR_MARGIN", "PORTFOLIO_MARGIN"])
async def test_in_another_margin_mode_positions_are_shown_as_cross(
    venue: BybitVenue, rig: Rig, mode: str
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="account/info",
            rewrite=lambda t: t.replace("ISOLATED_MARGIN", mode),
        )
    )
    if mode == "PORTFOLIO_MARGIN":
        rig.faults.add(Fault(kind="rewrite", path="position/list", rewrite=_as_in_a_portfolio))
    seen = await venue.observe()
    assert {p.margin_mode for p in seen.account.positions} == {MarginMode.CROSS}
    assert {p.margin for p in seen.account.positions} == {D(0)}
    (unified,) = (w for w in seen.account.wallets if w.name == "futures")
    assert unified.total == rig.engine.wallet_balance()


def _as_in_a_portfolio(text: str) -> str:
    return re.sub(r'"(positionIM|positionMM|leverage|liqPrice)": "[^"]*"', r'"\1": ""', text)


@pytest.mark.parametrize(("shown", "expected"), [(1, True), (0, False)])
async def test_whether_the_venue_adds_margin_by_itself_is_read(
    venue: BybitVenue, rig: Rig, shown: int, expected: bool
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="position/list",
            rewrite=lambda t: t.replace('"autoAddMargin": 0', f'"autoAddMargin": {shown}'),
        )
    )
    assert (await venue.observe()).account.positions[0].venue_adds_margin is expected
