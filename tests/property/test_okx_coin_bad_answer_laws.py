"""Answers of OKX about inverse swaps broken in every way: nothing is invented from them."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, ReducePosition
from bot.domain.position import PositionKey, Side
from bot.exchanges.numbers import LARGEST, SMALLEST
from tests.kit.bad_answers import (
    FEW,
    Ground,
    Spoils,
    a_broken_answer_is_named_or_leaves_sane_numbers,
    a_broken_answer_to_a_write_never_says_rejected,
    a_broken_history_invents_nothing,
)
from tests.kit.coins import a_coin_account
from tests.kit.spoiled import spoilings

BTC = PositionKey("BTC/USD:BTC", Side.LONG)
READ = (
    "public/instruments", "public/position-tiers", "account/positions", "account/balance",
    "market/index-tickers",
)  # fmt: skip
"""Those that say something else of inverse swaps than of linear ones."""
WRITES: tuple[tuple[str, Action], ...] = (
    ("account/position/margin-balance", AddMargin(key=BTC, amount=D("0.01"), currency="BTC")),
    ("trade/order", ReducePosition(key=BTC, size=D(700), limit_price=D("59000.0"))),
)
HISTORY = (("account/bills", WRITES[0][1]), ("trade/order", WRITES[1][1]))
COIN = Ground(
    venue="okx",
    engine=a_coin_account,
    symbols=("BTC/USD:BTC",),
    largest=2 * LARGEST**2,
    smallest=SMALLEST**2,
    bars=24,
)


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(COIN, f"/api/v5/{path}", spoil)


@pytest.mark.parametrize(("path", "action"), WRITES, ids=[a.kind for _, a in WRITES])
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(COIN, f"/api/v5/{path}", action, spoil)


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=[a.kind for _, a in HISTORY])
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(COIN, f"/api/v5/{path}", action, spoil, was_sent=was_sent)
