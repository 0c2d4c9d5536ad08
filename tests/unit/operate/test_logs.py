import logging
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import structlog

from bot.operate.logs import DecisionLog, Logs, LogSettings, Pipe
from bot.operate.redact import Redactor
from bot.ports import Sink
from tests.kit.records import a_record


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:  # the test closed it
            continue


def drain(fd: int) -> bytes:
    os.set_blocking(fd, False)
    content = b""
    try:
        while part := os.read(fd, 65536):
            content += part
    except BlockingIOError:
        pass
    return content


def lines(fd: int) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in drain(fd).splitlines()]


def settings(**changes: Any) -> LogSettings:
    return replace(LogSettings(view="json", flush_s=0.5), **changes)


def test_events_become_json_lines_without_secrets(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with Logs(settings(), redactor=Redactor(["kept-from-view"]), fd=writer):
        log = structlog.get_logger()
        log.info("started", url="https://x/?signature=CANARY", note="kept-from-view")
        log.debug("not shown")
        try:
            int("secret=CANARY kept-from-view")
        except ValueError:
            log.exception("failed")
    started, failed = lines(reader)
    assert (started["event"], started["level"]) == ("started", "info")
    assert "Traceback" in failed["exception"]
    assert "CANARY" not in str((started, failed))
    assert "kept-from-view" not in str((started, failed))


@pytest.mark.parametrize("name", ["ccxt.base.exchange", "asyncio", "plimsoll.mqtt"])
def test_lines_of_libraries_come_through_the_same_redactor(
    pipe: tuple[int, int], name: str
) -> None:
    reader, writer = pipe
    with Logs(settings(level="debug"), redactor=Redactor(), fd=writer):
        logging.getLogger(name).debug("request signature=CANARY")
        logging.getLogger(name).info("100%% of %s", "apiKey=CANARY")
    (line,) = lines(reader)
    assert (line["logger"], line["level"], line["event"]) == (name, "info", "100% of apiKey=***")


def test_a_blocked_pipe_never_blocks_the_caller_and_drops_are_reported(
    pipe: tuple[int, int],
) -> None:
    reader, writer = pipe
    with Logs(settings(queue=10), redactor=Redactor(), fd=writer) as logs:
        log = structlog.get_logger()
        slowest_s = 0.0
        for number in range(1000):
            begin = time.perf_counter()
            log.info("line", number=number, padding="x" * 1000)
            slowest_s = max(slowest_s, time.perf_counter() - begin)
        assert slowest_s < 0.2
        assert logs.dropped
        content, logged = drain(reader), 1000
        deadline = time.monotonic() + 5
        while logs.dropped and time.monotonic() < deadline:
            log.info("after")
            logged += 1
            time.sleep(0.01)
            content += drain(reader)
    content += drain(reader)
    received = [orjson.loads(line) for line in content.splitlines()]
    assert len(received) + sum(line.get("dropped", 0) for line in received) == logged


def test_a_closed_pipe_is_survived_and_the_end_is_quick(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    begin = time.monotonic()
    with Logs(settings(), redactor=Redactor(), fd=writer) as logs:
        deadline = time.monotonic() + 5
        while not logs.dropped and time.monotonic() < deadline:
            structlog.get_logger().info("into the void")
            time.sleep(0.001)
        assert logs.dropped
    assert time.monotonic() - begin < 5


def test_the_end_waits_for_a_stuck_reader_only_so_long(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    stuck = Pipe(writer, limit=10)
    for _ in range(10):
        stuck.offer(lambda _: b"x" * 50_000)
    begin = time.monotonic()
    assert not stuck.close(timeout_s=0.1)
    assert time.monotonic() - begin < 1
    os.close(reader)  # frees the thread: the write fails
    assert not stuck.close(timeout_s=5)


def test_lines_that_json_cannot_hold_are_written_all_the_same(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with Logs(settings(), redactor=Redactor(), fd=writer):
        structlog.get_logger().info("odd", big=2**70, half="\ud800", what=object)
    (line,) = lines(reader)
    assert line["event"] == "odd"


def test_what_was_logged_before_the_end_is_flushed(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with Logs(settings(), redactor=Redactor(), fd=writer):
        for number in range(200):
            structlog.get_logger().info("line", number=number)
    assert [line["number"] for line in lines(reader)] == list(range(200))


def test_every_decision_is_one_line_and_the_record_is_whole(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with Logs(settings(), redactor=Redactor(), fd=writer):
        DecisionLog().publish(a_record(4))
    (line,) = lines(reader)
    assert line["record"] == a_record(4)


def test_holds_may_be_thinned_and_anything_else_never(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with Logs(settings(), redactor=Redactor(), fd=writer):
        sink: Sink = DecisionLog(every=3)
        for number in range(1, 6):
            sink.publish(a_record(number))
        sink.publish(a_record(6, verdict="act"))
        sink.publish(a_record(7))
    shown = [(line["record"]["seq"], line.get("skipped", 0)) for line in lines(reader)]
    assert shown == [(1, 0), (4, 2), (6, 1), (7, 0)]


def test_the_console_shows_a_decision_on_one_line(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with Logs(settings(view="console"), redactor=Redactor(), fd=writer):
        DecisionLog().publish(a_record())
    content = drain(reader).decode()
    assert content.count("\n") == 1
    assert content.startswith("12:01:00 hold")
    assert "\x1b" not in content


def test_a_decision_that_cannot_be_logged_is_counted_not_raised() -> None:
    sink = DecisionLog()
    sink.publish(None)  # type: ignore[arg-type] # the point: whatever comes, nothing is raised
    assert sink.failed == 1
