from dataclasses import replace
from decimal import Decimal as D

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.action import CancelStop, PlaceStop
from bot.domain.band import Levels, LeverageBand
from bot.domain.decision import Decision
from bot.domain.instrument import Instrument
from bot.domain.market import Market
from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.domain.position import Position, Side
from bot.domain.risk import PositionRisk
from bot.domain.stop import RestingStop
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.margin.blackout import WORST, survival
from bot.rebalance.backstop import Room, emergency_price, standing
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from bot.rebalance.project import project
from bot.rebalance.rounding import is_multiple
from tests.kit.builders import a_market, a_stop, an_observation
from tests.kit.kinds import BOTH, kind_of

LEVELS = [
    Levels(emergency=D(e), trigger=D("0.10"), target=D("0.15"), give_back=D("0.25"))
    for e in ("0.0008", "0.006", "0.05", "0.10")
]
INDEX = {levels.emergency: levels for levels in LEVELS}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Observation, Levels]:
    """One or two positions anywhere between liquidation and safety, and stops of anybody."""
    positions: list[Position] = []
    instruments: list[Instrument] = []
    markets: list[Market] = []
    stops: list[RestingStop] = []
    kind = draw(st.sampled_from(BOTH))
    for symbol, mark in kind.marks.items():
        if positions and not draw(st.booleans()):
            continue
        sign = draw(st.sampled_from([1, -1]))
        share = draw(st.decimals(min_value="0.0065", max_value="0.4", places=4))
        lots = draw(st.integers(1, 3000)) * sign
        position = kind.position(symbol, lots=lots, entry=mark, share=share)
        size = position.size
        tick = draw(st.sampled_from(["0.1", "1", "25"]))
        positions.append(position)
        instruments.append(replace(kind.instrument(symbol), price_step=D(tick)))
        depth = draw(st.sampled_from(kind.depths))
        markets.append(a_market(symbol, mark=str(mark), depth=depth))
        for number in range(draw(st.integers(0, 3))):
            side = position.side if draw(st.integers(0, 4)) else Side(draw(st.sampled_from(Side)))
            price = mark * (1 - sign * draw(st.integers(-5, 200)) / D(1000))
            stops.append(
                a_stop(
                    str(price - price % 1),
                    symbol=symbol,
                    side=side,
                    size=draw(
                        st.sampled_from([str(abs(size)), str(abs(size)), str(kind.lot), None])
                    ),
                    stop_id=f"{len(stops)}{number}",
                    is_ours=draw(st.sampled_from([True, True, False])),
                    on_mark=draw(st.sampled_from([True, True, False])),
                )
            )
    observation = an_observation(
        *positions,
        futures=str(kind.money(draw(st.sampled_from([0, 100, 100000])))),
        instruments=tuple(instruments),
        markets=tuple(markets),
        stops=tuple(stops),
        currency=kind.settle,
    )
    return observation, draw(st.sampled_from(LEVELS))


def decided(observation: Observation, levels: Levels, *, mode: Mode = Mode.NORMAL) -> Decision:
    def choose(risk: PositionRisk, market: Market) -> LeverageBand:
        del market
        return band_at_distances(risk, levels)

    policy = kind_of(observation).policy(resident_stops=True)
    return decide(observation, Memory(mode=mode), policy, choose=choose)


def after(observation: Observation, decision: Decision) -> Observation:
    instruments = {i.symbol: i for i in observation.instruments}
    account = observation.account
    for number, step in enumerate(decision.approved):
        account = project(account, instruments, step.action, wallet="futures")
        stops = tuple(s if s.stop_id else replace(s, stop_id=f"n{number}") for s in account.stops)
        account = replace(account, stops=stops)
    return replace(observation, account=account)


def only_stops(decision: Decision) -> bool:
    return all(isinstance(s.action, PlaceStop | CancelStop) for s in decision.approved)


@given(worlds(), st.sampled_from(Mode))
def test_a_stop_is_placed_strictly_between_liquidation_and_the_nearer_of_emergency_and_mark(
    world: tuple[Observation, Levels], mode: Mode
) -> None:
    observation, levels = world
    decision = decided(observation, levels, mode=mode)
    instruments = {i.symbol: i for i in observation.instruments}
    end = {p.key: p for p in after(observation, decision).account.positions}
    for step in decision.approved:
        if not isinstance(step.action, PlaceStop):
            continue
        position, instrument = end[step.action.key], instruments[step.action.key.symbol]
        sign, price = position.side.sign, step.action.stop_price
        liquidation = assess(position, instrument).liquidation_price
        assert liquidation is not None
        emergency = emergency_price(
            position.side, liquidation=liquidation, emergency=levels.emergency
        )
        assert emergency is not None
        assert sign * liquidation < sign * price < sign * emergency
        assert sign * price < sign * position.mark_price
        assert is_multiple(price, step=instrument.price_step)
        assert step.action.size == abs(position.size)
        assert mode in (Mode.NORMAL, Mode.DEGRADED)


