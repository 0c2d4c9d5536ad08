from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, CancelStop, ReducePosition, RemoveMargin, Transfer
from bot.domain.instrument import MarginRelease
from bot.rebalance.project import project, reduced, released_by
from tests.kit.builders import BTC, ETH, a_position, a_stop, an_instrument, an_observation

KEY = a_position().key
RULES = {BTC: an_instrument()}
NO_FEE_OF = D("0.0005")


@given(
    lots=st.integers(1, 1000),
    side=st.sampled_from(["1", "-1"]),
    price=st.integers(50_000, 70_000),
    release=st.sampled_from([MarginRelease.PRO_RATA, MarginRelease.STAYS]),
)
def test_a_reduction_at_mark_changes_what_is_owned_by_its_fee_alone(
    lots: int, side: str, price: int, release: MarginRelease
) -> None:
    position = a_position(size=side, mark=str(price), margin="6000")
    rules = an_instrument(margin_release=release)
    size = D(lots) / 1000
    brought = released_by(position, rules, size=size, price=D(price))
    rest = reduced(position, rules, size=size)

    def owned(margin: D, held: D) -> D:
        return margin + held * (price - position.entry_price)

    before = owned(position.margin, position.size)
    after = brought + (owned(rest.margin, rest.size) if rest is not None else D(0))
    assert before - after == size * price * NO_FEE_OF
    assert (rest is None) == (lots == 1000)


def test_where_it_is_unknown_what_is_released_neither_side_is_given_it() -> None:
    position, rules = a_position(), an_instrument(margin_release=MarginRelease.UNKNOWN)
    rest = reduced(position, rules, size=D("0.25"))
    assert rest is not None
    assert rest.margin == D(4500)
    # A quarter at its entry brings nothing but the fee of 15,000.
    assert released_by(position, rules, size=D("0.25"), price=D(60000)) == D("-7.5")
    # Closing all of it releases all of it, whatever the rule.
    assert released_by(position, rules, size=D(1), price=D(60000)) == D(5970)


def test_one_of_two_positions_is_changed_and_the_other_stays_in_its_place() -> None:
    account = an_observation(a_position(BTC), a_position(ETH, mark="3000", entry="3000")).account
    rules = {BTC: an_instrument(), ETH: an_instrument(ETH)}
    other = a_position(ETH).key
    action = ReducePosition(key=other, size=D("0.4"), limit_price=D(3000))
    after = project(account, rules, action, wallet="futures")
    assert [(p.symbol, p.size) for p in after.positions] == [(BTC, D(1)), (ETH, D("0.6"))]
    closed = ReducePosition(key=KEY, size=D(1), limit_price=D(60000))
    after = project(account, rules, closed, wallet="futures")
    assert [p.symbol for p in after.positions] == [ETH]


def test_what_is_sent_leaves_one_wallet_for_the_other() -> None:
    account = an_observation(a_position(), futures="1000", spot="500").account
    move = Transfer(source="spot", destination="futures", amount=D(50), currency="USDT")
    after = project(account, RULES, move, wallet="futures")
    assert [(w.name, w.total, w.free) for w in after.wallets] == [
        ("futures", D(1050), D(1050)),
        ("spot", D(450), D(450)),
    ]


def test_a_stop_that_is_taken_back_leaves_the_others() -> None:
    account = an_observation(a_position(), stops=(a_stop("1"), a_stop("2", stop_id="2"))).account
    after = project(
        account, RULES, CancelStop(key=KEY, stop_id="1", client_id="x"), wallet="futures"
    )
    assert [stop.stop_id for stop in after.stops] == ["2"]


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (AddMargin(key=a_position(ETH).key, amount=D(1), currency="USDT"), "must be held"),
        (RemoveMargin(key=KEY, amount=D(1), currency="USDC"), "futures of USDC must exist"),
        (
            Transfer(source="spot", destination="earn", amount=D(1), currency="USDT"),
            "wallet earn of USDT must exist",
        ),
    ],
)
def test_what_the_account_does_not_have_is_named_and_not_changed(action: Action, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        project(an_observation(a_position()).account, RULES, action, wallet="futures")
