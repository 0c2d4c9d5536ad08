"""Which lines and marks of the past does KuCoin tell?"""

import itertools
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.errors import Incomplete
from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.kucoin import Rig, connected
from tests.kit.moves import add, move, reduce
from tests.kit.paper import START
from tests.kit.rigs import an_intent_now, send

SINCE = START - timedelta(seconds=1)


async def test_transfers_have_both_ends_and_their_exact_instant(
    venue: KucoinVenue, rig: Rig
) -> None:
    await rig.pace.sleep(0.7)
    await send(venue, rig, move(), "plone")
    await send(venue, rig, move("futures", "spot", "4.25"), "pltwo")
    found = await venue.rows(SINCE)
    moves = [(r.kind, r.amount, r.wallet, r.other) for r in found]
    assert moves == [
        (RowKind.TRANSFER_IN, D("10.5"), "futures", "spot"),
        (RowKind.TRANSFER_OUT, D("-4.25"), "futures", "spot"),
    ]
    stamps = [int(row.at.timestamp() * 1000) for row in found]
    assert stamps == [moved.at_ms for moved in rig.engine.transfers]
    assert await venue.rows(SINCE) == found


@pytest.mark.parametrize("remark", ["Transferred from Trading Account", "from Margin Account"])
async def test_a_transfer_from_a_wallet_that_is_not_ours_comes_from_outside(
    venue: KucoinVenue, rig: Rig, remark: str
) -> None:
    await send(venue, rig, move())
    rig.faults.add(
        Fault(
            kind="rewrite", path="transaction-history",
            rewrite=lambda text: text.replace("Transferred from Funding Account", remark),
        )
    )  # fmt: skip
    (row,) = await venue.rows(SINCE)
    assert (row.kind, row.amount, row.other) == (RowKind.TRANSFER_IN, D("10.5"), "")


async def test_results_are_what_their_open_line_grew_since_the_last_reading(
    venue: KucoinVenue, rig: Rig
) -> None:
    assert await venue.rows(SINCE) == ()
    await send(venue, rig, reduce(), "plone")
    first = await venue.rows(SINCE)
    await send(venue, rig, add("12.5"), "pltwo")
    assert await venue.rows(SINCE) == first  # margin is no line, and nothing grew
    await send(venue, rig, reduce(), "plthree")
    second = await venue.rows(SINCE)
    assert {row.kind for row in second} == {RowKind.REALIZED_PNL}
    assert set(first) < set(second)
    assert sum(row.amount for row in second) == sum(line.amount for line in rig.engine.income)
    assert {row.symbol for row in second} == {"SOL/USDT:USDT"}


async def test_a_line_of_results_that_ends_is_not_counted_anew(
    venue: KucoinVenue, rig: Rig
) -> None:
    await venue.rows(SINCE)
    await send(venue, rig, reduce())
    found = list(await venue.rows(SINCE))
    rig.engine.holdings.clear()  # nothing is paid for any more
    for _ in range(4):
        await rig.pace.sleep(5 * 3600)
        found += await venue.rows(rig.pace.now() - timedelta(hours=6))
    assert sum({row.id: row.amount for row in found}.values()) == sum(
        line.amount for line in rig.engine.income
    )
    asked = int(rig.said("v1/transaction-history")["startAt"])
    assert rig.pace.now_ms - asked < 16 * 3_600_000  # what is long over is not read for ever


async def test_funding_is_a_line_of_its_own_and_no_result(venue: KucoinVenue, rig: Rig) -> None:
    await venue.rows(SINCE)
    rig.engine.pay_funding()
    found = await venue.rows(SINCE)
    assert {(row.kind, row.amount) for row in found} == {
        (RowKind.FUNDING, line.amount) for line in rig.engine.income
    }
    assert len(found) == 2


async def test_every_page_of_the_ledger_is_read(venue: KucoinVenue, rig: Rig) -> None:
    for _ in range(120):
        rig.engine.transfer("spot", "futures", "USDT", D("0.01"))
    assert len(await venue.rows(SINCE)) == 120


async def test_no_request_for_lines_asks_for_more_than_a_day(venue: KucoinVenue, rig: Rig) -> None:
    rig.engine.transfer("spot", "futures", "USDT", D("0.01"))
    await rig.pace.sleep(20 * 3600)
    rig.engine.transfer("spot", "futures", "USDT", D("0.02"))
    rig.desk.requests.clear()
    found = await venue.rows(SINCE)
    assert [row.amount for row in found if row.kind is RowKind.TRANSFER_IN] == [
        D("0.01"),
        D("0.02"),
    ]
    day, ends = 86_400_000, []
    for _, path, request in rig.desk.requests:
        if path.endswith("transaction-history"):
            start = request.whole("startAt")
            ends.append(request.whole("endAt", str(rig.pace.now_ms)))
            assert 0 < ends[-1] - start < day
    assert ends == sorted(ends)
    assert len(ends) == 2


async def test_a_transaction_of_unknown_state_is_named(venue: KucoinVenue, rig: Rig) -> None:
    await send(venue, rig, move())
    rig.faults.add(
        Fault(
            kind="rewrite", path="transaction-history",
            rewrite=lambda text: text.replace('"Completed"', '"Reverted"'),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="Reverted"):
        await venue.rows(SINCE)


async def test_a_transfer_that_has_not_come_yet_proves_nothing(
    venue: KucoinVenue, rig: Rig
) -> None:
    intent = an_intent_now(rig, move())
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    fault = rig.faults.add(
        Fault(
            kind="rewrite", path="transaction-history",
            rewrite=lambda text: text.replace('"Completed"', '"Pending"'),
        )
    )  # fmt: skip
    assert (await venue.settle(intent)).applied is None
    fault.times = 0
    assert (await venue.settle(intent)).applied == D("10.5")


async def test_hours_of_the_index_and_glances_are_read(venue: KucoinVenue, rig: Rig) -> None:
    hours = await venue.marks("SOL/USDT:USDT", rig.pace.now() - timedelta(days=10))
    assert [b.opened_at - a.opened_at for a, b in itertools.pairwise(hours)] == [
        timedelta(hours=1)
    ] * (len(hours) - 1)
    assert len(hours) == 240
    assert rig.said("v1/kline/query")["symbol"] == ".KSOLUSDT"
    marks = await venue.glance(["SOL/USDT:USDT", "BTC/USDT:USDT"])
    assert marks["SOL/USDT:USDT"] == rig.engine.quotes["SOLUSDT"].mark


async def test_bars_are_read_once_and_then_only_what_is_new(rig: Rig) -> None:
    async with connected(rig, bars=450, symbols=("SOL/USDT:USDT",)) as venue:
        first = (await venue.observe()).markets[1].bars
        assert len(first.close) == 450
        before = rig.count("v1/kline/query")
        await venue.observe()
        assert rig.count("v1/kline/query") == before
        rig.engine.advance(rig.engine.now_ms + 3_600_000)
        later = (await venue.observe()).markets[1].bars
        assert rig.count("v1/kline/query") == before + 2
        assert first.opened_at is not None
        assert later.opened_at == first.opened_at + timedelta(hours=1)
        assert later.close[:-1] == first.close[1:]
