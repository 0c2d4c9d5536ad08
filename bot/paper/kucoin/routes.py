"""Which endpoint answers what, for whom, and at what weight?"""

from dataclasses import dataclass

from bot.paper.kucoin import account, market_data, trade, wallet
from bot.paper.kucoin.limits import FUTURES, MANAGEMENT, PUBLIC
from bot.paper.kucoin.room import Handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint.

    Attributes:
        handler: Answers.
        pool: Counts it; anybody may ask for what is public.
        weight: Of one request.
    """

    handler: Handler
    pool: str
    weight: int

    @property
    def is_public(self) -> bool:
        """Whether anybody may ask."""
        return self.pool == PUBLIC


def _public(handler: Handler, weight: int) -> Route:
    return Route(handler=handler, pool=PUBLIC, weight=weight)


def _futures(handler: Handler, weight: int) -> Route:
    return Route(handler=handler, pool=FUTURES, weight=weight)


def _management(handler: Handler, weight: int) -> Route:
    return Route(handler=handler, pool=MANAGEMENT, weight=weight)


REST = "*"
"""Stands for one word of a path that the client chooses."""
ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v1/timestamp"): _public(market_data.server_time, 2),
    ("GET", "/api/v1/contracts/active"): _public(market_data.active, 3),
    ("GET", "/api/v1/contracts/*"): _public(market_data.contract, 3),
    ("GET", "/api/v1/contracts/risk-limit/*"): _public(market_data.risk_limits, 5),
    ("GET", "/api/v1/mark-price/*/current"): _public(market_data.mark_price, 3),
    ("GET", "/api/v1/funding-rate/*/current"): _public(market_data.funding_rate, 2),
    ("GET", "/api/v1/level2/depth100"): _public(market_data.depth, 10),
    ("GET", "/api/v1/ticker"): _public(market_data.ticker, 2),
    ("GET", "/api/v1/kline/query"): _public(market_data.bars, 3),
    ("GET", "/api/ua/v1/account/mode"): _management(account.mode, 2),
    ("GET", "/api/v1/user/api-key"): _management(account.api_key, 20),
    ("GET", "/api/v1/accounts"): _management(wallet.accounts, 5),
    ("GET", "/api/v1/accounts/ledgers"): _management(wallet.ledgers, 2),
    ("POST", "/api/v3/accounts/universal-transfer"): _management(wallet.universal_transfer, 4),
    ("POST", "/api/v2/transfer-out"): _management(wallet.transfer_out, 20),
    ("GET", "/api/v1/transaction-history"): _management(account.ledger, 2),
    ("GET", "/api/v1/account-overview"): _futures(account.overview, 5),
    ("GET", "/api/v1/funding-history"): _futures(account.funding_history, 5),
    ("GET", "/api/v1/positions"): _futures(account.positions, 2),
    ("GET", "/api/v2/position/getPositionMode"): _futures(account.position_mode, 2),
    ("POST", "/api/v2/position/switchPositionMode"): _futures(account.switch_position_mode, 2),
    ("POST", "/api/v1/position/margin/deposit-margin"): _futures(account.deposit_margin, 4),
    ("POST", "/api/v1/margin/withdrawMargin"): _futures(account.withdraw_margin, 10),
    ("GET", "/api/v1/margin/maxWithdrawMargin"): _futures(account.max_withdraw_margin, 10),
    ("POST", "/api/v1/orders"): _futures(trade.place, 2),
    ("GET", "/api/v1/orders/byClientOid"): _futures(trade.read_by_name, 5),
    ("GET", "/api/v1/orders/*"): _futures(trade.read, 5),
    ("DELETE", "/api/v1/orders/*"): _futures(trade.cancel, 1),
    ("GET", "/api/v1/stopOrders"): _futures(trade.stops, 6),
}
"""By method and path."""

CANCEL = "/api/v1/orders/"
"""Begins the path of an order that is taken back."""
WRITES = frozenset({
    ("POST", "/api/v1/position/margin/deposit-margin"), ("POST", "/api/v1/margin/withdrawMargin"),
    ("POST", "/api/v1/orders"), ("POST", "/api/v3/accounts/universal-transfer"),
    ("POST", "/api/v2/transfer-out"),
})  # fmt: skip
"""Those that move collateral or orders, but for orders that are taken back."""


def routed(method: str, path: str) -> tuple[Route, str] | None:
    """Return the endpoint of a request and what the client chose of its path."""
    if (method, path) in ROUTES:
        return ROUTES[method, path], ""
    words = path.split("/")
    for place in (-1, -2):
        if len(words) < -place:
            continue
        masked = [*words]
        masked[place] = REST
        found = ROUTES.get((method, "/".join(masked)))
        if found is not None:
            return found, words[place]
    return None
