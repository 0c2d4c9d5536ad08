"""How does Bitget say what cards ask about?"""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from bot.cards.tongue import Forgery, Kind, No, Said, Target, Tongue, left
from bot.domain.position import Side
from bot.paper.bitget.routes import WRITES
from bot.paper.desk import Asked

SYMBOLS = {"SOLUSDT": "SOL/USDT:USDT", "BTCUSDT": "BTC/USDT:USDT"}
LEGS = {"long": Side.LONG, "short": Side.SHORT}
SIDES = {"buy": Side.LONG, "sell": Side.SHORT}
"""Of the leg that an order names, whether it opens or closes it."""
WALLETS = {"spot": "spot", "usdt_futures": "futures"}
ACCOUNT = {"productType": "USDT-FUTURES", "marginCoin": "USDT"}
LISTS = ("bills", "entrustedList")

Words = dict[str, Any]
"""What a request says, less what was read of it."""


def said(asked: Asked) -> Said:
    """Return what a write says."""
    return READERS[asked.path](json.loads(asked.body, parse_float=str, parse_int=str))


def _margin(words: Words) -> Said:
    amount = Decimal(words.pop("amount"))
    kind: Kind = "add_margin" if amount > 0 else "remove_margin"
    return Said(
        kind=kind,
        symbol=SYMBOLS[words.pop("symbol")],
        amount=abs(amount),
        leg=LEGS.get(words.pop("holdSide", "")),
        more=left(words, ACCOUNT),
    )


def _transfer(words: Words) -> Said:
    return Said(
        kind="transfer",
        route=(WALLETS[words.pop("fromType")], WALLETS[words.pop("toType")]),
        currency=words.pop("coin"),
        amount=Decimal(words.pop("amount")),
        name=words.pop("clientOid", ""),
        more=tuple(words.items()),
    )


def _order(words: Words) -> Said:
    side, does = words.pop("side"), words.pop("tradeSide", "")
    sells = (side == "sell") is (does != "close")
    flag = words.pop("reduceOnly", "")
    return Said(
        kind="reduce_position",
        symbol=SYMBOLS[words.pop("symbol")],
        amount=Decimal(words.pop("size")),
        price=Decimal(words.pop("price")),
        leg=SIDES[side] if does else None,
        trade="sell" if sells else "buy",
        only_reduces=does == "close" if does else flag == "YES",
        is_immediate=words.pop("force", "") == "ioc",
        name=words.pop("clientOid", ""),
        more=left(words, ACCOUNT | {"marginMode": "isolated", "orderType": "limit"}),
    )


def _other(words: Words, *, kind: Kind) -> Said:
    del words
    return Said(kind=kind)


READERS: dict[str, Callable[[Words], Said]] = {
    "/api/v2/mix/account/set-margin": _margin,
    "/api/v2/spot/wallet/transfer": _transfer,
    "/api/v2/mix/order/place-order": _order,
    "/api/v2/mix/order/place-tpsl-order": partial(_other, kind="place_stop"),
    "/api/v2/mix/order/cancel-plan-order": partial(_other, kind="cancel_stop"),
}


def signed_ms(asked: Asked) -> int:
    """Return the time that a request is signed with. [ms]."""
    return int(asked.headers["access-timestamp"])


def rows(body: Any) -> list[Any]:
    """Return the list inside an answer; an order that is told alone becomes one of one."""
    data = body["data"]
    if not isinstance(data, list):
        name = next((name for name in LISTS if name in data), "")
        found: list[Any] = (data[name] or []) if name else [data]
        if name:
            data[name] = found
        else:
            body["data"] = found
        return found
    return data


def nameless(text: str) -> str:
    """Take the venue's id out of its answer to a transfer."""
    return text.replace("transferId", "gone")


def misquoted(text: str, amount: Decimal) -> str:
    """Make an answer to an amount one to 12: it says nothing at all where it was done."""
    del amount
    return json.dumps(json.loads(text) | {"data": {"amount": "12"}})


def ends(at_ms: int) -> Forgery:
    """Make the rules of contracts end at a time. [ms]."""
    return Forgery(
        path="/api/v2/mix/market/contracts",
        rewrite=lambda text: text.replace('"offTime": "-1"', f'"offTime": "{at_ms}"'),
    )


def _adds(text: str) -> str:
    return text.replace('"autoMargin": "off"', '"autoMargin": "on"')


def _doubled(text: str) -> str:
    found = json.loads(text)
    for step in found["data"]:
        step["keepMarginRate"] = str(Decimal(step["keepMarginRate"]) * 2)
    return json.dumps(found)


BITGET = Tongue(
    venue="bitget",
    finest=Decimal("0.00000001"),
    edge=Decimal(400),
    closing_fee=Decimal("0.0005"),
    rest=3.0,
    codes={
        No.MARGIN_FUNDS: "40798",
        No.TRANSFER_FUNDS: "43117",
        No.POSITION: "40802",
        No.FLOOR: "40801",
        No.SIZE: "45112",
        No.REDUCTION: "22002",
        No.DUPLICATE: "40786",
        No.KEY: "40037",
        No.TIMED_OUT: "40010",
    },
    targets={
        Target.TIME: ("GET", "/api/v2/public/time"),
        Target.POSITIONS: ("GET", "/api/v2/mix/position/all-position"),
        Target.ACCOUNT: ("GET", "/api/v2/mix/account/accounts"),
        Target.MARKS: ("GET", "/api/v2/mix/market/tickers"),
        Target.MARGIN: ("POST", "/api/v2/mix/account/set-margin"),
        Target.ORDER: ("POST", "/api/v2/mix/order/place-order"),
        Target.TRANSFER: ("POST", "/api/v2/spot/wallet/transfer"),
        Target.MARGIN_HISTORY: ("GET", "/api/v2/mix/account/bill"),
        Target.ORDER_HISTORY: ("GET", "/api/v2/mix/order/detail"),
        Target.TRANSFER_HISTORY: ("GET", "/api/v2/spot/account/transferRecords"),
        Target.LEDGER: ("GET", "/api/v2/mix/account/bill"),
    },
    fields=(
        (Target.POSITIONS, "marginSize"),
        (Target.POSITIONS, "openPriceAvg"),
        (Target.ACCOUNT, "accountEquity"),
        (Target.ACCOUNT, "available"),
        (Target.MARKS, "markPrice"),
    ),
    writes=WRITES,
    said=said,
    signed_ms=signed_ms,
    rows=rows,
    nameless=nameless,
    misquoted=misquoted,
    dearer=Forgery(path="/api/v2/mix/market/query-position-lever", rewrite=_doubled),
    ends=ends,
    adds_by_itself=Forgery(path="/api/v2/mix/position/all-position", rewrite=_adds),
    leaving=("subaccount-transfer", "withdraw", "deposit"),
    names_leg=True,
    fills_what_there_is=False,
)
