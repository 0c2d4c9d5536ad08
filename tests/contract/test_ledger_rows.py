import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.intent import Intent, Outcome
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.position import PositionKey, Side
from bot.errors import Incomplete, Unavailable
from bot.exchanges.adapter import Adapter
from bot.exchanges.binance import ledger
from bot.execute import books, looking
from bot.execute.foreign import Actor, Writer
from bot.paper.faults import Fault
from bot.paper.values import Income
from tests.kit.binance import Rig, connected, serving
from tests.kit.fakes import an_open_gate
from tests.kit.paper import START, START_MS, an_engine
from tests.kit.rigs import an_intent_now

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
WRITER = Writer(epoch=3, step=D("0.00001"))


async def move(venue: Adapter, rig: Rig, action: Action) -> Intent:
    intent = an_intent_now(rig, action, "plabcd0003000001")
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
    return intent


def incomes(rig: Rig, *stamps: int, kind: str = "FUNDING_FEE") -> None:
    for stamp in stamps:
        rig.engine.income.append(
            Income(
                id=rig.engine._next_id(),
                symbol="SOLUSDT",
                type=kind,
                amount=D("-0.25"),
                asset="USDT",
                at_ms=START_MS + stamp,
            )
        )


async def read(venue: Adapter) -> tuple[LedgerRow, ...]:
    return await venue.rows(START - timedelta(seconds=1))


async def test_margin_moves_have_their_direction_their_symbol_and_the_venues_word(
    venue: Adapter, rig: Rig
) -> None:
    await move(venue, rig, AddMargin(key=SOL, amount=D("100.00123"), currency="USDT"))
    await move(venue, rig, RemoveMargin(key=SOL, amount=D("40.00057"), currency="USDT"))
    rows = [row for row in await read(venue) if row.kind.is_margin]
    assert [(r.kind, r.amount, r.symbol, r.side, r.actor) for r in rows] == [
        (RowKind.MARGIN_ADDED, D("100.00123"), SOL.symbol, None, "USER_ADJUST"),
        (RowKind.MARGIN_REMOVED, D("-40.00057"), SOL.symbol, None, "USER_ADJUST"),
    ]


async def test_in_hedge_mode_a_margin_move_names_its_side(authority: Path) -> None:
    engine = an_engine()
    engine.hedge_mode = True
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("SOLUSDT", D(-20), leverage=10)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        engine.move_margin("SOLUSDT", "SHORT", D(5), add=True)
        rows = [row for row in await read(venue) if row.kind.is_margin]
        assert [row.side for row in rows] == [Side.SHORT]


async def test_equal_margin_moves_of_one_instant_are_two_lines_with_ids_that_stay(
    venue: Adapter, rig: Rig
) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D(5), add=True)
    rig.engine.move_margin("SOLUSDT", "BOTH", D(5), add=True)
    once, again = await read(venue), await read(venue)
    assert len({row.id for row in once if row.kind.is_margin}) == 2
    assert once == again


@pytest.mark.parametrize("out", [False, True])
async def test_a_transfer_between_our_wallets_is_one_line_although_two_lists_have_it(
    venue: Adapter, rig: Rig, out: bool
) -> None:
    ends = ("futures", "spot") if out else ("spot", "futures")
    action = Transfer(source=ends[0], destination=ends[1], amount=D("10.5"), currency="USDT")
    await move(venue, rig, action)
    assert any(line.type == "TRANSFER" for line in rig.engine.income)
    rows = [row for row in await read(venue) if row.kind.is_transfer]
    kind = RowKind.TRANSFER_OUT if out else RowKind.TRANSFER_IN
    assert [(r.kind, r.amount, r.wallet, r.other) for r in rows] == [
        (kind, D("-10.5") if out else D("10.5"), "futures", "spot")
    ]


async def test_a_transfer_shows_once_it_has_arrived_and_never_at_one_end_only(
    venue: Adapter, rig: Rig
) -> None:
    rig.engine.transfer_delay_ms = 60_000
    action = Transfer(source="futures", destination="spot", amount=D("10.5"), currency="USDT")
    await move(venue, rig, action)
    assert not [row for row in await read(venue) if row.kind.is_transfer]
    await rig.pace.sleep(61)
    assert [row.other for row in await read(venue) if row.kind.is_transfer] == ["spot"]
    late = await venue.rows(rig.pace.now() - timedelta(seconds=5))
    assert [row.other for row in late if row.kind.is_transfer] == ["spot"]


