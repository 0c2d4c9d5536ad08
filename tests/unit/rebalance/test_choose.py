import decimal
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin
from bot.domain.band import Levels, LeverageBand
from bot.domain.decision import Refusal, Verdict
from bot.domain.intent import Intent
from bot.domain.market import Market
from bot.domain.past import Carried, Past
from bot.domain.risk import PositionRisk
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.choose import chosen
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from bot.record import record_of
from tests.kit.builders import (
    BTC,
    ETH,
    NOON,
    a_market,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
)

RISK = assess(a_position(), an_instrument())
LEVELS: Any = Levels(emergency=D("0.05"), trigger=D("0.1"), target=D("0.15"), give_back=D("0.25"))
BAND: Any = band_at_distances(RISK, LEVELS)


def answer(band: Any) -> LeverageBand | Refusal:
    return chosen(lambda _risk, _market: band, RISK, a_market())


def raising(error: BaseException) -> Callable[[PositionRisk, Market], object]:
    def choose(risk: PositionRisk, market: Market) -> object:
        raise error

    return choose


class UnspeakableError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise KeyError("no words")


numbers = st.decimals(allow_nan=True, allow_infinity=True) | st.sampled_from([
    D("sNaN"), D("-0"), D("1E-999999"), D("1E+999999"), D("0E-999999"), D("0E+999999"),
    D("1E-31"), D("1E+16"), D("0." + "1" * 2000), D(1), D("0.5"),
])  # fmt: skip
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), numbers,
    st.lists(numbers, max_size=2), st.just(LEVELS), st.just(BAND), st.just(Levels), st.just(sys),
)  # fmt: skip


@given(st.data())
def test_whatever_is_returned_is_a_band_that_can_be_decided_and_recorded_or_is_refused(
    data: st.DataObject,
) -> None:
    names = ("emergency", "trigger", "target", "give_back")
    band: Any = BAND
    for part in data.draw(st.sets(st.sampled_from(["distance", "leverage", "rest"]))):
        if part == "rest":
            name = data.draw(st.sampled_from(["volatility", "hit_probability", "horizon", "why"]))
            band = replace(band, **{name: data.draw(anything)})
            continue
        levels = replace(
            getattr(band, part), **{data.draw(st.sampled_from(names)): data.draw(anything)}
        )
        band = replace(band, **{part: data.draw(st.just(levels) | anything)})
    band = data.draw(st.just(band) | anything)

    found = decide(an_observation(a_position()), Memory(), a_policy(), choose=lambda _r, _m: band)
    record = record_of(
        found, decision_id="d", sequence=1, intents=[an_intent(s.action) for s in found.approved],
        config_hash="h", strategy="s:S",
    )  # fmt: skip
    assert len(str(record)) < 20_000
    (verdict,) = found.positions
    if verdict.band is None:
        assert found.refusals[0].code in ("bad_band", "strategy_failed")
        assert not [s for s in found.approved if isinstance(s.action, AddMargin)]
    else:
        at = verdict.band.distance
        assert 0 < at.emergency <= at.trigger < at.target < at.give_back < 1


def an_intent(action: Action) -> Intent:
    return Intent(id="i", decision_id="d", account="main", action=action, written_at=NOON)


