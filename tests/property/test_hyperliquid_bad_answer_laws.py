"""Answers of Hyperliquid broken in every way: what is broken is named, and nothing is invented."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, ReducePosition
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
from tests.kit.hyperliquid import PRIVATE, WALLET
from tests.kit.spoiled import spoilings

SOL = PositionKey("SOL/USDC:USDC", Side.LONG)
READ = (
    "exchangeStatus", "userRole", "userAbstraction", "userFees", "metaAndAssetCtxs",
    "clearinghouseState", "spotClearinghouseState", "l2Book", "candleSnapshot",
    "frontendOpenOrders",
)  # fmt: skip
ADD = AddMargin(key=SOL, amount=D("100.00"), currency="USDC")
REDUCE = ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))
STOP = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)
WRITES: tuple[tuple[str, Action], ...] = (
    ("updateIsolatedMargin", ADD),
    ("order", REDUCE),
    ("order", STOP),
    ("cancel", CancelStop(key=SOL, stop_id="3", client_id="plfuzz0002")),
)
HISTORY: tuple[tuple[str, Action], ...] = (
    ("clearinghouseState", ADD),
    ("orderStatus", REDUCE),
    ("userFillsByTime", REDUCE),
    ("orderStatus", STOP),
)
LEDGER = ("userFillsByTime", "userFunding", "userNonFundingLedgerUpdates")


HYPERLIQUID = Ground(
    venue="hyperliquid",
    symbols=("BTC/USDC:USDC", "SOL/USDC:USDC"),
    largest=2 * LARGEST**2,  # of a margin: size times entry
    smallest=SMALLEST**2,
    prepares=after(STOP),
    bars=24,
    key=WALLET,
    secret=PRIVATE,
)


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Spoils
) -> None:
    a_broken_answer_is_named_or_leaves_sane_numbers(HYPERLIQUID, f"/info/{path}", spoil)


@pytest.mark.parametrize(
    ("path", "action"), WRITES, ids=[type(action).__name__ for _, action in WRITES]
)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Spoils
) -> None:
    a_broken_answer_to_a_write_never_says_rejected(HYPERLIQUID, f"/exchange/{path}", action, spoil)


@pytest.mark.parametrize(("path", "action"), HISTORY)
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Spoils, was_sent: bool
) -> None:
    a_broken_history_invents_nothing(HYPERLIQUID, f"/info/{path}", action, spoil, was_sent=was_sent)


@pytest.mark.parametrize("path", LEDGER)
@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_has_lines_of_sane_numbers(path: str, spoil: Spoils) -> None:
    a_broken_ledger_is_named_or_leaves_sane_lines(HYPERLIQUID, f"/info/{path}", REDUCE, spoil)