async def test_a_transfer_from_a_wallet_that_is_not_ours_comes_from_outside(
    venue: Adapter, rig: Rig
) -> None:
    rig.engine.cross["USDT"] += 77
    rig.engine._book("", "TRANSFER", D(77), "USDT")
    assert not [row for row in await read(venue) if row.kind.is_transfer]  # it may be ours yet
    await rig.pace.sleep(11)
    rows = [row for row in await read(venue) if row.kind.is_transfer]
    assert [(r.kind, r.amount, r.other) for r in rows] == [(RowKind.TRANSFER_IN, D(77), "")]


async def test_a_transfer_that_one_list_does_not_show_yet_waits_for_it(
    venue: Adapter, rig: Rig
) -> None:
    def empty(text: str) -> str:
        return json.dumps({**json.loads(text), "total": 0, "rows": []})

    action = Transfer(source="spot", destination="futures", amount=D("10.5"), currency="USDT")
    await move(venue, rig, action)
    rig.faults.add(Fault(kind="rewrite", path="asset/transfer", rewrite=empty, times=2))
    assert not [row for row in await read(venue) if row.kind.is_transfer]
    assert [row.other for row in await read(venue) if row.kind.is_transfer] == ["spot"]


async def test_without_a_spot_wallet_its_list_is_not_asked_for(rig: Rig) -> None:
    async with connected(rig, wallets=("futures",)) as venue:
        rig.engine.transfer("spot", "futures", "USDT", D(9))
        rows = [row for row in await read(venue) if row.kind.is_transfer]
        assert [(r.amount, r.other) for r in rows] == [(D(9), "")]
        assert not any("asset/transfer" in path for _, path, _ in rig.server.desk.requests)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("FUNDING_FEE", RowKind.FUNDING),
        ("COMMISSION", RowKind.FEE),
        ("REALIZED_PNL", RowKind.REALIZED_PNL),
        ("INSURANCE_CLEAR", RowKind.INSURANCE),
        ("INTERNAL_TRANSFER", RowKind.TRANSFER_OUT),
        ("A_WORD_OF_TOMORROW", RowKind.OTHER),
    ],
)
async def test_every_line_of_the_futures_wallet_is_there_whatever_it_is_called(
    venue: Adapter, rig: Rig, word: str, kind: RowKind
) -> None:
    incomes(rig, 0, kind=word)
    await rig.pace.sleep(11)
    rows = [row for row in await read(venue) if row.actor == word]
    assert [(r.kind, r.amount, r.symbol) for r in rows] == [(kind, D("-0.25"), SOL.symbol)]


async def test_a_list_longer_than_a_page_is_read_to_its_end_each_line_once(
    venue: Adapter, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "INCOME_PAGE", 20)
    monkeypatch.setattr(ledger, "TRANSFER_PAGE", 10)
    monkeypatch.setattr(ledger, "MARGIN_PAGE", 10)
    await rig.pace.sleep(60)
    incomes(rig, *range(100, 50_000, 1500))
    for _ in range(25):
        rig.engine.transfer("spot", "futures", "USDT", D(1))
        rig.engine.move_margin("SOLUSDT", "BOTH", D(1), add=True)
        await rig.pace.sleep(2)
    rows = await read(venue)
    assert len({row.id for row in rows}) == len(rows)
    funding = [row for row in rows if row.kind is RowKind.FUNDING]
    assert len(funding) == 34
    assert sum(row.kind.is_transfer for row in rows) == 25
    assert sum(row.kind.is_margin for row in rows) == 25
    assert list(rows) == sorted(rows, key=lambda row: (row.at, row.id))


