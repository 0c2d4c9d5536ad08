"""Answers of Bitget broken in every way: what is broken is named, and nothing is invented."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.position import PositionKey, Side
from bot.exchanges.numbers import LARGEST, SMALLEST
from bot.paper.engine import Engine
from tests.kit.bad_answers import (
    FEW,
    Ground,
    Spoils,
    a_broken_answer_is_named_or_leaves_sane_numbers,
    a_broken_answer_to_a_write_never_says_rejected,
    a_broken_history_invents_nothing,
    a_broken_ledger_is_named_or_leaves_sane_lines,
    after,
)
from tests.kit.paper import an_engine
from tests.kit.spoiled import spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
READ = (
    "public/time", "spot/account/info", "spot/account/assets", "mix/market/contracts",
    "mix/market/query-position-lever", "mix/market/tickers", "mix/market/merge-depth",
    "mix/market/history-mark-candles", "mix/account/account", "mix/account/accounts",
    "mix/position/all-position", "mix/order/orders-plan-pending",
)  # fmt: skip
STOP = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)
ADD = AddMargin(key=SOL, amount=D("100.00"), currency="USDT")
REMOVE = RemoveMargin(key=SOL, amount=D("10.00"), currency="USDT")
CANCEL = CancelStop(key=SOL, stop_id="3", client_id="plfuzz0002")
WRITES: tuple[tuple[str, Action], ...] = (
    ("mix/account/set-margin", ADD),
    ("mix/account/set-margin", REMOVE),
    ("mix/order/place-order", ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))),
    ("spot/wallet/transfer", Transfer(
        source="spot", destination="futures", amount=D(50), currency="USDT")),
    ("mix/order/place-tpsl-order", STOP),
    ("mix/order/cancel-plan-order", CANCEL),
)  # fmt: skip
HISTORY: tuple[tuple[str, Action], ...] = (
    ("mix/account/bill", ADD),
    ("mix/account/bill", REMOVE),
    ("mix/order/detail", WRITES[2][1]),
    ("spot/account/transferRecords", WRITES[3][1]),
    ("mix/order/orders-plan-history", STOP),
    ("mix/order/orders-plan-pending", STOP),
)


def holding() -> Engine:
    """Return an exchange where a position has more margin than it must have."""
    engine = an_engine(spot="5000")
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("BTCUSDT", D("-0.1"), leverage=20)
    engine.move_margin("SOLUSDT", "BOTH", D(200), add=True)
    return engine


def names(table: tuple[tuple[str, Action], ...]) -> list[str]:
    """Return what the rows of a table are called."""
    return [f"{path} {type(action).__name__}" for path, action in table]


BITGET = Ground(
    venue="bitget",
    engine=holding,
    largest=4 * LARGEST,  # of a wallet: equity without profit and margins
    smallest=SMALLEST**2,  # of a price step: a digit moved by places
    prepares=after(STOP),
    bars=24,
)


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(BITGET, f"/api/v2/{path}", spoil)


@pytest.mark.parametrize(("path", "action"), WRITES, ids=names(WRITES))
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(BITGET, f"/api/v2/{path}", action, spoil)


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=names(HISTORY))
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(BITGET, f"/api/v2/{path}", action, spoil, was_sent=was_sent)


@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_has_lines_of_sane_numbers(spoil: Spoils) -> None:
    a_broken_ledger_is_named_or_leaves_sane_lines(BITGET, "/api/v2/mix/account/bill", ADD, spoil)
