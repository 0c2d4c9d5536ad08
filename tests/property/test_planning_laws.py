from dataclasses import replace
from decimal import Decimal as D

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.action import AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.decision import Decision, Urgency
from bot.domain.instrument import MarginRelease
from bot.domain.observation import Observation
from bot.domain.position import PositionKey, Side
from bot.margin.assess import assess
from bot.rebalance.decide import decide
from bot.rebalance.memory import KeyMemory, Memory, key_of, remember
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of, project
from bot.rebalance.rounding import LEAST, is_multiple
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
    choose,
)

ENOUGH = D(20)
"""Of money for several moves. [quote]"""
FREE = st.decimals(min_value=0, max_value=20000, places=2)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    positions, instruments, markets = [], [], []
    for symbol, mark in ((BTC, 60000), (ETH, 3000)):
        if symbol == ETH and not draw(st.booleans()):
            continue
        lots = draw(st.integers(1, 5000))
        side = draw(st.sampled_from([1, -1]))
        entry = draw(st.integers(mark * 7 // 10, mark * 13 // 10))
        size = D(lots) / 1000 * side
        share = draw(st.decimals(min_value="0.006", max_value="0.6", places=4))
        equity = abs(size) * mark * share
        margin = (equity - size * (mark - entry)).quantize(D("0.01"))
        position = a_position(
            symbol, size=str(size), entry=str(entry), mark=str(mark), margin=str(margin)
        )
        release = draw(st.sampled_from(list(MarginRelease)))
        instrument = an_instrument(symbol, margin_release=release)
        risk = assess(position, instrument)
        positions.append(replace(position, venue_liquidation_price=risk.liquidation_price))
        instruments.append(instrument)
        depth = draw(st.sampled_from([None, "0.002", "0.5", "100"]))
        markets.append(a_market(symbol, mark=str(mark), depth=depth))
    return an_observation(
        *positions,
        futures=str(draw(FREE)),
        spot=str(draw(FREE)),
        instruments=tuple(instruments),
        markets=tuple(markets),
    )


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    keys = []
    for symbol in (BTC, ETH):
        for side in Side:
            added = draw(st.sampled_from([D(0), D("0.5"), D("12.75"), D(3000)]))
            beyond = draw(st.sampled_from([None, NOON.replace(hour=10)]))
            keys.append(KeyMemory(key=PositionKey(symbol, side), added=added, beyond_since=beyond))
    return Memory(keys=tuple(keys))


policies = st.builds(
    lambda reserve, share: a_policy(
        reserves=(("futures", reserve), ("spot", reserve)), max_reduction_per_action=share
    ),
    st.sampled_from([D(0), D(100), D(5000)]),
    st.sampled_from([D("0.25"), D(1)]),
)


def applied(observation: Observation, decision: Decision) -> Observation:
    """Return the observation after every approved action took full effect at its worst price."""
    instruments = {i.symbol: i for i in observation.instruments}
    account = observation.account
    for step in decision.approved:
        account = project(account, instruments, step.action, wallet="futures")
    positions = tuple(
        replace(p, venue_liquidation_price=assess(p, instruments[p.symbol]).liquidation_price)
        for p in account.positions
    )
    return replace(observation, account=replace(account, positions=positions))


@given(observations(), memories(), policies)
def test_with_emergencies_only_nothing_is_done_for_who_is_in_none(
    observation: Observation, memory: Memory, policy: Policy
) -> None:
    strict = replace(policy, only_emergencies=True)
    decision = decide(observation, memory, strict, choose=choose)
    endangered = {v.key for v in decision.positions if v.urgency is Urgency.EMERGENCY}
    for planned in decision.approved:
        assert key_of(planned.action) in endangered
    # So little money is one move or none, and who gets it may change with who is asked.
    assume(all(wallet.free == 0 or wallet.free >= ENOUGH for wallet in observation.account.wallets))
    free = decide(observation, memory, policy, choose=choose)
    wanted = {key_of(planned.action) for planned in free.approved} & endangered
    assert {key_of(planned.action) for planned in decision.approved} >= wanted


@given(observations(), memories(), policies)
def test_every_approved_action_is_positive_on_its_step_and_covered_by_its_wallet(
    observation: Observation, memory: Memory, policy: Policy
) -> None:
    decision = decide(observation, memory, policy, choose=choose)
    account = observation.account
    instruments = {i.symbol: i for i in observation.instruments}
    for step in decision.approved:
        action = step.action
        if isinstance(action, ReducePosition):
            held = position_of(account, action.key)
            assert held is not None
            assert 0 < action.size <= abs(held.size)
        elif isinstance(action, AddMargin | RemoveMargin | Transfer):
            assert action.amount > 0
        if isinstance(action, AddMargin | RemoveMargin):
            step_size = instruments[action.key.symbol].margin_step
            assert is_multiple(action.amount, step=step_size)
        before = {(w.name, w.currency): w.free for w in account.wallets}
        account = project(account, instruments, action, wallet="futures")
        for wallet in account.wallets:
            # A reduction may realize a loss; nothing else takes what is not there.
            is_covered = wallet.free >= min(D(0), before[wallet.name, wallet.currency])
            assert is_covered or isinstance(action, ReducePosition)


@given(observations(), memories(), st.sampled_from([D("0.01"), D("0.5"), D(5)]))
def test_nothing_moves_that_could_not_carry_digits_of_its_own(
    observation: Observation, memory: Memory, smallest: D
) -> None:
    decision = decide(observation, memory, a_policy(min_move=smallest), choose=choose)
    for planned in decision.approved:
        if isinstance(planned.action, AddMargin | RemoveMargin | Transfer):
            assert planned.action.amount >= LEAST


@given(observations(), memories(), policies)
def test_after_the_approved_actions_no_position_stands_nearer_unless_margin_was_given_back(
    observation: Observation, memory: Memory, policy: Policy
) -> None:
    decision = decide(observation, memory, policy, choose=choose)
    after = applied(observation, decision)
    given_back = {s.action.key for s in decision.approved if isinstance(s.action, RemoveMargin)}
    reduced = {s.action.key for s in decision.approved if isinstance(s.action, ReducePosition)}
    instruments = {i.symbol: i for i in observation.instruments}
    for position in after.account.positions:
        before = position_of(observation.account, position.key)
        assert before is not None
        assert abs(position.size) <= abs(before.size)
        now = assess(position, instruments[position.symbol]).distance
        was = assess(before, instruments[position.symbol]).distance
        if position.key in given_back:
            assert now is None or now >= LEVELS.target
        elif position.key not in reduced and was is not None:
            assert now is None or now >= was


@given(observations(), memories())
def test_after_enough_money_no_position_stands_beyond_its_trigger(
    observation: Observation, memory: Memory
) -> None:
    wallets = tuple(
        replace(w, total=w.total + 10**7, free=w.free + 10**7) for w in observation.account.wallets
    )
    rich = replace(observation, account=replace(observation.account, wallets=wallets))
    decision = decide(rich, memory, a_policy(), choose=choose)
    instruments = {i.symbol: i for i in observation.instruments}
    for position in applied(rich, decision).account.positions:
        distance = assess(position, instruments[position.symbol]).distance
        assert distance is None or distance >= LEVELS.trigger


@given(observations(), memories())
def test_deciding_again_right_after_a_done_rescue_adds_nothing_more(
    observation: Observation, memory: Memory
) -> None:
    wallets = tuple(
        replace(w, total=w.total + 10**7, free=w.free + 10**7) for w in observation.account.wallets
    )
    rich = replace(observation, account=replace(observation.account, wallets=wallets))
    decision = decide(rich, memory, a_policy(), choose=choose)
    assume(any(isinstance(s.action, AddMargin) for s in decision.approved))
    effects = [s.action for s in decision.approved]
    later = remember(memory, decision, account=rich.account, effects=effects, unsettled=())
    again = decide(applied(rich, decision), later, a_policy(cooldown=0), choose=choose)
    assert not any(isinstance(s.action, AddMargin | ReducePosition) for s in again.approved)


@given(observations(), memories(), policies)
def test_margin_moves_and_transfers_conserve_collateral(
    observation: Observation, memory: Memory, policy: Policy
) -> None:
    decision = decide(observation, memory, policy, choose=choose)
    instruments = {i.symbol: i for i in observation.instruments}
    account = observation.account
    for step in decision.approved:
        if isinstance(step.action, ReducePosition):
            return
        moved = project(account, instruments, step.action, wallet="futures")

        def held(of: object) -> D:
            return sum(
                (w.total for w in of.wallets),  # type: ignore[attr-defined]  # an Account
                D(0),
            ) + sum((p.margin for p in of.positions), D(0))  # type: ignore[attr-defined]  # same

        assert held(moved) == held(account)
        account = moved


@given(observations(), memories(), policies)
def test_the_reserve_survives_every_plan(
    observation: Observation, memory: Memory, policy: Policy
) -> None:
    decision = decide(observation, memory, policy, choose=choose)
    after = applied(observation, decision).account
    for wallet in after.wallets:
        before = observation.account.wallet(wallet.name, wallet.currency)
        assert before is not None
        if any(isinstance(s.action, ReducePosition) for s in decision.approved):
            continue  # a realized loss is charged by the venue, not moved by the bot
        assert wallet.free >= min(before.free, policy.reserve(wallet.name))


@given(observations(), memories(), policies)
def test_a_decision_is_a_pure_function_of_its_inputs(
    observation: Observation, memory: Memory, policy: Policy
) -> None:
    one = decide(observation, memory, policy, choose=choose)
    two = decide(observation, memory, policy, choose=choose)
    assert one == two


@given(observations(), memories())
def test_no_more_than_the_bot_added_ever_returns(observation: Observation, memory: Memory) -> None:
    decision = decide(observation, memory, a_policy(), choose=choose)
    for step in decision.approved:
        if isinstance(step.action, RemoveMargin):
            assert step.action.amount <= memory.of(step.action.key).added
        assert not (isinstance(step.action, Transfer) and step.action.source == "futures")


@given(observations(), memories(), policies)
def test_the_order_of_positions_does_not_change_the_decision(
    observation: Observation, memory: Memory, policy: Policy
) -> None:
    turned = replace(
        observation,
        account=replace(
            observation.account, positions=tuple(reversed(observation.account.positions))
        ),
        markets=tuple(reversed(observation.markets)),
        instruments=tuple(reversed(observation.instruments)),
    )
    assert decide(observation, memory, policy, choose=choose) == decide(
        turned, memory, policy, choose=choose
    )
