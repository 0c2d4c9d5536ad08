"""Poll, decide, write down, act, remember: the whole path, and no arithmetic."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.alarms import Alarms, Lasting
from bot.domain.action import Action, Transfer
from bot.domain.decision import Decision, PlannedAction, Refusal, Urgency, Verdict
from bot.domain.intent import Intent, IntentState
from bot.domain.mode import Event, Mode, next_mode
from bot.domain.observation import Observation
from bot.domain.switch import Switches
from bot.errors import Denied, ExchangeError, Incomplete, JournalLost, ReserveLost
from bot.execute.bookkeeper import Bookkeeper, News, adopted
from bot.execute.books import Books
from bot.execute.fingerprint import Fingerprints
from bot.execute.judge import Judge, holds
from bot.execute.perform import Performance, perform
from bot.execute.resolve import Followed, Resolver
from bot.pace import Pace, Rest
from bot.ports import (
    AlarmBook,
    Authority,
    Clock,
    Fallback,
    Journal,
    Sink,
    Switchboard,
    Venue,
    Watchdog,
)
from bot.rebalance.claims import believed
from bot.rebalance.decide import Choose, decide
from bot.rebalance.disputes import disputes
from bot.rebalance.memory import Memory, amount_of
from bot.rebalance.policy import Policy
from bot.rebalance.remembering import correct, doubt, give_up, land, remember, settle
from bot.record import record_of, with_outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What every record says about the bot that made it.

    Attributes:
        account: Name of the account.
        config_hash: Of the configuration in force.
        strategy: Path of the strategy in force.
    """

    account: str
    config_hash: str
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Where names come from that are used once, also over restarts."""

    decision: Callable[[], str]
    intent: Callable[[], str]


Encode = Callable[[Observation | None, Memory], bytes]
"""Turns the inputs of a decision into bytes that reproduce it."""

Clean = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes secrets out of a record; the texts of a venue may repeat what was sent to it."""

TOO_PRECISE = "too_precise"
"""The code of a refusal for digits finer than the venue books."""


