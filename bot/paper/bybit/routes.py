"""Which endpoint answers what, and for whom?"""

from collections.abc import Callable
from typing import Any

from bot.paper.bybit import account, market_data, trade, wallet
from bot.paper.bybit.request import Request
from bot.paper.engine import Engine

Handler = Callable[[Engine, Request], Any]

PUBLIC: dict[tuple[str, str], Handler] = {
    ("GET", "/v5/market/time"): market_data.server_time,
    ("GET", "/v5/market/instruments-info"): market_data.instruments_info,
    ("GET", "/v5/market/risk-limit"): market_data.risk_limit,
    ("GET", "/v5/market/tickers"): market_data.tickers,
    ("GET", "/v5/market/orderbook"): market_data.orderbook,
    ("GET", "/v5/market/kline"): market_data.klines,
    ("GET", "/v5/market/mark-price-kline"): market_data.klines,
}
SIGNED: dict[tuple[str, str], Handler] = {
    ("GET", "/v5/position/list"): account.position_list,
    ("POST", "/v5/position/add-margin"): account.move_margin,
    ("POST", "/v5/position/set-leverage"): account.set_leverage,
    ("POST", "/v5/position/switch-mode"): account.switch_mode,
    ("GET", "/v5/account/wallet-balance"): account.wallet_balance,
    ("GET", "/v5/account/withdrawal"): account.withdrawal,
    ("GET", "/v5/account/info"): account.info,
    ("GET", "/v5/account/fee-rate"): account.fee_rate,
    ("GET", "/v5/account/transaction-log"): account.transaction_log,
    ("POST", "/v5/account/set-margin-mode"): account.set_margin_mode,
    ("POST", "/v5/order/create"): trade.place,
    ("POST", "/v5/order/cancel"): trade.cancel,
    ("GET", "/v5/order/realtime"): trade.realtime,
    ("GET", "/v5/order/history"): trade.history,
    ("GET", "/v5/asset/transfer/query-account-coins-balance"): wallet.coins_balance,
}
RIGHTS = ("GET", "/v5/user/query-api")
TRANSFER = ("POST", "/v5/asset/transfer/inter-transfer")
TRANSFERS = ("GET", "/v5/asset/transfer/query-inter-transfer-list")
OF_THE_DESK = frozenset({RIGHTS, TRANSFER, TRANSFERS})
"""Depend on keys or on names that clients gave, and are answered by the desk."""

WRITES = frozenset({
    ("POST", "/v5/position/add-margin"), ("POST", "/v5/order/create"),
    ("POST", "/v5/order/cancel"), TRANSFER,
})  # fmt: skip
"""Those that move collateral or orders."""