@pytest.mark.parametrize(
    ("band", "text"),
    [
        pytest.param(None, "must be a LeverageBand, was NoneType", id="nothing"),
        pytest.param(LeverageBand, "must be a LeverageBand, was type", id="the class"),
        pytest.param(replace(BAND, distance=None), "distance levels, had NoneType", id="no levels"),
        pytest.param(
            replace(BAND, distance=replace(LEVELS, trigger=D("NaN"))),
            "a number > 0 as distance.trigger, had Decimal('NaN')", id="not a number",
        ),
        pytest.param(
            replace(BAND, distance=replace(LEVELS, trigger=0.1)), "distance.trigger, had 0.1",
            id="a float",
        ),
        pytest.param(
            replace(BAND, leverage=replace(BAND.leverage, target=D("Infinity"))),
            "leverage.target", id="infinite",
        ),
        pytest.param(
            replace(BAND, distance=replace(LEVELS, emergency=D(0))), "distance.emergency", id="zero"
        ),
        pytest.param(
            replace(BAND, distance=replace(LEVELS, target=D("0.1"))), "trigger < target",
            id="no way between",
        ),
        pytest.param(
            replace(BAND, distance=replace(LEVELS, give_back=LEVELS.target)), "target < give_back",
            id="no way back",
        ),
        pytest.param(
            replace(BAND, distance=replace(LEVELS, give_back=D(1))), "below 1 for a long",
            id="beyond zero",
        ),
        pytest.param(
            replace(BAND, leverage=replace(BAND.leverage, emergency=D(1))),
            "emergency >= trigger", id="leverages the other way",
        ),
        pytest.param(replace(BAND, volatility=D(-1)), "as volatility", id="volatility"),
        pytest.param(
            replace(BAND, volatility=D("0E-999999")), "as volatility", id="a million zeros"
        ),
        pytest.param(
            replace(BAND, hit_probability=D("0." + "1" * 1001)), "as chance", id="endless digits"
        ),
        pytest.param(
            replace(BAND, distance=replace(LEVELS, emergency=D("1E-31"))), "distance.emergency",
            id="too small to compute with",
        ),
        pytest.param(
            replace(BAND, leverage=replace(BAND.leverage, emergency=D("1.1E+15"))),
            "leverage.emergency", id="too large to be recorded",
        ),
        pytest.param(replace(BAND, hit_probability=D("1.1")), "as chance", id="chance"),
        pytest.param(replace(BAND, horizon=0.5), "as horizon", id="part of a second"),
        pytest.param(replace(BAND, horizon=-1), "as horizon", id="past horizon"),
        pytest.param(replace(BAND, why=None), "as why, had NoneType", id="no reason"),
    ],
)  # fmt: skip
def test_what_is_no_band_is_refused_by_its_fault(band: Any, text: str) -> None:
    found = answer(band)
    assert isinstance(found, Refusal)
    assert found.code == "bad_band"
    assert found.text.startswith("the strategy's band for BTC/USDT:USDT long must ")
    assert text in found.text


@pytest.mark.parametrize(
    "band",
    [
        BAND,
        replace(BAND, volatility=D(0), hit_probability=D(0), horizon=0),
        replace(BAND, volatility=D("0.01"), hit_probability=D(1), horizon=3600, why="mine"),
        replace(BAND, distance=replace(LEVELS, emergency=LEVELS.trigger)),
        replace(BAND, leverage=Levels(emergency=D(3), trigger=D(3), target=D(3), give_back=D(3))),
        replace(BAND, hit_probability=D("0." + "1" * 1000)),
        replace(BAND, distance=replace(LEVELS, emergency=D("1E-30"))),
        replace(BAND, leverage=replace(BAND.leverage, emergency=D("1E+15"))),
    ],
)
def test_a_band_passes_as_it_is(band: LeverageBand) -> None:
    assert answer(band) is band


def test_a_short_may_stand_farther_than_its_own_price() -> None:
    risk = assess(a_position(size="-1"), an_instrument())
    wide = band_at_distances(risk, replace(LEVELS, give_back=D("1.5")))
    assert chosen(lambda _risk, _market: wide, risk, a_market()) is wide


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ValueError("history is too short"), "no_band", "history is too short"),
        (KeyError("x"), "strategy_failed", "long: KeyError: 'x'"),
        (ZeroDivisionError("by zero"), "strategy_failed", "ZeroDivisionError: by zero"),
        (decimal.InvalidOperation(), "strategy_failed", "InvalidOperation: "),
        (SystemExit(3), "strategy_failed", "SystemExit: 3"),
        (RecursionError("deep"), "strategy_failed", "RecursionError: deep"),
        (UnspeakableError(), "strategy_failed", "UnspeakableError: no text"),
        (TypeError("x" * 10_000), "strategy_failed", "TypeError: xxx"),
    ],
)  # fmt: skip
def test_whatever_is_raised_is_a_refusal_with_a_name(
    error: BaseException, code: str, text: str
) -> None:
    found = chosen(raising(error), RISK, a_market())
    assert isinstance(found, Refusal)
    assert found.code == code
    assert text in found.text
    assert len(found.text) < 400


