"""Which row of the capability table is an account's, where a venue has both kinds of contract?"""

from decimal import Decimal as D

import pytest

from bot.exchanges.venues import INVERSE, VENUES, venue_of
from bot.execute.facts import KINDS


@pytest.mark.parametrize("name", sorted(VENUES))
def test_linear_symbols_take_the_row_of_the_venue(name: str) -> None:
    assert venue_of(name, ("BTC/USDT:USDT", "ETH/USDC:USDC")) is VENUES[name]


@pytest.mark.parametrize("name", sorted(VENUES))
def test_inverse_symbols_take_their_own_row_where_there_is_one(name: str) -> None:
    found = venue_of(name, ("BTC/USD:BTC",))
    assert found is INVERSE.get(name, VENUES[name])


@pytest.mark.parametrize("name", sorted(INVERSE))
def test_a_row_of_inverse_contracts_has_every_kind_of_action_and_steps_of_a_coin(
    name: str,
) -> None:
    row = INVERSE[name]
    assert row.kinds(is_demo=False) == KINDS
    assert row.margin_step % row.collateral_step == 0
    assert row.margin_step <= D("0.001")
