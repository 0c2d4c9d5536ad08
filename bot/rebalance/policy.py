"""How far may the bot go, and how often?"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.instrument import Contract, Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits and timing, apart from where a position shall stand (that is the strategy).

    Attributes:
        coin: In which all amounts are and the positions settle; empty for linear contracts, which
            settle in quote. [settle] below is this.
        least_move: Nothing smaller moves, also in an emergency: it could not carry digits of its
            own. [settle]
        futures_wallet: The wallet that backs isolated positions.
        transfer_from: Wallets that may be drawn on when it runs low, in this order.
        reserves: Wallet name to the free collateral that no action may touch. [currency]
        max_margin_per_action: Largest single margin move or transfer. [settle]
        max_margin_per_hour: Margin added to one position in 3,600 s. [settle]
        max_margin_per_day: Margin added to one position in 86,400 s. [settle]
        max_reduction_per_action: Largest share of a position closed at once. [ratio]
        min_move: Smaller routine margin moves are not made. [settle]
        min_effect: Routine margin moves smaller than this share of what lies between trigger and
            target of a position are not made. [ratio]
        slippage: Worst price of a routine reduction, from mark. [ratio]
        emergency_slippage: The same in an emergency. [ratio]
        cooldown: Least time between two routine actions on one position. [s]
        rebalance_interval: Least time between two give-backs on one position. [s]
        give_back_confirmation: How long a position must stand beyond give-back. [s]
        max_age_protective: Older inputs forbid everything. [s]
        max_age_optional: Older inputs forbid giving back and transfers out. [s]
        max_mark_split: Largest gap between the mark of a position and of its market. [ratio]
        max_liquidation_dispute: Larger disagreement with the venue's liquidation price forbids
            giving back. [ratio]
        only_own_margin: Give back only what the bot added.
        resident_stops: Keep a stop at the venue for each position.
        only_emergencies: Act for positions in an emergency only.
        max_moves_per_hour: Additions to one position in 3,600 s; a quarter is for emergencies.
        max_moves_per_day: The same in 86,400 s.
        max_writes_10s: Moves of money in 10 s; stops are not counted.
        max_writes_60s: The same in 60 s.
        account_budget: Margin added in a day to all positions of an account, of what it holds.
            [ratio]
        venue_budget: The same for a venue. [ratio]
        global_budget: The same for everything. [ratio]
    """

    coin: str = ""
    least_move: Decimal = Decimal(1)
    futures_wallet: str = "futures"
    transfer_from: tuple[str, ...] = ()
    reserves: tuple[tuple[str, Decimal], ...] = ()
    max_margin_per_action: Decimal = Decimal("Infinity")
    max_margin_per_hour: Decimal = Decimal("Infinity")
    max_margin_per_day: Decimal = Decimal("Infinity")
    max_reduction_per_action: Decimal = Decimal(1)
    min_move: Decimal = Decimal(1)
    min_effect: Decimal = Decimal(0)
    slippage: Decimal = Decimal("0.005")
    emergency_slippage: Decimal = Decimal("0.03")
    cooldown: int = 10
    rebalance_interval: int = 600
    give_back_confirmation: int = 300
    max_age_protective: int = 15
    max_age_optional: int = 3
    max_mark_split: Decimal = Decimal("0.01")
    max_liquidation_dispute: Decimal = Decimal("0.001")
    only_own_margin: bool = True
    resident_stops: bool = False
    only_emergencies: bool = False
    max_moves_per_hour: int = 40
    max_moves_per_day: int = 160
    max_writes_10s: int = 12
    max_writes_60s: int = 60
    account_budget: Decimal = Decimal(3)
    venue_budget: Decimal = Decimal(3)
    global_budget: Decimal = Decimal(3)

    def serves(self, instrument: Instrument) -> bool:
        """Whether amounts of a contract are in the currency of these limits."""
        if self.coin:
            return instrument.settle == self.coin
        return instrument.contract is Contract.LINEAR

    def reserve(self, wallet: str) -> Decimal:
        """Return the reserve of a wallet; 0 where none is set. [currency]."""
        for name, amount in self.reserves:
            if name == wallet:
                return amount
        return Decimal(0)
