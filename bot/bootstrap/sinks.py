"""Who hears of decisions and alarms?"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.bootstrap.configured import mqtt_of
from bot.domain.alarm import Alarm
from bot.journal.lease import SureClock
from bot.operate import heartbeat
from bot.operate.logs import DecisionLog
from bot.operate.mqtt import MqttPublisher
from bot.ports import Sink
from bot.settings import Settings


async def sinks_of(
    settings: Settings, stack: contextlib.AsyncExitStack, more: Sequence[Sink]
) -> list[Sink]:
    """Return every sink of a run; ``stack`` closes them.

    Raises:
        ConfigError: A secret is missing.
    """
    mqtt = mqtt_of(settings)
    publisher = [] if mqtt is None else [await stack.enter_async_context(MqttPublisher(mqtt))]
    return [
        DecisionLog(every=settings.log.hold_every),
        *more,
        *publisher,
        Heart(settings.bot.state_dir),
    ]


def tell(sinks: Sequence[Sink], clock: SureClock, code: str, text: str) -> None:
    """Give an alarm to every sink."""
    for sink in sinks:
        sink.alarm(Alarm(code=code, text=text, at=clock.now()))


class Heart:
    """Tells the health check that polls succeed; a `Sink`."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._file = state_dir / heartbeat.FILE_NAME

    def publish(self, record: dict[str, Any]) -> None:
        """Beat for every poll that had a complete answer."""
        if record["verdict"] != "not_ready":
            heartbeat.beat(self._file, at=datetime.now(UTC), seq=record["seq"], mode=record["mode"])

    def alarm(self, alarm: Alarm) -> None:
        """Change nothing: an alarm says nothing about polls."""
