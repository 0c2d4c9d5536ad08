"""How soon a crossed trigger is answered: figures in virtual time, the same on every machine."""

from pathlib import Path

import pytest

from bot.settings import Loaded
from bot.simulate.breach import NO_BANS, measure, world_of
from bot.simulate.case import case_of
from bot.simulate.many import configuration

FILE = Path(__file__).parents[2] / "config" / "paper.toml"
WORLDS = range(40)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return configuration(FILE)


@pytest.mark.parametrize("interval", [1.0, 5.0])
def test_in_fair_weather_the_request_leaves_within_two_seconds_of_the_crossing(
    loaded: Loaded, interval: float
) -> None:
    found = measure(WORLDS, loaded, faults=0, interval=interval)
    print(found.quantile(0.5), found.quantile(0.9), found.quantile(0.99), len(found.delays))
    assert found.unanswered == 0
    assert len(found.delays) >= 40
    assert found.quantile(0.5) <= 1
    assert found.quantile(0.99) <= 2


def test_through_faults_that_shut_nobody_out_it_leaves_within_fifteen_seconds(
    loaded: Loaded,
) -> None:
    found = measure(WORLDS, loaded, faults=0.3, interval=1.0, without=NO_BANS)
    print(found.quantile(0.5), found.quantile(0.9), found.quantile(0.99), len(found.delays))
    assert len(found.delays) >= 40
    assert found.quantile(0.5) <= 2
    assert found.quantile(0.99) <= 15


def test_the_same_worlds_give_the_same_figures(loaded: Loaded) -> None:
    once, again = (measure(range(3), loaded, faults=0.3, interval=1.0) for _ in range(2))
    assert once == again


def test_no_fault_is_more_frequent_than_was_asked_for() -> None:
    worlds = [world_of(seed, faults=0.3, interval=1.0) for seed in range(40)]
    most = [max(world.rates.values(), default=0.0) for world in worlds]
    assert max(most) == pytest.approx(0.3)
    assert max(max(case_of(s, faults=0.3).rates.values(), default=0.0) for s in range(40)) > 0.3
