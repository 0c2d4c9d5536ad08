"""By which code and HTTP status does the venue say no?"""

from bot.paper.values import Reason, Refused

HOSTS = tuple(
    f"{name}.binance.com"
    for name in (
        "api", "api1", "api2", "api3", "dapi", "eapi", "fapi", "papi", "stream", "fstream",
        "dstream", "nbstream", "ws-api", "ws-fapi", "ws-dapi", "demo-api", "demo-fapi", "demo-dapi",
    )
)  # fmt: skip

CODES = {
    Reason.UNKNOWN_SYMBOL: -1121,
    Reason.BAD_AMOUNT: -4003,
    Reason.TOO_PRECISE: -1111,
    Reason.ABOVE_MAXIMUM: -4005,
    Reason.BELOW_NOTIONAL: -4164,
    Reason.PRICE_OUT_OF_BOUNDS: -4131,
    Reason.INSUFFICIENT_BALANCE: -2019,
    Reason.INSUFFICIENT_MARGIN: -2019,
    Reason.NO_POSITION: -4054,
    Reason.NOT_ISOLATED: -4118,
    Reason.NOT_REMOVABLE: -4051,
    Reason.REDUCE_ONLY: -2022,
    Reason.POSITION_SIDE: -4061,
    Reason.DUPLICATE_ID: -4116,
    Reason.UNKNOWN_ORDER: -2013,
    Reason.UNCHANGED_MARGIN: -4046,
    Reason.UNCHANGED_MODE: -4059,
    Reason.MARGIN_WITH_POSITION: -4048,
    Reason.MARGIN_WITH_ORDERS: -4047,
    Reason.MODE_WITH_POSITION: -4068,
    Reason.MODE_WITH_ORDERS: -4067,
    Reason.LEVERAGE_WITH_POSITION: -4161,
    Reason.BAD_LEVERAGE: -4028,
    Reason.HALTED: -4140,
    Reason.WOULD_TRIGGER: -2021,
    Reason.CLOSING_STOP_EXISTS: -4130,
}


class WireError(Exception):
    """An answer with a code."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def body(self) -> dict[str, object]:
        """Return the venue's error object."""
        return {"code": self.code, "msg": self.message}


def of(refused: Refused) -> WireError:
    """Return the venue's words for a refusal."""
    return WireError(CODES[refused.reason], refused.message)
