from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.account import Wallet
from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.rebalance.claims import (
    OLDEST,
    Claim,
    Landed,
    arrived,
    claimed,
    ending,
    kept,
    returned,
    surplus,
    unseen,
)
from tests.kit.builders import NOON, a_position, an_observation

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D(100), currency="USDT")
ACCOUNT = an_observation(a_position(), futures="1000", spot="500").account


def claim(at_most: int, *, wallet: str = "futures", seconds: float = 15) -> Claim:
    return Claim(
        wallet=wallet,
        currency="USDT",
        at_most=D(at_most),
        until=NOON + timedelta(seconds=seconds),
    )


def after(*effects: Action, claims: tuple[Claim, ...] = ()) -> tuple[Claim, ...]:
    return claimed(claims, ACCOUNT, effects=effects, unsettled=(), at=NOON)


def test_a_wallet_holds_at_most_what_was_seen_less_what_left_and_more_by_what_came() -> None:
    assert after(ADD) == (claim(900),)
    assert after(RemoveMargin(key=KEY, amount=D(30), currency="USDT")) == (claim(1030),)
    assert after(ADD, claims=(claim(950),)) == (claim(850),)
    assert after(ADD, claims=(claim(2000),)) == (claim(900),)


def test_a_reduction_and_what_is_put_back_of_it_claim_nothing() -> None:
    back = AddMargin(key=KEY, amount=D(100), currency="USDT", after_reduction=True)
    order = ReducePosition(key=KEY, size=D(1), limit_price=D(60000))
    assert after(order, back) == ()


def test_a_wallet_that_is_not_known_is_not_claimed() -> None:
    stranger = Transfer(source="earn", destination="margin", amount=D(5), currency="USDT")
    assert after(stranger) == ()
    known = replace(stranger, source="spot")
    assert after(known) == (claim(495, wallet="spot"),)


def test_what_turns_out_not_to_have_left_may_be_there_again() -> None:
    claims = (claim(900), claim(450, wallet="spot"))
    assert returned(claims, ADD, sent=D(100), applied=D(40)) == (claim(960), claims[1])
    assert returned(claims, ADD, sent=D(100), applied=D(100)) == claims


def test_a_claim_of_what_is_not_settled_lasts_as_long_as_an_answer_may_be_old() -> None:
    claims = (claim(900, seconds=5), claim(450, wallet="spot", seconds=300))
    assert kept(claims, at=NOON) == (claim(900), claims[1])


@pytest.mark.parametrize("is_known", [True, False])
def test_where_something_will_arrive_it_has_not_until_that_is_proven(is_known: bool) -> None:
    move = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
    effects, unsettled = ((move,), ()) if is_known else ((), (move,))
    found = claimed((), ACCOUNT, effects=effects, unsettled=unsettled, at=NOON)
    assert found == (claim(1000, seconds=300), claim(450, wallet="spot"))


def test_once_it_is_proven_a_claim_ends_with_the_oldest_answer() -> None:
    move = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
    claims = (claim(1000, seconds=300), claim(450, wallet="spot", seconds=20))
    now = NOON + timedelta(seconds=30)
    assert ending(claims, move, at=now) == (claim(1000, seconds=45), claims[1])
    over = NOON + timedelta(seconds=300)
    assert ending(claims, move, at=over) == claims
    others = (claim(450, wallet="spot", seconds=300),)
    assert ending(others, move, at=now) == others


def landed(amount: int, *, seconds: float = 15, wallet: str = "futures") -> Landed:
    move = Transfer(source="spot", destination=wallet, amount=D(amount), currency="USDT")
    return Landed(transfer=move, until=NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("shown", "claims", "came", "missing"),
    [
        (1000, (claim(1050),), landed(50), 50),
        (1050, (claim(1050),), landed(50), 0),
        (1020, (claim(1050),), landed(50), 30),
        (2000, (claim(1050),), landed(50), 0),
        (900, (claim(1050),), landed(50), 50),
        (1000, (claim(1050, seconds=0),), landed(50), 0),
        (1000, (claim(1050),), landed(50, seconds=0), 0),
        (1000, (claim(1050, wallet="spot"),), landed(50), 0),
        (1000, (claim(1050),), landed(50, wallet="earn"), 0),
        (1000, (), landed(50), 0),
    ],
)
def test_what_arrived_and_does_not_show_is_what_the_reading_lacks(
    shown: int, claims: tuple[Claim, ...], came: Landed, missing: int
) -> None:
    wallet = Wallet(name="futures", currency="USDT", total=D(shown), free=D(shown))
    assert unseen((came,), claims, wallet, at=NOON) == missing


def test_an_old_reading_does_not_take_what_arrived_from_the_claim() -> None:
    found = claimed(
        (claim(1050),), ACCOUNT, effects=(ADD,), unsettled=(), at=NOON, landed=(landed(50),)
    )
    assert found == (claim(950),)


def test_without_an_account_only_claims_that_still_run_stay() -> None:
    old, young = claim(10, seconds=0), claim(20, wallet="spot", seconds=0.001)
    assert claimed((old, young), None, effects=(ADD,), unsettled=(), at=NOON) == (young,)


def test_a_reading_above_a_claim_is_not_believed_until_the_claim_ends() -> None:
    claims = (claim(900, wallet="spot"), claim(900))
    until = NOON + OLDEST
    just_before = until - timedelta(milliseconds=1)
    assert surplus(claims, "futures", "USDT", total=D(1000), at=just_before) == 100
    assert surplus(claims, "futures", "USDT", total=D(800), at=NOON) == 0
    assert surplus(claims, "futures", "USDT", total=D(1000), at=until) == 0
    assert surplus(claims, "futures", "USDC", total=D(1000), at=NOON) == 0


def test_a_transfer_that_arrived_raises_its_destination_and_other_moves_raise_nothing() -> None:
    move = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
    claims = (claim(900), claim(450, wallet="spot"))
    assert arrived(claims, move, applied=D(40)) == (claim(940), claim(450, wallet="spot"))
    assert arrived(claims, ADD, applied=D(100)) == claims
