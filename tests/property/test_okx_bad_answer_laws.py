"""Answers of OKX broken in every way: what is broken is named, and nothing is invented."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, ReducePosition, Transfer
from bot.domain.position import PositionKey, Side
from bot.exchanges.numbers import LARGEST, SMALLEST
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
    "public/time", "account/config", "account/trade-fee", "public/instruments",
    "public/position-tiers", "account/positions", "account/balance",
    "account/account-position-risk", "asset/balances", "public/mark-price",
    "market/index-tickers", "market/books", "market/mark-price-candles", "public/funding-rate",
    "trade/orders-algo-pending",
)  # fmt: skip
STOP = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)
WRITES: tuple[tuple[str, Action], ...] = (
    ("account/position/margin-balance",
        AddMargin(key=SOL, amount=D("100.00"), currency="USDT")),
    ("trade/order", ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))),
    ("asset/transfer", Transfer(
        source="spot", destination="futures", amount=D(50), currency="USDT")),
    ("trade/order-algo", STOP),
    ("trade/cancel-algos", CancelStop(key=SOL, stop_id="3", client_id="plfuzz0002")),
)  # fmt: skip
HISTORY: tuple[tuple[str, Action], ...] = (
    ("account/bills", WRITES[0][1]),
    ("trade/order", WRITES[1][1]),
    ("asset/transfer-state", WRITES[2][1]),
    ("trade/order-algo", STOP),
    ("trade/orders-algo-pending", STOP),
)


OKX = Ground(
    venue="okx",
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
    a_broken_answer_is_named_or_leaves_sane_numbers(OKX, f"/api/v5/{path}", spoil)


@pytest.mark.parametrize(("path", "action"), WRITES, ids=[path for path, _ in WRITES])
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(OKX, f"/api/v5/{path}", action, spoil)


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=[path for path, _ in HISTORY])
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(OKX, f"/api/v5/{path}", action, spoil, was_sent=was_sent)


@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_has_lines_of_sane_numbers(spoil: Spoils) -> None:
    a_broken_ledger_is_named_or_leaves_sane_lines(OKX, "/api/v5/account/bills", WRITES[0][1], spoil)
