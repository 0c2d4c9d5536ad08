"""By which label and HTTP status does the venue say no?"""

from http import HTTPStatus

from bot.paper.values import Reason, Refused

HOSTS = ("api.gateio.ws", "api-testnet.gateapi.io")

LABELS = {
    Reason.UNKNOWN_SYMBOL: "CONTRACT_NOT_FOUND",
    Reason.BAD_AMOUNT: "INVALID_PARAM_VALUE",
    Reason.TOO_PRECISE: "INVALID_PARAM_VALUE",
    Reason.ABOVE_MAXIMUM: "SIZE_TOO_LARGE",
    Reason.BELOW_NOTIONAL: "SIZE_TOO_SMALL",
    Reason.PRICE_OUT_OF_BOUNDS: "PRICE_TOO_DEVIATED",
    Reason.INSUFFICIENT_BALANCE: "BALANCE_NOT_ENOUGH",
    Reason.INSUFFICIENT_MARGIN: "INSUFFICIENT_AVAILABLE",
    Reason.NO_POSITION: "POSITION_EMPTY",
    Reason.NOT_ISOLATED: "POSITION_CROSS_MARGIN",
    Reason.NOT_REMOVABLE: "REMOVE_TOO_MUCH",
    Reason.REDUCE_ONLY: "REDUCE_EXCEEDED",
    Reason.POSITION_SIDE: "POSITION_DUAL_MODE",
    Reason.DUPLICATE_ID: "ORDER_EXISTS",
    Reason.UNKNOWN_ORDER: "ORDER_NOT_FOUND",
    Reason.UNCHANGED_MARGIN: "NO_CHANGE",
    Reason.UNCHANGED_MODE: "NO_CHANGE",
    Reason.MARGIN_WITH_POSITION: "POSITION_HOLDING",
    Reason.MARGIN_WITH_ORDERS: "ORDER_PENDING",
    Reason.MODE_WITH_POSITION: "POSITION_HOLDING",
    Reason.MODE_WITH_ORDERS: "ORDER_PENDING",
    Reason.LEVERAGE_WITH_POSITION: "LEVERAGE_TOO_LOW",
    Reason.BAD_LEVERAGE: "LEVERAGE_TOO_HIGH",
    Reason.HALTED: "CONTRACT_IN_DELISTING",
    Reason.WOULD_TRIGGER: "AUTO_TRIGGER_PRICE_LESS_LAST",
    Reason.CLOSING_STOP_EXISTS: "INVALID_PARAM_VALUE",
}


class WireError(Exception):
    """An answer with a label."""

    def __init__(self, label: str, message: str, *, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.label, self.message, self.status = label, message, status

    def body(self) -> dict[str, str]:
        """Return the venue's error object."""
        return {"label": self.label, "message": self.message}


def denied(label: str, message: str, *, status: int = HTTPStatus.UNAUTHORIZED) -> WireError:
    """Return the venue's words for a request whose sender is not believed."""
    return WireError(label, message, status=status)


def wrong(name: str) -> WireError:
    """Return the venue's words for a parameter that is there and makes no sense."""
    return WireError("INVALID_PARAM_VALUE", f"invalid argument: {name}")


def of(refused: Refused) -> WireError:
    """Return the venue's words for a refusal."""
    is_unknown = refused.reason in (Reason.UNKNOWN_ORDER, Reason.UNKNOWN_SYMBOL)
    return WireError(
        LABELS[refused.reason],
        refused.message,
        status=HTTPStatus.NOT_FOUND if is_unknown else HTTPStatus.BAD_REQUEST,
    )
