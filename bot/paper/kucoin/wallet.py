"""What do the endpoints of the funding account answer?"""

from typing import Any, Literal

from bot.paper.kucoin.codes import WireError, wrong
from bot.paper.kucoin.request import Request
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.shape import page, plain
from bot.paper.values import Reason, Refused, Transfer

WALLETS: dict[str, Literal["spot", "futures"]] = {"MAIN": "spot", "CONTRACT": "futures"}
SHORT = "Balance insufficient!"
BALANCE = 230003
LEAST, PAGE, MOST = 10, 50, 500
"""Lines of the ledger in one answer."""


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


def ledgers(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/accounts/ledgers: what left and came, newest first."""
    number, size = request.whole("currentPage", "1"), request.whole("pageSize", str(PAGE))
    if number < 1 or not LEAST <= size <= MOST:
        raise wrong("pageSize")
    since, until = request.whole("startAt", "0"), request.whole("endAt", str(2**53))
    wanted, way = request.optional("currency"), request.choice("direction", ("in", "out", ""), "")
    rows = [_line(moved) for moved in reversed(room.engine.transfers) if _is_there(room, moved)]
    found = [
        row
        for row in rows
        if since <= row["createdAt"] <= until
        and wanted in (None, row["currency"])
        and way in ("", row["direction"])
    ]
    return page(found, number, size)


def _is_there(room: Room, moved: Transfer) -> bool:
    """Whether the funding account has seen a transfer, and shows it."""
    at_ms = moved.at_ms if moved.source == "spot" else moved.arrives_ms
    return at_ms <= room.engine.now_ms and room.engine.is_shown(at_ms)


def _line(moved: Transfer) -> dict[str, Any]:
    leaves = moved.source == "spot"
    return {
        "id": f"ledger{moved.id}",
        "currency": moved.asset,
        "amount": plain(moved.amount),
        "fee": "0",
        "balance": "0",
        "accountType": "MAIN",
        "bizType": "Transfer",
        "direction": "out" if leaves else "in",
        "createdAt": moved.at_ms if leaves else moved.arrives_ms,
        "context": f'{{"orderId":"{moved.id}"}}',
    }


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
