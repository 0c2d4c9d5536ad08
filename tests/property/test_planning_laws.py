from dataclasses import dataclass, replace
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
from bot.rebalance.memory import KeyMemory, Memory, key_of
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of, project
from bot.rebalance.remembering import remember
from bot.rebalance.rounding import is_multiple
from tests.kit.builders import LEVELS, NOON, a_market, an_observation, choose
from tests.kit.kinds import BOTH, QUOTE, Kind, kind_of

ENOUGH = 20
"""Of least moves: money for several. [count]"""
FREE = st.decimals(min_value=0, max_value=20000, places=2)


@st.composite
def observations(draw: st.DrawFn, kinds: tuple[Kind, ...] = BOTH) -> Observation:
    """Accounts of one or two positions, in quote or in a coin."""
    kind = draw(st.sampled_from(kinds))
    positions, instruments, markets = [], [], []
    for number, (symbol, mark) in enumerate(kind.marks.items()):
        if number and not draw(st.booleans()):
            continue
        lots = draw(st.integers(1, 5000))
        side = draw(st.sampled_from([1, -1]))
        entry = draw(st.integers(mark * 7 // 10, mark * 13 // 10))
        share = draw(st.decimals(min_value="0.006", max_value="0.6", places=4))
        position = kind.position(symbol, lots=lots * side, entry=entry, share=share)
        release = draw(st.sampled_from(list(MarginRelease)))
        instrument = kind.instrument(symbol, margin_release=release)
        risk = assess(position, instrument)
        positions.append(replace(position, venue_liquidation_price=risk.liquidation_price))
        instruments.append(instrument)
        depth = draw(st.sampled_from(kind.depths))
        markets.append(a_market(symbol, mark=str(mark), depth=depth))
    return an_observation(
        *positions,
        futures=str(kind.money(draw(FREE))),
        spot=str(kind.money(draw(FREE))),
        instruments=tuple(instruments),
        markets=tuple(markets),
        currency=kind.settle,
    )


@st.composite
def memories(draw: st.DrawFn, kind: Kind) -> Memory:
    keys = []
    for symbol in kind.marks:
        for side in Side:
            added = kind.money(draw(st.sampled_from([D(0), D("0.5"), D("12.75"), D(3000)])))
            beyond = draw(st.sampled_from([None, NOON.replace(hour=10)]))
            keys.append(KeyMemory(key=PositionKey(symbol, side), added=added, beyond_since=beyond))
    return Memory(keys=tuple(keys))


@st.composite
def policies(draw: st.DrawFn, kind: Kind = QUOTE) -> Policy:
    reserve = kind.money(draw(st.sampled_from([D(0), D(100), D(5000)])))
    return kind.policy(
        reserves=(("futures", reserve), ("spot", reserve)),
        max_reduction_per_action=draw(st.sampled_from([D("0.25"), D(1)])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one decision is made from."""

    observation: Observation
    memory: Memory
    policy: Policy
    kind: Kind

    def decided(self, **changes: object) -> Decision:
        """Decide, with other limits if some are given."""
        policy = replace(self.policy, **changes)  # type: ignore[arg-type]  # any field by name
        return decide(self.observation, self.memory, policy, choose=choose)

    def rich(self) -> "Case":
        """Return it with more money than can be needed."""
        more = 10**7 * self.kind.unit
        wallets = tuple(
            replace(w, total=w.total + more, free=w.free + more)
            for w in self.observation.account.wallets
        )
        account = replace(self.observation.account, wallets=wallets)
        return replace(
            self,
            observation=replace(self.observation, account=account),
            policy=self.kind.policy(),
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Everything a decision is made from, of either kind of contract."""
    observation = draw(observations())
    kind = kind_of(observation)
    return Case(
        observation=observation,
        memory=draw(memories(kind)),
        policy=draw(policies(kind)),
        kind=kind,
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


@given(cases())
def test_with_emergencies_only_nothing_is_done_for_who_is_in_none(case: Case) -> None:
    decision = case.decided(only_emergencies=True)
    endangered = {v.key for v in decision.positions if v.urgency is Urgency.EMERGENCY}
    for planned in decision.approved:
        assert key_of(planned.action) in endangered
    # So little money is one move or none, and who gets it may change with who is asked.
    enough = ENOUGH * case.policy.least_move
    wallets = case.observation.account.wallets
    assume(all(wallet.free == 0 or wallet.free >= enough for wallet in wallets))
    free = case.decided()
    wanted = {key_of(planned.action) for planned in free.approved} & endangered
    assert {key_of(planned.action) for planned in decision.approved} >= wanted


@given(cases())
def test_every_approved_action_is_positive_on_its_step_and_covered_by_its_wallet(
    case: Case,
) -> None:
    decision = case.decided()
    account = case.observation.account
    instruments = {i.symbol: i for i in case.observation.instruments}
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


@given(cases(), st.sampled_from([D("0.01"), D("0.5"), D(5)]))
def test_nothing_moves_that_could_not_carry_digits_of_its_own(case: Case, smallest: D) -> None:
    for planned in case.decided(min_move=case.kind.money(smallest)).approved:
        if isinstance(planned.action, AddMargin | RemoveMargin | Transfer):
            assert planned.action.amount >= case.policy.least_move


@given(cases())
def test_after_the_approved_actions_no_position_stands_nearer_unless_margin_was_given_back(
    case: Case,
) -> None:
    decision = case.decided()
    after = applied(case.observation, decision)
    given_back = {s.action.key for s in decision.approved if isinstance(s.action, RemoveMargin)}
    reduced = {s.action.key for s in decision.approved if isinstance(s.action, ReducePosition)}
    instruments = {i.symbol: i for i in case.observation.instruments}
    for position in after.account.positions:
        before = position_of(case.observation.account, position.key)
        assert before is not None
        assert abs(position.size) <= abs(before.size)
        now = assess(position, instruments[position.symbol]).distance
        was = assess(before, instruments[position.symbol]).distance
        if position.key in given_back:
            assert now is None or now >= LEVELS.target
        elif position.key not in reduced and was is not None:
            assert now is None or now >= was


@given(cases())
def test_after_enough_money_no_position_stands_beyond_its_trigger(case: Case) -> None:
    rich = case.rich()
    decision = rich.decided()
    instruments = {i.symbol: i for i in case.observation.instruments}
    for position in applied(rich.observation, decision).account.positions:
        distance = assess(position, instruments[position.symbol]).distance
        assert distance is None or distance >= LEVELS.trigger


@given(cases())
def test_deciding_again_right_after_a_done_rescue_adds_nothing_more(case: Case) -> None:
    rich = case.rich()
    decision = rich.decided()
    assume(any(isinstance(s.action, AddMargin) for s in decision.approved))
    effects = [s.action for s in decision.approved]
    later = remember(
        case.memory, decision, account=rich.observation.account, effects=effects, unsettled=()
    )
    again = decide(
        applied(rich.observation, decision), later, replace(rich.policy, cooldown=0), choose=choose
    )
    assert not any(isinstance(s.action, AddMargin | ReducePosition) for s in again.approved)


@given(cases())
def test_margin_moves_and_transfers_conserve_collateral(case: Case) -> None:
    decision = case.decided()
    instruments = {i.symbol: i for i in case.observation.instruments}
    account = case.observation.account
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


@given(cases())
def test_the_reserve_survives_every_plan(case: Case) -> None:
    decision = case.decided()
    after = applied(case.observation, decision).account
    for wallet in after.wallets:
        before = case.observation.account.wallet(wallet.name, wallet.currency)
        assert before is not None
        if any(isinstance(s.action, ReducePosition) for s in decision.approved):
            continue  # a realized loss is charged by the venue, not moved by the bot
        assert wallet.free >= min(before.free, case.policy.reserve(wallet.name))


@given(cases())
def test_a_decision_is_a_pure_function_of_its_inputs(case: Case) -> None:
    assert case.decided() == case.decided()


@given(cases())
def test_no_more_than_the_bot_added_ever_returns(case: Case) -> None:
    decision = case.decided()
    for step in decision.approved:
        if isinstance(step.action, RemoveMargin):
            assert step.action.amount <= case.memory.of(step.action.key).added
        assert not (isinstance(step.action, Transfer) and step.action.source == "futures")


@given(cases())
def test_the_order_of_positions_does_not_change_the_decision(case: Case) -> None:
    turned = replace(
        case.observation,
        account=replace(
            case.observation.account, positions=tuple(reversed(case.observation.account.positions))
        ),
        markets=tuple(reversed(case.observation.markets)),
        instruments=tuple(reversed(case.observation.instruments)),
    )
    assert case.decided() == replace(case, observation=turned).decided()
