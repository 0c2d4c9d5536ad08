"""Both hosts of Binance before which the adapter stands, and what is signed there.

``tests/contract/golden/replies.json`` and ``coin_replies.json``, of the host of coin-margined
contracts, have the fields and the spelling that the venue documents, with numbers of our own.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from decimal import Decimal as D
from urllib.parse import parse_qs

from bot.domain.action import AddMargin, RemoveMargin, Transfer
from bot.domain.position import PositionKey, Side
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.binance.dialect import COIN_DIALECT, DIALECT
from tests.kit.golden import Scene, kept
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES = kept("replies.json")
COIN_REPLIES = kept("coin_replies.json")
COIN_LONG = PositionKey("BTC/USD:BTC", Side.LONG)
UNSAID = ("timestamp=", "signature=")
"""Time and signature differ on every call; they are judged apart."""


class BinanceRecorded(Recorded):
    """A request that is signed in its last parameter."""

    @property
    def said(self) -> str:
        """Parameters but time and signature, still encoded, sorted."""
        return "&".join(sorted(p for p in self.raw.split("&") if p and not p.startswith(UNSAID)))

    @property
    def is_signed(self) -> bool:
        """Whether it has a signature."""
        return "signature=" in self.raw

    @property
    def is_signed_well(self) -> bool:
        """Whether the signature is that of everything before it."""
        text, _, signature = self.raw.rpartition("&signature=")
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        return signature == wanted and self.headers.get("X-MBX-APIKEY") == KEY

    @property
    def signed_at(self) -> datetime:
        """The time inside."""
        return datetime.fromtimestamp(int(parse_qs(self.raw)["timestamp"][0]) / 1000, UTC)


class BinanceRecorder(Recorder):
    """Answers of a symbol, or of a route, where the table has them."""

    recorded = BinanceRecorded
    narrow = ("symbol", "type")


BINANCE = Scene(
    venue="binanceusdm",
    dialect=DIALECT,
    adapter=BinanceVenue,
    recorder=BinanceRecorder,
    replies=REPLIES,
)
COIN = Scene(
    venue="binancecoinm",
    dialect=COIN_DIALECT,
    adapter=BinanceVenue,
    recorder=BinanceRecorder,
    replies=COIN_REPLIES,
    symbols=("BTC/USD:BTC", "ETH/USD:ETH"),
)


def coin_margin(
    kind: type[AddMargin | RemoveMargin], key: PositionKey = COIN_LONG
) -> AddMargin | RemoveMargin:
    return kind(key=key, amount=D("0.00123456"), currency="BTC")


def coin_transfer(source: str, destination: str) -> Transfer:
    return Transfer(source=source, destination=destination, amount=D("0.05"), currency="BTC")
