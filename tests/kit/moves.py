"""What do the tests of adapters have a venue do to the positions of `a_held_engine`?"""

from dataclasses import replace
from decimal import Decimal

from bot.domain.action import (
    Action,
    AddMargin,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.position import PositionKey, Side

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
SOL_SHORT = PositionKey("SOL/USDT:USDT", Side.SHORT)
BTC = PositionKey("BTC/USDT:USDT", Side.SHORT)


def add(amount: str, key: PositionKey = SOL) -> AddMargin:
    return AddMargin(key=key, amount=Decimal(amount), currency="USDT")


def remove(amount: str, key: PositionKey = SOL) -> RemoveMargin:
    return RemoveMargin(key=key, amount=Decimal(amount), currency="USDT")


def reduce(size: str = "7", price: str = "149.00", key: PositionKey = SOL) -> ReducePosition:
    return ReducePosition(key=key, size=Decimal(size), limit_price=Decimal(price))


def move(source: str = "spot", destination: str = "futures", amount: str = "10.5") -> Transfer:
    return Transfer(source=source, destination=destination, amount=Decimal(amount), currency="USDT")


def stop(price: str = "140.00", *, size: str | None = "50", key: PositionKey = SOL) -> PlaceStop:
    held = None if size is None else Decimal(size)
    return PlaceStop(key=key, size=held, stop_price=Decimal(price), is_needed=True)


def settled_in(action: Action, settle: str) -> Action:
    """Return an action of USDT at a venue that settles in another currency; others as they are."""

    def there(word: str) -> str:
        return word.replace("USDT", settle)

    if isinstance(action, Transfer):
        return replace(action, currency=there(action.currency))
    key = replace(action.key, symbol=there(action.key.symbol))
    if isinstance(action, AddMargin | RemoveMargin):
        return replace(action, key=key, currency=there(action.currency))
    return replace(action, key=key)
