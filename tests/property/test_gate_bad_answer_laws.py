"""Answers of Gate broken in every way: what is broken is named, and nothing is invented."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, ReducePosition, Transfer
from bot.domain.position import PositionKey, Side
from bot.exchanges.numbers import LARGEST, SMALLEST
from bot.paper.account import FIRST_ID
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
from tests.kit.spoiled import spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
READ = (
    "spot/time", "account/main_keys", "futures/usdt/fee", "futures/usdt/contracts",
    "futures/usdt/risk_limit_tiers", "futures/usdt/positions", "futures/btc/positions",
    "futures/usdt/accounts", "spot/accounts", "futures/usdt/tickers", "futures/usdt/order_book",
    "futures/usdt/candlesticks", "futures/usdt/price_orders",
)  # fmt: skip
STOP = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)
STOP_ID = str(FIRST_ID + 1)
"""The first number that the exchange gives to anything."""
WRITES: tuple[tuple[str, str, Action], ...] = (
    ("POST", "futures/usdt/positions/SOL_USDT/margin",
        AddMargin(key=SOL, amount=D("100.00"), currency="USDT")),
    ("POST", "futures/usdt/orders",
        ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))),
    ("POST", "wallet/transfers", Transfer(
        source="spot", destination="futures", amount=D(50), currency="USDT")),
    ("POST", "futures/usdt/price_orders", STOP),
    ("DELETE", f"futures/usdt/price_orders/{STOP_ID}",
        CancelStop(key=SOL, stop_id=STOP_ID, client_id="plfuzz0002")),
)  # fmt: skip
HISTORY: tuple[tuple[str, Action], ...] = (
    ("futures/usdt/positions/SOL_USDT", WRITES[0][2]),
    ("futures/usdt/orders/t-plfuzz0001", WRITES[1][2]),
    ("futures/usdt/account_book", WRITES[2][2]),
    ("spot/account_book", WRITES[2][2]),
    ("futures/usdt/price_orders", STOP),
)


GATE = Ground(
    venue="gate",
    largest=2 * LARGEST**2,  # of a size: contracts times coins
    smallest=SMALLEST**2,
    prepares=after(STOP),
    bars=24,
)


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(GATE, f"/api/v4/{path}", spoil)


@pytest.mark.parametrize(("method", "path", "action"), WRITES, ids=[path for _, path, _ in WRITES])
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    method: str, path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(
        GATE, f"/api/v4/{path}", action, spoil, method=method
    )


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=[path for path, _ in HISTORY])
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(GATE, f"/api/v4/{path}", action, spoil, was_sent=was_sent)


@pytest.mark.parametrize("path", ["futures/usdt/account_book", "spot/account_book"])
@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_has_lines_of_sane_numbers(path: str, spoil: Spoils) -> None:
    a_broken_ledger_is_named_or_leaves_sane_lines(GATE, f"/api/v4/{path}", WRITES[2][2], spoil)
