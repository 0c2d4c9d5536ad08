"""What can the bot do where?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from bot.domain.instrument import MarginRelease


class Key(StrEnum):
    """What protects a write from happening twice."""

    OWN_ID = "own_id"
    """The venue takes our id and refuses or returns a duplicate."""
    WINDOW = "window"
    """No id, but the request is refused after a documented time."""
    NONE = "none"
    """Neither: never sent again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One row of the capability table.

    Attributes:
        market: What is traded.
        margin_modes: Which positions are protected; others are shown.
        adds_margin: Whether isolated margin can be added.
        removes_margin: Whether it can be removed.
        transfers: Wallet routes.
        reduces: How positions are shrunk.
        stops: Which resident stops close a position; empty where the venue has none that watch
            mark and can only reduce.
        margin_step: Step of a margin move as planned. [settle]
        collateral_step: Finest step of what is sent: the digits below the margin step tell one
            move from another. [settle]
        margin_release: What a partial close does with margin, where it was measured.
        margin_key: Protection of margin moves.
        transfer_key: Protection of transfers.
        order_key: Protection of orders, stops included.
        history: Where an unknown margin move is looked up.
        window: Validity of a request. [s]
        demo: What does not work on the venue's test hosts.
        wants_password: Whether a key comes with a third word.
    """

    market: str
    margin_modes: tuple[str, ...]
    adds_margin: bool
    removes_margin: bool
    transfers: tuple[str, ...]
    reduces: str
    stops: str
    margin_step: Decimal
    collateral_step: Decimal
    margin_release: MarginRelease
    margin_key: Key
    transfer_key: Key
    order_key: Key
    history: str
    window: int
    demo: str
    wants_password: bool = False

    def kinds(self, *, is_demo: bool) -> frozenset[str]:
        """Return the kinds of action that can be written there.

        Args:
            is_demo: Whether the venue's test hosts are used, which move nothing between wallets.
        """
        able = {
            "add_margin": self.adds_margin,
            "remove_margin": self.removes_margin,
            "reduce_position": bool(self.reduces),
            "transfer": bool(self.transfers) and not is_demo,
            "place_stop": bool(self.stops),
            "cancel_stop": bool(self.stops),
        }
        return frozenset(kind for kind, is_able in able.items() if is_able)


_USDM = Venue(
    market="Binance USDⓈ-M perpetuals, linear",
    margin_modes=("isolated",),
    adds_margin=True,
    removes_margin=True,
    transfers=("spot -> futures", "futures -> spot"),
    reduces="limit, immediate or cancel, reduce-only",
    stops="stop-market on mark, reduce-only, by quantity",
    margin_step=Decimal("0.01"),
    collateral_step=Decimal("0.00001"),
    margin_release=MarginRelease.UNKNOWN,
    margin_key=Key.WINDOW,
    transfer_key=Key.WINDOW,
    order_key=Key.OWN_ID,
    history="positionMargin/history",
    window=5,
    demo="no wallet transfers, no permission query",
)
VENUES: Mapping[str, Venue] = {
    "binanceusdm": _USDM,
    "binancecoinm": replace(
        _USDM,
        market="Binance COIN-M perpetuals, inverse",
        margin_step=Decimal("0.00001"),
        collateral_step=Decimal("0.00000001"),
    ),
    "bybit": Venue(
        market="Bybit v5 perpetuals of a unified account, linear, settled in USDT",
        margin_modes=("isolated",),
        adds_margin=True,
        removes_margin=True,
        transfers=("spot -> futures", "futures -> spot"),
        reduces="limit, immediate or cancel, reduce-only",
        stops="conditional market on mark, reduce-only, close on trigger, by quantity",
        margin_step=Decimal("0.1"),
        collateral_step=Decimal("0.0001"),
        margin_release=MarginRelease.UNKNOWN,
        margin_key=Key.WINDOW,
        transfer_key=Key.OWN_ID,
        order_key=Key.OWN_ID,
        history="none: the position before and after, within one run",
        window=5,
        demo="no transfers, no permission query, no fee rates, no transferable amount",
    ),
    "okx": Venue(
        market="OKX swaps, linear",
        margin_modes=("isolated",),
        adds_margin=True,
        removes_margin=True,
        transfers=("spot -> futures", "futures -> spot"),
        reduces="limit, immediate or cancel, reduce-only",
        stops="conditional at market on mark, reduce-only, by quantity",
        margin_step=Decimal("0.01"),
        collateral_step=Decimal("0.00001"),
        margin_release=MarginRelease.UNKNOWN,
        margin_key=Key.WINDOW,
        transfer_key=Key.OWN_ID,
        order_key=Key.OWN_ID,
        history="account/bills",
        window=30,
        demo="no wallet transfers",
        wants_password=True,
    ),
    "hyperliquid": Venue(
        market="Hyperliquid perpetuals of its own exchange, linear, settled in USDC",
        margin_modes=("isolated",),
        adds_margin=True,
        removes_margin=True,
        transfers=(),
        reduces="limit, immediate or cancel, reduce-only",
        stops="trigger at market on mark, reduce-only, by quantity",
        margin_step=Decimal("0.01"),
        collateral_step=Decimal("0.00001"),
        margin_release=MarginRelease.UNKNOWN,
        margin_key=Key.WINDOW,
        transfer_key=Key.NONE,
        order_key=Key.OWN_ID,
        history="none: the position before and after, within one run",
        window=5,
        demo="no money of the owner's",
    ),
}
"""By the venue's id. Binance books wallets with eight decimals; the finest step of a margin move
is not documented. A refusal for precision (-1111) is a definite no, and coarsens the step. Nor is
OKX's: it calls such an amount a wrong parameter (51000). Bybit takes four decimals, and its margin
step leaves room for digits of our own. At both ``spot`` is the funding account, and ``futures``
what backs positions. Hyperliquid counts millionths; there only the owner's key moves money between
wallets, and a bot has an agent's."""
