"""Where exactly do the limits of a plan lie: what is just given beside what is just kept?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.account import Wallet
from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.decision import Decision, Urgency, Verdict
from bot.domain.market import BookLevel
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.position import Side
from bot.margin.assess import assess
from bot.rebalance import book, plan, reducing
from bot.rebalance.claims import Claim, Landed
from bot.rebalance.memory import KeyMemory, Memory, Move
from tests.kit.builders import (
    BTC,
    ETH,
    LEVELS,
    NOON,
    a_market,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
)
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


def kinds(found: Decision) -> list[tuple[str, str]]:
    """Return kind and reason of what may be sent."""
    return [(step.action.kind, step.why) for step in found.approved]


def rich(margin: str = "20000") -> Observation:
    """A position beyond its give-back level."""
    position = a_position(margin=margin)
    ours = assess(position, an_instrument()).liquidation_price
    return an_observation(replace(position, venue_liquidation_price=ours))


OWN: dict[str, Any] = {"keys": (KeyMemory(key=KEY, added=D(5000), beyond_since=NOON - HOUR),)}


@pytest.mark.parametrize(
    "memory", [Memory(mode=Mode.DEGRADED, **OWN), Memory(unsettled=(added(7, ETH),), **OWN)]
)
def test_only_a_bot_that_knows_all_of_its_moves_plans_to_give_back(memory: Memory) -> None:
    assert kinds(decided(rich(), memory=Memory(**OWN))) == [("remove_margin", "above_give_back")]
    found = decided(rich(), memory=memory)
    assert (found.approved, found.refusals) == ((), ())


def test_a_position_that_no_price_liquidates_gives_back_what_is_the_bots() -> None:
    found = decided(rich("70000"), memory=Memory(**OWN))
    assert [s.action.amount for s in found.approved if isinstance(s.action, RemoveMargin)] == [
        D(5000)
    ]


SENT = Transfer(source="spot", destination="futures", amount=D(77), currency="USDT")


def low(*margins: str, futures: str = "0", spot: str = "90000") -> Observation:
    """Positions with so much margin, and the money to save them far away."""
    symbols = (BTC, ETH)
    held = [a_position(s, margin=m) for s, m in zip(symbols, margins, strict=False)]
    return an_observation(*held, futures=futures, spot=spot)


@pytest.mark.parametrize(
    "memory", [Memory(in_transit=(SENT,)), Memory(unsettled=(SENT,))], ids=["confirmed", "unknown"]
)
def test_what_cannot_be_sent_now_saves_nobody_in_an_emergency_and_is_waited_for_else(
    memory: Memory,
) -> None:
    assert [k for k, _ in kinds(decided(low("6000")))] == ["transfer"]
    assert kinds(decided(low("6000"), memory=memory)) == []
    saved = decided(low("3000"), memory=memory)
    assert [k for k, _ in kinds(saved)] == ["reduce_position", "add_margin"]
    both = decided(low("3000", "6000"), memory=memory)
    assert ("reduce_position", BTC) in [
        (s.action.kind, s.action.key.symbol)
        for s in both.approved
        if isinstance(s.action, ReducePosition)
    ]


def test_where_nothing_may_travel_a_close_does_not_wait_for_it() -> None:
    for memory, policy in (
        (Memory(mode=Mode.DEGRADED), a_policy()),
        (Memory(), a_policy(only_emergencies=True)),
    ):
        found = decided(low("3000"), memory=memory, policy=policy)
        assert [k for k, _ in kinds(found)] == ["reduce_position", "add_margin"]
        assert "transfer" not in " ".join(r.text for r in found.refusals)


def test_what_is_sent_and_what_is_added_cost_nothing_and_say_why() -> None:
    found = decided(low("6000", futures="1000"))
    assert [(s.action.kind, s.why, s.cost) for s in found.approved] == [
        ("add_margin", "below_trigger", D(0)),
        ("transfer", "wallet_low", D(0)),
    ]


def test_what_a_wallet_shows_above_its_claim_is_not_planned_with() -> None:
    late = NOON + timedelta(seconds=9)
    claim = Claim(wallet="futures", currency="USDT", at_most=D(1000), until=late)
    assert given(Memory(claims=(claim,))) == [D(1000) - CENT]


def test_the_currencies_of_an_account_share_its_budgets() -> None:
    other = a_position("ETH/USDC:USDC")
    seen = held()
    account = replace(
        seen.account,
        positions=(*seen.account.positions, other),
        wallets=(
            *seen.account.wallets,
            Wallet(name="futures", currency="USDC", total=D(10000), free=D(10000)),
        ),
    )
    rules = replace(an_instrument(other.symbol), settle="USDC")
    seen = replace(
        seen,
        account=account,
        instruments=(*seen.instruments, rules),
        markets=(*seen.markets, a_market(other.symbol)),
    )
    # A tenth of 20,000 and twice 6,000, less a step for each.
    assert sum(given(None, seen, account_budget=D("0.1"))) == D(3200) - 2 * CENT


def test_a_share_that_just_reaches_the_trigger_is_not_short_of_it() -> None:
    # From 6,000 to the trigger at 60,000 - 0.995 * 54,000 - 50; a move is worth 746 or more.
    picky: dict[str, Any] = {"min_effect": D("0.25")}
    assert given(max_margin_per_hour=D("220.01"), **picky) == []
    assert given(max_margin_per_hour=D("220.00"), **picky) == [D("219.99")]


def test_an_emergency_takes_a_little_also_where_nothing_may_be_closed() -> None:
    order = ReducePosition(key=KEY, size=D("0.1"), limit_price=D(59000))
    seen = low("3000", futures="100.01", spot="0")
    assert given(Memory(unsettled=(order,)), seen, min_effect=D("0.25")) == [D(100)]


def test_what_is_allowed_and_less_than_the_smallest_move_is_nothing() -> None:
    assert given(max_margin_per_hour=D("5.01")) == [D(5)]
    assert given(max_margin_per_hour=D("5.00")) == []


def test_beside_two_unknown_moves_nothing_is_added() -> None:
    two = Memory(unsettled=(added(7), added(8)))
    assert given(two, low("3000", futures="5000")) == []


def test_an_emergency_has_all_moves_of_its_time_and_no_more() -> None:
    seen = low("3000", futures="5000")
    three = [(HOUR / n, added(10 + n)) for n in (4, 3, 2)]
    assert given(after(*three), seen, max_moves_per_hour=4) == [D(5000) - CENT]
    assert given(after((HOUR, added(20)), *three), seen, max_moves_per_hour=4) == []


def test_what_is_spent_leaves_nothing_also_for_an_emergency() -> None:
    seen = low("3000", futures="5000", spot="0")
    found = decided(
        seen, memory=after((HOUR / 2, added(1000))), policy=a_policy(max_margin_per_hour=D(1000))
    )
    assert [k for k, _ in kinds(found)] == ["reduce_position", "add_margin"]
    assert found.refusals == ()


def test_beside_one_unknown_move_an_emergency_is_helped_both_ways() -> None:
    one = Memory(unsettled=(added(7),))
    assert given(one, low("3000", futures="5000")) == [D(5000) - CENT]
    poor = decided(low("3000", spot="0"), memory=one)
    assert [k for k, _ in kinds(poor)] == ["reduce_position", "add_margin"]


def test_what_has_arrived_and_does_not_show_is_not_sent_again() -> None:
    late = NOON + timedelta(seconds=9)
    memory = Memory(
        claims=(Claim(wallet="futures", currency="USDT", at_most=D("1077.01"), until=late),),
        landed=(Landed(transfer=SENT, until=late),),
    )
    assert sent(held("1000.01", spot="9000"), memory=memory) == [("spot", WANTED - 1077)]


@pytest.mark.parametrize(
    ("margin", "is_emergency"), [("3000", True), ("6000", False)], ids=["emergency", "routine"]
)
def test_a_close_says_its_cost_and_why_and_goes_as_far_as_its_urgency(
    margin: str, is_emergency: bool
) -> None:
    seen, policy = low(margin, spot="0"), a_policy()
    (position,), (rules,), (market,) = seen.account.positions, seen.instruments, seen.markets
    close, back = decided(seen, policy=policy).approved
    assert isinstance(close.action, ReducePosition)
    assert close.action.limit_price == reducing.worst_price(
        position, rules, market, policy, is_emergency=is_emergency
    )
    cost = book.reduction_cost(
        market,
        rules,
        position.side,
        size=close.action.size,
        limit_price=close.action.limit_price,
    )
    assert (close.why, close.cost) == ("wallet_low", cost)
    assert (back.why, back.cost) == ("re_add_released", D(0))


def test_a_close_is_sized_with_what_comes_later() -> None:
    seen, policy = low("3000", futures="0.01", spot="100.01"), a_policy()
    (position,), (rules,), (market,) = seen.account.positions, seen.instruments, seen.markets
    price = reducing.worst_price(position, rules, market, policy, is_emergency=True)
    expected = reducing.reduction(
        replace(position, margin=D(3100)),
        rules,
        market,
        policy,
        distance=LEVELS.target,
        limit_price=price,
    )
    assert decided(seen, policy=policy).approved[0].action == expected


def test_who_just_reaches_the_trigger_is_not_shrunk() -> None:
    found = decided(held(), policy=a_policy(max_margin_per_hour=D("220.01")))
    assert kinds(found) == [("add_margin", "below_trigger")]


def test_who_finds_nothing_to_close_into_is_told_what_it_needs() -> None:
    seen = low("6000", spot="0")
    seen = replace(seen, markets=(a_market(depth="0.0005"),))
    (refusal,) = decided(seen).refusals
    assert refusal.code == "short_of_funds"
    assert refusal.text == (
        f"{KEY} needs 220.00 to reach its trigger, 0 may be used, and it was not shrunk: "
        "the book shows nothing to close into"
    )


def test_a_wallet_that_is_not_there_is_not_asked_for_anything() -> None:
    found = decided(held("100.01"), policy=a_policy(transfer_from=("earn",)))
    assert "transfer" not in [k for k, _ in kinds(found)]
    assert "earn" not in " ".join(r.text for r in found.refusals)


def test_what_is_too_little_to_be_moved_is_not_sent_on_its_way_either() -> None:
    seen = low("6000", spot="100.01")
    seen = replace(seen, markets=(a_market(depth="0"),))
    assert sent(seen, min_effect=D("0.25")) == []


def test_without_the_wallet_that_backs_positions_nothing_is_decided() -> None:
    seen = low("6000")
    account = replace(seen.account, wallets=seen.account.wallets[1:])
    found = decided(replace(seen, account=account))
    assert (found.verdict, found.reason) == (Verdict.NOT_READY, "missing_wallet")
    assert found.refusals[0].text == "wallet futures of USDT must be known"


@pytest.mark.parametrize("margin", ["3000", "6000"])
@pytest.mark.parametrize("side", list(Side))
def test_what_may_be_closed_is_offered_at_the_prices_that_pay(side: Side, margin: str) -> None:
    position = a_position(size=str(side.sign), margin=margin)
    (verdict,), (rules,) = decided(an_observation(position)).positions, (an_instrument(),)
    market, policy = a_market(), a_policy()
    deep = tuple(
        BookLevel(price=D(60000) * (1 - side.sign * D(k) / 2000), size=D(k)) for k in range(1, 60)
    )
    market = (
        replace(market, bids=deep, asks=())
        if side is Side.LONG
        else replace(market, bids=(), asks=deep)
    )
    offer = plan._offer(verdict, market, Memory(), policy)
    price = reducing.worst_price(
        position, rules, market, policy, is_emergency=verdict.urgency is Urgency.EMERGENCY
    )
    assert offer.levels == book.within(deep, side, price)
    assert offer.nearest == deep[0].price
    bare = replace(market, bids=(), asks=())
    offer = plan._offer(verdict, bare, Memory(), policy)
    assert (offer.levels, offer.nearest) == (
        (),
        reducing.worst_price(
            position, rules, bare, policy, is_emergency=verdict.urgency is Urgency.EMERGENCY
        ),
    )
