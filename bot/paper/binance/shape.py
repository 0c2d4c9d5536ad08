"""How does the venue write numbers and rows?"""

from decimal import Decimal
from typing import Any

from bot.paper.engine import Engine
from bot.paper.values import Contract, Holding, Order

EIGHT = Decimal("0.00000001")
ALGO_STATUS = {
    "NEW": "NEW", "CANCELED": "CANCELED", "FILLED": "FINISHED", "PARTIALLY_FILLED": "TRIGGERED",
    "EXPIRED": "FINISHED",
}  # fmt: skip
"""What became of a conditional order: once it has fired it is finished, filled or not."""


def fixed(value: Decimal) -> str:
    """Return a number with eight decimals."""
    return format(value.quantize(EIGHT), "f")


def plain(value: Decimal) -> str:
    """Return a number as plain digits."""
    return format(value, "f")


def places(step: Decimal) -> int:
    """Return the decimals of a step."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def position(engine: Engine, holding: Holding) -> dict[str, Any]:
    """Return a row of v3/positionRisk."""
    quote = engine.quotes[holding.symbol]
    profit = engine.profit(holding)
    initial = engine.initial(holding)
    own = holding.margin + profit if holding.isolated else Decimal(0)
    return {
        "symbol": holding.symbol,
        "positionSide": holding.side,
        "positionAmt": plain(holding.amount),
        "entryPrice": fixed(holding.entry),
        "breakEvenPrice": fixed(holding.entry),
        "markPrice": fixed(quote.mark),
        "unRealizedProfit": fixed(profit),
        "liquidationPrice": fixed(engine.liquidation_price(holding)),
        "isolatedMargin": fixed(own),
        "notional": fixed(holding.amount * quote.mark),
        "marginAsset": engine.contracts[holding.symbol].asset,
        "isolatedWallet": fixed(holding.margin),
        "initialMargin": fixed(initial),
        "maintMargin": fixed(engine.maintenance(holding)),
        "positionInitialMargin": fixed(initial),
        "openOrderInitialMargin": "0",
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": holding.updated_ms,
    }


def old_position(engine: Engine, contract: Contract, holding: Holding | None) -> dict[str, Any]:
    """Return a row of v2/positionRisk; symbols without a position are listed as well."""
    quote = engine.quotes[contract.id]
    isolated = engine.isolated[contract.id] if holding is None else holding.isolated
    row = {
        "symbol": contract.id,
        "leverage": str(engine.leverage[contract.id]),
        "marginType": "isolated" if isolated else "cross",
        "isAutoAddMargin": "false",
        "maxNotionalValue": plain(contract.brackets[-1].cap),
        "markPrice": fixed(quote.mark),
        "positionSide": "BOTH",
        "positionAmt": "0",
        "entryPrice": "0.0",
        "unRealizedProfit": "0.00000000",
        "liquidationPrice": "0",
        "isolatedMargin": "0.00000000",
        "notional": "0",
        "isolatedWallet": "0",
        "updateTime": 0,
    }
    if holding is not None:
        new = position(engine, holding)
        row |= {name: new[name] for name in row if name in new}
    return row


def order(found: Order) -> dict[str, Any]:
    """Return an order."""
    ask = found.ask
    average = found.cost / found.filled if found.filled else Decimal(0)
    return {
        "orderId": found.id,
        "symbol": ask.symbol,
        "status": found.status,
        "clientOrderId": found.client_id,
        "price": plain(ask.price),
        "avgPrice": fixed(average),
        "origQty": plain(found.size),
        "executedQty": plain(found.filled),
        "cumQty": plain(found.filled),
        "cumQuote": fixed(found.cost),
        "timeInForce": ask.time_in_force,
        "type": ask.type,
        "reduceOnly": ask.reduce_only,
        "closePosition": ask.close_position,
        "side": ask.side,
        "positionSide": ask.position_side,
        "stopPrice": plain(ask.stop),
        "workingType": "MARK_PRICE" if ask.on_mark else "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": ask.type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": found.at_ms,
        "updateTime": found.updated_ms,
    }


def algo_order(found: Order) -> dict[str, Any]:
    """Return a conditional order as its own endpoints list it."""
    ask = found.ask
    return {
        "algoId": found.id,
        "clientAlgoId": found.client_id,
        "algoType": "CONDITIONAL",
        "orderType": ask.type,
        "symbol": ask.symbol,
        "side": ask.side,
        "positionSide": ask.position_side,
        "timeInForce": ask.time_in_force,
        "quantity": plain(found.size),
        "algoStatus": ALGO_STATUS[found.status],
        "triggerPrice": plain(ask.stop),
        "price": plain(ask.price),
        "workingType": "MARK_PRICE" if ask.on_mark else "CONTRACT_PRICE",
        "closePosition": ask.close_position,
        "priceProtect": False,
        "reduceOnly": ask.reduce_only,
        "createTime": found.at_ms,
        "updateTime": found.updated_ms,
        "triggerTime": 0,
        "goodTillDate": 0,
    }
