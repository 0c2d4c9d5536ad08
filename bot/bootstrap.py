"""Who is connected to whom: the only module that names concrete adapters and loads the strategy."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import files
from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.alarm import Alarm
from bot.domain.band import LeverageBand
from bot.domain.instrument import MarginRelease
from bot.domain.lease import Claim, Lease
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.risk import PositionRisk
from bot.errors import ConfigError, JournalLost, StrategyError
from bot.exchanges.connect import ConnectionSettings, GatewaySettings, connect
from bot.exchanges.venues import VENUES
from bot.execute.bookkeeper import Bookkeeper
from bot.execute.fingerprint import Fingerprints
from bot.execute.foreign import Writer
from bot.journal.authority import LeaseKeeper
from bot.journal.database import meta
from bot.journal.failover import FailoverJournal
from bot.journal.ids import Ids as JournalIds
from bot.journal.lease import SureClock, await_turn, this_machine, this_process
from bot.journal.lock import ProcessLock, lock_folder
from bot.journal.opened import Opened
from bot.journal.probe import takes_writes
from bot.journal.queries import JournalReader
from bot.journal.reserve import Reserve
from bot.journal.sqlite import SqliteJournal
from bot.loop import Identity, Ids, Loop
from bot.operate import ban, heartbeat
from bot.operate.ban import FileBanNote
from bot.operate.logs import DecisionLog, Logs, LogSettings
from bot.operate.mqtt import MqttPublisher, MqttSettings
from bot.operate.redact import Redactor
from bot.operate.switches import FileSwitchboard
from bot.operate.watch import Watch
from bot.pace import Pace
from bot.plugins import Resolved, load_strategy, resolve
from bot.ports import (
    AlarmBook,
    Authority,
    BanNote,
    Clock,
    Fallback,
    Journal,
    Rng,
    Sink,
    Strategy,
    Switchboard,
    Venue,
    Watchdog,
)
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory, recalled
from bot.rebalance.policy import Policy
from bot.replay import Report, memory_after, replay
from bot.schemas import decode, encode
from bot.settings import Loaded, MqttSection, Settings, secret_of

PROBE_EVERY = 30.0
"""Between two looks at a disk that failed. [s]"""
PROBES = 2
FILES_NOT_KEPT = "this run can be replayed only while the files of its strategy do not change"
DISK_BACK = "the disk takes writes again: the bot begins anew and takes the reserve over"
_MOST_ACTIONS = 10_000
"""More than the budgets of a day allow, and more than the emergency reserve holds."""


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


def strategy_of(settings: Settings) -> Resolved:
    """Return the configured strategy.

    Raises:
        StrategyError: It cannot be loaded.
    """
    return resolve(settings.strategy.path, settings.strategy.own())


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

    Once a disk that failed takes writes again it begins anew, the one way there is from the
    emergency reserve back into the journal.

    Raises:
        BotError: It cannot start, or can no longer be sure of its journal.
    """
    began = how.clock.monotonic()
    while await _run(loaded, how):
        if how.seconds is not None:
            spent = how.clock.monotonic() - began
            began += spent
            how = replace(how, seconds=max(0.0, how.seconds - spent))


