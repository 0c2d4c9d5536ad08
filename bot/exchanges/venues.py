"""What can the bot do where?"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from bot.domain.instrument import Contract, MarginRelease, contract_of


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
            move from another, by tags where there are enough of them. [settle]
        margin_release: What a partial close does with margin, where it was measured.
        margin_key: Protection of margin moves.
        transfer_key: Protection of transfers.
        order_key: Protection of orders, stops included.
        history: Where an unknown margin move is looked up.
        window: Validity of a request. [s]
        demo: What does not work on the venue's test hosts.
        wants_password: Whether a key comes with a third word.
        has_tests: Whether it has test hosts at all.
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
    has_tests: bool = True

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
    "gate": Venue(
        market="Gate perpetuals of a classic account, linear, settled in USDT",
        margin_modes=("isolated",),
        adds_margin=True,
        removes_margin=True,
        transfers=("spot -> futures", "futures -> spot"),
        reduces="limit, immediate or cancel, reduce-only",
        stops="price-triggered at market on mark, reduce-only, by quantity",
        margin_step=Decimal("0.01"),
        collateral_step=Decimal("0.00001"),
        margin_release=MarginRelease.UNKNOWN,
        margin_key=Key.WINDOW,
        transfer_key=Key.WINDOW,
        order_key=Key.NONE,
        history="none: the position before and after, within one run",
        window=60,
        demo="no wallet transfers, no rights of keys",
    ),
    "kucoinfutures": Venue(
        market="KuCoin Futures perpetuals of a classic account, linear",
        margin_modes=("isolated",),
        adds_margin=True,
        removes_margin=True,
        transfers=("spot -> futures", "futures -> spot"),
        reduces="limit, immediate or cancel, reduce-only",
        stops="stop at market on mark, reduce-only, by quantity",
        margin_step=Decimal("0.01"),
        collateral_step=Decimal("0.00001"),
        margin_release=MarginRelease.UNKNOWN,
        margin_key=Key.WINDOW,
        transfer_key=Key.WINDOW,
        order_key=Key.OWN_ID,
        history="none: the position before and after, within one run",
        window=5,
        demo="there are none",
        wants_password=True,
        has_tests=False,
    ),
    "bitget": Venue(
        market="Bitget USDT-M perpetuals of a classic account, linear",
        margin_modes=("isolated",),
        adds_margin=True,
        removes_margin=True,
        transfers=("spot -> futures", "futures -> spot"),
        reduces="limit, immediate or cancel, reduce-only",
        stops="stop loss of a position at market on mark, by quantity",
        margin_step=Decimal("0.01"),
        collateral_step=Decimal("0.00001"),
        margin_release=MarginRelease.UNKNOWN,
        margin_key=Key.WINDOW,
        transfer_key=Key.OWN_ID,
        order_key=Key.OWN_ID,
        history="mix/account/bill",
        window=30,
        demo="no wallet transfers, no permission query",
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
it documented at OKX, Bitget, Gate and KuCoin, which call such an amount a wrong parameter (51000,
40808, 400100). Bybit takes four decimals, and its margin step leaves room for digits of our own.
Gate is not known to refuse the name of an order that it has seen; orders are never repeated, and
only ever reduce. ``futures`` is what backs positions; ``spot`` is the funding account at Bybit, OKX
and KuCoin, elsewhere the spot account. Hyperliquid counts millionths; only the owner's key moves
money between wallets there, and a bot has an agent's."""
INVERSE: Mapping[str, Venue] = {
    "bybit": replace(
        VENUES["bybit"],
        market="Bybit v5 perpetuals of a unified account, inverse",
        margin_step=Decimal("0.001"),
    ),
    "okx": replace(
        VENUES["okx"],
        market="OKX swaps, inverse",
        margin_step=Decimal("0.00001"),
        collateral_step=Decimal("0.00000001"),
    ),
}
"""By the id of a venue that speaks of both kinds of contract. Bybit's four decimals hold for a coin
too: they leave no room for tags."""


def venue_of(name: str, symbols: Collection[str]) -> Venue:
    """Return the row of an account's venue.

    Args:
        name: The venue's id.
        symbols: Unified names, all of one kind of contract.
    """
    is_inverse = any(contract_of(symbol) is Contract.INVERSE for symbol in symbols)
    return INVERSE.get(name, VENUES[name]) if is_inverse else VENUES[name]
