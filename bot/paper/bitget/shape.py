"""How does the venue write numbers and rows?"""

from decimal import Decimal
from typing import Any

from bot.paper.bitget.listing import COIN, bracket
from bot.paper.engine import Engine
from bot.paper.values import ZERO, Contract, Holding, Order

LEGS = {"BOTH": "net", "LONG": "long", "SHORT": "short"}
STATES = {
    "NEW": "live", "PARTIALLY_FILLED": "partially_filled", "FILLED": "filled",
    "EXPIRED": "canceled", "CANCELED": "canceled",
}  # fmt: skip
PLAN_STATES = {
    "NEW": "live", "CANCELED": "cancelled", "FILLED": "executed", "PARTIALLY_FILLED": "executed",
    "EXPIRED": "fail_execute",
}  # fmt: skip


def plain(value: Decimal) -> str:
    """Return a number as plain digits, without zeros that say nothing."""
    text = format(value, ".16f")
    return text.rstrip("0").rstrip(".")


def mode(engine: Engine) -> str:
    """Return the word for how symbols are held."""
    return "hedge_mode" if engine.hedge_mode else "one_way_mode"


def margin_mode(*, isolated: bool) -> str:
    """Return the word for whose margin stands behind a position."""
    return "isolated" if isolated else "crossed"


def position(engine: Engine, holding: Holding) -> dict[str, Any]:
    """Return a row of position/all-position."""
    contract, quote = engine.contracts[holding.symbol], engine.quotes[holding.symbol]
    size, profit = abs(holding.amount), engine.profit(holding)
    margin = holding.margin if holding.isolated else engine.initial(holding)
    equity = margin + profit
    return {
        "marginCoin": contract.asset,
        "symbol": contract.id,
        "holdSide": "long" if holding.amount > 0 else "short",
        "openDelegateSize": "0",
        "marginSize": plain(margin),
        "available": plain(size),
        "locked": "0",
        "total": plain(size),
        "leverage": str(engine.leverage[contract.id]),
        "achievedProfits": "0",
        "openPriceAvg": plain(holding.entry),
        "marginMode": margin_mode(isolated=holding.isolated),
        "posMode": mode(engine),
        "unrealizedPL": plain(profit),
        "liquidationPrice": plain(engine.liquidation_price(holding)),
        "keepMarginRate": plain(bracket(contract, contract.worth(size, quote.mark)).rate),
        "markPrice": plain(quote.mark),
        "marginRatio": plain(engine.maintenance(holding) / equity) if equity > 0 else "1",
        "breakEvenPrice": plain(holding.entry),
        "totalFee": "",
        "deductedFee": "0",
        "grant": "",
        "assetMode": "single",
        "autoMargin": "off",
        "takeProfit": "",
        "stopLoss": "",
        "takeProfitId": "",
        "stopLossId": "",
        "cTime": str(engine.start_ms),
        "uTime": str(holding.updated_ms),
    }


def order(engine: Engine, found: Order) -> dict[str, Any]:
    """Return an order; a closing one of a leg has the side that the leg was opened with."""
    ask, contract = found.ask, engine.contracts[found.ask.symbol]
    closes = (ask.position_side, ask.side) in (("LONG", "SELL"), ("SHORT", "BUY"))
    return {
        "symbol": contract.id,
        "size": plain(found.size),
        "orderId": str(found.id),
        "clientOid": found.client_id,
        "baseVolume": plain(found.filled),
        "fee": "0",
        "price": plain(ask.price) if ask.price else "",
        "priceAvg": plain(found.cost / found.filled) if found.filled else "",
        "state": STATES[found.status],
        "status": STATES[found.status],
        "side": _side(found),
        "force": ask.time_in_force.lower(),
        "totalProfits": "0",
        "posSide": LEGS[ask.position_side],
        "marginCoin": contract.asset,
        "quoteVolume": plain(found.cost),
        "leverage": str(engine.leverage[contract.id]),
        "marginMode": margin_mode(isolated=engine.isolated[contract.id]),
        "reduceOnly": "YES" if ask.reduce_only else "NO",
        "enterPointSource": "API",
        "tradeSide": ("close" if closes else "open") if engine.hedge_mode else "",
        "posMode": mode(engine),
        "orderType": "market" if ask.type == "MARKET" else "limit",
        "orderSource": "normal",
        "presetStopSurplusPrice": "",
        "presetStopLossPrice": "",
        "cancelReason": "",
        "cTime": str(found.at_ms),
        "uTime": str(found.updated_ms),
    }