async def _run(loaded: Loaded, how: Run) -> bool:
    """Run once; return whether to begin anew."""
    settings = loaded.settings
    async with contextlib.AsyncExitStack() as stack:
        switchboard = FileSwitchboard(how.switches or settings.bot.state_dir)
        stack.callback(switchboard.close)
        watch = stack.enter_context(Watch(switchboard, asyncio.get_running_loop()))
        connection = connection_of(settings, how.gateway)
        lock = stack.enter_context(account_lock(settings, connection, journal=how.journal))
        opened = opened_or_lost(how.journal, stack)
        clock = VenueClock(how.clock)
        # Before a run begins: whether the one before is over is a question of venue time.
        bans = FileBanNote(how.journal.with_name(ban.FILE_NAME), how.clock.now)
        venue = await stack.enter_async_context(_venue(connection, clock, rng_of(opened), bans))
        publisher = await _publisher(settings, stack)
        sinks = [
            DecisionLog(every=settings.log.hold_every),
            *how.sinks,
            *publisher,
            _Heart(settings.bot.state_dir),
        ]
        days = settings.journal.keep_inputs_days
        journal, reserve = await writable(
            how.journal,
            opened,
            stack,
            claim=lambda lease: claim_to(
                lease, clock, machine=this_machine(), name=this_process(), sinks=sinks
            ),
            thin_before=how.clock.now() - timedelta(days=days) if days else None,
        )
        authority = LeaseKeeper(journal, clock, is_shared=settings.journal.shared, touch=lock.touch)
        stack.push_async_callback(authority.release)
        failover = FailoverJournal(journal, reserve)
        memory = memory_before(how.journal, settings.accounts[0].name, reserve)
        strategy = strategy_of(settings)
        try:
            files.keep(strategy.files, archive_of(how.journal))
        except OSError as error:  # protecting does not need them
            _tell(sinks, clock, "files_not_kept", f"{FILES_NOT_KEPT}: {error.strerror}")
        loop = assemble(
            loaded,
            strategy=strategy,
            venue=venue,
            journal=failover,
            fallback=failover,
            book=failover,
            ids=journal.ids,
            first_sequence=journal.next_seq,
            clock=clock,
            sinks=sinks,
            memory=memory,
            switchboard=switchboard,
            watchdog=watch,
            authority=authority,
        )
        stack.push_async_callback(loop.close)
        await loop.recover()
        disk = _DiskWatch(failover, how.journal.parent, loop)
        stack.push_async_callback(disk.end)
        is_told = await _until_told(loop, pace_of(settings), how)
        if disk.is_back and not is_told:
            _tell(sinks, clock, "disk_back", DISK_BACK)
        return disk.is_back and not is_told


def _tell(sinks: Sequence[Sink], clock: SureClock, code: str, text: str) -> None:
    for sink in sinks:
        sink.alarm(Alarm(code=code, text=text, at=clock.now()))


