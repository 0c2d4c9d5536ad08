"""Who is connected to whom: the only module that names concrete adapters and loads the strategy."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.clock import VenueClock
from bot.domain.alarm import Alarm
from bot.domain.instrument import MarginRelease
from bot.domain.observation import Observation
from bot.errors import ConfigError
from bot.exchanges.connect import ConnectionSettings, GatewaySettings, connect
from bot.exchanges.venues import VENUES
from bot.execute.bookkeeper import Bookkeeper
from bot.execute.fingerprint import Fingerprints
from bot.execute.foreign import Writer
from bot.journal.failover import FailoverJournal
from bot.journal.ids import Ids as JournalIds
from bot.journal.queries import JournalReader
from bot.journal.reserve import Reserve
from bot.journal.sqlite import SqliteJournal
from bot.loop import Identity, Ids, Loop, Pace
from bot.operate import heartbeat
from bot.operate.logs import DecisionLog, Logs, LogSettings
from bot.operate.mqtt import MqttPublisher, MqttSettings
from bot.operate.redact import Redactor
from bot.operate.switches import FileSwitchboard
from bot.operate.watch import Watch
from bot.plugins import load_strategy
from bot.ports import Clock, Journal, Sink, Strategy, Switchboard, Venue, Watchdog
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy
from bot.replay import Report, memory_after, replay
from bot.schemas import decode, encode
from bot.settings import Loaded, MqttSection, Settings, secret_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one run of the bot differs from the configuration.

    Attributes:
        clock: Venue time.
        journal: The journal's file.
        switches: Folder of the operator's switches; ``None`` takes the state directory.
        gateway: Overrides the account's.
        sinks: Besides log and MQTT.
        polls: Stop after so many; ``None`` for no limit.
        seconds: Stop after so much time of the clock; ``None`` for no limit. [s]
    """

    clock: Clock
    journal: Path
    switches: Path | None = None
    gateway: GatewaySettings | None = None
    sinks: Sequence[Sink] = ()
    polls: int | None = None
    seconds: float | None = None


def policy_of(settings: Settings) -> Policy:
    """Return the core's policy from the configuration."""
    account, limits = settings.accounts[0], settings.limits.model_dump()
    limits["resident_stops"] &= bool(VENUES[account.venue].stops)
    return Policy(
        transfer_from=account.transfer_from,
        reserves=tuple(sorted(account.reserves.items())),
        **limits,
    )


def strategy_of(settings: Settings) -> Strategy:
    """Return the configured strategy.

    Raises:
        StrategyError: It cannot be loaded.
    """
    return load_strategy(settings.strategy.path, settings.strategy.own())


def journal_of(settings: Settings) -> Path:
    """Return the journal's file."""
    return settings.bot.state_dir / settings.journal.file


def redactor_of(settings: Settings) -> Redactor:
    """Return a redactor that knows every configured secret.

    Raises:
        ConfigError: A secret is missing.
    """
    account = settings.accounts[0]
    redactor = Redactor(
        [
            secret_of(account.api_key, account.api_key_file, field="accounts.0.api_key"),
            secret_of(account.secret, account.secret_file, field="accounts.0.secret"),
        ]
    )
    password = _mqtt_password(settings.mqtt)
    if password:
        redactor.register(password)
    return redactor


@contextlib.contextmanager
def logs_of(settings: Settings, redactor: Redactor) -> Iterator[None]:
    """Run with the configured log."""
    view = LogSettings(
        level=settings.log.level, view=settings.log.view, every=settings.log.hold_every
    )
    with Logs(view, redactor=redactor):
        yield


