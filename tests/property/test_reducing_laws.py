"""What a close costs and frees, by laws that hold of either kind of contract."""

from dataclasses import dataclass, replace
from decimal import Decimal as D

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.market import BookLevel, Market
from bot.domain.position import Position
from bot.margin import isolated
from bot.margin.assess import assess
from bot.rebalance import book, reducing
from bot.rebalance.backstop import room_of
from bot.rebalance.policy import Policy
from bot.rebalance.project import reduced, released_by
from bot.rebalance.sizing import after_pair, reduction_need
from tests.kit.builders import a_market, tiers
from tests.kit.kinds import BOTH

TINY = D("1e-18")
FLAT = tiers(("0", "0.005", "0"))
"""One step: a smaller position is not in a better one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A position, its rules and its market."""

    position: Position
    rules: Instrument
    market: Market
    policy: Policy

    @property
    def side(self) -> int:
        return self.position.side.sign

    def distance(self, position: Position) -> D | None:
        return assess(position, self.rules).distance

    def at(self, price: D) -> "Scene":
        """Return it with one price in the book, at which everything is filled."""
        levels = (BookLevel(price=price, size=D(10**9)),)
        return replace(self, market=replace(self.market, bids=levels, asks=levels))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    kind = draw(st.sampled_from(BOTH))
    symbol, mark = next(iter(kind.marks.items()))
    position = kind.position(
        symbol,
        lots=draw(st.integers(10, 5000)) * draw(st.sampled_from([1, -1])),
        entry=draw(st.integers(mark * 7 // 10, mark * 13 // 10)),
        share=draw(st.decimals(min_value="0.006", max_value="0.6", places=4)),
    )
    rules = kind.instrument(symbol, table=FLAT)
    return Scene(
        position=position,
        rules=replace(rules, margin_release=draw(st.sampled_from(list(MarginRelease)))),
        market=a_market(symbol, mark=str(mark), depth=draw(st.sampled_from(kind.depths))),
        policy=kind.policy(),
    )


slips = st.decimals(min_value="-0.001", max_value="0.4", places=5)


@given(scenes(), slips)
def test_a_close_pays_exactly_when_its_fill_moves_the_liquidation_price_away_and_leaves_no_debt(
    scene: Scene, slip: D
) -> None:
    price = scene.position.mark_price * (1 - scene.side * slip)
    half = abs(scene.position.size) / 2
    rest = after_pair(scene.position, scene.rules, size=half, price=price)
    was, now = scene.distance(scene.position), scene.distance(rest)
    assume(was is not None and now is not None)
    assert was is not None
    assert now is not None
    assume(abs(now - was) > D("1e-12"))
    seen = scene.at(price)
    # A debt that stays behind is borne by less profit until margin is added back.
    stays = scene.rules.margin_release is not MarginRelease.PRO_RATA
    is_in_debt = stays and scene.position.margin < 0
    pays = reducing.pays(scene.position, scene.rules, seen.market)
    assert pays == (now > was and not is_in_debt)


@given(scenes(), slips, st.booleans())
def test_the_worst_fill_of_a_close_that_pays_still_moves_it_away(
    scene: Scene, slip: D, is_emergency: bool
) -> None:
    seen = scene.at(scene.position.mark_price * (1 - scene.side * slip))
    position, rules, market = seen.position, seen.rules, seen.market
    assume(reducing.pays(position, rules, market))
    price = reducing.worst_price(position, rules, market, seen.policy, is_emergency=is_emergency)
    best = market.bids[0].price
    # It takes what is there, unless that is so far from mark that nobody wants it.
    furthest = position.mark_price * (1 - scene.side * seen.policy.emergency_slippage)
    if scene.side * (best - furthest) > rules.price_step:
        assert scene.side * (best - price) >= -rules.price_step
    rest = after_pair(position, rules, size=abs(position.size) / 2, price=price)
    was, now = seen.distance(position), seen.distance(rest)
    assert now is None or (was is not None and now >= was - D("1e-5"))


@given(scenes(), st.decimals(min_value="0.02", max_value="0.3", places=3))
def test_the_size_that_is_needed_is_the_least_that_reaches(scene: Scene, wanted: D) -> None:
    position, rules = scene.position, scene.rules
    price = position.mark_price * (1 - scene.side * D("0.001"))
    size = reduction_need(position, rules, distance=wanted, limit_price=price)
    whole, lot = abs(position.size), rules.size_step

    def reaches(part: D) -> bool:
        reached = scene.distance(after_pair(position, rules, size=part, price=price))
        return reached is None or reached >= wanted

    if size < whole:
        assert reaches(size)
    if lot < size:
        assert not reaches(size - lot)


@given(scenes())
def test_what_a_close_costs_is_what_the_equity_loses(scene: Scene) -> None:
    position, rules, market = scene.position, scene.rules, scene.market
    size, limit = abs(position.size) / 2, position.mark_price * (1 - scene.side * D("0.02"))
    cost = book.reduction_cost(market, rules, position.side, size=size, limit_price=limit)
    assert cost > 0
    # As if each level were an order of its own.
    levels = market.bids if scene.side > 0 else market.asks
    left, rest, brought = size, position, D(0)
    for price, resting in [*((level.price, level.size) for level in levels), (limit, size)]:
        part = min(left, resting)
        if part <= 0:
            continue
        brought += released_by(rest, rules, size=part, price=price)
        after = reduced(rest, rules, size=part)
        assert after is not None
        rest, left = after, left - part
    # What left the margin and is not known to have come to the wallet is lost sight of, not money.
    if rules.margin_release is not MarginRelease.UNKNOWN:
        before, now = assess(position, rules).equity, assess(rest, rules).equity
        assert abs(before - now - brought - cost) <= TINY * assess(position, rules).notional


@given(scenes(), st.decimals(min_value="0.01", max_value="0.3", places=3))
def test_a_stop_at_the_near_end_of_its_room_pays_for_its_close_before_liquidation(
    scene: Scene, emergency: D
) -> None:
    position, rules, market = scene.position, scene.rules, scene.market
    liquidation = assess(position, rules).liquidation_price
    assume(liquidation is not None)
    assert liquidation is not None
    room = room_of(
        position,
        rules,
        market,
        liquidation=liquidation,
        emergency=emergency,
        policy=scene.policy,
    )
    if room is None:
        return
    slippage = scene.policy.emergency_slippage
    limit = book.worst_price(market, rules, position.side, slippage=slippage, furthest=slippage)
    size = abs(position.size)
    cost = book.reduction_cost(market, rules, position.side, size=size, limit_price=limit)
    value = assess(position, rules).notional

    def equity(price: D) -> D:
        return isolated.equity(
            rules.contract,
            size=position.size,
            entry_price=position.entry_price,
            margin=position.margin,
            price=price,
        )

    share = max(rules.taker_fee, cost / value)
    there = isolated.value(rules.contract, size=size, price=room.near)
    left = equity(room.near) - share * there - equity(liquidation)
    assert abs(left) <= TINY * max(there, value)
