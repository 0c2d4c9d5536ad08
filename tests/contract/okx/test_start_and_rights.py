"""With which account and key does the bot start at OKX?"""

import pytest

from bot.errors import Denied
from bot.exchanges.venues import VENUES
from bot.execute.facts import KINDS
from bot.paper.faults import Fault
from tests.kit.okx import Rig, connected


def test_the_capability_table_names_every_kind_of_action_and_the_venues_window() -> None:
    row = VENUES["okx"]
    assert row.kinds(is_demo=False) == KINDS
    assert "transfer" not in row.kinds(is_demo=True)
    assert row.window == 30
    assert row.wants_password


async def test_an_account_in_spot_mode_is_refused_at_start(rig: Rig) -> None:
    rig.desk.room.level = "1"
    with pytest.raises(Denied, match="futures mode"):
        async with connected(rig):
            pass


async def test_a_key_that_cannot_trade_is_refused_at_start(rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path="account/config",
            rewrite=lambda text: text.replace("read_only,trade", "read_only"),
        )
    )  # fmt: skip
    with pytest.raises(Denied, match="able to trade"):
        async with connected(rig):
            pass


async def test_a_wrong_passphrase_is_denied_and_said_by_nobody(rig: Rig) -> None:
    with pytest.raises(Denied, match="50105") as caught:
        async with connected(rig, password="not-the-word"):
            pass
    assert "not-the-word" not in str(caught.value)
