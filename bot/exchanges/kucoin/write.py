"""Which request is an action, exactly, and which answer confirms it?"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.domain.action import (
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.instrument import Instrument
from bot.domain.intent import Intent
from bot.domain.position import PositionKey, PositionMode, Side
from bot.exchanges.amounts import amount_problem, named_amount, order_problem, stop_problem
from bot.exchanges.dialect import Expected, Write
from bot.exchanges.kucoin.answers import SUCCESS
from bot.exchanges.kucoin.parse import FALLS, LEGS, RISES

COLLATERAL_STEP = Decimal("0.00000001")
"""Of the venue's wallets as it writes them. [quote]"""
ACCOUNTS = {"spot": "MAIN", "futures": "CONTRACT"}
"""The funding account, which the bot calls spot, and the futures account."""
LONGEST_NAME = 36
"""Of what makes an addition of margin happen once; orders take four signs more."""
GOES = frozenset({"PROCESSING", "SUCCESS"})
"""States of a transfer that was taken."""


def write_for(
    intent: Intent,
    ids: Mapping[str, str],
    mode: PositionMode,
    instruments: Mapping[str, Instrument],
    coins: Mapping[str, Decimal],
) -> Write | str:
    """Return the request of an intent, or why there is none.

    Amounts go out digit for digit as planned; sizes as lots, exactly as many.

    Args:
        intent: What shall be done.
        ids: The venue's names.
        mode: One-way or hedge.
        instruments: Rules, by symbol.
        coins: In a lot, by symbol. [base]
    """
    match intent.action:
        case Transfer():
            return _transfer(intent, intent.action)
        case CancelStop():
            return _cancel(intent.action)
        case AddMargin() | RemoveMargin() | ReducePosition() | PlaceStop():
            symbol = intent.action.key.symbol
    if symbol not in instruments or symbol not in ids or symbol not in coins:
        return f"rules of {symbol} are not known"
    match intent.action:
        case AddMargin() | RemoveMargin():
            return _margin(intent, intent.action, ids[symbol], mode)
        case ReducePosition():
            problem = order_problem(intent.action, instruments[symbol])
        case PlaceStop():
            problem = stop_problem(intent.action, instruments[symbol])
    problem = problem or _name_problem(intent.id)
    return problem or _order(intent, intent.action, ids[symbol], mode, coins[symbol])


def applied(intent: Intent, write: Write, answer: Any) -> Decimal | None:
    """Return the confirmed effect, of the action's own unit; ``None`` if nothing is confirmed.

    An order is accepted or not: what became of it is told elsewhere.
    """
    said, found = write.expected.parameters, _data(answer)
    match intent.action:
        case AddMargin(key=key, amount=amount):
            return amount if _is_of(found, said, key) else None
        case RemoveMargin(amount=amount):
            return amount if named_amount(found) == amount else None
        case Transfer(amount=amount, source="spot"):
            is_taken = isinstance(found, dict) and _is_word(found.get("orderId"))
            return amount if is_taken else None
        case Transfer(amount=amount):
            is_taken = (
                isinstance(found, dict)
                and _is_word(found.get("applyId"))
                and found.get("status") in GOES
                and all(found.get(key) == said[key] for key in ("currency", "recAccountType"))
                and named_amount(found.get("amount")) == amount
            )
            return amount if is_taken else None
        case ReducePosition() | PlaceStop() | CancelStop():
            return None


def is_taken(intent: Intent, answer: Any) -> bool:
    """Whether an answer says that our order, or its end, was accepted."""
    found = _data(answer)
    if not isinstance(found, dict):
        return False
    if isinstance(intent.action, CancelStop):
        return found.get("cancelledOrderIds") == [intent.action.stop_id]
    return _is_word(found.get("orderId")) and found.get("clientOid") == intent.id


def _margin(
    intent: Intent, action: AddMargin | RemoveMargin, name: str, mode: PositionMode
) -> Write | str:
    problem = _name_problem(intent.id) or amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    amount, leg = format(action.amount, "f"), _leg(action.key, mode)
    if isinstance(action, AddMargin):
        return _write(
            "futuresPrivatePostPositionMarginDepositMargin",
            "/api/v1/position/margin/deposit-margin",
            {"symbol": name, "margin": amount, "bizNo": intent.id, **leg},
        )
    return _write(
        "futuresPrivatePostMarginWithdrawMargin",
        "/api/v1/margin/withdrawMargin",
        {"symbol": name, "withdrawAmount": amount, **leg},
    )


