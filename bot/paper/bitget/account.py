"""What may the owner of the account read and set?"""

from decimal import Decimal
from typing import Any

from bot.paper.bitget.bills import bills_of
from bot.paper.bitget.codes import WireError, wrong
from bot.paper.bitget.listing import COIN, PRODUCT, contract_of, product
from bot.paper.bitget.request import Request
from bot.paper.bitget.room import Room
from bot.paper.bitget.shape import margin_mode, mode, plain, position, total
from bot.paper.values import Contract

PAGE = 100
LONGEST_SPAN_MS = 30 * 86_400_000
LEGS = {"long": "LONG", "short": "SHORT"}
MODES = {"hedge_mode": True, "one_way_mode": False}


def info(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/spot/account/info: what the key may do, in the venue's short words."""
    del request
    rights = ["coow", "coor", "cpow", "cpor", "stor", "wtow", "wtor"]
    return {
        "userId": "1",
        "inviterId": "",
        "ips": "",
        "authorities": [*rights, *(["wwow"] if room.keys.may_withdraw else [])],
        "parentId": 1,
        "traderType": "not_trader",
        "channelCode": "",
        "channel": "",
        "regisTime": "1597026383085",
    }


def positions(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/position/all-position."""
    if product(request) != PRODUCT or request.text("marginCoin", COIN).upper() != COIN:
        return []
    return [position(room.engine, holding) | {"assetMode": room.assets} for holding in room.held()]


def accounts(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/account/accounts: one row, also where nothing is there."""
    return [_account(room)] if product(request) == PRODUCT else []


def account(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/mix/account/account: the same, and the settings of a contract."""
    contract = contract_of(room.engine.contracts, request)
    if request.text("marginCoin").upper() != COIN:
        raise wrong("marginCoin")
    lever = room.engine.leverage[contract.id]
    return _account(room) | {
        "crossedMarginLeverage": lever,
        "isolatedLongLever": lever,
        "isolatedShortLever": lever,
        "marginMode": margin_mode(isolated=room.engine.isolated[contract.id]),
        "posMode": mode(room.engine),
    }


def set_margin(room: Room, request: Request) -> str:
    """POST /api/v2/mix/account/set-margin: one signed amount, and nothing is told of it."""
    engine, contract = room.engine, _contract(room, request)
    word, amount = request.choice("holdSide", tuple(LEGS)), request.decimal("amount")
    if amount == 0:
        raise wrong("amount")
    side = LEGS[word] if engine.hedge_mode else "BOTH"
    holding = engine.holdings.get((contract.id, side))
    if holding is None or (holding.amount > 0) != (word == "long"):
        raise WireError(40802, "Position is zero and direct margin call is not allowed")
    engine.move_margin(contract.id, side, abs(amount), add=amount > 0)
    return ""


def bills(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/mix/account/bill: newest first."""
    if product(request) != PRODUCT:
        return {"bills": [], "endId": ""}
    now_ms = room.engine.now_ms
    until = request.whole("endTime", str(now_ms))
    since = request.whole("startTime", str(until - LONGEST_SPAN_MS))
    if until - since > LONGEST_SPAN_MS:
        raise WireError(1, "startTime and endTime interval cannot be greater than 30 days")
    limit, older = request.whole("limit", "20"), request.whole("idLessThan", str(2**63))
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    wanted = request.optional("businessType")
    found = [
        row
        for row in bills_of(room.engine)
        if since <= int(row["cTime"]) <= until
        and int(row["billId"]) < older
        and wanted in (None, row["businessType"])
        and room.engine.is_shown(int(row["cTime"]))
    ][:limit]
    return {"bills": found, "endId": found[-1]["billId"] if found else ""}


def set_leverage(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/mix/account/set-leverage."""
    contract, lever = _contract(room, request), request.whole("leverage")
    room.engine.set_leverage(contract.id, lever)
    return {
        "symbol": contract.id,
        "marginCoin": COIN,
        "longLeverage": str(lever),
        "shortLeverage": str(lever),
        "crossMarginLeverage": "",
        "marginMode": margin_mode(isolated=room.engine.isolated[contract.id]),
    }


def set_position_mode(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/mix/account/set-position-mode."""
    if product(request) != PRODUCT:
        raise wrong("productType")
    word = request.choice("posMode", tuple(MODES))
    if MODES[word] != room.engine.hedge_mode:
        room.engine.set_hedge_mode(hedge=MODES[word])
    return {"posMode": word}


def _contract(room: Room, request: Request) -> Contract:
    if request.text("marginCoin") != COIN:  # in capitals, says the venue
        raise wrong("marginCoin")
    return contract_of(room.engine.contracts, request)


def _account(room: Room) -> dict[str, Any]:
    engine, held = room.engine, room.held()
    isolated = [holding for holding in held if holding.isolated]
    crossed = [holding for holding in held if not holding.isolated]
    free, equity = plain(engine.available(COIN)), plain(engine.equity(COIN))
    ordered = _ordered(room, isolated=True)
    return {
        "marginCoin": COIN,
        "locked": "0",
        "available": free,
        "crossedMaxAvailable": free,
        "isolatedMaxAvailable": free,
        "maxTransferOut": free,
        "accountEquity": equity,
        "usdtEquity": equity,
        "btcEquity": "0",
        "crossedRiskRate": "0",
        "unrealizedPL": plain(total([engine.profit(h) for h in held])),
        "coupon": "0",
        "unionTotalMargin": equity,
        "unionAvailable": free,
        "unionMm": "0",
        "assetList": [],
        "isolatedMargin": plain(total([h.margin for h in isolated]) + ordered),
        "crossedMargin": plain(
            total([engine.initial(h) for h in crossed]) + _ordered(room, isolated=False)
        ),
        "crossedUnrealizedPL": "",
        "isolatedUnrealizedPL": "",
        "grant": "0",
        "assetMode": room.assets,
    }


def _ordered(room: Room, *, isolated: bool) -> Decimal:
    """Return what opening orders hold, of the contracts of one margin mode. [quote]."""
    engine = room.engine
    return total([
        order.ask.price * (order.size - order.filled) / engine.leverage[order.ask.symbol]
        for order in engine.open_orders()
        if order.ask.type == "LIMIT"
        and not order.ask.reduce_only
        and engine.isolated[order.ask.symbol] is isolated
    ])  # fmt: skip
