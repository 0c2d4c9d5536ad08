from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import PositionVerdict
from bot.domain.observation import Observation
from bot.rebalance.decide import decide
from bot.rebalance.lines import headroom, is_any_crossed, lines
from bot.rebalance.memory import Memory
from tests.kit.builders import LEVELS, choose
from tests.kit.kinds import kind_of
from tests.property.test_planning_laws import observations


def at_marks(observation: Observation, factor: D) -> Observation:
    """Return the same account with every mark moved."""
    positions = tuple(
        replace(p, mark_price=p.mark_price * factor, venue_liquidation_price=None)
        for p in observation.account.positions
    )
    return replace(
        observation,
        account=replace(observation.account, positions=positions),
        markets=tuple(replace(m, mark_price=m.mark_price * factor) for m in observation.markets),
    )


@given(observations(), st.decimals(min_value="0.6", max_value="1.6", places=4))
def test_a_mark_crosses_a_line_exactly_when_a_look_would_find_it_below_another_level(
    observation: Observation, factor: D
) -> None:
    before = decide(observation, Memory(), kind_of(observation).policy(), choose=choose)
    moved = at_marks(observation, factor)
    after = decide(moved, Memory(), kind_of(observation).policy(), choose=choose)
    marks = {market.symbol: market.mark_price for market in moved.markets}
    was = {verdict.key: _below(verdict) for verdict in before.positions}
    fell = any(_below(verdict) > was[verdict.key] for verdict in after.positions)
    assert is_any_crossed(lines(before), marks) == fell


@given(observations())
def test_the_headroom_is_that_of_the_nearest_line(observation: Observation) -> None:
    decision = decide(observation, Memory(), kind_of(observation).policy(), choose=choose)
    found, least = lines(decision), headroom(decision)
    above = [v for v in decision.positions if _below(v) < 2 and v.risk.distance is not None]
    assert (least is None) == (found == {}) == (not above)
    for verdict in above:
        assert verdict.risk.distance is not None
        level = LEVELS.emergency if _below(verdict) else LEVELS.trigger
        assert least is not None
        assert 0 <= least <= verdict.risk.distance - level


def _below(verdict: PositionVerdict) -> int:
    """Return how many levels a position is below."""
    distance = verdict.risk.distance
    return 0 if distance is None else (distance < LEVELS.trigger) + (distance < LEVELS.emergency)
