"""An alarm leaves at once, whatever sinks and journal do, and what became of it is known."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from bot.alarms import Alarms
from bot.domain.alarm import Alarm, Delivery, Told
from bot.errors import JournalLost
from bot.operate.logs import DecisionLog, Logs, LogSettings, Pipe
from bot.operate.mqtt import MqttPublisher, MqttSettings
from bot.operate.redact import Redactor
from bot.ports import Receipt, answer
from tests.kit.builders import NOON
from tests.kit.fakes import Collected, FakeClock

ALARM = Alarm(code="stalled", text="stood still", at=NOON)


class Way:
    """A sink whose receipts are answered by hand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.deliveries: list[Future[Delivery]] = []

    def publish(self, record: dict[str, Any]) -> None:
        del record

    def alarm(self, alarm: Alarm) -> Receipt:
        del alarm
        self.deliveries.append(Future())
        return Receipt(sink=self.name, delivery=self.deliveries[-1])


class Book:
    """A book that keeps each word, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.words: list[Told] = []

    async def alarmed(self, told: Told) -> int:
        await asyncio.sleep(0)
        if self.fails:
            raise JournalLost("full")
        self.words.append(told)
        return told.number or len(self.words)


def some(*ways: Any, book: Book, patience: float = 5.0) -> Alarms:
    return Alarms(
        ways,
        clock=FakeClock(),
        book=book,
        clean=lambda text: text.replace("hush", "***"),
        patience=patience,
    )


def words(book: Book) -> list[tuple[str, str]]:
    return [(told.sink, told.delivery.value) for told in book.words]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - a thread tells nobody when it is done
            await asyncio.sleep(0.005)


async def test_each_way_has_its_word_and_the_cause_its_time() -> None:
    log, mqtt, book = Way("log"), Way("mqtt"), Book()
    alarms = some(log, mqtt, Collected(), book=book)
    alarms.tell("stalled", "stood still", intent_id="pl1")
    assert len(log.deliveries) == len(mqtt.deliveries) == 1  # before anything was awaited
    answer(log.deliveries[0], Delivery.DELIVERED)
    answer(mqtt.deliveries[0], Delivery.DROPPED)
    await alarms.close()
    assert words(book)[0] == ("", "raised")
    assert sorted(words(book)[1:]) == [("log", "delivered"), ("mqtt", "dropped")]
    assert {told.number for told in book.words} == {0, 1}
    assert book.words[0].at == book.words[0].alarm.at == NOON
    assert alarms.unrecorded == 0


async def test_what_does_not_leave_in_time_has_failed_and_may_still_leave() -> None:
    way, book = Way("mqtt"), Book()
    alarms = some(way, book=book, patience=0.01)
    alarms.tell("stalled", "stood still")
    await until(lambda: ("mqtt", "failed") in words(book))
    answer(way.deliveries[0], Delivery.DELIVERED)
    await alarms.close()
    assert words(book) == [("", "raised"), ("mqtt", "failed"), ("mqtt", "delivered")]


async def test_without_a_journal_it_leaves_all_the_same() -> None:
    seen, way, book = Collected(), Way("log"), Book(fails=True)
    alarms = some(seen, way, book=book)
    alarms.tell("journal_unwritable", "only emergencies")
    assert [alarm.code for alarm in seen.alarms] == ["journal_unwritable"]
    answer(way.deliveries[0], Delivery.DELIVERED)
    await alarms.close()
    assert (book.words, alarms.unrecorded) == ([], 2)


async def test_no_way_sees_a_secret() -> None:
    seen, book = Collected(), Book()
    alarms = some(seen, book=book)
    alarms.tell("unsettled", "key hush")
    await alarms.close()
    assert [alarm.text for alarm in seen.alarms] == ["key ***"]
    assert book.words[0].alarm.text == "key ***"


async def test_what_never_leaves_does_not_hold_up_the_end() -> None:
    way, book = Way("log"), Book()
    alarms = some(way, book=book)
    alarms.tell("stalled", "stood still")
    async with asyncio.timeout(3):
        await alarms.close()
    assert words(book) == [("", "raised")]
    answer(way.deliveries[0], Delivery.DELIVERED)  # too late, and no error


async def test_the_log_says_when_the_line_has_left() -> None:
    reading, writing = os.pipe()
    with Logs(LogSettings(view="json"), redactor=Redactor(), fd=writing):
        receipt = DecisionLog().alarm(ALARM)
        assert await asyncio.wrap_future(receipt.delivery) is Delivery.DELIVERED
    line = os.read(reading, 4096)
    assert b'"code":"stalled"' in line
    assert b"receipt" not in line
    for fd in (reading, writing):
        os.close(fd)


async def test_the_log_says_when_nobody_reads_it_any_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with Logs(LogSettings(view="json"), redactor=Redactor(), fd=writing):
        receipt = DecisionLog().alarm(ALARM)
        assert await asyncio.wrap_future(receipt.delivery) is Delivery.FAILED
        again = DecisionLog().alarm(ALARM)
        assert await asyncio.wrap_future(again.delivery) is Delivery.DROPPED
    os.close(writing)


def test_a_line_that_finds_no_room_is_dropped_and_said_to_be() -> None:
    reading, writing = os.pipe()
    pipe = Pipe(writing, limit=0)
    delivery: Future[Delivery] = Future()
    assert not pipe.offer(lambda _: b"", delivery)
    assert delivery.result(timeout=1) is Delivery.DROPPED
    assert pipe.close(timeout_s=1)
    for fd in (reading, writing):
        os.close(fd)


async def test_the_oldest_alarm_gives_way_where_no_broker_takes_any() -> None:
    publisher = MqttPublisher(MqttSettings(host="127.0.0.1", bot="b", queue=1))
    first, second = publisher.alarm(ALARM), publisher.alarm(ALARM)
    assert first.delivery.result(timeout=1) is Delivery.DROPPED
    assert not second.delivery.done()
