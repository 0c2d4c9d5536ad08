from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.account import Account
from bot.domain.action import AddMargin, ReducePosition
from bot.domain.instrument import MarginRelease
from bot.domain.market import BookLevel, Market
from bot.domain.position import Position
from bot.margin.assess import assess
from bot.rebalance import reducing
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from bot.rebalance.sizing import after_pair
from tests.kit.builders import a_market, a_policy, a_position, an_instrument, an_observation, choose

RULES, POLICY = an_instrument(), a_policy()


def priced(position: Position, market: Market, *, is_emergency: bool = True) -> D:
    return reducing.worst_price(position, RULES, market, a_policy(), is_emergency=is_emergency)


@pytest.mark.parametrize(
    ("size", "is_emergency", "price"),
    [
        ("1", True, "58200.0"),  # 3 % below mark, which is nearer than 3 % below the best bid
        ("1", False, "59670.2"),  # 0.5 % below the best bid, rounded towards mark
        ("-1", True, "61800.0"),
        ("-1", False, "60330.1"),
    ],
)
def test_a_position_with_equity_may_be_closed_as_far_as_slippage_allows(
    size: str, is_emergency: bool, price: str
) -> None:
    position = a_position(size=size, margin="6000")
    assert priced(position, a_market(), is_emergency=is_emergency) == D(price)


@pytest.mark.parametrize("size", ["1", "-1"])
@pytest.mark.parametrize("depth", ["100", None])
def test_with_little_equity_no_fill_is_taken_that_leaves_nothing_to_add_back(
    size: str, depth: str | None
) -> None:
    position = a_position(size=size, margin="900")  # 1.5 % of its value
    price = priced(position, a_market(depth=depth))
    away = abs(price - 60000)
    assert D(430) < away < D(460)  # halfway between where it begins and where it is in vain
    before = assess(position, RULES).distance
    after = assess(after_pair(position, RULES, size=D("0.5"), price=price), RULES).distance
    assert before is not None
    assert after is not None
    assert after > before


@pytest.mark.parametrize(
    ("size", "margin", "pays"),
    [
        # Half a per mille to the best price, and half a per mille of fee: 59.985 of 60,000.
        ("1", "61", True),
        ("1", "59.986", True),
        ("1", "59.985", False),
        ("1", "-5", False),
        ("-1", "60.016", True),
        ("-1", "60.015", False),
    ],
)
def test_closing_pays_while_it_costs_less_of_the_value_than_equity_is_of_it(
    size: str, margin: str, pays: bool
) -> None:
    assert reducing.pays(a_position(size=size, margin=margin), RULES, a_market()) == pays
    # Two of them that have lost a thousand each.
    entry = "61000" if D(size) > 0 else "59000"
    twice = a_position(size=str(2 * D(size)), entry=entry, margin=str(2 * (D(margin) + 1000)))
    assert reducing.pays(twice, RULES, a_market()) == pays


def test_a_position_whose_equity_is_less_than_closing_costs_is_not_closed_and_told_so() -> None:
    market = replace(a_market(), bids=(BookLevel(price=D(58000), size=D(100)),))
    found = decide(
        an_observation(a_position(margin="1500"), futures="0", markets=(market,)),
        Memory(),
        a_policy(),
        choose=choose,
    )
    assert found.approved == ()
    assert [refusal.code for refusal in found.refusals] == ["not_better"]
    assert "0.0250" in found.refusals[0].text


@pytest.mark.parametrize(
    ("depth", "share", "most"), [("100", "1", "1"), ("0.4", "1", "0.4"), (None, "0.25", "0.25")]
)
def test_as_much_may_be_closed_as_book_and_limits_allow(
    depth: str | None, share: str, most: str
) -> None:
    policy = a_policy(max_reduction_per_action=D(share))
    found = reducing.most(a_position(), RULES, a_market(depth=depth), policy, limit_price=D(59000))
    assert found == D(most)


