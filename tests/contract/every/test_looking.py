"""What does every adapter see in one look, and when does it see nothing at all?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.intent import Outcome
from bot.domain.position import MarginMode, PositionMode
from bot.errors import Incomplete, Unavailable
from bot.exchanges.adapter import Adapter
from bot.paper.faults import Fault, Kind
from bot.rebalance.crossed import assess_crossed
from bot.rebalance.policy import Policy
from tests.kit.binance import BINANCE
from tests.kit.bitget import BITGET
from tests.kit.bybit import BYBIT
from tests.kit.gate import GATE
from tests.kit.hyperliquid import HYPERLIQUID
from tests.kit.kucoin import KUCOIN
from tests.kit.moves import BTC, SOL, add
from tests.kit.okx import OKX
from tests.kit.paper import an_engine
from tests.kit.rigs import Rig, Stand, send

ASKED: Mapping[Stand[Any, Any], Sequence[str]] = {
    BINANCE: ("positionRisk", "v3/account", "premiumIndex", "getUserAsset"),
    BITGET: ("all-position", "account/accounts", "market/tickers", "spot/account/assets",
             "merge-depth"),
    BYBIT: ("position/list", "wallet-balance", "account/info", "account/withdrawal",
            "market/tickers", "coins-balance", "market/orderbook"),
    OKX: ("account/positions", "account/balance", "account-position-risk", "asset/balances",
          "public/mark-price", "index-tickers"),
    GATE: ("usdt/positions", "btc/positions", "usdt/accounts", "spot/accounts", "usdt/tickers",
           "usdt/order_book"),
    KUCOIN: ("v1/positions", "account-overview", "mark-price", "v1/accounts", "level2/depth100"),
    HYPERLIQUID: ("info/clearinghouseState", "metaAndAssetCtxs", "spotClearinghouseState",
                  "l2Book"),
}  # fmt: skip
NUMBERS: Mapping[Stand[Any, Any], Sequence[tuple[str, str]]] = {
    BINANCE: (
        ("positionRisk", "markPrice"),
        ("positionRisk", "isolatedWallet"),
        ("positionRisk", "entryPrice"),
        ("positionRisk", "positionAmt"),
        ("v3/account", "availableBalance"),
        ("premiumIndex", "markPrice"),
        ("getUserAsset", "free"),
    ),
    BITGET: (
        ("all-position", "markPrice"),
        ("all-position", "marginSize"),
        ("all-position", "openPriceAvg"),
        ("all-position", "total"),
        ("all-position", "leverage"),
        ("all-position", "keepMarginRate"),
        ("account/accounts", "available"),
        ("account/accounts", "maxTransferOut"),
        ("account/accounts", "accountEquity"),
        ("account/accounts", "isolatedMargin"),
        ("market/tickers", "markPrice"),
        ("market/tickers", "indexPrice"),
        ("spot/account/assets", "available"),
    ),
    BYBIT: (
        ("position/list", "markPrice"),
        ("position/list", "positionIM"),
        ("position/list", "avgPrice"),
        ("position/list", "size"),
        ("position/list", "positionMM"),
        ("position/list", "leverage"),
        ("position/list", "autoAddMargin"),
        ("wallet-balance", "walletBalance"),
        ("wallet-balance", "totalPositionIM"),
        ("account/withdrawal", "USDT"),
        ("market/tickers", "markPrice"),
        ("coins-balance", "transferBalance"),
    ),
    OKX: (
        ("account/positions", "markPx"),
        ("account/positions", "margin"),
        ("account/positions", "avgPx"),
        ("account/positions", "pos"),
        ("account/positions", "lever"),
        ("account/balance", "availBal"),
        ("account/balance", "cashBal"),
        ("account-position-risk", "pos"),
        ("public/mark-price", "markPx"),
        ("index-tickers", "idxPx"),
        ("asset/balances", "availBal"),
    ),
    GATE: (
        ("usdt/positions", "mark_price"),
        ("usdt/positions", "margin"),
        ("usdt/positions", "entry_price"),
        ("usdt/positions", "size"),
        ("usdt/positions", "leverage"),
        ("usdt/positions", "liq_price"),
        ("usdt/accounts", "available"),
        ("usdt/accounts", "total"),
        ("usdt/accounts", "isolated_position_margin"),
        ("usdt/tickers", "mark_price"),
        ("usdt/tickers", "index_price"),
        ("spot/accounts", "available"),
    ),
    KUCOIN: (
        ("v1/positions", "markPrice"),
        ("v1/positions", "posMargin"),
        ("v1/positions", "avgEntryPrice"),
        ("v1/positions", "currentQty"),
        ("v1/positions", "leverage"),
        ("v1/positions", "maintMarginReq"),
        ("v1/positions", "unrealisedPnl"),
        ("account-overview", "positionMargin"),
        ("account-overview", "availableBalance"),
        ("mark-price", "value"),
        ("mark-price", "indexPrice"),
        ("v1/accounts", "available"),
    ),
    HYPERLIQUID: (
        ("info/clearinghouseState", "szi"),
        ("info/clearinghouseState", "entryPx"),
        ("info/clearinghouseState", "positionValue"),
        ("info/clearinghouseState", "rawUsd"),
        ("info/clearinghouseState", "value"),
        ("info/clearinghouseState", "marginUsed"),
        ("info/clearinghouseState", "unrealizedPnl"),
        ("info/clearinghouseState", "sinceOpen"),
        ("info/clearinghouseState", "accountValue"),
        ("info/clearinghouseState", "totalNtlPos"),
        ("info/clearinghouseState", "totalMarginUsed"),
        ("info/clearinghouseState", "withdrawable"),
        ("metaAndAssetCtxs", "markPx"),
        ("metaAndAssetCtxs", "oraclePx"),
        ("spotClearinghouseState", "total"),
    ),
}
BROKEN = ('""', "null", '"NaN"', '"1e400"', '"-1e30"', "true", "[]")
TOLD_BY_NOTHING = {("leverage", '""'), ("totalPositionIM", '""')}
"""At Bybit these are empty where an account or a position has none."""


async def test_one_look_has_positions_wallets_and_prices(
    stand: Stand[Any, Any], venue: Adapter, rig: Rig[Any]
) -> None:
    seen = await venue.observe()
    btc, sol = seen.account.positions
    wanted = [replace(key, symbol=stand.symbol(base)) for key, base in ((BTC, "BTC"), (SOL, "SOL"))]
    assert [btc.key, sol.key] == wanted
    assert (btc.size, btc.leverage_setting) == (D("-0.1"), D(20))
    assert (sol.size, sol.margin_mode, sol.leverage_setting) == (D(50), MarginMode.ISOLATED, D(10))
    assert sol.margin == rig.engine.holdings["SOLUSDT", "BOTH"].margin
    assert {w.name: (w.total, w.free) for w in seen.account.wallets} == {
        "futures": (rig.engine.cross["USDT"], rig.engine.available()),
        "spot": (D(5000), D(5000)),
    }
    assert seen.account.position_mode is PositionMode.ONE_WAY
    assert seen.markets[0].bids[0].price < seen.markets[0].asks[0].price


async def test_a_held_symbol_that_is_not_configured_is_seen_all_the_same(
    stand: Stand[Any, Any], rig: Rig[Any]
) -> None:
    both = {stand.symbol("BTC"), stand.symbol("SOL")}
    async with stand.connected(rig, symbols=(stand.symbol("BTC"),)) as venue:
        seen = await venue.observe()
        assert {p.symbol for p in seen.account.positions} == both
        assert {m.symbol for m in seen.markets} == both
        assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        pytest.param("abort", Unavailable, id="cut"),
        pytest.param("http_503", Unavailable, id="503"),
        pytest.param("html", Incomplete, id="a page"),
        pytest.param("empty", Incomplete, id="nothing"),
        pytest.param("half_json", Incomplete, id="half a body"),
        pytest.param("rate_429", Unavailable, id="429"),
        pytest.param("ban_418", Unavailable, id="a ban"),
    ],
)
@pytest.mark.parametrize(
    ("stand", "path"),
    [
        pytest.param(stand, path, id=f"{stand.venue}-{path}")
        for stand, paths in ASKED.items()
        for path in paths
    ],
    indirect=["stand"],
)
async def test_a_look_that_fails_in_any_part_fails_as_a_whole(
    venue: Adapter, rig: Rig[Any], kind: Kind, error: type[Exception], path: str
) -> None:
    rig.faults.add(Fault(kind=kind, path=path))
    with pytest.raises((error, Unavailable)):
        await venue.observe()


@pytest.mark.parametrize(
    ("stand", "path", "field"),
    [
        pytest.param(stand, path, field, id=f"{stand.venue}-{path}-{field}")
        for stand, numbers in NUMBERS.items()
        for path, field in numbers
    ],
    indirect=["stand"],
)
async def test_a_broken_number_is_named_and_never_guessed(
    venue: Adapter, rig: Rig[Any], path: str, field: str
) -> None:
    values = iter([value for value in BROKEN if (field, value) not in TOLD_BY_NOTHING])
    value, broke = "", 0

    def broken(text: str) -> str:
        nonlocal broke
        changed, times = re.subn(rf'"{field}": ("[^"]*"|[-\d.]+)', f'"{field}": {value}', text)
        broke += times
        return changed

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=broken))
    for value in values:
        broke = 0
        with pytest.raises(Incomplete) as caught:
            await venue.observe()
        assert broke, value
        assert field in str(caught.value), value
        await rig.pace.sleep(60)  # a budget of requests is full again, and prices are old


async def test_of_cross_positions_ours_is_where_the_venue_takes_the_account_over(
    stand: Stand[Any, Any], authority: Path
) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(300), leverage=10, isolated=False)
    engine.hold("BTCUSDT", D("-1.5"), leverage=20, isolated=False)
    async with stand.serving(engine, authority) as rig, stand.connected(rig) as venue:
        risks = assess_crossed(await venue.observe(), Policy()).values()
    assert len(risks) == 2
    for risk in risks:
        if stand is KUCOIN:  # what cross positions hold of the wallet is not told apart there
            assert not risk.is_known
            assert risk.liquidation_price == risk.position.venue_liquidation_price
            continue
        assert risk.is_known
        name = risk.position.symbol.partition("/")[0]
        theirs = engine.liquidation_price(engine.holdings[f"{name}USDT", "BOTH"])
        assert risk.liquidation_price is not None
        assert abs(risk.liquidation_price / theirs - 1) < D("0.00002")
        assert risk.joint_distance is not None
        assert risk.distance is not None
        assert 0 < risk.joint_distance < risk.distance
