"""Which lines and marks of the past does Gate tell?"""

from datetime import timedelta
from decimal import Decimal as D

from bot.domain.ledger import RowKind
from bot.exchanges.gate.adapter import GateVenue
from tests.kit.gate import Rig
from tests.kit.moves import add, move, reduce
from tests.kit.rigs import send


async def test_the_ledger_has_every_line_once_and_its_sum_is_what_changed(
    venue: GateVenue, rig: Rig
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
    assert {row.kind for row in rows} == {  # what is added to a position is no line
        RowKind.TRANSFER_IN, RowKind.TRANSFER_OUT, RowKind.FEE, RowKind.REALIZED_PNL,
        RowKind.FUNDING,
    }  # fmt: skip
    assert sum((row.amount for row in rows), D(0)) == held() - before
    assert {row.other for row in rows if row.kind.is_transfer} == {"spot"}
    assert {row.symbol for row in rows if row.kind is RowKind.FEE} == {"SOL/USDT:USDT"}


async def test_a_transfer_from_elsewhere_waits_for_its_other_end_and_is_then_a_strangers(
    venue: GateVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(minutes=1)
    rig.engine.cross["USDT"] += D(77)
    rig.engine._book("", "TRANSFER", D(77), "USDT")  # as one from a sub-account
    assert await venue.rows(since) == ()
    await rig.pace.sleep(11)
    (row,) = await venue.rows(since)
    assert (row.kind, row.amount, row.other) == (RowKind.TRANSFER_IN, D(77), "")


async def test_a_transfer_is_paired_with_one_line_of_the_other_book_only(
    venue: GateVenue, rig: Rig
) -> None:
    since = rig.pace.now() - timedelta(minutes=1)
    rig.engine.transfer("spot", "futures", "USDT", D(77))
    rig.engine.cross["USDT"] += D(77)
    rig.engine._book("", "TRANSFER", D(77), "USDT")
    await rig.pace.sleep(11)
    assert sorted(row.other for row in await venue.rows(since)) == ["", "spot"]


async def test_the_ledger_is_read_to_its_end(venue: GateVenue, rig: Rig) -> None:
    since = rig.pace.now()
    for _ in range(1150):
        rig.engine._book("SOLUSDT", "FUNDING_FEE", D("0.01"), "USDT")
    assert len(await venue.rows(since)) == 1150
    assert rig.count("futures/usdt/account_book") == 2


async def test_the_other_book_is_read_to_its_end_by_numbered_pages(
    venue: GateVenue, rig: Rig
) -> None:
    since = rig.pace.now()
    for _ in range(1001):
        rig.engine.transfer("spot", "futures", "USDT", D("0.01"))
    assert {row.other for row in await venue.rows(since)} == {"spot"}
    assert rig.said("spot/account_book")["page"] == "2"


async def test_a_line_that_moves_the_pages_on_is_not_lost_and_not_told_twice(
    venue: GateVenue, rig: Rig
) -> None:
    since = rig.pace.now()
    for _ in range(1001):
        rig.engine._book("SOLUSDT", "FUNDING_FEE", D("0.01"), "USDT")
    asked = rig.desk.room.engine.is_shown
    booked: list[int] = []

    def one_more(at_ms: int) -> bool:
        if not booked and rig.count("futures/usdt/account_book") == 2:
            booked.append(1)
            rig.engine._book("SOLUSDT", "FUNDING_FEE", D("0.02"), "USDT")
        return asked(at_ms)

    rig.engine.is_shown = one_more  # type: ignore[method-assign]  # a line between two pages
    rows = await venue.rows(since)
    assert booked
    assert len(rows) == len({row.id for row in rows}) >= 1001


async def test_a_glance_has_the_marks_of_all_that_is_asked_for(venue: GateVenue, rig: Rig) -> None:
    found = await venue.glance(["SOL/USDT:USDT", "BTC/USDT:USDT"])
    assert found["SOL/USDT:USDT"] == rig.engine.quotes["SOLUSDT"].mark
    assert venue.allowance().glance_every is not None


async def test_marks_are_asked_for_no_further_back_than_the_venue_tells_them(
    venue: GateVenue, rig: Rig
) -> None:
    found = await venue.marks("SOL/USDT:USDT", rig.pace.now() - timedelta(hours=12_000))
    assert len(found) == 40 * 24  # all that the exchange has, and no refusal
    oldest = min(int(request.parameters["from"]) for _, path, request in rig.desk.requests
                 if path.endswith("candlesticks") and "from" in request.parameters)  # fmt: skip
    assert rig.pace.now().timestamp() - oldest < 10_000 * 3600
