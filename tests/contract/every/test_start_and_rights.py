"""With which keys and symbols does no adapter start or go on?"""

from typing import Any

import pytest

from bot.errors import ConfigError, Denied, Incomplete, Unavailable
from bot.exchanges.adapter import Adapter
from bot.paper.desk import Keys
from bot.paper.faults import Fault, Kind
from tests.kit.binance import BINANCE
from tests.kit.bitget import BITGET
from tests.kit.bybit import BYBIT
from tests.kit.gate import GATE
from tests.kit.kucoin import KUCOIN
from tests.kit.moves import add
from tests.kit.okx import OKX
from tests.kit.rigs import Rig, Stand, send

CUTS: tuple[Kind, ...] = ("abort", "http_503", "html", "half_json")


@pytest.mark.parametrize(
    ("stand", "code"),
    [
        pytest.param(BINANCE, "-2015", id="binanceusdm"),
        pytest.param(BITGET, "40037", id="bitget"),
        pytest.param(BYBIT, "33004", id="bybit"),
        pytest.param(OKX, "50111", id="okx"),
        pytest.param(GATE, "INVALID_KEY", id="gate"),
        pytest.param(KUCOIN, "400003", id="kucoinfutures"),
    ],
    indirect=["stand"],
)
async def test_a_revoked_key_is_denied(venue: Adapter, rig: Rig[Any], code: str) -> None:
    rig.desk.keys = Keys(is_valid=False)
    with pytest.raises(Denied, match=code):
        await venue.observe()


async def test_a_key_that_can_withdraw_is_refused_at_start(
    stand: Stand[Any, Any], rig: Rig[Any]
) -> None:
    rig.desk.keys = Keys(may_withdraw=True)
    with pytest.raises(Denied, match="withdraw"):
        async with stand.connected(rig):
            pass


async def test_a_symbol_that_does_not_exist_is_named_with_its_neighbours(
    stand: Stand[Any, Any], rig: Rig[Any]
) -> None:
    wrong, right = stand.symbol("BTX"), stand.symbol("BTC")
    with pytest.raises(ConfigError, match=rf"{wrong} does not exist.*{right}"):
        async with stand.connected(rig, symbols=(wrong,)):
            pass


async def test_no_secret_is_in_any_text(venue: Adapter, rig: Rig[Any]) -> None:
    texts = [repr(venue._settings)]
    for kind in CUTS:
        # aiohttp repeats a GET whose connection is cut, so a cut must last.
        fault = rig.faults.add(Fault(kind=kind, method="GET"))
        with pytest.raises((Unavailable, Incomplete)) as caught:
            await venue.observe()
        fault.times = 0
        texts.append(str(caught.value))
        rig.faults.add(Fault(kind=kind, method="POST", times=1))
        texts.append(repr(await send(venue, rig, add("1"), f"pl{kind[:4]}")))
    together = " ".join(texts)
    given = venue._settings.api_key, venue._settings.secret
    for secret in ("paper-secret", "paper-key", "paper-word", "signature", *given):
        assert secret not in together
