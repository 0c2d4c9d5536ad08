"""Conformance cards: they are all there, they pass, and each of them can fail."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bot.cards.bench import Seam
from bot.cards.card import Result, Verdict
from bot.cards.classes import Classes, classes
from bot.cards.page import page
from bot.cards.runner import GROUPS, all_cards, run_all
from bot.domain.intent import Settlement
from bot.domain.switch import Switches
from bot.exchanges import connect
from bot.exchanges.binance import adapter, ledger, parse, rules, write
from bot.exchanges.binance.evidence import Evidence
from bot.exchanges.binance.write import write_for
from bot.exchanges.dialect import Write
from bot.exchanges.outcomes import Proof
from bot.exchanges.quota import Quota
from bot.exchanges.venues import VENUES, Key
from bot.journal.sqlite import SqliteJournal
from bot.operate.switches import FileSwitchboard
from bot.paper.desk import Asked, Reply
from bot.paper.engine import Engine
from bot.paper.socketless import Carry
from bot.paper.values import Reason, Refused
from bot.rebalance.memory import amount_of

PAGE = Path(__file__).parents[2] / "docs" / "venues.md"
SIZES = {
    "M1": 12, "M2": 12, "M3": 10, "M4": 10, "M5": 8, "M6": 10, "M7": 6, "M8": 14, "M9": 8, "M10": 6,
}  # fmt: skip
CARDS = {card.number: card for card in all_cards()}


def test_every_group_has_its_cards_numbered_in_order() -> None:
    assert {group.name: len(group.cards) for group in GROUPS} == SIZES
    for group in GROUPS:
        numbers = [card.number for card in group.cards]
        assert numbers == [f"{group.name}-{n:02d}" for n in range(1, len(numbers) + 1)]


def test_every_card_says_what_it_does_or_why_it_is_skipped() -> None:
    for card in CARDS.values():
        assert card.title
        assert card.does
        assert card.passes
        assert bool(card.skips) is (card.action is None)


@pytest.fixture(scope="module")
def found() -> list[Result]:
    """What became of every card."""
    return asyncio.run(run_all(all_cards()))


def test_no_card_fails_and_the_page_says_what_became_of_each(found: list[Result]) -> None:
    failed = [(r.card.number, r.reason) for r in found if r.verdict is Verdict.FAIL]
    assert failed == []
    assert page("binanceusdm", found) == PAGE.read_text(), "make cards"


def test_the_capability_table_grants_no_more_than_the_cards(found: list[Result]) -> None:
    granted = classes(found)
    venue = VENUES["binanceusdm"]
    assert (venue.margin_key, venue.transfer_key) == (granted.moves, granted.moves)
    assert venue.order_key is granted.orders
    assert bool(venue.stops) is granted.has_stops
    assert granted.is_shown_in_time


def test_what_no_card_shows_is_not_granted() -> None:
    assert classes([]) == Classes(
        moves=Key.NONE, orders=Key.NONE, has_stops=False, is_shown_in_time=False
    )


# ways to break the adapter or the exchange; each names the cards that it must fail

Patch = pytest.MonkeyPatch
Breaks = Callable[[Patch], Seam]


def nothing_moves(patch: Patch) -> Seam:
    """The exchange says yes to moves of collateral and makes none."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "move_margin", lambda *_, **__: None)
        patch.setattr(engine, "transfer", lambda *_: 7)

    return Seam(prepare=prepare)


def moves_twice(patch: Patch) -> Seam:
    """The exchange makes every move of collateral twice."""

    def prepare(engine: Engine) -> None:
        move, transfer = engine.move_margin, engine.transfer

        def twice(*args: Any, **named: Any) -> None:
            move(*args, **named)
            move(*args, **named)

        def again(*args: Any) -> int:
            transfer(*args)
            return transfer(*args)

        patch.setattr(engine, "move_margin", twice)
        patch.setattr(engine, "transfer", again)

    return Seam(prepare=prepare)


