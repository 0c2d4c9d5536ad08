from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from bot.domain.action import Action, CancelStop, PlaceStop
from bot.domain.instrument import Contract
from bot.domain.intent import Intent
from bot.domain.position import PositionKey, Side
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import KeyMemory, Memory, Move
from bot.rebalance.policy import Policy
from bot.schemas import SCHEMA_FILE, DecisionRecord, decision_schema_text, decode, encode
from tests.kit.builders import (
    COIN,
    a_coin_instrument,
    a_coin_policy,
    a_market,
    a_position,
    an_observation,
)
from tests.kit.records import BTC, NOON, a_position_record, a_record, an_action_record, an_intent

ROOT = Path(__file__).parents[3]


def test_the_published_schema_is_current() -> None:
    published = (ROOT / SCHEMA_FILE).read_text()
    assert published == decision_schema_text(), "run: python -m bot.schemas"


def a_stop_record(**changes: Any) -> dict[str, Any]:
    own: dict[str, Any] = {
        "kind": "place_stop", "size": "0.5", "stop_price": "52000.5", "amount": None,
        "currency": None,
    }  # fmt: skip
    return an_action_record(**(own | changes))


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(a_stop_record(), id="of a size"),
        pytest.param(a_stop_record(size=None), id="of whatever is open"),
        pytest.param(
            a_stop_record(kind="cancel_stop", size=None, stop_price=None, stop_id="77"), id="cancel"
        ),
    ],
)
def test_a_record_of_a_stop_keeps_its_schema(action: dict[str, Any]) -> None:
    DecisionRecord.model_validate(a_record(verdict="act", actions=[action]))


def test_a_record_keeps_every_digit_and_every_field() -> None:
    reduction = an_action_record(
        kind="reduce_position",
        size="0.1000",
        amount=None,
        currency=None,
        outcome="done",
        latency_ms=3,
        before={
            "size": "1.0",
            "margin": "1E+3",
            "liquidation_price": None,
            "distance": "-0.01",
            "leverage": None,
        },
    )
    record = a_record(
        verdict="act", actions=[reduction], refusals=[{"code": "budget_day", "text": "…"}]
    )
    model = DecisionRecord.model_validate(record)
    assert model.model_dump(mode="json", exclude_unset=True) == record
    assert DecisionRecord.model_validate_json(orjson.dumps(record)) == model


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"surprise": 1}, "surprise", id="unknown field"),
        pytest.param({"v": 2}, "v", id="another version"),
        pytest.param({"verdict": "maybe"}, "verdict", id="unknown verdict"),
        pytest.param({"at": "2026-03-01T12:00:00"}, "at", id="no time zone"),
        pytest.param({"seq": "1"}, "seq", id="number as text"),
        pytest.param({"positions": [a_position_record(mark=60000.0)]}, "mark", id="float"),
        pytest.param({"positions": [a_position_record(mark="NaN")]}, "mark", id="not a number"),
        pytest.param({"positions": [a_position_record(mark="")]}, "mark", id="empty number"),
        pytest.param({"actions": [an_action_record(amount="-1")]}, "amount", id="negative amount"),
        pytest.param({"actions": [an_action_record(amount=None)]}, "amount", id="no amount"),
        pytest.param({"actions": [an_action_record(size="1")]}, "amount", id="amount and size"),
        pytest.param({"actions": [a_stop_record(amount="1")]}, "size", id="a stop's amount"),
        pytest.param({"actions": [a_stop_record(stop_price="1e3")]}, "stop_price", id="odd price"),
        pytest.param({"stops": [{"symbol": BTC}]}, "stop_id", id="half a stop"),
        pytest.param({"actions": [an_action_record(id="PL-1")]}, "id", id="id a venue refuses"),
    ],
)
def test_a_record_that_breaks_the_contract_is_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        DecisionRecord.model_validate(a_record(**change))


def test_memory_and_policy_come_back_whole_with_infinite_limits() -> None:
    policy = Policy(max_margin_per_day=Decimal("Infinity"), reserves=(("USDT", Decimal("50.0")),))
    again = decode(Policy, encode(policy))
    assert again == policy
    assert str(again.reserves[0][1]) == "50.0"
    action = an_intent().action
    key = PositionKey(BTC, Side.LONG)
    stops: tuple[Action, ...] = (
        PlaceStop(key=key, size=None, stop_price=Decimal("5.10"), is_needed=True),
        CancelStop(key=key, stop_id="7", client_id="plabcd0001000000"),
    )
    memory = Memory(
        keys=(
            KeyMemory(key=PositionKey(BTC, Side.LONG), added=Decimal("1.50"), beyond_since=NOON),
        ),
        moves=(Move(at=NOON, action=action),),
        unsettled=(action, *stops),
    )
    assert decode(Memory, encode(memory)) == memory


@pytest.mark.parametrize("data", [b"null", b"{}", b"[]", b"", b'{"id":1}'])
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"Intent|JSON"):
        decode(Intent, data)


def test_what_a_decision_about_a_coin_was_made_from_follows_again() -> None:
    inputs = Inputs(
        observation=an_observation(
            a_position(COIN, size="60000", margin="0.1"),
            instruments=(a_coin_instrument(),),
            markets=(a_market(COIN),),
            currency="BTC",
        ),
        memory=Memory(),
        policy=a_coin_policy(),
        strategy="strategies.hazard:Hazard",
    )
    assert decode(Inputs, encode(inputs)) == inputs
    # Of before there were two kinds: linear, in quote.
    older = orjson.loads(encode(inputs))
    del older["policy"]["coin"], older["policy"]["least_move"]
    del older["observation"]["instruments"][0]["contract"]
    again = decode(Inputs, orjson.dumps(older))
    assert (again.policy.coin, again.policy.least_move) == ("", Decimal(1))
    assert again.observation is not None
    assert again.observation.instruments[0].contract is Contract.LINEAR
