"""What did one look at the venue show?"""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.account import Account
from bot.domain.instrument import Instrument
from bot.domain.market import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One account and its markets, each with the venue's own instant.

    Attributes:
        at: When the look was complete, in venue time. Aware UTC.
        account_at: When the request for positions left, in venue time; the age of the account
            counts from here, because the venue stamps only changes of a position.
        account: Positions and wallets.
        instruments: One per symbol that is configured or held.
        markets: One per symbol that is configured or held.
    """

    at: datetime
    account_at: datetime
    account: Account
    instruments: tuple[Instrument, ...]
    markets: tuple[Market, ...]
