"""What may the owner of the account read and set?"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bot.paper.binance.codes import WireError
from bot.paper.binance.request import Request
from bot.paper.binance.shape import fixed, old_position, plain, position
from bot.paper.engine import Engine
from bot.paper.values import Holding, Reason, Refused

ZERO = Decimal(0)


def leverage_bracket(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/leverageBracket."""
    symbol = request.optional("symbol")
    wanted = engine.contracts.values() if symbol is None else [engine.contract(symbol)]
    return [
        {
            "symbol": contract.id,
            "brackets": [
                {
                    "bracket": number,
                    "initialLeverage": step.leverage,
                    "notionalCap": int(step.cap),
                    "notionalFloor": int(step.floor),
                    "maintMarginRatio": float(step.rate),
                    "cum": float(step.cum),
                }
                for number, step in enumerate(contract.brackets, start=1)
            ],
        }
        for contract in wanted
    ]


def position_risk_v3(engine: Engine, request: Request) -> Any:
    """GET /fapi/v3/positionRisk: open positions only."""
    symbol = request.optional("symbol")
    return [position(engine, h) for h in _holdings(engine, symbol)]


def position_risk_v2(engine: Engine, request: Request) -> Any:
    """GET /fapi/v2/positionRisk: a row per symbol, open or not."""
    symbol = request.optional("symbol")
    rows = []
    for contract in engine.contracts.values():
        if symbol is not None and contract.id != symbol:
            continue
        held = list(_holdings(engine, contract.id))
        rows += [old_position(engine, contract, holding) for holding in held]
        if not held:
            rows.append(old_position(engine, contract, None))
    return rows


def account(engine: Engine, request: Request) -> Any:
    """GET /fapi/v3/account, also v2."""
    del request
    total = _totals(engine)
    asset = {
        "asset": "USDT",
        "walletBalance": total["totalWalletBalance"],
        "unrealizedProfit": total["totalUnrealizedProfit"],
        "marginBalance": total["totalMarginBalance"],
        "maintMargin": total["totalMaintMargin"],
        "initialMargin": total["totalInitialMargin"],
        "positionInitialMargin": total["totalPositionInitialMargin"],
        "openOrderInitialMargin": total["totalOpenOrderInitialMargin"],
        "crossWalletBalance": total["totalCrossWalletBalance"],
        "crossUnPnl": total["totalCrossUnPnl"],
        "availableBalance": total["availableBalance"],
        "maxWithdrawAmount": total["maxWithdrawAmount"],
        "marginAvailable": True,
        "updateTime": engine.now_ms,
    }
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "multiAssetsMargin": False,
        **total,
        "assets": [asset],
        "positions": [_account_row(engine, holding) for holding in engine.holdings.values()],
    }


def balance(engine: Engine, request: Request) -> Any:
    """GET /fapi/v3/balance, also v2."""
    del request
    total = _totals(engine)
    return [
        {
            "accountAlias": "paper",
            "asset": "USDT",
            "balance": total["totalWalletBalance"],
            "crossWalletBalance": total["totalCrossWalletBalance"],
            "crossUnPnl": total["totalCrossUnPnl"],
            "availableBalance": total["availableBalance"],
            "maxWithdrawAmount": total["maxWithdrawAmount"],
            "marginAvailable": True,
            "updateTime": engine.now_ms,
        }
    ]


def symbol_config(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/symbolConfig."""
    symbol = request.optional("symbol")
    wanted = engine.contracts.values() if symbol is None else [engine.contract(symbol)]
    return [
        {
            "symbol": contract.id,
            "marginType": "ISOLATED" if engine.isolated[contract.id] else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": engine.leverage[contract.id],
            "maxNotionalValue": plain(contract.brackets[-1].cap),
        }
        for contract in wanted
    ]


def account_config(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/accountConfig."""
    del request
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": engine.hedge_mode,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        "updateTime": engine.now_ms,
    }


