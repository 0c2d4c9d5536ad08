"""How does the venue write numbers and rows?"""

from decimal import Decimal
from typing import Any

from bot.paper.engine import Engine
from bot.paper.gate.listing import bracket, face, name
from bot.paper.values import Contract, Holding, Order, Trade, by_worth

MODES = {"BOTH": "single", "LONG": "dual_long", "SHORT": "dual_short"}
PREFIX = "t-"
"""Of the names that clients give."""
ENDS = {"FILLED": "filled", "EXPIRED": "ioc", "CANCELED": "cancelled"}
NO_PRICE = "99999999"
"""Stands where a short has no liquidation price."""


def plain(value: Decimal) -> str:
    """Return a number as plain digits, without zeros that say nothing."""
    text = format(value, ".12f").rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def seconds(at_ms: int) -> float:
    """Return an instant in the venue's seconds. [s]."""
    return at_ms / 1000


def contracts(contract: Contract, size: Decimal) -> str:
    """Return a size in contracts.

    Args:
        contract: Says how many coins one is.
        size: [base]
    """
    return plain(size / face(contract))


def position(engine: Engine, holding: Holding) -> dict[str, Any]:
    """Return a row of positions."""
    contract, quote = engine.contracts[holding.symbol], engine.quotes[holding.symbol]
    size, lever = abs(holding.amount), engine.leverage[holding.symbol]
    value, step = size * quote.mark, bracket(contract, size, quote.mark)
    maintenance = by_worth(contract, size, quote.mark)
    return {
        "adl_ranking": 5,
        "average_maintenance_rate": plain(maintenance / value),
        "close_order": None,
        "contract": name(contract),
        "cross_leverage_limit": "0" if holding.isolated else str(lever),
        "entry_price": plain(holding.entry),
        "history_pnl": "0",
        "history_point": "0",
        "initial_margin": plain(value / lever),
        "last_close_pnl": "0",
        "lever": str(lever),
        "leverage": str(lever) if holding.isolated else "0",
        "leverage_max": str(step.leverage),
        "liq_price": _liquidation(engine, holding),
        "maintenance_margin": plain(maintenance),
        "maintenance_rate": plain(step.rate),
        "margin": plain(holding.margin),
        "mark_price": plain(quote.mark),
        "mode": MODES[holding.side],
        "open_time": engine.start_ms // 1000,
        "pending_orders": 0,
        "pid": 0,
        "pnl_fee": "0",
        "pnl_fund": "0",
        "pnl_pnl": "0",
        "pos_margin_mode": "isolated" if holding.isolated else "cross",
        "realised_pnl": "0",
        "realised_point": "0",
        "risk_limit": plain(step.cap),
        "risk_limit_table": f"{name(contract)}_PAPER",
        "size": contracts(contract, holding.amount),
        "unrealised_pnl": plain(engine.profit(holding)),
        "update_id": holding.updated_ms,
        "update_time": holding.updated_ms // 1000,
        "user": 1,
        "value": plain(value),
    }


def nothing(engine: Engine, contract: Contract, side: str) -> dict[str, Any]:
    """Return the row of a position that is not held."""
    quote = engine.quotes[contract.id]
    is_isolated, lever = engine.isolated[contract.id], str(engine.leverage[contract.id])
    zero = dict.fromkeys(
        (
            "average_maintenance_rate", "entry_price", "initial_margin", "liq_price",
            "maintenance_margin", "margin", "realised_pnl", "size", "unrealised_pnl", "value",
        ),
        "0",
    )  # fmt: skip
    return zero | {
        "adl_ranking": 6,
        "contract": name(contract),
        "lever": lever,
        "leverage": lever if is_isolated else "0",
        "leverage_max": str(contract.brackets[0].leverage),
        "maintenance_rate": plain(contract.brackets[0].rate),
        "mark_price": plain(quote.mark),
        "mode": MODES[side],
        "pos_margin_mode": "isolated" if is_isolated else "cross",
    }