@pytest.mark.parametrize("name", ["INCOME_PAGE", "MARGIN_PAGE"])
async def test_more_lines_of_one_instant_than_fit_a_page_are_incomplete(
    venue: Adapter, rig: Rig, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(ledger, name, 2)
    monkeypatch.setattr(ledger, "MOST_PAGES", 99)
    for _ in range(3):
        incomes(rig, 0)
        rig.engine.move_margin("SOLUSDT", "BOTH", D(1), add=True)
    await rig.pace.sleep(1)
    with pytest.raises(Incomplete, match="of one instant must fit a page of 2"):
        await read(venue)


async def test_a_list_that_needs_too_many_pages_is_incomplete(
    venue: Adapter, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "INCOME_PAGE", 2)
    await rig.pace.sleep(60)
    incomes(rig, *range(0, 50_000, 500))
    with pytest.raises(Incomplete, match="income must fit 16 pages"):
        await read(venue)


async def test_transfers_that_are_counted_but_not_listed_are_incomplete(
    venue: Adapter, rig: Rig
) -> None:
    def more(text: str) -> str:
        return json.dumps({**json.loads(text), "total": 5})

    rig.faults.add(Fault(kind="rewrite", path="asset/transfer", rewrite=more))
    with pytest.raises(Incomplete, match="must be listed to the end, were 0"):
        await read(venue)


@pytest.mark.parametrize("path", ["income", "positionMargin/history", "asset/transfer"])
@pytest.mark.parametrize("kind", ["abort", "http_503", "html", "empty", "half_json", "rate_429"])
async def test_a_reading_that_fails_in_any_part_fails_as_a_whole(
    venue: Adapter, rig: Rig, path: str, kind: str
) -> None:
    rig.faults.add(Fault(kind=kind, method="GET", path=path))  # type: ignore[arg-type]  # a kind
    with pytest.raises((Incomplete, Unavailable)):
        await read(venue)


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("income", {"income": "NaN"}),
        ("income", {"incomeType": None}),
        ("income", {"tranId": None}),
        ("income", {"asset": ""}),
        ("positionMargin/history", {"amount": "-1"}),
        ("positionMargin/history", {"type": 3}),
        ("positionMargin/history", {"deltaType": None}),
        ("positionMargin/history", {"time": "soon"}),
    ],
)
async def test_a_broken_field_makes_the_reading_incomplete(
    venue: Adapter, rig: Rig, path: str, changes: dict[str, object]
) -> None:
    incomes(rig, 0)
    rig.engine.move_margin("SOLUSDT", "BOTH", D(1), add=True)

    def broken(text: str) -> str:
        return json.dumps([{**row, **changes} for row in json.loads(text)])

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=broken))
    with pytest.raises(Incomplete):
        await read(venue)


async def test_lines_are_shown_as_late_as_the_rest_of_history(venue: Adapter, rig: Rig) -> None:
    rig.engine.history_lag_ms = 1_900
    incomes(rig, 0)
    assert not await read(venue)
    await rig.pace.sleep(2)
    assert len(await read(venue)) == 1


def person_adds(rig: Rig) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D(25), add=True)


def person_sends_away(rig: Rig) -> None:
    rig.engine.transfer("futures", "spot", "USDT", D(300))


def network_repeats(rig: Rig) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D("100.00123"), add=True)


def funding_is_paid(rig: Rig) -> None:
    rig.engine.pay_funding()


def half_is_closed(rig: Rig) -> None:
    rig.engine.deleverage("SOLUSDT", "BOTH", D(20))


@pytest.mark.parametrize(
    ("happens", "actors"),
    [
        pytest.param(person_adds, [Actor.EXTERNAL], id="a person adds margin"),
        pytest.param(person_sends_away, [Actor.EXTERNAL], id="a person sends money away"),
        pytest.param(network_repeats, [Actor.EXTERNAL], id="a request is delivered twice"),
        pytest.param(funding_is_paid, [], id="funding is paid"),
        pytest.param(half_is_closed, [], id="a part is closed"),
    ],
)
async def test_books_beside_the_paper_exchange_explain_all_it_does_and_name_who_did(
    venue: Adapter, rig: Rig, happens: Callable[[Rig], None], actors: list[Actor]
) -> None:
    kept = books.open_books(await venue.observe(), (), writer=WRITER)
    await rig.pace.sleep(2)
    kept, found = await poll(kept, venue, rig)
    assert found == []
    intent = await move(venue, rig, AddMargin(key=SOL, amount=D("100.00123"), currency="USDT"))
    kept, _ = books.told(kept, [intent], at=rig.pace.now())
    await rig.pace.sleep(2)
    happens(rig)
    findings: list[Actor] = []
    for _ in range(4):
        await rig.pace.sleep(20)
        kept, found = await poll(kept, venue, rig)
        findings += found
    assert findings == actors
    assert kept.picture == ""
    account = (await venue.observe()).account
    left = rig.engine.available() - D("100.00123")  # not read back: still debited
    assert kept.usable(account, "futures", "USDT", floor=D(0)) <= left + D("100.00123")


async def poll(kept: books.Books, venue: Adapter, rig: Rig) -> tuple[books.Books, list[Actor]]:
    seen = await venue.observe()
    kept, report = looking.look(kept, seen)
    found = list(report.findings)
    if report.wants_rows:
        asked_at = rig.pace.now()
        kept, new = books.read(kept, await venue.rows(kept.since), asked_at=asked_at)
        kept, report = looking.look(kept, seen)
        found += [*new, *report.findings]
    return kept, [finding.actor for finding in found]
