import asyncio
import base64
import hashlib
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiomqtt
import orjson
import pytest
import trustme

from bot.operate.mqtt import MqttPublisher, MqttSettings
from bot.ports import Sink
from tests.kit.broker import Broker, free_port
from tests.kit.records import a_position_record, a_record, an_action_record

STATUS = "plimsoll/v1/keel/status"
POSITION = "plimsoll/v1/keel/positions/btc-usdt-usdt/long"
PATIENCE_S = 10.0


def settings(port: int) -> MqttSettings:
    return MqttSettings(
        host="127.0.0.1", port=port, bot="keel", backoff_s=0.05, timeout_s=1.0, goodbye_s=1.0
    )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as running:
        yield running


class Watch:
    """The newest message of every topic, and all of them in order."""

    def __init__(self) -> None:
        self.newest: dict[str, bytes] = {}
        self.all: list[tuple[str, bytes, int]] = []

    async def follow(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            self.newest[str(message.topic)] = message.payload
            self.all.append((str(message.topic), message.payload, message.qos))

    def status(self) -> str | None:
        found = self.newest.get(STATUS)
        return None if found is None else str(orjson.loads(found)["state"])

    def decisions(self) -> list[int]:
        return [orjson.loads(p)["seq"] for topic, p, _ in self.all if topic.endswith("/decisions")]


@asynccontextmanager
async def watching(port: int) -> AsyncIterator[Watch]:
    watch = Watch()
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("plimsoll/#", qos=1)
        task = asyncio.create_task(watch.follow(client))
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the broker tells nobody when it is done
            await asyncio.sleep(0.01)


@pytest.mark.broker
async def test_a_late_reader_finds_status_and_positions_retained(broker: Broker) -> None:
    async with MqttPublisher(settings(broker.port)) as publisher:
        publisher.publish(a_record(5))
        await until(lambda: publisher.connected and not publisher._events)
        async with watching(broker.port) as watch:
            await until(lambda: POSITION in watch.newest and STATUS in watch.newest)
    assert orjson.loads(watch.newest[POSITION])["effective_leverage"] == "5"
    assert orjson.loads(watch.newest[STATUS])["verdict"] == "hold"


@pytest.mark.broker
async def test_events_come_in_order_and_acts_with_a_receipt(broker: Broker) -> None:
    async with watching(broker.port) as watch:
        async with MqttPublisher(settings(broker.port)) as publisher:
            publisher.publish(a_record(1))
            publisher.publish(a_record(2, verdict="act", actions=[an_action_record()]))
            await until(lambda: watch.decisions() == [1, 2])
        assert [qos for topic, _, qos in watch.all if topic.endswith("/decisions")] == [0, 1]


@pytest.mark.broker
async def test_a_clean_end_says_offline_after_the_last_decision(broker: Broker) -> None:
    async with watching(broker.port) as watch:
        async with MqttPublisher(settings(broker.port)) as publisher:
            await until(lambda: watch.status() == "online")
            publisher.publish(a_record(9))
        await until(lambda: watch.status() == "offline")
        assert watch.decisions() == [9]
    async with watching(broker.port) as late:
        await until(lambda: late.status() == "offline")


@pytest.mark.broker
async def test_a_closed_position_is_no_longer_retained(broker: Broker) -> None:
    async with MqttPublisher(settings(broker.port)) as publisher, watching(broker.port) as watch:
        publisher.publish(a_record(1))
        await until(lambda: bool(watch.newest.get(POSITION)))
        publisher.publish(a_record(2, verdict="not_ready", positions=[]))
        publisher.publish(a_record(3, positions=[a_position_record(side="short")]))
        await until(lambda: watch.newest[POSITION] == b"")
        of_position = [payload for topic, payload, _ in watch.all if topic == POSITION]
        assert of_position.count(b"") == 1
        async with watching(broker.port) as late:
            await until(lambda: POSITION.replace("long", "short") in late.newest)
            assert POSITION not in late.newest


@pytest.mark.broker
async def test_a_position_closed_while_the_bot_was_away_is_cleared(broker: Broker) -> None:
    async with MqttPublisher(settings(broker.port)) as first:
        first.publish(a_record(1))
    async with MqttPublisher(settings(broker.port)) as second, watching(broker.port) as watch:
        await until(lambda: POSITION in watch.newest and bool(second._found))
        second.publish(a_record(2, positions=[]))
        await until(lambda: watch.newest[POSITION] == b"")


@asynccontextmanager
async def cable(port: int) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """Lead to the broker over a line that can be cut without a goodbye."""
    lines: list[asyncio.StreamWriter] = []
    copies: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        lines.extend((writer, far_writer))
        for pair in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(copy(*pair))
            copies.add(task)
            task.add_done_callback(copies.discard)

    def cut() -> None:
        for line in lines:
            line.transport.abort()
        lines.clear()

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], cut
    finally:
        server.close()
        cut()
        await asyncio.gather(*copies, return_exceptions=True)
        await server.wait_closed()