async def run(loaded: Loaded, how: Run) -> None:
    """Run the bot until it is told to stop, or ``how`` says so.

    Raises:
        BotError: It cannot start, or can no longer be sure of its journal.
    """
    settings = loaded.settings
    async with contextlib.AsyncExitStack() as stack:
        switchboard = FileSwitchboard(how.switches or settings.bot.state_dir)
        watch = stack.enter_context(Watch(switchboard, asyncio.get_running_loop()))
        journal = await stack.enter_async_context(SqliteJournal.open(how.journal))
        reserve = stack.enter_context(Reserve.open(reserve_of(how.journal)))
        await adopt(journal, reserve)
        await _thin(journal, settings, how.clock)
        with JournalReader.open(how.journal) as reader:
            memory = memory_left_behind(reader, settings.accounts[0].name)
        clock = VenueClock(how.clock)
        venue = await stack.enter_async_context(_venue(settings, how, clock))
        publisher = await _publisher(settings, stack)
        sinks = [
            DecisionLog(every=settings.log.hold_every),
            *how.sinks,
            *publisher,
            _Heart(settings.bot.state_dir),
        ]
        loop = assemble(
            loaded,
            venue=venue,
            journal=FailoverJournal(journal, reserve),
            ids=journal.ids,
            first_sequence=journal.next_seq,
            clock=clock,
            sinks=sinks,
            memory=memory,
            switchboard=switchboard,
            watchdog=watch,
        )
        await loop.recover()
        await _until_told(loop, pace_of(settings), how)


def assemble(
    loaded: Loaded,
    *,
    venue: Venue,
    journal: Journal,
    ids: JournalIds,
    first_sequence: int,
    clock: VenueClock,
    sinks: Sequence[Sink],
    memory: Memory,
    switchboard: Switchboard,
    watchdog: Watchdog,
) -> Loop:
    """Return the loop of one account over its ports.

    Args:
        loaded: Configuration.
        venue: Ready to be observed.
        journal: Open.
        ids: Names of this run.
        first_sequence: Of the next poll.
        clock: Anchored to the venue.
        sinks: Views of the decisions.
        memory: Left behind by the run before.
        switchboard: What a person switched off.
        watchdog: Whether the program stood still.

    Raises:
        ConfigError: A secret is missing.
        StrategyError: The strategy cannot be loaded.
    """
    settings = loaded.settings
    redactor = redactor_of(settings)
    policy, strategy = policy_of(settings), strategy_of(settings)
    own = tuple((name, str(value)) for name, value in settings.strategy.own().items())

    def encoded(observation: Observation | None, memory: Memory) -> bytes:
        return encode(
            Inputs(
                observation=observation,
                memory=memory,
                policy=policy,
                strategy=settings.strategy.path,
                strategy_settings=own,
            )
        )

    fingerprints = Fingerprints(
        step=VENUES[settings.accounts[0].venue].collateral_step, epoch=ids.epoch
    )
    fingerprints.learn((move.at, move.action) for move in memory.moves)
    return Loop(
        venue=venue,
        journal=journal,
        clock=clock,
        sinks=sinks,
        choose=strategy.choose,
        policy=policy,
        identity=Identity(
            account=settings.accounts[0].name,
            config_hash=loaded.hash,
            strategy=settings.strategy.path,
        ),
        ids=Ids(decision=ids.decision, intent=ids.intent),
        fingerprints=fingerprints,
        switchboard=switchboard,
        watchdog=watchdog,
        bookkeeper=Bookkeeper(
            venue=venue,
            clock=clock,
            writer=Writer(
                epoch=ids.epoch,
                step=fingerprints.step,
                before=ids.before,
                actors=frozenset(settings.accounts[0].known_actors),
            ),
            earlier=[move.action for move in memory.moves],
        ),
        encode=encoded,
        clean=redactor.value,
        memory=memory,
        first_sequence=first_sequence,
    )


def reserve_of(journal: Path) -> Path:
    """Return the file of the emergency reserve beside a journal."""
    return journal.with_name(journal.name + ".reserve")


async def adopt(journal: SqliteJournal, reserve: Reserve) -> None:
    """Take what the emergency reserve holds over into the journal, oldest first.

    Raises:
        JournalError: Not durable; the rest stays in the reserve.
    """
    for reserved in reserve.kept():
        await journal.adopt(reserved)
        reserve.release(reserved.intent.id)


