"""Bybit before which the adapter stands, and what is signed there.

``tests/contract/golden/bybit_replies.json`` and ``bybit_coin_replies.json``, of inverse contracts,
have the fields and the spelling that the venue documents, with numbers of our own.
"""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime

from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.bybit.dialect import DIALECT
from tests.kit.golden import Scene, kept
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES = kept("bybit_replies.json")
COIN_REPLIES = kept("bybit_coin_replies.json")


class BybitRecorded(Recorded):
    """A request that is signed in its headers."""

    @property
    def is_signed(self) -> bool:
        """Whether it has a signature."""
        return "X-BAPI-SIGN" in self.headers

    @property
    def is_signed_well(self) -> bool:
        """Whether the signature is that of time, key, window and all that is said."""
        stamp, window = self.headers["X-BAPI-TIMESTAMP"], self.headers["X-BAPI-RECV-WINDOW"]
        text = f"{stamp}{KEY}{window}{self.raw}"
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        return self.headers["X-BAPI-SIGN"] == wanted and self.headers["X-BAPI-API-KEY"] == KEY

    @property
    def signed_at(self) -> datetime:
        """The time inside."""
        return datetime.fromtimestamp(int(self.headers["X-BAPI-TIMESTAMP"]) / 1000, UTC)


class BybitRecorder(Recorder):
    """Answers of whatever tells lists, orders and pages apart, where the table has them."""

    recorded = BybitRecorded
    narrow = (
        "cursor", "orderLinkId", "orderId", "orderFilter", "symbol", "settleCoin", "category",
    )  # fmt: skip


BYBIT = Scene(
    venue="bybit",
    dialect=DIALECT,
    adapter=BybitVenue,
    recorder=BybitRecorder,
    replies=REPLIES,
)
COIN = replace(BYBIT, replies=COIN_REPLIES, symbols=("BTC/USD:BTC", "ETH/USD:ETH"))
"""The same, for an account of inverse contracts."""
