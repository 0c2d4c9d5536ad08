"""What do the endpoints of the funding account answer?"""

from typing import Any, Literal

from bot.paper.kucoin.codes import WireError, wrong
from bot.paper.kucoin.request import Request
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.shape import plain
from bot.paper.values import Reason, Refused

WALLETS: dict[str, Literal["spot", "futures"]] = {"MAIN": "spot", "CONTRACT": "futures"}
SHORT = "Balance insufficient!"
BALANCE = 230003


def accounts(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v1/accounts: a currency that was never there is not listed."""
    wanted, kind = request.optional("currency"), request.choice("type", ("main", "trade", ""), "")
    return [
        {
            "id": f"main{asset}",
            "currency": asset,
            "type": "main",
            "balance": plain(amount),
            "available": plain(amount),
            "holds": "0",
        }
        for asset, amount in room.engine.spot.items()
        if kind != "trade" and amount and wanted in (None, asset)
    ]


def universal_transfer(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v3/accounts/universal-transfer."""
    name = request.name("clientOid")
    request.choice("type", ("INTERNAL",))
    source, destination = (
        WALLETS[request.choice(end, tuple(WALLETS))] for end in ("fromAccountType", "toAccountType")
    )
    return {"orderId": _moved(room, request, source, destination, name)}


def transfer_out(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/transfer-out: from the futures account; accepted, and done soon."""
    request.choice("recAccountType", ("MAIN",))
    number, now = _moved(room, request, "futures", "spot", ""), request.now_ms
    return {
        "applyId": number,
        "bizNo": f"biz{number}",
        "payAccountType": "CONTRACT",
        "payTag": "DEFAULT",
        "remark": "",
        "recAccountType": "MAIN",
        "recTag": "DEFAULT",
        "recRemark": "",
        "recSystem": "KUCOIN",
        "status": "PROCESSING",
        "currency": request.text("currency"),
        "amount": plain(request.decimal("amount")),
        "fee": "0",
        "sn": int(number),
        "reason": "",
        "createdAt": now,
        "updatedAt": now,
    }


def _moved(
    room: Room,
    request: Request,
    source: Literal["spot", "futures"],
    destination: Literal["spot", "futures"],
    name: str,
) -> str:
    asset, amount = request.text("currency"), request.decimal("amount")
    if asset not in room.engine.cross:
        raise wrong("currency")
    try:
        return str(room.engine.transfer(source, destination, asset, amount, client_id=name))
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_BALANCE:
            raise WireError(BALANCE, SHORT) from refused
        raise
