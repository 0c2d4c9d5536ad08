"""A signed request that is not the one that was meant never reaches the gate or the wire."""

from typing import Any

import pytest

from bot.chance import SeededRng
from bot.domain.intent import SignedRequest
from bot.exchanges.binance.dialect import DIALECT
from bot.exchanges.client import Client
from bot.exchanges.dialect import Expected
from bot.exchanges.quota import Lane
from bot.execute.denial import DenialCode
from bot.ports import StoppedError
from tests.kit.fakes import FakeClock, OpenGate

MEANT = {"symbol": "BTCUSDT", "amount": "100.00123", "type": "1", "positionSide": "BOTH"}
PATH = "/fapi/v1/positionMargin"
ORDER, STOP = "/fapi/v1/order", "/fapi/v1/algoOrder"
NAMES = {"newClientOrderId": "pl1", "clientAlgoId": "pl1"}  # else the library wants random ones
SELL = NAMES | {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.5"}


class StoppingGate(OpenGate):
    """A gate that keeps the signed request and lets nothing pass."""

    async def sent(self, request: SignedRequest) -> None:
        await super().sent(request)
        raise StoppedError("stopped", "enough seen")


class NoSession:
    """A session that must not be asked for anything but its end."""

    async def close(self) -> None:
        return None


def a_client() -> Client:
    return Client(
        dialect=DIALECT,
        api_key="k",
        secret="s",
        clock=FakeClock(),
        gateway=None,
        demo=False,
        rng=SeededRng("test"),
        session=NoSession(),
    )


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
    client = a_client()
    gate = OpenGate()
    with pytest.raises(StoppedError) as stopped:
        await client.write(
            client.api.fapiPrivatePostPositionMargin, sent, expected, gate, lane=Lane.PROTECT
        )
    assert stopped.value.code == DenialCode.REQUEST_MISMATCH.value
    assert (gate.requests, gate.looks) == ([], 0)
    await client.close()


@pytest.mark.parametrize(
    ("path", "sent", "said"),
    [
        (ORDER, SELL | {"reduceOnly": "true"}, True),
        (ORDER, SELL | {"reduceOnly": "false"}, False),
        (ORDER, SELL, False),
        (ORDER, SELL | {"positionSide": "BOTH", "reduceOnly": "true"}, True),
        (ORDER, SELL | {"positionSide": "LONG"}, True),
        (ORDER, SELL | {"positionSide": "SHORT"}, False),
        (ORDER, SELL | {"positionSide": "SHORT", "side": "BUY"}, True),
        (ORDER, SELL | {"positionSide": "SHORT", "reduceOnly": "true"}, False),
        (STOP, SELL | {"closePosition": "true"}, True),
        (STOP, SELL, False),
        (PATH, MEANT, None),
    ],
)
async def test_the_signed_request_itself_says_whether_it_can_only_shrink(
    path: str, sent: dict[str, str], said: bool | None
) -> None:
    client = a_client()
    calls = {
        ORDER: client.api.fapiPrivatePostOrder,
        STOP: client.api.fapiPrivatePostAlgoOrder,
        PATH: client.api.fapiPrivatePostPositionMargin,
    }
    gate = StoppingGate()
    expected = Expected(method="POST", path=path, parameters=sent)
    with pytest.raises(StoppedError, match="enough seen"):
        await client.write(calls[path], dict(sent), expected, gate, lane=Lane.PROTECT)
    assert gate.requests[0].is_reduce_only is said
    await client.close()