class Loop:
    """One account's poll loop; every dependency is a port."""

    def __init__(
        self,
        *,
        venue: Venue,
        journal: Journal,
        clock: Clock,
        sinks: Sequence[Sink],
        choose: Choose,
        policy: Policy,
        identity: Identity,
        ids: Ids,
        fingerprints: Fingerprints,
        switchboard: Switchboard,
        watchdog: Watchdog,
        supported: frozenset[str],
        authority: Authority,
        bookkeeper: Bookkeeper,
        encode: Encode,
        clean: Clean,
        memory: Memory,
        first_sequence: int = 1,
        fallback: Fallback | None = None,
        book: AlarmBook | None = None,
    ) -> None:
        self._venue, self._journal, self._clock, self._sinks = venue, journal, clock, sinks
        self._choose, self._policy = choose, policy
        self._identity, self._ids, self._encode, self._clean = identity, ids, encode, clean
        self._fingerprints = fingerprints
        self._switchboard, self._watchdog = switchboard, watchdog
        self._switches = switchboard.state
        self._authority, self._waits_for_lease = authority, False
        self._judge = Judge(
            venue=venue,
            clock=clock,
            switchboard=switchboard,
            watchdog=watchdog,
            authority=authority,
            policy=policy,
            fingerprints=fingerprints,
            supported=supported,
            slots_for=(lambda _: 0) if fallback is None else fallback.slots_for,
        )
        self._fallback, self._is_low = fallback, False
        self._alarms = Alarms(
            sinks, clock=clock, book=book, clean=lambda text: str(clean({"text": text})["text"])
        )
        self._bookkeeper = bookkeeper
        self._resolver = Resolver(venue=venue, journal=journal, clock=clock)
        self._followed: tuple[Intent, ...] = ()
        self._sequence = first_sequence - 1
        self._misses = 0
        self._is_shut_out = self._is_reduced = self._is_blind = False
        # One torn or stale look makes no dispute.
        self._unprotected, self._disputed = Lasting(), Lasting(looks=2)
        self._topped = Lasting()
        self._stopped = False
        self._rest = Rest(venue=venue, clock=clock, authority=authority)
        self.memory = memory

    async def recover(self) -> None:
        """Take over what an earlier run left open, before anything is planned."""
        self._followed = await self._resolver.recover()
        self._bookkeeper.told(self._followed)
        self.memory = replace(
            self.memory,
            unsettled=self._actions(IntentState.UNKNOWN),
            given_up=self._actions(IntentState.GAVE_UP),
            in_transit=tuple(
                action for action in self._actions(IntentState.DONE) if isinstance(action, Transfer)
            ),
            good_polls=0,
            mode=Mode.NORMAL,
        )

    @property
    def books(self) -> Books | None:
        """The books as they are; ``None`` before the first complete look."""
        return self._bookkeeper.books

    def _actions(self, state: IntentState) -> tuple[Action, ...]:
        return tuple(intent.action for intent in self._followed if intent.state is state)

    async def run(self, pace: Pace, *, is_over: Callable[[], bool] = lambda: False) -> None:
        """Poll until `stop` is called or ``is_over``, asked after each poll.

        A poll that has begun is finished.

        Raises:
            JournalError: As `poll`.
        """
        try:
            at_once = False
            while not self._is_stopped():
                began = self._clock.monotonic()
                decision = await self.poll(at_once=at_once)
                if self._is_stopped() or is_over():
                    return
                spent = self._clock.monotonic() - began
                at_once = await self._rest.until_next(
                    pace, decision, misses=self._misses, spent=spent
                )
        finally:
            await self._bookkeeper.close()

    def stop(self) -> None:
        """Make `run` return after the poll that is under way, without waiting for the next."""
        self._stopped = True
        self._rest.end()

    def _is_stopped(self) -> bool:
        return self._stopped

    async def poll(self, *, at_once: bool = False) -> Decision:
        """Run one poll and return its decision.

        Args:
            at_once: A mark crossed a line: later looks may have to wait for this one.

        Raises:
            JournalError: What must be durable is not: the caller must stop.
        """
        self._sequence += 1
        await self._authority.renew()
        await self._follow()
        self._look_at_switches()
        self._tell_ban()
        self._bookkeeper.begin()
        try:
            observation = await self._venue.observe(at_once=at_once)
        except ExchangeError as error:
            return await self._miss(error)
        self._misses = 0
        await self._authority.renew()
        self._look_at_switches()
        good = self.memory.good_polls + 1
        mode = next_mode(self.memory.mode, Event.POLLED, good_polls=good)
        self.memory = replace(self.memory, good_polls=good, mode=mode)
        news = self._compare(observation)
        decision = decide(observation, self.memory, self._allowed_policy(), choose=self._choose)
        intents = self._intents(decision)
        inputs = self._encode(observation, self.memory)
        try:
            record = await self._write(decision, intents, inputs)
        except JournalLost as lost:
            self._lose_journal(lost)
            return decision
        self._bookkeeper.told(intents)
        doubts = self._judge.begin(
            observation,
            decision,
            self.memory,
            is_reduced=self._is_reduced,
            holds=news.holds,
        )
        for code, text in doubts:
            self._alarm(code, text)
        done = await perform(
            intents,
            venue=self._venue,
            journal=self._journal,
            clock=self._clock,
            look=self._judge.look,
        )
        self._followed += done.followed
        self._bookkeeper.performed(intents, done)
        if any(o.code == TOO_PRECISE for o in done.executions):
            self._fingerprints.coarsen()
        self._remember(decision, observation, done)
        self._publish(with_outcomes(record, done.outcomes))
        self._tell_ban()
        self._tell_of_positions(decision)
        return decision

    def _compare(self, observation: Observation) -> News:
        """Compare the books with a look; whoever else moved something is adopted and said."""
        news = self._bookkeeper.compare(observation)
        claims = believed(self.memory.claims, news.holds, at=observation.at)
        self.memory = replace(adopted(self.memory, news.findings, observation), claims=claims)
        for event in news.events:
            mode = next_mode(self.memory.mode, event)
            self.memory = replace(self.memory, mode=mode, good_polls=0)
        for code, text in news.alarms:
            self._alarm(code, text)
        return news

    def _allowed_policy(self) -> Policy:
        """Return the policy; while the reserve is in use, what that takes: emergencies alone."""
        if not self._is_reduced:
            return self._policy
        return replace(self._policy, resident_stops=False, only_emergencies=True)

    async def _follow(self) -> None:
        for news in await self._resolver.follow(self._followed):
            self._bookkeeper.told([news.settled])
            kept = (news.after if i.id == news.before.id else i for i in self._followed)
            self._followed = tuple(intent for intent in kept if intent.state.is_followed)
            self.memory = _learned(self.memory, news, at=self._clock.now())
            if news.alarm:
                self._alarm("unsettled", news.alarm, intent_id=news.before.id)

    def _look_at_switches(self) -> None:
        """Take over what a person switched and whether the program stood still."""
        switches = self._switchboard.state
        for event in self._events(switches):
            mode = next_mode(self.memory.mode, event)
            self.memory = replace(self.memory, mode=mode, good_polls=0)
            if event is Event.RESUMED:
                self._bookkeeper.accept()
            if event in (Event.KILLED, Event.STALLED):
                self._alarm(event.value, f"{event.value}: {switches.why or 'see the log'}")
            if event is Event.LEASE_LOST:
                self._alarm(event.value, "nothing is written until the lease is renewed")
        self.memory = replace(self.memory, pause=switches.pause)
        self._switches = switches

    def _events(self, switches: Switches) -> Iterator[Event]:
        if self._is_reduced:
            yield Event.JOURNAL_LOST
        if switches.killed and self.memory.mode is not Mode.KILLED:
            yield Event.KILLED
        if not switches.killed and self.memory.mode is Mode.KILLED:
            yield Event.REARMED
        if switches.resumed_at != self._switches.resumed_at:
            yield Event.RESUMED
        if self._watchdog.stalled_for > 0:
            self._watchdog.acknowledge()
            yield Event.STALLED
        if not holds(self._authority):
            if self.memory.mode in (Mode.NORMAL, Mode.DEGRADED):
                self._waits_for_lease = True
                yield Event.LEASE_LOST
        elif self._waits_for_lease:
            self._waits_for_lease = False
            yield Event.LEASE_RENEWED
        if self._is_blind:
            yield Event.RESERVE_LOST  # the last word, also after a person said resume

    def _tell_ban(self) -> None:
        """Tell people once when the venue shut us out."""
        ban = self._venue.condition().ban
        if ban and not self._is_shut_out:
            self._alarm("venue_banned", ban)
        self._is_shut_out = bool(ban)

    def _tell_of_positions(self, decision: Decision) -> None:
        """Tell people of positions that nothing is planned for or the venue has its own way with.

        Once of each while that lasts.
        """
        if decision.verdict is Verdict.NOT_READY:
            return  # nothing was judged
        bare = {
            f"nothing is planned for {verdict.risk.position.key}: {verdict.reason}"
            for verdict in decision.positions
            if verdict.band is None
        }
        for text in self._unprotected.due(sorted(bare)):
            self._alarm("unprotected", text)
        topped = {str(v.key) for v in decision.positions if v.risk.position.venue_adds_margin}
        for key in self._topped.due(sorted(topped)):
            self._alarm(
                "venue_adds_margin",
                f"the venue adds margin to {key} by itself: the bot gives nothing back there; "
                "turn that off, or declare its word in accounts.known_actors",
            )
        disputed = disputes(decision, most=self._policy.max_liquidation_dispute)
        for key in self._disputed.due(disputed):
            self._alarm("liquidation_price_disputed", disputed[key])

    def _alarm(self, code: str, text: str, *, intent_id: str = "") -> None:
        self._alarms.tell(code, text, intent_id=intent_id)

    async def close(self) -> None:
        """Wait a moment for what becomes of the last alarms."""
        await self._alarms.close()

    def _look_at_reserve(self) -> None:
        """Say once that the emergency reserve fills up, until it has room again."""
        was_low, self._is_low = self._is_low, self._fallback is not None and self._fallback.is_low
        if self._is_low and not was_low:
            self._alarm("reserve_low", "the emergency reserve has few free slots: free the disk")

    async def _miss(self, error: ExchangeError) -> Decision:
        self._tell_ban()
        self._misses += 1
        event = Event.DENIED if isinstance(error, Denied) else Event.MISSED
        self._waits_for_lease &= event is Event.MISSED  # who is denied waits for a person
        mode = next_mode(self.memory.mode, event, good_polls=0)
        self.memory = replace(self.memory, mode=mode, good_polls=0)
        decision = Decision(
            at=self._clock.now(),
            account=self._identity.account,
            mode=mode,
            urgency=Urgency.HOLD,
            verdict=Verdict.NOT_READY,
            reason=_code(error),
            refusals=(Refusal(code=_code(error), text=str(error)),),
        )
        try:
            record = await self._write(decision, (), self._encode(None, self.memory))
        except JournalLost as lost:
            self._lose_journal(lost)
            return decision
        self._publish(record)
        return decision

    def _lose_journal(self, lost: JournalLost) -> None:
        """Go on with what the emergency reserve takes; look on where it takes nothing."""
        self._is_reduced = True
        if isinstance(lost, ReserveLost):
            self._is_blind = True
            self._alarm("reserve_unwritable", f"nothing is written at the venue: {lost}")
        else:
            self._alarm(
                "journal_unwritable", f"only emergencies are written, in the reserve: {lost}"
            )

    def _intents(self, decision: Decision) -> tuple[Intent, ...]:
        at = self._clock.now()
        return tuple(self._intent(planned, at) for planned in decision.approved)

    def _intent(self, planned: PlannedAction, at: datetime) -> Intent:
        open_ = [intent.action for intent in self._followed if intent.state.is_open]
        return Intent(
            id=self._ids.intent(),
            decision_id="",
            account=self._identity.account,
            action=self._fingerprints.marked(planned.action, now=at, open_=open_),
            written_at=at,
        )

    async def _write(
        self, decision: Decision, intents: tuple[Intent, ...], inputs: bytes
    ) -> dict[str, Any]:
        decision_id = self._ids.decision()
        record = self._clean(
            record_of(
                decision,
                decision_id=decision_id,
                sequence=self._sequence,
                intents=intents,
                config_hash=self._identity.config_hash,
                strategy=self._identity.strategy,
            )
        )
        owned = [replace(intent, decision_id=decision_id) for intent in intents]
        await self._journal.record(record, inputs, owned)
        self._look_at_reserve()
        return record

    def _remember(self, decision: Decision, observation: Observation, done: Performance) -> None:
        self.memory = remember(
            self.memory,
            decision,
            account=None if decision.verdict is Verdict.NOT_READY else observation.account,
            effects=done.effects,
            unsettled=[intent.action for intent in done.unsettled],
        )

    def _publish(self, record: dict[str, Any]) -> None:
        for sink in self._sinks:
            sink.publish(record)


def _learned(memory: Memory, news: Followed, *, at: datetime) -> Memory:
    """Return the memory after news of an intent, heard at an instant."""
    action, before, after = news.before.action, news.before.state, news.after.state
    believed = amount_of(action) if news.before.applied is None else news.before.applied
    if after is IntentState.GAVE_UP:
        return give_up(memory, action)
    if before is IntentState.DONE and after is IntentState.UNKNOWN:
        return doubt(memory, action, believed=believed)
    if news.settlement is None or news.settlement.applied is None:
        return memory
    applied = news.settlement.applied
    if before is IntentState.DONE:
        memory = correct(memory, action, believed=believed, applied=applied)
    else:
        memory = settle(memory, action, applied=applied)
    return land(memory, action, applied=applied, at=at)


def _code(error: ExchangeError) -> str:
    if isinstance(error, Denied):
        return "denied"
    return "incomplete" if isinstance(error, Incomplete) else "unavailable"
