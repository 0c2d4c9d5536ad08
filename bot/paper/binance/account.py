"""What may the owner of the account read and set?"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bot.paper.binance.codes import WireError
from bot.paper.binance.family import assets, contract_of, contracts, counted, wanted
from bot.paper.binance.request import Request
from bot.paper.binance.shape import coin_position, old_position, position
from bot.paper.digits import fixed, plain
from bot.paper.engine import Engine
from bot.paper.values import Bracket, Contract, Holding, Kind, Reason, Refused

ZERO = Decimal(0)
TOTALS = (
    "initialMargin", "maintMargin", "walletBalance", "unrealizedProfit", "marginBalance",
    "positionInitialMargin", "openOrderInitialMargin", "crossWalletBalance", "crossUnPnl",
)  # fmt: skip
"""Sums that an account at fapi also has under a name of its own."""
LARGEST = {Kind.LINEAR: "maxNotionalValue", Kind.INVERSE: "maxQty"}
"""How the largest position of a leverage setting is called."""
USUAL_MOVES = {Kind.LINEAR: 500, Kind.INVERSE: 50}
"""Margin moves of one answer where no number is asked for."""


def leverage_bracket(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/leverageBracket, and v2 of dapi."""
    return [
        {
            "symbol": contract.id,
            "brackets": [
                _bracket(contract, number, step)
                for number, step in enumerate(contract.brackets, start=1)
            ],
        }
        for contract in wanted(engine, request)
    ]


def position_risk_v3(engine: Engine, request: Request) -> Any:
    """GET /fapi/v3/positionRisk: open positions only."""
    return [position(engine, h) for h in _holdings(engine, request)]


def position_risk_v2(engine: Engine, request: Request) -> Any:
    """GET /fapi/v2/positionRisk: a row per symbol, open or not."""
    symbol = request.optional("symbol")
    rows = []
    for contract in contracts(engine, request):
        if symbol is not None and contract.id != symbol:
            continue
        held = [h for h in _holdings(engine, request) if h.symbol == contract.id]
        rows += [old_position(engine, contract, holding) for holding in held]
        if not held:
            rows.append(old_position(engine, contract, None))
    return rows


def position_risk_coin(engine: Engine, request: Request) -> Any:
    """GET /dapi/v1/positionRisk: a row per symbol and side, open or not."""
    asset, pair = request.optional("marginAsset"), request.optional("pair")
    return [
        coin_position(engine, contract, engine.holdings.get((contract.id, side)), side=side)
        for contract in contracts(engine, request)
        for side in _sides(engine)
        if asset in (None, contract.asset) and pair in (None, f"{contract.base}{contract.quote}")
    ]


def account(engine: Engine, request: Request) -> Any:
    """GET /fapi/v3/account, also v2: totals are of USDT."""
    del request
    dollars = _sums(engine, "USDT")
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "multiAssetsMargin": False,
        **{f"total{name[0].upper()}{name[1:]}": dollars[name] for name in TOTALS},
        "availableBalance": dollars["availableBalance"],
        "maxWithdrawAmount": dollars["maxWithdrawAmount"],
        "assets": [
            _asset(engine, asset) | {"marginAvailable": True}
            for asset in assets(engine, Kind.LINEAR)
        ],
        "positions": [
            _account_row(engine, holding)
            for holding in engine.holdings.values()
            if engine.contracts[holding.symbol].kind is Kind.LINEAR
        ],
    }


def account_coin(engine: Engine, request: Request) -> Any:
    """GET /dapi/v1/account: a row per symbol and side, open or not."""
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "assets": [_asset(engine, asset) for asset in assets(engine, Kind.INVERSE)],
        "positions": [
            _account_row_coin(engine, contract, side)
            for contract in contracts(engine, request)
            for side in _sides(engine)
        ],
    }


def balance(engine: Engine, request: Request) -> Any:
    """GET /fapi/v3/balance, also v2, and of dapi."""
    rows = []
    for asset in assets(engine, request.kind):
        sums = _sums(engine, asset)
        row = {
            "accountAlias": "paper",
            "asset": asset,
            "balance": sums["walletBalance"],
            "crossWalletBalance": sums["crossWalletBalance"],
            "crossUnPnl": sums["crossUnPnl"],
            "availableBalance": sums["availableBalance"],
            "updateTime": engine.now_ms,
        }
        if request.kind is Kind.LINEAR:
            row |= {"maxWithdrawAmount": sums["maxWithdrawAmount"], "marginAvailable": True}
        else:
            row["withdrawAvailable"] = sums["maxWithdrawAmount"]
        rows.append(row)
    return rows


