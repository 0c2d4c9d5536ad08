"""What holds of the golden table of every venue?

A table is what leaves, byte for byte, and what a documented reply means; it stands in the venue's
own file beside this one, with all that holds there alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal as D

import pytest

from bot.domain.action import AddMargin, RemoveMargin, Transfer
from bot.domain.intent import Outcome
from tests.contract import test_bitget_golden as bitget
from tests.contract import test_bybit_golden as bybit
from tests.contract import test_bybit_golden_coin as bybit_coin
from tests.contract import test_gate_golden as gate
from tests.contract import test_golden_requests as binance
from tests.contract import test_golden_requests_coin as binance_coin
from tests.contract import test_hyperliquid_golden as hyperliquid
from tests.contract import test_kucoin_golden as kucoin
from tests.contract import test_okx_golden as okx
from tests.contract import test_okx_golden_coin as okx_coin
from tests.kit.binance_golden import BINANCE
from tests.kit.binance_golden import COIN as BINANCE_COIN
from tests.kit.bitget_golden import BITGET
from tests.kit.builders import NOON
from tests.kit.bybit_golden import BYBIT
from tests.kit.bybit_golden import COIN as BYBIT_COIN
from tests.kit.gate_golden import GATE
from tests.kit.golden import ABSURD, MOVES, Case, Scene, sends, written
from tests.kit.hyperliquid_golden import HYPERLIQUID
from tests.kit.kucoin_golden import KUCOIN
from tests.kit.okx_golden import COIN as OKX_COIN
from tests.kit.okx_golden import OKX


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a venue is asked, and what for.

    Attributes:
        scene: Who is asked.
        cases: Operations.
        requests: What leaves for each of them.
        shrinks: Of some, what the guard is told: whether an order can only shrink.
    """

    scene: Scene
    cases: Mapping[str, Case]
    requests: Mapping[str, list[str]]
    shrinks: Mapping[str, bool | None] = field(default_factory=dict)


USUAL: Mapping[str, bool | None] = {
    "reduce a long": True,
    "reduce, hedge short": True,
    "place a stop under a long": True,
    "add margin": None,
    "cancel a stop": None,
}
ALL_OPEN, HEDGED = "place a stop for all that is open", "place a stop, hedge short"
TABLES = {
    "binanceusdm": Table(scene=BINANCE, cases=binance.CASES, requests=binance.REQUESTS),
    "binancecoinm": Table(
        scene=BINANCE_COIN, cases=binance_coin.CASES, requests=binance_coin.REQUESTS
    ),
    "bybit": Table(scene=BYBIT, cases=bybit.CASES, requests=bybit.REQUESTS),
    "bybit in coin": Table(scene=BYBIT_COIN, cases=bybit_coin.CASES, requests=bybit_coin.REQUESTS),
    "okx": Table(
        scene=OKX, cases=okx.CASES, requests=okx.REQUESTS,
        shrinks={**USUAL, HEDGED: True, ALL_OPEN: True},
    ),
    "okx in coin": Table(scene=OKX_COIN, cases=okx_coin.CASES, requests=okx_coin.REQUESTS),
    "gate": Table(
        scene=GATE, cases=gate.CASES, requests=gate.REQUESTS,
        shrinks={**USUAL, "place a stop for all, hedge short": True, ALL_OPEN: True,
                 "transfer in": None},
    ),
    "kucoinfutures": Table(
        scene=KUCOIN, cases=kucoin.CASES, requests=kucoin.REQUESTS,
        shrinks={**USUAL, HEDGED: True, ALL_OPEN: True},
    ),
    "bitget": Table(
        scene=BITGET, cases=bitget.CASES, requests=bitget.REQUESTS,
        shrinks={**USUAL, HEDGED: True},
    ),
    "hyperliquid": Table(
        scene=HYPERLIQUID, cases=hyperliquid.CASES, requests=hyperliquid.REQUESTS
    ),
}  # fmt: skip
SILENT = ("binanceusdm", "okx", "gate", "kucoinfutures", "bitget")
"""Where nothing at all is asked before an amount is refused."""
OTHERWISE = ("bybit", "hyperliquid")
"""What they sign is told in their own files: looks that come later, and actions alone."""
EVERY_CASE = [(venue, name) for venue, table in TABLES.items() for name in table.cases]


@pytest.mark.parametrize(("venue", "name"), EVERY_CASE)
async def test_exactly_the_golden_requests_leave_and_their_replies_are_understood(
    venue: str, name: str
) -> None:
    table = TABLES[venue]
    done = await written(table.scene, table.cases[name])
    assert done.lines == table.requests[name]
    assert done.found == table.cases[name].means


@pytest.mark.parametrize("venue", TABLES)
def test_every_operation_has_its_golden_requests_and_no_other_has(venue: str) -> None:
    assert set(TABLES[venue].cases) == set(TABLES[venue].requests)


@pytest.mark.parametrize(
    ("venue", "name"), [case for case in EVERY_CASE if case[0] not in OTHERWISE]
)
async def test_every_private_request_is_signed_over_all_of_itself_with_the_journalled_time(
    venue: str, name: str
) -> None:
    scene = TABLES[venue].scene
    done = await written(scene, TABLES[venue].cases[name])
    assert done.badly_signed == []
    assert {request.signed_at for request in done.signed} <= {NOON}
    for request in done.gate.requests:
        assert (request.signed_at, request.window_ms) == (NOON, scene.dialect.window_ms)


@pytest.mark.parametrize(
    ("venue", "name", "only_shrinks"),
    [
        (venue, name, told)
        for venue, table in TABLES.items()
        for name, told in table.shrinks.items()
    ],
)
async def test_the_guard_is_told_from_the_bytes_whether_an_order_can_only_shrink(
    venue: str, name: str, only_shrinks: bool | None
) -> None:
    done = await written(TABLES[venue].scene, TABLES[venue].cases[name])
    assert [request.is_reduce_only for request in done.gate.requests] == [only_shrinks]


@pytest.mark.parametrize("venue", SILENT)
@pytest.mark.parametrize("amount", ABSURD)
@pytest.mark.parametrize("action", MOVES)
async def test_no_absurd_amount_reaches_the_wire(
    venue: str, amount: str, action: AddMargin | RemoveMargin | Transfer
) -> None:
    case = Case(does=sends(replace(action, amount=D(amount))), means=(Outcome.REJECTED, None))
    done = await written(TABLES[venue].scene, case)
    assert done.found == case.means
    assert done.requests == []
