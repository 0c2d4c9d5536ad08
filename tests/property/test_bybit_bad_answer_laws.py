"""Answers of Bybit broken in every way: what is broken is named, and nothing is invented."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition, RemoveMargin, Transfer
from bot.domain.position import PositionKey, Side
from bot.exchanges.numbers import LARGEST
from bot.paper.engine import Engine
from tests.kit.bad_answers import (
    FEW,
    Ground,
    Spoils,
    a_broken_answer_is_named_or_leaves_sane_numbers,
    a_broken_answer_to_a_write_never_says_rejected,
    a_broken_history_invents_nothing,
    a_broken_ledger_is_named_or_leaves_sane_lines,
    holding,
)
from tests.kit.spoiled import spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
READ = (
    "/v5/market/time", "/v5/user/query-api", "/v5/market/instruments-info",
    "/v5/market/risk-limit", "/v5/account/fee-rate", "/v5/position/list", "/v5/account/info",
    "/v5/account/wallet-balance", "/v5/account/withdrawal",
    "/v5/asset/transfer/query-account-coins-balance", "/v5/market/tickers",
    "/v5/market/orderbook", "/v5/market/mark-price-kline", "/v5/order/realtime",
)  # fmt: skip
WRITES: tuple[tuple[str, Action], ...] = (
    ("/v5/position/add-margin", AddMargin(key=SOL, amount=D("100.0001"), currency="USDT")),
    ("/v5/position/add-margin", RemoveMargin(key=SOL, amount=D("10.0001"), currency="USDT")),
    ("/v5/order/create", ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))),
    ("/v5/asset/transfer/inter-transfer", Transfer(
        source="spot", destination="futures", amount=D(50), currency="USDT")),
    ("/v5/order/create", PlaceStop(
        key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)),
)  # fmt: skip
HISTORY = (
    ("/v5/position/list", WRITES[0][1]),
    ("/v5/position/list", WRITES[1][1]),
    ("/v5/order/realtime", WRITES[2][1]),
    ("/v5/order/history", WRITES[2][1]),
    ("/v5/asset/transfer/query-inter-transfer-list", WRITES[3][1]),
    ("/v5/order/realtime", WRITES[4][1]),
)
LINES = ("/v5/account/transaction-log", "/v5/asset/transfer/query-inter-transfer-list")


def with_margin_added() -> Engine:
    engine = holding()
    engine.move_margin("SOLUSDT", "BOTH", D(100), add=True)
    return engine


BYBIT = Ground(venue="bybit", engine=with_margin_added, largest=4 * LARGEST)


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(BYBIT, path, spoil)


@pytest.mark.parametrize(("path", "action"), WRITES, ids=[a.kind for _, a in WRITES])
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(BYBIT, path, action, spoil)


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=[f"{a.kind} {p}" for p, a in HISTORY])
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(BYBIT, path, action, spoil, was_sent=was_sent)


@pytest.mark.parametrize("path", LINES)
@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_leaves_lines_of_sane_numbers(path: str, spoil: Spoils) -> None:
    a_broken_ledger_is_named_or_leaves_sane_lines(BYBIT, path, WRITES[3][1], spoil)
