"""What do the endpoints of the funding account answer?

A transfer bears the client's own UUID; one that was used before is refused.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from bot.paper.bybit.codes import WireError
from bot.paper.bybit.request import Request
from bot.paper.digits import fixed, plain
from bot.paper.engine import Engine
from bot.paper.values import ZERO, Reason, Refused, Transfer

Wallet = Literal["spot", "futures"]
WALLETS: Mapping[str, Wallet] = {"FUND": "spot", "UNIFIED": "futures"}
ACCOUNTS: Mapping[str, str] = {wallet: account for account, wallet in WALLETS.items()}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
FINEST = 6
"""Decimals of an amount. [digits]"""
REFUSALS = {
    Reason.BAD_AMOUNT: 131215,
    Reason.TOO_PRECISE: 131210,
    Reason.INSUFFICIENT_BALANCE: 131212,
}


class Transfers:
    """The transfers of one account by the names that clients gave them."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def transfer(self, engine: Engine, request: Request) -> Any:
        """POST /v5/asset/transfer/inter-transfer."""
        name = request.text("transferId").lower()
        if UUID.fullmatch(name) is None:
            raise WireError(131203, "request parameter err: transferId")
        if name in self._names.values():
            raise WireError(131214, "TransferId exist")
        accounts = tuple(WALLETS)
        source = WALLETS[request.choice("fromAccountType", accounts)]
        destination = WALLETS[request.choice("toAccountType", accounts)]
        coin, amount = request.text("coin"), request.decimal("amount")
        if source == destination:
            raise WireError(131211, "fromAccountType can't be the same as toAccountType")
        if coin not in engine.cross:
            raise WireError(110050, "Coin is not in the range of selected")
        if round(amount, FINEST) != amount:
            raise WireError(131210, "Amount accuracy error")
        try:
            number = engine.transfer(source, destination, coin, amount)
        except Refused as refused:
            raise WireError(REFUSALS[refused.reason], refused.message) from None
        self._names[number] = name
        return {"transferId": name, "status": _status(engine, engine.transfers[-1])}

    def listed(self, engine: Engine, request: Request) -> Any:
        """GET /v5/asset/transfer/query-inter-transfer-list: newest first."""
        name, coin = request.optional("transferId"), request.optional("coin")
        since = request.whole("startTime", 0) // 1000 * 1000
        until = request.whole("endTime", request.now_ms)
        rows = [
            {
                "transferId": f"selfTransfer_{self.name(moved)}",
                "coin": moved.asset,
                "amount": plain(moved.amount),
                "fromAccountType": ACCOUNTS[moved.source],
                "toAccountType": ACCOUNTS[moved.destination],
                "timestamp": str(moved.at_ms // 1000 * 1000),
                "status": _status(engine, moved),
            }
            for moved in reversed(engine.transfers)
            if since <= moved.at_ms <= until
            and engine.is_shown(moved.at_ms)
            and (name is None or self.name(moved) == name.removeprefix("selfTransfer_").lower())
            and (coin is None or moved.asset == coin)
        ]
        page, cursor = request.page(rows, usual=20, most=50)
        return {"list": page, "nextPageCursor": cursor}

    def name(self, moved: Transfer) -> str:
        """Return the name of a transfer; what a person moved has one of the venue's."""
        return self._names.get(moved.id, f"00000000-0000-0000-0000-{moved.id:012d}")


def coins_balance(engine: Engine, request: Request) -> Any:
    """GET /v5/asset/transfer/query-account-coins-balance."""
    account = request.choice("accountType", ("FUND",))
    named = request.optional("coin")
    coins = list(engine.spot) if named is None else named.split(",")
    return {
        "memberId": "1",
        "accountType": account,
        "balance": [
            {
                "coin": coin,
                "walletBalance": fixed(engine.spot.get(coin, ZERO)),
                "transferBalance": fixed(engine.spot.get(coin, ZERO)),
                "bonus": "",
            }
            for coin in coins
        ],
    }


def query_api(*, may_withdraw: bool, key: str) -> dict[str, Any]:
    """GET /v5/user/query-api."""
    return {
        "id": "1",
        "note": "paper",
        "apiKey": key,
        "readOnly": 0,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"],
            "Spot": [],
            "Wallet": ["AccountTransfer", *(["Withdraw"] if may_withdraw else [])],
            "Options": [],
            "Derivatives": ["DerivativesTrade"],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
        },
        "ips": ["127.0.0.1"],
        "type": 1,
        "deadlineDay": 0,
        "expiredAt": "1970-01-01T00:00:00Z",
        "createdAt": "2026-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": 1,
    }


def _status(engine: Engine, moved: Transfer) -> str:
    return "SUCCESS" if moved.arrives_ms <= engine.now_ms else "PENDING"