def pace_of(settings: Settings) -> Pace:
    """Return how long to wait between polls."""
    return Pace(routine=settings.bot.poll_interval, urgent=settings.bot.urgent_interval)


def replay_journal(path: Path) -> Report:
    """Return whether every recorded decision of a journal follows again.

    Raises:
        BotError: The journal cannot be read or the strategy cannot be loaded.
    """
    with JournalReader.open(path) as reader:
        return replay(reader.inputs(), _strategy_of_inputs)


def _strategy_of_inputs(inputs: Inputs) -> Strategy:
    return load_strategy(inputs.strategy, dict(inputs.strategy_settings))


def memory_left_behind(reader: JournalReader, account: str) -> Memory:
    """Return the memory of the run before this one; an empty one for a new journal."""
    newest = reader.newest_inputs(account)
    if newest is None:
        return Memory()
    inputs = decode(Inputs, newest.inputs)
    since = inputs.observation.at - timedelta(days=1) if inputs.observation else None
    return memory_after(
        inputs,
        _strategy_of_inputs(inputs),
        reader.actions(since=since),
        decision_id=newest.record["id"],
    )


async def _until_told(loop: Loop, pace: Pace, how: Run) -> None:
    began = how.clock.monotonic()
    polls = 0

    def is_over() -> bool:
        nonlocal polls
        polls += 1
        is_late = how.seconds is not None and how.clock.monotonic() - began >= how.seconds
        return is_late or (how.polls is not None and polls >= how.polls)

    running = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        running.add_signal_handler(number, loop.stop)
    try:
        await loop.run(pace, is_over=is_over)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            running.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _venue(settings: Settings, how: Run, clock: VenueClock) -> AsyncIterator[Venue]:
    venue = await connect(connection_of(settings, how.gateway), clock)
    try:
        yield venue
    finally:
        await venue.close()


def connection_of(settings: Settings, gateway: GatewaySettings | None) -> ConnectionSettings:
    """Return how the account is reached; ``gateway`` overrides the configured one.

    Raises:
        ConfigError: A secret is missing, or the exchange is not named in paper mode.
    """
    account = settings.accounts[0]
    if gateway is None and account.gateway is not None:
        gateway = GatewaySettings(address=account.gateway.address, ca_file=account.gateway.ca_file)
    if settings.bot.mode == "paper" and gateway is None:
        raise ConfigError("accounts.0.gateway must be set in paper mode: it names the exchange")
    return ConnectionSettings(
        account=account.name,
        venue=account.venue,
        api_key=secret_of(account.api_key, account.api_key_file, field="accounts.0.api_key"),
        secret=secret_of(account.secret, account.secret_file, field="accounts.0.secret"),
        symbols=account.symbols,
        wallets=("futures", *account.transfer_from),
        mode=settings.bot.mode,
        gateway=gateway,
        margin_release=MarginRelease(account.margin_release),
        bar_seconds=account.bar_seconds,
        bars=account.bars,
    )


async def _publisher(settings: Settings, stack: contextlib.AsyncExitStack) -> list[Sink]:
    section = settings.mqtt
    if section.host is None:
        return []
    publisher = MqttPublisher(
        MqttSettings(
            bot=settings.bot.name,
            host=section.host,
            port=section.port,
            username=section.username,
            password=_mqtt_password(section),
            ca_file=None if section.ca_file is None else str(section.ca_file),
        )
    )
    return [await stack.enter_async_context(publisher)]


def _mqtt_password(section: MqttSection) -> str | None:
    if section.password is None and section.password_file is None:
        return None
    return secret_of(section.password, section.password_file, field="mqtt.password")


async def _thin(journal: SqliteJournal, settings: Settings, clock: Clock) -> None:
    days = settings.journal.keep_inputs_days
    if days:
        await journal.thin(clock.now() - timedelta(days=days))


class _Heart:
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
