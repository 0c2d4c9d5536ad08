from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.position import MarginMode, Position
from bot.margin import isolated
from bot.margin.assess import assess
from bot.margin.shared import as_shown, assess_shared
from bot.margin.tiers import maintenance_margin
from tests.kit.builders import (
    BTC,
    COIN,
    ETH,
    FOUR_TIERS,
    a_coin_instrument,
    a_position,
    an_instrument,
    tiers,
)

RULES = {BTC: an_instrument(), ETH: an_instrument(ETH)}
TOLERANCE = D("1e-18")
LONGEST = D("1e-12")


def crossed(symbol: str = BTC, *, size: str, entry: str, mark: str) -> Position:
    return a_position(
        symbol, size=size, entry=entry, mark=mark, margin="0", margin_mode=MarginMode.CROSS
    )


def buffer(positions: list[Position], marks: dict[str, D], wallet: D) -> D:
    """The plain sum: wallet and profits less maintenance, each at its own price."""
    left = wallet
    for position in positions:
        rules, mark = RULES_OF[position.symbol], marks[position.symbol]
        value = isolated.value(rules.contract, size=position.size, price=mark)
        left += isolated.unrealized_pnl(
            rules.contract, size=position.size, entry_price=position.entry_price, price=mark
        ) - maintenance_margin(rules.tiers, notional=value)
    return left


RULES_OF = RULES | {COIN: a_coin_instrument(), "ETH/USD:BTC": a_coin_instrument("ETH/USD:BTC")}

sizes = st.integers(1, 400).flatmap(lambda lots: st.sampled_from([D(lots) / 100, -D(lots) / 100]))
near = st.integers(900, 1100).map(lambda n: D(n) / 1000)


@given(sizes, sizes, near, near, st.integers(100, 400_000).map(D))
def test_at_its_price_with_the_others_still_the_account_has_just_what_it_needs(
    btc: D, eth: D, moved: D, other: D, wallet: D
) -> None:
    positions = [
        crossed(size=f"{btc}", entry="60000", mark=f"{60000 * moved}"),
        crossed(ETH, size=f"{eth * 20}", entry="3000", mark=f"{3000 * other}"),
    ]
    marks = {p.symbol: p.mark_price for p in positions}
    assume(buffer(positions, marks, wallet) > 0)
    found = assess_shared(positions, RULES, wallet=wallet)
    for position in positions:
        price = found[position.key].liquidation_price
        if price is None:
            continue
        there = buffer(positions, marks | {position.symbol: price}, wallet)
        assert abs(there) < TOLERANCE * 10**6
        assert (price < position.mark_price) == (position.size > 0)
        risk = found[position.key]
        others = [p for p in positions if p is not position]
        assert risk.equity - risk.maintenance_margin == buffer(positions, marks, wallet)
        assert risk.equity == pytest.approx(
            buffer(others, marks, wallet) + risk.unrealized_pnl, rel=LONGEST
        )


@given(sizes, near, st.integers(100, 300_000).map(D))
def test_a_position_alone_with_a_wallet_is_an_isolated_one_with_that_margin(
    size: D, moved: D, wallet: D
) -> None:
    position = crossed(size=f"{size}", entry="60000", mark=f"{60000 * moved}")
    alone = assess(replace(position, margin=wallet), RULES[BTC])
    assume(alone.equity > alone.maintenance_margin)
    found = assess_shared([position], RULES, wallet=wallet)[position.key]
    assert found.equity == alone.equity
    assert found.leverage == alone.leverage
    assert found.maintenance_margin == alone.maintenance_margin
    assert (found.liquidation_price is None) == (alone.liquidation_price is None)
    if found.liquidation_price is not None and alone.liquidation_price is not None:
        assert abs(found.liquidation_price / alone.liquidation_price - 1) < LONGEST
    assert (found.joint_distance is None) == (found.distance is None)
    if found.joint_distance is not None and found.distance is not None:
        assert abs(found.joint_distance - found.distance) < LONGEST


@given(sizes, sizes, st.integers(2_000, 300_000).map(D), st.integers(1, 50_000).map(D))
def test_more_in_the_wallet_never_brings_any_price_nearer(
    btc: D, eth: D, wallet: D, more: D
) -> None:
    positions = [
        crossed(size=f"{btc}", entry="60000", mark="60000"),
        crossed(ETH, size=f"{eth * 20}", entry="3000", mark="3000"),
    ]
    before = assess_shared(positions, RULES, wallet=wallet)
    assume(before)
    after = assess_shared(positions, RULES, wallet=wallet + more)
    never = D("Infinity")
    for key, risk in before.items():
        assert (after[key].distance or never) >= (risk.distance or never)
        assert (after[key].joint_distance or never) >= (risk.joint_distance or never)
        # Where all prices go against it, each need not go so far: until the first is 0.
        if risk.distance is not None and risk.distance < 1:
            assert (risk.joint_distance or never) <= risk.distance