def get_dual_side(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/positionSide/dual."""
    del request
    return {"dualSidePosition": engine.hedge_mode}


def set_dual_side(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/positionSide/dual."""
    wanted = request.choice("dualSidePosition", ("true", "false", "True", "False"))
    engine.set_hedge_mode(hedge=wanted.lower() == "true")
    return {"code": 200, "msg": "success"}


def multi_assets(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/multiAssetsMargin."""
    del engine, request
    return {"multiAssetsMargin": False}


def set_leverage(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/leverage."""
    contract = engine.contract(request.text("symbol"))
    leverage = request.whole("leverage")
    engine.set_leverage(contract.id, leverage)
    return {
        "symbol": contract.id,
        "leverage": leverage,
        "maxNotionalValue": plain(contract.brackets[-1].cap),
    }


def set_margin_type(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/marginType."""
    contract = engine.contract(request.text("symbol"))
    wanted = request.choice("marginType", ("ISOLATED", "CROSSED"))
    engine.set_isolated(contract.id, isolated=wanted == "ISOLATED")
    return {"code": 200, "msg": "success"}


def move_margin(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/positionMargin."""
    contract = engine.contract(request.text("symbol"))
    side = request.choice("positionSide", ("BOTH", "LONG", "SHORT"), "BOTH")
    if (side != "BOTH") != engine.hedge_mode:
        raise Refused(Reason.POSITION_SIDE, "Position side does not match user's setting.")
    amount = request.decimal("amount")
    kind = request.choice("type", ("1", "2"))
    if amount <= 0:
        raise WireError(-4003, "Amount must be positive.")
    engine.move_margin(contract.id, side, amount, add=kind == "1")
    return {
        "code": 200,
        "msg": "Successfully modify position margin.",
        "amount": float(amount),
        "type": int(kind),
    }


def margin_history(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/positionMargin/history: oldest first, at most ``limit`` newest."""
    contract = engine.contract(request.text("symbol"))
    kind = request.optional("type")
    rows = [
        {
            "symbol": move.symbol,
            "type": 1 if move.amount > 0 else 2,
            "deltaType": "USER_ADJUST",
            "amount": plain(abs(move.amount)),
            "asset": move.asset,
            "time": move.at_ms,
            "positionSide": move.side,
        }
        for move in engine.margin_moves
        if move.symbol == contract.id
        and (kind is None or (move.amount > 0) == (kind == "1"))
        and engine.is_shown(move.at_ms)
    ]
    return _page(request, rows, "time", default=500)


def income(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/income."""
    symbol, kind = request.optional("symbol"), request.optional("incomeType")
    rows = [
        {
            "symbol": line.symbol,
            "incomeType": line.type,
            "income": fixed(line.amount),
            "asset": line.asset,
            "info": line.type,
            "time": line.at_ms,
            "tranId": line.id,
            "tradeId": "",
        }
        for line in engine.income
        if (symbol is None or line.symbol == symbol)
        and (kind is None or line.type == kind)
        and engine.is_shown(line.at_ms)
    ]
    return _page(request, rows, "time", default=100)


def commission_rate(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/commissionRate."""
    contract = engine.contract(request.text("symbol"))
    return {
        "symbol": contract.id,
        "makerCommissionRate": plain(contract.maker),
        "takerCommissionRate": plain(contract.taker),
    }


def adl_quantile(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/adlQuantile."""
    symbol = request.optional("symbol")
    return [
        {"symbol": holding.symbol, "adlQuantile": {holding.side: 2}}
        for holding in _holdings(engine, symbol)
    ]


def listen_key(engine: Engine, request: Request) -> Any:
    """POST and PUT /fapi/v1/listenKey."""
    del engine, request
    return {"listenKey": "paper" * 12 + "keys"}


def _holdings(engine: Engine, symbol: str | None) -> Iterable[Holding]:
    if symbol is not None:
        engine.contract(symbol)
    return [h for h in engine.holdings.values() if symbol is None or h.symbol == symbol]


def _page(
    request: Request, rows: list[dict[str, Any]], stamp: str, *, default: int
) -> list[dict[str, Any]]:
    since = request.whole("startTime", "0")
    until = request.whole("endTime", str(2**53))
    limit = request.whole("limit", str(default))
    if limit <= 0:
        raise WireError(-1130, "Data sent for parameter 'limit' is not valid.")
    return [row for row in rows if since <= row[stamp] <= until][-limit:]


def _totals(engine: Engine) -> dict[str, str]:
    held = list(engine.holdings.values())
    profit = sum((engine.profit(h) for h in held), ZERO)
    cross_profit = sum((engine.profit(h) for h in held if not h.isolated), ZERO)
    initial = sum((engine.initial(h) for h in held), ZERO)
    orders = engine.order_initial()
    wallet = engine.wallet_balance()
    return {
        "totalInitialMargin": fixed(initial + orders),
        "totalMaintMargin": fixed(sum((engine.maintenance(h) for h in held), ZERO)),
        "totalWalletBalance": fixed(wallet),
        "totalUnrealizedProfit": fixed(profit),
        "totalMarginBalance": fixed(wallet + profit),
        "totalPositionInitialMargin": fixed(initial),
        "totalOpenOrderInitialMargin": fixed(orders),
        "totalCrossWalletBalance": fixed(engine.cross["USDT"]),
        "totalCrossUnPnl": fixed(cross_profit),
        "availableBalance": fixed(engine.available()),
        "maxWithdrawAmount": fixed(engine.available()),
    }


def _account_row(engine: Engine, holding: Holding) -> dict[str, Any]:
    row = position(engine, holding)
    return {
        "symbol": row["symbol"],
        "positionSide": row["positionSide"],
        "positionAmt": row["positionAmt"],
        "unrealizedProfit": row["unRealizedProfit"],
        "isolatedMargin": row["isolatedMargin"],
        "notional": row["notional"],
        "isolatedWallet": row["isolatedWallet"],
        "initialMargin": row["initialMargin"],
        "maintMargin": row["maintMargin"],
        "updateTime": row["updateTime"],
    }
