"""At which venues is a whole crash played, and what is each one's own in it?"""

from dataclasses import dataclass
from pathlib import Path

from tests.kit.hyperliquid import PRIVATE, WALLET

SHIPPED = Path(__file__).parents[2] / "config" / "paper.toml"
WORD = ('secret = "paper-secret"', 'secret = "paper-secret"\npassword = "paper-word"')
"""Of a venue that wants a third secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A venue, as the shipped configuration of the paper exchange is changed for it.

    Attributes:
        venue: Its id.
        changes: What stands in the configuration, and what stands there instead.
        lasts: Both positions are liquidated by then where nobody acts.
        does: Actions that the crash takes.
        never: Actions that are not known there.
        step: What prices of liquidation are rounded to. [quote/base]
    """

    venue: str
    changes: tuple[tuple[str, str], ...] = ()
    lasts: str = "46m"
    does: frozenset[str] = frozenset({"add_margin", "transfer", "place_stop", "cancel_stop"})
    never: frozenset[str] = frozenset()
    step: float = 0.0

    def configured(self, folder: Path) -> Path:
        """Return the paper configuration, of an account here."""
        text = SHIPPED.read_text()
        for old, new in (('venue = "binanceusdm"', f'venue = "{self.venue}"'), *self.changes):
            assert text.count(old) == 1
            text = text.replace(old, new)
        file = folder / f"{self.venue}.toml"
        file.write_text(text)
        return file


BYBIT = House(venue="bybit")
OKX = House(venue="okx", changes=(WORD,))
GATE = House(venue="gate", step=0.1)
KUCOIN = House(venue="kucoinfutures", changes=(WORD,))
BITGET = House(venue="bitget", changes=(WORD,))
HYPERLIQUID = House(
    venue="hyperliquid",
    changes=(
        ('"BTC/USDT:USDT", "ETH/USDT:USDT"', '"BTC/USDC:USDC", "ETH/USDC:USDC"'),
        ('transfer_from = ["spot"]', "transfer_from = []"),
        ('"paper-key"', f'"{WALLET}"'),
        ('"paper-secret"', f'"{PRIVATE}"'),
    ),
    lasts="43m",
    does=frozenset({"add_margin", "reduce_position", "place_stop", "cancel_stop"}),
    never=frozenset({"transfer"}),
)