@pytest.mark.parametrize(
    ("size", "share", "depth", "closed"),
    [
        pytest.param("0.1005", "1", None, "0.1005", id="all of it, whatever the step"),
        pytest.param("0.1005", "0.5", None, "0.050", id="a part, in steps"),
        pytest.param("0.1005", "1", "0.0507", "0.050", id="what the book takes, in steps"),
        pytest.param("0.1", "0.001", None, "0.001", id="the smallest order"),
        pytest.param("0.1", "0.001", "0.001", "0.001", id="the book just takes it"),
        pytest.param("0.1", "0.001", "0.0009", None, id="the book does not take it"),
        pytest.param("0.0005", "1", None, "0.0005", id="a rest smaller than an order"),
        pytest.param("0.0005", "0.5", None, "0.0005", id="and no more than it"),
        pytest.param("0.0005", "0.5", "0.0005", "0.0005", id="which the book takes"),
        pytest.param("0.0005", "0.5", "0.0004", None, id="which the book does not take"),
    ],
)
def test_an_order_is_whole_steps_or_the_smallest_or_all_that_is_left(
    size: str, share: str, depth: str | None, closed: str | None
) -> None:
    found = reducing.reduction(
        a_position(size=size, margin="1"),
        RULES,
        a_market(depth=depth),
        a_policy(max_reduction_per_action=D(share)),
        distance=D("0.9"),
        limit_price=D(59000),
    )
    if closed is None:
        assert found is None
    else:
        assert found == ReducePosition(key=a_position().key, size=D(closed), limit_price=D(59000))


@pytest.mark.parametrize(("margin", "amount"), [("1031.52", "1.00"), ("1031.50", None)])
def test_one_unit_is_the_least_that_is_added_back(margin: str, amount: str | None) -> None:
    # Half of it less 500 of loss, 14.75 of fee and a cent for the digits.
    found = reducing.re_add(a_position(margin=margin), after(a_position()), CLOSE, RULES, POLICY)
    assert (None if found is None else found.amount) == (None if amount is None else D(amount))


def after(position: Position | None) -> Account:
    held = () if position is None else (position,)
    return replace(an_observation().account, positions=held)


CLOSE = ReducePosition(key=a_position().key, size=D("0.5"), limit_price=D(59000))


def test_what_a_close_releases_is_added_back_but_for_what_its_digits_take() -> None:
    # 3,000 of margin less 500 of loss less 14.75 of fee.
    found = reducing.re_add(a_position(margin="6000"), after(a_position()), CLOSE, RULES, POLICY)
    assert found == AddMargin(
        key=CLOSE.key, amount=D("2485.24"), currency="USDT", after_reduction=True
    )


@pytest.mark.parametrize("release", [MarginRelease.STAYS, MarginRelease.UNKNOWN])
def test_nothing_is_added_back_where_it_is_not_released(release: MarginRelease) -> None:
    rules = an_instrument(margin_release=release)
    assert reducing.re_add(a_position(), after(a_position()), CLOSE, rules, POLICY) is None


def test_nothing_is_added_back_to_what_is_gone_or_what_could_not_carry_digits() -> None:
    assert reducing.re_add(a_position(), after(None), CLOSE, RULES, POLICY) is None
    poor = a_position(margin="1031")  # releases 0.75
    assert reducing.re_add(poor, after(a_position()), CLOSE, RULES, POLICY) is None


def test_no_more_is_added_back_at_once_than_one_move_may_carry() -> None:
    policy = a_policy(max_margin_per_action=D(300))
    found = reducing.re_add(a_position(margin="6000"), after(a_position()), CLOSE, RULES, policy)
    assert found is not None
    assert found.amount == D(300)


SMALL = a_position(size="0.231", entry="60000", mark="59000", margin="1800")
"""A lot of 0.001 of it releases 7.79 of margin less 2 of loss and 0.03 of fee, closed at 58,000."""


