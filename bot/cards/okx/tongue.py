"""How does OKX say what cards ask about?"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from bot.cards.tongue import Forgery, Kind, No, Said, Target, Tongue, left, misquoted
from bot.domain.position import Side
from bot.paper.desk import Asked
from bot.paper.okx.routes import WRITES

SYMBOLS = {"SOL-USDT-SWAP": "SOL/USDT:USDT", "BTC-USDT-SWAP": "BTC/USDT:USDT"}
FACES = {"SOL-USDT-SWAP": Decimal(1), "BTC-USDT-SWAP": Decimal("0.01")}
"""Coins in a contract. [base]"""
LEGS = {"long": Side.LONG, "short": Side.SHORT}
CLOSING = {("long", "sell"), ("short", "buy")}
MOVES: dict[str, Kind] = {"add": "add_margin", "reduce": "remove_margin"}
WALLETS = {"6": "spot", "18": "futures"}

Words = dict[str, Any]
"""What a request says, less what was read of it."""


def said(asked: Asked) -> Said:
    """Return what a write says."""
    return READERS[asked.path](json.loads(asked.body, parse_float=str, parse_int=str))


def _margin(words: Words) -> Said:
    return Said(
        kind=MOVES[words.pop("type")],
        symbol=SYMBOLS[words.pop("instId")],
        amount=Decimal(words.pop("amt")),
        leg=LEGS.get(words.pop("posSide")),
        more=tuple(words.items()),
    )


def _transfer(words: Words) -> Said:
    return Said(
        kind="transfer",
        route=(WALLETS[words.pop("from")], WALLETS[words.pop("to")]),
        currency=words.pop("ccy"),
        amount=Decimal(words.pop("amt")),
        name=words.pop("clientId", ""),
        more=left(words, {"type": "0"}),
    )


def _order(words: Words) -> Said:
    leg, side, name = words.pop("posSide"), words.pop("side"), words.pop("instId")
    flag = words.pop("reduceOnly", None)
    return Said(
        kind="reduce_position",
        symbol=SYMBOLS[name],
        amount=Decimal(words.pop("sz")) * FACES[name],
        price=Decimal(words.pop("px")),
        leg=LEGS.get(leg),
        trade="sell" if side == "sell" else "buy",
        # Beside a leg the venue ignores the flag: the side that closes it is what reduces.
        only_reduces=flag is True if leg == "net" else (leg, side) in CLOSING,
        is_immediate=words.pop("ordType", "") == "ioc",
        name=words.pop("clOrdId", ""),
        more=left(words, {"tdMode": "isolated"}),
    )


def _other(words: Any, *, kind: Kind) -> Said:
    del words
    return Said(kind=kind)


READERS: dict[str, Callable[[Any], Said]] = {
    "/api/v5/account/position/margin-balance": _margin,
    "/api/v5/asset/transfer": _transfer,
    "/api/v5/trade/order": _order,
    "/api/v5/trade/order-algo": partial(_other, kind="place_stop"),
    "/api/v5/trade/cancel-algos": partial(_other, kind="cancel_stop"),
}


def signed_ms(asked: Asked) -> int:
    """Return the time that a request is signed with. [ms]."""
    at = datetime.fromisoformat(asked.headers["ok-access-timestamp"])
    return round(at.timestamp() * 1000)


def rows(body: Any) -> list[Any]:
    """Return the list inside an answer."""
    found: list[Any] = body["data"]
    return found


def nameless(text: str) -> str:
    """Take the venue's id out of its answer to a transfer."""
    return text.replace("transId", "gone")


def ends(at_ms: int) -> Forgery:
    """Make the rules of contracts end at a time. [ms]."""
    return Forgery(
        path="/api/v5/public/instruments",
        rewrite=lambda text: text.replace('"expTime": ""', f'"expTime": "{at_ms}"'),
    )


def _doubled(text: str) -> str:
    found = json.loads(text)
    for step in found["data"]:
        step["mmr"] = str(Decimal(step["mmr"]) * 2)
    return json.dumps(found)


OKX = Tongue(
    venue="okx",
    finest=Decimal("0.00000001"),
    edge=Decimal(3000),
    closing_fee=Decimal("0.0005"),
    rest=3.0,
    codes={
        No.MARGIN_FUNDS: "51119",
        No.TRANSFER_FUNDS: "58350",
        No.POSITION: "59300",
        No.FLOOR: "59301",
        No.SIZE: "51105",
        No.REDUCTION: "51169",
        No.DUPLICATE: "51016",
        No.KEY: "50111",
        No.TIMED_OUT: "50004",
    },
    targets={
        Target.TIME: ("GET", "/api/v5/public/time"),
        Target.POSITIONS: ("GET", "/api/v5/account/positions"),
        Target.ACCOUNT: ("GET", "/api/v5/account/balance"),
        Target.MARKS: ("GET", "/api/v5/public/mark-price"),
        Target.MARGIN: ("POST", "/api/v5/account/position/margin-balance"),
        Target.ORDER: ("POST", "/api/v5/trade/order"),
        Target.TRANSFER: ("POST", "/api/v5/asset/transfer"),
        Target.MARGIN_HISTORY: ("GET", "/api/v5/account/bills"),
        Target.ORDER_HISTORY: ("GET", "/api/v5/trade/order"),
        Target.TRANSFER_HISTORY: ("GET", "/api/v5/asset/transfer-state"),
        Target.LEDGER: ("GET", "/api/v5/account/bills"),
    },
    fields=(
        (Target.POSITIONS, "margin"),
        (Target.POSITIONS, "avgPx"),
        (Target.ACCOUNT, "cashBal"),
        (Target.ACCOUNT, "availBal"),
        (Target.MARKS, "markPx"),
    ),
    writes=WRITES,
    said=said,
    signed_ms=signed_ms,
    rows=rows,
    nameless=nameless,
    misquoted=misquoted,
    dearer=Forgery(path="/api/v5/public/position-tiers", rewrite=_doubled),
    ends=ends,
    adds_by_itself=None,
    leaving=("subaccount", "withdraw", "deposit"),
)