def plan(engine: Engine, found: Order) -> dict[str, Any]:
    """Return a stop loss as its own endpoints list it."""
    ask = found.ask
    return {
        "planType": "pos_loss" if ask.close_position else "loss_plan",
        "symbol": ask.symbol,
        "size": "0" if ask.close_position else plain(ask.size),
        "orderId": str(found.id),
        "clientOid": found.client_id,
        "price": "",
        "executePrice": "",
        "callbackRatio": "",
        "triggerPrice": plain(ask.stop),
        "triggerType": "mark_price" if ask.on_mark else "fill_price",
        "planStatus": PLAN_STATES[found.status],
        "side": _side(found),
        "posSide": LEGS[ask.position_side],
        "marginCoin": COIN,
        "marginMode": margin_mode(isolated=engine.isolated[ask.symbol]),
        "enterPointSource": "API",
        "tradeSide": "close",
        "posMode": mode(engine),
        "orderType": "market",
        "orderSource": "loss_market",
        "stopSurplusTriggerPrice": None,
        "stopSurplusExecutePrice": None,
        "stopSurplusTriggerType": None,
        "stopLossTriggerPrice": plain(ask.stop),
        "stopLossExecutePrice": None,
        "stopLossTriggerType": "mark_price" if ask.on_mark else "fill_price",
        "cTime": str(found.at_ms),
        "uTime": str(found.updated_ms),
    }


def _side(found: Order) -> str:
    """Return the venue's side: with legs that of the leg, whether it is opened or closed."""
    ask = found.ask
    if ask.position_side == "BOTH":
        return ask.side.lower()
    return "buy" if ask.position_side == "LONG" else "sell"


def contract_row(contract: Contract) -> dict[str, Any]:
    """Return a row of market/contracts."""
    tick = contract.tick.normalize()
    digits = tick.as_tuple()
    places = max(0, -digits.exponent) if isinstance(digits.exponent, int) else 0
    lot = contract.lot.normalize().as_tuple()
    return {
        "symbol": contract.id,
        "baseCoin": contract.base,
        "quoteCoin": contract.quote,
        "buyLimitPriceRatio": plain(contract.bound),
        "sellLimitPriceRatio": plain(contract.bound),
        "feeRateUpRatio": "0.005",
        "makerFeeRate": plain(contract.maker),
        "takerFeeRate": plain(contract.taker),
        "openCostUpRatio": "0.01",
        "supportMarginCoins": [contract.asset],
        "minTradeNum": plain(contract.lot),
        "priceEndStep": plain(tick.scaleb(places)),
        "volumePlace": str(max(0, -lot.exponent) if isinstance(lot.exponent, int) else 0),
        "pricePlace": str(places),
        "sizeMultiplier": plain(contract.lot),
        "symbolType": "perpetual",
        "minTradeUSDT": plain(contract.notional),
        "maxSymbolOrderNum": "200",
        "maxProductOrderNum": "1000",
        "maxPositionNum": "150",
        "symbolStatus": "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryPeriod": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": str(contract.brackets[0].leverage),
        "posLimit": "0.1",
        "maintainTime": "",
        "openTime": "",
        "maxMarketOrderQty": plain(contract.market_maximum),
        "maxOrderQty": plain(contract.maximum),
    }


def total(amounts: list[Decimal]) -> Decimal:
    """Return a sum; of none it is 0."""
    return sum(amounts, ZERO)
