"""How does the venue write numbers and rows?"""

from decimal import Decimal
from typing import Any

from bot.paper.hyperliquid.listing import step_at
from bot.paper.hyperliquid.room import Room
from bot.paper.values import Contract, Holding, Order

STATES = {
    "NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "filled", "EXPIRED": "canceled",
    "CANCELED": "canceled",
}  # fmt: skip
SIDES = {"BUY": "B", "SELL": "A"}
TIFS = {"GTC": "Gtc", "IOC": "Ioc"}


def plain(value: Decimal) -> str:
    """Return a number as plain digits, with one decimal at least.

    The venue books six decimals of its dollar; the exchange behind this has eight, and all of them
    are told, so that sums stay exact.
    """
    text = format(value, ".14f").rstrip("0")
    found = f"{text}0" if text.endswith(".") else text
    return "0.0" if found == "-0.0" else found


def position(room: Room, holding: Holding) -> dict[str, Any]:
    """Return one of the positions of an account."""
    engine, contract = room.engine, room.engine.contracts[holding.symbol]
    mark, profit = engine.quotes[holding.symbol].mark, engine.profit(holding)
    value, setting = abs(holding.amount) * mark, engine.leverage[holding.symbol]
    leverage: dict[str, Any] = {"type": "cross", "value": setting}
    used = engine.initial(holding)
    if holding.isolated:
        raw, used = holding.margin - holding.amount * holding.entry, holding.margin + profit
        leverage = {"type": "isolated", "value": setting, "rawUsd": plain(raw)}
    liquidation, paid = engine.liquidation_price(holding), room.paid(holding)
    return {
        "type": "oneWay",
        "position": {
            "coin": contract.base,
            "szi": plain(holding.amount),
            "leverage": leverage,
            "entryPx": plain(holding.entry),
            "positionValue": plain(value),
            "unrealizedPnl": plain(profit),
            "returnOnEquity": plain(profit / engine.initial(holding)),
            "liquidationPx": plain(liquidation) if liquidation > 0 else None,
            "marginUsed": plain(used),
            "maxLeverage": step_at(contract, value).leverage,
            "cumFunding": {
                "allTime": plain(paid),
                "sinceOpen": plain(paid),
                "sinceChange": plain(paid),
            },
        },
    }


def order(contract: Contract, found: Order) -> dict[str, Any]:
    """Return an order with all that a page shows of it."""
    ask = found.ask
    is_trigger = ask.type == "STOP_MARKET"
    word = "above" if ask.side == "BUY" else "below"
    return {
        "coin": contract.base,
        "side": SIDES[ask.side],
        "limitPx": plain(ask.price),
        "sz": plain(found.size - found.filled),
        "oid": found.id,
        "timestamp": found.at_ms,
        "triggerCondition": f"Price {word} {plain(ask.stop)}" if is_trigger else "N/A",
        "isTrigger": is_trigger,
        "triggerPx": plain(ask.stop),
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": ask.reduce_only,
        "orderType": "Stop Market" if is_trigger else "Limit",
        "origSz": plain(ask.size),
        "tif": None if is_trigger else TIFS[ask.time_in_force],
        "cloid": ask.client_id or None,
    }
