"""With which account and key does the bot start at KuCoin?"""

from collections.abc import Callable

import pytest

from bot.errors import Denied, Incomplete
from bot.exchanges.venues import VENUES
from bot.execute.facts import KINDS
from bot.paper.faults import Fault
from tests.kit.kucoin import Rig, connected


def test_the_capability_table_names_every_kind_of_action_and_the_venues_window() -> None:
    row = VENUES["kucoinfutures"]
    assert row.kinds(is_demo=False) == KINDS
    assert row.window == 5
    assert row.wants_password
    assert not row.has_tests


async def test_a_unified_account_is_refused_since_these_endpoints_would_show_nothing(
    rig: Rig,
) -> None:
    rig.desk.room.is_unified = True
    with pytest.raises(Denied, match="classic"):
        async with connected(rig):
            pass


async def test_an_account_that_is_made_a_unified_one_is_not_taken_for_a_flat_one(
    rig: Rig,
) -> None:
    async with connected(rig) as venue:
        await venue.observe()
        rig.engine.holdings.clear()
        assert (await venue.observe()).account.positions == ()
        rig.desk.room.is_unified = True
        with pytest.raises(Denied, match="classic"):
            await venue.observe()


def with_rights(words: str) -> Callable[[str], str]:
    return lambda text: text.replace("General,Spot,Futures,InnerTransfer", words)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        pytest.param("General,InnerTransfer", "able to trade futures", id="cannot trade"),
        pytest.param("General,Futures", "flexible transfers", id="cannot move"),
        pytest.param("General,Futures,InnerTransfer,Transfer", "withdraw", id="withdraws"),
        pytest.param("General,Futures,InnerTransfer,Withdrawal", "withdraw", id="by its name"),
        pytest.param("General, Futures, InnerTransfer, Transfer", "withdraw", id="with blanks"),
    ],
)
async def test_a_key_with_too_few_or_too_many_rights_is_refused(
    rig: Rig, words: str, why: str
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="user/api-key", rewrite=with_rights(words)))
    with pytest.raises(Denied, match=why):
        async with connected(rig):
            pass


async def test_a_key_that_moves_nothing_is_enough_where_no_wallet_is_named(rig: Rig) -> None:
    rig.faults.add(
        Fault(kind="rewrite", path="user/api-key", rewrite=with_rights("General,Futures"))
    )
    async with connected(rig, wallets=("futures",)) as venue:
        assert [w.name for w in (await venue.observe()).account.wallets] == ["futures"]


async def test_a_wrong_passphrase_is_denied_and_said_by_nobody(rig: Rig) -> None:
    with pytest.raises(Denied, match="400004") as caught:
        async with connected(rig, password="not-the-word"):
            pass
    assert "not-the-word" not in str(caught.value)


@pytest.mark.parametrize("word", ["2", '"hedge"', "null"])
async def test_an_unknown_position_mode_is_no_start(rig: Rig, word: str) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path="getPositionMode",
            rewrite=lambda text: text.replace('"positionMode": 0', f'"positionMode": {word}'),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="positionMode"):
        async with connected(rig):
            pass
