"""How is one account reached?"""

from dataclasses import dataclass, field
from typing import Literal

from bot.domain.instrument import MarginRelease
from bot.exchanges.gateway import GatewaySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """How one account is reached.

    Attributes:
        account: Its name in records.
        venue: The venue's id.
        api_key: Of the venue.
        secret: Of the venue.
        password: A third word that some venues ask for; empty elsewhere.
        symbols: Unified names to watch.
        wallets: ``futures``, and ``spot`` where transfers may come from it.
        mode: ``live`` and ``testnet`` choose the venue's hosts.
        gateway: Answers for the venue's hosts; ``None`` in live and testnet mode.
        margin_release: As measured by a person; UNKNOWN takes the capability table's.
        bar_seconds: Length of price bars. [s]
        bars: How many.
    """

    account: str
    venue: str
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    symbols: tuple[str, ...]
    password: str = field(default="", repr=False)
    wallets: tuple[str, ...] = ("futures",)
    mode: Literal["paper", "testnet", "live"] = "paper"
    gateway: GatewaySettings | None = None
    margin_release: MarginRelease = MarginRelease.UNKNOWN
    bar_seconds: int = 3600
    bars: int = 912