def closed(release: MarginRelease, *, lots: str = "0.0001", depth: str = "100", **limits: Any) -> D:
    """Return how much is closed of a position that is one small lot below its distance."""
    rules = an_instrument(margin_release=release, size_step=lots)
    risk = assess(SMALL, rules)
    assert risk.distance is not None
    found = reducing.reduction(
        SMALL, rules, a_market(mark="59000", depth=depth), a_policy(**limits),
        distance=risk.distance + D("0.000001"), limit_price=D(58000),
    )  # fmt: skip
    assert found is not None
    return found.size


def test_a_close_releases_enough_to_be_added_back_where_margin_leaves_with_it() -> None:
    # 0.0001 releases 0.58: less than one move may carry.
    assert closed(MarginRelease.STAYS) == D("0.0001")
    assert closed(MarginRelease.PRO_RATA) == closed(MarginRelease.UNKNOWN) == D("0.0002")


def test_a_close_that_releases_enough_is_not_made_larger() -> None:
    assert closed(MarginRelease.PRO_RATA, lots="0.001") == D("0.001")


def test_a_close_is_made_no_larger_than_one_action_may_be_and_the_book_takes() -> None:
    share = D("0.0005")  # of 0.231: one lot
    assert closed(MarginRelease.PRO_RATA, max_reduction_per_action=share) == D("0.0001")
    assert closed(MarginRelease.PRO_RATA, depth="0.0001") == D("0.0001")
    assert closed(MarginRelease.PRO_RATA, depth="0.0002") == D("0.0002")


@pytest.mark.parametrize(
    ("margin", "size"),
    [
        # A lot of 0.001, closed at 59,000, releases a thousandth of the margin less 1.0295.
        pytest.param("2049.5", "0.001", id="just one unit and two steps"),
        pytest.param("2049.4", "0.002", id="a little less"),
        pytest.param("1534.5", "0.003", id="a little less than half of it"),
        pytest.param("1029.5", "0.001", id="nothing, whatever the size"),
    ],
)
def test_what_is_released_covers_one_unit_and_the_step_that_its_digits_take_twice(
    margin: str, size: str
) -> None:
    found = reducing.reduction(
        a_position(margin=margin), RULES, a_market(), POLICY, distance=D(-1), limit_price=D(59000)
    )
    assert found is not None
    assert found.size == D(size)


LIVES_ON_PROFIT = a_position(
    "ETH/USDT:USDT", size="-0.271", entry="3668", mark="3000", margin="-176.15"
)
"""Its margin is below 0, and its profit above that."""


@pytest.mark.parametrize("release", [MarginRelease.STAYS, MarginRelease.UNKNOWN])
def test_what_lives_on_its_profit_alone_is_not_closed_where_the_debt_would_stay(
    release: MarginRelease,
) -> None:
    rules, market = (
        an_instrument("ETH/USDT:USDT", margin_release=release),
        a_market("ETH/USDT:USDT", mark="3000"),
    )
    assert not reducing.pays(LIVES_ON_PROFIT, rules, market)
    owned = replace(LIVES_ON_PROFIT, margin=D(0), entry_price=D(3018))
    assert reducing.pays(owned, rules, market)


def test_who_cannot_be_closed_gets_margin_though_another_needs_it_too() -> None:
    other = a_position(size="-0.146", entry="47067", margin="1940.78")
    rules = tuple(
        an_instrument(symbol, margin_release=MarginRelease.STAYS)
        for symbol in ("BTC/USDT:USDT", "ETH/USDT:USDT")
    )
    markets = (a_market(depth=None), a_market("ETH/USDT:USDT", mark="3000"))
    seen = an_observation(
        other, LIVES_ON_PROFIT, futures="843.15", instruments=rules, markets=markets
    )
    decision = decide(seen, Memory(), a_policy(only_emergencies=True), choose=choose)
    helped = {s.action.key for s in decision.approved if isinstance(s.action, AddMargin)}
    assert LIVES_ON_PROFIT.key in helped
