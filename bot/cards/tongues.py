"""Which venues can be asked cards?"""

from collections.abc import Mapping

from bot.cards.binance.tongue import BINANCE
from bot.cards.bitget.tongue import BITGET
from bot.cards.bybit.tongue import BYBIT
from bot.cards.kucoin.tongue import KUCOIN
from bot.cards.okx.tongue import OKX
from bot.cards.tongue import Tongue
from bot.errors import ConfigError
from bot.exchanges.venues import VENUES

SPOKEN = (BINANCE, BYBIT, OKX, KUCOIN, BITGET)
TONGUES: Mapping[str, Tongue] = {tongue.venue: tongue for tongue in SPOKEN}
"""By the venue's id, in the order of the page."""


def tongue_of(venue: str) -> Tongue:
    """Return how a venue says what cards ask about.

    Raises:
        ConfigError: There is no such venue, or cards do not know how it speaks.
    """
    if venue not in VENUES:
        raise ConfigError(f"--venue must be one of {', '.join(VENUES)}, was {venue}")
    if venue not in TONGUES:
        raise ConfigError(f"--venue must be one that cards know, {', '.join(TONGUES)}, was {venue}")
    return TONGUES[venue]
