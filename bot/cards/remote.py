"""Which cards can be asked of the venue's own test hosts, and how are they judged there?

There the books are the venue's: a second client reads them at other endpoints than the adapter
does. The person opens an isolated position first; a card moves a little margin of
it, or one lot, and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.cards.bench import OpenGate
from bot.cards.beside import Beside, Booked, Fate
from bot.cards.card import Card, Result, Verdict, failed
from bot.cards.expect import CardError, ended, holds, near, same
from bot.cards.tongue import Tongue
from bot.cards.tongues import tongue_of
from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
)
from bot.domain.instrument import Instrument
from bot.domain.intent import Execution, Intent, Outcome
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, Side
from bot.domain.timing import HISTORY_LAG
from bot.errors import ConfigError
from bot.exchanges.adapter import Adapter
from bot.exchanges.client import Client, Session
from bot.exchanges.connect import ConnectionSettings, client_of, connect
from bot.exchanges.venues import VENUES
from bot.margin.assess import assess
from bot.ports import Clock

AMOUNT = Decimal("1.23457")
"""Of each move of margin. [USDT]"""
NOT_HERE = "needs an exchange that can be made to misbehave, or whose books can be set"
YOUNG = 15.0
"""So old may a mark be. [s]"""
PATIENCE = 15.0
"""How long history is asked at most. [s]"""


class NeedsError(Exception):
    """Something a person must prepare is not there; the text says what."""


@dataclass(slots=True, kw_only=True)
class Remote:
    """The adapter, connected to the test hosts, and a second client to judge it by.

    Attributes:
        venue: The adapter.
        client: The second client.
        clock: Of both.
        beside: How the second one asks.
        settings: Of the account.
    """

    venue: Adapter
    client: Client
    clock: VenueClock
    beside: Beside
    settings: ConnectionSettings
    _sent: int = 0

    async def send(self, action: Action) -> tuple[Execution, Intent]:
        """Send an action; return what that brought, and the intent as it was signed."""
        self._sent += 1
        now, gate = self.clock.now(), OpenGate()
        # No name twice, not even in a later run: the venue remembers them.
        name = f"plc{int(now.timestamp() * 1000):013d}"[:15] + str(self._sent % 10)
        intent = Intent(
            id=name,
            decision_id="card",
            account=self.settings.account,
            action=action,
            written_at=now,
        )
        done = await self.venue.execute(intent, gate)
        signed_at = None if gate.request is None else gate.request.signed_at
        return done, replace(intent, sent_at=signed_at)

    async def subject(self) -> tuple[Position, Instrument, Observation]:
        """Return the first isolated position, its rules and the look it is from.

        Raises:
            NeedsError: There is none.
        """
        seen = await self.venue.observe()
        rules = {instrument.symbol: instrument for instrument in seen.instruments}
        for position in seen.account.positions:
            if position.margin_mode is MarginMode.ISOLATED:
                return position, rules[position.symbol], seen
        raise NeedsError("open an isolated position in a configured symbol first")

    async def booked(self, position: Position) -> Booked:
        """Return a position as the venue's other endpoint has it.

        Raises:
            CardError: It has none of that size.
        """
        found = await self.beside.position(self.client, position.symbol, position.size)
        if found is None:
            raise CardError(f"{position.key} of {position.size} must be booked, was not")
        return found

    async def fate(self, client_id: str) -> Fate:
        """Return what became of one stop, which the adapter looks for in a list."""
        return await self.beside.fate(self.client, client_id)

    async def margin(self, position: Position) -> Decimal:
        """Return its margin there. [USDT]."""
        return (await self.booked(position)).margin


RemoteAction = Callable[[Remote], Awaitable[None]]
REMOTE: dict[str, RemoteAction] = {}
"""By the number of the card."""


def _as(number_: str) -> Callable[[RemoteAction], RemoteAction]:
    def take(action: RemoteAction) -> RemoteAction:
        REMOTE[number_] = action
        return action

    return take


@_as("M1-01")
async def _isolated(remote: Remote) -> None:
    position, _, _ = await remote.subject()
    booked = await remote.booked(position)
    same("margin", position.margin, booked.margin)
    same("entry price", position.entry_price, booked.entry_price)
    same("leverage setting", position.leverage_setting, booked.leverage_setting)
    same("margin mode", position.margin_mode, booked.margin_mode)


@_as("M1-05")
async def _wallets(remote: Remote) -> None:
    wallet = (await remote.venue.observe()).account.wallet("futures", "USDT")
    booked = await remote.beside.wallet(remote.client, "USDT")
    same("futures wallet", wallet and wallet.total, booked)


@_as("M1-07")
async def _stamps(remote: Remote) -> None:
    seen = await remote.venue.observe()
    holds("the look ends after its request", seen.account_at < seen.at)
    for market in seen.markets:
        age = (seen.at - market.mark_at).total_seconds()
        holds(f"a mark is at most {YOUNG} s old, was {age:.1f} s", age <= YOUNG)


@_as("M1-08")
async def _liquidation_price(remote: Remote) -> None:
    position, rules, _ = await remote.subject()
    ours, theirs = assess(position, rules).liquidation_price, position.venue_liquidation_price
    if ours is None or theirs is None:
        raise NeedsError("open a position that has a liquidation price")
    near("liquidation price", ours, theirs)


@_as("M2-08")
async def _read_back(remote: Remote) -> None:
    before, after, _ = await _added(remote)
    same("margin", after, before + AMOUNT)


@_as("M2-09")
async def _no_contract_step(remote: Remote) -> None:
    _, rules, _ = await remote.subject()
    before, after, _ = await _added(remote)
    same(f"margin where the lot is {rules.size_step}", after - before, AMOUNT)


@_as("M3-04")
async def _remove(remote: Remote) -> None:
    await _added(remote)
    position, rules, _ = await remote.subject()
    before = await remote.margin(position)
    action = RemoveMargin(key=position.key, amount=AMOUNT, currency=rules.settle)
    done, _ = await remote.send(action)
    ended(done, Outcome.DONE)
    same("margin", await remote.margin(position), before - AMOUNT)


@_as("M4-10")
async def _no_wallets(remote: Remote) -> None:
    kinds = VENUES[remote.settings.venue].kinds(is_demo=True)
    holds("no transfer is offered on test hosts", "transfer" not in kinds)


@_as("M6-01")
async def _reduce(remote: Remote) -> None:
    position, rules, seen = await remote.subject()
    if abs(position.size) <= rules.min_size:
        raise NeedsError(f"hold more than {rules.min_size} of {position.symbol}")
    market = next(m for m in seen.markets if m.symbol == position.symbol)
    best = market.bids[0] if position.side is Side.LONG else market.asks[0]
    action = ReducePosition(key=position.key, size=rules.min_size, limit_price=best.price)
    done, _ = await remote.send(action)
    ended(done, Outcome.DONE)
    if not done.applied:
        raise NeedsError(f"nothing was filled at {best.price:f}: ask again")
    left = position.size - position.side.sign * done.applied
    await remote.booked(replace(position, size=left))


@_as("M7-02")
async def _stop(remote: Remote) -> None:
    position, rules, _ = await remote.subject()
    far = position.mark_price * (1 - position.side.sign * Decimal("0.05"))
    price = (far / rules.price_step).to_integral_value() * rules.price_step
    stop = PlaceStop(key=position.key, size=abs(position.size), stop_price=price, is_needed=True)
    done, intent = await remote.send(stop)
    ended(done, Outcome.DONE)
    account = (await remote.venue.observe()).account
    mine = next((s for s in account.stops if s.client_id == intent.id), None)
    if mine is None:
        raise CardError(f"stop {intent.id} must be listed, was not")
    holds("it watches mark and closes all", mine.covers(position))
    same("fate", await remote.fate(intent.id), "standing")
    cancel = CancelStop(key=position.key, stop_id=mine.stop_id, client_id=intent.id)
    done, _ = await remote.send(cancel)
    ended(done, Outcome.DONE)
    standing = {stop.client_id for stop in (await remote.venue.observe()).account.stops}
    holds("it is gone", intent.id not in standing)
    same("fate", await remote.fate(intent.id), "cancelled")


@_as("M8-03")
async def _lag(remote: Remote) -> None:
    _, _, intent = await _added(remote)
    sent_at = intent.sent_at or intent.written_at
    while (await remote.venue.settle(intent)).applied != AMOUNT:
        waited = (remote.clock.now() - sent_at).total_seconds()
        holds(
            f"history shows it within {HISTORY_LAG} s, not after {waited:.1f} s", waited < PATIENCE
        )
        await remote.clock.sleep(0.2)
    lag = (remote.clock.now() - sent_at).total_seconds()
    holds(f"history shows it within {HISTORY_LAG} s, took {lag:.1f} s", lag <= HISTORY_LAG)


async def _added(remote: Remote) -> tuple[Decimal, Decimal, Intent]:
    """Add to the position; return its margin before and after, and the intent."""
    position, rules, _ = await remote.subject()
    before = await remote.margin(position)
    action = AddMargin(key=position.key, amount=AMOUNT, currency=rules.settle)
    done, intent = await remote.send(action)
    ended(done, Outcome.DONE)
    return before, await remote.margin(position), intent


async def run_remote(
    cards: Iterable[Card],
    settings: ConnectionSettings,
    *,
    clock: Clock,
    session: Callable[[], Session] | None = None,
) -> list[Result]:
    """Return what became of each card on the venue's test hosts, one after another.

    Args:
        cards: Which.
        settings: Of the account there.
        clock: Of the machine.
        session: Opens what carries the requests; ``None`` connects to the test hosts.

    Raises:
        ConfigError: The account is not one of the test hosts, or nothing can judge cards there.
        ExchangeError: They give no usable answer at the start.
    """
    if settings.mode != "testnet" or settings.gateway is not None:
        raise ConfigError("cards move margin: bot.mode must be testnet, without a gateway")
    tongue = tongue_of(settings.venue)
    if tongue.beside is None:
        raise ConfigError(f"{settings.venue} has no endpoints beside the adapter's to judge it by")
    venue_clock = VenueClock(clock)
    venue = await connect(
        settings, venue_clock, rng=SeededRng("cards"), session=session and session()
    )
    client = client_of(
        settings, venue_clock, rng=SeededRng("cards beside"), session=session and session()
    )
    remote = Remote(
        venue=venue, client=client, clock=venue_clock, beside=tongue.beside, settings=settings
    )
    try:
        return [await _one(card, remote, tongue) for card in cards]
    finally:
        await asyncio.gather(venue.close(), client.close())


async def _one(card: Card, remote: Remote, tongue: Tongue) -> Result:
    action = REMOTE.get(card.number)
    if action is None:
        return Result(card=card, verdict=Verdict.SKIP, reason=card.skipped_at(tongue) or NOT_HERE)
    try:
        await action(remote)
    except NeedsError as needs:
        return Result(card=card, verdict=Verdict.SKIP, reason=str(needs))
    except Exception as error:  # noqa: BLE001 - a card that cannot go on has not passed
        return failed(card, error)
    return Result(card=card, verdict=Verdict.PASS)
