"""What do the endpoints of the funding account answer?"""

from typing import Any, Literal

from bot.paper.okx.codes import WireError, wrong
from bot.paper.okx.request import Request
from bot.paper.okx.room import Room
from bot.paper.okx.shape import plain
from bot.paper.values import Reason, Refused, Transfer

WALLETS: dict[str, Literal["spot", "futures"]] = {"6": "spot", "18": "futures"}
ACCOUNTS = {wallet: number for number, wallet in WALLETS.items()}


def balances(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/asset/balances: a currency of which nothing is there is not listed."""
    wanted = request.optional("ccy")
    return [
        {"availBal": plain(amount), "bal": plain(amount), "ccy": ccy, "frozenBal": "0"}
        for ccy, amount in room.engine.spot.items()
        if amount and (wanted is None or ccy in wanted.split(","))
    ]


def transfer(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /api/v5/asset/transfer."""
    request.choice("type", ("0",), "0")
    source, destination = (WALLETS[request.choice(end, tuple(WALLETS))] for end in ("from", "to"))
    ccy, amount, name = request.text("ccy"), request.decimal("amt"), request.name("clientId")
    if ccy not in room.engine.cross:
        raise wrong("ccy")
    if name and name in room.transfers:
        raise WireError(50071, "clientId already exists")
    try:
        number = room.engine.transfer(source, destination, ccy, amount)
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_BALANCE:
            raise WireError(58350, "Insufficient balance.") from refused
        raise WireError(58114, "Transfer amount must be more than 0") from refused
    if name:
        room.transfers[name] = number
    return [
        {
            "amt": plain(amount),
            "ccy": ccy,
            "clientId": name,
            "from": request.text("from"),
            "to": request.text("to"),
            "transId": str(number),
        }
    ]


def transfer_state(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/asset/transfer-state."""
    request.choice("type", ("0",), "0")
    name, number = request.optional("clientId"), request.optional("transId")
    if name is None and number is None:
        raise WireError(50015, "Either parameter transId or clientId is required", status=400)
    wanted = room.transfers.get(name) if number is None and name else number
    names = {value: key for key, value in room.transfers.items()}
    return [
        _state(room, moved, names.get(moved.id, ""))
        for moved in room.engine.transfers
        if str(moved.id) == str(wanted) and room.engine.is_shown(moved.at_ms)
    ]


def _state(room: Room, moved: Transfer, name: str) -> dict[str, Any]:
    return {
        "amt": plain(moved.amount),
        "ccy": moved.asset,
        "clientId": name,
        "from": ACCOUNTS[_wallet(moved.source)],
        "instId": "",
        "state": "success" if moved.arrives_ms <= room.engine.now_ms else "pending",
        "subAcct": "",
        "to": ACCOUNTS[_wallet(moved.destination)],
        "toInstId": "",
        "transId": str(moved.id),
        "type": "0",
    }


def _wallet(name: str) -> Literal["spot", "futures"]:
    return "spot" if name == "spot" else "futures"
