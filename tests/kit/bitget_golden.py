"""Bitget before which the adapter stands, and what is signed there.

``tests/contract/golden/bitget_replies.json`` has the fields and the spelling that the venue
documents, with numbers of our own.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bot.exchanges.bitget.adapter import BitgetVenue
from bot.exchanges.bitget.dialect import DIALECT
from tests.kit.golden import Scene, kept
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES = kept("bitget_replies.json")
WORD = "golden-word"


class BitgetRecorded(Recorded):
    """A request that is signed in its headers, with three words."""

    @property
    def line(self) -> str:
        """All of it but its time, signature and key, byte for byte."""
        where = "test" if self.headers.get("PAPTRADING") == "1" else "own"
        access = "signed" if self.is_signed else "public"
        return f"{self.method} {self.url} {where} {access} {self.body}".rstrip()

    @property
    def is_signed(self) -> bool:
        """Whether it has a signature."""
        return "ACCESS-SIGN" in self.headers

    @property
    def is_signed_well(self) -> bool:
        """Whether it is that of time, method, path, query and body, with all three words."""
        parts = urlsplit(self.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        text = f"{self.headers['ACCESS-TIMESTAMP']}{self.method}{path}{self.body}"
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
        return (
            self.headers["ACCESS-SIGN"] == base64.b64encode(wanted).decode()
            and self.headers["ACCESS-KEY"] == KEY
            and self.headers["ACCESS-PASSPHRASE"] == WORD
        )

    @property
    def signed_at(self) -> datetime:
        """The time inside."""
        return datetime.fromtimestamp(int(self.headers["ACCESS-TIMESTAMP"]) / 1000, tz=UTC)


class BitgetRecorder(Recorder):
    """Answers of a kind of bills, or of one stop, where the table has them."""

    recorded = BitgetRecorded
    narrow = ("businessType", "orderId")


BITGET = Scene(
    venue="bitget",
    dialect=DIALECT,
    adapter=BitgetVenue,
    recorder=BitgetRecorder,
    replies=REPLIES,
    password=WORD,
)