def symbol_config(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/symbolConfig."""
    return [
        {
            "symbol": contract.id,
            "marginType": "ISOLATED" if engine.isolated[contract.id] else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": engine.leverage[contract.id],
            "maxNotionalValue": plain(contract.brackets[-1].cap),
        }
        for contract in wanted(engine, request)
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
    contract = contract_of(engine, request, request.text("symbol"))
    leverage = request.whole("leverage")
    engine.set_leverage(contract.id, leverage)
    return {
        "symbol": contract.id,
        "leverage": leverage,
        LARGEST[request.kind]: plain(contract.brackets[-1].cap),
    }


def set_margin_type(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/marginType."""
    contract = contract_of(engine, request, request.text("symbol"))
    wanted = request.choice("marginType", ("ISOLATED", "CROSSED"))
    engine.set_isolated(contract.id, isolated=wanted == "ISOLATED")
    return {"code": 200, "msg": "success"}


def move_margin(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/positionMargin."""
    contract = contract_of(engine, request, request.text("symbol"))
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
    """GET /fapi/v1/positionMargin/history: oldest first, at most ``limit`` newest; also of dapi."""
    contract = contract_of(engine, request, request.text("symbol"))
    kind = request.optional("type")
    rows = [
        {
            "symbol": move.symbol,
            "type": 1 if move.amount > 0 else 2,
            **({"deltaType": "USER_ADJUST"} if request.kind is Kind.LINEAR else {}),
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
    return _page(request, rows, "time", default=USUAL_MOVES[request.kind])


def income(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/income, also of dapi."""
    symbol, kind = request.optional("symbol"), request.optional("incomeType")
    listed = assets(engine, request.kind)
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
        if line.asset in listed
        and (symbol is None or line.symbol == symbol)
        and (kind is None or line.type == kind)
        and engine.is_shown(line.at_ms)
    ]
    return _page(request, rows, "time", default=100)


def commission_rate(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/commissionRate."""
    contract = contract_of(engine, request, request.text("symbol"))
    return {
        "symbol": contract.id,
        "makerCommissionRate": plain(contract.maker),
        "takerCommissionRate": plain(contract.taker),
    }


def adl_quantile(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/adlQuantile."""
    return [
        {"symbol": holding.symbol, "adlQuantile": {holding.side: 2}}
        for holding in _holdings(engine, request)
    ]


def listen_key(engine: Engine, request: Request) -> Any:
    """POST and PUT /fapi/v1/listenKey."""
    del engine, request
    return {"listenKey": "paper" * 12 + "keys"}


def _holdings(engine: Engine, request: Request) -> Iterable[Holding]:
    listed = {contract.id for contract in wanted(engine, request)}
    return [h for h in engine.holdings.values() if h.symbol in listed]


def _sides(engine: Engine) -> tuple[str, ...]:
    """Return the sides that dapi has a row of, of each symbol."""
    return ("BOTH", "LONG", "SHORT") if engine.hedge_mode else ("BOTH",)


def _bracket(contract: Contract, number: int, step: Bracket) -> dict[str, Any]:
    unit = "qty" if contract.kind is Kind.INVERSE else "notional"
    return {
        "bracket": number,
        "initialLeverage": step.leverage,
        f"{unit}Cap": int(step.cap),
        f"{unit}Floor": int(step.floor),
        "maintMarginRatio": float(step.rate),
        "cum": float(step.cum),
    }


def _page(
    request: Request, rows: list[dict[str, Any]], stamp: str, *, default: int
) -> list[dict[str, Any]]:
    since = request.whole("startTime", "0")
    until = request.whole("endTime", str(2**53))
    limit = request.whole("limit", str(default))
    if limit <= 0:
        raise WireError(-1130, "Data sent for parameter 'limit' is not valid.")
    return [row for row in rows if since <= row[stamp] <= until][-limit:]


def _sums(engine: Engine, asset: str) -> dict[str, str]:
    held = engine.settled_in(asset)
    profit = sum((engine.profit(h) for h in held), ZERO)
    cross_profit = sum((engine.profit(h) for h in held if not h.isolated), ZERO)
    initial = sum((engine.initial(h) for h in held), ZERO)
    orders = engine.order_initial(asset)
    wallet = engine.wallet_balance(asset)
    return {
        "initialMargin": fixed(initial + orders),
        "maintMargin": fixed(sum((engine.maintenance(h) for h in held), ZERO)),
        "walletBalance": fixed(wallet),
        "unrealizedProfit": fixed(profit),
        "marginBalance": fixed(wallet + profit),
        "positionInitialMargin": fixed(initial),
        "openOrderInitialMargin": fixed(orders),
        "crossWalletBalance": fixed(engine.cross[asset]),
        "crossUnPnl": fixed(cross_profit),
        "availableBalance": fixed(engine.available(asset)),
        "maxWithdrawAmount": fixed(engine.available(asset)),
    }


def _asset(engine: Engine, asset: str) -> dict[str, Any]:
    return {"asset": asset, **_sums(engine, asset), "updateTime": engine.now_ms}


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


def _account_row_coin(engine: Engine, contract: Contract, side: str) -> dict[str, Any]:
    holding = engine.holdings.get((contract.id, side))
    initial = fixed(engine.initial(holding)) if holding else "0"
    return {
        "symbol": contract.id,
        "positionSide": side,
        "positionAmt": plain(counted(contract, holding.amount)) if holding else "0",
        "initialMargin": initial,
        "maintMargin": fixed(engine.maintenance(holding)) if holding else "0",
        "unrealizedProfit": fixed(engine.profit(holding)) if holding else "0.00000000",
        "positionInitialMargin": initial,
        "openOrderInitialMargin": "0",
        "leverage": str(engine.leverage[contract.id]),
        "isolated": engine.isolated[contract.id] if holding is None else holding.isolated,
        "entryPrice": fixed(holding.entry) if holding else "0.0",
        "maxQty": plain(contract.brackets[-1].cap),
        "updateTime": holding.updated_ms if holding else 0,
    }
