"""Which lines and marks of the past does OKX tell?"""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.ledger import RowKind
from bot.exchanges.okx.adapter import OkxVenue
from tests.kit.moves import add, move, reduce
from tests.kit.okx import Rig
from tests.kit.rigs import send


async def test_the_ledger_has_every_line_once_and_its_sum_is_what_changed(
    venue: OkxVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(minutes=1)

    def held() -> D:
        margins = sum((h.margin for h in rig.engine.holdings.values()), D(0))
        return rig.engine.cross["USDT"] + margins

    before = held()
    await send(venue, rig, add("12.75"), "plone")
    await send(venue, rig, move(), "pltwo")
    await send(venue, rig, reduce(), "plthree")
    await rig.pace.sleep(4)
    await send(venue, rig, move("futures", "spot", "1.5"), "plfour")
    rig.engine.pay_funding()
    rows = await venue.rows(since)
    assert len({row.id for row in rows}) == len(rows)
    kinds = {row.kind for row in rows}
    assert kinds == {
        RowKind.MARGIN_ADDED, RowKind.TRANSFER_IN, RowKind.TRANSFER_OUT, RowKind.FEE,
        RowKind.REALIZED_PNL, RowKind.FUNDING,
    }  # fmt: skip
    outside = [row.amount for row in rows if not row.kind.is_margin]
    assert sum(outside, D(0)) == held() - before
    assert {row.other for row in rows if row.kind.is_transfer} == {"spot"}
    (added,) = [row for row in rows if row.kind is RowKind.MARGIN_ADDED]
    assert (added.amount, added.symbol, added.actor) == (D("12.75"), "SOL/USDT:USDT", "6:160")


@pytest.mark.parametrize(("lines", "pages"), [(250, 3), (1150, 12)])
async def test_the_ledger_is_read_to_its_end_however_seldom_it_may_be_asked(
    venue: OkxVenue, rig: Rig, lines: int, pages: int
) -> None:
    since = rig.pace.now()
    for _ in range(lines):
        rig.engine.move_margin("SOLUSDT", "BOTH", D("0.01"), add=True)
    assert len(await venue.rows(since)) == lines
    assert rig.count("account/bills") == pages


async def test_a_glance_has_the_marks_of_all_that_is_asked_for(venue: OkxVenue, rig: Rig) -> None:
    found = await venue.glance(["SOL/USDT:USDT", "BTC/USDT:USDT"])
    assert found["SOL/USDT:USDT"] == rig.engine.quotes["SOLUSDT"].mark
    assert venue.allowance().glance_every is not None


async def test_the_marks_of_every_completed_hour_are_read_page_by_page(
    venue: OkxVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(hours=250)
    found = await venue.marks("SOL/USDT:USDT", since)
    hours = [candle.opened_at for candle in found]
    assert len(hours) == 250
    assert hours == sorted(hours)
    assert hours[-1] + timedelta(hours=1) <= rig.pace.now()
    assert rig.count("market/history-mark-price-candles") == 3
