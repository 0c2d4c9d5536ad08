"""What the decider approves the guard lets pass: a plan that stops half-way protects nobody.

The two judge apart on purpose; where they differ on an honest plan, one of them is wrong.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import AddMargin, PlaceStop, ReducePosition
from bot.domain.intent import Intent
from bot.domain.observation import Observation
from bot.execute.facts import KINDS
from bot.execute.fingerprint import Fingerprints, steps_apart
from bot.execute.judge import Judge
from bot.rebalance.decide import Choose, decide
from bot.rebalance.memory import Memory, Move
from bot.rebalance.policy import Policy
from tests.kit.builders import NOON, choose
from tests.kit.crowds import Crowd, crowds
from tests.kit.fakes import FakeAuthority, FakeClock, FakeSwitches, FakeVenue
from tests.kit.kinds import BOTH, IN_COIN, Kind, kind_of
from tests.kit.records import a_request
from tests.property.test_planning_laws import memories, observations

COARSE, ROOM = D("0.0001"), D("0.001")
"""Finest step of a coin that a venue takes, and the step of what is planned. [coin]"""


@st.composite
def budgets(draw: st.DrawFn, kind: Kind) -> Policy:
    reserve = kind.money(draw(st.sampled_from([D(0), D(100)])))
    hour = kind.money(draw(st.sampled_from([D(50), D(100000)])))
    action = kind.money(draw(st.sampled_from([D(40), D(300), D(100000)])))
    return kind.policy(
        account_budget=draw(st.sampled_from([D("0.01"), D("0.2"), D(3)])),
        reserves=(("futures", reserve), ("spot", reserve)),
        max_margin_per_hour=hour,
        max_margin_per_action=min(action, hour),
        min_move=draw(st.sampled_from([kind.cent, kind.money(5)])),
    )


@st.composite
def pasts(draw: st.DrawFn, observation: Observation) -> Memory:
    """Memories of margin that was added seconds to hours before."""
    kind = kind_of(observation)
    memory = draw(memories(kind))
    keys = [p.key for p in observation.account.positions]
    moves = [
        Move(
            at=NOON - timedelta(seconds=draw(st.sampled_from([2, 59, 61, 3599, 7200]))),
            action=AddMargin(
                key=draw(st.sampled_from(keys)),
                amount=draw(st.sampled_from([100_123, 500_217, 25_000_311])) * kind.step,
                currency=kind.settle,
            ),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    return replace(memory, moves=tuple(sorted(moves, key=lambda m: m.at)))


@given(st.data(), observations())
def test_the_guard_lets_a_whole_approved_plan_pass(
    data: st.DataObject, observation: Observation
) -> None:
    policy = data.draw(budgets(kind_of(observation)))
    check(observation, data.draw(pasts(observation)), policy, choose=choose)


@given(st.data(), crowds(kinds=BOTH))
def test_the_guard_lets_a_plan_for_several_positions_pass(
    data: st.DataObject, crowd: Crowd
) -> None:
    seen, policy = crowd.observation, data.draw(budgets(crowd.kind))
    check(seen, data.draw(pasts(seen)), policy, choose=crowd.choose)


@given(st.data(), crowds(kinds=(IN_COIN,)))
def test_the_guard_lets_a_plan_pass_whose_amounts_have_no_room_for_tags(
    data: st.DataObject, crowd: Crowd
) -> None:
    rules = tuple(replace(i, margin_step=ROOM) for i in crowd.observation.instruments)
    seen = replace(crowd.observation, instruments=rules)
    moves = [
        Move(
            at=NOON - timedelta(seconds=data.draw(st.sampled_from([61, 3599, 7200]))),
            action=AddMargin(
                key=data.draw(st.sampled_from([p.key for p in seen.account.positions])),
                amount=data.draw(st.integers(1, 3_000)) * COARSE,
                currency=crowd.kind.settle,
            ),
        )
        for _ in range(data.draw(st.integers(0, 9)))
    ]
    memory = Memory(moves=tuple(sorted(moves, key=lambda m: m.at)))
    prints = Fingerprints(step=COARSE, epoch=1, apart=steps_apart(room=ROOM, step=COARSE))
    policy = data.draw(budgets(crowd.kind))
    check(seen, memory, policy, choose=crowd.choose, fingerprints=prints)


def check(
    observation: Observation,
    memory: Memory,
    policy: Policy,
    *,
    choose: Choose,
    fingerprints: Fingerprints | None = None,
) -> None:
    """Ask the guard about each write of a plan, in their order."""
    decision = decide(observation, memory, policy, choose=choose)
    clock, switches = FakeClock(), FakeSwitches()
    if fingerprints is None:
        fingerprints = Fingerprints(step=kind_of(observation).step, epoch=1)
    fingerprints.learn((move.at, move.action) for move in memory.moves)
    judge = Judge(
        venue=FakeVenue(observation, clock),
        clock=clock,
        switchboard=switches,
        watchdog=switches,
        authority=FakeAuthority(),
        policy=policy,
        fingerprints=fingerprints,
        supported=KINDS,
        slots_for=lambda _: 1024,
    )
    judge.begin(observation, decision, memory, is_reduced=False, holds={})
    for number, planned in enumerate(decision.approved):
        is_order = isinstance(planned.action, ReducePosition | PlaceStop)
        intent = Intent(
            id=f"pl{number}",
            decision_id="d",
            account="main",
            action=fingerprints.marked(planned.action, now=NOON, open_=()),
            written_at=NOON,
        )
        request = replace(a_request(NOON), is_reduce_only=True if is_order else None)
        assert judge.look(intent, request) is None
