"""How do decisions reach an MQTT broker without ever waiting for it?"""

import asyncio
import logging
import random
import re
import ssl
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiomqtt
import orjson

from bot.domain.alarm import Alarm, Delivery
from bot.ports import Receipt, answer

_log = logging.getLogger("plimsoll.mqtt")
_OFFLINE = b'{"state":"offline"}'
_AT_LEAST_ONCE = 1
_AT_MOST_ONCE = 0
_HANDSHAKE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """Where the broker is and how patient the publisher may be.

    Attributes:
        host: Name or address.
        port: 1883 without TLS, 8883 with it by custom.
        bot: Name of the bot, one level of the topics.
        username: ``None`` for a broker without users.
        password: Never shown.
        tls: Whether to speak TLS; implied by ``ca_file``.
        ca_file: Authorities to trust; the system's if ``None``.
        cert_file: Client certificate.
        key_file: Its key.
        queue: Decisions that may wait; the oldest is dropped and counted beyond it.
        timeout_s: Patience for one answer of the broker. [s]
        keepalive_s: A silent connection is tested so often. [s]
        backoff_s: Pause before the first attempt to reconnect, doubled each time. [s]
        backoff_limit_s: Longest pause. [s]
        goodbye_s: How long the end waits for what is queued. [s]
    """

    host: str
    bot: str
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    queue: int = 1000
    timeout_s: float = 5.0
    keepalive_s: int = 20
    backoff_s: float = 1.0
    backoff_limit_s: float = 60.0
    goodbye_s: float = 2.0

    def __post_init__(self) -> None:
        if not self.bot or set(self.bot) & set("/+#\0"):
            raise ValueError(f"bot must be one topic level without / + #, was {self.bot!r}")

    @property
    def prefix(self) -> str:
        """Begin of every topic."""
        return f"plimsoll/v1/{self.bot}"


def slug(symbol: str) -> str:
    """Return a symbol as one topic level: ``BTC/USDT:USDT`` becomes ``btc-usdt-usdt``."""
    return re.sub(r"[^a-z0-9]+", "-", symbol.lower()).strip("-")


