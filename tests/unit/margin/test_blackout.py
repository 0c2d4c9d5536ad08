import os
from decimal import Decimal as D
from itertools import pairwise
from pathlib import Path

import pytest

from bot.domain.position import Side
from bot.margin.blackout import WORST, Pace, survival

DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data")) / "market" / "spot_1m_windows"
PACES = (
    Pace(minutes=1, fall=D("0.10"), rise=D("0.20")),
    Pace(minutes=5, fall=D("0.15"), rise=D("0.25")),
    Pace(minutes=60, fall=D("0.30"), rise=D("0.60")),
)


@pytest.mark.parametrize(
    ("side", "distance", "minutes"),
    [
        pytest.param(Side.LONG, "0.10", 0, id="the worst minute liquidates"),
        pytest.param(Side.LONG, "0.11", 1, id="survives a minute"),
        pytest.param(Side.LONG, "0.29", 5, id="survives five"),
        pytest.param(Side.SHORT, "0.29", 5, id="a short counts rises"),
        pytest.param(Side.SHORT, "0.11", 0, id="which are faster"),
        pytest.param(Side.LONG, "0.31", 60, id="survives all that is on record"),
        pytest.param(Side.LONG, "-0.01", 0, id="liquidatable already"),
    ],
)
def test_the_minutes_are_those_of_the_longest_move_that_stays_short_of_liquidation(
    side: Side, distance: str, minutes: int
) -> None:
    found = survival(side, D(distance), paces=PACES)
    assert found.minutes == minutes
    assert found.move == max(D(0), D(distance))


def test_where_no_price_liquidates_all_of_the_record_is_survived() -> None:
    found = survival(Side.LONG, None, paces=PACES)
    assert (found.move, found.minutes) == (None, 60)


def test_a_longer_time_never_moved_less() -> None:
    for shorter, longer in pairwise(WORST):
        assert shorter.minutes < longer.minutes
        assert shorter.fall <= longer.fall
        assert shorter.rise <= longer.rise


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="recorded markets are not here (PLIMSOLL_DATA)")
def test_the_table_follows_again_from_the_recorded_bars() -> None:
    from bench.blackout import upwards, worst_of  # noqa: PLC0415 - reads a format only data needs

    for pace, (minutes, (fall, rise)) in zip(WORST, worst_of(DATA).items(), strict=True):
        assert minutes == pace.minutes
        assert (upwards(fall), upwards(rise)) == (str(pace.fall), str(pace.rise))
