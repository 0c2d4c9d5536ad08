from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from bot.domain.band import LeverageBand
from bot.domain.past import Past
from bot.margin.assess import assess
from strategies.flexible_leverage import FlexibleLeverage, Settings
from tests.kit.builders import NOON, a_market, a_position, an_instrument

SECOND = timedelta(seconds=1)


def asked(leverage: str, past: Past, **changes: Any) -> LeverageBand:
    position = a_position(margin=str(D(60000) / D(leverage)))
    strategy = FlexibleLeverage(Settings(recentering_speed=D(1), **changes))
    return strategy.choose(assess(position, an_instrument()), a_market(), past)


def test_a_step_that_was_cut_goes_on_inside_the_band_to_the_aim_it_began_with() -> None:
    begun = asked("2.6", Past(now=NOON))
    assert (begun.leverage.trigger, begun.leverage.target) == (D("2.3"), D(2))
    later = Past(now=NOON + SECOND, moved_at=NOON, carried=begun.carry)
    goes_on = asked("2.2", later)
    assert goes_on.leverage.target == D(2)
    assert goes_on.leverage.trigger == D("2.19")  # a twentieth of its way on
    assert goes_on.carry == begun.carry
    ended = asked("1.9999", later)
    assert ended.leverage.trigger == D("2.3")
    assert ended.carry is None


def test_without_what_was_carried_it_stops_inside_the_band() -> None:
    alone = asked("2.2", Past(now=NOON + SECOND, moved_at=NOON))
    assert alone.leverage.trigger == D("2.3")


def test_a_step_of_which_nothing_was_traded_begins_anew() -> None:
    begun = asked("2.4", Past(now=NOON), cooldown=60)
    later = Past(now=NOON + SECOND, moved_at=NOON - SECOND, carried=begun.carry)
    anew = asked("2.6", later, cooldown=60)
    assert anew.leverage.trigger == D("2.3")
    assert anew.carry is not None
    assert anew.carry.instant("since") == NOON + SECOND


def test_between_two_chunks_only_the_ripcord_acts_and_nothing_is_given_back() -> None:
    begun = asked("2.6", Past(now=NOON), cooldown=60)
    past = Past(now=NOON + 60 * SECOND, moved_at=NOON, carried=begun.carry)
    waiting = asked("2.5", past, cooldown=60)
    assert waiting.leverage.trigger == waiting.leverage.emergency == D("2.7")
    assert not waiting.may_give_back
    assert waiting.carry == begun.carry
    over = Past(now=NOON + 61 * SECOND, moved_at=NOON, carried=waiting.carry)
    assert asked("2.5", over, cooldown=60).leverage.trigger == D("2.3")
    assert asked("2.8", past, cooldown=60).leverage.trigger == D("2.3")


def test_after_an_interval_without_a_trade_there_is_a_step_inside_the_band() -> None:
    day = {"interval": 86400}
    moved = Past(now=NOON + 86400 * SECOND, moved_at=NOON)
    assert asked("2.2", moved, **day).leverage.trigger == D("2.3")
    due = Past(now=NOON + 86401 * SECOND, moved_at=NOON)
    down, up = asked("2.2", due, **day), asked("1.8", due, **day)
    assert D(2) < down.leverage.trigger < D("2.2")
    assert D("1.8") < up.leverage.give_back < D(2)
    assert asked("2.2", due).leverage.trigger == D("2.3")  # 0 is never


def test_a_step_of_nothing_lets_the_interval_begin_anew() -> None:
    day = {"interval": 86400}
    there = asked("2.0005", Past(now=NOON), **day)
    assert there.leverage.trigger == D("2.3")
    next_hour = Past(now=NOON + 3600 * SECOND, carried=there.carry)
    kept = asked("2.2", next_hour, **day)
    assert kept.leverage.trigger == D("2.3")
    assert kept.carry == there.carry


def test_a_rest_that_lies_ahead_of_the_clock_is_none() -> None:
    day = {"interval": 86400}
    ahead = asked("2.0005", Past(now=NOON + 86401 * SECOND), **day).carry
    assert ahead is not None
    early, later = (
        Past(now=NOON + seconds * SECOND, moved_at=NOON - SECOND, carried=ahead)
        for seconds in (86400, 86401)
    )
    assert asked("2.2", early, **day).leverage.trigger < D("2.2")
    assert asked("2.2", later, **day).leverage.trigger == D("2.3")
