"""When do Bybit's answers not fit together, so that nothing is seen?"""

import re
from typing import Any

import pytest

from bot.errors import Incomplete
from bot.exchanges.bybit.adapter import BybitVenue
from bot.paper.faults import Fault
from tests.kit.bybit import Rig


@pytest.mark.parametrize(
    "emptied",
    [
        pytest.param(
            lambda t: re.sub(r'"list": \[.*\], "nextP', '"list": [], "nextP', t), id="all"
        ),
        pytest.param(
            lambda t: re.sub(r'"list": \[\{.*?\}, ', '"list": [', t, count=1), id="one of two"
        ),
    ],
)
async def test_a_shorter_list_of_positions_is_not_flat_while_the_account_needs_their_margin(
    venue: BybitVenue, rig: Rig, emptied: Any
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="position/list", rewrite=emptied))
    with pytest.raises(Incomplete, match="must need the same margin"):
        await venue.observe()


async def test_a_list_that_does_not_end_is_incomplete(venue: BybitVenue, rig: Rig) -> None:
    again = Fault(
        kind="rewrite",
        path="position/list",
        rewrite=lambda t: t.replace('"nextPageCursor": ""', '"nextPageCursor": "offset%3A0"'),
    )
    rig.faults.add(again)
    with pytest.raises(Incomplete, match="nextPageCursor"):
        await venue.observe()


async def test_an_inverse_position_is_named_and_nothing_is_decided_beside_it(
    venue: BybitVenue, rig: Rig
) -> None:
    row = '{"symbol": "BTCUSD", "side": "Buy", "size": "100"}'
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="position/list",
            rewrite=lambda t: t.replace('"category": "inverse", "list": []',
                                        f'"category": "inverse", "list": [{row}]'),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="must be linear to be protected, were also BTCUSD"):
        await venue.observe()
