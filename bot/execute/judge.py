"""How is the guard asked about the writes of one plan, one after the other?"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, Transfer
from bot.domain.decision import Decision, Refusal, Urgency
from bot.domain.instrument import Instrument
from bot.domain.intent import Intent, SignedRequest
from bot.domain.observation import Observation
from bot.domain.position import PositionKey
from bot.execute.facts import Conditions, Facts
from bot.execute.fingerprint import Fingerprints
from bot.execute.guard import guard
from bot.execute.news import Seen, compare
from bot.ports import Authority, Clock, Switchboard, Venue, Watchdog
from bot.rebalance.claims import claimed
from bot.rebalance.memory import Memory, Move, key_of
from bot.rebalance.policy import Policy
from bot.rebalance.project import project

MINUTE = timedelta(seconds=60)
TEN_SECONDS = timedelta(seconds=10)


def holds(authority: Authority) -> bool:
    """Whether enough is left of the lease for a request that is signed now."""
    return authority.left > authority.margin


class Judge:
    """Asks the guard about each write of a bot, with everything it must know."""

    def __init__(
        self,
        *,
        venue: Venue,
        clock: Clock,
        switchboard: Switchboard,
        watchdog: Watchdog,
        authority: Authority,
        policy: Policy,
        fingerprints: Fingerprints,
        supported: frozenset[str],
        slots_for: Callable[[str], int],
    ) -> None:
        """Take what does not change from plan to plan.

        Args:
            venue: Where the writes go.
            clock: Venue time.
            switchboard: What a person switched off.
            watchdog: Whether the program stood still.
            authority: Whether this run alone may write.
            policy: Limits.
            fingerprints: How fine the digits of an amount are.
            supported: Kinds of write the venue can do.
            slots_for: Slots of the emergency reserve that the intent of an id can have, the one
                it holds included.
        """
        self._slots_for = slots_for
        self._venue, self._clock = venue, clock
        self._switchboard, self._watchdog = switchboard, watchdog
        self._authority = authority
        self._policy, self._fingerprints = policy, fingerprints
        self._supported = supported
        self._seen = Seen()
        self._holds: Mapping[tuple[str, str], Decimal] = {}
        self._writes: deque[datetime] = deque()
        self._let_pass: list[Intent] = []

    def begin(
        self,
        observation: Observation,
        decision: Decision,
        memory: Memory,
        *,
        is_reduced: bool,
        holds: Mapping[tuple[str, str], Decimal],
    ) -> tuple[tuple[str, str], ...]:
        """Take the plan whose writes are judged next; return code and text of new doubts.

        Args:
            observation: It was made from.
            decision: With what was approved.
            memory: It was made with.
            is_reduced: Whether the journal is lost and the emergency reserve in use.
            holds: What the books say wallets hold for certain, where something is on its way.
                [currency]
        """
        self._observation, self._decision, self._memory = observation, decision, memory
        self._is_reduced, self._holds = is_reduced, holds
        self._let_pass = []
        self._news = compare(self._seen, observation, dispute=self._policy.max_liquidation_dispute)
        self._seen = self._news.seen
        return self._news.alarms

    def look(self, intent: Intent, request: SignedRequest) -> Refusal | None:
        """Return why a write may not leave; asked when it is signed and with a connection."""
        now = self._clock.now()
        refusal = guard(self._facts(intent, request, now))
        if refusal is None and all(intent.id != earlier.id for earlier in self._let_pass):
            self._let_pass.append(intent)
            if not isinstance(intent.action, PlaceStop | CancelStop):
                self._writes.append(now)
        return refusal

    def _facts(self, intent: Intent, request: SignedRequest, now: datetime) -> Facts:
        decision, observation, news = self._decision, self._observation, self._news
        key = key_of(intent.action)
        symbol = "" if key is None else key.symbol
        instruments = {i.symbol: i for i in observation.instruments}
        account, memory, booked = observation.account, self._memory, dict(self._holds)
        for earlier in self._let_pass:
            if earlier.id != intent.id:
                memory = _spent(memory, account, earlier.action, at=now)
                booked = _left(booked, earlier.action, wallet=self._policy.futures_wallet)
                account = _after(
                    account, instruments, earlier.action, wallet=self._policy.futures_wallet
                )
        while self._writes and now - self._writes[0] > MINUTE:
            self._writes.popleft()
        own = sum(1 for earlier in self._let_pass if earlier.id == intent.id)
        plan_age = (now - decision.at).total_seconds()
        return Facts(
            action=intent.action,
            account=account,
            instruments=instruments,
            bands={v.key: v.band for v in decision.positions if v.band is not None},
            memory=memory,
            policy=self._policy,
            switches=self._switchboard.state,
            urgency=self._urgency(key),
            now=now,
            age=plan_age + decision.inputs_age_ms / 1000,
            step=self._fingerprints.step,
            apart=self._fingerprints.apart,
            held=observation.account.held(self._policy.coin),
            holds=booked,
            conditions=Conditions(
                venue=self._venue.condition(),
                has_lease=holds(self._authority),
                is_epoch_current=self._authority.is_epoch_current,
                plan_age=plan_age,
                planned_in=decision.mode,
                stalled=self._watchdog.stalled_for > 0,
                is_journal_writable=not self._is_reduced,
                supported=self._supported,
                owned=frozenset(wallet.name for wallet in account.wallets),
                position_mode=news.mode,
                is_price_confirmed=symbol not in news.unconfirmed,
                are_tiers_changed=symbol in news.unagreed,
                closing=news.closing,
                is_reduce_only=request.is_reduce_only,
                reserve_free=self._slots_for(intent.id),
                writes_10s=sum(1 for at in self._writes if now - at < TEN_SECONDS) - own,
                writes_60s=len(self._writes) - own,
            ),
        )

    def _urgency(self, key: PositionKey | None) -> Urgency:
        if key is None:
            return self._decision.urgency
        for verdict in self._decision.positions:
            if verdict.key == key:
                return verdict.urgency
        return Urgency.HOLD


def _spent(memory: Memory, account: Account, action: Action, *, at: datetime) -> Memory:
    """Return the memory with an earlier write of the plan counted, as if it were old."""
    return replace(
        memory,
        moves=(*memory.moves, Move(at=at, action=action)),
        claims=claimed(memory.claims, account, effects=(action,), unsettled=(), at=at),
    )


def _left(
    holds: dict[tuple[str, str], Decimal], action: Action, *, wallet: str
) -> dict[tuple[str, str], Decimal]:
    """Return what wallets hold for certain after an earlier write of the plan."""
    match action:
        case AddMargin(after_reduction=False, currency=currency, amount=amount):
            source = (wallet, currency)
        case Transfer(source=name, currency=currency, amount=amount):
            source = (name, currency)
        case _:
            return holds
    return holds | {source: holds[source] - amount} if source in holds else holds


def _after(
    account: Account, instruments: Mapping[str, Instrument], action: Action, *, wallet: str
) -> Account:
    """Return the account after an earlier write; what travels has not arrived."""
    projected = project(account, instruments, action, wallet=wallet)
    if not isinstance(action, Transfer):
        return projected
    end = (action.destination, action.currency)
    wallets = tuple(
        before if (before.name, before.currency) == end else after
        for before, after in zip(account.wallets, projected.wallets, strict=True)
    )
    return replace(projected, wallets=wallets)