class _DiskWatch:
    """Stops the loop once a disk that failed has taken two probes in a row."""

    def __init__(self, journal: FailoverJournal, folder: Path, loop: Loop) -> None:
        self._journal, self._folder, self._loop = journal, folder, loop
        self.is_back = False
        self._task = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        taken = 0
        while taken < PROBES:
            await asyncio.sleep(PROBE_EVERY)
            is_lost = bool(self._journal.lost or self._journal.reserve_lost)
            # A disk that hangs must not hold up the loop.
            takes = is_lost and await asyncio.to_thread(takes_writes, self._folder)
            taken = taken + 1 if takes else 0
        self.is_back = True
        self._loop.stop()

    async def end(self) -> None:
        """Look no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def assemble(
    loaded: Loaded,
    *,
    strategy: Resolved,
    venue: Venue,
    journal: Journal,
    ids: JournalIds,
    first_sequence: int,
    clock: VenueClock,
    sinks: Sequence[Sink],
    memory: Memory,
    switchboard: Switchboard,
    watchdog: Watchdog,
    authority: Authority,
    fallback: Fallback | None = None,
    book: AlarmBook | None = None,
) -> Loop:
    """Return the loop of one account over its ports.

    Args:
        loaded: Configuration.
        strategy: As configured.
        venue: Ready to be observed.
        journal: Open.
        ids: Names of this run.
        first_sequence: Of the next poll.
        clock: Anchored to the venue.
        sinks: Views of the decisions.
        memory: Left behind by the run before.
        switchboard: What a person switched off.
        watchdog: Whether the program stood still.
        authority: Whether this run alone may write.
        fallback: What takes emergencies once the journal cannot be written; ``None`` for nothing.
        book: Where alarms are written down; ``None`` for nowhere.

    Raises:
        ConfigError: A secret is missing.
    """
    settings = loaded.settings
    redactor = redactor_of(settings)
    policy = policy_of(settings)

    def encoded(observation: Observation | None, memory: Memory) -> bytes:
        return encode(
            Inputs(
                observation=observation,
                memory=memory,
                policy=policy,
                strategy=settings.strategy.path,
                strategy_settings=strategy.settings,
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
        choose=strategy.strategy.choose,
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
        supported=VENUES[settings.accounts[0].venue].kinds(is_demo=settings.bot.mode == "testnet"),
        authority=authority,
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
        fallback=fallback,
        book=book,
    )


def rng_of(opened: Opened | JournalLost) -> Rng:
    """Return the chance of the run that begins next: another one for each journal and run."""
    if isinstance(opened, JournalLost):
        return SeededRng(str(opened))
    return SeededRng(" ".join(meta(opened.connection, name) for name in ("instance", "epoch")))


async def claim_to(
    look: Callable[[], Lease | None],
    clock: SureClock,
    *,
    machine: str,
    name: str,
    sinks: Sequence[Sink],
) -> Claim:
    """Return the claim to a journal's lease, once no other machine can hold it.

    Args:
        look: Returns the lease as it stands.
        clock: Of the venue.
        machine: This one.
        name: Of this process, for people.
        sinks: Hear of a wait.

    Raises:
        InUse: The lease is renewed: its holder lives.
    """

    def tell(lease: Lease, seconds: float) -> None:
        text = f"{lease.name} may still write: waiting {seconds:.0f} s for its lease to end"
        _tell(sinks, clock, "lease_waiting", text)

    ended = await await_turn(look, clock, machine=machine, tell=tell)
    return Claim(holder=machine, name=name, at=clock.now(), unless_changed=ended)


def account_lock(
    settings: Settings, connection: ConnectionSettings, *, journal: Path
) -> ProcessLock:
    """Take the lock that keeps other bots of this machine from the account.

    Raises:
        InUse: Another one has it.
        JournalError: The folder of the locks cannot be used.
    """
    # Behind a gateway the same key is another account: every paper exchange has the same keys.
    where = connection.mode if connection.gateway is None else connection.gateway.address
    return ProcessLock.take_account(
        f"{connection.venue} {where} {connection.api_key}",
        folder=settings.bot.lock_dir or lock_folder(),
        name=connection.account,
        journal=journal,
    )


def archive_of(journal: Path) -> Path:
    """Return the folder beside a journal with the files its decisions were made with."""
    return journal.with_name(journal.name + ".files")


def reserve_of(journal: Path) -> Path:
    """Return the file of the emergency reserve beside a journal."""
    return journal.with_name(journal.name + ".reserve")


async def adopt(journal: SqliteJournal, reserve: Reserve) -> None:
    """Take what the emergency reserve holds over into the journal, oldest first.

    Raises:
        JournalError: Not durable; the rest stays in the reserve.
    """
    kept = reserve.kept()
    await journal.outrun(reserved.intent.id for reserved in kept)
    for reserved in kept:
        await journal.adopt(reserved)
        reserve.release(reserved.intent.id)


def opened_or_lost(path: Path, stack: contextlib.AsyncExitStack) -> Opened | JournalLost:
    """Return the journal at ``path``, locked, or why its disk takes nothing.

    Raises:
        JournalError: In use, damaged or newer than this program.
    """
    try:
        return stack.enter_context(Opened.open(path))
    except JournalLost as lost:
        return lost


async def writable(
    path: Path,
    opened: Opened | JournalLost,
    stack: contextlib.AsyncExitStack,
    *,
    claim: Callable[[Callable[[], Lease | None]], Awaitable[Claim]],
    thin_before: datetime | None = None,
) -> tuple[SqliteJournal, Reserve | None]:
    """Return journal and reserve, ready to be written.

    Where the disk takes nothing, the journal is one that refuses each write, and what the reserve
    holds stays there; without either, the reserve is ``None``.

    Args:
        path: The journal.
        opened: What came of opening it.
        stack: Closes both.
        claim: Returns the claim to its lease, when it is this run's turn.
        thin_before: Inputs of older hold decisions are forgotten; ``None`` keeps them.

    Raises:
        InUse: Another machine holds the lease.
        JournalError: Damaged or absent.
    """
    try:
        async with contextlib.AsyncExitStack() as attempt:
            if isinstance(opened, JournalLost):
                raise opened
            attempt.enter_context(opened)  # its lock is free again if the rest fails
            claimed = await claim(opened.lease)
            journal = await attempt.enter_async_context(SqliteJournal.begin(opened, claimed))
            reserve = attempt.enter_context(Reserve.open(reserve_of(path)))
            await adopt(journal, reserve)
            if thin_before is not None:
                await journal.thin(thin_before)
            stack.push_async_exit(attempt.pop_all())
            return journal, reserve
    except JournalLost as lost:
        return await _lost(path, lost, stack)


async def _lost(
    path: Path, lost: JournalLost, stack: contextlib.AsyncExitStack
) -> tuple[SqliteJournal, Reserve | None]:
    reserve = _reserve_of_lost(path, stack)
    given = [kept.intent.id for kept in reserve.kept()] if reserve else ()
    still = SqliteJournal.still(path, str(lost), given=given)
    journal = await stack.enter_async_context(still)
    return journal, reserve if reserve and reserve.free else None


def _reserve_of_lost(path: Path, stack: contextlib.AsyncExitStack) -> Reserve | None:
    try:
        return stack.enter_context(Reserve.open(reserve_of(path)))
    except JournalLost:
        return None


def pace_of(settings: Settings) -> Pace:
    """Return how long to wait between polls."""
    return Pace(routine=settings.bot.poll_interval, urgent=settings.bot.urgent_interval)


def replay_journal(path: Path) -> Report:
    """Return whether every recorded decision of a journal follows again.

    Raises:
        BotError: The journal cannot be read or the strategy cannot be loaded.
    """
    with JournalReader.open(path) as reader:
        return replay(reader.inputs(), lambda inputs: _strategy_of_inputs(inputs, path))


def _strategy_of_inputs(inputs: Inputs, journal: Path | None) -> Strategy:
    archive = None if journal is None else archive_of(journal)
    return load_strategy(inputs.strategy, dict(inputs.strategy_settings), archive=archive)


def _strategy_left_behind(inputs: Inputs, journal: Path | None) -> Strategy:
    """Return the strategy of the run before, or one that chooses nothing where it is gone.

    A file that was moved or changed since must not keep the bot from starting. All that is lost is
    since when a position stands beyond its give-back, and that is confirmed again.
    """
    try:
        return _strategy_of_inputs(inputs, journal)
    except StrategyError as error:
        return _Gone(str(error))


class _Gone:
    """A strategy that cannot be loaded any more."""

    def __init__(self, why: str) -> None:
        self._why = why

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:  # noqa: ARG002 - the port
        """Refuse."""
        raise ValueError(self._why)


def memory_before(path: Path, account: str, reserve: Reserve | None) -> Memory:
    """Return the memory of the run before this one, with what only the reserve knows.

    Raises:
        BotError: The journal cannot be read.
    """
    with JournalReader.open(path) as reader:
        memory = memory_left_behind(reader, account, journal=path)
    return recalled(memory, [kept.intent for kept in reserve.kept()] if reserve else ())


def memory_left_behind(
    reader: JournalReader, account: str, *, journal: Path | None = None
) -> Memory:
    """Return the memory of the run before this one; an empty one for a new journal.

    Args:
        reader: Of the journal.
        account: Whose.
        journal: Where it lies, if its strategy reads files that may have changed.
    """
    newest = reader.newest_inputs(account)
    if newest is None:
        imported = reader.actions(limit=_MOST_ACTIONS)
        return recalled(Memory(), [replace(i.intent, applied=i.applied) for i in imported])
    inputs = decode(Inputs, newest.inputs)
    since = inputs.observation.at - timedelta(days=1) if inputs.observation else None
    return memory_after(
        inputs,
        _strategy_left_behind(inputs, journal),
        reader.actions(since=since, limit=_MOST_ACTIONS),
        decision_id=newest.record["id"],
        at=datetime.fromisoformat(newest.record["at"]),
    )


async def _until_told(loop: Loop, pace: Pace, how: Run) -> bool:
    """Run the loop; return whether a signal or ``how`` ended it."""
    began = how.clock.monotonic()
    polls, is_told = 0, False

    def is_over() -> bool:
        nonlocal polls, is_told
        polls += 1
        is_late = how.seconds is not None and how.clock.monotonic() - began >= how.seconds
        is_told = is_told or is_late or (how.polls is not None and polls >= how.polls)
        return is_told

    def stop() -> None:
        nonlocal is_told
        is_told = True
        loop.stop()

    running = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        running.add_signal_handler(number, stop)
    try:
        await loop.run(pace, is_over=is_over)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            running.remove_signal_handler(number)
    return is_told


@contextlib.asynccontextmanager
async def _venue(
    connection: ConnectionSettings, clock: VenueClock, rng: Rng, bans: BanNote
) -> AsyncIterator[Venue]:
    venue = await connect(connection, clock, rng=rng, bans=bans)
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
