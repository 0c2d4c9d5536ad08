"""What is answered to which type of question, and of action?"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.paper.hyperliquid import account, market_data, trade
from bot.paper.hyperliquid.room import Request, Room

Handler = Callable[[Room, Request], Any]
INFO: Mapping[str, Handler] = {
    "exchangeStatus": market_data.status,
    "meta": market_data.meta,
    "metaAndAssetCtxs": market_data.contexts,
    "allMids": market_data.mids,
    "l2Book": market_data.depth,
    "candleSnapshot": market_data.candles,
    "clearinghouseState": account.state,
    "spotClearinghouseState": account.spot,
    "userRole": account.role,
    "userAbstraction": account.abstraction,
    "userFees": account.fees,
    "frontendOpenOrders": account.open_orders,
    "orderStatus": account.order_status,
    "userFillsByTime": account.fills,
    "userFunding": account.funding,
    "userNonFundingLedgerUpdates": account.updates,
}
"""What anybody may ask."""
ACTIONS: Mapping[str, Handler] = {
    "order": trade.place,
    "cancel": trade.cancel,
    "updateIsolatedMargin": trade.move_margin,
    "updateLeverage": trade.set_leverage,
    "usdClassTransfer": trade.transfer,
}
"""What must be signed."""
OF_OWNER = frozenset({"usdClassTransfer"})
"""What no agent may do."""