@given(
    st.sampled_from(Side),
    st.integers(1, 10**6),
    st.decimals(min_value="0.0005", max_value="0.2", places=5),
    st.decimals(min_value="0.0001", max_value="0.5", places=5),
    st.sampled_from([D("0.1"), D(1), D(25)]),
)
def test_rounding_to_a_tick_moves_a_stop_away_from_liquidation_by_less_than_a_tick(
    side: Side, liquidation: int, cost: D, more: D, tick: D
) -> None:
    near, far = (
        D(liquidation) * (1 + side.sign * share) for share in (cost, min(cost + more, D("0.9")))
    )
    room = Room(side=side, near=near, far=far)
    price = room.place(far, tick=tick)
    if price is None:
        assert abs(far - near) <= 2 * tick
        return
    assert is_multiple(price, step=tick)
    assert 0 <= side.sign * (price - (near + far) / 2) < tick
    assert side.sign * near < side.sign * price < side.sign * far


@given(worlds(), st.sampled_from([Mode.NORMAL, Mode.DEGRADED]))
def test_planning_again_after_the_plan_changes_no_stop(
    world: tuple[Observation, Levels], mode: Mode
) -> None:
    observation, levels = world
    decision = decided(observation, levels, mode=mode)
    assume(only_stops(decision))
    again = decided(after(observation, decision), levels, mode=mode)
    assert [s for s in again.approved if isinstance(s.action, PlaceStop | CancelStop)] == []


@given(worlds(), st.sampled_from(Mode))
def test_a_plan_places_at_most_one_stop_per_position_and_touches_nobody_elses(
    world: tuple[Observation, Levels], mode: Mode
) -> None:
    observation, levels = world
    decision = decided(observation, levels, mode=mode)
    placed = [s.action.key for s in decision.approved if isinstance(s.action, PlaceStop)]
    assert len(placed) == len(set(placed))
    stops = {stop.stop_id: stop for stop in observation.account.stops}
    for step in decision.approved:
        if isinstance(step.action, CancelStop):
            assert stops[step.action.stop_id].is_ours
            assert mode is Mode.NORMAL


@given(worlds(), st.sampled_from(Mode))
def test_no_step_of_a_plan_takes_the_last_stop_of_a_position_away(
    world: tuple[Observation, Levels], mode: Mode
) -> None:
    observation, levels = world
    decision = decided(observation, levels, mode=mode)
    assume(only_stops(decision))
    instruments = {i.symbol: i for i in observation.instruments}
    account = observation.account
    for step in decision.approved:
        before, account = account, project(account, instruments, step.action, wallet="futures")
        for position in account.positions:
            liquidation = assess(position, instruments[position.symbol]).liquidation_price
            if liquidation is None:
                continue
            had = standing(before.stops, position, liquidation)
            assert had is None or standing(account.stops, position, liquidation) is not None


@given(worlds(), st.sampled_from(Mode))
def test_every_position_has_a_stop_after_the_plan_or_a_refusal_that_names_it(
    world: tuple[Observation, Levels], mode: Mode
) -> None:
    observation, levels = world
    decision = decided(observation, levels, mode=mode)
    account = after(observation, decision).account
    instruments = {i.symbol: i for i in observation.instruments}
    told = [r.text for r in decision.refusals if r.code == "no_backstop"]
    for position in account.positions:
        liquidation = assess(position, instruments[position.symbol]).liquidation_price
        if liquidation is not None and standing(account.stops, position, liquidation) is None:
            assert any(str(position.key) in text for text in told)


@given(
    st.sampled_from(Side),
    st.decimals(min_value=0, max_value=1, places=4),
    st.decimals(min_value=0, max_value=1, places=4),
)
def test_who_stands_farther_away_survives_a_blackout_at_least_as_long(
    side: Side, one: D, other: D
) -> None:
    near, far = sorted((one, other))
    assert survival(side, near).minutes <= survival(side, far).minutes
    assert survival(side, far).minutes <= survival(side, None).minutes


@given(st.sampled_from(Side), st.decimals(min_value=0, max_value=1, places=4))
def test_no_recorded_move_within_the_minutes_told_reaches_the_liquidation_price(
    side: Side, distance: D
) -> None:
    minutes = survival(side, distance).minutes
    assert all(pace.against(side) < distance for pace in WORST if pace.minutes <= minutes)
