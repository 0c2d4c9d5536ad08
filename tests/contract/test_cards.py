"""Conformance cards: they are all there, they pass, and each of them can fail."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cards.card import Result, Verdict
from bot.cards.classes import Classes, classes
from bot.cards.needs import LISTED
from bot.cards.page import page
from bot.cards.runner import GROUPS, all_cards, run_all
from bot.cards.tongue import No, Target
from bot.cards.tongues import TONGUES, tongue_of
from bot.errors import ConfigError
from bot.exchanges.connect import SPOKEN
from bot.exchanges.venues import VENUES, Key
from bot.paper.fronts import FRONTS
from tests.kit.breakages import HERE, breakages

PAGE = Path(__file__).parents[2] / "docs" / "venues.md"
SIZES = {
    "M1": 12, "M2": 12, "M3": 10, "M4": 10, "M5": 8, "M6": 10, "M7": 6, "M8": 14, "M9": 8, "M10": 6,
}  # fmt: skip
SKIPPED = {"binanceusdm": 8, "bybit": 14, "okx": 8, "kucoinfutures": 15, "bitget": 8}
"""By venue; what cannot be asked where all else can is not forgotten."""
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


def test_who_is_asked_has_an_adapter_a_front_and_every_word() -> None:
    for venue, tongue in TONGUES.items():
        assert venue in VENUES
        assert venue in SPOKEN
        assert venue in FRONTS
        assert set(tongue.codes) == set(No)
        assert set(tongue.targets) == set(Target)
        assert tongue.targets[Target.MARGIN] in tongue.writes
        assert tongue.targets[Target.ORDER] in tongue.writes
        assert tongue.targets[Target.TRANSFER] in tongue.writes
        assert tongue.finest <= VENUES[venue].collateral_step
        assert tongue.fields


@pytest.fixture(scope="module")
def found() -> dict[str, list[Result]]:
    """What became of every card, by venue."""
    return {venue: asyncio.run(run_all(all_cards(), venue=venue)) for venue in TONGUES}


def test_no_card_fails_and_the_page_says_what_became_of_each(
    found: dict[str, list[Result]],
) -> None:
    for venue, results in found.items():
        assert [(r.card.number, r.reason) for r in results if r.verdict is Verdict.FAIL] == []
        assert sum(r.verdict is Verdict.SKIP for r in results) == SKIPPED[venue]
    assert page(found) == PAGE.read_text(), "make cards"


def test_the_capability_table_grants_no_more_than_the_cards(
    found: dict[str, list[Result]],
) -> None:
    for name, results in found.items():
        granted, venue = classes(results), VENUES[name]
        assert (venue.margin_key, venue.transfer_key) == (granted.moves, granted.transfers)
        assert venue.order_key is granted.orders
        assert bool(venue.stops) is granted.has_stops
        assert granted.is_shown_in_time is LISTED.is_met(tongue_of(name))


def test_what_no_card_shows_is_not_granted() -> None:
    assert classes([]) == Classes(
        moves=Key.NONE,
        transfers=Key.NONE,
        orders=Key.NONE,
        has_stops=False,
        is_shown_in_time=False,
    )


# what a venue cannot do is not asked of it


@pytest.mark.parametrize(
    ("changes", "groups", "numbers"),
    [
        pytest.param({"removes_margin": False}, {"M3"}, set(), id="no removal"),
        pytest.param({"transfers": ()}, {"M4"}, {"M8-01", "M8-08"}, id="no wallets"),
        pytest.param({"stops": ""}, {"M7"}, set(), id="no stops"),
        pytest.param({"margin_key": Key.NONE}, set(), {"M8-01", "M8-02"}, id="no window"),
        pytest.param(
            {"history": "none: only in one run"},
            set(),
            {"M8-03", "M8-09", "M8-10", "M8-11", "M8-12", "M8-14", "M10-06"},
            id="no list of moves",
        ),
        pytest.param({"order_key": Key.NONE}, set(), {"M6-07", "M8-04"}, id="no names"),
    ],
)
def test_a_card_about_what_the_capability_table_denies_is_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    groups: set[str],
    numbers: set[str],
) -> None:
    tongue = tongue_of("binanceusdm")
    before = {n for n, card in CARDS.items() if card.skipped_at(tongue)}
    row = replace(VENUES["binanceusdm"], **changes)  # type: ignore[arg-type]  # any field by name
    monkeypatch.setitem(VENUES, "binanceusdm", row)
    after = {n for n, card in CARDS.items() if card.skipped_at(tongue)}
    wanted = {n for n, card in CARDS.items() if card.group in groups} | numbers
    assert after - before == wanted - before
    assert wanted <= after


def test_a_flag_that_a_venue_does_not_have_is_not_asked_for() -> None:
    tongue = tongue_of("binanceusdm")
    assert not CARDS["M9-05"].skipped_at(tongue)
    assert "automatic margin" in CARDS["M9-05"].skipped_at(replace(tongue, adds_by_itself=None))


def test_whether_a_reduction_is_capped_is_not_asked_where_the_venue_refuses_it() -> None:
    tongue = tongue_of("binanceusdm")
    assert not CARDS["M6-03"].skipped_at(tongue)
    refusing = replace(tongue, fills_what_there_is=False)
    assert "more than there is" in CARDS["M6-03"].skipped_at(refusing)


async def test_a_skipped_card_fails_where_the_venue_is_asked_all_the_same() -> None:
    asked = replace(CARDS["M4-04"], needs=())
    (told,) = await run_all([asked], venue="binanceusdm")
    assert told.verdict is Verdict.FAIL
    assert told.reason.startswith("wallets must be")


def test_a_venue_whose_words_cards_do_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VENUES, "elsewhere", VENUES["binanceusdm"])
    with pytest.raises(ConfigError, match="one that cards know, binanceusdm, bybit, okx, kucoin"):
        tongue_of("elsewhere")


# what must fail where a breakage of this name is put in

MUST_FAIL: dict[str, str] = {
    "nothing_moves": "M2-08 M2-11 M3-08 M4-03 M4-04 M8-09 M8-13",
    "moves_twice": "M2-01 M2-05 M2-06 M2-09 M3-04 M3-06 M3-09 M4-01 M4-04 M8-05",
    "margin_goes_elsewhere": "M2-10",
    "everything_may_leave": "M2-03 M3-01 M3-03 M4-07",
    "amounts_are_rounded": "M2-01 M2-09 M4-01 M8-12",
    "directions_are_swapped": "M2-05 M2-06 M3-04 M4-02 M6-02 M6-10",
    "flags_are_dropped": "M6-01 M6-05 M6-07 M7-01",
    "amounts_are_not_checked": "M2-02 M2-04",
    "every_route_is_known": "M4-02 M5-03 M5-04 M5-05",
    "history_is_empty": "M1-12 M2-08 M3-08 M4-03 M6-07 M8-08 M8-10",
    "reads_are_old": "M1-11 M4-05 M4-08 M8-02 M8-03 M9-01 M9-02 M9-03 M9-05",
    "positions_are_shifted": "M1-01 M1-02 M1-03 M1-04 M1-05 M4-09",
    "looks_are_shifted": "M1-01 M1-02 M1-03 M1-04 M1-05 M4-09",
    "fields_are_made_up": "M1-06",
    "paths_that_leave_are_asked": "M5-08",
    "modes_are_mixed_up": "M1-03 M1-04",
    "tiers_are_doubled": "M1-08 M2-11 M3-02 M3-07",
    "missing_is_zero": "M1-06",
    "stamps_are_arrivals": "M1-07",
    "empty_is_flat": "M1-11",
    "one_page_is_all": "M1-12",
    "every_failure_is_a_refusal": "M4-03 M8-01 M8-02 M8-03 M8-05 M8-06 M8-07 M8-08 M8-11",
    "every_refusal_is_unknown": "M2-07 M2-12 M3-05 M3-10 M4-06 M6-04 M6-06",
    "settling_believes_anything": "M4-05 M4-08 M8-02 M8-03 M8-05 M8-07 M9-04",
    "windows_never_close": "M8-01",
    "names_are_not_compared": "M8-04",
    "reductions_are_not_capped": "M6-03 M6-06 M6-08 M7-05",
    "orders_are_not_filled": "M6-01 M6-05 M6-09 M6-10 M7-01 M7-04",
    "cancels_do_nothing": "M7-02 M7-06",
    "stops_use_up_the_room": "M7-03",
    "others_are_taken_for_ours": "M7-06",
    "venue_time_is_the_machines": "M8-13",
    "rules_are_never_read_again": "M9-01 M9-02 M9-03",
    "settings_are_never_read_again": "M9-05",
    "a_revoked_key_looks_busy": "M9-06",
    "bans_are_ignored": "M9-08",
    "rights_are_not_read": "M5-01",
    "deposits_are_looked_at": "M5-08",
    "drops_are_forgotten": "M10-01",
    "absence_is_believed_at_once": "M10-02",
    "locks_keep_nobody_out": "M10-03",
    "kills_are_forgotten": "M10-04",
    "the_reserve_is_not_imported": "M10-05",
    "nobody_owns_a_row": "M8-11 M8-12 M8-14 M10-06",
}


@pytest.mark.parametrize(
    ("venue", "name"),
    [(venue, name) for venue, tongue in TONGUES.items() for name in breakages(tongue)],
)
async def test_a_card_fails_where_what_it_asks_about_is_broken(
    venue: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tongue = tongue_of(venue)
    cards = [CARDS[n] for n in MUST_FAIL[name].split() if not CARDS[n].skipped_at(tongue)]
    seam = breakages(tongue)[name](monkeypatch, tongue)
    results = await run_all(cards, seam, venue=venue)
    passed = [result.card.number for result in results if result.verdict is not Verdict.FAIL]
    assert passed == []


@pytest.mark.parametrize("venue", TONGUES)
def test_every_card_that_is_run_is_seen_to_fail(venue: str) -> None:
    tongue = tongue_of(venue)
    seen = {number for name in breakages(tongue) for number in MUST_FAIL[name].split()}
    asked = {number for number, card in CARDS.items() if not card.skipped_at(tongue)}
    assert asked - seen == set()


def test_every_breakage_that_is_named_is_made_at_some_venue() -> None:
    made = {name for tongue in TONGUES.values() for name in breakages(tongue)}
    assert made == set(MUST_FAIL)
    assert set(HERE) <= set(TONGUES)