def everything_may_leave(patch: Patch) -> Seam:
    """The exchange covers nothing: wallets and margins may be overdrawn."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "available", lambda *_: D(10**9))
        patch.setattr(engine, "removable", lambda *_: D(10**9))

    return Seam(prepare=prepare)


def careless(patch: Patch, change: Callable[[dict[str, str]], dict[str, str]]) -> Seam:
    """The adapter means another request than the action."""

    def worse(*arguments: Any) -> Write | str:
        write = write_for(*arguments)
        if isinstance(write, str):
            return write
        sent = change(dict(write.expected.parameters))
        return replace(write, expected=replace(write.expected, parameters=sent))

    patch.setattr(adapter, "write_for", worse)
    return Seam()


def amounts_are_rounded(patch: Patch) -> Seam:
    def rounded(sent: dict[str, str]) -> dict[str, str]:
        return sent | ({"amount": str(int(D(sent["amount"])))} if "amount" in sent else {})

    return careless(patch, rounded)


def directions_are_swapped(patch: Patch) -> Seam:
    words = {
        "1": "2", "2": "1", "SELL": "BUY", "BUY": "SELL", "LONG": "SHORT", "SHORT": "LONG",
        "MAIN_UMFUTURE": "UMFUTURE_MAIN", "UMFUTURE_MAIN": "MAIN_UMFUTURE",
    }  # fmt: skip
    names = ("type", "side", "positionSide")

    def swapped(sent: dict[str, str]) -> dict[str, str]:
        return {k: words.get(v, v) if k in names else v for k, v in sent.items()}

    return careless(patch, swapped)


def flags_are_dropped(patch: Patch) -> Seam:
    lost = ("reduceOnly", "workingType", "newClientOrderId", "timeInForce")

    def without(sent: dict[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in sent.items() if k not in lost}
        return kept | ({"timeInForce": "GTC"} if "timeInForce" in sent else {})

    return careless(patch, without)


def amounts_are_not_checked(patch: Patch) -> Seam:
    patch.setattr(write, "_amount_problem", lambda *_: "")
    return Seam()


def every_route_is_known(patch: Patch) -> Seam:
    patch.setattr(write, "route_of", lambda *_: "MAIN_UMFUTURE")
    return Seam()


def answering(change: Callable[[Asked, Reply], Reply]) -> Seam:
    def carry(inner: Carry) -> Carry:
        async def carried(asked: Asked) -> Reply:
            return change(asked, await inner(asked))

        return carried

    return Seam(carry=carry)


def history_is_empty(patch: Patch) -> Seam:
    """The exchange lists no past."""
    del patch
    past = {
        "positionMargin/history": "[]",
        "allOrders": "[]",
        "income": "[]",
        "asset/transfer": '{"total": 0, "rows": []}',
    }

    def change(asked: Asked, reply: Reply) -> Reply:
        found = next((text for end, text in past.items() if asked.path.endswith(end)), None)
        is_past = asked.method == "GET" and found is not None
        return replace(reply, text=found or "") if is_past else reply

    return answering(change)


def reads_are_old(patch: Patch) -> Seam:
    """The exchange shows of each kind, and symbol, what it showed first."""
    del patch

    def carry(inner: Carry) -> Carry:
        first: dict[tuple[str, str], Reply] = {}

        async def carried(asked: Asked) -> Reply:
            reply = await inner(asked)
            if asked.method == "GET" and asked.path != "/fapi/v1/time" and reply.status == 200:
                symbol = dict(parse_qsl(asked.query)).get("symbol", "")
                return first.setdefault((asked.path, symbol), reply)
            return reply

        return carried

    return Seam(carry=carry)


def positions_are_shifted(patch: Patch) -> Seam:
    """The adapter reads another field than it should."""
    del patch
    mix = {
        '"isolatedWallet"': '"_"', '"isolatedMargin"': '"isolatedWallet"',
        '"crossWalletBalance"': '"_"', '"totalWalletBalance"': '"_"',
        '"walletBalance"': '"crossWalletBalance"', '"entryPrice"': '"_"',
        '"notional"': '"entryPrice"', "ISOLATED": "CROSSED", "CROSSED": "ISOLATED",
    }  # fmt: skip

    def change(asked: Asked, reply: Reply) -> Reply:
        if not asked.path.endswith(("positionRisk", "/v3/account", "symbolConfig")):
            return reply
        text = reply.text
        for word, other in mix.items():
            text = text.replace(word, other)
        return replace(reply, text=text)

    return answering(change)


def modes_are_mixed_up(patch: Patch) -> Seam:
    del patch

    def change(asked: Asked, reply: Reply) -> Reply:
        if not asked.path.endswith("positionSide/dual"):
            return reply
        other = {"true": "false", "false": "true"}
        word = "true" if "true" in reply.text else "false"
        return replace(reply, text=reply.text.replace(word, other[word]))

    return answering(change)


def tiers_are_doubled(patch: Patch) -> Seam:
    """The adapter's maintenance is not the exchange's."""
    tiers = parse.tiers

    def doubled(row: Any) -> Any:
        return tuple(
            replace(
                tier,
                maintenance_rate=tier.maintenance_rate * 2,
                maintenance_amount=tier.maintenance_amount * 2,
            )
            for tier in tiers(row)
        )

    patch.setattr(parse, "tiers", doubled)
    return Seam()


def missing_is_zero(patch: Patch) -> Seam:
    for name in ("number", "amount", "positive"):
        patch.setattr(parse, name, lambda row, key: D(row.get(key) or 0))
    return Seam()


def stamps_are_arrivals(patch: Patch) -> Seam:
    observe = adapter.BinanceVenue.observe

    async def late(venue: Any, **named: Any) -> Any:
        seen = await observe(venue, **named)
        return replace(seen, account_at=seen.at)

    patch.setattr(adapter.BinanceVenue, "observe", late)
    return Seam()


def empty_is_flat(patch: Patch) -> Seam:
    patch.setattr(adapter, "_check_whole", lambda *_: None)
    return Seam()


def one_page_is_all(patch: Patch) -> Seam:
    async def complete(ask: Any, first: int, last: int, **_: Any) -> Any:
        return await ask(first, last)

    patch.setattr(ledger, "_complete", complete)
    return Seam()


def every_failure_is_a_refusal(patch: Patch) -> Seam:
    patch.setattr("bot.exchanges.adapter.proof_of", lambda *_: (Proof.NO_EFFECT, "none"))
    patch.setattr(adapter, "applied", lambda intent, *_: amount_of(intent.action))
    return Seam()


def every_refusal_is_unknown(patch: Patch) -> Seam:
    patch.setattr(
        "bot.exchanges.adapter.proof_of", lambda trace, _: (Proof.UNKNOWN, str(trace.code))
    )
    return Seam()


def settling_believes_anything(patch: Patch) -> Seam:
    async def settle(_: Any, intent: Any, mode: Any) -> Settlement:
        del mode
        return Settlement(intent_id=intent.id, applied=amount_of(intent.action), text="")

    patch.setattr(Evidence, "settle", settle)
    return Seam()


def windows_never_close(patch: Patch) -> Seam:
    patch.setattr("bot.paper.binance.desk.check_signature", lambda *_: None)
    return Seam()


def names_are_not_compared(patch: Patch) -> Seam:
    """The exchange takes a second order of the same name."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "_client_ids", {})
        place = engine.place

        def forgetful(ask: Any) -> Any:
            engine._client_ids.clear()
            return place(ask)

        patch.setattr(engine, "place", forgetful)

    return Seam(prepare=prepare)


