"""What leaves every adapter, how often, and what is said of it?"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.domain.intent import Outcome
from bot.errors import Unavailable
from bot.exchanges.adapter import Adapter
from bot.paper.faults import Fault, Kind
from tests.kit.binance import BINANCE
from tests.kit.bitget import BITGET
from tests.kit.bybit import BYBIT
from tests.kit.gate import GATE
from tests.kit.hyperliquid import HYPERLIQUID
from tests.kit.kucoin import KUCOIN
from tests.kit.moves import add, move, remove
from tests.kit.okx import OKX
from tests.kit.rigs import Rig, Stand, send

MARGIN: Mapping[Stand[Any, Any], str] = {
    BINANCE: "positionMargin",
    BITGET: "set-margin",
    BYBIT: "add-margin",
    OKX: "position/margin-balance",
    GATE: "SOL_USDT/margin",
    KUCOIN: "deposit-margin",
    HYPERLIQUID: "updateIsolatedMargin",
}
PRECISE: Mapping[Stand[Any, Any], tuple[str, str]] = {
    BINANCE: ("1.000000001", "multiple of 1E-8"),
    BITGET: ("1.000000001", "multiple of 1E-8"),
    BYBIT: ("1.00001", "multiple of 0.0001"),
    OKX: ("1.000000001", "multiple of 1E-8"),
    GATE: ("1.000000001", "multiple of 1E-8"),
    KUCOIN: ("1.000000001", "multiple of 1E-8"),
    HYPERLIQUID: ("1.0000001", "multiple of 0.000001"),
}
WITHOUT_CODES: Sequence[Stand[Any, Any]] = (HYPERLIQUID,)
"""Who asks too often is told so by the status alone there, which proves nothing of a write."""
IMPOSSIBLE = {
    "negative": ("-5", "finite and > 0"),
    "zero": ("0", "finite and > 0"),
    "NaN": ("NaN", "finite and > 0"),
    "infinite": ("Infinity", "finite and > 0"),
}


@pytest.mark.parametrize(
    ("stand", "amount", "why"),
    [
        pytest.param(stand, amount, why, id=f"{stand.venue}-{name}")
        for stand, precise in PRECISE.items()
        for name, (amount, why) in (IMPOSSIBLE | {"too precise": precise}).items()
    ],
    indirect=["stand"],
)
async def test_an_impossible_amount_never_leaves(
    venue: Adapter, rig: Rig[Any], amount: str, why: str
) -> None:
    await venue.observe()
    before = len(rig.desk.requests)
    for action in (add(amount), remove(amount), move(amount=amount)):
        done = await send(venue, rig, action)
        assert done.outcome is Outcome.REJECTED
        assert why in done.text
    assert len(rig.desk.requests) == before


@pytest.mark.parametrize(
    ("kind", "outcome", "has_effect"),
    [
        pytest.param("abort", Outcome.UNKNOWN, False, id="cut before"),
        pytest.param("abort_after", Outcome.UNKNOWN, True, id="cut after"),
        pytest.param("http_503", Outcome.UNKNOWN, False, id="503 before"),
        pytest.param("http_503_after", Outcome.UNKNOWN, True, id="503 after"),
        pytest.param("timeout_1007", Outcome.UNKNOWN, True, id="timed out inside"),
        pytest.param("html", Outcome.UNKNOWN, False, id="a page"),
        pytest.param("empty", Outcome.UNKNOWN, False, id="nothing"),
        pytest.param("half_json", Outcome.UNKNOWN, True, id="half a body"),
        pytest.param("rate_429", Outcome.REJECTED, False, id="too many requests"),
    ],
)
@pytest.mark.parametrize(
    ("stand", "path"),
    [pytest.param(stand, path, id=stand.venue) for stand, path in MARGIN.items()],
    indirect=["stand"],
)
async def test_a_write_is_sent_once_and_what_is_not_proven_is_unknown(
    stand: Stand[Any, Any],
    venue: Adapter,
    rig: Rig[Any],
    path: str,
    kind: Kind,
    outcome: Outcome,
    has_effect: bool,
) -> None:
    await venue.observe()
    fault = rig.faults.add(Fault(kind=kind, method="POST", path=path))
    done = await send(venue, rig, add("12.75"))
    if kind == "rate_429" and stand in WITHOUT_CODES:
        outcome = Outcome.UNKNOWN
    assert done.outcome is outcome, done
    assert fault.hits == 1
    assert bool(rig.engine.margin_moves) is has_effect


async def test_a_refused_connection_is_rejected_since_nothing_left(
    venue: Adapter, rig: Rig[Any]
) -> None:
    await venue.observe()
    assert rig.server._runner is not None
    await rig.server._runner.cleanup()
    done = await send(venue, rig, add("1"))
    assert (done.outcome, done.code) == (Outcome.REJECTED, "not_connected")
    with pytest.raises(Unavailable):
        await venue.observe()
