"""Several endangered positions and one purse: who gets what, by laws that no example shows."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, ReducePosition, Transfer
from bot.domain.decision import Decision, Urgency
from bot.domain.instrument import Instrument
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.leverage import distance
from bot.margin.assess import assess
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory, key_of
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of, project, released_by
from bot.rebalance.sizing import after_pair, margin_need
from tests.kit.builders import a_policy
from tests.kit.crowds import Crowd, crowds
from tests.kit.kinds import BOTH
from tests.property.test_planning_laws import applied, policies

POOR = st.tuples(st.integers(0, 3000).map(D), st.just(D(0)))
RICH = st.tuples(st.just(D(10**6)), st.just(D(0)))


def decided(crowd: Crowd, policy: Policy, memory: Memory | None = None) -> Decision:
    limits = crowd.kind.adapted(policy)
    return decide(crowd.observation, memory or Memory(), limits, choose=crowd.choose)


def added(decision: Decision) -> dict[str, D]:
    return {
        s.action.key.symbol: s.action.amount
        for s in decision.approved
        if isinstance(s.action, AddMargin) and not s.action.after_reduction
    }


def standings(crowd: Crowd, observation: Observation) -> dict[str, float]:
    instruments = {i.symbol: i for i in observation.instruments}
    return {
        p.symbol: crowd.standing(p, instruments[p.symbol]) for p in observation.account.positions
    }


def closing_nothing(crowd: Crowd) -> Memory:
    """An order of each position is on its way, so nothing may be closed."""
    return Memory(
        unsettled=tuple(
            ReducePosition(key=p.key, size=abs(p.size), limit_price=p.mark_price)
            for p in crowd.observation.account.positions
        )
    )


@given(crowds(kinds=BOTH), policies(), st.randoms())
def test_the_order_of_positions_does_not_change_what_each_gets(
    crowd: Crowd, policy: Policy, luck: object
) -> None:
    seen = crowd.observation
    positions, markets, instruments = (
        list(seen.account.positions), list(seen.markets), list(seen.instruments)
    )  # fmt: skip
    for many in (positions, markets, instruments):
        luck.shuffle(many)  # type: ignore[attr-defined]  # a random.Random
    turned = replace(
        crowd,
        observation=replace(
            seen,
            account=replace(seen.account, positions=tuple(positions)),
            markets=tuple(markets),
            instruments=tuple(instruments),
        ),
    )
    assert decided(crowd, policy) == decided(turned, policy)


@given(crowds(kinds=BOTH), policies())
def test_no_more_is_spent_than_the_purse_holds(crowd: Crowd, policy: Policy) -> None:
    decision = decided(crowd, policy)
    sent = sum((s.action.amount for s in decision.approved if isinstance(s.action, Transfer)), D(0))
    for name, spent in (("futures", sum(added(decision).values(), D(0))), ("spot", sent)):
        wallet = crowd.observation.account.wallet(name, crowd.kind.settle)
        assert wallet is not None
        reserve = crowd.kind.adapted(policy).reserve(name)
        assert spent <= max(D(0), wallet.free - reserve)


@given(crowds(wallets=RICH), st.booleans())
def test_where_all_targets_can_be_reached_each_gets_just_that(crowd: Crowd, is_loose: bool) -> None:
    policy = a_policy(account_budget=D(10**6), min_move=D("0.01") if is_loose else D(5))
    decision = decided(crowd, policy)
    expected = {}
    for verdict in decision.positions:
        assert verdict.band is not None
        assert verdict.risk.distance is not None
        if verdict.risk.distance < verdict.band.distance.trigger:
            need = margin_need(verdict.risk, distance=verdict.band.distance.target)
            is_emergency = verdict.urgency is Urgency.EMERGENCY
            expected[verdict.key.symbol] = max(
                need, D(1) if is_emergency else max(D(1), policy.min_move)
            )
    assert added(decision) == expected
    assert decision.refusals == ()


@given(crowds(wallets=POOR))
def test_who_is_lifted_stands_as_far_as_every_other_by_the_measure_of_its_trigger(
    crowd: Crowd,
) -> None:
    crowd = replace(crowd, is_measured=True)
    memory = closing_nothing(crowd)
    decision = decided(crowd, a_policy(min_move=D("0.01")), memory)
    assume(all(r.code != "shared_in_order" for r in decision.refusals))
    before = standings(crowd, crowd.observation)
    after = standings(crowd, applied(crowd.observation, decision))
    lifted = added(decision)
    assume(all(amount >= 2 for amount in lifted.values()))  # the least move blurs less than that
    values = [float(abs(p.size) * p.mark_price) for p in crowd.observation.account.positions]
    blur = 0.2 * max(values) / min(values)  # a cent of the smallest is so much of the largest
    level = min((after[symbol] for symbol in lifted), default=0.0)
    for position in crowd.observation.account.positions:
        symbol = position.symbol
        short = in_quote(crowd, position, level - after[symbol])
        if symbol not in lifted:
            assert before[symbol] >= 1.0 or short <= 2 + blur  # dust
        else:
            assert after[symbol] >= before[symbol]
            assert abs(short) <= blur or after[symbol] >= 1.0  # those are there by their own limit


def in_quote(crowd: Crowd, position: Position, standing: float) -> float:
    """Return about how much margin moves a position so far. [quote]."""
    a_log = distance.to_log(crowd.triggers[position.symbol], position.side)
    return standing * a_log * float(abs(position.size) * position.mark_price)


def scaled_by_price(crowd: Crowd, factor: int) -> Crowd:
    """Return the same account with coins cut into so many parts, or put together."""

    def position(p: Position) -> Position:
        price = p.venue_liquidation_price
        return replace(
            p,
            size=p.size / factor,
            entry_price=p.entry_price * factor,
            mark_price=p.mark_price * factor,
            venue_liquidation_price=None if price is None else price * factor,
        )

    return _scaled(crowd, position, coins=D(1) / factor, quote=D(1))


def scaled_by_quote(crowd: Crowd, factor: int) -> Crowd:
    """Return the same account in a currency of which one buys so much less."""

    def position(p: Position) -> Position:
        price = p.venue_liquidation_price
        return replace(
            p,
            entry_price=p.entry_price * factor,
            mark_price=p.mark_price * factor,
            margin=p.margin * factor,
            venue_liquidation_price=None if price is None else price * factor,
        )

    return _scaled(crowd, position, coins=D(1), quote=D(factor))


def _scaled(crowd: Crowd, position: object, *, coins: D, quote: D) -> Crowd:
    seen, price = crowd.observation, quote / coins

    def market(m: Market) -> Market:
        bids, asks = (
            tuple(replace(level, price=level.price * price, size=level.size * coins) for level in s)
            for s in (m.bids, m.asks)
        )
        return replace(
            m,
            mark_price=m.mark_price * price,
            index_price=m.index_price * price,
            bids=bids,
            asks=asks,
        )

    def instrument(i: Instrument) -> Instrument:
        return replace(
            i,
            price_step=i.price_step * price,
            size_step=i.size_step * coins,
            min_size=i.min_size * coins,
            max_market_size=i.max_market_size * coins,
            min_notional=i.min_notional * quote,
            margin_step=i.margin_step * quote,
            tiers=tuple(
                replace(
                    t,
                    notional_floor=t.notional_floor * quote,
                    maintenance_amount=t.maintenance_amount * quote,
                )
                for t in i.tiers
            ),
        )

    account = replace(
        seen.account,
        positions=tuple(position(p) for p in seen.account.positions),  # type: ignore[operator]  # one of the two above
        wallets=tuple(
            replace(w, total=w.total * quote, free=w.free * quote) for w in seen.account.wallets
        ),
    )
    return replace(
        crowd,
        emergency=D("0.000001"),
        observation=replace(
            seen,
            account=account,
            markets=tuple(market(m) for m in seen.markets),
            instruments=tuple(instrument(i) for i in seen.instruments),
        ),
    )


@given(crowds(), st.sampled_from([10, 1000]), st.booleans())
def test_neither_the_price_of_a_coin_nor_the_currency_changes_the_plan(
    crowd: Crowd,
    factor: int,
    in_quote: bool,
) -> None:
    # Without emergencies: the least of them is one unit of whatever currency.
    plain = replace(crowd, emergency=D("0.000001"))
    one = decided(plain, a_policy(min_move=D(5)))
    assume(all(v.urgency is not Urgency.EMERGENCY for v in one.positions))
    if in_quote:
        other = decided(scaled_by_quote(crowd, factor), a_policy(min_move=D(5 * factor)))
        quote, coins = factor, 1
    else:
        other = decided(scaled_by_price(crowd, factor), a_policy(min_move=D(5)))
        quote, coins = 1, factor
    ours, others = without_dust(one, D(2)), without_dust(other, D(2) * quote)
    assert [(a.kind, key_of(a)) for a in ours] == [(a.kind, key_of(a)) for a in others]
    for mine, theirs in zip(ours, others, strict=True):
        if isinstance(mine, ReducePosition):
            assert isinstance(theirs, ReducePosition)
            assert theirs.size * coins == pytest.approx(mine.size, rel=D("1e-5"))
        else:
            assert amount(theirs) / quote == pytest.approx(amount(mine), rel=D("1e-5"))


def without_dust(decision: Decision, least: D) -> list[Action]:
    """Return what is done, without what is put back in the least amounts."""
    return [
        step.action
        for step in decision.approved
        if not (
            isinstance(step.action, AddMargin)
            and step.action.after_reduction
            and step.action.amount < least
        )
    ]


def amount(action: Action) -> D:
    assert isinstance(action, AddMargin | Transfer)
    return action.amount


@given(crowds(kinds=BOTH), policies())
def test_nobody_stands_nearer_after_a_plan_not_even_at_its_worst_prices(
    crowd: Crowd, policy: Policy
) -> None:
    before = standings(crowd, crowd.observation)
    after = standings(crowd, applied(crowd.observation, decided(crowd, policy)))
    for symbol, standing in after.items():
        assert standing >= before[symbol] - 1e-12


@given(crowds(wallets=POOR, kinds=BOTH), policies())
def test_nobody_is_left_below_its_trigger_while_another_is_given_more_than_its_target(
    crowd: Crowd, policy: Policy
) -> None:
    decision = decided(crowd, policy)
    lifted, verdicts = added(decision), {v.key.symbol: v for v in decision.positions}
    after = standings(crowd, applied(crowd.observation, decision))
    limits = crowd.kind.adapted(policy)
    smallest = max(limits.least_move, limits.min_move)  # a move is never less, nor so much lavish
    is_lavish = any(
        amount
        > max(
            margin_need(verdicts[symbol].risk, distance=crowd.triggers[symbol] * D("1.4")), smallest
        )
        for symbol, amount in lifted.items()
    )
    endangered = [v.key.symbol for v in decision.positions if v.urgency is not Urgency.HOLD]
    assert not (is_lavish and any(after.get(symbol, 1.0) < 1.0 for symbol in endangered))


@given(crowds(wallets=POOR, kinds=BOTH), policies())
def test_no_close_is_planned_that_costs_what_it_frees(crowd: Crowd, policy: Policy) -> None:
    seen = crowd.observation
    instruments = {i.symbol: i for i in seen.instruments}
    account = seen.account
    for step in decided(crowd, policy).approved:
        close = step.action
        held = None if isinstance(close, Transfer) else position_of(account, close.key)
        if isinstance(close, ReducePosition) and held is not None:
            rules, price = instruments[held.symbol], close.limit_price
            if close.size == abs(held.size):
                assert released_by(held, rules, size=close.size, price=price) > 0
            else:
                rest = after_pair(held, rules, size=close.size, price=price)
                before, after = assess(held, rules).distance, assess(rest, rules).distance
                assert after is None or (before is not None and after > before)
        account = project(account, instruments, close, wallet="futures")
