"""By which code and HTTP status does the venue say no?"""

from http import HTTPStatus
from typing import Any

from bot.paper.values import Reason, Refused

HOSTS = ("www.okx.com",)

CODES = {
    Reason.UNKNOWN_SYMBOL: 51001,
    Reason.BAD_AMOUNT: 51000,
    Reason.TOO_PRECISE: 51121,
    Reason.ABOVE_MAXIMUM: 51105,
    Reason.BELOW_NOTIONAL: 51020,
    Reason.PRICE_OUT_OF_BOUNDS: 51006,
    Reason.INSUFFICIENT_BALANCE: 51131,
    Reason.INSUFFICIENT_MARGIN: 51008,
    Reason.NO_POSITION: 51023,
    Reason.NOT_ISOLATED: 51000,
    Reason.NOT_REMOVABLE: 59301,
    Reason.REDUCE_ONLY: 51169,
    Reason.POSITION_SIDE: 51000,
    Reason.DUPLICATE_ID: 51016,
    Reason.UNKNOWN_ORDER: 51603,
    Reason.UNCHANGED_MARGIN: 51000,
    Reason.UNCHANGED_MODE: 59000,
    Reason.MARGIN_WITH_POSITION: 59000,
    Reason.MARGIN_WITH_ORDERS: 59000,
    Reason.MODE_WITH_POSITION: 59000,
    Reason.MODE_WITH_ORDERS: 59000,
    Reason.LEVERAGE_WITH_POSITION: 59107,
    Reason.BAD_LEVERAGE: 59102,
    Reason.HALTED: 51022,
    Reason.WOULD_TRIGGER: 51280,
    Reason.CLOSING_STOP_EXISTS: 51000,
}


class WireError(Exception):
    """An answer with a code."""

    def __init__(self, code: int, message: str, *, status: int = HTTPStatus.OK) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def body(self) -> dict[str, Any]:
        """Return the venue's error object."""
        return {"code": str(self.code), "data": [], "msg": self.message}


class ItemError(WireError):
    """A refusal that stands in the one item of ``data``, under a code that says nothing."""

    def __init__(self, code: int, message: str, item: dict[str, str]) -> None:
        super().__init__(code, message)
        self.item = item

    def body(self) -> dict[str, Any]:
        """Return the venue's error object."""
        item = {**self.item, "sCode": str(self.code), "sMsg": self.message}
        return {"code": "1", "data": [item], "msg": "All operations failed"}


def denied(code: int, message: str) -> WireError:
    """Return the venue's words for a request whose sender is not believed."""
    return WireError(code, message, status=HTTPStatus.UNAUTHORIZED)


def wrong(name: str) -> WireError:
    """Return the venue's words for a parameter that is there and makes no sense."""
    return WireError(51000, f"Parameter {name} error", status=HTTPStatus.BAD_REQUEST)


def of(refused: Refused) -> WireError:
    """Return the venue's words for a refusal."""
    return WireError(CODES[refused.reason], refused.message)


def in_item(refused: Refused, item: dict[str, str]) -> ItemError:
    """Return the venue's words for a refused order."""
    return ItemError(CODES[refused.reason], refused.message, item)
