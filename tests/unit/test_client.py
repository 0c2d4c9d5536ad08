"""A signed request that is not the one that was meant never reaches the gate or the wire."""

from typing import Any

import pytest

from bot.chance import SeededRng
from bot.exchanges.client import Client, Expected
from bot.exchanges.quota import Lane
from bot.execute.denial import DenialCode
from bot.ports import StoppedError
from tests.kit.fakes import FakeClock, OpenGate

MEANT = {"symbol": "BTCUSDT", "amount": "100.00123", "type": "1", "positionSide": "BOTH"}
PATH = "/fapi/v1/positionMargin"


class NoSession:
    """A session that must not be asked for anything but its end."""

    async def close(self) -> None:
        return None


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        (Expected(method="POST", path=PATH, parameters=MEANT), MEANT | {"amount": "100.00124"}),
        (Expected(method="POST", path=PATH, parameters=MEANT), MEANT | {"more": "1"}),
        (Expected(method="POST", path=PATH + "x", parameters=MEANT), MEANT),
        (Expected(method="GET", path=PATH, parameters=MEANT), MEANT),
    ],
    ids=["another amount", "one parameter more", "another path", "another method"],
)
async def test_another_request_than_the_one_meant_is_stopped(
    expected: Expected, sent: dict[str, Any]
) -> None:
    client = Client(
        api_key="k",
        secret="s",
        clock=FakeClock(),
        gateway=None,
        demo=False,
        rng=SeededRng("test"),
        session=NoSession(),
    )
    gate = OpenGate()
    with pytest.raises(StoppedError) as stopped:
        await client.write(
            client.api.fapiPrivatePostPositionMargin, sent, expected, gate, lane=Lane.PROTECT
        )
    assert stopped.value.code == DenialCode.REQUEST_MISMATCH.value
    assert (gate.requests, gate.looks) == ([], 0)
    await client.close()
