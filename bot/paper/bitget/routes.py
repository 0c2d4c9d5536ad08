"""Which endpoint answers what, and for whom?"""

from dataclasses import dataclass

from bot.paper.bitget import account, market_data, plans, trade, wallet
from bot.paper.bitget.room import Handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint.

    Attributes:
        handler: Answers.
        is_public: Whether anybody may ask.
    """

    handler: Handler
    is_public: bool = False


def _public(handler: Handler) -> Route:
    return Route(handler=handler, is_public=True)


def _signed(handler: Handler) -> Route:
    return Route(handler=handler)


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v2/public/time"): _public(market_data.server_time),
    ("GET", "/api/v2/mix/market/contracts"): _public(market_data.contracts),
    ("GET", "/api/v2/mix/market/query-position-lever"): _public(market_data.position_lever),
    ("GET", "/api/v2/mix/market/tickers"): _public(market_data.tickers),
    ("GET", "/api/v2/mix/market/ticker"): _public(market_data.ticker),
    ("GET", "/api/v2/mix/market/symbol-price"): _public(market_data.symbol_price),
    ("GET", "/api/v2/mix/market/current-fund-rate"): _public(market_data.funding_rate),
    ("GET", "/api/v2/mix/market/merge-depth"): _public(market_data.merge_depth),
    ("GET", "/api/v2/mix/market/history-mark-candles"): _public(market_data.history_mark_candles),
    ("GET", "/api/v2/spot/account/info"): _signed(account.info),
    ("GET", "/api/v2/spot/account/assets"): _signed(wallet.assets),
    ("POST", "/api/v2/spot/wallet/transfer"): _signed(wallet.transfer),
    ("GET", "/api/v2/spot/account/transferRecords"): _signed(wallet.records),
    ("GET", "/api/v2/mix/position/all-position"): _signed(account.positions),
    ("GET", "/api/v2/mix/account/accounts"): _signed(account.accounts),
    ("GET", "/api/v2/mix/account/account"): _signed(account.account),
    ("GET", "/api/v2/mix/account/bill"): _signed(account.bills),
    ("POST", "/api/v2/mix/account/set-margin"): _signed(account.set_margin),
    ("POST", "/api/v2/mix/account/set-leverage"): _signed(account.set_leverage),
    ("POST", "/api/v2/mix/account/set-position-mode"): _signed(account.set_position_mode),
    ("POST", "/api/v2/mix/order/place-order"): _signed(trade.place),
    ("GET", "/api/v2/mix/order/detail"): _signed(trade.read),
    ("GET", "/api/v2/mix/order/orders-pending"): _signed(trade.pending),
    ("POST", "/api/v2/mix/order/place-tpsl-order"): _signed(plans.place),
    ("GET", "/api/v2/mix/order/orders-plan-pending"): _signed(plans.pending),
    ("GET", "/api/v2/mix/order/orders-plan-history"): _signed(plans.history),
    ("POST", "/api/v2/mix/order/cancel-plan-order"): _signed(plans.cancel),
}
"""By method and path."""

WRITES = frozenset({
    ("POST", "/api/v2/mix/account/set-margin"), ("POST", "/api/v2/mix/order/place-order"),
    ("POST", "/api/v2/mix/order/place-tpsl-order"), ("POST", "/api/v2/mix/order/cancel-plan-order"),
    ("POST", "/api/v2/spot/wallet/transfer"),
})  # fmt: skip
"""Those that move collateral or orders."""
