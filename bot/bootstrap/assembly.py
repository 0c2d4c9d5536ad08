"""Which loop comes of an account's ports?"""

from collections.abc import Sequence

from bot.bootstrap.configured import policy_of, redactor_of
from bot.clock import VenueClock
from bot.domain.observation import Observation
from bot.exchanges.venues import venue_of
from bot.execute.bookkeeper import Bookkeeper
from bot.execute.fingerprint import Fingerprints, steps_apart
from bot.execute.foreign import Writer
from bot.journal.ids import Ids as JournalIds
from bot.loop import Identity, Ids, Loop
from bot.plugins import Resolved
from bot.ports import AlarmBook, Authority, Fallback, Journal, Sink, Switchboard, Venue, Watchdog
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory
from bot.schemas import encode
from bot.settings import Loaded


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

    row = venue_of(settings.accounts[0].venue, settings.accounts[0].symbols)
    fingerprints = Fingerprints(
        step=row.collateral_step,
        epoch=ids.epoch,
        apart=steps_apart(room=row.margin_step, step=row.collateral_step),
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
        supported=row.kinds(is_demo=settings.bot.mode == "testnet"),
        authority=authority,
        bookkeeper=Bookkeeper(
            venue=venue,
            clock=clock,
            writer=Writer(
                epoch=ids.epoch,
                step=fingerprints.step,
                before=ids.before,
                actors=frozenset(settings.accounts[0].known_actors),
                window=venue.window,
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
