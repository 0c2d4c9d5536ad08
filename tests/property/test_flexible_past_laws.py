"""The strategy trades when the token would, towards what the token would, over any past."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal as D

from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.band import LeverageBand
from bot.domain.past import Carried, Past
from bot.domain.risk import PositionRisk
from bot.leverage.flexible import (
    Method,
    State,
    Venue,
    Verdict,
    is_there,
    next_leverage,
    verdict,
)
from bot.margin.assess import assess
from strategies.flexible_leverage import KIND, NEAR, FlexibleLeverage, Settings
from tests.kit.builders import NOON, a_market, a_position, an_instrument

INSET = D("0.000001")
"""So small that the ends of the band are those of the token."""
VENUE = Venue(name="here", chunk=D(1), ripcord_chunk=D(1))


def settings_of(cooldown: int, interval: int, speed: str = "0.3") -> Settings:
    return Settings(recentering_speed=D(speed), inset=INSET, cooldown=cooldown, interval=interval)


def risk_at(leverage: D) -> PositionRisk:
    margin = D(60000) / leverage
    return assess(a_position(margin=str(margin)), an_instrument())


def acts(band: LeverageBand, leverage: D) -> bool:
    """Whether the bot would move something where the position stands."""
    is_above = leverage > band.leverage.trigger
    is_below = leverage < band.leverage.give_back and band.may_give_back
    return is_above or is_below


@dataclass(kw_only=True)
class Token:
    """The machine itself, told of trades as they are made."""

    method: Method
    state: State = field(default_factory=State)

    def due(self, now: datetime, leverage: D) -> tuple[Verdict, D | None]:
        """Return what is due, and the aim; a step that ends without a trade is over."""
        found = verdict(self.state, self.method, VENUE, now=now, leverage=leverage)
        if found is Verdict.NOTHING:
            return found, None
        if found is Verdict.RIPCORD:
            return found, self.method.maximum
        aim = next_leverage(self.method, leverage)
        if found is Verdict.ITERATE:
            assert self.state.aim is not None
            aim = self.state.aim
            if abs(aim - leverage) < NEAR or is_there(self.method, aim, leverage):
                self.state = State(traded=((VENUE.name, now),))
                is_inside = self.method.minimum <= leverage <= self.method.maximum
                return (Verdict.NOTHING, None) if is_inside else self.due(now, leverage)
        if abs(aim - leverage) < NEAR:
            self.state = replace(self.state, traded=((VENUE.name, now),))
            return Verdict.NOTHING, None
        return found, aim

    def traded(self, now: datetime, *, aim: D | None) -> None:
        self.state = State(aim=aim, traded=((VENUE.name, now),))


Tick = tuple[int, D, bool]
"""Seconds that pass, by how much leverage moves, and whether the bot is let trade."""

TICKS = st.lists(
    st.tuples(
        st.integers(1, 4000),
        st.decimals(D("0.8"), D("1.25"), places=3),
        st.booleans() | st.just(True),
    ),
    min_size=1,
    max_size=12,
)


@given(TICKS, st.integers(0, 3000), st.integers(3000, 9000), st.sampled_from(("0.05", "0.3", "1")))
@example([(1, D("1.3"), True), (1, D(1), True), (10, D(1), True)], 5, 3000, "1")
def test_the_bot_acts_when_the_token_trades_and_aims_where_it_does(
    ticks: Sequence[Tick], cooldown: int, interval: int, speed: str
) -> None:
    strategy = FlexibleLeverage(settings_of(cooldown, interval, speed))
    token = Token(method=strategy._method)
    now, leverage = NOON, D(2)
    moved_at: datetime | None = None
    carried: Carried | None = None
    for seconds, factor, may_trade in ticks:
        now += timedelta(seconds=seconds)
        leverage = min(max(leverage * factor, D("1.2")), D(5)).quantize(D("0.0000001"))
        due, aim = token.due(now, leverage)
        past = Past(now=now, moved_at=moved_at, carried=carried)
        band = strategy.choose(risk_at(leverage), a_market(), past)
        assert acts(band, leverage) == (due is not Verdict.NOTHING), (due, band, leverage)
        carried = band.carry
        if aim is None:
            continue
        assert abs(band.leverage.target - aim) <= 2 * INSET
        if may_trade:  # half of the way: a chunk
            leverage = (leverage + aim) / 2
            token.traded(now, aim=None if due is Verdict.RIPCORD else band.leverage.target)
            moved_at = now


junk = st.builds(
    lambda kind, aim, since, rested: Carried(
        kind=kind, values=(("aim", aim), ("since", since), ("rested", rested))
    ),
    st.sampled_from((KIND, "flexible_leverage 0", "")),
    st.sampled_from(("2.1", "1.9", "9", "-1", "0", "NaN", "x", "1E+15", "")),
    *[
        st.sampled_from((
            NOON.isoformat(),
            (NOON - timedelta(hours=1)).isoformat(),
            "9999-12-31T23:59:59+00:00",
            "0001-01-01T00:00:00+00:00",
            "2026-01-05",
            "x",
        ))
    ] * 2,
)  # fmt: skip


@given(
    junk | st.none(),
    st.decimals(D("1.05"), D(60), places=2),
    st.none() | st.integers(-5, 100000),
    st.integers(0, 3000),
    st.sampled_from((0, 3000, 90000)),
)
def test_no_past_brings_a_fault_or_more_than_the_ripcord(
    carried: Carried | None, leverage: D, ago: int | None, cooldown: int, interval: int
) -> None:
    strategy = FlexibleLeverage(settings_of(cooldown, interval))
    moved_at = None if ago is None else NOON - timedelta(seconds=ago)
    past = Past(now=NOON, moved_at=moved_at, carried=carried)
    band = strategy.choose(risk_at(leverage), a_market(), past)
    levels = band.leverage
    assert levels.emergency == D("2.7")
    assert levels.emergency >= levels.trigger > levels.target > levels.give_back
    assert D("1.7") < levels.target < D("2.3")
    if leverage >= D("2.7"):
        assert acts(band, leverage)
    if carried is not None and carried.kind != KIND:
        nothing = Past(now=NOON, moved_at=moved_at)
        assert strategy.choose(risk_at(leverage), a_market(), nothing) == band
