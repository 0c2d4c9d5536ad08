"""OKX before which the adapter stands, and what is signed there.

``tests/contract/golden/okx_replies.json`` and ``okx_coin_replies.json``, of inverse swaps, have the
fields and the spelling that the venue documents, with numbers of our own.
"""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from bot.exchanges.okx.adapter import OkxVenue
from bot.exchanges.okx.dialect import DIALECT
from tests.kit.golden import Scene, kept
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES = kept("okx_replies.json")
COIN_REPLIES = kept("okx_coin_replies.json")
WORD = "golden-word"


class OkxRecorded(Recorded):
    """A request that is signed in its headers, with three words."""

    @property
    def line(self) -> str:
        """All of it but its time, signature and key, byte for byte."""
        where = "test" if self.headers.get("x-simulated-trading") == "1" else "own"
        access = "signed" if self.is_signed else "public"
        return f"{self.method} {self.url} {where} {access} {self.body}".rstrip()

    @property
    def is_signed(self) -> bool:
        """Whether it has a signature."""
        return "OK-ACCESS-SIGN" in self.headers

    @property
    def is_signed_well(self) -> bool:
        """Whether it is that of time, method, path, query and body, with all three words."""
        parts = urlsplit(self.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        text = f"{self.headers['OK-ACCESS-TIMESTAMP']}{self.method}{path}{self.body}"
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
        return (
            self.headers["OK-ACCESS-SIGN"] == base64.b64encode(wanted).decode()
            and self.headers["OK-ACCESS-KEY"] == KEY
            and self.headers["OK-ACCESS-PASSPHRASE"] == WORD
        )

    @property
    def signed_at(self) -> datetime:
        """The time inside."""
        return datetime.fromisoformat(self.headers["OK-ACCESS-TIMESTAMP"])


class OkxRecorder(Recorder):
    """Answers of a kind of bills, or of a family of contracts, where the table has them."""

    recorded = OkxRecorded
    narrow = ("type", "instFamily")


OKX = Scene(
    venue="okx",
    dialect=DIALECT,
    adapter=OkxVenue,
    recorder=OkxRecorder,
    replies=REPLIES,
    password=WORD,
)
COIN = replace(OKX, replies=COIN_REPLIES, symbols=("BTC/USD:BTC", "ETH/USD:ETH"))
"""The same, for an account of inverse swaps."""
