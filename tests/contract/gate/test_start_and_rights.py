"""With which account and key does the bot start at Gate?"""

import json
from typing import Any

import pytest

from bot.errors import Denied, Incomplete
from bot.exchanges.gate.parse import rights
from bot.exchanges.venues import VENUES
from bot.execute.facts import KINDS
from tests.kit.gate import Rig, connected


def test_the_capability_table_names_every_kind_of_action_and_the_venues_window() -> None:
    row = VENUES["gate"]
    assert row.kinds(is_demo=False) == KINDS
    assert "transfer" not in row.kinds(is_demo=True)
    assert row.window == 60
    assert not row.wants_password


async def test_the_window_is_the_one_that_requests_are_settled_by(rig: Rig) -> None:
    async with connected(rig) as venue:
        assert venue.window == VENUES["gate"].window


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        pytest.param({"margin_mode": 1}, "classic", id="a unified account"),
        pytest.param({"is_tiered": False}, "tiered", id="maintenance of the old kind"),
        pytest.param({"splits": True}, "one-way or in hedge mode", id="split positions"),
    ],
)
async def test_an_account_whose_positions_are_not_understood_is_refused_at_start(
    rig: Rig, changes: dict[str, Any], match: str
) -> None:
    for name, value in changes.items():
        setattr(rig.desk.room, name, value)
    with pytest.raises(Denied, match=match):
        async with connected(rig):
            pass


@pytest.mark.parametrize(
    ("names", "match"),
    [
        pytest.param(("account", "spot", "wallet"), "trade perpetuals", id="no trading"),
        pytest.param(("account", "futures", "spot"), "transfer", id="no transfers"),
        pytest.param(("account", "futures", "wallet"), "spot", id="no look at the spot account"),
        pytest.param((), "FORBIDDEN", id="rights that are not told"),
    ],
)
async def test_a_key_that_lacks_a_right_is_refused_at_start(
    rig: Rig, names: tuple[str, ...], match: str
) -> None:
    rig.desk.room.rights = names
    with pytest.raises(Denied, match=match):
        async with connected(rig):
            pass


async def test_without_transfers_a_key_needs_no_right_for_them(rig: Rig) -> None:
    rig.desk.room.rights = ("account", "futures")
    async with connected(rig, wallets=("futures",)) as venue:
        assert [w.name for w in (await venue.observe()).account.wallets] == ["futures"]


ROW: dict[str, Any] = {"state": 1, "perms": [{"name": "futures", "read_only": True}]}


def test_rights_are_those_of_the_key_in_use() -> None:
    alone = ROW | {"key": {"mode": 1}}
    assert rights(alone, "abcdef123") == {"futures": False}
    ours, others = ROW | {"key": "abcdef*****"}, ROW | {"key": "xyz*****", "perms": []}
    assert rights([others, ours], "abcdef123") == {"futures": False}
    for told in ([others], [ours, ours], [], [ROW], [ROW | {"key": "*****"}],
                 [ours | {"state": 2}], "", [ours | {"perms": None}]):  # fmt: skip
        with pytest.raises(Incomplete):
            rights(json.loads(json.dumps(told)), "abcdef123")
