"""What may the owner of the account read and set?"""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal

from bot.paper.gate.codes import WireError, wrong
from bot.paper.gate.listing import name
from bot.paper.gate.request import Request
from bot.paper.gate.room import Room
from bot.paper.gate.shape import nothing, plain, position, seconds
from bot.paper.values import ZERO, Contract, Holding, Income

PAGE, MOST = 100, 1000
LEGS: dict[str, Literal["LONG", "SHORT"]] = {"dual_long": "LONG", "dual_short": "SHORT"}
TYPES = {
    "TRANSFER": "dnw", "REALIZED_PNL": "pnl", "COMMISSION": "fee", "FUNDING_FEE": "fund",
    "INSURANCE_CLEAR": "pnl",
}  # fmt: skip
UNSHOWN = 6
"""Signs of a key that its owner is shown."""


def accounts(room: Room, request: Request) -> dict[str, Any]:
    """GET /futures/{settle}/accounts."""
    ccy = request.choice("settle", ("usdt", "btc")).upper()
    engine = room.engine
    if ccy not in engine.cross:
        raise WireError("USER_NOT_FOUND", "please transfer funds first to create futures account")
    held = engine.settled_in(ccy)
    isolated = [h for h in held if h.isolated]
    crossed = [h for h in held if not h.isolated]
    return {
        "available": plain(engine.available(ccy)),
        "bonus": "0",
        "cross_available": plain(engine.available(ccy)),
        "cross_initial_margin": plain(_sum(engine.initial(h) for h in crossed)),
        "cross_maintenance_margin": plain(_sum(engine.maintenance(h) for h in crossed)),
        "cross_order_margin": plain(engine.order_initial(ccy)),
        "cross_unrealised_pnl": plain(_sum(engine.profit(h) for h in crossed)),
        "currency": ccy,
        "enable_credit": room.margin_mode > 0,
        "enable_dual_plus": room.splits,
        "enable_evolved_classic": True,
        "enable_tiered_mm": room.is_tiered,
        "history": {},
        "in_dual_mode": engine.hedge_mode or room.splits,
        "isolated_position_margin": plain(_sum(h.margin for h in isolated)),
        "maintenance_margin": plain(_sum(engine.maintenance(h) for h in held)),
        "margin_mode": room.margin_mode,
        "order_margin": plain(engine.order_initial(ccy)),
        "point": "0",
        "position_initial_margin": plain(_sum(engine.initial(h) for h in held)),
        "position_margin": plain(_sum(h.margin for h in isolated)),
        "position_mode": _mode(room),
        "total": plain(engine.wallet_balance(ccy)),
        "unrealised_pnl": plain(_sum(engine.profit(h) for h in held)),
        "user": 1,
    }


