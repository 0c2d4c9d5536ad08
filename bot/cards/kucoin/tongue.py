"""How does KuCoin say what cards ask about?"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.cards.tongue import Forgery, Kind, No, Said, Target, Tongue, left
from bot.domain.position import Side
from bot.paper.desk import Asked
from bot.paper.kucoin.routes import CANCEL, WRITES

SYMBOLS = {"SOLUSDTM": "SOL/USDT:USDT", "XBTUSDTM": "BTC/USDT:USDT"}
FACES = {"SOLUSDTM": Decimal("0.1"), "XBTUSDTM": Decimal("0.001")}
"""Coins in a lot. [base]"""
LEGS = {"LONG": Side.LONG, "SHORT": Side.SHORT}
CLOSING = {("LONG", "sell"), ("SHORT", "buy"), ("", "sell"), ("", "buy")}
WALLETS = {"MAIN": "spot", "CONTRACT": "futures"}
IN, OUT = "/api/v3/accounts/universal-transfer", "/api/v2/transfer-out"
DEPOSIT, WITHDRAW = "/api/v1/position/margin/deposit-margin", "/api/v1/margin/withdrawMargin"
ORDERS, TRANSACTIONS = "/api/v1/orders", "/api/v1/transaction-history"

Words = dict[str, Any]
"""What a request says, less what was read of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedInPaths(Tongue):
    """A tongue of a venue that has the number of an order in its path."""

    def is_write(self, asked: Asked) -> bool:
        """Whether a request moves collateral or orders."""
        is_cancel = asked.method == "DELETE" and asked.path.startswith(CANCEL)
        return is_cancel or (asked.method, asked.path) in self.writes


def said(asked: Asked) -> Said:
    """Return what a write says."""
    if asked.method == "DELETE":
        return Said(kind="cancel_stop")
    return READERS[asked.path](json.loads(asked.body, parse_float=str, parse_int=str))


def _added(words: Words) -> Said:
    del words["bizNo"]  # it must have a name
    return _margin(words, "add_margin", "margin")


def _removed(words: Words) -> Said:
    return _margin(words, "remove_margin", "withdrawAmount")


def _margin(words: Words, kind: Kind, key: str) -> Said:
    return Said(
        kind=kind,
        symbol=SYMBOLS[words.pop("symbol")],
        amount=Decimal(words.pop(key)),
        leg=LEGS.get(words.pop("positionSide", "")),
        more=tuple(words.items()),
    )


def _comes(words: Words) -> Said:
    return Said(
        kind="transfer",
        route=(WALLETS[words.pop("fromAccountType")], WALLETS[words.pop("toAccountType")]),
        currency=words.pop("currency"),
        amount=Decimal(words.pop("amount")),
        name=words.pop("clientOid", ""),
        more=left(words, {"type": "INTERNAL"}),
    )


def _goes(words: Words) -> Said:
    return Said(
        kind="transfer",
        route=("futures", WALLETS[words.pop("recAccountType")]),
        currency=words.pop("currency"),
        amount=Decimal(words.pop("amount")),
        more=tuple(words.items()),
    )


def _order(words: Words) -> Said:
    if "stopPrice" in words:
        return Said(kind="place_stop")
    leg, side, name = words.pop("positionSide", ""), words.pop("side"), words.pop("symbol")
    return Said(
        kind="reduce_position",
        symbol=SYMBOLS[name],
        amount=Decimal(words.pop("size")) * FACES[name],
        price=Decimal(words.pop("price")),
        leg=LEGS.get(leg),
        trade="sell" if side == "sell" else "buy",
        only_reduces=words.pop("reduceOnly", None) is True and (leg, side) in CLOSING,
        is_immediate=words.pop("timeInForce", "") == "IOC",
        name=words.pop("clientOid", ""),
        more=left(words, {"type": "limit", "marginMode": "ISOLATED"}),
    )


READERS: dict[str, Callable[[Words], Said]] = {
    DEPOSIT: _added,
    WITHDRAW: _removed,
    IN: _comes,
    OUT: _goes,
    ORDERS: _order,
}


def signed_ms(asked: Asked) -> int:
    """Return the time that a request is signed with. [ms]."""
    return int(asked.headers["kc-api-timestamp"])


def rows(body: Any) -> list[Any]:
    """Return the list inside an answer."""
    data = body["data"]
    found: list[Any] = data if isinstance(data, list) else data["dataList"]
    return found


def nameless(text: str) -> str:
    """Take the venue's id out of its answer to a transfer."""
    return text.replace("orderId", "gone")


def misquoted(text: str, amount: Decimal) -> str:
    """Make an answer to an amount one of another leg: it names no amount."""
    del amount
    found = json.loads(text)
    found["data"]["positionSide"] = "OTHER"
    return json.dumps(found)


def ends(at_ms: int) -> Forgery:
    """Make the rules of contracts end at a time. [ms]."""
    return Forgery(
        path="/api/v1/contracts/active",
        rewrite=lambda text: text.replace('"expireDate": null', f'"expireDate": {at_ms}'),
    )


def _adds(text: str) -> str:
    return text.replace('"autoDeposit": false', '"autoDeposit": true')


def _doubled(text: str) -> str:
    found = json.loads(text, parse_float=Decimal)
    for row in found["data"]:
        row["maintMarginReq"] = row["maintMarginReq"] * 2
    return json.dumps(found, default=str)


KUCOIN = NamedInPaths(
    venue="kucoinfutures",
    finest=Decimal("0.00000001"),
    edge=Decimal(2000),
    closing_fee=Decimal("0.0005"),
    rest=0.0,
    codes={
        No.MARGIN_FUNDS: "300003",
        No.TRANSFER_FUNDS: "230003",
        No.POSITION: "300009",
        No.FLOOR: "300000",
        No.SIZE: "too_precise",
        No.REDUCTION: "300009",
        No.DUPLICATE: "300018",
        No.KEY: "400003",
        No.TIMED_OUT: "500000",
    },
    targets={
        Target.TIME: ("GET", "/api/v1/timestamp"),
        Target.POSITIONS: ("GET", "/api/v1/positions"),
        Target.ACCOUNT: ("GET", "/api/v1/account-overview"),
        Target.MARKS: ("GET", "/api/v1/mark-price/SOLUSDTM/current"),
        Target.MARGIN: ("POST", DEPOSIT),
        Target.ORDER: ("POST", ORDERS),
        Target.TRANSFER: ("POST", IN),
        Target.MARGIN_HISTORY: ("GET", "/api/v1/positions"),
        Target.ORDER_HISTORY: ("GET", "/api/v1/orders/byClientOid"),
        Target.TRANSFER_HISTORY: ("GET", TRANSACTIONS),
        Target.LEDGER: ("GET", TRANSACTIONS),
    },
    fields=(
        (Target.POSITIONS, "posMargin"),
        (Target.POSITIONS, "avgEntryPrice"),
        (Target.ACCOUNT, "availableBalance"),
        (Target.MARKS, "value"),
    ),
    writes=WRITES,
    said=said,
    signed_ms=signed_ms,
    rows=rows,
    nameless=nameless,
    misquoted=misquoted,
    dearer=Forgery(path="/api/v1/positions", rewrite=_doubled),
    ends=ends,
    adds_by_itself=Forgery(path="/api/v1/positions", rewrite=_adds),
    leaving=("sub-", "sub/", "withdrawals", "deposit-address", "deposit-list"),
)
