"""The same account in quote or in a coin: what holds of one kind of contract holds of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

from bot.domain.instrument import Contract, Instrument
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.margin import isolated
from bot.rebalance.policy import Policy
from tests.kit.builders import (
    BTC,
    COIN,
    ETH,
    a_coin_instrument,
    a_coin_policy,
    a_policy,
    a_position,
    an_instrument,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """What tells accounts of one kind of contract from those of the other.

    Attributes:
        contract: The kind.
        settle: The currency of all amounts.
        marks: Symbols that it may hold, and their marks. [quote/base]
        unit: About one US dollar. [settle]
        cent: Step of what is drawn. [settle]
        step: Finest step of collateral. [settle]
        lot: Of all symbols. [base or quote]
        depths: Of books: none read, next to nothing, something, more than enough. [base or quote]
    """

    contract: Contract
    settle: str
    marks: Mapping[str, int]
    unit: D
    cent: D
    step: D
    lot: D
    depths: tuple[str | None, ...]

    def money(self, dollars: D | int) -> D:
        """Return about so many US dollars. [settle]."""
        return (D(dollars) * self.unit).quantize(self.cent)

    def instrument(self, symbol: str, **changes: Any) -> Instrument:
        if self.contract is Contract.INVERSE:
            return a_coin_instrument(symbol, **changes)
        return an_instrument(symbol, **changes)

    def policy(self, **changes: object) -> Policy:
        return a_coin_policy(**changes) if self.settle == "BTC" else a_policy(**changes)

    def adapted(self, policy: Policy) -> Policy:
        """Return limits in quote as limits in the currency of the kind."""
        if self.settle != "BTC":
            return policy
        return self.policy(
            reserves=tuple((name, self.money(amount)) for name, amount in policy.reserves),
            max_reduction_per_action=policy.max_reduction_per_action,
        )

    def position(
        self, symbol: str, *, lots: int, entry: D | int, share: D, mark: D | int | None = None
    ) -> Position:
        """Return a position whose equity is a share of its value.

        Args:
            symbol: One of its marks.
            lots: Signed.
            entry: [quote/base]
            share: [ratio]
            mark: Of the position; ``None`` for that of the symbol. [quote/base]
        """
        size, price = lots * self.lot, D(self.marks[symbol] if mark is None else mark)
        equity = isolated.value(self.contract, size=size, price=price) * share
        pnl = isolated.unrealized_pnl(self.contract, size=size, entry_price=D(entry), price=price)
        margin = (equity - pnl).quantize(self.cent)
        return a_position(
            symbol, size=f"{size:f}", entry=str(entry), mark=str(price), margin=str(margin)
        )


QUOTE = Kind(
    contract=Contract.LINEAR,
    settle="USDT",
    marks={BTC: 60000, ETH: 3000},
    unit=D(1),
    cent=D("0.01"),
    step=D("0.00001"),
    lot=D("0.001"),
    depths=(None, "0.002", "0.5", "100"),
)
IN_COIN = Kind(
    contract=Contract.INVERSE,
    settle="BTC",
    marks={COIN: 60000, "BTC/EUR:BTC": 55000},
    unit=D("0.00002"),
    cent=D("0.00001"),
    step=D("0.00000001"),
    lot=D(100),
    depths=(None, "200", "30000", "10000000"),
)
BOTH = (QUOTE, IN_COIN)


def kind_of(observation: Observation) -> Kind:
    """Return the kind of what an account holds."""
    return BOTH[observation.instruments[0].contract is Contract.INVERSE]
