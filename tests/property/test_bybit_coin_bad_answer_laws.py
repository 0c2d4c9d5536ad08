"""Answers of Bybit about inverse contracts broken in every way: nothing is invented from them."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition, RemoveMargin
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
)
from tests.kit.coins import a_coin_account
from tests.kit.spoiled import spoilings

BTC = PositionKey("BTC/USD:BTC", Side.LONG)
READ = (
    "/v5/market/instruments-info", "/v5/market/risk-limit", "/v5/account/fee-rate",
    "/v5/position/list", "/v5/account/wallet-balance", "/v5/market/tickers",
)  # fmt: skip
"""Those that say something else of inverse contracts than of linear ones."""
WRITES: tuple[tuple[str, Action], ...] = (
    ("/v5/position/add-margin", AddMargin(key=BTC, amount=D("0.0123"), currency="BTC")),
    ("/v5/position/add-margin", RemoveMargin(key=BTC, amount=D("0.0021"), currency="BTC")),
    ("/v5/order/create", ReducePosition(key=BTC, size=D(701), limit_price=D("59000.0"))),
    ("/v5/order/create", PlaceStop(
        key=BTC, size=D(12_000), stop_price=D("55000.0"), is_needed=True)),
)  # fmt: skip
HISTORY = (
    ("/v5/position/list", WRITES[0][1]),
    ("/v5/position/list", WRITES[1][1]),
    ("/v5/order/realtime", WRITES[2][1]),
)


def with_margin_added() -> Engine:
    engine = a_coin_account()
    engine.move_margin("BTCUSD_PERP", "BOTH", D("0.05"), add=True)
    return engine


COIN = Ground(
    venue="bybit",
    engine=with_margin_added,
    symbols=("BTC/USD:BTC",),
    largest=4 * LARGEST,
    bars=24,
)


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(COIN, path, spoil)


@pytest.mark.parametrize(("path", "action"), WRITES, ids=[a.kind for _, a in WRITES])
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(COIN, path, action, spoil)


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=[f"{a.kind} {p}" for p, a in HISTORY])
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(COIN, path, action, spoil, was_sent=was_sent)


@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_leaves_lines_of_sane_numbers(spoil: Spoils) -> None:
    path = "/v5/account/transaction-log"
    a_broken_ledger_is_named_or_leaves_sane_lines(COIN, path, WRITES[2][1], spoil)
