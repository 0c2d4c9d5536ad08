"""Hyperliquid before which the adapter stands, and what is signed there.

``tests/contract/golden/hyperliquid_replies.json`` has the fields and the spelling that the venue
documents, with numbers of our own.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.exchanges.hyperliquid.dialect import DIALECT
from bot.paper.hyperliquid.curve import address_of
from bot.paper.hyperliquid.signing import MAINNET, TESTNET, decoded, signer
from tests.kit.golden import Scene, kept
from tests.kit.recorder import Recorded, Recorder

REPLIES = kept("hyperliquid_replies.json")
WALLET, PRIVATE = "0x" + "ab" * 20, "2" * 64
TIMES = ',"nonce":'
"""What follows the action in a body: time, signature and end."""


class HyperliquidRecorded(Recorded):
    """A request that is signed in its body, over the action, its time and its end."""

    @property
    def line(self) -> str:
        """All of it but its times and signature, byte for byte."""
        access = "signed" if self.is_signed else "public"
        return f"{self.method} {self.url} {access} {self.body.partition(TIMES)[0]}"

    @property
    def told(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = decoded(self.body.encode())
        return found

    @property
    def is_signed(self) -> bool:
        """Whether it has a signature."""
        return TIMES in self.body

    @property
    def is_signed_well(self) -> bool:
        """Whether the agent's address comes out of it, judged by another code than signed it."""
        source = TESTNET if "testnet" in self.url else MAINNET
        return (
            signer(self.told, source=source) == address_of(PRIVATE)
            and self.told["expiresAfter"] - self.told["nonce"] == DIALECT.window_ms
            and set(self.told) == {"action", "nonce", "signature", "expiresAfter"}
        )

    @property
    def signed_at(self) -> datetime:
        """The time inside."""
        return datetime.fromtimestamp(self.told["nonce"] / 1000, UTC)


class HyperliquidRecorder(Recorder):
    """Answers by what is asked, or done."""

    recorded = HyperliquidRecorded
    narrow = ()

    def reply_to(self, request: Recorded) -> str:
        said = json.loads(request.body)
        kind = said["action"]["type"] if "action" in said else said["type"]
        reply = self.replies[f"{urlsplit(request.url).path[1:]} {kind}"]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else json.dumps(reply)


HYPERLIQUID = Scene(
    venue="hyperliquid",
    dialect=DIALECT,
    adapter=HyperliquidVenue,
    recorder=HyperliquidRecorder,
    replies=REPLIES,
    symbols=("SOL/USDC:USDC", "BTC/USDC:USDC"),
    key=WALLET,
    secret=PRIVATE,
)
