"""What may the owner of the account read and set?"""

from decimal import Decimal
from typing import Any

from bot.paper.okx.bills import bills_of
from bot.paper.okx.codes import WireError, wrong
from bot.paper.okx.listing import named
from bot.paper.okx.request import Request
from bot.paper.okx.room import Room
from bot.paper.okx.shape import LEGS, contracts, plain, position, total
from bot.paper.values import Contract, Holding, Reason, Refused

PAGE = 100
KINDS = ("MARGIN", "SWAP", "FUTURES", "OPTION")


def config(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/account/config."""
    del request
    return [
        {
            "acctLv": room.level,
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "enableSpotBorrow": False,
            "greeksType": "PA",
            "ip": "",
            "kycLv": "3",
            "label": "paper",
            "level": "Lv1",
            "mainUid": "1",
            "mgnIsoMode": "automatic",
            "opAuth": "0",
            "perm": "read_only,withdraw,trade" if room.keys.may_withdraw else "read_only,trade",
            "posMode": "long_short_mode" if room.engine.hedge_mode else "net_mode",
            "roleType": "0",
            "settleCcy": "",
            "spotRoleType": "0",
            "type": "0",
            "uid": "1",
        }
    ]


def balance(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/account/balance: a currency of which nothing is there is not listed."""
    wanted, engine = request.optional("ccy"), room.engine
    rows = [row for ccy in engine.cross if (row := _currency(room, ccy)) is not None]
    if wanted is not None:
        rows = [row for row in rows if row["ccy"] in wanted.split(",")]
    return [
        {
            "adjEq": "",
            "details": rows,
            "imr": "",
            "isoEq": plain(
                total([_dollars(room, ccy, _isolated(room, ccy)) for ccy in engine.cross])
            ),
            "mgnRatio": "",
            "mmr": "",
            "notionalUsd": "",
            "ordFroz": "",
            "totalEq": plain(total([_dollars(room, c, _equity(room, c)) for c in engine.cross])),
            "uTime": str(room.engine.now_ms),
            "upl": "",
        }
    ]


def positions(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/account/positions."""
    kind, wanted = request.choice("instType", KINDS, "SWAP"), request.optional("instId")
    if kind != "SWAP":
        return []
    rows = [position(room.engine, holding) for holding in _held(room)]
    return [row for row in rows if wanted in (None, row["instId"])]


def risk(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/account/account-position-risk: of one instant."""
    request.choice("instType", KINDS, "SWAP")
    return [
        {
            "adjEq": "",
            "balData": [
                {"ccy": ccy, "disEq": plain(equity), "eq": plain(equity)}
                for ccy in room.engine.cross
                if (equity := _equity(room, ccy))
            ],
            "posData": [_risk(room, holding) for holding in _held(room)],
            "ts": str(room.engine.now_ms),
        }
    ]


def move_margin(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /api/v5/account/position/margin-balance."""
    engine = room.engine
    contract = named(engine.contracts, request.text("instId"))
    word = request.choice("posSide", tuple(LEGS))
    if (word != "net") != engine.hedge_mode:
        raise wrong("posSide")
    kind, amount = request.choice("type", ("add", "reduce")), request.decimal("amt")
    if amount <= 0:
        raise wrong("amt")
    try:
        engine.move_margin(contract.id, LEGS[word], amount, add=kind == "add")
    except Refused as refused:
        if refused.reason is Reason.NO_POSITION:
            raise WireError(59300, "Margin call failed. Position does not exist.") from refused
        if refused.reason is Reason.NOT_REMOVABLE:
            raise WireError(
                59301, "Margin adjustment failed for exceeding the max limit."
            ) from refused
        if refused.reason is Reason.INSUFFICIENT_BALANCE:
            raise WireError(
                51119, "Order placement failed due to insufficient balance."
            ) from refused
        raise
    return [
        {
            "amt": plain(amount),
            "ccy": contract.asset,
            "instId": request.text("instId"),
            "leverage": str(engine.leverage[contract.id]),
            "posSide": word,
            "type": kind,
        }
    ]


def bills(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/account/bills, also bills-archive: newest first."""
    since, until = request.whole("begin", "0"), request.whole("end", str(2**53))
    limit = request.whole("limit", str(PAGE))
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    older = request.whole("after", str(2**63))
    wanted = {key: request.optional(key) for key in ("type", "subType", "instId", "ccy")}
    rows = [
        row
        for row in bills_of(room.engine)
        if since <= int(row["ts"]) <= until
        and int(row["billId"]) < older
        and all(value is None or row[key] == value for key, value in wanted.items())
        and room.engine.is_shown(int(row["ts"]))
    ]
    return rows[:limit]


def trade_fee(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/account/trade-fee."""
    request.choice("instType", ("SWAP",))
    taker = max(contract.taker for contract in room.contracts())
    maker = max(contract.maker for contract in room.contracts())
    return [
        {
            "category": "1",
            "delivery": "",
            "exercise": "",
            "feeGroup": [],
            "instType": "SWAP",
            "level": "Lv1",
            "maker": plain(-maker),
            "makerU": plain(-maker),
            "makerUSDC": plain(-maker),
            "taker": plain(-taker),
            "takerU": plain(-taker),
            "takerUSDC": plain(-taker),
            "ts": str(room.engine.now_ms),
        }
    ]


def set_leverage(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /api/v5/account/set-leverage."""
    contract = named(room.engine.contracts, request.text("instId"))
    mode = request.choice("mgnMode", ("isolated", "cross"))
    lever = request.whole("lever")
    room.engine.set_leverage(contract.id, lever)
    return [
        {
            "instId": request.text("instId"),
            "lever": str(lever),
            "mgnMode": mode,
            "posSide": request.text("posSide", ""),
        }
    ]


def set_position_mode(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /api/v5/account/set-position-mode."""
    mode = request.choice("posMode", ("long_short_mode", "net_mode"))
    if (mode == "long_short_mode") != room.engine.hedge_mode:
        room.engine.set_hedge_mode(hedge=mode == "long_short_mode")
    return [{"posMode": mode}]


def _held(room: Room) -> list[Holding]:
    return list(room.engine.holdings.values())


def _equity(room: Room, ccy: str) -> Decimal:
    return room.engine.equity(ccy)


def _isolated(room: Room, ccy: str) -> Decimal:
    """Return what isolated positions that settle in a currency are worth. [settle]."""
    engine = room.engine
    return total([h.margin + engine.profit(h) for h in engine.settled_in(ccy) if h.isolated])


def _dollars(room: Room, ccy: str, amount: Decimal) -> Decimal:
    """Return what an amount is worth: a coin by the mark of a contract of it."""
    engine = room.engine
    marks = [engine.quotes[c.id].mark for c in engine.contracts.values() if c.base == ccy]
    return amount * marks[0] if marks else amount


def _currency(room: Room, ccy: str) -> dict[str, Any] | None:
    engine = room.engine
    cash, equity, free = engine.cross[ccy], _equity(room, ccy), engine.available(ccy)
    if not cash and not equity:
        return None
    held = engine.settled_in(ccy)
    isolated = [h for h in held if h.isolated]
    crossed = [h for h in held if not h.isolated]
    return {
        "accAvgPx": "",
        "availBal": plain(free),
        "availEq": plain(free),
        "borrowFroz": "",
        "cashBal": plain(cash),
        "ccy": ccy,
        "crossLiab": "",
        "disEq": plain(_dollars(room, ccy, equity)),
        "eq": plain(equity),
        "eqUsd": plain(_dollars(room, ccy, equity)),
        "frozenBal": plain(equity - free),
        "imr": plain(total([engine.initial(h) for h in crossed])) if crossed else "",
        "interest": "",
        "isoEq": plain(_isolated(room, ccy)),
        "isoLiab": "",
        "isoUpl": plain(total([engine.profit(h) for h in isolated])),
        "liab": "",
        "maxLoan": "",
        "mgnRatio": "",
        "mmr": plain(total([engine.maintenance(h) for h in crossed])) if crossed else "",
        "notionalLever": "",
        "ordFrozen": plain(engine.order_initial(ccy)),
        "stgyEq": "0",
        "twap": "0",
        "uTime": str(engine.now_ms),
        "upl": plain(total([engine.profit(h) for h in held])),
        "uplLiab": "",
    }


def _risk(room: Room, holding: Holding) -> dict[str, Any]:
    row = position(room.engine, holding)
    same = ("ccy", "instId", "instType", "mgnMode", "notionalUsd", "pos", "posCcy", "posId")
    contract: Contract = room.engine.contracts[holding.symbol]
    return {key: row[key] for key in (*same, "posSide")} | {
        "baseBal": "",
        "notionalCcy": contracts(contract, abs(holding.amount)),
        "quoteBal": "",
    }
