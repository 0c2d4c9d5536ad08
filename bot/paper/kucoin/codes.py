"""By which code and HTTP status does the venue say no?"""

from http import HTTPStatus
from typing import Any

from bot.paper.values import Reason, Refused

HOSTS = ("api-futures.kucoin.com", "api.kucoin.com")
SUCCESS = 200000
PARAMETER, REPEATED, NO_ORDER, NOT_OPEN = 400100, 300018, 100001, 100004

CODES = {
    Reason.UNKNOWN_SYMBOL: 100003,
    Reason.BAD_AMOUNT: PARAMETER,
    Reason.TOO_PRECISE: PARAMETER,
    Reason.ABOVE_MAXIMUM: PARAMETER,
    Reason.BELOW_NOTIONAL: PARAMETER,
    Reason.PRICE_OUT_OF_BOUNDS: 300011,
    Reason.INSUFFICIENT_BALANCE: 300003,
    Reason.INSUFFICIENT_MARGIN: 330008,
    Reason.NO_POSITION: 300009,
    Reason.NOT_ISOLATED: 330005,
    Reason.NOT_REMOVABLE: 300000,
    Reason.REDUCE_ONLY: 300009,
    Reason.POSITION_SIDE: 330011,
    Reason.DUPLICATE_ID: REPEATED,
    Reason.UNKNOWN_ORDER: NO_ORDER,
    Reason.UNCHANGED_MARGIN: PARAMETER,
    Reason.UNCHANGED_MODE: PARAMETER,
    Reason.MARGIN_WITH_POSITION: 300000,
    Reason.MARGIN_WITH_ORDERS: 300000,
    Reason.MODE_WITH_POSITION: 300000,
    Reason.MODE_WITH_ORDERS: 300000,
    Reason.LEVERAGE_WITH_POSITION: 300000,
    Reason.BAD_LEVERAGE: 300016,
    Reason.HALTED: 300002,
    Reason.WOULD_TRIGGER: 300000,
    Reason.CLOSING_STOP_EXISTS: 300004,
}
"""What the venue refuses stands under the HTTP status of a success, whatever the code."""


class WireError(Exception):
    """An answer with a code."""

    def __init__(self, code: int, message: str, *, status: int = HTTPStatus.OK) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def body(self) -> dict[str, Any]:
        """Return the venue's error object."""
        return {"code": str(self.code), "msg": self.message}


def denied(code: int, message: str) -> WireError:
    """Return the venue's words for a request whose sender is not believed."""
    return WireError(code, message, status=HTTPStatus.UNAUTHORIZED)


def wrong(name: str) -> WireError:
    """Return the venue's words for a parameter that is missing or makes no sense."""
    return WireError(PARAMETER, f"Parameter error: {name}", status=HTTPStatus.BAD_REQUEST)


def nothing(message: str) -> WireError:
    """Return the venue's words for what it did not do: the code of a success and a text."""
    return WireError(SUCCESS, message)


def of(refused: Refused) -> WireError:
    """Return the venue's words for a refusal."""
    return WireError(CODES[refused.reason], refused.message)
