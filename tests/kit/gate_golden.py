"""Gate before which the adapter stands, and what is signed there.

``tests/contract/golden/gate_replies.json`` has the fields and the spelling that the venue
documents, with numbers of our own.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from bot.exchanges.gate.adapter import GateVenue
from bot.exchanges.gate.dialect import DIALECT
from tests.kit.golden import Scene, kept
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES = kept("gate_replies.json")


class GateRecorded(Recorded):
    """A request that is signed in its headers."""

    @property
    def line(self) -> str:
        """All of it but its time, signature and key, byte for byte."""
        access = "signed" if self.is_signed else "public"
        return f"{self.method} {self.url} {access} {self.body}".rstrip()

    @property
    def is_signed(self) -> bool:
        """Whether it has a signature."""
        return "SIGN" in self.headers

    @property
    def is_signed_well(self) -> bool:
        """Whether it is that of method, path, query, body and time."""
        parts = urlsplit(self.url)
        digest = hashlib.sha512(self.body.encode()).hexdigest()
        text = "\n".join(
            (self.method, parts.path, unquote(parts.query), digest, self.headers["Timestamp"])
        )
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha512).hexdigest()
        return self.headers["SIGN"] == wanted and self.headers["KEY"] == KEY

    @property
    def signed_at(self) -> datetime:
        """The time inside, in whole seconds."""
        return datetime.fromtimestamp(int(self.headers["Timestamp"]), UTC)


class GateRecorder(Recorder):
    """Answers of a contract, or of a state of orders, where the table has them."""

    recorded = GateRecorded
    narrow = ("status", "contract")


GATE = Scene(
    venue="gate",
    dialect=DIALECT,
    adapter=GateVenue,
    recorder=GateRecorder,
    replies=REPLIES,
)