@pytest.mark.broker
async def test_the_last_will_speaks_for_a_client_whose_line_is_cut(broker: Broker) -> None:
    async with (
        watching(broker.port) as watch,
        cable(broker.port) as (port, cut),
        MqttPublisher(replace(settings(port), backoff_s=0.4)) as publisher,
    ):
        publisher.publish(a_record(1))
        await until(lambda: watch.status() == "online" and watch.decisions() == [1])
        cut()
        await until(lambda: watch.status() == "offline")
        publisher.publish(a_record(2, verdict="act"))
        await until(lambda: watch.status() == "online" and watch.decisions() == [1, 2])


@pytest.mark.broker
async def test_a_broker_that_dies_and_returns_gets_states_and_waiting_acts(broker: Broker) -> None:
    async with MqttPublisher(settings(broker.port)) as publisher:
        publisher.publish(a_record(1))
        await until(lambda: publisher.connected and not publisher._events)
        broker.kill()
        await until(lambda: not publisher.connected)
        publisher.publish(a_record(2, verdict="act"))
        broker.start()
        async with watching(broker.port) as watch:
            await until(lambda: POSITION in watch.newest and watch.status() == "online")
            await until(lambda: not publisher._events)
    assert publisher.failed == publisher.dropped == 0


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Broker]:
    # The sha512 form that the broker documents for its password file needs no second program.
    salt = b"twelve bytes"
    digest = base64.b64encode(hashlib.sha512(b"anchor" + salt).digest()).decode()
    users = tmp_path / "users"
    users.write_text(f"keel:$6${base64.b64encode(salt).decode()}${digest}\n")
    extra = f"allow_anonymous false\nuser root\npassword_file {users}"
    with Broker(tmp_path, extra=extra) as running:
        yield running


@pytest.mark.broker
async def test_a_password_opens_a_broker_that_refuses_strangers(guarded: Broker) -> None:
    async with MqttPublisher(settings(guarded.port)) as stranger:
        await asyncio.sleep(0.3)
        assert not stranger.connected
    known = replace(settings(guarded.port), username="keel", password="anchor")
    assert "anchor" not in repr(known)
    async with MqttPublisher(known) as publisher:
        await until(lambda: publisher.connected)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[tuple[Broker, str]]:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    extra = (
        f"certfile {tmp_path}/cert.pem\nkeyfile {tmp_path}/key.pem\nuser root\nallow_anonymous true"
    )
    with Broker(tmp_path, extra=extra) as running:
        yield running, str(tmp_path / "ca.pem")


@pytest.mark.broker
async def test_tls_trusts_the_configured_authority_and_no_other(
    sealed: tuple[Broker, str],
) -> None:
    broker, ca_file = sealed
    trusting = replace(settings(broker.port), ca_file=ca_file)
    async with MqttPublisher(trusting) as publisher:
        await until(lambda: publisher.connected)
    for wrong in (
        replace(trusting, ca_file=None, tls=True),
        replace(trusting, ca_file="/gone/ca.pem"),
        settings(broker.port),
    ):
        async with MqttPublisher(wrong) as publisher:
            await asyncio.sleep(0.3)
            assert not publisher.connected


async def longest_pause_while_publishing(port: int, records: int = 60) -> tuple[float, float]:
    """Return the median time of one publish and the longest lag of the loop. [s]"""
    took: list[float] = []
    lag = 0.0
    async with MqttPublisher(replace(settings(port), queue=16, timeout_s=0.2)) as publisher:
        for number in range(records):
            begin = time.perf_counter()
            publisher.publish(a_record(number, verdict="act"))
            took.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            await asyncio.sleep(0.01)
            lag = max(lag, time.perf_counter() - begin - 0.01)
        assert publisher.failed == 0
        assert publisher.dropped == records - 16
        assert not publisher.connected
    return statistics.median(took), lag


async def test_a_broker_that_never_answers_changes_nothing() -> None:
    taken: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        median_s, lag_s = await longest_pause_while_publishing(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in taken:
            writer.close()
        await server.wait_closed()
    assert taken
    assert median_s < 0.001
    assert lag_s < 0.1


async def test_a_broker_that_is_not_there_changes_nothing() -> None:
    median_s, lag_s = await longest_pause_while_publishing(free_port())
    assert median_s < 0.001
    assert lag_s < 0.1


async def test_a_line_that_goes_silent_after_the_greeting_changes_nothing() -> None:
    """A broker that says yes and then stops reading fills every buffer between."""
    silent: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        silent.append(writer)
        await reader.read(2048)
        writer.write(b"\x20\x02\x00\x00")  # CONNACK, accepted

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        median_s, lag_s = await longest_pause_while_publishing(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in silent:
            writer.close()
        await server.wait_closed()
    assert silent
    assert median_s < 0.001
    assert lag_s < 0.1


async def test_a_record_that_makes_no_sense_is_counted_not_raised() -> None:
    publisher = MqttPublisher(settings(free_port()))
    sink: Sink = publisher
    sink.publish({"positions": [{"symbol": object()}]})
    assert publisher.failed == 1


@pytest.mark.parametrize("bot", ["", "a/b", "a+", "#"])
def test_a_bot_name_must_be_one_topic_level(bot: str) -> None:
    with pytest.raises(ValueError, match="one topic level"):
        MqttSettings(host="broker", bot=bot)
