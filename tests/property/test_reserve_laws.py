import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.action import Action, AddMargin, ReducePosition
from bot.domain.intent import Execution, IntentState, Outcome, Settlement
from bot.domain.position import PositionKey, Side
from bot.errors import JournalError
from bot.journal.preallocated import file_system
from bot.journal.reserve import Reserve
from bot.journal.slots import HALF_BYTES, SLOT_BYTES, empty_slot, next_half, read_slot
from tests.kit.records import BTC, NOON, a_request, an_intent

SLOTS = 4
S = IntentState

texts = st.text(max_size=400)
amounts = st.decimals(min_value=0, max_value=10**12, places=8)
keys = st.builds(PositionKey, st.sampled_from([BTC, "1000SHIB/USDT:USDT"]), st.sampled_from(Side))
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(AddMargin, key=keys, amount=amounts, currency=st.just("USDT")),
    st.builds(ReducePosition, key=keys, size=amounts, limit_price=amounts),
)
executions = st.builds(
    Execution,
    intent_id=st.just(""),
    outcome=st.sampled_from(Outcome),
    applied=st.none() | amounts,
    code=texts,
    text=texts,
    latency_ms=st.integers(0, 10**6),
)
settlements = st.builds(Settlement, intent_id=st.just(""), applied=st.none() | amounts, text=texts)
calls = st.one_of(
    st.tuples(st.just("write"), actions),
    st.tuples(st.just("sent"), st.none()),
    st.tuples(st.just("drop"), texts),
    st.tuples(st.just("conclude"), executions),
    st.tuples(st.just("settled"), settlements),
    st.tuples(st.just("release"), st.none()),
)
tears = st.none() | st.tuples(st.sampled_from(["begin", "end", "zeros", "noise"]), st.floats(0, 1))


def apply(reserve: Reserve, name: str, value: Any, *, intent_id: str, number: int) -> None:
    at = NOON + timedelta(milliseconds=number)
    match name:
        case "write":
            reserve.write([an_intent(intent_id, action=value)], sequence=7, reason="emergency")
        case "sent":
            reserve.sent(intent_id, a_request(at))
        case "drop":
            reserve.drop(intent_id, at, value)
        case "conclude":
            reserve.conclude(replace(value, intent_id=intent_id), at)
        case "settled":
            reserve.settled(replace(value, intent_id=intent_id), at)
        case "release":
            reserve.release(intent_id)


def states(reserve: Reserve) -> dict[str, IntentState]:
    return {kept.intent.id: kept.intent.state for kept in reserve.kept()}


def torn(before: bytes, after: bytes, how: str, share: float) -> bytes:
    """Return what the disk holds when the last write was cut short; other halves are untouched."""
    changed = [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    begin = changed[0] // HALF_BYTES * HALF_BYTES
    old, new = before[begin : begin + HALF_BYTES], after[begin : begin + HALF_BYTES]
    cut = round(share * HALF_BYTES)
    half = {
        "begin": new[:cut] + old[cut:],
        "end": old[:cut] + new[cut:],
        "zeros": new[:cut] + bytes(HALF_BYTES - cut),
        "noise": new[:cut] + b"\xa5" * (HALF_BYTES - cut),
    }[how]
    return before[:begin] + half + before[begin + HALF_BYTES :]


@given(st.lists(st.tuples(calls, st.integers(0, 9), tears), max_size=25))
# The end of the second write would complete what is left of the first.
@example(
    [
        (("write", an_intent().action), 0, ("noise", 0.5)),
        (("write", an_intent().action), 0, ("end", 0.5)),
    ]
)
@settings(deadline=None, max_examples=250)
def test_every_acknowledged_state_survives_a_crash_at_any_byte_of_any_write(
    history: list[tuple[tuple[str, Any], int, tuple[str, float] | None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reserve"
        reserve = Reserve.open(path, slots=SLOTS)
        for number, ((name, value), pick, tear) in enumerate(history):
            known = states(reserve)
            chosen = sorted(known)[pick % len(known)] if known else "plnone"
            intent_id = f"pl{number:06}" if name == "write" else chosen
            before = path.read_bytes()
            with suppress(JournalError):
                apply(reserve, name, value, intent_id=intent_id, number=number)
            after, acknowledged = path.read_bytes(), states(reserve)
            if tear is None or before == after:
                reserve.close()
                reserve = Reserve.open(path, slots=SLOTS)
                assert states(reserve) == acknowledged
                continue
            reserve.close()
            path.write_bytes(torn(before, after, *tear))
            reserve = Reserve.open(path, slots=SLOTS)
            found = states(reserve)
            assert {k: v for k, v in found.items() if k != intent_id} == {
                k: v for k, v in known.items() if k != intent_id
            }
            allowed = {known.get(intent_id), acknowledged.get(intent_id)}
            if known.get(intent_id) is S.WRITTEN:
                allowed.add(S.SENT)  # it may have been sent: looked for, never dropped
            assert found.get(intent_id) in allowed
        assert reserve.free == SLOTS - len(states(reserve))
        reserve.close()


@given(actions, executions, settlements.filter(lambda s: s.applied is not None))
@settings(deadline=None, max_examples=100)
def test_no_words_of_a_venue_keep_a_state_from_being_recorded(
    action: Action, execution: Execution, settlement: Settlement
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reserve"
        unknown = replace(execution, outcome=Outcome.UNKNOWN)
        with Reserve.open(path, slots=1) as reserve:
            apply(reserve, "write", action, intent_id="pl1", number=0)
            apply(reserve, "sent", None, intent_id="pl1", number=1)
            apply(reserve, "conclude", unknown, intent_id="pl1", number=2)
            apply(reserve, "settled", settlement, intent_id="pl1", number=3)
            live = reserve.kept()
        with Reserve.open(path, slots=1) as reserve:
            (kept,) = reserve.kept()
    assert (kept,) == live
    assert kept.intent.action == action
    assert kept.intent.sent_at == NOON + timedelta(milliseconds=1)
    assert kept.steps[-1].applied == settlement.applied
    assert settlement.text.startswith(kept.steps[-1].text)


@given(st.binary(min_size=SLOT_BYTES, max_size=SLOT_BYTES))
def test_noise_is_never_a_slot(data: bytes) -> None:
    with suppress(ValueError):
        raise AssertionError(read_slot(data))


@given(st.integers(0, HALF_BYTES - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_half_is_seen(place: int, change: int) -> None:
    whole = next_half(None, serial=9, mark=b"a mark !")
    damaged = bytearray(whole)
    damaged[place] ^= change
    assert read_slot(bytes(damaged) + empty_slot()[:HALF_BYTES]).serial == 0
    assert read_slot(whole + empty_slot()[:HALF_BYTES]).serial == 9


@given(
    st.lists(
        st.sampled_from(["/", "/data", "/data/bot", "/var", "/data\\040disk"]),
        min_size=1,
        unique=True,
    )
)
def test_the_nearest_mount_above_a_file_holds_it(points: list[str]) -> None:
    lines = [f"1 2 0:3 / {point} rw - kind{n} dev rw" for n, point in enumerate(points)]
    path = Path("/data/bot/reserve")
    above = [(len(p), n) for n, p in enumerate(points) if path.is_relative_to(p)]
    expected = f"kind{max(above)[1]}" if above else ""
    assert file_system("\n".join(["junk", *lines]), path) == expected
