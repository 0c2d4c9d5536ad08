"""Answers of KuCoin broken in every way: what is broken is named, and nothing is invented."""

import dataclasses
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import (
    Action,
    AddMargin,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.position import PositionKey, Side
from bot.exchanges.adapter import Adapter
from bot.exchanges.numbers import LARGEST, SMALLEST
from tests.kit.bad_answers import (
    FEW,
    Ground,
    Spoils,
    World,
    a_broken_answer_is_named_or_leaves_sane_numbers,
    a_broken_answer_to_a_write_never_says_rejected,
    a_broken_history_invents_nothing,
    a_broken_ledger_is_named_or_leaves_sane_lines,
)
from tests.kit.spoiled import spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
READ = (
    "v1/timestamp", "v1/user/api-key", "ua/v1/account/mode", "v1/contracts/active",
    "v2/position/getPositionMode", "v1/contracts/risk-limit/SOLUSDTM", "v1/positions",
    "v1/account-overview", "v1/accounts", "v1/mark-price/SOLUSDTM/current", "v1/level2/depth100",
    "v1/kline/query", "v1/funding-rate/XBTUSDTM/current", "v1/stopOrders",
)  # fmt: skip
ADD = AddMargin(key=SOL, amount=D("100.00"), currency="USDT")
REDUCE = ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))
STOP = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)
REMOVE = RemoveMargin(key=SOL, amount=D("25.00"), currency="USDT")
COMES = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
GOES = dataclasses.replace(COMES, source="futures", destination="spot")
WRITES: tuple[tuple[str, Action], ...] = (
    ("v1/position/margin/deposit-margin", ADD),
    ("v1/margin/withdrawMargin", REMOVE),
    ("v1/orders", REDUCE),
    ("v1/orders", STOP),
    ("v3/accounts/universal-transfer", COMES),
    ("v2/transfer-out", GOES),
)
HISTORY: tuple[tuple[str, Action], ...] = (
    ("v1/positions", ADD),
    ("v1/positions", REMOVE),
    ("v1/orders/byClientOid", REDUCE),
    ("v1/orders/byClientOid", STOP),
    ("v1/stopOrders", STOP),
    ("v1/transaction-history", COMES),
    ("v1/transaction-history", GOES),
    ("v1/accounts/ledgers", COMES),
)


async def with_room(world: World, venue: Adapter, action: Action) -> Action:
    """Leave more in the position than it needs."""
    if isinstance(action, RemoveMargin):
        world.engine.move_margin("SOLUSDT", "BOTH", D(50), add=True)
        await venue.observe()
    return action


KUCOIN = Ground(
    venue="kucoinfutures",
    largest=2 * LARGEST**3,  # of a size: lots times their step times coins
    smallest=SMALLEST**3,
    prepares=with_room,
    bars=24,
)


def named(cases: tuple[tuple[str, Action], ...]) -> list[str]:
    return [f"{path} {type(action).__name__}" for path, action in cases]


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(KUCOIN, f"/api/{path}", spoil)


@pytest.mark.parametrize(("path", "action"), WRITES, ids=named(WRITES))
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(KUCOIN, f"/api/{path}", action, spoil)


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=named(HISTORY))
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(KUCOIN, f"/api/{path}", action, spoil, was_sent=was_sent)


@pytest.mark.parametrize("path", ["v1/transaction-history", "v1/funding-history"])
@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_has_lines_of_sane_numbers(path: str, spoil: Spoils) -> None:
    a_broken_ledger_is_named_or_leaves_sane_lines(KUCOIN, f"/api/{path}", COMES, spoil)
