import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.market import Bars
from bot.errors import JournalError
from bot.journal import parts
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory
from bot.schemas import decode, encode
from tests.kit.builders import a_market, a_policy, an_observation
from tests.kit.records import a_record

OPENED = datetime(2026, 1, 1, 7, tzinfo=UTC)
prices = st.floats(min_value=1e-9, max_value=1e18)


@st.composite
def histories(draw: st.DrawFn) -> Bars:
    count = draw(st.sampled_from([0, 1, 23, 71, 72, 73, 300]))
    columns = [
        tuple(draw(st.lists(prices, min_size=5, max_size=5)) * (count // 5 + 1))[:count]
        for _ in range(3)
    ]
    return Bars(
        opened_at=OPENED + timedelta(hours=draw(st.integers(0, 40))) if count else None,
        seconds=draw(st.sampled_from([900, 3600])),
        high=columns[0],
        low=columns[1],
        close=columns[2],
    )


def an_input(*bars: Bars) -> bytes:
    markets = tuple(
        replace(a_market(f"C{number}/USDT:USDT"), bars=one) for number, one in enumerate(bars)
    )
    seen = an_observation(instruments=(), markets=markets)
    return encode(
        Inputs(observation=seen, memory=Memory(), policy=a_policy(), strategy='"bars":{}')
    )


def a_history(hours: int = 912, *, first: int = 0) -> Bars:
    close = tuple(60000.0 + (first + hour) % 977 for hour in range(hours))
    return Bars(
        opened_at=OPENED + timedelta(hours=first),
        high=tuple(price * 1.001 for price in close),
        low=tuple(price * 0.999 for price in close),
        close=close,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def a_table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(parts.TABLE)
    return connection


@given(st.lists(histories(), max_size=3))
def test_inputs_that_were_taken_apart_are_the_same_bytes_when_joined(found: list[Bars]) -> None:
    inputs, splitter = an_input(*found), parts.Splitter()
    with closing(a_table()) as table:
        for _ in range(2):
            apart = splitter.split(inputs)
            parts.write(table, apart.parts)
            splitter.learn(apart)
            assert parts.joined(table, apart.inputs) == inputs
        assert splitter.split(inputs).parts == {}
    read = decode(Inputs, inputs).observation
    assert read is not None
    assert [market.bars for market in read.markets] == found


@given(histories(), histories())
def test_days_are_written_until_they_are_known_to_be_durable(one: Bars, other: Bars) -> None:
    splitter = parts.Splitter()
    first = splitter.split(an_input(one))
    assert splitter.split(an_input(one)) == first  # nothing is known before it was said
    splitter.learn(first)
    with closing(a_table()) as table:
        parts.write(table, first.parts)
        second = splitter.split(an_input(one, other))
        parts.write(table, second.parts)
        assert parts.joined(table, second.inputs) == an_input(one, other)


def test_an_hour_later_only_the_days_at_the_ends_are_new() -> None:
    splitter = parts.Splitter()
    first = splitter.split(an_input(a_history()))
    splitter.learn(first)
    assert len(first.parts) == 39 + 1  # 912 hours from 07:00, and their list
    later = splitter.split(an_input(a_history(first=1)))
    assert len(set(later.parts) - set(first.parts)) == 3
    assert len(later.inputs) < len(an_input(a_history())) / 20


def test_a_history_of_two_days_stays_where_it_is() -> None:
    inputs = an_input(a_history(48))
    assert parts.Splitter().split(inputs).inputs == inputs


def test_only_so_many_histories_are_remembered() -> None:
    splitter = parts.Splitter()
    for first in range(parts._KEPT + 10):
        splitter.learn(splitter.split(an_input(a_history(72, first=first))))
    assert len(splitter._known) == parts._KEPT
    assert splitter.split(an_input(a_history(72))).parts  # the oldest is forgotten, not lost


def spoil(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def stored(path: Path) -> Iterator[bytes]:
    with JournalReader.open(path) as reader:
        for item in reader.inputs():
            yield item.inputs


async def test_a_journal_keeps_a_history_once_and_gives_it_back_whole(path: Path) -> None:
    first, second = an_input(a_history()), an_input(a_history(first=1))
    async with SqliteJournal.open(path) as journal:
        for number in range(1, 101):
            await journal.record(a_record(number), first if number < 51 else second, [])
        assert await journal.last_inputs("main") == second
    assert list(stored(path)) == [first] * 50 + [second] * 50
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM parts").fetchone()
        (held,) = connection.execute("SELECT sum(length(inputs)) FROM decisions").fetchone()
    assert count == 40 + 3
    assert held < 100 * 1100


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM parts", "a day of prices is lost"),
        ("UPDATE parts SET body = x'00'", "a day of prices is lost"),
        (
            "UPDATE parts SET body = (SELECT body FROM parts LIMIT 1)",
            "a day of prices is not what was written",
        ),
    ],
)
async def test_a_day_that_is_lost_is_said_and_never_guessed(
    path: Path, statement: str, why: str
) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(1), an_input(a_history()), [])
    spoil(path, statement)
    with pytest.raises(JournalError, match=why):
        list(stored(path))
    with JournalReader.open(path) as reader, pytest.raises(JournalError, match=why):
        reader.newest_inputs("main")
    async with SqliteJournal.open(path) as journal:
        with pytest.raises(JournalError, match=why):
            await journal.last_inputs("main")