class _Handshake(ssl.SSLSocket):
    """A socket whose failed handshake leaves nothing open and takes a limited time."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the standard library has it
        # The client would wait as long as its keepalive, and forget the socket afterwards.
        self.settimeout(_HANDSHAKE_S)
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    if not settings.tls and settings.ca_file is None:
        return None
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.sslsocket_class = _Handshake
    if settings.cert_file is not None:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


class MqttPublisher:
    """The `Sink` that shows decisions on a broker.

    ``publish`` only puts things into memory; a task of its own talks to the broker, and nothing
    the broker does or fails to do reaches the caller. Positions and status are states: the newest
    one waits and replaces the older. Decisions are events: they wait in a bounded queue.
    """

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._status: dict[str, Any] = {"state": "online"}
        self._states: dict[str, bytes] = {}
        self._stale: dict[str, None] = {}  # topics whose state is not at the broker yet, in order
        self._held: dict[str, set[str]] = {}  # account -> topics of its open positions
        self._found: set[str] = set()  # retained positions of an earlier run
        self._events: deque[tuple[bytes, int]] = deque(maxlen=settings.queue)
        self._alarms: deque[tuple[bytes, Future[Delivery]]] = deque()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        """Decisions that gave way to newer ones."""
        self.failed = 0
        """Records that could not be taken."""
        self.connected = False
        """Whether the broker answered last."""

    async def __aenter__(self) -> Self:
        """Start talking to the broker; returns at once, also when there is none."""
        self._task = asyncio.create_task(self._run(), name="mqtt-publisher")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what waits, say ``offline`` and leave, within a limited time."""
        if self._task is None:
            return
        self._closing.set()
        self._wake.set()
        _, late = await asyncio.wait({self._task}, timeout=self._settings.goodbye_s)
        for task in late:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def publish(self, record: dict[str, Any]) -> None:
        """Take one record without waiting and without raising."""
        try:
            self._take(record)
        except Exception:  # noqa: BLE001 - a view must not stop the bot, whatever is wrong with it
            self.failed += 1

    def alarm(self, alarm: Alarm) -> Receipt:
        """Take one alarm without waiting and without raising; it goes before decisions."""
        delivery: Future[Delivery] = Future()
        message = orjson.dumps(
            {
                "at": alarm.at.isoformat(timespec="milliseconds"),
                "code": alarm.code,
                "text": alarm.text,
                "intent": alarm.intent_id,
            }
        )
        if len(self._alarms) == self._settings.queue:
            answer(self._alarms.popleft()[1], Delivery.DROPPED)
        self._alarms.append((message, delivery))
        self._wake.set()
        return Receipt(sink="mqtt", delivery=delivery)

    def _take(self, record: dict[str, Any]) -> None:
        event = orjson.dumps(record)
        states = {
            self._topic(position): orjson.dumps(
                {"at": record["at"], "account": record["account"], **position}
            )
            for position in record["positions"]
        }
        qos = _AT_MOST_ONCE if record["verdict"] == "hold" else _AT_LEAST_ONCE
        if record["verdict"] != "not_ready":  # an absent answer is not an absent position
            self._close_positions(record["account"], still_open=set(states))
        for topic, state in states.items():
            self._set(topic, state)
        if len(self._events) == self._settings.queue:
            self.dropped += 1
        self._events.append((event, qos))
        names = ("at", "seq", "account", "mode", "verdict", "reason", "urgency")
        self._status = {"state": "online", **{name: record[name] for name in names}}
        self._wake.set()

    def _topic(self, position: dict[str, Any]) -> str:
        return f"{self._settings.prefix}/positions/{slug(position['symbol'])}/{position['side']}"

    def _close_positions(self, account: str, *, still_open: set[str]) -> None:
        before = self._held.get(account, set()) | self._found
        self._held[account] = still_open
        elsewhere = {
            topic for name, topics in self._held.items() if name != account for topic in topics
        }
        for topic in sorted(before - still_open - elsewhere):
            self._set(topic, b"")  # an empty retained message removes the one before
        self._found.clear()

    def _set(self, topic: str, state: bytes) -> None:
        self._states[topic] = state
        self._stale[topic] = None

    async def _run(self) -> None:
        pause_s = self._settings.backoff_s
        while True:
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                # ValueError: paho's word for a certificate or a setting it cannot use.
                if self.connected:
                    pause_s = self._settings.backoff_s
                _log.warning("broker %s: %s", self._settings.host, error)
            else:
                return
            finally:
                self.connected = False
            with suppress(TimeoutError):
                spread_s = pause_s * random.uniform(0.5, 1)  # noqa: S311 - spreads clients, hides nothing
                await asyncio.wait_for(self._closing.wait(), spread_s)
                return
            pause_s = min(pause_s * 2, self._settings.backoff_limit_s)

    async def _session(self) -> None:
        """Talk to the broker until the end; raise when it is lost."""
        client = self._client()
        try:
            await client.__aenter__()
        except BaseException:
            # A broker that took the connection and never answered: the client keeps its socket.
            client._client.disconnect()  # noqa: SLF001 - aiomqtt has no way to abandon an attempt
            raise
        try:
            await self._talk(client)
        except asyncio.CancelledError:
            # No time is left for an answer; the words still leave in order, before the goodbye.
            client._client.publish(self._status_topic, _OFFLINE, _AT_LEAST_ONCE, retain=True)  # noqa: SLF001 - aiomqtt can only publish and wait
            raise
        finally:
            client.timeout = min(client.timeout, self._settings.goodbye_s)
            with suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)

    def _client(self) -> aiomqtt.Client:
        settings = self._settings
        return aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            logger=_log,
            will=aiomqtt.Will(self._status_topic, _OFFLINE, qos=_AT_LEAST_ONCE, retain=True),
            timeout=settings.timeout_s,
            keepalive=settings.keepalive_s,
            tls_context=_tls_context(settings),
        )

    @property
    def _status_topic(self) -> str:
        return f"{self._settings.prefix}/status"

    async def _talk(self, client: aiomqtt.Client) -> None:
        # A broker that restarted has forgotten everything: say it all again.
        self._stale = dict.fromkeys(self._states)
        await self._say_status(client)
        self.connected = True
        _log.info("broker %s: connected", self._settings.host)
        # The listener is also what notices a lost connection while there is nothing to send.
        listener = asyncio.create_task(self._find_positions(client), name="mqtt-listener")
        sender = asyncio.create_task(self._send_on(client), name="mqtt-sender")
        try:
            ended, _ = await asyncio.wait({listener, sender}, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            listener.cancel()
            sender.cancel()
            await asyncio.gather(listener, sender, return_exceptions=True)
        await client.publish(self._status_topic, _OFFLINE, qos=_AT_LEAST_ONCE, retain=True)

    async def _send_on(self, client: aiomqtt.Client) -> None:
        while True:
            self._wake.clear()
            if await self._send_all(client):
                await self._say_status(client)
            if self._closing.is_set() and not self._events and not self._alarms:
                return
            await self._wake.wait()

    async def _send_all(self, client: aiomqtt.Client) -> bool:
        had_any = bool(self._stale or self._events or self._alarms)
        while self._alarms:
            alarm = self._alarms[0]
            await client.publish(f"{self._settings.prefix}/alarms", alarm[0], qos=_AT_LEAST_ONCE)
            answer(alarm[1], Delivery.DELIVERED)
            if self._alarms and self._alarms[0] is alarm:
                self._alarms.popleft()
        while self._stale:
            topic = next(iter(self._stale))
            state = self._states[topic]
            await client.publish(topic, state, qos=_AT_LEAST_ONCE, retain=True)
            if self._states[topic] == state:  # else a newer one came while this one was sent
                del self._stale[topic]
                if not state:
                    del self._states[topic]
        while self._events:
            event = self._events[0]
            await client.publish(f"{self._settings.prefix}/decisions", event[0], qos=event[1])
            if self._events and self._events[0] is event:  # else it was dropped meanwhile
                self._events.popleft()
        return had_any

    async def _say_status(self, client: aiomqtt.Client) -> None:
        status = orjson.dumps({**self._status, "dropped": self.dropped})
        await client.publish(self._status_topic, status, qos=_AT_LEAST_ONCE, retain=True)

    async def _find_positions(self, client: aiomqtt.Client) -> None:
        # Positions closed while the bot was away still stand at the broker; the next complete
        # decision clears those it does not hold. A broker may refuse the reading: then they stay.
        pattern = f"{self._settings.prefix}/positions/+/+"
        await client.subscribe(pattern)
        async for message in client.messages:
            topic = str(message.topic)
            held = any(topic in topics for topics in self._held.values())
            if message.retain and message.payload and not held:
                self._found.add(topic)
