"""How is any adapter, exchange or journal broken, whatever the venue's words?"""

import os
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from bot.cards.bench import Seam
from bot.cards.tongue import Target, Tongue
from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.intent import Settlement
from bot.domain.position import Side
from bot.domain.switch import Switches
from bot.exchanges.outcomes import Proof
from bot.exchanges.quota import Quota
from bot.journal.sqlite import SqliteJournal
from bot.operate.switches import FileSwitchboard
from bot.paper.desk import Asked, Reply
from bot.paper.engine import Engine
from bot.paper.socketless import Carry
from bot.paper.values import Order, Reason, Refused
from bot.rebalance.memory import amount_of
from tests.kit.breakages.tools import (
    HISTORIES,
    Breaks,
    Patch,
    adapter_of,
    answering,
    careless,
    deaf_to,
    without_rows,
)

COINS = ("SOL", "BTC")
"""With which a venue's name of a symbol begins, however it goes on."""


def nothing_moves(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange says yes to moves of collateral and makes none."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "move_margin", lambda *_, **__: None)
        patch.setattr(engine, "transfer", lambda *_, **__: 7)

    return Seam(prepare=prepare)


def moves_twice(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange makes every move of collateral twice."""

    def prepare(engine: Engine) -> None:
        move, transfer = engine.move_margin, engine.transfer

        def twice(*args: Any, **named: Any) -> None:
            move(*args, **named)
            move(*args, **named)

        def again(*args: Any, **named: Any) -> int:
            transfer(*args, **named)
            return transfer(*args)  # without a name, where it had one

        patch.setattr(engine, "move_margin", twice)
        patch.setattr(engine, "transfer", again)

    return Seam(prepare=prepare)


def everything_may_leave(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange covers nothing: wallets and margins may be overdrawn."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "available", lambda *_: D(10**9))
        patch.setattr(engine, "removable", lambda *_: D(10**9))

    return Seam(prepare=prepare)


def amounts_are_rounded(patch: Patch, tongue: Tongue) -> Seam:
    def rounded(action: Action) -> Action:
        if isinstance(action, AddMargin | RemoveMargin | Transfer):
            return replace(action, amount=D(int(action.amount)))
        return action

    return careless(patch, tongue, rounded)


def directions_are_swapped(patch: Patch, tongue: Tongue) -> Seam:
    other = {Side.LONG: Side.SHORT, Side.SHORT: Side.LONG}

    def swapped(action: Action) -> Action:
        match action:
            case AddMargin(key=key, amount=amount, currency=currency):
                return RemoveMargin(key=key, amount=amount, currency=currency)
            case RemoveMargin(key=key, amount=amount, currency=currency):
                return AddMargin(key=key, amount=amount, currency=currency)
            case Transfer():
                return replace(action, source=action.destination, destination=action.source)
            case ReducePosition(key=key):
                return replace(action, key=replace(key, side=other[key.side]))
        return action

    return careless(patch, tongue, swapped)


def amounts_are_not_checked(patch: Patch, tongue: Tongue) -> Seam:
    """The adapter makes something of amounts that cannot be."""

    def lax(action: Action) -> Action:
        if not isinstance(action, AddMargin):
            return action
        amount = action.amount
        is_fine = amount.is_finite() and amount > 0 and amount % tongue.finest == 0
        return action if is_fine else replace(action, amount=D(5))

    return careless(patch, tongue, lax)


def every_route_is_known(patch: Patch, tongue: Tongue) -> Seam:
    def inward(action: Action) -> Action:
        if isinstance(action, Transfer):
            return replace(action, source="spot", destination="futures")
        return action

    return careless(patch, tongue, inward)


def history_is_empty(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange lists no past."""
    del patch
    past = {tongue.targets[target] for target in HISTORIES}

    def change(asked: Asked, reply: Reply) -> Reply:
        if (asked.method, asked.path) not in past:
            return reply
        return replace(reply, text=without_rows(tongue, reply.text))

    return answering(change)


def reads_are_old(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange shows of each kind, and symbol, what it showed first."""
    del patch
    _, time = tongue.targets[Target.TIME]

    def carry(inner: Carry) -> Carry:
        first: dict[tuple[str, ...], Reply] = {}

        async def carried(asked: Asked) -> Reply:
            reply = await inner(asked)
            if asked.method == "GET" and asked.path != time and reply.status == 200:
                words = [word for _, word in parse_qsl(asked.query)]
                coins = [word for word in words if word.startswith(COINS)]
                return first.setdefault((asked.path, *coins), reply)
            return reply

        return carried

    return Seam(carry=carry)


def tiers_are_doubled(patch: Patch, tongue: Tongue) -> Seam:
    """The adapter's maintenance is not the exchange's."""
    venue = adapter_of(tongue)
    observe = venue.observe

    def doubled(instrument: Any) -> Any:
        tiers = tuple(
            replace(
                tier,
                maintenance_rate=tier.maintenance_rate * 2,
                maintenance_amount=tier.maintenance_amount * 2,
            )
            for tier in instrument.tiers
        )
        return replace(instrument, tiers=tiers)

    async def other(self: Any, **named: Any) -> Any:
        seen = await observe(self, **named)
        return replace(seen, instruments=tuple(map(doubled, seen.instruments)))

    patch.setattr(venue, "observe", other)
    return Seam()


def looks_are_shifted(patch: Patch, tongue: Tongue) -> Seam:
    """The adapter shows one dollar more than there is of everything."""
    venue = adapter_of(tongue)
    observe = venue.observe

    async def richer(self: Any, **named: Any) -> Any:
        seen = await observe(self, **named)
        account = replace(
            seen.account,
            positions=tuple(replace(p, margin=p.margin + 1) for p in seen.account.positions),
            wallets=tuple(replace(w, total=w.total + 1) for w in seen.account.wallets),
        )
        return replace(seen, account=account)

    patch.setattr(venue, "observe", richer)
    return Seam()


def fields_are_made_up(patch: Patch, tongue: Tongue) -> Seam:
    """The adapter finds a value for a field that is not there."""
    del patch
    names = {tongue.targets[target]: name for target, name in reversed(tongue.fields)}

    def change(asked: Asked, reply: Reply) -> Reply:
        name = names.get((asked.method, asked.path), "gone")
        return replace(reply, text=reply.text.replace("gone", name))

    return answering(change)


def paths_that_leave_are_asked(patch: Patch, tongue: Tongue) -> Seam:
    """Something on the way asks what can move collateral to others, beside every request."""
    del patch

    def carry(inner: Carry) -> Carry:
        async def carried(asked: Asked) -> Reply:
            await inner(Asked(method="GET", path=f"/{tongue.leaving[0]}"))
            return await inner(asked)

        return carried

    return Seam(carry=carry)


def stamps_are_arrivals(patch: Patch, tongue: Tongue) -> Seam:
    venue = adapter_of(tongue)
    observe = venue.observe

    async def late(self: Any, **named: Any) -> Any:
        seen = await observe(self, **named)
        return replace(seen, account_at=seen.at)

    patch.setattr(venue, "observe", late)
    return Seam()


def every_failure_is_a_refusal(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr("bot.exchanges.adapter.proof_of", lambda *_: (Proof.NO_EFFECT, "none"))
    patch.setattr(adapter_of(tongue), "_applied", lambda _, intent, *__: amount_of(intent.action))
    return Seam()


def every_refusal_is_unknown(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr(
        "bot.exchanges.adapter.proof_of", lambda trace, _: (Proof.UNKNOWN, str(trace.code))
    )
    return Seam()


def settling_believes_anything(patch: Patch, tongue: Tongue) -> Seam:
    async def settle(self: Any, intent: Any) -> Settlement:
        return Settlement(intent_id=intent.id, applied=amount_of(intent.action), text="")

    patch.setattr(adapter_of(tongue), "settle", settle)
    return Seam()


def names_are_not_compared(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange takes a second order of the same name."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "_client_ids", {})
        place = engine.place

        def forgetful(ask: Any) -> Any:
            engine._client_ids.clear()
            return place(ask)

        patch.setattr(engine, "place", forgetful)

    return Seam(prepare=prepare)


def reductions_are_not_capped(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange lets orders that reduce only grow and flip a position."""

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "_reduces", lambda _: False)

    return Seam(prepare=prepare)


def orders_are_not_filled(patch: Patch, tongue: Tongue) -> Seam:
    def expire(order: Order, *_: Any) -> None:
        order.status = "EXPIRED"

    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "_match", expire)

    return Seam(prepare=prepare)


def venue_time_is_the_machines(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr("bot.clock.VenueClock.anchor", lambda *_, **__: None)
    return Seam()


def a_revoked_key_looks_busy(patch: Patch, tongue: Tongue) -> Seam:
    deaf_to(patch, tongue, denied=frozenset())
    return Seam()


def bans_are_ignored(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr(Quota, "stopped_for", lambda *_: 0.0)
    return Seam()


def rights_are_not_read(patch: Patch, tongue: Tongue) -> Seam:
    async def nothing(self: Any) -> None:
        return None

    patch.setattr(adapter_of(tongue), "_check_rights", nothing)
    return Seam()


def drops_are_forgotten(patch: Patch, tongue: Tongue) -> Seam:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr(SqliteJournal, "drop", nothing)
    return Seam()


def absence_is_believed_at_once(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr("bot.execute.resolve.Resolver._is_absence_proven", lambda *_: True)
    return Seam()


def locks_keep_nobody_out(patch: Patch, tongue: Tongue) -> Seam:
    def taken(path: Path, *, note: str) -> tuple[int, str]:
        del note
        return os.open(path, os.O_RDWR | os.O_CREAT), ""

    patch.setattr("bot.journal.lock._lock", taken)
    return Seam()


def kills_are_forgotten(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr(FileSwitchboard, "state", property(lambda _: Switches()))
    return Seam()


def the_reserve_is_not_imported(patch: Patch, tongue: Tongue) -> Seam:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr("bot.cards.m10_restart.adopt", nothing)
    return Seam()


def nobody_owns_a_row(patch: Patch, tongue: Tongue) -> Seam:
    patch.setattr("bot.execute.foreign._owner", lambda *_, **__: None)
    return Seam()


def margin_goes_elsewhere(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange adds to the neighbour of the position that is named."""

    def prepare(engine: Engine) -> None:
        move = engine.move_margin

        def elsewhere(symbol: str, *args: Any, **named: Any) -> None:
            del symbol
            move("BTCUSDT", *args, **named)

        patch.setattr(engine, "move_margin", elsewhere)

    return Seam(prepare=prepare)


def cancels_do_nothing(patch: Patch, tongue: Tongue) -> Seam:
    def prepare(engine: Engine) -> None:
        patch.setattr(engine, "cancel", lambda _: None)

    return Seam(prepare=prepare)


def stops_use_up_the_room(patch: Patch, tongue: Tongue) -> Seam:
    """The exchange takes no reduction while a stop rests."""

    def prepare(engine: Engine) -> None:
        check = engine._check_ask

        def jealous(ask: Any, *args: Any) -> None:
            if ask.type == "LIMIT" and engine.open_orders(ask.symbol):
                raise Refused(Reason.REDUCE_ONLY, "ReduceOnly Order is rejected.")
            check(ask, *args)

        patch.setattr(engine, "_check_ask", jealous)

    return Seam(prepare=prepare)


ANYWHERE: tuple[Breaks, ...] = (
    nothing_moves,
    moves_twice,
    everything_may_leave,
    amounts_are_rounded,
    directions_are_swapped,
    amounts_are_not_checked,
    every_route_is_known,
    history_is_empty,
    reads_are_old,
    tiers_are_doubled,
    looks_are_shifted,
    fields_are_made_up,
    paths_that_leave_are_asked,
    stamps_are_arrivals,
    every_failure_is_a_refusal,
    every_refusal_is_unknown,
    settling_believes_anything,
    names_are_not_compared,
    reductions_are_not_capped,
    orders_are_not_filled,
    venue_time_is_the_machines,
    a_revoked_key_looks_busy,
    bans_are_ignored,
    rights_are_not_read,
    drops_are_forgotten,
    absence_is_believed_at_once,
    locks_keep_nobody_out,
    kills_are_forgotten,
    the_reserve_is_not_imported,
    nobody_owns_a_row,
    margin_goes_elsewhere,
    cancels_do_nothing,
    stops_use_up_the_room,
)
