"""How does Binance say what cards ask about?"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from bot.cards.binance.beside import BESIDE
from bot.cards.tongue import Forgery, Kind, No, Said, Target, Tongue, left, misquoted
from bot.domain.position import Side
from bot.paper.binance.routes import WRITES
from bot.paper.desk import Asked

SYMBOLS = {"SOLUSDT": "SOL/USDT:USDT", "BTCUSDT": "BTC/USDT:USDT"}
LEGS = {"LONG": Side.LONG, "SHORT": Side.SHORT}
CLOSING = {("LONG", "SELL"), ("SHORT", "BUY")}
MOVES: dict[str, Kind] = {"1": "add_margin", "2": "remove_margin"}
ROUTES = {"MAIN_UMFUTURE": ("spot", "futures"), "UMFUTURE_MAIN": ("futures", "spot")}
ORDINARY = {"type": "LIMIT", "newOrderRespType": "RESULT"}
"""Of an order whose answer tells what was filled; anything else is told, also what is not there."""
SIGNING = ("timestamp", "recvWindow", "signature")
NO_END = "4133404800000"
"""In the year 2100: what the venue says of a contract without an end. [ms]"""

Words = dict[str, str]
"""What a request says, less what was read of it."""


def said(asked: Asked) -> Said:
    """Return what a write says."""
    pairs = parse_qsl(asked.query + asked.body.decode(), keep_blank_values=True)
    words = {name: value for name, value in pairs if name not in SIGNING}
    return READERS[asked.method, asked.path](words)


def _margin(words: Words) -> Said:
    return Said(
        kind=MOVES[words.pop("type")],
        symbol=SYMBOLS[words.pop("symbol")],
        amount=Decimal(words.pop("amount")),
        leg=LEGS.get(words.pop("positionSide", "BOTH")),
        more=tuple(words.items()),
    )


def _transfer(words: Words) -> Said:
    return Said(
        kind="transfer",
        route=ROUTES[words.pop("type")],
        currency=words.pop("asset"),
        amount=Decimal(words.pop("amount")),
        more=tuple(words.items()),
    )


def _order(words: Words) -> Said:
    leg, side = words.pop("positionSide", "BOTH"), words.pop("side")
    flag = words.pop("reduceOnly", None)
    return Said(
        kind="reduce_position",
        symbol=SYMBOLS[words.pop("symbol")],
        amount=Decimal(words.pop("quantity")),
        price=Decimal(words.pop("price")),
        leg=LEGS.get(leg),
        trade="sell" if side == "SELL" else "buy",
        # Beside a leg the venue refuses the flag: the side that closes it is what reduces.
        only_reduces=flag == "true" if leg == "BOTH" else flag is None and (leg, side) in CLOSING,
        is_immediate=words.pop("timeInForce", "") == "IOC",
        name=words.pop("newClientOrderId", ""),
        more=left(words, ORDINARY),
    )


def _other(words: Words, *, kind: Kind) -> Said:
    return Said(kind=kind, more=tuple(words.items()))


READERS: dict[tuple[str, str], Callable[[Words], Said]] = {
    ("POST", "/fapi/v1/positionMargin"): _margin,
    ("POST", "/sapi/v1/asset/transfer"): _transfer,
    ("POST", "/fapi/v1/order"): _order,
    ("POST", "/fapi/v1/algoOrder"): partial(_other, kind="place_stop"),
    ("DELETE", "/fapi/v1/algoOrder"): partial(_other, kind="cancel_stop"),
}
"""What the paper exchange knows beside these, no adapter may send: a card that sees it fails."""


def signed_ms(asked: Asked) -> int:
    """Return the time that a request is signed with. [ms]."""
    return int(dict(parse_qsl(asked.query))["timestamp"])


def rows(body: Any) -> list[Any]:
    """Return the list inside an answer."""
    found: list[Any] = body["rows"] if isinstance(body, dict) else body
    return found


def nameless(text: str) -> str:
    """Take the venue's id out of its answer to a transfer."""
    return re.sub("tranId", "gone", text)


def _doubled(text: str) -> str:
    found = json.loads(text)
    for contract in found:
        for step in contract["brackets"]:
            step["maintMarginRatio"] *= 2
            step["cum"] *= 2
    return json.dumps(found)


def ends(at_ms: int) -> Forgery:
    """Make the rules of contracts end at a time. [ms]."""
    return Forgery(
        path="/fapi/v1/exchangeInfo", rewrite=lambda text: text.replace(NO_END, str(at_ms))
    )


def _adds(text: str) -> str:
    return text.replace('"isAutoAddMargin": false', '"isAutoAddMargin": true')


BINANCE = Tongue(
    venue="binanceusdm",
    finest=Decimal("0.00000001"),
    edge=Decimal(400),
    closing_fee=Decimal(0),
    rest=0.0,
    codes={
        No.MARGIN_FUNDS: "-2019",
        No.TRANSFER_FUNDS: "-2019",
        No.POSITION: "-4054",
        No.FLOOR: "-4051",
        No.SIZE: "-4005",
        No.REDUCTION: "-2022",
        No.DUPLICATE: "-4116",
        No.KEY: "-2015",
        No.TIMED_OUT: "-1007",
    },
    targets={
        Target.TIME: ("GET", "/fapi/v1/time"),
        Target.POSITIONS: ("GET", "/fapi/v3/positionRisk"),
        Target.ACCOUNT: ("GET", "/fapi/v3/account"),
        Target.MARKS: ("GET", "/fapi/v1/premiumIndex"),
        Target.MARGIN: ("POST", "/fapi/v1/positionMargin"),
        Target.ORDER: ("POST", "/fapi/v1/order"),
        Target.TRANSFER: ("POST", "/sapi/v1/asset/transfer"),
        Target.MARGIN_HISTORY: ("GET", "/fapi/v1/positionMargin/history"),
        Target.ORDER_HISTORY: ("GET", "/fapi/v1/allOrders"),
        Target.TRANSFER_HISTORY: ("GET", "/sapi/v1/asset/transfer"),
        Target.LEDGER: ("GET", "/fapi/v1/income"),
    },
    fields=(
        (Target.POSITIONS, "isolatedWallet"),
        (Target.POSITIONS, "liquidationPrice"),
        (Target.ACCOUNT, "crossWalletBalance"),
        (Target.ACCOUNT, "availableBalance"),
        (Target.MARKS, "markPrice"),
    ),
    writes=WRITES,
    said=said,
    signed_ms=signed_ms,
    rows=rows,
    nameless=nameless,
    misquoted=misquoted,
    dearer=Forgery(path="/fapi/v1/leverageBracket", rewrite=_doubled),
    ends=ends,
    adds_by_itself=Forgery(path="/fapi/v1/symbolConfig", rewrite=_adds),
    leaving=("sub-account", "subAccount", "withdraw", "capital"),
    beside=BESIDE,
)
