"""Laws of the flexible-leverage state machine, and the numbers of the tokens it comes from."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.leverage.flexible import (
    Method,
    State,
    Trade,
    Venue,
    Verdict,
    effective_leverage,
    moved_margin,
    next_leverage,
    trade,
    traded_size,
    verdict,
)

NOON = datetime(2021, 5, 19, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
ETH2X = Method(
    target=D(2), minimum=D("1.7"), maximum=D("2.3"), ripcord=D("2.7"),
    recentering_speed=D("0.05"), interval=DAY, cooldown=30 * SECOND, ripcord_cooldown=SECOND,
    slippage=D("0.02"), ripcord_slippage=D("0.05"),
)  # fmt: skip
BTC2X = replace(
    ETH2X, minimum=D("1.8"), maximum=D("2.2"), ripcord=D("2.4"), recentering_speed=D("0.10")
)
WIDE = Venue(name="wide", chunk=D(1000), ripcord_chunk=D(1000))
TIGHT = Venue(name="tight", chunk=D(10), ripcord_chunk=D(10))


def traded(*venues: str, at: datetime = NOON, aim: str | None = None) -> State:
    return State(
        aim=None if aim is None else D(aim), traded=tuple((venue, at) for venue in sorted(venues))
    )


def ratios(least: str, most: str) -> st.SearchStrategy[D]:
    return st.decimals(D(least), D(most), places=4)


@st.composite
def methods(draw: st.DrawFn) -> Method:
    minimum, target, maximum, ripcord = sorted(draw(ratios("0.5", "20")) for _ in range(4))
    quick, slow, day = sorted(draw(st.integers(0, 100_000)) for _ in range(3))
    return Method(
        target=target, minimum=minimum, maximum=maximum, ripcord=ripcord,
        recentering_speed=draw(ratios("0.01", "1")), interval=day * SECOND,
        cooldown=slow * SECOND, ripcord_cooldown=quick * SECOND,
        slippage=draw(ratios("0", "1")), ripcord_slippage=draw(ratios("0", "1")),
    )  # fmt: skip


venues = st.builds(
    Venue,
    name=st.sampled_from(["one", "two"]),
    chunk=ratios("0.5", "100"),
    ripcord_chunk=ratios("0.5", "100"),
)
instants = st.integers(0, 200_000).map(lambda seconds: NOON + seconds * SECOND)
states = st.builds(
    lambda aim, seen: State(aim=aim, traded=tuple(sorted(seen.items()))),
    st.none() | ratios("0.5", "20"),
    st.dictionaries(st.sampled_from(["one", "two"]), instants),
)
leverages = st.none() | ratios("0.1", "200")
sizes = ratios("0.1", "10000")


def due(
    state: State, method: Method, venue: Venue, leverage: D | None, size: D, now: datetime
) -> Trade:
    return trade(state, method, venue, now=now, leverage=leverage, size=size)


@given(states, methods(), venues, leverages, sizes, instants)
def test_no_trade_is_larger_than_its_chunk_or_turns_a_position(
    state: State, method: Method, venue: Venue, leverage: D | None, size: D, now: datetime
) -> None:
    found = due(state, method, venue, leverage, size, now)
    chunk = venue.ripcord_chunk if found.verdict is Verdict.RIPCORD else venue.chunk
    assert abs(found.size) <= min(chunk, abs(found.total))
    assert found.size * found.total >= 0
    assert found.size >= -size


@given(states, methods(), venues, leverages, sizes, instants)
def test_from_the_ripcord_on_a_position_only_ever_shrinks(
    state: State, method: Method, venue: Venue, leverage: D | None, size: D, now: datetime
) -> None:
    found = due(state, method, venue, leverage, size, now)
    if leverage is not None and leverage < method.ripcord:
        assert found.verdict is not Verdict.RIPCORD
        return
    assert found.verdict in (Verdict.RIPCORD, Verdict.NOTHING)
    assert found.size <= 0
    if found.verdict is Verdict.RIPCORD:
        assert (found.aim, found.after.aim) == (method.maximum, None)
        assert found.size < 0 or leverage == method.maximum


@given(states, methods(), venues, leverages, instants)
def test_a_position_without_equity_is_treated_as_the_highest_leverage(
    state: State, method: Method, venue: Venue, leverage: D | None, now: datetime
) -> None:
    """The fault of a known contract: no equity read as leverage 0, and was levered up."""
    gone = verdict(state, method, venue, now=now, leverage=None)
    assert gone is verdict(state, method, venue, now=now, leverage=D("1e30"))
    found = due(state, method, venue, None, D(100), now)
    assert found.total == (-100 if gone is Verdict.RIPCORD else 0)


@given(methods(), venues, sizes)
def test_a_rescue_is_possible_however_far_past_liquidation(
    method: Method, venue: Venue, size: D
) -> None:
    """The other fault: what may be repaid was computed by a difference that fell below 0."""
    for equity in (D("-1e6"), D(-1), D(0), D("1e-9")):
        leverage = effective_leverage(size, equity)
        found = due(State(), method, venue, leverage, size, NOON)
        assert found.verdict is Verdict.RIPCORD
        assert -size <= found.size < 0
        assert moved_margin(size, equity, method.maximum) > 0


@given(methods(), leverages.filter(lambda value: value is not None))
def test_a_step_aims_between_here_and_the_target_inside_the_band(
    method: Method, leverage: D
) -> None:
    aim = next_leverage(method, leverage)
    assert method.minimum <= aim <= method.maximum
    if method.minimum <= leverage <= method.maximum:
        low, high = sorted((leverage, method.target))
        assert low <= aim <= high


@given(sizes, ratios("0.1", "200"), ratios("0.5", "20"))
def test_a_trade_at_mark_and_a_move_of_margin_both_end_at_the_aim(
    size: D, leverage: D, aim: D
) -> None:
    equity = size / leverage  # at a price of 1
    after = size + traded_size(size, leverage, aim)
    assert math.isclose(after / equity, aim, rel_tol=1e-20)
    assert math.isclose(size / (equity + moved_margin(size, equity, aim)), aim, rel_tol=1e-20)


@given(states, methods(), venues, leverages, sizes, instants)
def test_only_what_is_due_changes_the_state_and_it_is_due_once(
    state: State, method: Method, venue: Venue, leverage: D | None, size: D, now: datetime
) -> None:
    found = due(state, method, venue, leverage, size, now)
    if found.verdict is Verdict.NOTHING:
        assert (found.after, found.size) == (state, D(0))
        return
    assert found.after.last(venue.name) == now
    others = {name: at for name, at in state.traded if name != venue.name}
    assert {name: at for name, at in found.after.traded if name != venue.name} == others
    if found.verdict is not Verdict.STEP:
        again = verdict(found.after, method, venue, now=now, leverage=leverage)
        assert again in (Verdict.NOTHING, Verdict.STEP)


@given(methods(), ratios("0.5", "200"), st.integers(1, 6))
def test_chunks_at_a_price_that_stands_still_end_where_the_whole_step_would(
    method: Method, leverage: D, parts: int
) -> None:
    equity, held = 100 / leverage, D(100)
    venue = Venue(name="one", chunk=held / parts, ripcord_chunk=held / parts)
    state, now, aims = State(), NOON, set[D | None]()
    for _ in range(40 * parts):
        found = due(state, method, venue, held / equity, held, now)
        held, state, now = held + found.size, found.after, now + method.interval + SECOND
        if found.verdict is not Verdict.RIPCORD:
            aims.add(found.aim)
            if state.aim is None:
                break
    if method.maximum == method.ripcord and not aims:
        aims.add(method.maximum)  # where a ripcord ends another begins, and trades nothing
    assert len(aims) == 1
    assert math.isclose(held / equity, aims.pop() or 0, rel_tol=1e-15)


def test_the_published_rescue_trades_39() -> None:
    leverage = effective_leverage(D(200), D(200) - D(130))
    assert leverage is not None
    assert math.isclose(leverage, D("2.857142857"), rel_tol=1e-9)
    found = due(State(), ETH2X, WIDE, leverage, D(200), NOON)
    assert (found.verdict, found.aim, found.slippage) == (Verdict.RIPCORD, D("2.3"), D("0.05"))
    assert math.isclose(found.size, D(-39), rel_tol=1e-20)
    assert math.isclose((200 + found.size) / 70, D("2.3"), rel_tol=1e-20)
    assert math.isclose(moved_margin(D(200), D(70), D("2.3")), D(200) / D("2.3") - 70)


def test_the_same_in_chunks_of_ten_is_two_ripcords_and_then_a_step() -> None:
    held, state, now = D(200), State(), NOON
    seen: list[object] = []
    for wait in (2, 2, 2, 31, 31):
        found = due(state, ETH2X, TIGHT, held / 70, held, now)
        held, state, now = held + found.size, found.after, now + wait * SECOND
        seen.append((found.verdict.value, round(found.size, 9), round(held / 70, 3), state.aim))
    assert seen == [
        ("ripcord", -10, D("2.714"), None),
        ("ripcord", -10, D("2.571"), None),
        ("step", -10, D("2.429"), D("2.3")),
        ("nothing", 0, D("2.429"), D("2.3")),  # 2 s later: chunks of a step wait 30 s
        ("iterate", -9, D("2.300"), None),
    ]


def test_recentering_is_slow_as_published() -> None:
    assert next_leverage(ETH2X, D("2.25")) == D("2.2375")
    # At 100 of equity 225 are held: the step trades 1.25 of them.
    assert math.isclose(traded_size(D(225), D("2.25"), D("2.2375")), D("-1.25"), rel_tol=1e-20)
    leverage, steps = D("2.25"), 0
    while leverage > D("2.02"):
        leverage, steps = next_leverage(ETH2X, leverage), steps + 1
    assert steps == 50
    assert math.log(0.5) / math.log(1 - 0.05) == pytest.approx(13.5, abs=0.05)
    assert next_leverage(ETH2X, D("2.6")) == D("2.3")


@pytest.mark.parametrize(
    ("state", "leverage", "after", "expected"),
    [
        pytest.param(traded("wide"), "2.7", 1, "nothing", id="ripcord waits over its cooldown"),
        pytest.param(traded("wide"), "2.7", 2, "ripcord", id="ripcord at its level"),
        pytest.param(traded("tight"), "2.7", 0, "ripcord", id="other venues do not delay it"),
        pytest.param(traded("wide", aim="2.3"), "2.5", 30, "nothing", id="chunks wait"),
        pytest.param(traded("wide", aim="2.3"), "2.5", 31, "iterate", id="next chunk"),
        pytest.param(traded("wide", aim="2.3"), "1.0", 30, "nothing", id="also outside the band"),
        pytest.param(traded("wide"), "2.31", 0, "step", id="above the maximum at once"),
        pytest.param(traded("wide"), "1.69", 0, "step", id="below the minimum at once"),
        pytest.param(traded("wide"), "2.3", 86400, "nothing", id="not after the interval exactly"),
        pytest.param(traded("wide"), "2.3", 86401, "step", id="after the interval"),
        pytest.param(traded("tight"), "2.1", 86400, "nothing", id="any venue starts the interval"),
        pytest.param(State(), "2.0", 0, "step", id="never traded"),
    ],
)
def test_what_is_due_follows_the_table(
    state: State, leverage: str, after: int, expected: str
) -> None:
    found = verdict(state, ETH2X, WIDE, now=NOON + after * SECOND, leverage=D(leverage))
    assert found.value == expected


@pytest.mark.parametrize(
    ("aim", "leverage", "size"),
    [
        pytest.param("1.9", "1.95", 0, id="levering up, already there"),
        pytest.param("1.9", "1.9", 0, id="levering up, exactly there"),
        pytest.param("2.1", "2.05", 0, id="de-levering, already there"),
        pytest.param("2.1", "2.2", -10, id="de-levering goes on"),
        pytest.param("1.9", "1.8", 10, id="levering up goes on"),
        pytest.param("2.0", "2.1", -10, id="to the target itself it always goes on"),
    ],
)
def test_a_step_under_way_ends_without_a_trade_where_the_price_went_there(
    aim: str, leverage: str, size: int
) -> None:
    state = traded("tight", aim=aim)
    found = due(state, ETH2X, TIGHT, D(leverage), D(1000), NOON + 31 * SECOND)
    assert (found.verdict, found.aim, found.size) == (Verdict.ITERATE, D(aim), D(size))
    assert found.after.aim == (None if size == 0 else D(aim))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"minimum": D("2.1")}, "minimum <= target", id="minimum"),
        pytest.param({"minimum": D(0)}, "0 < minimum", id="nothing"),
        pytest.param({"maximum": D("1.9")}, "target <= maximum", id="maximum"),
        pytest.param({"ripcord": D("2.2")}, "maximum <= ripcord", id="ripcord"),
        pytest.param({"recentering_speed": D(0)}, "recentering_speed", id="speed 0"),
        pytest.param({"recentering_speed": D("1.01")}, "recentering_speed", id="speed above 1"),
        pytest.param({"interval": 29 * SECOND}, "interval >= cooldown", id="interval"),
        pytest.param({"ripcord_cooldown": 31 * SECOND}, "ripcord_cooldown", id="cooldowns"),
        pytest.param({"ripcord_cooldown": -SECOND}, "ripcord_cooldown >= 0", id="negative time"),
        pytest.param({"slippage": D("1.01")}, "slippage must be", id="slippage"),
        pytest.param({"ripcord_slippage": D("-0.01")}, "ripcord_slippage", id="ripcord slippage"),
    ],
)
def test_a_method_that_contradicts_itself_is_refused(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ETH2X, **changes)  # type: ignore[arg-type]  # any field by name


def test_the_published_methods_are_valid_also_at_their_limits() -> None:
    assert BTC2X.ripcord == D("2.4")
    equal = replace(ETH2X, minimum=D(2), maximum=D(2), ripcord=D(2), recentering_speed=D(1))
    assert next_leverage(equal, D(7)) == 2


@pytest.mark.parametrize("name", ["chunk", "ripcord_chunk"])
def test_a_chunk_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be > 0"):
        replace(TIGHT, **{name: D(0)})  # type: ignore[arg-type]  # one of two fields