def positions(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/positions."""
    if request.text("settle") == "btc":
        if room.coin_positions is None:
            raise WireError("USER_NOT_FOUND", "please transfer funds first to create an account")
        return request.page(room.coin_positions, usual=PAGE, most=MOST)
    rows = [position(room.engine, holding) for holding in room.engine.holdings.values()]
    if not request.is_true("holding"):
        rows += [
            nothing(room.engine, contract, side)
            for contract in room.contracts(request)
            for side in _sides(room)
            if (contract.id, side) not in room.engine.holdings
        ]
    return request.page(rows, usual=PAGE, most=MOST)


def single(room: Room, request: Request) -> dict[str, Any]:
    """GET /futures/{settle}/positions/{contract}."""
    _in_mode(room, hedge=False)
    return _row(room, room.contract(request), "BOTH")


def legs(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/dual_comp/positions/{contract}."""
    contract = room.contract(request)
    return [_row(room, contract, side) for side in _sides(room)]


def move_margin(room: Room, request: Request) -> dict[str, Any]:
    """POST /futures/{settle}/positions/{contract}/margin: a signed change."""
    _in_mode(room, hedge=False)
    return _moved(room, request, "BOTH")


def move_margin_of_leg(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /futures/{settle}/dual_comp/positions/{contract}/margin: of one leg."""
    if not room.engine.hedge_mode:
        raise WireError("POSITION_NOT_FOUND", "no position in dual mode")
    _moved(room, request, LEGS[request.choice("dual_side", tuple(LEGS))])
    return legs(room, request)


def set_leverage(room: Room, request: Request) -> dict[str, Any]:
    """POST /futures/{settle}/positions/{contract}/leverage."""
    _in_mode(room, hedge=False)
    contract, lever = room.contract(request), request.whole("leverage")
    if lever == 0:
        room.engine.set_isolated(contract.id, isolated=False)
    else:
        if not room.engine.isolated[contract.id]:
            room.engine.set_isolated(contract.id, isolated=True)
        room.engine.set_leverage(contract.id, lever)
    return _row(room, contract, "BOTH")


def set_dual_mode(room: Room, request: Request) -> dict[str, Any]:
    """POST /futures/{settle}/dual_mode."""
    room.engine.set_hedge_mode(hedge=request.is_true("dual_mode"))
    return accounts(room, request)


def fee(room: Room, request: Request) -> dict[str, Any]:
    """GET /futures/{settle}/fee."""
    wanted = request.optional("contract")
    return {
        name(contract): {"taker_fee": plain(contract.taker), "maker_fee": plain(contract.maker)}
        for contract in room.contracts(request)
        if wanted in (None, name(contract))
    }


def account_book(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/account_book: newest first."""
    engine, ccy = room.engine, request.choice("settle", ("usdt", "btc")).upper()
    since, until = request.whole("from", "0"), request.whole("to", str(2**40))
    wanted, contract = request.optional("type"), request.optional("contract")
    balance, rows = ZERO, []
    for line in engine.income:
        if line.asset != ccy:
            continue
        balance += line.amount
        row = _line(room, line, balance)
        if (
            since * 1000 <= line.at_ms < (until + 1) * 1000
            and wanted in (None, row["type"])
            and contract in (None, row["contract"])
            and engine.is_shown(line.at_ms)
        ):
            rows.append(row)
    return request.page(rows[::-1], usual=PAGE, most=MOST)


def main_keys(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /account/main_keys: each key of the owner, most of its signs unshown."""
    del request
    names = ["account", "futures", "spot", "wallet"] if room.rights is None else [*room.rights]
    if room.keys.may_withdraw:
        names.append("withdraw")
    shown = room.keys.key[:-UNSHOWN]
    if not names:
        raise WireError("FORBIDDEN", "no permission", status=HTTPStatus.FORBIDDEN)
    return [
        {
            "created_at": 1753030929,
            "currency_pairs": [],
            "ip_whitelist": [],
            "key": f"{shown}*****",
            "last_access": 1753030929,
            "mode": 1,
            "name": "paper",
            "perms": [{"name": word, "read_only": False} for word in names],
            "state": 1,
            "user_id": 1,
        }
    ]


def _line(room: Room, line: Income, balance: Decimal) -> dict[str, Any]:
    about = name(room.engine.contracts[line.symbol]) if line.symbol else ""
    return {
        "balance": plain(balance),
        "change": plain(line.amount),
        "contract": about,
        "id": str(line.id),
        "text": f"{about}:{line.id}" if about else "",
        "time": seconds(line.at_ms),
        "trade_id": "",
        "type": TYPES[line.type],
    }


def _moved(room: Room, request: Request, side: str) -> dict[str, Any]:
    contract, change = room.contract(request), request.decimal("change")
    if not change:
        raise wrong("change")
    room.engine.move_margin(contract.id, side, abs(change), add=change > 0)
    return _row(room, contract, side)


def _row(room: Room, contract: Contract, side: str) -> dict[str, Any]:
    holding: Holding | None = room.engine.holdings.get((contract.id, side))
    if holding is None:
        return nothing(room.engine, contract, side)
    return position(room.engine, holding)


def _in_mode(room: Room, *, hedge: bool) -> None:
    """Accept a request that fits the position mode.

    Raises:
        WireError: It does not.
    """
    if room.engine.hedge_mode != hedge:
        raise WireError("POSITION_DUAL_MODE", "operation forbidden in dual mode")


def _sides(room: Room) -> tuple[str, ...]:
    return ("LONG", "SHORT") if room.engine.hedge_mode else ("BOTH",)


def _mode(room: Room) -> str:
    if room.splits:
        return "dual_plus"
    return "dual" if room.engine.hedge_mode else "single"


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
