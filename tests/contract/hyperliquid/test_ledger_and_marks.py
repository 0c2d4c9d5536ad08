"""Which lines and prices of the past does Hyperliquid tell, and what do they weigh?"""

import json
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.errors import Incomplete
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.exchanges.hyperliquid.ledger import update_rows
from bot.exchanges.hyperliquid.limits import cost, rows_cost
from bot.paper.faults import Fault
from tests.kit.hyperliquid import WALLET, Rig
from tests.kit.moves import add, reduce
from tests.kit.rigs import send

SOL = "SOL/USDC:USDC"


async def test_the_ledger_has_every_line_once_and_its_sum_is_what_changed(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(minutes=1)

    def held() -> D:
        margins = sum((h.margin for h in rig.engine.holdings.values()), D(0))
        return rig.engine.cross["USDT"] + margins

    before = held()
    await send(venue, rig, add("12.75"), "plone")
    await send(venue, rig, reduce(), "pltwo")
    rig.engine.transfer("spot", "futures", "USDT", D("10.5"))
    rig.engine.transfer("futures", "spot", "USDT", D("1.5"))
    rig.engine.pay_funding()
    rig.engine.deleverage("SOLUSDT", "BOTH", D(3))
    rows = await venue.rows(since)
    assert len({row.id for row in rows}) == len(rows)
    assert {row.kind for row in rows} == {
        RowKind.TRANSFER_IN, RowKind.TRANSFER_OUT, RowKind.FEE, RowKind.REALIZED_PNL,
        RowKind.FUNDING,
    }  # fmt: skip
    assert sum((row.amount for row in rows), D(0)) == held() - before
    assert {row.other for row in rows if row.kind.is_transfer} == {"spot"}
    assert {row.symbol for row in rows if row.kind is RowKind.FEE} == {SOL}


async def test_the_ledger_is_read_to_its_end(venue: HyperliquidVenue, rig: Rig) -> None:
    since = rig.pace.now()
    for _ in range(1203):
        rig.engine.transfer("spot", "futures", "USDT", D("0.01"))
        rig.engine.now_ms += 1
    await rig.pace.sleep(60)
    before = venue._client.quota.spent
    rows = await venue.rows(since)
    assert len(rows) == 1203
    assert rig.count("info/userNonFundingLedgerUpdates") == 3
    # Five questions of 20, and one more for each twenty rows of three pages; a seam is in two.
    assert venue._client.quota.spent - before == 5 * 20 + 25 + 25 + 10


async def test_more_lines_in_an_instant_than_a_page_has_are_no_ledger(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    since = rig.pace.now()
    for _ in range(501):
        rig.engine.transfer("spot", "futures", "USDT", D("0.01"))
    with pytest.raises(Incomplete, match="pages"):
        await venue.rows(since)


def delta(kind: str, **said: Any) -> dict[str, Any]:
    return {"time": 5, "hash": "0x1", "delta": {"type": kind, **said}}


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        pytest.param(delta("deposit", usdc="7.5"), ["7.5"], id="a deposit"),
        pytest.param(delta("withdraw", usdc="7.5", fee="1.0"), ["-7.5", "-1.0"], id="a withdrawal"),
        pytest.param(
            delta("internalTransfer", usdc="5.0", fee="1.0", destination=WALLET.upper()),
            ["5.0"], id="from a friend",
        ),
        pytest.param(
            delta("internalTransfer", usdc="5.0", fee="1.0", destination="0x1"),
            ["-5.0", "-1.0"], id="to a friend",
        ),
        pytest.param(
            delta("subAccountTransfer", usdc="5.0", destination="0x1"), ["-5.0"], id="to a part"
        ),
        pytest.param(delta("vaultDeposit", usdc="5.0"), ["-5.0"], id="into a vault"),
        pytest.param(delta("vaultWithdraw", netWithdrawnUsd="4.0"), ["4.0"], id="out of a vault"),
        pytest.param(delta("spotTransfer", token="PURR", amount="1.0"), [], id="of spot"),
        pytest.param(delta("liquidation", accountValue="1.0"), [], id="told by fills"),
    ],
)  # fmt: skip
def test_an_update_changes_what_its_type_says(row: dict[str, Any], changes: list[str]) -> None:
    found = list(update_rows([row], wallet=WALLET, has_spot=True))
    assert [line.amount for line in found] == [D(text) for text in changes]
    assert {line.other for line in found} <= {""}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(delta("send", amount="1.0"), id="a type nobody knows"),
        pytest.param(delta("deposit"), id="no amount"),
        pytest.param(delta("deposit", usdc="-1.0"), id="below 0"),
        pytest.param(delta("accountClassTransfer", usdc="1.0", toPerp="yes"), id="no flag"),
    ],
)
def test_an_update_that_is_not_understood_drops_the_reading(row: dict[str, Any]) -> None:
    with pytest.raises(Incomplete):
        list(update_rows([row], wallet=WALLET, has_spot=True))


async def test_a_glance_at_what_is_held_weighs_a_tenth_of_all_prices(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    found = await venue.glance([SOL, "BTC/USDC:USDC"])
    assert found[SOL] == rig.engine.quotes["SOLUSDT"].mark
    assert rig.desk.requests[-1][1] == "/info/clearinghouseState"
    rig.engine.deleverage("SOLUSDT", "BOTH", D(50))
    found = await venue.glance([SOL])
    assert found[SOL] == rig.engine.quotes["SOLUSDT"].mark
    assert rig.desk.requests[-1][1] == "/info/metaAndAssetCtxs"
    assert venue.allowance().glance_every is not None


async def test_every_completed_hour_is_read_page_by_page(venue: HyperliquidVenue, rig: Rig) -> None:
    since = rig.pace.now() - timedelta(hours=900)
    found = await venue.marks(SOL, since)
    hours = [candle.opened_at for candle in found]
    assert len(set(hours)) == len(hours) == 900
    assert hours == sorted(hours)
    assert hours[-1] + timedelta(hours=1) <= rig.pace.now()


async def test_hours_that_the_venue_has_forgotten_are_not_asked_for(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    found = await venue.marks(SOL, rig.pace.now() - timedelta(days=2000))
    assert len(found) == 960
    assert rig.count("info/candleSnapshot") == 10


async def test_our_count_of_weight_is_never_below_the_venues(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    for _ in range(3):
        await venue.observe()
        await venue.rows(rig.pace.now() - timedelta(hours=1))
    assert rig.desk.counts._used <= venue._client.quota.spent
    assert rig.desk.counts.most <= 600


def test_rows_of_an_answer_weigh_besides() -> None:
    asked = json.dumps({"type": "userFillsByTime"})
    assert rows_cost(asked, json.dumps([{}] * 41)).weight == 2
    assert rows_cost(json.dumps({"type": "candleSnapshot"}), json.dumps([{}] * 119)).weight == 1
    assert rows_cost(asked, "<html>").weight == 0
    assert rows_cost("no", "[]").weight == 0
    assert cost("POST", "/info", "", json.dumps({"type": "userRole"})).weight == 60
    assert cost("POST", "/exchange", "", "{}").weight == 1
    assert cost("POST", "/info", "", "[" * 9999).weight == 20


async def test_after_too_many_requests_nothing_is_asked_for_a_minute(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rate_429", path="updateIsolatedMargin", times=1))
    assert (await send(venue, rig, add("1"))).outcome is Outcome.UNKNOWN
    assert (await send(venue, rig, add("1"))).code == "venue_banned"
    await rig.pace.sleep(66)
    assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE
