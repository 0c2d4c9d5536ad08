"""What may be read of an account? Anybody may, who knows its address."""

from collections.abc import Iterator
from typing import Any

from bot.paper.hyperliquid.codes import BodyError
from bot.paper.hyperliquid.room import Request, Room, agent_of
from bot.paper.hyperliquid.shape import SIDES, STATES, order, plain, position
from bot.paper.values import ZERO, Income, Order, Refused

FILLS, PAGE = 2000, 500
"""Rows that one answer has at most."""
HEX = 34
"""Digits of a client's id, with ``0x``."""


def state(room: Room, request: Request) -> Any:
    """Type clearinghouseState."""
    engine, asset = room.engine, room.asset
    own = is_own(room, request)
    crossed, isolated = (room.held(isolated=kind) if own else [] for kind in (False, True))
    cross = engine.cross[asset] if own else ZERO
    worth = cross + sum((engine.profit(h) for h in crossed), ZERO)
    margins = sum((h.margin + engine.profit(h) for h in isolated), ZERO)
    held = [*crossed, *isolated]

    def summary(value: Any, used: Any, some: list[Any]) -> dict[str, Any]:
        signed = [h.amount * engine.quotes[h.symbol].mark for h in some]
        return {
            "accountValue": plain(value),
            "totalNtlPos": plain(sum((abs(one) for one in signed), ZERO)),
            "totalRawUsd": plain(value - sum(signed, ZERO)),
            "totalMarginUsed": plain(used),
        }

    used = sum((engine.initial(h) for h in crossed), ZERO)
    return {
        "marginSummary": summary(worth + margins, used + margins, held),
        "crossMarginSummary": summary(worth, used, crossed),
        "crossMaintenanceMarginUsed": plain(sum((engine.maintenance(h) for h in crossed), ZERO)),
        "withdrawable": plain(engine.available(asset) if own else ZERO),
        "assetPositions": [position(room, holding) for holding in held],
        "time": engine.now_ms,
    }


def spot(room: Room, request: Request) -> Any:
    """Type spotClearinghouseState."""
    total = room.engine.spot[room.asset] if is_own(room, request) else ZERO
    row = {"coin": "USDC", "token": 0, "total": plain(total), "hold": "0.0", "entryNtl": "0.0"}
    return {"balances": [row] if total else []}


def role(room: Room, request: Request) -> Any:
    """Type userRole."""
    wanted = request.text("user").lower()
    if wanted == room.wallet:
        return {"role": "user"}
    if wanted != agent_of(room.keys) or not room.keys.is_valid:
        return {"role": "missing"}
    if room.keys.may_withdraw:
        return {"role": "user"}
    return {"role": "agent", "data": {"user": room.wallet}}


def abstraction(room: Room, request: Request) -> Any:
    """Type userAbstraction."""
    request.text("user")
    return room.abstraction


def fees(room: Room, request: Request) -> Any:
    """Type userFees."""
    request.text("user")
    contracts = room.engine.contracts.values()
    return {
        "dailyUserVlm": [],
        "userCrossRate": plain(max(contract.taker for contract in contracts)),
        "userAddRate": plain(max(contract.maker for contract in contracts)),
        "activeReferralDiscount": "0.0",
    }


def open_orders(room: Room, request: Request) -> Any:
    """Type frontendOpenOrders: newest first."""
    if not is_own(room, request):
        return []
    engine = room.engine
    # What this list knows is as old as the rest of the history.
    return [
        order(engine.contracts[o.ask.symbol], o)
        for o in reversed(engine.orders.values())
        if engine.is_shown(o.at_ms) and (o.is_open or not engine.is_shown(o.updated_ms))
    ]


def order_status(room: Room, request: Request) -> Any:
    """Type orderStatus."""
    found = _found(room, request) if is_own(room, request) else None
    if found is None or not room.engine.is_shown(found.at_ms):
        return {"status": "unknownOid"}
    return {
        "status": "order",
        "order": {
            "order": order(room.engine.contracts[found.ask.symbol], found),
            "status": STATES[found.status],
            "statusTimestamp": found.updated_ms,
        },
    }


def fills(room: Room, request: Request) -> Any:
    """Type userFillsByTime: oldest first."""
    return _page(room, request, _fills(room), FILLS)


def funding(room: Room, request: Request) -> Any:
    """Type userFunding: oldest first."""
    engine = room.engine
    rows = (
        _row(line, {
            "type": "funding", "coin": engine.contracts[line.symbol].base,
            "usdc": plain(line.amount), "szi": "0.0", "fundingRate": "0.0", "nSamples": None,
        })
        for line in engine.income
        if line.type == "FUNDING_FEE"
    )  # fmt: skip
    return _page(room, request, rows, PAGE)


def updates(room: Room, request: Request) -> Any:
    """Type userNonFundingLedgerUpdates: oldest first. Moves of isolated margin are not in it."""
    rows = (
        _row(line, {
            "type": "accountClassTransfer", "usdc": plain(abs(line.amount)),
            "toPerp": line.amount > 0,
        })
        for line in room.engine.income
        if line.type == "TRANSFER"
    )  # fmt: skip
    return _page(room, request, rows, PAGE)


def is_own(room: Room, request: Request) -> bool:
    """Whether the account of this exchange is asked for; every other is empty."""
    return request.text("user").lower() == room.wallet


def _page(room: Room, request: Request, rows: Iterator[dict[str, Any]], most: int) -> Any:
    since, until = request.whole("startTime"), request.whole("endTime", 2**62)
    if not is_own(room, request):
        return []
    shown = (row for row in rows if room.engine.is_shown(row["time"]))
    return [row for row in shown if since <= row["time"] <= until][:most]


def _row(line: Income, delta: dict[str, Any]) -> dict[str, Any]:
    return {"time": line.at_ms, "hash": f"0x{line.id:064x}", "delta": delta}


def _fills(room: Room) -> Iterator[dict[str, Any]]:
    """Yield what was traded, and what the exchange closed by itself."""
    engine, trades = room.engine, iter(room.engine.trades)
    result: Income | None = None
    for line in engine.income:
        if line.type == "COMMISSION":
            trade, result = next(trades), None
            yield _fill(room, line) | {
                "px": plain(trade.price),
                "sz": plain(trade.size),
                "side": SIDES[trade.side],
                "dir": f"{'Close' if trade.profit else 'Open'} {trade.side}",
                "closedPnl": plain(trade.profit),
                "oid": trade.order_id,
                "crossed": not trade.maker,
                "fee": plain(trade.fee),
                "tid": trade.id,
            }
            continue
        if result is not None:
            yield _taken(room, result)
        result = line if line.type == "REALIZED_PNL" else None
        if line.type == "INSURANCE_CLEAR":
            yield _taken(room, line)
    if result is not None:
        yield _taken(room, result)


def _taken(room: Room, line: Income) -> dict[str, Any]:
    """Return what the exchange did with a position, as a fill."""
    mark = plain(room.engine.quotes[line.symbol].mark)
    return _fill(room, line) | {
        "closedPnl": plain(line.amount),
        "dir": "Liquidated Isolated",
        "liquidation": {"liquidatedUser": room.wallet, "markPx": mark, "method": "market"},
    }


def _fill(room: Room, line: Income) -> dict[str, Any]:
    contract = room.engine.contracts[line.symbol]
    return {
        "coin": contract.base,
        "px": plain(room.engine.quotes[line.symbol].mark),
        "sz": "0.0",
        "side": "A",
        "time": line.at_ms,
        "startPosition": "0.0",
        "dir": "",
        "closedPnl": "0.0",
        "hash": f"0x{line.id:064x}",
        "oid": line.id,
        "crossed": True,
        "fee": "0.0",
        "tid": line.id,
        "feeToken": "USDC",
    }


def _found(room: Room, request: Request) -> Order | None:
    wanted = request.parameters.get("oid")
    try:
        if isinstance(wanted, str) and len(wanted) == HEX:
            return room.engine.order(client_id=wanted)
        if isinstance(wanted, int) and not isinstance(wanted, bool):
            return room.engine.order(order_id=wanted)
    except Refused:
        return None
    raise BodyError("oid")
