from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.account import Wallet
from bot.domain.position import MarginMode, Position
from bot.margin.shared import assess_shared
from bot.rebalance.crossed import assess_crossed
from tests.kit.builders import (
    BTC,
    ETH,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
)

RULES = {BTC: an_instrument(), ETH: an_instrument(ETH)}
WALLET = D(9000)


def crossed(symbol: str, *, size: str, price: str, theirs: str | None = None) -> Position:
    return a_position(
        symbol,
        size=size,
        entry=price,
        mark=price,
        margin="0",
        margin_mode=MarginMode.CROSS,
        venue_liquidation_price=theirs,
    )


LONG = crossed(BTC, size="1", price="60000")
SHORT = crossed(ETH, size="-10", price="3000")
OURS = assess_shared([LONG, SHORT], RULES, wallet=WALLET)


def shown(position: Position, *, factor: str = "1") -> Position:
    """As the venue judges it."""
    price = OURS[position.key].liquidation_price
    assert price is not None
    return replace(position, venue_liquidation_price=price * D(factor))


def test_what_the_venue_says_of_every_position_is_known() -> None:
    seen = an_observation(
        shown(LONG, factor="1.0009"), shown(SHORT, factor="0.9991"), futures="9000"
    )
    found = assess_crossed(seen, a_policy())
    for key, ours in OURS.items():
        assert found[key].is_known
        assert found[key].liquidation_price == ours.liquidation_price
        assert found[key].joint_distance == ours.joint_distance


@pytest.mark.parametrize("factor", ["1.002", "0.998"])
def test_one_price_of_the_venue_that_is_another_leaves_none_known(factor: str) -> None:
    short = shown(SHORT, factor=factor)
    found = assess_crossed(an_observation(shown(LONG), short, futures="9000"), a_policy())
    assert [risk.is_known for risk in found.values()] == [False, False]
    assert found[short.key].liquidation_price == short.venue_liquidation_price


def test_a_price_that_the_venue_does_not_tell_is_not_confirmed() -> None:
    found = assess_crossed(an_observation(shown(LONG), SHORT, futures="9000"), a_policy())
    assert not any(risk.is_known for risk in found.values())
    assert found[SHORT.key].distance is None


def test_a_position_that_nothing_liquidates_is_known_where_the_venue_shows_no_price() -> None:
    tiny = crossed(BTC, size="0.001", price="60000")
    found = assess_crossed(an_observation(tiny, futures="9000"), a_policy())[tiny.key]
    assert (found.is_known, found.liquidation_price) == (True, None)
    said = replace(tiny, venue_liquidation_price=D(50000))
    assert not assess_crossed(an_observation(said, futures="9000"), a_policy())[tiny.key].is_known


def test_both_sides_of_a_symbol_may_have_one_price() -> None:
    short = crossed(BTC, size="-0.4", price="60000")
    ours = assess_shared([LONG, short], RULES, wallet=WALLET)
    price = ours[LONG.key].liquidation_price
    legs = [replace(p, venue_liquidation_price=price) for p in (LONG, short)]
    found = assess_crossed(an_observation(*legs, futures="9000"), a_policy())
    assert [risk.is_known for risk in found.values()] == [True, True]


def test_without_a_wallet_or_with_too_little_in_it_only_the_venue_is_shown() -> None:
    seen = an_observation(shown(LONG), shown(SHORT), futures="9000")
    beside = Wallet(name="spot", currency="USDT", total=WALLET, free=WALLET)
    for account in (
        replace(seen.account, wallets=(beside,)),
        an_observation(shown(LONG), shown(SHORT), futures="100").account,
    ):
        found = assess_crossed(replace(seen, account=account), a_policy())
        assert not any(risk.is_known for risk in found.values())
        assert found[LONG.key].liquidation_price is not None


def test_isolated_positions_are_none_of_it() -> None:
    seen = an_observation(a_position(), shown(SHORT), futures="9000")
    assert list(assess_crossed(seen, a_policy())) == [SHORT.key]
