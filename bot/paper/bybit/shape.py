"""How does the venue write numbers and rows?

The margin of a position is written at mark: its value over the leverage setting, the fee of closing
at the price where the initial margin of the entry is gone, and what was added to it.
"""

from decimal import Decimal
from typing import Any

from bot.paper.bybit.listing import name
from bot.paper.digits import fixed, plain
from bot.paper.engine import Engine
from bot.paper.values import Contract, Holding, Kind, Order

INDEX = {"BOTH": 0, "LONG": 1, "SHORT": 2}
LEGS = {number: leg for leg, number in INDEX.items()}
ORDER_ID = "{:08d}-0000-4000-8000-{:012d}"
LOWEST, HIGHEST = 1, 20_000_000
"""Prices that an order may have, and a liquidation price that is shown. [ticks]"""


def closing_fee(engine: Engine, holding: Holding) -> Decimal:
    """Return what closing is reckoned to cost. [settle]."""
    contract, sign = engine.contracts[holding.symbol], 1 if holding.amount > 0 else -1
    if contract.kind is Kind.INVERSE:
        sign = -sign  # the worth of a long grows as it loses
    gone = 1 - Decimal(sign) / engine.leverage[holding.symbol]
    return contract.worth(abs(holding.amount), holding.entry) * gone * contract.taker


def initial_margin(engine: Engine, holding: Holding) -> Decimal:
    """Return the margin of a position as the venue shows it. [settle]."""
    worth = engine.contracts[holding.symbol].worth(abs(holding.amount), holding.entry)
    entered = worth / engine.leverage[holding.symbol]
    added = holding.margin - entered if holding.isolated else Decimal(0)
    return engine.initial(holding) + closing_fee(engine, holding) + added


def position(engine: Engine, holding: Holding) -> dict[str, Any]:
    """Return a row of position/list."""
    contract = engine.contracts[holding.symbol]
    liquidation = engine.liquidation_price(holding)
    is_shown = LOWEST < liquidation / contract.tick < HIGHEST
    initial = fixed(initial_margin(engine, holding))
    maintenance = fixed(engine.maintenance(holding) + closing_fee(engine, holding))
    return empty(engine, contract, holding.side) | {
        "side": "Buy" if holding.amount > 0 else "Sell",
        "size": plain(abs(holding.amount)),
        "avgPrice": fixed(holding.entry),
        "positionValue": fixed(contract.worth(abs(holding.amount), holding.entry)),
        "liqPrice": fixed(liquidation) if is_shown else "",
        "positionIM": initial,
        "positionIMByMp": initial,
        "positionMM": maintenance,
        "positionMMByMp": maintenance,
        "unrealisedPnl": fixed(engine.profit(holding)),
        "updatedTime": str(holding.updated_ms),
    }


def empty(engine: Engine, contract: Contract, side: str) -> dict[str, Any]:
    """Return the row of a position that is not held."""
    return {
        "positionIdx": INDEX[side],
        "riskId": 1,
        "riskLimitValue": plain(contract.brackets[0].cap),
        "symbol": name(contract),
        "side": "",
        "size": "0",
        "avgPrice": "0",
        "positionValue": "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2,
        "leverage": str(engine.leverage[contract.id]),
        "positionBalance": "0",
        "markPrice": plain(engine.quotes[contract.id].mark),
        "liqPrice": "",
        "bustPrice": "",
        "positionIM": "0",
        "positionIMByMp": "0",
        "positionMM": "0",
        "positionMMByMp": "0",
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "sessionAvgPrice": "",
        "unrealisedPnl": "",
        "curRealisedPnl": "0",
        "cumRealisedPnl": "0",
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "seq": 1,
        "createdTime": str(engine.start_ms),
        "updatedTime": str(engine.start_ms),
    }


def order_id(number: int) -> str:
    """Return the venue's id of an order."""
    return ORDER_ID.format(number, number)


def status(found: Order) -> str:
    """Return what has become of an order, in the venue's word."""
    if found.status == "NEW":
        return "Untriggered" if found.ask.conditional else "New"
    if found.status == "CANCELED":
        return "Deactivated" if found.ask.conditional else "Cancelled"
    return {"FILLED": "Filled", "PARTIALLY_FILLED": "PartiallyFilled"}.get(
        found.status, "Cancelled"
    )


def order(engine: Engine, found: Order) -> dict[str, Any]:
    """Return a row of order/realtime and order/history."""
    ask, left = found.ask, found.size - found.filled if found.is_open else Decimal(0)
    contract = engine.contracts[ask.symbol]
    average = fixed(contract.average(found.filled, found.cost)) if found.filled else ""
    waits = contract.worth(left, ask.price) if ask.price else Decimal(0)
    closes = ask.reduce_only or ask.close_position
    if ask.position_side != "BOTH":  # there the leg and the side say the same
        closes = (ask.position_side, ask.side) in (("LONG", "SELL"), ("SHORT", "BUY"))
    return {
        "orderId": order_id(found.id),
        "orderLinkId": found.client_id if ask.client_id else "",
        "symbol": name(contract),
        "price": plain(ask.price),
        "qty": plain(found.size),
        "side": ask.side.title(),
        "positionIdx": INDEX[ask.position_side],
        "orderStatus": status(found),
        "createType": "CreateByUser",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": average,
        "leavesQty": plain(left),
        "leavesValue": fixed(waits),
        "cumExecQty": plain(found.filled),
        "cumExecValue": fixed(found.cost),
        "cumExecFee": fixed(found.cost * contract.taker),
        "timeInForce": ask.time_in_force,
        "orderType": "Limit" if ask.type == "LIMIT" else "Market",
        "stopOrderType": "Stop" if ask.conditional else "",
        "triggerPrice": plain(ask.stop) if ask.conditional else "",
        "triggerDirection": (2 if ask.side == "SELL" else 1) if ask.conditional else 0,
        "triggerBy": ("MarkPrice" if ask.on_mark else "LastPrice") if ask.conditional else "",
        "takeProfit": "",
        "stopLoss": "",
        "reduceOnly": closes,
        "closeOnTrigger": closes and ask.conditional,
        "smpType": "None",
        "placeType": "",
        "createdTime": str(found.at_ms),
        "updatedTime": str(found.updated_ms),
    }
