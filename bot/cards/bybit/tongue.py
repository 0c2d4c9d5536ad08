"""How does Bybit say what cards ask about?"""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from bot.cards.tongue import Forgery, Kind, No, Said, Target, Tongue, left
from bot.domain.position import Side
from bot.paper.bybit.routes import TRANSFER, TRANSFERS, WRITES
from bot.paper.desk import Asked

SYMBOLS = {"SOLUSDT": "SOL/USDT:USDT", "BTCUSDT": "BTC/USDT:USDT"}
LEGS = {1: Side.LONG, 2: Side.SHORT}
SIDES = {0: ("Buy", "Sell"), 1: ("Sell",), 2: ("Buy",)}
"""Of an order that can shrink the leg of a number."""
WALLETS = {"FUND": "spot", "UNIFIED": "futures"}

Words = dict[str, Any]
"""What a request says, less what was read of it."""


def said(asked: Asked) -> Said:
    """Return what a write says."""
    return READERS[asked.path](json.loads(asked.body, parse_float=str))


def _margin(words: Words) -> Said:
    amount = Decimal(words.pop("margin"))
    kind: Kind = "add_margin" if amount > 0 else "remove_margin"
    return Said(
        kind=kind,
        symbol=SYMBOLS[words.pop("symbol")],
        amount=abs(amount),
        leg=LEGS.get(words.pop("positionIdx")),
        more=left(words, {"category": "linear"}),
    )


def _transfer(words: Words) -> Said:
    return Said(
        kind="transfer",
        route=(WALLETS[words.pop("fromAccountType")], WALLETS[words.pop("toAccountType")]),
        currency=words.pop("coin"),
        amount=Decimal(words.pop("amount")),
        name=words.pop("transferId", ""),
        more=tuple(words.items()),
    )


def _order(words: Words) -> Said:
    if "triggerPrice" in words:
        return _other(words, kind="place_stop")
    leg, side = words.pop("positionIdx"), words.pop("side")
    return Said(
        kind="reduce_position",
        symbol=SYMBOLS[words.pop("symbol")],
        amount=Decimal(words.pop("qty")),
        price=Decimal(words.pop("price")),
        leg=LEGS.get(leg),
        trade="sell" if side == "Sell" else "buy",
        only_reduces=words.pop("reduceOnly", None) is True and side in SIDES[leg],
        is_immediate=words.pop("timeInForce", "") == "IOC",
        name=words.pop("orderLinkId", ""),
        more=left(words, {"category": "linear", "orderType": "Limit"}),
    )


def _other(words: Words, *, kind: Kind) -> Said:
    del words
    return Said(kind=kind)


READERS: dict[str, Callable[[Words], Said]] = {
    "/v5/position/add-margin": _margin,
    TRANSFER[1]: _transfer,
    "/v5/order/create": _order,
    "/v5/order/cancel": partial(_other, kind="cancel_stop"),
}


def signed_ms(asked: Asked) -> int:
    """Return the time that a request is signed with. [ms]."""
    return int(asked.headers["x-bapi-timestamp"])


def rows(body: Any) -> list[Any]:
    """Return the list inside an answer."""
    found: list[Any] = body["result"]["list"]
    return found


def nameless(text: str) -> str:
    """Take the venue's id out of its answer to a transfer."""
    return text.replace("transferId", "gone")


def misquoted(text: str, amount: Decimal) -> str:
    """Make an answer to an amount one of another leg: it names no amount."""
    del amount
    found = json.loads(text)
    found["result"]["positionIdx"] = 7
    return json.dumps(found)


def ends(at_ms: int) -> Forgery:
    """Make the rules of contracts end at a time. [ms]."""
    return Forgery(
        path="/v5/market/instruments-info",
        rewrite=lambda text: text.replace('"deliveryTime": "0"', f'"deliveryTime": "{at_ms}"'),
    )


def _adds(text: str) -> str:
    return text.replace('"autoAddMargin": 0', '"autoAddMargin": 1')


def _doubled(text: str) -> str:
    found = json.loads(text)
    for step in found["result"]["list"]:
        step["maintenanceMargin"] = str(Decimal(step["maintenanceMargin"]) * 2)
        step["mmDeduction"] = str(Decimal(step["mmDeduction"] or 0) * 2)
    return json.dumps(found)


BYBIT = Tongue(
    venue="bybit",
    finest=Decimal("0.0001"),
    edge=Decimal(400),
    closing_fee=Decimal(0),
    rest=3.0,
    codes={
        No.MARGIN_FUNDS: "110014",
        No.TRANSFER_FUNDS: "131212",
        No.POSITION: "110033",
        No.FLOOR: "110011",
        No.SIZE: "10001",
        No.REDUCTION: "110017",
        No.DUPLICATE: "110072",
        No.KEY: "33004",
        No.TIMED_OUT: "10000",
    },
    targets={
        Target.TIME: ("GET", "/v5/market/time"),
        Target.POSITIONS: ("GET", "/v5/position/list"),
        Target.ACCOUNT: ("GET", "/v5/account/wallet-balance"),
        Target.MARKS: ("GET", "/v5/market/tickers"),
        Target.MARGIN: ("POST", "/v5/position/add-margin"),
        Target.ORDER: ("POST", "/v5/order/create"),
        Target.TRANSFER: TRANSFER,
        Target.MARGIN_HISTORY: ("GET", "/v5/position/list"),
        Target.ORDER_HISTORY: ("GET", "/v5/order/realtime"),
        Target.TRANSFER_HISTORY: TRANSFERS,
        Target.LEDGER: ("GET", "/v5/account/transaction-log"),
    },
    fields=(
        (Target.POSITIONS, "positionIM"),
        (Target.POSITIONS, "avgPrice"),
        (Target.ACCOUNT, "walletBalance"),
        (Target.MARKS, "markPrice"),
    ),
    writes=WRITES,
    said=said,
    signed_ms=signed_ms,
    rows=rows,
    nameless=nameless,
    misquoted=misquoted,
    dearer=Forgery(path="/v5/market/risk-limit", rewrite=_doubled),
    ends=ends,
    adds_by_itself=Forgery(path="/v5/position/list", rewrite=_adds),
    leaving=("sub-member", "universal-transfer", "withdraw/", "deposit"),
)
