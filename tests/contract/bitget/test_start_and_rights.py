"""With which account and key does the bot start at Bitget?"""

import pytest

from bot.errors import Denied, Incomplete
from bot.exchanges.venues import VENUES
from bot.execute.facts import KINDS
from bot.paper.faults import Fault
from tests.kit.bitget import Rig, connected


def test_the_capability_table_names_every_kind_of_action_and_the_venues_window() -> None:
    row = VENUES["bitget"]
    assert row.kinds(is_demo=False) == KINDS
    assert "transfer" not in row.kinds(is_demo=True)
    assert row.window == 30
    assert row.wants_password


async def test_an_account_of_the_unified_kind_is_refused_at_start(rig: Rig) -> None:
    rig.desk.room.is_unified = True
    with pytest.raises(Denied, match="Unified Account"):
        async with connected(rig):
            pass


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ('"coor", "wtow"', "able to trade"),
        ('"coow", "wtor"', "able to transfer"),
        ('"trade", "withdraw"', "able to withdraw"),
        ('"coow", "wtow", "WWOW"', "able to withdraw"),
        ('"readonly"', "able to trade"),
    ],
)
async def test_a_key_with_too_few_rights_or_too_many_is_refused_at_start(
    rig: Rig, words: str, why: str
) -> None:
    def rights(text: str) -> str:
        before, _, after = text.partition('"authorities": [')
        return f'{before}"authorities": [{words}]{after.partition("]")[2]}'

    rig.faults.add(Fault(kind="rewrite", path="account/info", rewrite=rights))
    with pytest.raises(Denied, match=why):
        async with connected(rig):
            pass


async def test_a_key_of_which_no_rights_are_told_is_not_used(rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path="account/info",
            rewrite=lambda text: text.replace("authorities", "gone"),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="authorities"):
        async with connected(rig):
            pass


async def test_who_does_not_transfer_needs_no_right_to(rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path="account/info", rewrite=lambda text: text.replace("wtow", "wtor")
        )
    )  # fmt: skip
    async with connected(rig, wallets=("futures",)) as venue:
        assert [w.name for w in (await venue.observe()).account.wallets] == ["futures"]


async def test_a_wrong_passphrase_is_denied_and_said_by_nobody(rig: Rig) -> None:
    with pytest.raises(Denied, match="40012") as caught:
        async with connected(rig, password="not-the-word"):
            pass
    assert "not-the-word" not in str(caught.value)