def reductions_are_not_capped(patch: Patch) -> Seam:
    """The exchange lets orders that reduce only grow and flip a position."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "_reduces", lambda _: False)

    return Seam(prepare=prepare)


def orders_are_not_filled(patch: Patch) -> Seam:
    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "_match", lambda *_: None)

    return Seam(prepare=prepare)


def others_are_taken_for_ours(patch: Patch) -> Seam:
    patch.setattr("bot.exchanges.binance.parse.is_own_name", lambda _: True)
    return Seam()


def venue_time_is_the_machines(patch: Patch) -> Seam:
    patch.setattr("bot.clock.VenueClock.anchor", lambda *_, **__: None)
    return Seam()


def deaf_to(patch: Patch, **codes: Any) -> None:
    """Let the adapter not know what some codes prove."""
    spoken = connect.SPOKEN["binanceusdm"]
    dialect = replace(spoken.dialect, codes=replace(spoken.dialect.codes, **codes))
    patch.setitem(connect.SPOKEN, "binanceusdm", replace(spoken, dialect=dialect))


def rules_are_never_read_again(patch: Patch) -> Seam:
    patch.setattr(rules, "RULES_EVERY", timedelta(days=999))
    deaf_to(patch, mode_refused=frozenset())
    return Seam()


def settings_are_never_read_again(patch: Patch) -> Seam:
    patch.setattr(rules, "CONFIG_EVERY", timedelta(days=999))
    patch.setattr(rules, "RULES_EVERY", timedelta(days=999))
    return Seam()


def a_revoked_key_looks_busy(patch: Patch) -> Seam:
    deaf_to(patch, denied=frozenset())
    return Seam()


def bans_are_ignored(patch: Patch) -> Seam:
    patch.setattr(Quota, "stopped_for", lambda *_: 0.0)
    return Seam()


def rights_are_not_read(patch: Patch) -> Seam:
    async def nothing(_: Any) -> None:
        return None

    patch.setattr(adapter.BinanceVenue, "_check_rights", nothing)
    return Seam()


def drops_are_forgotten(patch: Patch) -> Seam:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr(SqliteJournal, "drop", nothing)
    return Seam()


def absence_is_believed_at_once(patch: Patch) -> Seam:
    patch.setattr("bot.execute.resolve.Resolver._is_absence_proven", lambda *_: True)
    return Seam()


def locks_keep_nobody_out(patch: Patch) -> Seam:
    def taken(path: Path, *, note: str) -> tuple[int, str]:
        del note
        return os.open(path, os.O_RDWR | os.O_CREAT), ""

    patch.setattr("bot.journal.lock._lock", taken)
    return Seam()


def kills_are_forgotten(patch: Patch) -> Seam:
    patch.setattr(FileSwitchboard, "state", property(lambda _: Switches()))
    return Seam()


def the_reserve_is_not_imported(patch: Patch) -> Seam:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr("bot.cards.m10_restart.adopt", nothing)
    return Seam()


def nobody_owns_a_row(patch: Patch) -> Seam:
    patch.setattr("bot.execute.foreign._owner", lambda *_, **__: None)
    return Seam()


def margin_goes_elsewhere(patch: Patch) -> Seam:
    """The exchange adds to the neighbour of the position that is named."""

    def prepare(engine: Engine) -> None:
        move = engine.move_margin

        def elsewhere(symbol: str, *args: Any, **named: Any) -> None:
            del symbol
            move("BTCUSDT", *args, **named)

        patch.setattr(engine, "move_margin", elsewhere)

    return Seam(prepare=prepare)


def cancels_do_nothing(patch: Patch) -> Seam:
    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "cancel", lambda _: None)

    return Seam(prepare=prepare)


def stops_use_up_the_room(patch: Patch) -> Seam:
    """The exchange takes no reduction while a stop rests."""

    def prepare(engine: Engine) -> None:
        check = engine._check_ask

        def jealous(ask: Any, *args: Any) -> None:
            if ask.type == "LIMIT" and engine.open_orders(ask.symbol):
                raise Refused(Reason.REDUCE_ONLY, "ReduceOnly Order is rejected.")
            check(ask, *args)

        patch.setattr(engine, "_check_ask", jealous)

    return Seam(prepare=prepare)


def deposits_are_looked_at(patch: Patch) -> Seam:
    """The adapter asks a path that can move collateral to others."""
    rows = adapter.BinanceVenue.rows

    async def curious(venue: Any, since: Any) -> Any:
        await venue._client.read(venue._client.api.sapiGetCapitalConfigGetall, {})
        return await rows(venue, since)

    patch.setattr(adapter.BinanceVenue, "rows", curious)
    return Seam()


MUST_FAIL: dict[Breaks, str] = {
    nothing_moves: "M2-08 M2-11 M3-08 M4-03 M8-09 M8-13",
    moves_twice: "M2-01 M2-05 M2-06 M2-09 M3-04 M3-06 M3-09 M4-01 M8-05",
    margin_goes_elsewhere: "M2-10",
    everything_may_leave: "M2-03 M3-01 M3-03 M4-07",
    amounts_are_rounded: "M2-01 M2-09 M4-01 M8-12",
    directions_are_swapped: "M2-05 M2-06 M3-04 M4-02 M6-02 M6-10",
    flags_are_dropped: "M6-01 M6-05 M6-07 M7-01",
    amounts_are_not_checked: "M2-02 M2-04",
    every_route_is_known: "M4-02 M5-03 M5-04 M5-05",
    history_is_empty: "M2-08 M3-08 M4-03 M8-08 M8-10",
    reads_are_old: "M1-11 M4-05 M4-08 M8-02 M8-03 M9-01 M9-02 M9-03 M9-05",
    positions_are_shifted: "M1-01 M1-02 M1-03 M1-04 M1-05 M4-09",
    modes_are_mixed_up: "M1-03 M1-04",
    tiers_are_doubled: "M1-08 M2-11 M3-02 M3-07",
    missing_is_zero: "M1-06",
    stamps_are_arrivals: "M1-07",
    empty_is_flat: "M1-11",
    one_page_is_all: "M1-12",
    every_failure_is_a_refusal: "M4-03 M8-01 M8-02 M8-03 M8-05 M8-06 M8-07 M8-08 M8-11",
    every_refusal_is_unknown: "M2-07 M2-12 M3-05 M3-10 M4-06 M6-04 M6-06",
    settling_believes_anything: "M4-05 M4-08 M8-02 M8-03 M8-05 M8-07 M9-04",
    windows_never_close: "M8-01",
    names_are_not_compared: "M8-04",
    reductions_are_not_capped: "M6-03 M6-06 M6-08 M7-05",
    orders_are_not_filled: "M6-01 M6-05 M6-09 M6-10 M7-01 M7-04",
    cancels_do_nothing: "M7-02 M7-06",
    stops_use_up_the_room: "M7-03",
    others_are_taken_for_ours: "M7-06",
    venue_time_is_the_machines: "M8-13",
    rules_are_never_read_again: "M9-01 M9-02 M9-03",
    settings_are_never_read_again: "M9-05",
    a_revoked_key_looks_busy: "M9-06",
    bans_are_ignored: "M9-08",
    rights_are_not_read: "M5-01",
    deposits_are_looked_at: "M5-08",
    drops_are_forgotten: "M10-01",
    absence_is_believed_at_once: "M10-02",
    locks_keep_nobody_out: "M10-03",
    kills_are_forgotten: "M10-04",
    the_reserve_is_not_imported: "M10-05",
    nobody_owns_a_row: "M8-11 M8-12 M8-14 M10-06",
}


@pytest.mark.parametrize("broken", MUST_FAIL, ids=lambda broken: broken.__name__)
async def test_a_card_fails_where_what_it_asks_about_is_broken(
    broken: Breaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = [CARDS[number] for number in MUST_FAIL[broken].split()]
    found = await run_all(cards, broken(monkeypatch))
    passed = [result.card.number for result in found if result.verdict is not Verdict.FAIL]
    assert passed == []


def test_every_card_that_is_run_is_seen_to_fail() -> None:
    seen = {number for numbers in MUST_FAIL.values() for number in numbers.split()}
    assert seen == {number for number, card in CARDS.items() if card.action is not None}