def _liquidation(engine: Engine, holding: Holding) -> str:
    price, tick = engine.liquidation_price(holding), engine.contracts[holding.symbol].tick
    if price <= 0:
        return "0" if holding.amount > 0 else NO_PRICE
    return plain((price / tick).quantize(Decimal(1)) * tick)


def order(contract: Contract, found: Order, *, hedge: bool) -> dict[str, Any]:
    """Return an order."""
    ask = found.ask
    sign = 1 if ask.side == "BUY" else -1
    average = found.cost / found.filled if found.filled else Decimal(0)
    row: dict[str, Any] = {
        "contract": name(contract),
        "create_time": seconds(found.at_ms),
        "fill_price": plain(average),
        "iceberg": "0",
        "id": found.id,
        "is_close": False,
        "is_liq": False,
        "is_reduce_only": ask.reduce_only or (hedge and closes(ask.position_side, ask.side)),
        "left": contracts(contract, sign * (found.size - found.filled)),
        "mkfr": plain(contract.maker),
        "price": plain(ask.price),
        "refu": 0,
        "size": contracts(contract, sign * found.size),
        "status": "open" if found.is_open else "finished",
        "stp_act": "-",
        "stp_id": 0,
        "text": PREFIX + found.client_id,
        "tif": ask.time_in_force.lower(),
        "tkfr": plain(contract.taker),
        "update_time": seconds(found.updated_ms),
        "user": 1,
    }
    if not found.is_open:
        row |= {"finish_as": ENDS[found.status], "finish_time": seconds(found.updated_ms)}
    return row


def closes(leg: str, side: str) -> bool:
    """Whether an order of a side can only shrink a leg."""
    return (leg, side) in {("LONG", "SELL"), ("SHORT", "BUY")}


def trade(contract: Contract, found: Trade, name_of: str) -> dict[str, Any]:
    """Return a fill."""
    sign = 1 if found.side == "BUY" else -1
    return {
        "close_size": "0",
        "contract": name(contract),
        "create_time": seconds(found.at_ms),
        "fee": plain(found.fee),
        "order_id": str(found.order_id),
        "point_fee": "0",
        "price": plain(found.price),
        "role": "maker" if found.maker else "taker",
        "size": contracts(contract, sign * found.size),
        "text": PREFIX + name_of,
        "trade_id": str(found.id),
    }


def price_order(contract: Contract, found: Order, *, hedge: bool) -> dict[str, Any]:
    """Return a price-triggered order."""
    ask = found.ask
    side = "long" if ask.side == "SELL" else "short"
    sign = -1 if ask.side == "SELL" else 1
    whole = ask.close_position
    return {
        "create_time": found.at_ms // 1000,
        "finish_as": "" if found.is_open else _finish(found),
        "finish_time": 0 if found.is_open else found.updated_ms // 1000,
        "id": found.id,
        "id_string": str(found.id),
        "initial": {
            "auto_size": f"close_{side}" if hedge and whole else "",
            "contract": name(contract),
            "iceberg": 0,
            "is_close": whole and not hedge,
            "is_reduce_only": True,
            "price": "0",
            "size": 0 if whole else int(sign * ask.size / face(contract)),
            "text": PREFIX + found.client_id,
            "tif": "ioc",
        },
        "is_stop_order": False,
        "me_order_id": 0,
        "order_type": f"close-{side}-position" if whole else f"plan-close-{side}-position",
        "reason": "",
        "status": "open" if found.is_open else "finished",
        "trade_id": 0,
        "trigger": {
            "expiration": 0,
            "price": plain(ask.stop),
            "price_type": 1 if ask.on_mark else 0,
            "rule": 2 if ask.side == "SELL" else 1,
            "strategy_type": 0,
        },
        "user": 1,
    }


def _finish(found: Order) -> str:
    return {"CANCELED": "cancelled", "EXPIRED": "failed"}.get(found.status, "succeeded")