def _order(
    intent: Intent,
    action: ReducePosition | PlaceStop,
    name: str,
    mode: PositionMode,
    coins: Decimal,
) -> Write | str:
    is_long = action.key.side is Side.LONG
    said: dict[str, Any] = {
        "clientOid": intent.id,
        "symbol": name,
        "side": "sell" if is_long else "buy",
        "marginMode": "ISOLATED",
        "reduceOnly": True,
        **_leg(action.key, mode),
    }
    if isinstance(action, ReducePosition):
        said |= {"type": "limit", "timeInForce": "IOC", "price": format(action.limit_price, "f")}
    else:
        said |= {
            "type": "market",
            "stop": FALLS if is_long else RISES,
            "stopPriceType": "MP",
            "stopPrice": format(action.stop_price, "f"),
        }
    if action.size is None:
        said["closeOrder"] = True
    else:
        count = action.size / coins
        if count != count.to_integral_value():
            return f"size must be whole lots of {coins}, was {action.size}"
        said["size"] = int(count)
    return _write("futuresPrivatePostOrders", "/api/v1/orders", said)


def _cancel(action: CancelStop) -> Write | str:
    if not (action.stop_id.isascii() and action.stop_id.isalnum()):
        return f"id of a stop must be letters and digits, was {action.stop_id!r}"
    return Write(
        call="futuresPrivateDeleteOrdersOrderId",
        expected=Expected(method="DELETE", path=f"/api/v1/orders/{action.stop_id}", parameters={}),
        typed={"orderId": action.stop_id},
    )


def _transfer(intent: Intent, action: Transfer) -> Write | str:
    ends = ACCOUNTS.get(action.source), ACCOUNTS.get(action.destination)
    if None in ends or action.source == action.destination:
        return f"no route from {action.source} to {action.destination}"
    problem = _name_problem(intent.id) or amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    said = {"currency": action.currency, "amount": format(action.amount, "f")}
    if action.source == "futures":
        return _write(
            "futuresPrivatePostTransferOut",
            "/api/v2/transfer-out",
            {**said, "recAccountType": ACCOUNTS["spot"]},
        )
    return _write(
        "privatePostAccountsUniversalTransfer",
        "/api/v3/accounts/universal-transfer",
        {
            **said,
            "clientOid": intent.id,
            "type": "INTERNAL",
            "fromAccountType": ACCOUNTS[action.source],
            "toAccountType": ACCOUNTS[action.destination],
        },
    )


def _write(call: str, path: str, said: Mapping[str, Any]) -> Write:
    words = {key: v if isinstance(v, str) else json.dumps(v) for key, v in said.items()}
    return Write(
        call=call, expected=Expected(method="POST", path=path, parameters=words), typed=dict(said)
    )


def _leg(key: PositionKey, mode: PositionMode) -> dict[str, str]:
    """Return how a request names a position of a symbol; there is one only without legs."""
    return {} if mode is PositionMode.ONE_WAY else {"positionSide": LEGS[key.side]}


def _name_problem(name: str) -> str:
    if name.isascii() and name.isalnum() and len(name) <= LONGEST_NAME:
        return ""
    return f"id must be at most {LONGEST_NAME} letters and digits, was {name!r}"


def _data(answer: Any) -> Any:
    """Return what an answer of success brings; ``None`` for any other."""
    is_success = isinstance(answer, dict) and answer.get("code") == SUCCESS
    return answer.get("data") if is_success else None


def _is_of(found: Any, said: Mapping[str, str], key: PositionKey) -> bool:
    """Whether an answer is the row of the position that was meant."""
    if not isinstance(found, dict) or found.get("symbol") != said["symbol"]:
        return False
    size, margin = named_amount(found.get("currentQty")), named_amount(found.get("posMargin"))
    leg = said.get("positionSide", "BOTH")
    return (
        size is not None
        and size * key.side.sign > 0
        and margin is not None
        and margin > 0
        and found.get("positionSide", leg) == leg
    )


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
