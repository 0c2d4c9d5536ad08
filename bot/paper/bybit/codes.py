"""By which code does the venue say no? It always does so under HTTP 200."""

from bot.paper.values import Reason, Refused

HOSTS = tuple(
    f"{name}.bybit.com" for name in ("api", "api-demo", "api-testnet", "stream", "stream-demo")
)

CODES = {
    Reason.UNKNOWN_SYMBOL: 10001,
    Reason.BAD_AMOUNT: 10001,
    Reason.TOO_PRECISE: 10001,
    Reason.ABOVE_MAXIMUM: 10001,
    Reason.BELOW_NOTIONAL: 110094,
    Reason.PRICE_OUT_OF_BOUNDS: 110003,
    Reason.INSUFFICIENT_BALANCE: 110014,
    Reason.INSUFFICIENT_MARGIN: 110007,
    Reason.NO_POSITION: 110033,
    Reason.NOT_ISOLATED: 110015,
    Reason.NOT_REMOVABLE: 110011,
    Reason.REDUCE_ONLY: 110017,
    Reason.POSITION_SIDE: 10001,
    Reason.DUPLICATE_ID: 110072,
    Reason.UNKNOWN_ORDER: 110001,
    Reason.UNCHANGED_MARGIN: 110026,
    Reason.UNCHANGED_MODE: 110025,
    Reason.MARGIN_WITH_POSITION: 110073,
    Reason.MARGIN_WITH_ORDERS: 110073,
    Reason.MODE_WITH_POSITION: 110024,
    Reason.MODE_WITH_ORDERS: 110028,
    Reason.LEVERAGE_WITH_POSITION: 110046,
    Reason.BAD_LEVERAGE: 110013,
    Reason.HALTED: 110066,
    Reason.WOULD_TRIGGER: 110093,
    Reason.CLOSING_STOP_EXISTS: 110009,
}


class WireError(Exception):
    """An answer with a code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def of(refused: Refused) -> WireError:
    """Return the venue's words for a refusal."""
    return WireError(CODES[refused.reason], refused.message)
