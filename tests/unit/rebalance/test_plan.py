"""Where exactly do the limits of a plan lie: what is just given beside what is just kept?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.account import Wallet
from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.observation import Observation
from bot.rebalance.memory import Memory, Move
from tests.kit.builders import ETH, NOON, a_policy, a_position, an_observation
from tests.kit.deciding import NEEDED_AT_TARGET, decided

KEY = a_position().key
WANTED = NEEDED_AT_TARGET - 6000
"""Of a position with 6,000, which is below its trigger and in no emergency."""
CENT = D("0.01")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


def added(amount: D | int, symbol: str | None = None) -> AddMargin:
    key = KEY if symbol is None else replace(KEY, symbol=symbol)
    return AddMargin(key=key, amount=D(amount), currency="USDT")


def after(*moves: tuple[timedelta, Action], **memory: Any) -> Memory:
    """A memory of moves, each made so long ago."""
    done = tuple(Move(at=NOON - ago, action=action) for ago, action in moves)
    return Memory(moves=done, **memory)


def held(futures: str = "10000", **wallets: str) -> Observation:
    """One position below its trigger, beside these wallets."""
    seen = an_observation(a_position(), futures=futures)
    more = (
        Wallet(name=name, currency="USDT", total=D(free), free=D(free))
        for name, free in wallets.items()
    )
    account = replace(seen.account, wallets=(seen.account.wallets[0], *more))
    return replace(seen, account=account)


def given(
    memory: Memory | None = None, seen: Observation | None = None, /, **limits: Any
) -> Sequence[D]:
    """Return what is added to positions, in order; not what goes back after a close."""
    found = decided(seen or held(), memory=memory, policy=a_policy(**limits))
    adds = [s.action for s in found.approved if isinstance(s.action, AddMargin)]
    return [add.amount for add in adds if not add.after_reduction]


def sent(
    seen: Observation, *, memory: Memory | None = None, **limits: Any
) -> Sequence[tuple[str, D]]:
    """Return what is sent from which wallet, in order."""
    found = decided(seen, memory=memory, policy=a_policy(**limits))
    assert all(
        s.action.destination == "futures" for s in found.approved if isinstance(s.action, Transfer)
    )
    return [
        (s.action.source, s.action.amount) for s in found.approved if isinstance(s.action, Transfer)
    ]


def test_without_limits_it_is_what_the_target_needs() -> None:
    assert given() == [WANTED]
    assert given(max_margin_per_action=D(500)) == [D(500)]


@pytest.mark.parametrize(
    ("limit", "span"), [("max_margin_per_hour", HOUR), ("max_margin_per_day", DAY)]
)
def test_a_budget_of_a_position_is_left_by_what_was_added_in_its_time_and_a_step(
    limit: str, span: timedelta
) -> None:
    assert given(after((span, added(300))), **{limit: D(1000)}) == [D(700) - CENT]
    assert given(after((span + SECOND, added(300))), **{limit: D(1000)}) == [D(1000) - CENT]
    # What others got leaves it as it is.
    assert given(after((SECOND, added(300, ETH))), **{limit: D(1000)}) == [D(1000) - CENT]
    # What is left is less than the smallest move.
    assert given(after((HOUR / 2, added(999))), **{limit: D(1000)}) == []


@pytest.mark.parametrize(
    ("limit", "span"), [("max_moves_per_hour", HOUR), ("max_moves_per_day", DAY)]
)
def test_a_position_gets_three_quarters_of_its_moves_in_their_time(
    limit: str, span: timedelta
) -> None:
    moves = [(span, added(10)), (HOUR / 2, added(11))]
    assert given(after(*moves), **{limit: 4}) == [WANTED]
    assert given(after(*moves, (HOUR / 3, added(12))), **{limit: 4}) == []
    old = (span + SECOND, added(9))
    assert given(after(old, *moves), **{limit: 4}) == [WANTED]


@pytest.mark.parametrize("limit", ["account_budget", "venue_budget", "global_budget"])
def test_each_budget_of_the_account_is_a_share_of_what_it_holds_less_what_the_day_took(
    limit: str,
) -> None:
    # 10,000 in the wallet and 6,000 in the position.
    assert given(**{limit: D("0.1")}) == [D(1600) - CENT]
    spent = after((DAY, added(300)), (HOUR, added(200, ETH)))
    assert given(spent, **{limit: D("0.1")}) == [D(1100) - CENT]
    assert given(after((DAY + SECOND, added(300))), **{limit: D("0.1")}) == [D(1600) - CENT]
    assert given(after((HOUR, added(1700))), **{limit: D("0.1")}) == []


def test_what_is_missing_is_sent_from_one_wallet_after_the_other() -> None:
    both = ("spot", "earn")
    # A step stays in each wallet for the digits of what is sent.
    seen = held("1000.01", spot="500.01", earn="9000")
    assert sent(seen, transfer_from=both) == [("spot", D(500)), ("earn", WANTED - 1500)]
    assert sent(seen, transfer_from=("earn",)) == [("earn", WANTED - 1000)]
    assert sent(seen, transfer_from=("earn", "spot")) == [("earn", WANTED - 1000)]
    # None is sent more than one move may carry, nor less than the least.
    few = sent(seen, transfer_from=both, max_margin_per_action=D(2500))
    assert few == [("spot", D(500)), ("earn", D(1000))]
    seen = held("1000.01", spot="0.99", earn="9000")
    assert sent(seen, transfer_from=both) == [("earn", WANTED - 1000)]
    seen = held("1000.01", spot="1.01", earn="9000")
    assert sent(seen, transfer_from=both) == [("spot", D(1)), ("earn", WANTED - 1001)]


def test_reserves_of_wallets_stay_in_them() -> None:
    seen = held("1000.01", spot="9000")
    reserves = (("futures", D(100)), ("spot", D(8000)))
    assert sent(seen, reserves=reserves) == [("spot", D(1000) - CENT)]
    assert given(None, seen, reserves=reserves) == [D(900)]


def test_a_wallet_below_its_reserve_is_filled_up_first() -> None:
    seen = held("50.01", spot="9000")
    assert sent(seen, reserves=(("futures", D(100)),)) == [("spot", WANTED + 50)]


def test_twins_are_kept_apart_by_a_step_each_for_a_minute() -> None:
    twin, near = added(WANTED), added(WANTED - CENT)
    minute = timedelta(seconds=60)
    assert given(after((minute - SECOND, twin))) == [WANTED - CENT]
    assert given(after((minute, twin))) == [WANTED]
    both = after((minute - SECOND, near), (minute / 2, twin))
    assert given(both) == [WANTED - 2 * CENT]
    # Digits of its own do not make it another amount.
    assert given(after((minute / 2, added(WANTED + CENT / 3)))) == [WANTED - CENT]
    other = replace(twin, key=replace(KEY, symbol=ETH))
    assert given(after((minute / 2, other))) == [WANTED]
    back = RemoveMargin(key=KEY, amount=WANTED, currency="USDT")
    assert given(after((minute / 2, back))) == [WANTED]


def test_a_twin_of_the_least_move_waits() -> None:
    poor = an_observation(a_position(margin="3000"), futures="1.01")
    assert given(None, poor) == [D(1)]
    assert given(after((SECOND, added(1))), poor) == []
