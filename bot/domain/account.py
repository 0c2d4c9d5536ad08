"""What does one account hold?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.domain.instrument import Contract, contract_of, settle_of
from bot.domain.position import Position, PositionMode
from bot.domain.stop import RestingStop


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """Collateral of one currency in one place.

    Attributes:
        name: ``futures`` backs positions; others (``spot``) can be transferred from.
        currency: The collateral itself.
        total: All of it, without unrealized PnL. [currency]
        free: What may be moved now. [currency]
    """

    name: str
    currency: str
    total: Decimal
    free: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Positions and wallets read together.

    Attributes:
        name: The name in the configuration.
        venue: The venue's id.
        position_mode: One-way or hedge.
        positions: Open positions only, ordered by key.
        wallets: Ordered by name and currency.
        stops: Resident stops, ours and others, ordered by key and id.
        stops_at: When they were read; ``None`` while it is not known which stand. Aware UTC.
    """

    name: str
    venue: str
    position_mode: PositionMode
    positions: tuple[Position, ...]
    wallets: tuple[Wallet, ...]
    stops: tuple[RestingStop, ...] = ()
    stops_at: datetime | None = None

    def held(self, coin: str = "") -> Decimal:
        """Return all wallets and margin, without unrealized PnL. [quote, or the coin].

        Args:
            coin: Only what is of this coin; empty for the margin of linear positions and every
                wallet.
        """
        positions = (p.margin for p in self.positions if _is_of(p.symbol, coin))
        wallets = (w.total for w in self.wallets if not coin or w.currency == coin)
        return sum(wallets, Decimal(0)) + sum(positions, Decimal(0))

    def wallet(self, name: str, currency: str) -> Wallet | None:
        """Return the wallet of that name and currency, ``None`` where there is none."""
        for wallet in self.wallets:
            if wallet.name == name and wallet.currency == currency:
                return wallet
        return None


def _is_of(symbol: str, coin: str) -> bool:
    return settle_of(symbol) == coin if coin else contract_of(symbol) is Contract.LINEAR
