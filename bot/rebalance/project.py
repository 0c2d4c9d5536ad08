"""How will the account look after an action?"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from bot.domain.account import Account, Wallet
from bot.domain.action import (
    Action,
    AddMargin,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.decision import Snapshot
from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.position import Position, PositionKey
from bot.domain.stop import RestingStop
from bot.margin import isolated
from bot.margin.assess import assess


def position_of(account: Account, key: PositionKey) -> Position | None:
    """Return a position of an account, ``None`` where it is not held."""
    for position in account.positions:
        if position.symbol == key.symbol and position.side is key.side:
            return position
    return None


def released_by(
    position: Position, instrument: Instrument, *, size: Decimal, price: Decimal
) -> Decimal:
    """Return what a reduction brings into the wallet; negative when it costs. [settle].

    Released margin plus the realized result minus the taker fee. Where it is unknown what the
    venue releases, only the result and the fee are counted: money not yet seen is not planned.

    Args:
        position: Before.
        instrument: Its rules.
        size: > 0, at most the position. [base or quote]
        price: Of the fill. [quote/base]
    """
    share = size / abs(position.size)
    realized = realized_by(position, instrument, size=size, price=price)
    released = (
        position.margin * share
        if instrument.margin_release is MarginRelease.PRO_RATA or share == 1
        else Decimal(0)
    )
    return released + realized


def realized_by(
    position: Position, instrument: Instrument, *, size: Decimal, price: Decimal
) -> Decimal:
    """Return the profit of closing a part less the taker fee, signed. [settle].

    Args:
        position: Before.
        instrument: Its rules.
        size: > 0, at most the position. [base or quote]
        price: Of the fill. [quote/base]
    """
    contract = instrument.contract
    result = isolated.unrealized_pnl(
        contract,
        size=position.side.sign * size,
        entry_price=position.entry_price,
        price=price,
    )
    return result - isolated.value(contract, size=size, price=price) * instrument.taker_fee


def reduced(position: Position, instrument: Instrument, *, size: Decimal) -> Position | None:
    """Return the rest of a position after closing ``size``; ``None`` when nothing is left.

    Where it is unknown what the venue releases, the rest is given the smaller margin.
    """
    rest = abs(position.size) - size
    if rest <= 0:
        return None
    share = rest / abs(position.size)
    margin = (
        position.margin
        if instrument.margin_release is MarginRelease.STAYS
        else position.margin * share
    )
    return replace(position, size=position.side.sign * rest, margin=margin)


def project(
    account: Account, instruments: Mapping[str, Instrument], action: Action, *, wallet: str
) -> Account:
    """Return the account after an action that takes full effect at its worst price.

    Args:
        account: Before.
        instruments: By symbol.
        action: To apply.
        wallet: Name of the wallet that backs isolated positions.

    Raises:
        ValueError: If the action names a position or wallet that the account does not have.
    """
    match action:
        case AddMargin(key=key, amount=amount, currency=currency):
            position = _held(account, key)
            moved = replace(position, margin=position.margin + amount)
            return _with_wallet(_with(account, key, moved), wallet, currency, -amount)
        case RemoveMargin(key=key, amount=amount, currency=currency):
            position = _held(account, key)
            moved = replace(position, margin=position.margin - amount)
            return _with_wallet(_with(account, key, moved), wallet, currency, amount)
        case ReducePosition(key=key, size=size, limit_price=price):
            position = _held(account, key)
            instrument = instruments[key.symbol]
            rest = reduced(position, instrument, size=size)
            brought = released_by(position, instrument, size=size, price=price)
            return _with_wallet(_with(account, key, rest), wallet, instrument.settle, brought)
        case Transfer(source=source, destination=destination, amount=amount, currency=currency):
            sent = _with_wallet(account, source, currency, -amount)
            return _with_wallet(sent, destination, currency, amount)
        case PlaceStop():
            return replace(account, stops=(*account.stops, _resting(action)))
    stops = tuple(stop for stop in account.stops if stop.stop_id != action.stop_id)
    return replace(account, stops=stops)


def snapshot(position: Position, instrument: Instrument) -> Snapshot:
    """Return the numbers that a record shows before and after an action."""
    risk = assess(position, instrument)
    return Snapshot(
        size=position.size,
        margin=position.margin,
        liquidation_price=risk.liquidation_price,
        distance=risk.distance,
        leverage=risk.leverage,
    )


def _resting(action: PlaceStop) -> RestingStop:
    """Return the stop that an action leaves; the venue has given it no id yet."""
    return RestingStop(
        key=action.key,
        stop_id="",
        client_id="",
        size=action.size,
        stop_price=action.stop_price,
        on_mark=True,
        is_ours=True,
    )


def _held(account: Account, key: PositionKey) -> Position:
    position = position_of(account, key)
    if position is None:
        raise ValueError(f"position {key} must be held to be changed")
    return position


def _with(account: Account, key: PositionKey, position: Position | None) -> Account:
    rest = () if position is None else (position,)
    at = [held.key for held in account.positions].index(key)
    return replace(
        account, positions=(*account.positions[:at], *rest, *account.positions[at + 1 :])
    )


def _with_wallet(account: Account, name: str, currency: str, change: Decimal) -> Account:
    if account.wallet(name, currency) is None:
        raise ValueError(f"wallet {name} of {currency} must exist to be changed")
    return replace(
        account,
        wallets=tuple(
            Wallet(name=w.name, currency=w.currency, total=w.total + change, free=w.free + change)
            if (w.name, w.currency) == (name, currency)
            else w
            for w in account.wallets
        ),
    )
