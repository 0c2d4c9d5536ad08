"""Which lines and marks of the past does Bitget tell?"""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.ledger import RowKind
from bot.errors import Incomplete
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.exchanges.bitget.ledger import lines_of
from bot.paper.faults import Fault
from tests.kit.bitget import Rig
from tests.kit.moves import add, move, reduce, remove
from tests.kit.rigs import send


async def test_the_ledger_has_every_line_once_and_its_sum_is_what_changed(
    venue: BitgetVenue, rig: Rig
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
    await send(venue, rig, remove("2.25"), "plback")
    await send(venue, rig, move("futures", "spot", "1.5"), "plfour")
    rig.engine.pay_funding()
    rows = await venue.rows(since)
    assert len({row.id for row in rows}) == len(rows)
    kinds = {row.kind for row in rows}
    assert kinds == {
        RowKind.MARGIN_ADDED, RowKind.MARGIN_REMOVED, RowKind.TRANSFER_IN, RowKind.TRANSFER_OUT,
        RowKind.FEE, RowKind.REALIZED_PNL, RowKind.FUNDING,
    }  # fmt: skip
    outside = [row.amount for row in rows if not row.kind.is_margin]
    assert sum(outside, D(0)) == held() - before
    assert {row.other for row in rows if row.kind.is_transfer} == {"spot"}
    moved = [(row.amount, row.symbol, row.actor) for row in rows if row.kind.is_margin]
    assert moved == [
        (D("12.75"), "SOL/USDT:USDT", "append_margin"),
        (D("-2.25"), "SOL/USDT:USDT", "reduce_margin"),
    ]


@pytest.mark.parametrize(("lines", "pages"), [(250, 3), (1150, 12)])
async def test_the_ledger_is_read_to_its_end_however_seldom_it_may_be_asked(
    venue: BitgetVenue, rig: Rig, lines: int, pages: int
) -> None:
    since = rig.pace.now()
    for _ in range(lines):
        rig.engine.move_margin("SOLUSDT", "BOTH", D("0.01"), add=True)
    assert len(await venue.rows(since)) == lines
    assert rig.count("mix/account/bill") == pages


async def test_the_ledger_of_long_is_asked_in_spans_of_thirty_days(
    venue: BitgetVenue, rig: Rig
) -> None:
    assert await venue.rows(rig.pace.now() - timedelta(days=70)) == ()
    assert rig.count("mix/account/bill") == 3


async def test_a_page_without_the_mark_of_its_end_is_no_page(venue: BitgetVenue, rig: Rig) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D(1), add=True)
    rig.faults.add(
        Fault(
            kind="rewrite", path="account/bill", rewrite=lambda text: text.replace("endId", "gone")
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="endId"):
        await venue.rows(rig.pace.now() - timedelta(minutes=1))


BILL = {
    "billId": "7", "symbol": "SOLUSDT", "amount": "-2", "fee": "-0.5", "feeByCoupon": "",
    "coin": "USDT", "cTime": "1700000000000",
}  # fmt: skip


@pytest.mark.parametrize(
    ("word", "lines"),
    [
        # Whose view the amount is, the venue does not say: the word has the sign.
        ("append_margin", [(RowKind.MARGIN_ADDED, D(2), "")]),
        ("auto_append_margin", [(RowKind.MARGIN_ADDED, D(2), "")]),
        ("reduce_margin", [(RowKind.MARGIN_REMOVED, D(-2), "")]),
        ("close_long", [(RowKind.FEE, D("-0.5"), ""), (RowKind.REALIZED_PNL, D(-2), "")]),
        ("buy", [(RowKind.FEE, D("-0.5"), ""), (RowKind.REALIZED_PNL, D(-2), "")]),
        ("contract_settle_fee", [(RowKind.FEE, D("-0.5"), ""), (RowKind.FUNDING, D(-2), "")]),
        (
            "trans_to_exchange",
            [(RowKind.FEE, D("-0.5"), ""), (RowKind.TRANSFER_OUT, D(-2), "spot")],
        ),
        ("trans_to_otc", [(RowKind.FEE, D("-0.5"), ""), (RowKind.TRANSFER_OUT, D(-2), "")]),
        ("bonus_recycle", [(RowKind.FEE, D("-0.5"), ""), (RowKind.OTHER, D(-2), "")]),
    ],
)
def test_a_bill_is_what_its_word_says(word: str, lines: list[object]) -> None:
    found = lines_of(BILL | {"businessType": word}, {"SOLUSDT": "SOL"}, has_spot=True)
    assert [(line.kind, line.amount, line.other) for line in found] == lines


async def test_a_glance_has_the_marks_of_all_that_is_asked_for(
    venue: BitgetVenue, rig: Rig
) -> None:
    found = await venue.glance(["SOL/USDT:USDT", "BTC/USDT:USDT"])
    assert found["SOL/USDT:USDT"] == rig.engine.quotes["SOLUSDT"].mark
    assert venue.allowance().glance_every is not None


async def test_the_marks_of_every_completed_hour_are_read_page_by_page(
    venue: BitgetVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(hours=450)
    before = rig.count("mix/market/history-mark-candles")
    found = await venue.marks("SOL/USDT:USDT", since)
    hours = [candle.opened_at for candle in found]
    assert len(hours) == 450
    assert hours == sorted(hours)
    assert hours[-1] + timedelta(hours=1) <= rig.pace.now()
    assert rig.count("mix/market/history-mark-candles") == before + 3
