"""With which keys does the bot not start at Hyperliquid, and when does it stop?"""

from typing import Any

import pytest

from bot.domain.intent import Outcome
from bot.errors import Denied
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.paper.desk import Keys
from bot.paper.faults import Fault
from tests.kit.hyperliquid import OWNER, WALLET, Rig, connected
from tests.kit.moves import add
from tests.kit.rigs import send


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"api_key": "paper-key"}, "owner's address", id="no address"),
        pytest.param({"secret": "paper-secret"}, "64 hexadecimal", id="no key"),
        pytest.param({"secret": OWNER}, "can withdraw", id="the owner's key"),
        pytest.param({"secret": "7" * 64}, "no agent's", id="nobody's key"),
        pytest.param({"api_key": "0x" + "1" * 40}, "another's", id="another's agent"),
    ],
)
async def test_a_key_that_is_not_that_of_the_owners_agent_is_refused(
    rig: Rig, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(Denied, match=why) as caught:
        async with connected(rig, **changes):
            pass
    assert OWNER not in str(caught.value)


async def test_an_address_may_be_written_in_capitals(rig: Rig) -> None:
    async with connected(rig, api_key="0x" + WALLET[2:].upper()) as venue:
        assert len((await venue.observe()).account.positions) == 2
        assert rig.said("info/clearinghouseState")["user"] == WALLET


@pytest.mark.parametrize("kind", ["unifiedAccount", "portfolioMargin", "dexAbstraction", "new"])
async def test_an_account_whose_dollars_are_not_apart_is_refused(rig: Rig, kind: str) -> None:
    rig.desk.room.abstraction = kind
    with pytest.raises(Denied, match=kind):
        async with connected(rig):
            pass


async def test_a_revoked_agent_is_rejected_and_the_next_look_is_denied(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.desk.keys = Keys(is_valid=False)
    done = await send(venue, rig, add("1"))
    assert (done.outcome, done.code) == (Outcome.REJECTED, "agent")
    with pytest.raises(Denied, match="no agent's"):
        await venue.observe()


async def test_an_agent_is_looked_at_every_hour(venue: HyperliquidVenue, rig: Rig) -> None:
    await venue.observe()
    assert rig.count("info/userRole") == 1
    rig.engine.advance(rig.engine.now_ms + 3_600_001)
    await venue.observe()
    assert rig.count("info/userRole") == 2


async def test_nothing_that_is_read_is_signed(venue: HyperliquidVenue, rig: Rig) -> None:
    rig.faults.add(Fault(kind="http_503", method="POST"))
    await venue.observe()
    assert all(method == "GET" for method, _, _ in rig.desk.requests)
