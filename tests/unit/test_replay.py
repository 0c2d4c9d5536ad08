import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import AddMargin
from bot.domain.band import LeverageBand
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.past import Carried, Past
from bot.domain.risk import PositionRisk
from bot.journal.queries import StoredInputs
from bot.margin.bands import band_at_distances
from bot.rebalance.decide import decide
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import KeyMemory, Memory, amount_of
from bot.rebalance.remembering import remember
from bot.record import record_of
from bot.replay import _as_sent, memory_after, replay
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


class Counting:
    """A strategy that counts its decisions, and acts on every second one."""

    def choose(self, risk: PositionRisk, market: Market, past: Past | None = None) -> LeverageBand:
        del market
        known = None if past is None else past.of("count 1").number("count")
        count = 1 if known is None else int(known) + 1
        trigger = D("0.10") if count % 2 else D("0.01")
        band = band_at_distances(risk, replace(LEVELS, trigger=trigger, emergency=trigger / 2))
        return replace(band, carry=Carried(kind="count 1", values=(("count", str(count)),)))


def a_run(polls: int, memory: Memory | None = None) -> tuple[list[StoredInputs], Memory]:
    """Return what a run of polls kept, and what it remembers; nothing that it planned was done."""
    kept: list[StoredInputs] = []
    memory = memory or Memory()
    for poll in range(polls):
        seen = replace(RESCUE, at=RESCUE.at + timedelta(seconds=poll))
        inputs = Inputs(observation=seen, memory=memory, policy=a_policy(), strategy="t:Counting")
        decision = decide(seen, memory, a_policy(), choose=Counting().choose)
        record = record_of(
            decision,
            decision_id=f"d{poll}",
            sequence=poll,
            intents=[an_intent(action=planned.action) for planned in decision.approved],
            config_hash="0f",
            strategy="t:Counting",
        )
        kept.append(StoredInputs(row=poll, record=record, inputs=encode(inputs)))
        memory = remember(memory, decision, account=seen.account, effects=(), unsettled=())
    return kept, memory


def test_what_a_strategy_carries_is_in_the_record_and_decides_again() -> None:
    kept, _ = a_run(3)
    carries = [item.record["positions"][0]["carry"] for item in kept]
    assert carries == [f'{{"kind":"count 1","count":"{count}"}}' for count in (1, 2, 3)]
    assert [len(item.record["actions"]) for item in kept] == [1, 0, 1]
    report = replay(kept, lambda _: Counting())
    assert (report.reproduced, report.differences) == (3, ())


def test_a_restart_finds_what_was_carried_by_the_last_decision() -> None:
    kept, memory = a_run(3)
    newest = kept[-1]
    found = memory_after(
        decode(Inputs, newest.inputs),
        Counting(),
        (),
        decision_id="d2",
        at=RESCUE.at + timedelta(seconds=2),
    )
    assert found == memory
    again, _ = a_run(1, found)
    assert again[0].record["positions"][0]["carry"] == '{"kind":"count 1","count":"4"}'


@pytest.mark.parametrize(
    "text", ["{", '{"kind":"other","count":"9"}', '{"kind":"count 1"}', "x" * 5000]
)
def test_what_is_corrupt_or_foreign_is_nothing(text: str) -> None:
    spoiled = Memory(keys=(KeyMemory(key=a_position().key, carried=text),))
    kept, _ = a_run(1, spoiled)
    assert kept[0].record["positions"][0]["carry"] == '{"kind":"count 1","count":"1"}'
    assert replay(kept, lambda _: Counting()).reproduced == 1


def test_what_is_carried_outlives_a_poll_without_a_band_and_not_the_position() -> None:
    def fails(risk: PositionRisk, market: Market) -> LeverageBand:
        raise ValueError("no bars")

    _, memory = a_run(1)
    blind = decide(RESCUE, memory, a_policy(), choose=fails)
    after = remember(memory, blind, account=RESCUE.account, effects=(), unsettled=())
    assert after.keys == memory.keys
    flat = an_observation()
    nothing = decide(flat, after, a_policy(), choose=fails)
    assert remember(after, nothing, account=flat.account, effects=(), unsettled=()).keys == ()


def test_a_band_that_carries_nothing_ends_what_was_carried() -> None:
    _, memory = a_run(1)
    assert memory.of(a_position().key).carried
    decision = decide(RESCUE, memory, a_policy(), choose=Fixed().choose)
    after = remember(memory, decision, account=RESCUE.account, effects=(), unsettled=())
    assert after.of(a_position().key).carried == ""


def test_inputs_from_before_anything_was_carried_still_decide_again() -> None:
    item = stored(RESCUE)
    raw = json.loads(item.inputs)
    assert raw["memory"].pop("landed") == []
    for entry in raw["memory"]["keys"]:
        del entry["carried"]
    old = replace(item, inputs=json.dumps(raw).encode())
    assert replay([old], lambda _: Fixed()).reproduced == 1


@pytest.mark.parametrize(
    ("sent", "follows"),
    [
        pytest.param("0.018", True, id="as planned"),
        pytest.param("0.0189", True, id="less than a step more"),
        pytest.param("0.019", False, id="the next plan"),
        pytest.param("0.0179", False, id="less than was planned"),
    ],
)
def test_where_a_coin_has_no_room_for_tags_digits_are_less_than_a_step_of_the_plan(
    sent: str, follows: bool
) -> None:
    planned = AddMargin(key=a_position("BTC/USD:BTC").key, amount=D("0.018"), currency="BTC")
    again = _as_sent(planned, {"amount": sent}, room=D("0.001"))
    assert (amount_of(again) == D(sent)) is follows
    assert follows or again == planned
