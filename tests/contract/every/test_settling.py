"""How does every adapter find out what became of a request?"""

from collections.abc import Sequence
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import Action, Transfer
from bot.domain.intent import Outcome
from bot.exchanges.adapter import Adapter
from bot.exchanges.venues import VENUES
from bot.paper.faults import Fault
from bot.rebalance.memory import amount_of
from tests.kit.binance import BINANCE
from tests.kit.bitget import BITGET
from tests.kit.bybit import BYBIT
from tests.kit.fakes import an_open_gate
from tests.kit.gate import GATE
from tests.kit.hyperliquid import HYPERLIQUID
from tests.kit.kucoin import KUCOIN
from tests.kit.moves import add, move, reduce, remove, stop
from tests.kit.okx import OKX
from tests.kit.rigs import Rig, Stand, an_intent_now

WITH_HISTORY: Sequence[Stand[Any, Any]] = (BINANCE, BITGET, OKX)
"""They list moves of margin; others show what a position has, so it must have been seen before."""


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(add("12.7501"), id="add"),
        pytest.param(remove("5.0001"), id="remove"),
        pytest.param(reduce(), id="order"),
        pytest.param(move(), id="transfer in"),
        pytest.param(move("futures", "spot"), id="transfer out"),
        pytest.param(stop(), id="stop"),
    ],
)
@pytest.mark.parametrize("has_effect", [True, False])
async def test_an_unknown_effect_is_settled_by_what_the_venue_shows(
    stand: Stand[Any, Any], venue: Adapter, rig: Rig[Any], action: Action, has_effect: bool
) -> None:
    if isinstance(action, Transfer) and not VENUES[stand.venue].transfers:
        pytest.skip("no bot moves money between wallets there")
    rig.engine.move_margin("SOLUSDT", "BOTH", D(50), add=True)
    await venue.observe()
    rig.faults.add(Fault(kind="abort_after" if has_effect else "abort", method="POST", times=1))
    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    wanted = amount_of(action) if has_effect else D(0)
    assert (await venue.settle(intent)).applied == wanted
    await rig.pace.sleep(60)
    await venue.observe()
    assert (await venue.settle(intent)).applied == wanted


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(add("12.75"), id="margin"),
        pytest.param(reduce(), id="order"),
        pytest.param(move(), id="transfer in"),
        pytest.param(move("futures", "spot"), id="transfer out"),
        pytest.param(stop(), id="stop"),
    ],
)
@pytest.mark.parametrize("has_effect", [True, False])
@pytest.mark.parametrize(
    "stand", [pytest.param(stand, id=stand.venue) for stand in WITH_HISTORY], indirect=True
)
async def test_a_history_of_moves_needs_no_look_from_before(
    venue: Adapter, rig: Rig[Any], action: Action, has_effect: bool
) -> None:
    rig.faults.add(Fault(kind="abort_after" if has_effect else "abort", method="POST", times=1))
    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied == (amount_of(action) if has_effect else D(0))


@pytest.mark.parametrize(
    ("stand", "action", "code"),
    [
        pytest.param(BINANCE, reduce(), "-4116", id="binanceusdm-order"),
        pytest.param(BITGET, reduce(), "40786", id="bitget-order"),
        pytest.param(BITGET, stop(), "40786", id="bitget-stop"),
        pytest.param(BITGET, move(), "43118", id="bitget-transfer"),
        pytest.param(BYBIT, reduce(), "110072", id="bybit-order"),
        pytest.param(BYBIT, move(), "131214", id="bybit-transfer"),
        pytest.param(OKX, reduce(), "51016", id="okx-order"),
        pytest.param(OKX, stop(), "51065", id="okx-stop"),
        pytest.param(OKX, move(), "50071", id="okx-transfer"),
        pytest.param(GATE, reduce(), "ORDER_EXISTS", id="gate-order"),
        pytest.param(GATE, stop(), "ORDER_EXISTS", id="gate-stop"),
        pytest.param(KUCOIN, reduce(), "300018", id="kucoinfutures-order"),
        pytest.param(KUCOIN, stop(), "300018", id="kucoinfutures-stop"),
        pytest.param(KUCOIN, move(), "300018", id="kucoinfutures-transfer"),
        pytest.param(HYPERLIQUID, reduce(), "unlisted", id="hyperliquid-order"),
        pytest.param(HYPERLIQUID, stop(), "unlisted", id="hyperliquid-stop"),
    ],
    indirect=["stand"],
)
async def test_the_same_id_twice_is_unknown_changes_nothing_and_is_settled_as_done(
    venue: Adapter, rig: Rig[Any], action: Action, code: str
) -> None:
    def booked() -> tuple[object, ...]:
        held = {key: holding.amount for key, holding in rig.engine.holdings.items()}
        return dict(rig.engine.cross), held, entries()

    def entries() -> int:
        return len(rig.engine.orders) + len(rig.engine.transfers)

    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
    await rig.pace.sleep(4)
    before = booked()
    assert entries() == 1
    again = await venue.execute(intent, an_open_gate())
    assert (again.outcome, again.code) == (Outcome.UNKNOWN, code)
    assert booked() == before
    assert (await venue.settle(intent)).applied == amount_of(action)
