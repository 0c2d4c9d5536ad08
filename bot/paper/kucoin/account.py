"""What may the owner of the account read and set, and how is margin moved?"""

from decimal import Decimal
from typing import Any

from bot.paper.kucoin.codes import REPEATED, WireError, nothing, wrong
from bot.paper.kucoin.history import RUNNING, ledger_of, payments_of
from bot.paper.kucoin.listing import named
from bot.paper.kucoin.request import Request
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.shape import LEGS, bare, plain, position
from bot.paper.values import ZERO, Contract, Holding, Reason, Refused

MOST = 50
"""Lines of the ledger in one answer."""
AMOUNTS = (
    "accountEquity", "unrealisedPNL", "marginBalance", "positionMargin", "orderMargin",
    "frozenFunds", "availableBalance", "maxWithdrawAmount", "availableMargin",
)  # fmt: skip


def mode(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/ua/v1/account/mode."""
    del request
    return {"selfAccountMode": "UNIFIED" if room.is_unified else "CLASSIC"}


def api_key(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/user/api-key."""
    del request
    rights = "General,Spot,Futures,InnerTransfer"
    return {
        "remark": "paper",
        "apiKey": room.keys.key,
        "apiVersion": 3,
        "permission": f"{rights},Transfer" if room.keys.may_withdraw else rights,
        "ipWhitelist": "127.0.0.1",
        "createdAt": 1728443843000,
        "uid": 1,
        "isMaster": False,
    }


def overview(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/account-overview: of one currency."""
    engine, asset = room.engine, request.text("currency", "XBT")
    if asset not in engine.cross:
        zero = dict.fromkeys((*AMOUNTS, "riskRatio"), 0)
        return {**zero, "currency": asset}
    held = engine.settled_in(asset)
    profit = sum((engine.profit(h) for h in held), ZERO)
    behind = sum((h.margin if h.isolated else engine.initial(h) for h in held), ZERO)
    free, ordered = engine.available(asset), engine.order_initial(asset)
    amounts = {
        "accountEquity": engine.equity(asset),
        "unrealisedPNL": profit,
        "marginBalance": engine.wallet_balance(asset),
        "positionMargin": behind + profit,
        "orderMargin": ordered,
        "frozenFunds": ZERO,
        "availableBalance": free,
        "maxWithdrawAmount": free,
        "availableMargin": free,
    }
    return {
        **{key: bare(value) for key, value in amounts.items()},
        "currency": asset,
        "riskRatio": 0,
    }


def positions(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v1/positions."""
    wanted = request.optional("currency")
    rows = [_row(room, holding) for holding in room.engine.holdings.values()]
    return [row for row in rows if wanted in (None, row["settleCurrency"])]


def position_mode(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/position/getPositionMode."""
    del request
    return {"positionMode": int(room.engine.hedge_mode)}


def switch_position_mode(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/position/switchPositionMode."""
    hedge = request.choice("positionMode", ("0", "1")) == "1"
    if hedge != room.engine.hedge_mode:
        room.engine.set_hedge_mode(hedge=hedge)
    return {"positionMode": int(hedge)}


def deposit_margin(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v1/position/margin/deposit-margin: a name is processed once."""
    contract, leg = _leg(room, request)
    amount, name = _amount(request, "margin"), request.name("bizNo")
    if name in room.moves:
        raise WireError(REPEATED, "bizNo parameter repeated")
    _move(room, contract, leg, amount, add=True)
    room.moves.add(name)
    return _row(room, room.engine.holdings[contract.id, leg])


def withdraw_margin(room: Room, request: Request) -> str:
    """POST /api/v1/margin/withdrawMargin: what was taken out is the whole answer."""
    contract, leg = _leg(room, request)
    amount = _amount(request, "withdrawAmount")
    _move(room, contract, leg, amount, add=False)
    return plain(amount)


def max_withdraw_margin(room: Room, request: Request) -> str:
    """GET /api/v1/margin/maxWithdrawMargin."""
    contract, leg = _leg(room, request)
    holding = room.engine.holdings.get((contract.id, leg))
    if holding is None:
        raise nothing("Position does not exist")
    return plain(room.engine.removable(holding))


def ledger(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/transaction-history: newest first, what is running before all else."""
    since, until = request.whole("startAt", "0"), request.whole("endAt", str(2**53))
    most, older = request.whole("maxCount", str(MOST)), request.optional("offset")
    if not 1 <= most <= MOST:
        raise wrong("maxCount")
    wanted = {"currency": request.optional("currency"), "type": request.optional("type")}
    found = [
        row
        for row in ledger_of(room)
        if since <= row["time"] <= until
        # What is running has no place in the order: it is on the first page alone.
        and (older is None or RUNNING < row["offset"] < request.whole("offset"))
        and all(value in (None, row[key]) for key, value in wanted.items())
    ]
    return {"hasMore": len(found) > most, "dataList": found[:most]}


def funding_history(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/funding-history: of one contract, newest first."""
    contract = named(room.contracts(), request.text("symbol"))
    since, until = request.whole("startAt", "0"), request.whole("endAt", str(2**53))
    most, older = request.whole("maxCount", str(MOST)), request.whole("offset", str(2**53))
    if not 1 <= most <= MOST:
        raise wrong("maxCount")
    found = [
        row
        for row in payments_of(room, contract)
        if since <= row["timePoint"] <= until and row["offset"] < older
    ]
    return {"hasMore": len(found) > most, "dataList": found[:most]}


def _row(room: Room, holding: Holding) -> dict[str, Any]:
    adds = holding.symbol in room.adds_margin
    return position(room.engine, holding, adds_margin=adds)


def _leg(room: Room, request: Request) -> tuple[Contract, str]:
    contract = named(room.contracts(), request.text("symbol"))
    leg = request.choice("positionSide", LEGS, "BOTH")
    if (leg != "BOTH") != room.engine.hedge_mode:
        raise wrong("positionSide")
    return contract, leg


def _amount(request: Request, key: str) -> Decimal:
    amount = request.decimal(key)
    if amount <= 0:
        raise wrong(key)
    return amount


def _move(room: Room, contract: Contract, leg: str, amount: Decimal, *, add: bool) -> None:
    try:
        room.engine.move_margin(contract.id, leg, amount, add=add)
    except Refused as refused:
        if refused.reason is Reason.NO_POSITION:
            raise nothing("Position does not exist") from refused
        raise
