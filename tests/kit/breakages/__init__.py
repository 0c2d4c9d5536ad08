"""How is an adapter or exchange broken, to see a card fail?"""

from collections.abc import Mapping

from bot.cards.tongue import Tongue
from tests.kit.breakages.anywhere import ANYWHERE
from tests.kit.breakages.binance import BINANCE
from tests.kit.breakages.tools import Breaks

HERE: Mapping[str, tuple[Breaks, ...]] = {"binanceusdm": BINANCE}
"""Those that only one venue's adapter or words can suffer."""


def breakages(tongue: Tongue) -> dict[str, Breaks]:
    """Return every way to break a venue, by name."""
    return {broken.__name__: broken for broken in (*ANYWHERE, *HERE.get(tongue.venue, ()))}