@given(sizes, sizes, st.integers(2_000, 300_000).map(D))
def test_where_all_prices_went_that_far_against_it_nothing_is_left(
    btc: D, eth: D, wallet: D
) -> None:
    positions = [
        crossed(size=f"{btc}", entry="60000", mark="60000"),
        crossed(ETH, size=f"{eth * 20}", entry="3000", mark="3000"),
    ]
    found = assess_shared(positions, RULES, wallet=wallet)
    assume(found)
    joint = found[positions[0].key].joint_distance
    assume(joint is not None)
    assert joint is not None
    marks = {p.symbol: p.mark_price * (1 - joint if p.size > 0 else 1 + joint) for p in positions}
    assert abs(buffer(positions, marks, wallet)) < TOLERANCE * 10**6


def test_two_published_positions_of_one_wallet() -> None:
    # Binance help b3c689c1f50a44cabb3a84e663b81d93: 1,153.26 and 26,316.89.
    rules = {
        ETH: an_instrument(ETH, table=tiers(("0", "0.1", "135365"))),
        BTC: an_instrument(table=tiers(("0", "0.025", "16300"))),
    }
    positions = [
        crossed(ETH, size="3683.979", entry="1456.84", mark="1335.18"),
        crossed(size="109.488", entry="32481.98", mark="31967.27"),
    ]
    found = assess_shared(positions, rules, wallet=D("1535443.01"))
    prices = [found[p.key].liquidation_price for p in positions]
    assert [round(price, 2) for price in prices if price] == [D("1153.26"), D("26316.89")]


def test_both_legs_of_a_hedge_end_where_the_account_does() -> None:
    # V30: 50,808.8979, where equity and maintenance are 285.3387.
    positions = [
        crossed(size="1", entry="60000", mark="60000"),
        crossed(size="-0.4", entry="62000", mark="60000"),
    ]
    found = assess_shared(positions, RULES, wallet=D(5000))
    long, short = (found[p.key] for p in positions)
    assert long.liquidation_price is not None
    assert abs(long.liquidation_price - D("50808.8979")) < D("0.001")
    # A rise earns more on the long than the short loses.
    assert (short.liquidation_price, short.distance) == (None, None)
    assert short.joint_distance == long.joint_distance
    assert long.buffer == short.buffer == D(5000) + 800 - 250 - 96


def test_what_is_hedged_in_full_has_no_joint_move() -> None:
    positions = [
        crossed(size="1", entry="60000", mark="60000"),
        crossed(size="-1", entry="60000", mark="60000"),
    ]
    found = assess_shared(positions, RULES, wallet=D(5000))
    assert {risk.joint_distance for risk in found.values()} == {None}


def test_inverse_positions_share_a_wallet_of_their_coin() -> None:
    long = crossed(COIN, size="60000", entry="60000", mark="60000")
    other = crossed("ETH/USD:BTC", size="3000", entry="3000", mark="3000")
    found = assess_shared([long, other], RULES_OF, wallet=D("0.5"))
    price = found[long.key].liquidation_price
    assert price is not None
    marks = {long.symbol: price, other.symbol: other.mark_price}
    assert abs(buffer([long, other], marks, D("0.5"))) < TOLERANCE
    joint = found[long.key].joint_distance
    assert joint is not None
    fallen = {p.symbol: p.mark_price * (1 - joint) for p in (long, other)}
    assert abs(buffer([long, other], fallen, D("0.5"))) < TOLERANCE
    short = crossed("ETH/USD:BTC", size="-3000", entry="3000", mark="3000")
    assert assess_shared([long, short], RULES_OF, wallet=D("0.5"))[long.key].joint_distance is None


def test_an_account_that_is_liquidatable_has_no_numbers_of_its_own() -> None:
    position = crossed(size="1", entry="60000", mark="55000")
    assert assess_shared([position], RULES, wallet=D(5000)) == {}


def test_of_a_position_with_something_unknown_behind_it_the_venues_price_is_shown() -> None:
    position = replace(
        crossed(size="1", entry="60000", mark="61000"), venue_liquidation_price=D(48800)
    )
    found = as_shown(position, RULES[BTC])
    assert not found.is_known
    assert (found.liquidation_price, found.distance) == (D(48800), D("0.2"))
    assert (found.equity, found.leverage) == (D(1000), None)
    assert found.maintenance_margin == maintenance_margin(FOUR_TIERS, notional=D(61000))
    nothing = as_shown(replace(position, venue_liquidation_price=None), RULES[BTC])
    assert (nothing.liquidation_price, nothing.distance) == (None, None)
