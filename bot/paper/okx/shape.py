"""How does the venue write numbers and rows?"""

from decimal import Decimal
from typing import Any

from bot.paper.engine import Engine
from bot.paper.okx.listing import face, name, tier
from bot.paper.values import ZERO, Contract, Holding, Kind, Order

SIDES = {"BOTH": "net", "LONG": "long", "SHORT": "short"}
LEGS = {word: leg for leg, word in SIDES.items()}
STATES = {
    "NEW": "live", "PARTIALLY_FILLED": "partially_filled", "FILLED": "filled",
    "EXPIRED": "canceled", "CANCELED": "canceled",
}  # fmt: skip
ALGO_STATES = {
    "NEW": "live", "CANCELED": "canceled", "FILLED": "effective", "PARTIALLY_FILLED": "effective",
    "EXPIRED": "order_failed",
}  # fmt: skip


def plain(value: Decimal) -> str:
    """Return a number as plain digits, without zeros that say nothing."""
    text = format(value, ".16f")
    return text.rstrip("0").rstrip(".")


def contracts(contract: Contract, size: Decimal) -> str:
    """Return a size in contracts.

    Args:
        contract: Says what one is.
        size: [base or quote]
    """
    return plain(size / face(contract))


def position(engine: Engine, holding: Holding) -> dict[str, Any]:
    """Return a row of account/positions."""
    contract, quote = engine.contracts[holding.symbol], engine.quotes[holding.symbol]
    size, profit = abs(holding.amount), engine.profit(holding)
    value, lever = contract.worth(size, quote.mark), Decimal(engine.leverage[holding.symbol])
    is_net, isolated = holding.side == "BOTH", holding.isolated
    return {
        "adl": "2",
        "availPos": "",
        "avgPx": plain(holding.entry),
        "bePx": plain(holding.entry),
        "cTime": str(engine.start_ms),
        "ccy": contract.asset,
        "closeOrderAlgo": [],
        "imr": "" if isolated else plain(value / lever),
        "instId": name(contract),
        "instType": "SWAP",
        "interest": "",
        "idxPx": plain(quote.index),
        "last": plain(quote.last),
        "lever": plain(lever),
        "liab": "",
        "liabCcy": "",
        "liqPx": _shown(engine, holding),
        "margin": plain(holding.margin) if isolated else "",
        "markPx": plain(quote.mark),
        "mgnMode": "isolated" if isolated else "cross",
        "mgnRatio": plain((holding.margin + profit) / engine.maintenance(holding))
        if isolated
        else "",
        "mmr": plain(value * tier(contract, size).maintenance),
        "notionalUsd": plain(value if contract.kind is Kind.LINEAR else size),
        "pos": contracts(contract, holding.amount if is_net else size),
        "posCcy": "",
        "posId": f"{holding.symbol}{holding.side}",
        "posSide": SIDES[holding.side],
        "tradeId": "1",
        "uTime": str(holding.updated_ms),
        "upl": plain(profit),
        "uplRatio": plain(profit / (value / lever)),
    }


def _shown(engine: Engine, holding: Holding) -> str:
    """Return the liquidation price as the venue prints it: one tick towards the mark."""
    price, tick = engine.liquidation_price(holding), engine.contracts[holding.symbol].tick
    if price <= 0:
        return ""
    return plain(price + (tick if holding.amount > 0 else -tick))


def order(contract: Contract, found: Order) -> dict[str, Any]:
    """Return an order."""
    ask = found.ask
    average = plain(contract.average(found.filled, found.cost)) if found.filled else ""
    kinds = {"IOC": "ioc", "FOK": "fok", "GTC": "limit"}
    return {
        "accFillSz": contracts(contract, found.filled),
        "avgPx": average,
        "cTime": str(found.at_ms),
        "category": "normal",
        "ccy": "",
        "clOrdId": found.client_id,
        "fee": "0",
        "feeCcy": contract.asset,
        "fillPx": average,
        "fillSz": contracts(contract, found.filled),
        "instId": name(contract),
        "instType": "SWAP",
        "ordId": str(found.id),
        "ordType": "market" if ask.type == "MARKET" else kinds[ask.time_in_force],
        "pnl": "0",
        "posSide": SIDES[ask.position_side],
        "px": plain(ask.price) if ask.price else "",
        "reduceOnly": str(ask.reduce_only).lower(),
        "side": ask.side.lower(),
        "state": STATES[found.status],
        "sz": contracts(contract, found.size),
        "tag": "",
        "tdMode": "isolated",
        "uTime": str(found.updated_ms),
    }


def algo_order(contract: Contract, found: Order) -> dict[str, Any]:
    """Return a conditional order as its own endpoints list it."""
    ask = found.ask
    return {
        "actualPx": "",
        "actualSide": "",
        "actualSz": contracts(contract, found.filled) if found.filled else "",
        "algoClOrdId": found.client_id,
        "algoId": str(found.id),
        "cTime": str(found.at_ms),
        "ccy": "",
        "clOrdId": found.client_id,
        "closeFraction": "1" if ask.close_position else "",
        "instId": name(contract),
        "instType": "SWAP",
        "lever": "",
        "ordId": "",
        "ordType": "conditional",
        "posSide": SIDES[ask.position_side],
        "reduceOnly": str(ask.reduce_only).lower(),
        "side": ask.side.lower(),
        "slOrdPx": "-1",
        "slTriggerPx": plain(ask.stop),
        "slTriggerPxType": "mark" if ask.on_mark else "last",
        "state": ALGO_STATES[found.status],
        "sz": "" if ask.close_position else contracts(contract, ask.size),
        "tag": "",
        "tdMode": "isolated",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "triggerTime": "" if found.status == "NEW" else str(found.updated_ms),
        "uTime": str(found.updated_ms),
    }


def total(amounts: list[Decimal]) -> Decimal:
    """Return a sum; of none it is 0."""
    return sum(amounts, ZERO)
