"""How does the venue write numbers and rows?"""

from decimal import Decimal
from typing import Any

from bot.paper.binance.family import counted
from bot.paper.digits import fixed, plain
from bot.paper.engine import Engine
from bot.paper.values import ZERO, Contract, Holding, Kind, Order

ALGO_STATUS = {
    "NEW": "NEW", "CANCELED": "CANCELED", "FILLED": "FINISHED", "PARTIALLY_FILLED": "TRIGGERED",
    "EXPIRED": "FINISHED",
}  # fmt: skip
"""What became of a conditional order: once it has fired it is finished, filled or not."""


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
    row = _settings(engine, contract, holding) | {
        "maxNotionalValue": plain(contract.brackets[-1].cap),
        "notional": "0",
        "isolatedWallet": "0",
    }
    if holding is not None:
        new = position(engine, holding)
        row |= {name: new[name] for name in row if name in new}
    return row


def coin_position(
    engine: Engine, contract: Contract, holding: Holding | None, *, side: str = "BOTH"
) -> dict[str, Any]:
    """Return a row of positionRisk at dapi; symbols without a position are listed as well."""
    row = _settings(engine, contract, holding) | {
        "positionSide": side,
        "breakEvenPrice": "0.0",
        "maxQty": plain(contract.brackets[-1].cap),
        "notionalValue": "0",
    }
    if holding is None:
        return row
    quote = engine.quotes[contract.id]
    profit = engine.profit(holding)
    own = holding.margin + profit if holding.isolated else ZERO
    worth = contract.worth(holding.amount, quote.mark)
    return row | {
        "positionAmt": plain(counted(contract, holding.amount)),
        "entryPrice": fixed(holding.entry),
        "breakEvenPrice": fixed(holding.entry),
        "unRealizedProfit": fixed(profit),
        "liquidationPrice": fixed(engine.liquidation_price(holding)),
        "isolatedMargin": fixed(own),
        "notionalValue": fixed(worth),
        "updateTime": holding.updated_ms,
    }


def _settings(engine: Engine, contract: Contract, holding: Holding | None) -> dict[str, Any]:
    """Return what a row of a symbol says while nothing of it is held."""
    quote = engine.quotes[contract.id]
    isolated = engine.isolated[contract.id] if holding is None else holding.isolated
    return {
        "symbol": contract.id,
        "leverage": str(engine.leverage[contract.id]),
        "marginType": "isolated" if isolated else "cross",
        "isAutoAddMargin": "false",
        "markPrice": fixed(quote.mark),
        "positionSide": "BOTH",
        "positionAmt": "0",
        "entryPrice": "0.0",
        "unRealizedProfit": "0.00000000",
        "liquidationPrice": "0",
        "isolatedMargin": "0.00000000",
        "updateTime": 0,
    }


def order(found: Order, contract: Contract) -> dict[str, Any]:
    """Return an order."""
    if contract.kind is Kind.INVERSE:
        average = found.filled / found.cost if found.filled else ZERO
        own = {"pair": f"{contract.base}{contract.quote}", "cumBase": fixed(found.cost)}
    else:
        average = found.cost / found.filled if found.filled else ZERO
        own = {"cumQuote": fixed(found.cost)}
    return _order(found, contract) | own | {"avgPrice": fixed(average)}


def acknowledged(found: Order, contract: Contract) -> dict[str, Any]:
    """Return an order as dapi answers to one that was just placed: without what it cost."""
    return _order(found, contract) | {"pair": f"{contract.base}{contract.quote}"}


def _order(found: Order, contract: Contract) -> dict[str, Any]:
    ask = found.ask
    filled = plain(counted(contract, found.filled))
    return {
        "orderId": found.id,
        "symbol": ask.symbol,
        "status": found.status,
        "clientOrderId": found.client_id,
        "price": plain(ask.price),
        "origQty": plain(counted(contract, found.size)),
        "executedQty": filled,
        "cumQty": filled,
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


def algo_order(found: Order, contract: Contract) -> dict[str, Any]:
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
        "quantity": plain(counted(contract, found.size)),
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
