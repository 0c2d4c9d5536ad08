"""Which endpoint answers what, and for whom?"""

from dataclasses import dataclass

from bot.paper.okx import account, market_data, trade, wallet
from bot.paper.okx.room import Handler


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
    ("GET", "/api/v5/public/time"): _public(market_data.server_time),
    ("GET", "/api/v5/public/instruments"): _public(market_data.instruments),
    ("GET", "/api/v5/public/position-tiers"): _public(market_data.position_tiers),
    ("GET", "/api/v5/public/mark-price"): _public(market_data.mark_price),
    ("GET", "/api/v5/public/funding-rate"): _public(market_data.funding_rate),
    ("GET", "/api/v5/market/index-tickers"): _public(market_data.index_tickers),
    ("GET", "/api/v5/market/books"): _public(market_data.books),
    ("GET", "/api/v5/market/ticker"): _public(market_data.ticker),
    ("GET", "/api/v5/market/tickers"): _public(market_data.ticker),
    ("GET", "/api/v5/market/mark-price-candles"): _public(market_data.mark_candles),
    ("GET", "/api/v5/market/history-mark-price-candles"): _public(market_data.history_mark_candles),
    ("GET", "/api/v5/account/config"): _signed(account.config),
    ("GET", "/api/v5/account/balance"): _signed(account.balance),
    ("GET", "/api/v5/account/positions"): _signed(account.positions),
    ("GET", "/api/v5/account/account-position-risk"): _signed(account.risk),
    ("GET", "/api/v5/account/bills"): _signed(account.bills),
    ("GET", "/api/v5/account/bills-archive"): _signed(account.bills),
    ("GET", "/api/v5/account/trade-fee"): _signed(account.trade_fee),
    ("POST", "/api/v5/account/position/margin-balance"): _signed(account.move_margin),
    ("POST", "/api/v5/account/set-leverage"): _signed(account.set_leverage),
    ("POST", "/api/v5/account/set-position-mode"): _signed(account.set_position_mode),
    ("POST", "/api/v5/trade/order"): _signed(trade.place),
    ("GET", "/api/v5/trade/order"): _signed(trade.read),
    ("POST", "/api/v5/trade/order-algo"): _signed(trade.place_algo),
    ("GET", "/api/v5/trade/order-algo"): _signed(trade.read_algo),
    ("GET", "/api/v5/trade/orders-algo-pending"): _signed(trade.pending_algos),
    ("POST", "/api/v5/trade/cancel-algos"): _signed(trade.cancel_algos),
    ("GET", "/api/v5/asset/balances"): _signed(wallet.balances),
    ("POST", "/api/v5/asset/transfer"): _signed(wallet.transfer),
    ("GET", "/api/v5/asset/transfer-state"): _signed(wallet.transfer_state),
}
"""By method and path."""

WRITES = frozenset({
    ("POST", "/api/v5/account/position/margin-balance"), ("POST", "/api/v5/trade/order"),
    ("POST", "/api/v5/trade/order-algo"), ("POST", "/api/v5/trade/cancel-algos"),
    ("POST", "/api/v5/asset/transfer"),
})  # fmt: skip
"""Those that move collateral or orders."""
