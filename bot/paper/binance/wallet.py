"""What do the wallet endpoints of the main host answer?"""

from typing import Any, Literal

from bot.paper.binance.codes import WireError
from bot.paper.binance.family import assets
from bot.paper.binance.request import Request
from bot.paper.digits import fixed, plain
from bot.paper.engine import Engine
from bot.paper.values import Kind

Wallet = Literal["spot", "futures"]
ROUTES: dict[str, tuple[Kind, Wallet, Wallet]] = {
    "MAIN_UMFUTURE": (Kind.LINEAR, "spot", "futures"),
    "UMFUTURE_MAIN": (Kind.LINEAR, "futures", "spot"),
    "MAIN_CMFUTURE": (Kind.INVERSE, "spot", "futures"),
    "CMFUTURE_MAIN": (Kind.INVERSE, "futures", "spot"),
}


def transfer(engine: Engine, request: Request) -> Any:
    """POST /sapi/v1/asset/transfer."""
    kind, source, destination = _route(request)
    asset = request.text("asset")
    if asset not in assets(engine, kind):
        raise WireError(-1121, "Invalid asset.")
    amount = request.decimal("amount")
    number = engine.transfer(source, destination, asset, amount)
    return {"tranId": number}


def transfer_history(engine: Engine, request: Request) -> Any:
    """GET /sapi/v1/asset/transfer: newest first."""
    kind, source, destination = _route(request)
    listed = assets(engine, kind)
    since = request.whole("startTime", "0")
    until = request.whole("endTime", str(2**53))
    size, page = request.whole("size", "10"), request.whole("current", "1")
    if not 1 <= size <= 100 or page < 1:  # noqa: PLR2004 - the venue's own limit
        raise WireError(-1130, "Data sent for parameter 'size' is not valid.")
    rows = [
        {
            "timestamp": moved.at_ms,
            "asset": moved.asset,
            "amount": plain(moved.amount),
            "type": request.text("type"),
            "status": "CONFIRMED" if moved.arrives_ms <= engine.now_ms else "PENDING",
            "tranId": moved.id,
        }
        for moved in reversed(engine.transfers)
        if (moved.source, moved.destination) == (source, destination)
        and moved.asset in listed
        and since <= moved.at_ms <= until
        and engine.is_shown(moved.at_ms)
    ]
    return {"total": len(rows), "rows": rows[(page - 1) * size : page * size]}


def user_asset(engine: Engine, request: Request) -> Any:
    """POST /sapi/v3/asset/getUserAsset."""
    wanted = request.optional("asset")
    return [
        {
            "asset": asset,
            "free": fixed(amount),
            "locked": "0",
            "freeze": "0",
            "withdrawing": "0",
            "ipoable": "0",
            "btcValuation": "0",
        }
        for asset, amount in engine.spot.items()
        if amount > 0 and (wanted is None or wanted == asset)
    ]


def spot_account(engine: Engine, request: Request) -> Any:
    """GET /api/v3/account."""
    del request
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "updateTime": engine.now_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": fixed(amount), "locked": "0.00000000"}
            for asset, amount in engine.spot.items()
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def capital_config(engine: Engine, request: Request) -> Any:
    """GET /sapi/v1/capital/config/getall."""
    del request
    return [
        {
            "coin": asset,
            "name": asset,
            "free": fixed(amount),
            "locked": "0",
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "trading": True,
            "isLegalMoney": False,
            "networkList": [],
        }
        for asset, amount in engine.spot.items()
    ]


def restrictions(may_withdraw: bool, now_ms: int) -> dict[str, Any]:  # noqa: FBT001 - a plain fact
    """GET /sapi/v1/account/apiRestrictions."""
    return {
        "ipRestrict": True,
        "createTime": now_ms,
        "enableReading": True,
        "enableWithdrawals": may_withdraw,
        "enableInternalTransfer": True,
        "enableMargin": False,
        "enableFutures": True,
        "permitsUniversalTransfer": True,
        "enableVanillaOptions": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }


def _route(request: Request) -> tuple[Kind, Wallet, Wallet]:
    kind = request.text("type")
    if kind not in ROUTES:
        raise WireError(-9000, f"transfer type {kind} is not supported")
    return ROUTES[kind]
