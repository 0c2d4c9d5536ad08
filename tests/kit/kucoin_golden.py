"""KuCoin before which the adapter stands, and what is signed there.

``tests/contract/golden/kucoin_replies.json`` has the fields and the spelling that the venue
documents, with numbers of our own.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.exchanges.kucoin.dialect import DIALECT
from tests.kit.golden import Scene, kept
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES = kept("kucoin_replies.json")
WORD = "golden-word"


class KucoinRecorded(Recorded):
    """A request that is signed in its headers, with three words of which the third is signed."""

    @property
    def line(self) -> str:
        """All of it but its time, signature and key, byte for byte."""
        access = "signed" if self.is_signed else "public"
        return f"{self.method} {self.url} {access} {self.body}".rstrip()

    @property
    def is_signed(self) -> bool:
        """Whether it has a signature."""
        return "KC-API-SIGN" in self.headers

    @property
    def is_signed_well(self) -> bool:
        """Whether it is that of time, method, path, query and body, with all three words."""
        parts = urlsplit(self.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        said = f"{self.headers['KC-API-TIMESTAMP']}{self.method}{path}{self.body}"
        return (
            self.headers["KC-API-SIGN"] == signature(said)
            and self.headers["KC-API-KEY"] == KEY
            and self.headers["KC-API-PASSPHRASE"] == signature(WORD)
            and self.headers["KC-API-KEY-VERSION"] == "2"
        )

    @property
    def signed_at(self) -> datetime:
        """The time inside."""
        return datetime.fromtimestamp(int(self.headers["KC-API-TIMESTAMP"]) / 1000, UTC)


def signature(said: str) -> str:
    """Return what the venue wants of a text."""
    digest = hmac.new(SECRET.encode(), said.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class KucoinRecorder(Recorder):
    """Answers of one type of transactions where the table has them."""

    recorded = KucoinRecorded
    narrow = ("type",)


KUCOIN = Scene(
    venue="kucoinfutures",
    dialect=DIALECT,
    adapter=KucoinVenue,
    recorder=KucoinRecorder,
    replies=REPLIES,
    password=WORD,
)
