from typing import Any

import pytest

from bot.domain.band import LeverageBand
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.risk import PositionRisk
from bot.journal.queries import StoredInputs
from bot.margin.bands import band_at_distances
from bot.rebalance.decide import decide
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory
from bot.record import record_of
from bot.replay import replay
from bot.schemas import decode, encode
from tests.kit.builders import LEVELS, a_policy, a_position, an_observation
from tests.kit.records import an_intent


class Fixed:
    """A strategy with the same distances always."""

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:
        del market
        return band_at_distances(risk, LEVELS)


def stored(observation: Observation | None, **changes: Any) -> StoredInputs:
    inputs = Inputs(
        observation=observation, memory=Memory(), policy=a_policy(), strategy="tests:Fixed"
    )
    assert decode(Inputs, encode(inputs)) == inputs
    record: dict[str, Any] = {}
    if observation is not None:
        decision = decide(observation, Memory(), a_policy(), choose=Fixed().choose)
        record = record_of(
            decision,
            decision_id="d1",
            sequence=1,
            intents=[an_intent(action=planned.action) for planned in decision.approved],
            config_hash="0f",
            strategy="tests:Fixed",
        )
    return StoredInputs(row=1, record=record | changes, inputs=encode(inputs))


RESCUE = an_observation(a_position(margin="5000"), futures="10000")


def test_a_decision_follows_again_from_the_inputs_kept_with_it() -> None:
    report = replay([stored(RESCUE), stored(None)], lambda _: Fixed())
    assert (report.reproduced, report.without_observation, report.differences) == (1, 1, ())


@pytest.mark.parametrize(
    ("field", "value"), [("verdict", "hold"), ("actions", []), ("reason", "another")]
)
def test_a_decision_that_does_not_follow_is_told_with_its_field(field: str, value: object) -> None:
    report = replay([stored(RESCUE, **{field: value})], lambda _: Fixed())
    assert report.reproduced == 0
    assert [difference.field for difference in report.differences] == [field]
