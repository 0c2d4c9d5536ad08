from datetime import UTC, datetime
from itertools import product
from typing import get_args

import pytest

from bot.domain.action import Action
from bot.domain.mode import Mode
from bot.domain.switch import TABLE, Kind, Pause, Permission, Switches

KINDS: tuple[Kind, ...] = get_args(Kind)
PROTECTIVE: tuple[Kind, ...] = ("add_margin", "reduce_position")
STOPS: tuple[Kind, ...] = ("place_stop", "cancel_stop")
OPTIONAL: tuple[Kind, ...] = ("remove_margin", "transfer")
ALL_CASES = list(product(KINDS, Mode, Pause, (False, True), (False, True)))


def _expected(kind: Kind, mode: Mode, pause: Pause, killed: bool, is_needed: bool) -> bool:
    # The table of the specification, row by row, told as sentences.
    if killed or mode in (Mode.OBSERVE, Mode.KILLED) or pause is Pause.ALL:
        return False
    if kind in OPTIONAL:
        return mode is Mode.NORMAL and pause is Pause.NONE
    if kind in STOPS:
        return mode is Mode.NORMAL or is_needed
    return True


def test_the_strictest_of_mode_and_switch_decides() -> None:
    for kind, mode, pause, killed, is_needed in ALL_CASES:
        switches = Switches(killed=killed, pause=pause)
        allowed = switches.allows(kind, mode=mode, is_needed=is_needed)
        assert allowed is _expected(kind, mode, pause, killed, is_needed), (kind, mode, pause)


def test_a_stricter_mode_or_switch_never_allows_more() -> None:
    for kind, mode, pause, killed, is_needed in ALL_CASES:
        if not Switches(killed=killed, pause=pause).allows(kind, mode=mode, is_needed=is_needed):
            continue
        laxer_modes = list(Mode)[: list(Mode).index(mode) + 1]
        laxer_pauses = list(Pause)[: list(Pause).index(pause) + 1]
        for laxer_mode, laxer_pause in product(laxer_modes, laxer_pauses):
            laxer = Switches(pause=laxer_pause)
            assert laxer.allows(kind, mode=laxer_mode, is_needed=is_needed), (kind, laxer_mode)


def test_every_action_of_the_bot_has_a_row_and_every_row_every_column() -> None:
    own = {action.__dataclass_fields__["kind"].default for action in get_args(Action)}
    assert own <= set(KINDS) == set(TABLE)
    assert all(set(row) == {*Mode, *Pause} for row in TABLE.values())


def test_what_nobody_listed_is_never_allowed() -> None:
    unlisted: Kind = "withdraw"  # type: ignore[assignment]  # what a mistake would pass
    assert Switches().permission(unlisted, mode=Mode.NORMAL) is Permission.NO


def test_a_refusal_is_given_exactly_where_nothing_is_allowed() -> None:
    for kind, mode, pause, killed, is_needed in ALL_CASES:
        switches = Switches(killed=killed, pause=pause)
        refusal = switches.refusal(kind, mode=mode, is_needed=is_needed)
        assert (refusal is None) is switches.allows(kind, mode=mode, is_needed=is_needed)


@pytest.mark.parametrize(
    ("switches", "mode", "code", "text"),
    [
        pytest.param(
            Switches(killed=True, pause=Pause.ALL, why="latched on disk"),
            Mode.OBSERVE,
            "killed",
            "transfer is not allowed: killed, latched on disk",
            id="a kill outranks all",
        ),
        pytest.param(
            Switches(),
            Mode.KILLED,
            "killed",
            "transfer is not allowed: killed",
            id="a mode that remembers the kill",
        ),
        pytest.param(
            Switches(pause=Pause.OPTIONAL, why="told to"),
            Mode.DEGRADED,
            "paused",
            "transfer is not allowed while paused (optional), told to",
            id="a pause outranks the mode",
        ),
        pytest.param(
            Switches(since=datetime(2026, 3, 1, tzinfo=UTC)),
            Mode.DEGRADED,
            "mode_forbids",
            "transfer is not allowed in degraded",
            id="the mode alone",
        ),
    ],
)
def test_a_refusal_names_who_refused(switches: Switches, mode: Mode, code: str, text: str) -> None:
    refusal = switches.refusal("transfer", mode=mode)
    assert refusal is not None
    assert (refusal.code, refusal.text) == (code, text)
