"""In what do Binance's two hosts of futures differ?

Since the venue brought both onto one architecture they share their weight, their position mode and
most of what they say. What is left stands here and in the parsers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.domain.instrument import Contract, Instrument

COIN = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One of the hosts.

    Attributes:
        host: Begins its paths and the names of the library's calls.
        contract: Of what it lists.
        positions: Call that lists positions, without the host.
        account: Call that shows the account, without the host.
        tiers: Call that lists maintenance tables, without the host.
        settings: Call that lists settings of symbols, without the host; empty where the row of a
            position has them.
        marks_at_once: Whether one mark weighs as much as all, and comes in a list.
        moves: Margin moves that one answer has, if there are so many.
        names_movers: Whether a margin move says who made it.
        orders: Orders that one answer has, if there are so many.
        routes: The venue's words for ways between wallets.
    """

    host: str
    contract: Contract
    positions: str
    account: str
    tiers: str
    settings: str
    marks_at_once: bool
    moves: int
    names_movers: bool
    orders: int
    routes: Mapping[tuple[str, str], str]

    def call(self, api: Any, name: str) -> Any:
        """Return a raw call of the library, of its name without the host."""
        return getattr(api, f"{self.host}{name}")

    def path(self, rest: str) -> str:
        """Return the path of an endpoint, of what follows version 1."""
        return f"/{self.host}/v1/{rest}"


USDM = Family(
    host="fapi",
    contract=Contract.LINEAR,
    positions="PrivateV3GetPositionRisk",
    account="PrivateV3GetAccount",
    tiers="PrivateGetLeverageBracket",
    settings="PrivateGetSymbolConfig",
    marks_at_once=False,
    moves=500,
    names_movers=True,
    orders=500,
    routes={("spot", "futures"): "MAIN_UMFUTURE", ("futures", "spot"): "UMFUTURE_MAIN"},
)
COINM = Family(
    host="dapi",
    contract=Contract.INVERSE,
    positions="PrivateGetPositionRisk",
    account="PrivateGetAccount",
    tiers="PrivateV2GetLeverageBracket",
    settings="",
    marks_at_once=True,
    # The usual number: the largest is not documented.
    moves=50,
    names_movers=False,
    orders=100,
    routes={("spot", "futures"): "MAIN_CMFUTURE", ("futures", "spot"): "CMFUTURE_MAIN"},
)
FAMILIES: Mapping[str, Family] = {"binanceusdm": USDM, "binancecoinm": COINM}
"""By the venue's id."""


def unit_of(instrument: Instrument) -> Decimal:
    """Return what one of what the wire counts is: a coin, or a contract. [base or quote]."""
    return instrument.size_step if instrument.contract is Contract.INVERSE else COIN