def test_three_hundred_letters_of_a_failure_are_told() -> None:
    found = chosen(raising(TypeError("x" * 10_000)), RISK, a_market())
    assert isinstance(found, Refusal)
    assert found.text.count("x") == 300


def test_a_person_who_stops_the_bot_is_not_a_failure_of_the_strategy() -> None:
    with pytest.raises(KeyboardInterrupt):
        chosen(raising(KeyboardInterrupt()), RISK, a_market())


def test_a_strategy_that_changes_the_rules_of_arithmetic_changes_them_for_itself() -> None:
    def choose(risk: PositionRisk, market: Market) -> object:
        decimal.getcontext().prec = 2
        decimal.getcontext().rounding = decimal.ROUND_UP
        return replace(BAND, why="rough")

    assert chosen(choose, RISK, a_market()) == replace(BAND, why="rough")
    assert decimal.getcontext().prec == 28
    assert D(1) / D(3) == D("0." + "3" * 28)


def test_the_other_positions_are_protected_where_the_strategy_fails_for_one() -> None:
    def choose(risk: PositionRisk, market: Market) -> LeverageBand:
        if market.symbol == BTC:
            raise LookupError("not this one")
        return band_at_distances(risk, LEVELS)

    near = [a_position(symbol, mark="56000") for symbol in (BTC, ETH)]
    found = decide(an_observation(*near, futures="100000"), Memory(), a_policy(), choose=choose)
    adds = [s.action.key.symbol for s in found.approved if isinstance(s.action, AddMargin)]
    assert adds == [ETH]
    assert found.verdict is Verdict.ACT
    assert [r.code for r in found.refusals if r.code != "no_backstop"] == ["strategy_failed"]
    reasons = {v.key.symbol: v.reason for v in found.positions}
    assert reasons[BTC] == "strategy_failed"


CARRY = Carried(kind="counter 1", values=(("count", "1"),))


def test_who_looks_back_is_told_what_came_before_and_others_are_not() -> None:
    seen: list[Past | str] = []

    def looks_back(risk: PositionRisk, market: Market, past: Past | str = "its own") -> object:
        seen.append(past)
        return BAND

    past = Past(now=NOON, carried=CARRY)
    assert chosen(looks_back, RISK, a_market(), past) == BAND
    assert chosen(looks_back, RISK, a_market()) == BAND
    assert seen == [past, "its own"]
    assert chosen(lambda _risk, _market: BAND, RISK, a_market(), past) == BAND


def test_a_callable_that_does_not_tell_its_arguments_is_asked_without_them() -> None:
    class Silent:
        __signature__ = "none"

        def __call__(self, *_: object) -> object:
            return BAND

    assert chosen(Silent(), RISK, a_market(), Past(now=NOON)) == BAND


def test_a_band_that_carries_too_much_protects_and_carries_nothing() -> None:
    assert answer(replace(BAND, carry=CARRY)) == replace(BAND, carry=CARRY)
    for carry in (Carried(kind="x", values=(("a", "b" * 1001),)), "text", 7):
        found = answer(replace(BAND, carry=carry))
        assert found == replace(BAND, flags=("not_carried",))


@pytest.mark.parametrize("name", ["flags", "unsurvived"])
@pytest.mark.parametrize("value", ["text", None, (1,), ["a"]])
def test_a_band_whose_lists_are_no_texts_is_refused(name: str, value: object) -> None:
    found = answer(replace(BAND, **{name: value}))
    assert isinstance(found, Refusal)
    assert found.code == "bad_band"
