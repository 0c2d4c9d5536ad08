"""By which code and HTTP status does the venue say no?"""

from http import HTTPStatus

from bot.paper.values import Reason, Refused

HOSTS = ("api.bitget.com",)

CODES = {
    Reason.UNKNOWN_SYMBOL: 40034,
    Reason.BAD_AMOUNT: 40020,
    Reason.TOO_PRECISE: 40808,
    Reason.ABOVE_MAXIMUM: 45112,
    Reason.BELOW_NOTIONAL: 45110,
    Reason.PRICE_OUT_OF_BOUNDS: 40815,
    Reason.INSUFFICIENT_BALANCE: 40798,
    Reason.INSUFFICIENT_MARGIN: 40762,
    Reason.NO_POSITION: 40802,
    Reason.NOT_ISOLATED: 40875,
    Reason.NOT_REMOVABLE: 40801,
    Reason.REDUCE_ONLY: 22002,
    Reason.POSITION_SIDE: 40774,
    Reason.DUPLICATE_ID: 40786,
    Reason.UNKNOWN_ORDER: 40109,
    Reason.UNCHANGED_MARGIN: 45117,
    Reason.UNCHANGED_MODE: 40920,
    Reason.MARGIN_WITH_POSITION: 45117,
    Reason.MARGIN_WITH_ORDERS: 45117,
    Reason.MODE_WITH_POSITION: 40920,
    Reason.MODE_WITH_ORDERS: 40920,
    Reason.LEVERAGE_WITH_POSITION: 40893,
    Reason.BAD_LEVERAGE: 43050,
    Reason.HALTED: 45043,
    Reason.WOULD_TRIGGER: 40917,
    Reason.CLOSING_STOP_EXISTS: 43031,
}
"""From the venue's table of codes, contract/error-code/restapi; 40774 and 40786 as clients of the
venue have recorded them."""
DONE = "00000"


class WireError(Exception):
    """An answer with a code."""

    def __init__(self, code: int, message: str, *, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def wrong(name: str) -> WireError:
    """Return the venue's words for a parameter that is there and makes no sense."""
    return WireError(40020, f"Parameter {name} error")


def of(refused: Refused) -> WireError:
    """Return the venue's words for a refusal."""
    return WireError(CODES[refused.reason], refused.message)
