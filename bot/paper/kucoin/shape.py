"""How does the venue write numbers and rows?

Most numbers are such in its JSON, with all of their digits, and not words.
"""

import json
import re
from decimal import Decimal
from typing import Any

from bot.paper.engine import Engine
from bot.paper.kucoin.listing import face, level, name
from bot.paper.values import ZERO, Contract, Holding, Order

LEGS = ("BOTH", "LONG", "SHORT")
BARE = re.compile(r'"#(-?\d+(?:\.\d+)?)#"')
"""A number that is marked as one, inside JSON."""


def plain(value: Decimal) -> str:
    """Return a number as plain digits, without zeros that say nothing."""
    text = format(value, ".16f")
    return text.rstrip("0").rstrip(".")


def bare(value: Decimal) -> str:
    """Return a number marked to stand in JSON without quotes, digit for digit."""
    return f"#{plain(value)}#"


def written(value: Any) -> str:
    """Return an answer as JSON; what is marked as a number becomes one."""
    return BARE.sub(r"\1", json.dumps(value))


def lots(contract: Contract, size: Decimal) -> Decimal:
    """Return a size as the venue counts it.

    Args:
        contract: Says how many coins a lot is.
        size: [base]
    """
    return size / face(contract)


def position(engine: Engine, holding: Holding, *, adds_margin: bool) -> dict[str, Any]:
    """Return a row of the list of positions."""
    contract, quote = engine.contracts[holding.symbol], engine.quotes[holding.symbol]
    size, profit = abs(holding.amount), engine.profit(holding)
    value, entered = holding.amount * quote.mark, holding.amount * holding.entry
    lever = Decimal(engine.leverage[holding.symbol])
    first = abs(entered) / lever
    number, step = level(contract, size)
    same = {
        "id": f"{holding.symbol}{holding.side}",
        "symbol": name(contract),
        "crossMode": not holding.isolated,
        "delevPercentage": bare(Decimal("0.4")),
        "openingTimestamp": engine.start_ms,
        "currentTimestamp": engine.now_ms,
        "currentQty": bare(lots(contract, holding.amount)),
        "currentCost": bare(entered),
        "currentComm": 0,
        "unrealisedCost": bare(entered),
        "realisedGrossCost": 0,
        "realisedCost": 0,
        "isOpen": True,
        "markPrice": bare(quote.mark),
        "markValue": bare(value),
        "posCost": bare(entered),
        "posInit": bare(first),
        "posMargin": bare(holding.margin if holding.isolated else abs(value) / lever),
        "realisedGrossPnl": 0,
        "realisedPnl": 0,
        "unrealisedPnl": bare(profit),
        "unrealisedPnlPcnt": bare((profit / abs(entered)).quantize(Decimal("0.0001"))),
        "unrealisedRoePcnt": bare((profit / first).quantize(Decimal("0.0001"))),
        "avgEntryPrice": bare(holding.entry),
        "liquidationPrice": bare(max(ZERO, engine.liquidation_price(holding))),
        "bankruptPrice": 0,
        "settleCurrency": contract.asset,
        "isInverse": False,
        "marginMode": "ISOLATED" if holding.isolated else "CROSS",
        "positionSide": holding.side,
        "leverage": bare(lever),
    }
    if not holding.isolated:
        return same
    return same | {
        "autoDeposit": adds_margin,
        "maintMarginReq": bare(step.maintenance),
        "riskLimit": step.value,
        "riskLimitLevel": number,
        "realLeverage": bare((abs(value) / (holding.margin + profit)).quantize(Decimal("0.01")))
        if holding.margin + profit > 0
        else 0,
        "posCross": bare(holding.margin - first),
        "posCrossMargin": 0,
        "posComm": 0,
        "posCommCommon": 0,
        "posLoss": 0,
        "posFunding": 0,
        "posMaint": bare(engine.maintenance(holding)),
        "maintMargin": bare(holding.margin + profit),
        "maintainMargin": bare(step.maintenance),
    }


def order(contract: Contract, found: Order) -> dict[str, Any]:
    """Return an order, whatever its kind."""
    ask, is_stop = found.ask, found.ask.type == "STOP_MARKET"
    is_done = not found.is_open
    return {
        "id": str(found.id),
        "symbol": name(contract),
        "type": "limit" if ask.type == "LIMIT" else "market",
        "side": ask.side.lower(),
        "price": plain(ask.price) if ask.price else None,
        "size": bare(lots(contract, found.size)),
        "value": bare(found.cost),
        "dealValue": bare(found.cost),
        "dealSize": bare(lots(contract, found.filled)),
        "stp": "",
        "stop": {"BUY": "up", "SELL": "down"}[ask.side] if is_stop else "",
        "stopPriceType": ("MP" if ask.on_mark else "TP") if is_stop else "",
        "stopTriggered": is_stop and found.status not in ("NEW", "CANCELED"),
        "stopPrice": plain(ask.stop) if is_stop else None,
        "timeInForce": ask.time_in_force,
        "postOnly": False,
        "hidden": False,
        "iceberg": False,
        "leverage": "1",
        "forceHold": False,
        "closeOrder": ask.close_position,
        "visibleSize": 0,
        "clientOid": found.client_id,
        "remark": None,
        "tags": "",
        "isActive": not is_done,
        "cancelExist": found.status in ("CANCELED", "EXPIRED"),
        "createdAt": found.at_ms,
        "updatedAt": found.updated_ms,
        "endAt": found.updated_ms if is_done else None,
        "orderTime": found.at_ms * 1_000_000,
        "settleCurrency": contract.asset,
        "marginMode": "ISOLATED",
        "avgDealPrice": plain(found.cost / found.filled) if found.filled else "0",
        "filledSize": bare(lots(contract, found.filled)),
        "filledValue": plain(found.cost),
        "status": "done" if is_done else "open",
        "reduceOnly": ask.reduce_only or ask.position_side != "BOTH",
        "positionSide": ask.position_side,
    }


def page(found: list[dict[str, Any]], number: int, size: int) -> dict[str, Any]:
    """Return one page of a list, numbered from 1."""
    return {
        "currentPage": number,
        "pageSize": size,
        "totalNum": len(found),
        "totalPage": -(-len(found) // size),
        "items": found[(number - 1) * size : number * size],
    }
