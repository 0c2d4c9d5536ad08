"""What may the owner of the account read and set?

The log has no line of what is added to an isolated position: that is no change of the wallet.
"""

from decimal import Decimal
from typing import Any

from bot.paper.bybit.codes import WireError
from bot.paper.bybit.listing import CATEGORIES, KINDS, asked, contracts, name
from bot.paper.bybit.request import Request
from bot.paper.bybit.shape import LEGS, empty, initial_margin, position
from bot.paper.digits import fixed, plain
from bot.paper.engine import Engine
from bot.paper.values import Income, Kind, Reason, Refused

ZERO = Decimal(0)
FINEST = Decimal("0.0001")
"""Of what is added to a position or taken from it. [settle]"""
WORDS = {
    "REALIZED_PNL": "TRADE",
    "COMMISSION": "TRADE",
    "FUNDING_FEE": "SETTLEMENT",
    "INSURANCE_CLEAR": "LIQUIDATION",
}
WEEK_MS = 7 * 86_400_000
UNIFIED = 6
"""A unified account of the newest kind."""


def position_list(engine: Engine, request: Request) -> Any:
    """GET /v5/position/list: what is held, or of a symbol every leg, held or not."""
    category = request.choice("category", ("linear", "inverse", "option"))
    symbol = request.optional("symbol")
    if category == "linear" and symbol is None and request.optional("settleCoin") is None:
        raise WireError(
            10001, "Missing some parameters that must be filled in, symbol or settleCoin"
        )
    rows = []
    for contract in contracts(engine, request):
        settle = request.optional("settleCoin")
        if symbol is None and settle not in (None, contract.asset):
            continue
        for leg in ("LONG", "SHORT") if engine.hedge_mode else ("BOTH",):
            held = engine.holdings.get((contract.id, leg))
            if held is not None:
                rows.append(position(engine, held))
            elif symbol is not None:
                rows.append(empty(engine, contract, leg))
    page, cursor = request.page(rows, usual=20, most=200)
    return {"category": category, "list": page, "nextPageCursor": cursor}


def wallet_balance(engine: Engine, request: Request) -> Any:
    """GET /v5/account/wallet-balance."""
    request.choice("accountType", ("UNIFIED",))
    named = request.optional("coin")
    coins = [coin for coin in engine.cross if named is None or coin in named.split(",")]
    whole = ("totalEquity", "totalWalletBalance", "totalMarginBalance", "totalAvailableBalance",
             "totalPerpUPL", "totalInitialMargin", "totalMaintenanceMargin", "accountIMRate",
             "accountMMRate", "accountLTV")  # fmt: skip
    account = dict.fromkeys(whole, "")
    rows = [_coin(engine, coin) for coin in coins]
    return {"list": [{"accountType": "UNIFIED", **account, "coin": rows}]}


def withdrawal(engine: Engine, request: Request) -> Any:
    """GET /v5/account/withdrawal: what may be moved."""
    coins = request.text("coinName").split(",")
    free = {c: fixed(engine.available(c) if c in engine.cross else ZERO) for c in coins}
    return {"availableWithdrawal": free[coins[0]], "availableWithdrawalMap": free}


def info(engine: Engine, request: Request) -> Any:
    """GET /v5/account/info."""
    return {
        "unifiedMarginStatus": UNIFIED,
        "marginMode": "ISOLATED_MARGIN" if _is_isolated(engine) else "REGULAR_MARGIN",
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "updatedTime": str(request.now_ms),
    }


def fee_rate(engine: Engine, request: Request) -> Any:
    """GET /v5/account/fee-rate."""
    return {
        "list": [
            {
                "symbol": name(contract),
                "baseCoin": "",
                "takerFeeRate": plain(contract.taker),
                "makerFeeRate": plain(contract.maker),
            }
            for contract in contracts(engine, request)
        ]
    }


def transaction_log(engine: Engine, request: Request) -> Any:
    """GET /v5/account/transaction-log: newest first, a week at most."""
    since, until = _span(request)
    currency, kind = request.optional("currency"), request.optional("type")
    rows = [
        _log_line(engine, line)
        for line in reversed(engine.income)
        if since <= line.at_ms <= until
        and engine.is_shown(line.at_ms)
        and (currency is None or line.asset == currency)
        and (kind is None or _word(line) == kind)
    ]
    page, cursor = request.page(rows, usual=20, most=50)
    return {"list": page, "nextPageCursor": cursor}


def move_margin(engine: Engine, request: Request) -> Any:
    """POST /v5/position/add-margin: a signed amount."""
    contract = asked(engine, request)
    leg = LEGS.get(request.whole("positionIdx", 0))
    if leg is None or (leg != "BOTH") != engine.hedge_mode:
        raise Refused(Reason.POSITION_SIDE, "position idx not match position mode")
    change = request.decimal("margin")
    if change % FINEST != 0:
        raise WireError(10001, "params error: margin invalid")
    if not change:
        raise WireError(110027, "Margin is not modified")
    engine.move_margin(contract.id, leg, abs(change), add=change > 0)
    row = position(engine, engine.holdings[contract.id, leg])
    return {"category": request.text("category"), **row}


