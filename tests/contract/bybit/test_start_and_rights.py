"""With which account and key does the bot go on at Bybit?"""

from typing import Any

import pytest

from bot.errors import Denied
from bot.exchanges.bybit.adapter import BybitVenue
from bot.paper.faults import Fault
from tests.kit.bybit import Rig, connected


async def test_an_account_that_is_not_unified_is_denied(venue: BybitVenue, rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="account/info",
            rewrite=lambda t: t.replace('"unifiedMarginStatus": 6', '"unifiedMarginStatus": 1'),
        )
    )
    with pytest.raises(Denied, match="unified"):
        await venue.observe()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param(lambda t: t.replace('"AccountTransfer"', '"AccountTransfer", "Withdraw"'),
                     "withdraw", id="may withdraw"),
        pytest.param(lambda t: t.replace('"readOnly": 0', '"readOnly": 1'), "trade", id="read"),
        pytest.param(lambda t: t.replace('"Position"', '"Other"'), "trade", id="no positions"),
        pytest.param(lambda t: t.replace('"AccountTransfer"', ""), "transfer", id="no transfers"),
    ],
)  # fmt: skip
async def test_a_key_with_the_wrong_rights_is_refused_at_start(
    rig: Rig, changed: Any, why: str
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="query-api", rewrite=changed))
    with pytest.raises(Denied, match=why):
        async with connected(rig):
            pass
