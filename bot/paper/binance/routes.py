"""Which endpoint answers what, for whom, and at which weight?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.paper.binance import account, market_data, trade, wallet
from bot.paper.binance.request import Request
from bot.paper.engine import Engine

Access = Literal["public", "key", "signed"]
Handler = Callable[[Engine, Request], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint.

    Attributes:
        handler: Answers.
        weight: Of one request, where `weights.weight_of` knows no other.
        access: Who may ask.
    """

    handler: Handler
    weight: int
    access: Access = "signed"


def _public(handler: Handler, weight: int = 1) -> Route:
    return Route(handler=handler, weight=weight, access="public")


def _signed(handler: Handler, weight: int = 1) -> Route:
    return Route(handler=handler, weight=weight)


RESTRICTIONS = ("GET", "/sapi/v1/account/apiRestrictions")

FAMILY: dict[tuple[str, str], Route] = {
    ("GET", "v1/ping"): _public(market_data.ping),
    ("GET", "v1/time"): _public(market_data.server_time),
    ("GET", "v1/exchangeInfo"): _public(market_data.exchange_info),
    ("GET", "v1/premiumIndex"): _public(market_data.premium_index),
    ("GET", "v1/ticker/24hr"): _public(market_data.ticker),
    ("GET", "v1/ticker/price"): _public(market_data.ticker_price),
    ("GET", "v1/ticker/bookTicker"): _public(market_data.book_ticker, 2),
    ("GET", "v1/depth"): _public(market_data.depth, 2),
    ("GET", "v1/klines"): _public(market_data.klines, 2),
    ("GET", "v1/markPriceKlines"): _public(market_data.klines, 2),
    ("GET", "v1/fundingRate"): _public(market_data.funding_rate),
    ("GET", "v1/fundingInfo"): _public(market_data.funding_info),
    ("GET", "v1/positionSide/dual"): _signed(account.get_dual_side, 30),
    ("POST", "v1/positionSide/dual"): _signed(account.set_dual_side),
    ("POST", "v1/leverage"): _signed(account.set_leverage),
    ("POST", "v1/marginType"): _signed(account.set_margin_type),
    ("POST", "v1/positionMargin"): _signed(account.move_margin),
    ("GET", "v1/positionMargin/history"): _signed(account.margin_history),
    ("GET", "v1/income"): _signed(account.income, 30),
    ("GET", "v1/commissionRate"): _signed(account.commission_rate, 20),
    ("GET", "v1/adlQuantile"): _signed(account.adl_quantile, 5),
    ("POST", "v1/listenKey"): Route(handler=account.listen_key, weight=1, access="key"),
    ("PUT", "v1/listenKey"): Route(handler=account.listen_key, weight=1, access="key"),
    ("POST", "v1/order"): _signed(trade.place),
    ("GET", "v1/order"): _signed(trade.read),
    ("DELETE", "v1/order"): _signed(trade.cancel),
    ("POST", "v1/algoOrder"): _signed(trade.place_algo),
    ("GET", "v1/algoOrder"): _signed(trade.read_algo),
    ("DELETE", "v1/algoOrder"): _signed(trade.cancel_algo),
    ("DELETE", "v1/allOpenOrders"): _signed(trade.cancel_all),
    ("GET", "v1/openOrders"): _signed(trade.open_orders),
    ("GET", "v1/openAlgoOrders"): _signed(trade.open_algo_orders),
    ("GET", "v1/allOrders"): _signed(trade.all_orders, 5),
    ("GET", "v1/userTrades"): _signed(trade.user_trades, 5),
}
"""What both hosts of futures have, with the weights of fapi."""
LINEAR: dict[tuple[str, str], Route] = {
    ("GET", "v1/leverageBracket"): _signed(account.leverage_bracket),
    ("GET", "v3/positionRisk"): _signed(account.position_risk_v3, 5),
    ("GET", "v2/positionRisk"): _signed(account.position_risk_v2, 10),
    ("GET", "v3/account"): _signed(account.account, 5),
    ("GET", "v2/account"): _signed(account.account, 10),
    ("GET", "v3/balance"): _signed(account.balance, 5),
    ("GET", "v2/balance"): _signed(account.balance, 10),
    ("GET", "v1/symbolConfig"): _signed(account.symbol_config, 5),
    ("GET", "v1/accountConfig"): _signed(account.account_config, 5),
    ("GET", "v1/multiAssetsMargin"): _signed(account.multi_assets, 30),
}
"""What only fapi has."""
INVERSE: dict[tuple[str, str], Route] = {
    ("GET", "v2/leverageBracket"): _signed(account.leverage_bracket, 2),
    ("GET", "v1/positionRisk"): _signed(account.position_risk_coin),
    ("GET", "v1/account"): _signed(account.account_coin, 5),
    ("GET", "v1/balance"): _signed(account.balance),
    ("GET", "v1/premiumIndex"): _public(market_data.premium_index, 10),
    ("GET", "v1/income"): _signed(account.income, 20),
    ("GET", "v1/allOrders"): _signed(trade.all_orders, 20),
    ("GET", "v1/userTrades"): _signed(trade.user_trades, 20),
}
"""What only dapi has, or weighs otherwise there."""
WALLETS: dict[tuple[str, str], Route] = {
    ("POST", "/sapi/v1/asset/transfer"): _signed(wallet.transfer, 900),
    ("GET", "/sapi/v1/asset/transfer"): _signed(wallet.transfer_history),
    ("POST", "/sapi/v3/asset/getUserAsset"): _signed(wallet.user_asset, 5),
    ("GET", "/api/v3/account"): _signed(wallet.spot_account, 20),
    ("GET", "/sapi/v1/capital/config/getall"): _signed(wallet.capital_config, 10),
}


def _at(host: str, routes: dict[tuple[str, str], Route]) -> dict[tuple[str, str], Route]:
    return {(method, f"/{host}/{path}"): route for (method, path), route in routes.items()}


ROUTES = _at("fapi", FAMILY | LINEAR) | _at("dapi", FAMILY | INVERSE) | WALLETS
"""By method and path. `RESTRICTIONS` depends on the key and is answered by the server."""

WRITES = frozenset({
    *(
        (method, f"/{host}/{path}")
        for host in ("fapi", "dapi")
        for method, path in (
            ("POST", "v1/positionMargin"), ("POST", "v1/order"), ("POST", "v1/algoOrder"),
            ("DELETE", "v1/algoOrder"), ("DELETE", "v1/order"),
        )
    ),
    ("POST", "/sapi/v1/asset/transfer"),
})  # fmt: skip
"""Those that move collateral or orders."""