def set_leverage(engine: Engine, request: Request) -> Any:
    """POST /v5/position/set-leverage."""
    contract = asked(engine, request)
    wanted = request.decimal("buyLeverage")
    if wanted != request.decimal("sellLeverage") or wanted % 1 != 0:
        raise WireError(10001, "params error: leverage invalid")
    if int(wanted) == engine.leverage[contract.id]:
        raise WireError(110043, "leverage not modified")
    engine.set_leverage(contract.id, int(wanted))
    return {}


def switch_mode(engine: Engine, request: Request) -> Any:
    """POST /v5/position/switch-mode: 0 is one-way, 3 is hedge; here always of all contracts."""
    category, mode = request.choice("category", tuple(KINDS), "linear"), request.whole("mode")
    if mode not in (0, 3):
        raise WireError(10001, "params error: mode invalid")
    if mode and KINDS[category] is Kind.INVERSE:
        raise WireError(110029, "This contract does not support hedge mode")
    engine.set_hedge_mode(hedge=mode != 0)
    return {}


def set_margin_mode(engine: Engine, request: Request) -> Any:
    """POST /v5/account/set-margin-mode: of the whole account."""
    wanted = request.choice("setMarginMode", ("ISOLATED_MARGIN", "REGULAR_MARGIN"))
    isolated = wanted == "ISOLATED_MARGIN"
    if isolated != _is_isolated(engine):
        for symbol in engine.contracts:
            if engine.isolated[symbol] != isolated:
                engine.set_isolated(symbol, isolated=isolated)
    return {"reasons": []}


def _is_isolated(engine: Engine) -> bool:
    return all(engine.isolated.values()) and all(h.isolated for h in engine.holdings.values())


def _coin(engine: Engine, coin: str) -> dict[str, str]:
    held = [h for h in engine.holdings.values() if engine.contracts[h.symbol].asset == coin]
    balance = engine.wallet_balance(coin)
    profit = sum((engine.profit(h) for h in held), ZERO)
    return {
        "coin": coin,
        "equity": fixed(balance + profit),
        "usdValue": fixed(balance + profit),
        "walletBalance": fixed(balance),
        "locked": "0",
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "accruedInterest": "0",
        "totalOrderIM": fixed(engine.order_initial(coin)),
        "totalPositionIM": fixed(sum((initial_margin(engine, h) for h in held), ZERO)),
        "totalPositionMM": fixed(sum((engine.maintenance(h) for h in held), ZERO)),
        "unrealisedPnl": fixed(profit),
        "cumRealisedPnl": "0",
        "bonus": "0",
        "marginCollateral": "true",
        "collateralSwitch": "true",
    }


def _span(request: Request) -> tuple[int, int]:
    """Return the span that is asked for; one end gives the other, none gives the last week. [ms].

    Raises:
        WireError: It is longer than a week.
    """
    since, until = (
        request.whole(name) if request.optional(name) else None for name in ("startTime", "endTime")
    )
    if until is None:
        until = request.now_ms if since is None else since + WEEK_MS
    if since is None:
        since = until - WEEK_MS
    if until - since > WEEK_MS:
        raise WireError(10001, "The interval between the startTime and endTime is incorrect")
    return since, until


def _word(line: Income) -> str:
    if line.type == "TRANSFER":
        return "TRANSFER_IN" if line.amount > 0 else "TRANSFER_OUT"
    return WORDS[line.type]


def _log_line(engine: Engine, line: Income) -> dict[str, Any]:
    fee = -line.amount if line.type == "COMMISSION" else ZERO
    funding = fixed(line.amount) if line.type == "FUNDING_FEE" else ""
    is_cash = line.type not in ("COMMISSION", "FUNDING_FEE")
    contract = engine.contracts[line.symbol] if line.symbol else None
    return {
        "id": f"{line.id}_{line.symbol or line.asset}_{line.at_ms}",
        "symbol": "" if contract is None else name(contract),
        "category": "" if contract is None else CATEGORIES[contract.kind],
        "side": "None",
        "transactionTime": str(line.at_ms),
        "type": _word(line),
        "qty": "0",
        "size": "0",
        "currency": line.asset,
        "tradePrice": "",
        "funding": funding,
        "fee": fixed(fee),
        "cashFlow": fixed(line.amount) if is_cash else "0",
        "change": fixed(line.amount),
        "cashBalance": fixed(engine.wallet_balance(line.asset)),
        "feeRate": "",
        "bonusChange": "",
        "tradeId": "",
        "orderId": "",
        "orderLinkId": "",
    }
