"""Which endpoint answers what, and for whom?"""

from dataclasses import dataclass

from bot.paper.gate import account, market_data, trade, wallet
from bot.paper.gate.room import Handler

ROOT = "/api/v4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint.

    Attributes:
        method: HTTP.
        template: Its path behind the root; names in braces stand for any word.
        handler: Answers.
        is_public: Whether anybody may ask.
        status: HTTP status of a success.
    """

    method: str
    template: str
    handler: Handler
    is_public: bool = False
    status: int = 200

    def fits(self, method: str, path: str) -> dict[str, str] | None:
        """Return the named words of a path; ``None`` where it is another endpoint's."""
        if method != self.method:
            return None
        ours, theirs = self.template.split("/"), path.removeprefix(ROOT).split("/")
        if len(ours) != len(theirs):
            return None
        pairs = list(zip(ours, theirs, strict=True))
        if any(part != word for part, word in pairs if not part.startswith("{")):
            return None
        return {part[1:-1]: word for part, word in pairs if part.startswith("{")}


def _read(template: str, handler: Handler, *, is_public: bool = False) -> Route:
    return Route(method="GET", template=template, handler=handler, is_public=is_public)


def _write(template: str, handler: Handler, *, status: int = 200) -> Route:
    return Route(method="POST", template=template, handler=handler, status=status)


FUTURES = "/futures/{settle}"
ROUTES: tuple[Route, ...] = (
    _read("/spot/time", market_data.server_time, is_public=True),
    _read(f"{FUTURES}/contracts", market_data.list_contracts, is_public=True),
    _read(f"{FUTURES}/contracts/{{contract}}", market_data.one_contract, is_public=True),
    _read(f"{FUTURES}/risk_limit_tiers", market_data.risk_limit_tiers, is_public=True),
    _read(f"{FUTURES}/tickers", market_data.tickers, is_public=True),
    _read(f"{FUTURES}/order_book", market_data.order_book, is_public=True),
    _read(f"{FUTURES}/candlesticks", market_data.candlesticks, is_public=True),
    _read(f"{FUTURES}/accounts", account.accounts),
    _read(f"{FUTURES}/account_book", account.account_book),
    _read(f"{FUTURES}/positions", account.positions),
    _read(f"{FUTURES}/positions/{{contract}}", account.single),
    _read(f"{FUTURES}/dual_comp/positions/{{contract}}", account.legs),
    _read(f"{FUTURES}/fee", account.fee),
    _read(f"{FUTURES}/orders/{{order_id}}", trade.read),
    _read(f"{FUTURES}/my_trades_timerange", trade.my_trades),
    _read(f"{FUTURES}/price_orders", trade.triggered),
    _read(f"{FUTURES}/price_orders/{{order_id}}", trade.read_triggered),
    _read("/account/main_keys", account.main_keys),
    _read("/spot/accounts", wallet.spot_accounts),
    _read("/spot/account_book", wallet.spot_book),
    _write(f"{FUTURES}/positions/{{contract}}/margin", account.move_margin),
    _write(f"{FUTURES}/dual_comp/positions/{{contract}}/margin", account.move_margin_of_leg),
    _write(f"{FUTURES}/positions/{{contract}}/leverage", account.set_leverage),
    _write(f"{FUTURES}/dual_mode", account.set_dual_mode),
    _write(f"{FUTURES}/orders", trade.place, status=201),
    _write(f"{FUTURES}/price_orders", trade.place_triggered, status=201),
    _write("/wallet/transfers", wallet.transfer),
    Route(
        method="DELETE",
        template=f"{FUTURES}/price_orders/{{order_id}}",
        handler=trade.cancel_triggered,
    ),
)
"""All of them."""

WRITES = frozenset({
    ("POST", "/futures/{settle}/positions/{contract}/margin"),
    ("POST", "/futures/{settle}/dual_comp/positions/{contract}/margin"),
    ("POST", "/futures/{settle}/orders"), ("POST", "/futures/{settle}/price_orders"),
    ("DELETE", "/futures/{settle}/price_orders/{order_id}"), ("POST", "/wallet/transfers"),
})  # fmt: skip
"""Those that move collateral or orders."""


def found(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the endpoint of a request and the words in its path; ``None`` for none."""
    for route in ROUTES:
        where = route.fits(method, path) if path.startswith(f"{ROOT}/") else None
        if where is not None:
            return route, where
    return None
