"""Which lines and marks of the past does Bybit tell?"""

import itertools
from datetime import timedelta
from decimal import Decimal as D

from bot.domain.ledger import RowKind
from bot.exchanges.bybit.adapter import BybitVenue
from tests.kit.bybit import Rig, connected
from tests.kit.moves import add, move, reduce
from tests.kit.paper import START
from tests.kit.rigs import send


async def test_transfers_have_both_ends_and_their_exact_instant(
    venue: BybitVenue, rig: Rig
) -> None:
    await rig.pace.sleep(0.7)
    await send(venue, rig, move(), "plone")
    back = move("futures", "spot", "4.25")
    await send(venue, rig, back, "pltwo")
    found = await venue.rows(START - timedelta(seconds=1))
    moves = [(r.kind, r.amount, r.wallet, r.other) for r in found]
    assert moves == [
        (RowKind.TRANSFER_IN, D("10.5"), "futures", "spot"),
        (RowKind.TRANSFER_OUT, D("-4.25"), "futures", "spot"),
    ]
    stamps = [int(row.at.timestamp() * 1000) for row in found]
    assert stamps == [moved.at_ms for moved in rig.engine.transfers]
    assert await venue.rows(START - timedelta(seconds=1)) == found


async def test_funding_fees_and_profit_are_lines_and_margin_is_none(
    venue: BybitVenue, rig: Rig
) -> None:
    await send(venue, rig, reduce(), "plone")
    await send(venue, rig, add("12.5"), "pltwo")
    rig.engine.pay_funding()
    found = await venue.rows(START - timedelta(seconds=1))
    kinds = {row.kind for row in found}
    assert kinds == {RowKind.FEE, RowKind.REALIZED_PNL, RowKind.FUNDING}
    assert sum(row.amount for row in found) == sum(line.amount for line in rig.engine.income)
    assert {row.symbol for row in found} == {"SOL/USDT:USDT", "BTC/USDT:USDT"}
    assert len({row.id for row in found}) == len(found)


async def test_a_transfer_from_a_wallet_that_is_not_ours_comes_from_outside(rig: Rig) -> None:
    async with connected(rig, wallets=("futures",)) as venue:
        await send(venue, rig, move())
        (row,) = await venue.rows(START - timedelta(seconds=1))
        assert (row.kind, row.amount, row.other) == (RowKind.TRANSFER_IN, D("10.5"), "")


async def test_every_page_of_the_ledger_is_read(venue: BybitVenue, rig: Rig) -> None:
    for _ in range(60):
        rig.engine.pay_funding()
    found = await venue.rows(START - timedelta(days=20))
    assert len(found) == 120


async def test_hours_of_mark_and_glances_are_read(venue: BybitVenue, rig: Rig) -> None:
    hours = await venue.marks("SOL/USDT:USDT", rig.pace.now() - timedelta(days=3))
    assert [b.opened_at - a.opened_at for a, b in itertools.pairwise(hours)] == [
        timedelta(hours=1)
    ] * (len(hours) - 1)
    assert len(hours) == 72
    marks = await venue.glance(["SOL/USDT:USDT", "BTC/USDT:USDT"])
    assert marks["SOL/USDT:USDT"] == rig.engine.quotes["SOLUSDT"].mark
