"""A decision about coin-margined positions, number by number: sizes in dollars, money in BTC."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.decision import Refusal, Verdict
from bot.domain.instrument import MarginRelease
from bot.domain.market import BookLevel
from bot.domain.observation import Observation
from bot.domain.position import Position, Side
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance import book, reducing
from bot.rebalance.backstop import room_of
from bot.rebalance.decide import decide
from bot.rebalance.memory import KeyMemory, Memory, Move
from bot.rebalance.policy import Policy
from bot.rebalance.project import project, reduced, released_by
from bot.rebalance.review import review
from bot.rebalance.rounding import shown
from bot.rebalance.sizing import margin_need, margin_surplus
from tests.kit.builders import (
    BTC,
    COIN,
    LEVELS,
    NOON,
    a_coin_instrument,
    a_coin_policy,
    a_market,
    a_policy,
    a_position,
    a_stop,
    an_instrument,
    an_observation,
    choose,
    tiers,
)

RULES = a_coin_instrument(table=tiers(("0", "0.005", "0")))
POLICY = a_coin_policy(resident_stops=True)
OTHER = "ETH/USD:ETH"


def a_coin_position(
    side: Side = Side.LONG,
    *,
    margin: str = "0.1",
    entry: str = "60000",
    leverage_setting: str = "20",
) -> Position:
    """One BTC worth of dollars at 60,000."""
    return a_position(
        COIN,
        size=str(60000 * side.sign),
        entry=entry,
        margin=margin,
        leverage_setting=leverage_setting,
    )


def seen(
    *positions: Position,
    futures: str = "1",
    spot: str = "1",
    depth: str | None = "10000000",
    **changes: object,
) -> Observation:
    agreed = [
        replace(p, venue_liquidation_price=assess(p, RULES).liquidation_price)
        if p.symbol == COIN
        else p
        for p in positions
    ]
    return an_observation(
        *agreed,
        futures=futures,
        spot=spot,
        instruments=(RULES,),
        markets=(a_market(COIN, depth=depth),),
        currency="BTC",
        **changes,  # type: ignore[arg-type]  # any field by name
    )


def actions(observation: Observation, memory: Memory | None = None) -> list[Action]:
    found = decide(observation, memory or Memory(), POLICY, choose=choose)
    return [step.action for step in found.approved]


@pytest.mark.parametrize(
    ("side", "margin", "target"),
    [
        # 15 % from 60,000: the long dies at 51,000 with 60,000 / 51,000 * 1.005 of value and need.
        pytest.param(Side.LONG, "0.1", "0.1823529", id="long"),
        # The short at 69,000, with 60,000 / 69,000 * 0.995 left of its value.
        pytest.param(Side.SHORT, "0.08", "0.1347826", id="short"),
    ],
)
def test_margin_is_added_in_coin_to_the_target(side: Side, margin: str, target: str) -> None:
    position = a_coin_position(side, margin=margin)
    (add, *_) = actions(seen(position))
    assert isinstance(add, AddMargin)
    assert add.currency == "BTC"
    assert add.amount == pytest.approx(D(target) - D(margin), abs=D("0.00001"))
    reached = assess(replace(position, margin=position.margin + add.amount), RULES).distance
    assert reached is not None
    assert 0 <= reached - D("0.15") < D("0.00001")


def test_what_is_short_comes_from_the_other_wallet_of_the_coin() -> None:
    found = actions(seen(a_coin_position(), futures="0.02", spot="1"))
    (transfer,) = [a for a in found if isinstance(a, Transfer)]
    assert (transfer.currency, transfer.source) == ("BTC", "spot")
    assert D("0.0623") < transfer.amount < D("0.0625")


def test_nothing_moves_that_could_not_carry_digits_of_its_own() -> None:
    # In an emergency, and short of its level by a ten-thousandth of a coin: six dollars.
    wanted = margin_need(assess(a_coin_position(margin="0"), RULES), distance=LEVELS.emergency)
    near = a_coin_position(margin=str(wanted - D("0.0001")))
    (add, *_) = actions(seen(near, futures="0.0012"))
    assert isinstance(add, AddMargin)
    assert add.amount >= POLICY.least_move
    assert not any(isinstance(a, AddMargin) for a in actions(seen(near, futures="0.0009")))


@pytest.mark.parametrize(
    ("side", "limit"),
    [
        # Half a percent from the best price of the book, which is 0.05 % from mark.
        pytest.param(Side.LONG, "59670.2", id="long"),
        pytest.param(Side.SHORT, "60330.1", id="short"),
    ],
)
def test_without_money_a_part_is_closed_at_a_limit_and_what_it_releases_goes_back(
    side: Side, limit: str
) -> None:
    position = a_coin_position(side, margin="0.09" if side is Side.LONG else "0.08")
    found = actions(seen(position, futures="0", spot="0"))
    (close, again, *_) = found
    assert isinstance(close, ReducePosition)
    assert close.limit_price == D(limit)
    assert close.size % 100 == 0
    assert isinstance(again, AddMargin)
    assert again.after_reduction
    account = seen(position, futures="0", spot="0").account
    for action in (close, again):
        account = project(account, {COIN: RULES}, action, wallet="futures")
    (rest,) = account.positions
    before, after = assess(position, RULES).distance, assess(rest, RULES).distance
    assert before is not None
    assert after is not None
    assert after > before
    assert account.wallets[0].free >= 0


def test_no_more_is_closed_than_rests_in_dollars_at_the_limit() -> None:
    position = a_coin_position(margin="0.07")
    (close, *_) = actions(seen(position, futures="0", spot="0", depth="2570"))
    assert isinstance(close, ReducePosition)
    assert close.size == 2500  # whole contracts of 100
    assert reducing.most(
        position, RULES, a_market(COIN, depth="2570"), POLICY, limit_price=D(59000)
    ) == D(2570)


@pytest.mark.parametrize(
    ("side", "first", "limit", "cost"),
    [
        pytest.param(
            Side.LONG, "59700", "59100", D(30000) / 59700 + D(30000) / 59100 - 1, id="long"
        ),
        pytest.param(
            Side.SHORT, "60300", "60900", 1 - D(30000) / 60300 - D(30000) / 60900, id="short"
        ),
    ],
)
def test_a_close_costs_what_is_filled_off_mark_in_coin(
    side: Side, first: str, limit: str, cost: D
) -> None:
    levels = (BookLevel(price=D(first), size=D(30000)),)
    market = replace(a_market(COIN), bids=levels, asks=levels)
    found = book.reduction_cost(market, RULES, side, size=D(60000), limit_price=D(limit))
    fee = (D(30000) / D(first) + D(30000) / D(limit)) * D("0.0005")
    assert found == pytest.approx(cost + fee, rel=D("1e-20"))


@pytest.mark.parametrize(
    ("side", "profit"), [pytest.param(Side.LONG, "0.1", id="long"), (Side.SHORT, "-0.1")]
)
def test_a_reduction_brings_its_share_of_margin_and_its_profit_in_coin_less_the_fee(
    side: Side, profit: str
) -> None:
    position = a_coin_position(side, margin="0.4", entry="50000")
    # Half of 60,000 dollars: 0.6 BTC when they were bought or sold, 0.5 now.
    brought = released_by(position, RULES, size=D(30000), price=D(60000))
    assert brought == D("0.2") + D(profit) - D("0.5") * D("0.0005")
    rest = reduced(position, RULES, size=D(30000))
    assert rest is not None
    assert (rest.size, rest.margin) == (D(30000 * side.sign), D("0.2"))


@pytest.mark.parametrize(
    ("side", "pays", "in_vain"),
    [
        # 1.0005 / 1.05 and 0.9995 / 0.95 of mark: equity is a twentieth of the value.
        pytest.param(Side.LONG, "57171.5", "57171.4", id="long"),
        pytest.param(Side.SHORT, "63126.3", "63126.4", id="short"),
    ],
)
def test_a_close_pays_up_to_where_it_costs_of_the_value_what_the_equity_is_of_it(
    side: Side, pays: str, in_vain: str
) -> None:
    position = a_coin_position(side, margin="0.05")
    for price, expected in ((pays, True), (in_vain, False)):
        levels = (BookLevel(price=D(price), size=D(10**7)),)
        market = replace(a_market(COIN), bids=levels, asks=levels)
        assert reducing.pays(position, RULES, market) is expected


@pytest.mark.parametrize(
    ("side", "margin", "price"),
    [
        # Halfway, in one over the price, from the best one to where a close is in vain: from 59,970
        # to 60,000 * 1.0005 / 1.015, and from 60,030 to 60,000 * 0.9995 / 0.985.
        pytest.param(Side.LONG, "0.015", "59553.6", id="long"),
        pytest.param(Side.SHORT, "0.015", "60453.6", id="short"),
        # A short with more equity than value may be closed at any price: slippage is the bound.
        pytest.param(Side.SHORT, "2.5", "61800.0", id="a short beyond all prices"),
        # A long that has lost more than all has no price that pays.
        pytest.param(Side.LONG, "-3.5", "58200.0", id="a long below all prices"),
    ],
)
def test_the_limit_of_a_close_leaves_something_to_add_back(
    side: Side, margin: str, price: str
) -> None:
    position = a_coin_position(side, margin=margin)
    found = reducing.worst_price(position, RULES, a_market(COIN), POLICY, is_emergency=True)
    assert found == D(price)
    assert reducing.pays(position, RULES, a_market(COIN)) is (D(margin) > 0)


def test_where_the_middle_is_one_over_no_price_the_slippage_bounds_a_close() -> None:
    # Without a fee a short with twice its value as equity pays as far below 0 as mark is above.
    position = a_position(COIN, size="-50000", entry="50000", mark="50000", margin="2")
    market = a_market(COIN, mark="50000", depth=None)
    free = replace(RULES, taker_fee=D(0))
    found = reducing.worst_price(position, free, market, POLICY, is_emergency=True)
    assert found == D(50000) * (1 + POLICY.emergency_slippage)


@pytest.mark.parametrize("side", list(Side))
def test_a_stop_stands_between_liquidation_and_emergency_for_all_contracts(side: Side) -> None:
    position = a_coin_position(side, margin="0.2")
    (place,) = actions(seen(position))
    assert isinstance(place, PlaceStop)
    assert place.size == 60000
    liquidation = assess(position, RULES).liquidation_price
    assert liquidation is not None
    far = liquidation / (1 - side.sign * LEVELS.emergency)
    assert side.sign * liquidation < side.sign * place.stop_price < side.sign * far
    # It costs 0.05 % and the fee, so it stands about halfway between that and the emergency.
    middle = liquidation / (1 - side.sign * (LEVELS.emergency + D("0.001")) / 2)
    assert place.stop_price == pytest.approx(middle, rel=D("0.001"))


def test_a_short_whose_close_costs_all_of_its_value_has_no_room_for_a_stop() -> None:
    position = a_coin_position(Side.SHORT, margin="0.2")
    dear = replace(RULES, taker_fee=D("1.1"))
    liquidation = assess(position, RULES).liquidation_price
    assert liquidation is not None
    for rules, has_room in ((RULES, True), (dear, False)):
        room = room_of(
            position,
            rules,
            a_market(COIN, depth="10000000"),
            liquidation=liquidation,
            emergency=D("0.05"),
            policy=POLICY,
        )
        assert (room is not None) is has_room


def test_what_the_bot_added_returns_in_coin_down_to_the_target() -> None:
    position = a_coin_position(margin="0.4", leverage_setting="20")
    memory = Memory(
        keys=(KeyMemory(key=position.key, added=D("0.3"), beyond_since=NOON.replace(hour=10)),)
    )
    (remove, *_) = actions(seen(position), memory)
    assert isinstance(remove, RemoveMargin)
    assert remove.currency == "BTC"
    assert remove.amount == margin_surplus(assess(position, RULES), distance=LEVELS.target)
    assert D("0.2176") < remove.amount < D("0.2177")


def test_a_surplus_that_the_setting_keeps_in_is_told_in_the_digits_of_the_coin() -> None:
    position = a_coin_position(margin="0.4", leverage_setting="2.5")
    memory = Memory(
        keys=(KeyMemory(key=position.key, added=D("0.3"), beyond_since=NOON.replace(hour=10)),)
    )
    found = decide(seen(position), memory, POLICY, choose=choose)
    (text,) = [r.text for r in found.refusals if r.code == "nothing_removable"]
    assert "less than the smallest move 0.00100; the venue keeps equity above 0.40000" in text


def refused(action: Action, *, policy: Policy = POLICY) -> Refusal | None:
    observation = seen(a_coin_position(margin="0.3"))
    (held,) = observation.account.positions
    return review(
        action,
        observation.account,
        {COIN: RULES},
        {held.key: band_at_distances(assess(held, RULES), LEVELS)},
        Memory(keys=(KeyMemory(key=held.key, added=D("0.2")),)),
        policy,
        now=NOON,
        age_ms=100,
    )


LONG = a_coin_position().key


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (AddMargin(key=LONG, amount=D("0.1"), currency="BTC"), None),
        (AddMargin(key=LONG, amount=D("1.1"), currency="BTC"), "breaks_reserve"),
        (AddMargin(key=LONG, amount=D("0.000001"), currency="BTC"), "step_mismatch"),
        (RemoveMargin(key=LONG, amount=D("0.1"), currency="BTC"), None),
        # 0.18235 stands at the target.
        (RemoveMargin(key=LONG, amount=D("0.12"), currency="BTC"), "overshoot"),
        (RemoveMargin(key=LONG, amount=D("0.25"), currency="BTC"), "not_bot_margin"),
        (ReducePosition(key=LONG, size=D(30000), limit_price=D(59000)), None),
        (ReducePosition(key=LONG, size=D(60100), limit_price=D(59000)), "would_flip"),
        (ReducePosition(key=LONG, size=D(50), limit_price=D(59000)), "step_mismatch"),
        (Transfer(source="spot", destination="futures", amount=D("0.5"), currency="BTC"), None),
        (
            Transfer(source="spot", destination="futures", amount=D("0.5"), currency="ETH"),
            "other_currency",
        ),
        (PlaceStop(key=LONG, size=D(60000), stop_price=D(47500), is_needed=True), None),
        (
            PlaceStop(key=LONG, size=D(60000), stop_price=D(46000), is_needed=True),
            "stop_misplaced",
        ),
    ],
)
def test_the_review_judges_in_coin_and_contracts(action: Action, code: str | None) -> None:
    refusal = refused(action)
    assert (None if refusal is None else refusal.code) == code


@pytest.mark.parametrize(
    "action",
    [
        AddMargin(key=LONG, amount=D("0.1"), currency="BTC"),
        RemoveMargin(key=LONG, amount=D("0.1"), currency="BTC"),
        ReducePosition(key=LONG, size=D(30000), limit_price=D(59000)),
        PlaceStop(key=LONG, size=D(60000), stop_price=D(47500), is_needed=True),
    ],
)
@pytest.mark.parametrize("policy", [a_policy(), replace(POLICY, coin="ETH")])
def test_nothing_is_done_about_a_contract_by_limits_in_another_currency(
    action: Action, policy: Policy
) -> None:
    refusal = refused(action, policy=policy)
    assert refusal is not None
    assert refusal.code == "other_currency"


def test_a_position_in_another_coin_is_told_and_the_others_go_on() -> None:
    other = a_position(OTHER, size="30000", entry="3000", mark="3000", margin="0.2")
    both = an_observation(
        *seen(a_coin_position()).account.positions,
        other,
        futures="1",
        instruments=(RULES, a_coin_instrument(OTHER)),
        markets=(a_market(COIN), a_market(OTHER, mark="3000")),
        currency="BTC",
    )
    found = decide(both, Memory(), POLICY, choose=choose)
    assert found.verdict is Verdict.ACT
    (told,) = [v for v in found.positions if v.key == other.key]
    assert (told.band, told.reason) == (None, "other_currency")
    assert any(
        r.code == "other_currency" and "settles in ETH, the limits are in BTC" in r.text
        for r in found.refusals
    )
    assert all(getattr(s.action, "key", None) != other.key for s in found.approved)


def test_an_inverse_position_beside_linear_ones_is_told_and_they_go_on() -> None:
    linear = a_position(BTC, margin="5000")
    both = an_observation(
        linear,
        a_coin_position(),
        futures="6000",
        instruments=(an_instrument(), RULES),
        markets=(a_market(BTC), a_market(COIN)),
    )
    found = decide(both, Memory(), a_policy(), choose=choose)
    assert {s.action.key for s in found.approved if isinstance(s.action, AddMargin)} == {linear.key}
    (text,) = [r.text for r in found.refusals if r.code == "other_currency"]
    assert "settles in BTC, the limits are in quote, of linear contracts" in text


def test_only_money_of_its_own_coin_is_what_an_account_holds() -> None:
    account = seen(a_coin_position(margin="0.1"), futures="1", spot="0.5").account
    other = a_position(OTHER, size="30000", entry="3000", mark="3000", margin="7")
    wallets = (*account.wallets, replace(account.wallets[0], currency="ETH", total=D(40)))
    both = replace(account, positions=(*account.positions, other), wallets=wallets)
    assert both.held("BTC") == D("1.6")
    assert both.held("ETH") == 47
    # Of linear positions all wallets count, as before, and no coin that is margin elsewhere.
    assert account.held() == D("1.5")


def test_budgets_of_a_coin_are_spent_by_moves_of_that_coin_only() -> None:
    moves = tuple(
        Move(at=NOON, action=AddMargin(key=LONG, amount=D(amount), currency=currency))
        for amount, currency in (("0.2", "BTC"), ("5000", "USDT"))
    )
    memory = Memory(moves=moves)
    assert memory.added_since(None, NOON, coin="BTC") == D("0.2")
    assert memory.added_since(None, NOON) == D("5000.2")


def test_a_stop_of_ours_on_another_coin_may_still_be_taken_back() -> None:
    stop = a_stop("50000", symbol=COIN, size="60000")
    observation = seen(a_coin_position(margin="0.3"), stops=(stop, replace(stop, stop_id="2")))
    cancel = CancelStop(key=LONG, stop_id="2", client_id=stop.client_id)
    allowed = review(
        cancel,
        observation.account,
        {COIN: RULES},
        {},
        Memory(),
        a_policy(),
        now=NOON,
        age_ms=100,
    )
    assert allowed is None


def test_where_margin_stays_behind_the_rest_a_close_must_help_by_itself() -> None:
    rules = replace(RULES, margin_release=MarginRelease.STAYS)
    position = a_coin_position(margin="0.08")
    rest = reduced(position, rules, size=D(30000))
    assert rest is not None
    before, after = assess(position, rules).distance, assess(rest, rules).distance
    assert before is not None
    assert after is not None
    assert after > before


@pytest.mark.parametrize(
    ("step", "text"), [("0.00001", "0.12346"), ("0.01", "0.12"), ("1", "0"), ("10", "0")]
)
def test_an_amount_is_shown_with_the_places_of_its_step(step: str, text: str) -> None:
    assert shown(D("0.123456"), step=D(step)) == text


def test_the_budget_of_the_account_is_a_share_of_its_own_coin() -> None:
    other = a_position(OTHER, size="30000", entry="3000", mark="3000", margin="7")
    mine = seen(a_coin_position(), futures="0.9", spot="0")
    foreign = replace(mine.account.wallets[0], currency="ETH", total=D(40), free=D(40))
    both = replace(
        mine,
        account=replace(
            mine.account,
            positions=(*mine.account.positions, other),
            wallets=(*mine.account.wallets, foreign),
        ),
        instruments=(RULES, a_coin_instrument(OTHER, margin_step="10")),
        markets=(*mine.markets, a_market(OTHER, mark="3000")),
    )
    moved = Move(at=NOON, action=AddMargin(key=other.key, amount=D(5000), currency="USDT"))
    policy = replace(POLICY, account_budget=D("0.05"))
    found = decide(both, Memory(moves=(moved,)), policy, choose=choose)
    (add,) = [s.action for s in found.approved if isinstance(s.action, AddMargin)]
    # Of 1.0 BTC, less a step for the digits it carries.
    assert add.amount == D("0.04999")
