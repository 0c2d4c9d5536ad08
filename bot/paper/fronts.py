"""In which venue's words does the paper exchange answer?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.paper.binance.codes import HOSTS
from bot.paper.binance.desk import BinanceDesk
from bot.paper.bitget import codes as bitget_codes
from bot.paper.bitget import listing as bitget_listing
from bot.paper.bitget.desk import BitgetDesk
from bot.paper.bybit import listing as bybit_listing
from bot.paper.bybit.codes import HOSTS as BYBIT_HOSTS
from bot.paper.bybit.desk import BybitDesk
from bot.paper.desk import Desk
from bot.paper.engine import Engine
from bot.paper.faults import Faults
from bot.paper.gate import codes as gate_codes
from bot.paper.gate import listing as gate_listing
from bot.paper.gate.desk import GateDesk
from bot.paper.hyperliquid import codes as hyperliquid_codes
from bot.paper.hyperliquid import listing as hyperliquid_listing
from bot.paper.hyperliquid.desk import HyperliquidDesk
from bot.paper.kucoin import codes as kucoin_codes
from bot.paper.kucoin import listing as kucoin_listing
from bot.paper.kucoin.desk import KucoinDesk
from bot.paper.okx import codes as okx_codes
from bot.paper.okx import listing as okx_listing
from bot.paper.okx.desk import OkxDesk
from bot.paper.pace import Pace
from bot.paper.server import PaperServer
from bot.paper.values import Contract, Demand, Kind, by_worth


def as_it_is(contract: Contract) -> Contract:
    """Return a contract as the exchange has it."""
    return contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """How one venue is stood in for.

    Attributes:
        desk: Makes what answers.
        hosts: The venue's names.
        kinds: Of the contracts that its bots protect.
        demand: What a position must hold there.
        settles: Its one currency, which it calls that of the exchange; empty where it has several,
            or the same.
        cut: How it cuts a contract of the exchange.
    """

    desk: Callable[[Engine, Pace], Desk]
    hosts: tuple[str, ...]
    kinds: tuple[Kind, ...]
    demand: Demand = by_worth
    settles: str = ""
    cut: Callable[[Contract], Contract] = as_it_is

    def kind(self, *, in_coin: bool) -> Kind:
        """Return the kind of contract that an account protects, settled in quote or in a coin."""
        if len(self.kinds) == 1:
            return self.kinds[0]
        return Kind.INVERSE if in_coin else Kind.LINEAR

    def symbol(self, contract: Contract) -> str:
        """Return the unified name of a contract there."""
        quote, asset = self.settles or contract.quote, self.settles or contract.asset
        return f"{contract.base}/{quote}:{asset}"


LINEAR, INVERSE = (Kind.LINEAR,), (Kind.INVERSE,)


FRONTS: Mapping[str, Front] = {
    "binanceusdm": Front(desk=BinanceDesk, hosts=HOSTS, kinds=LINEAR),
    "binancecoinm": Front(desk=BinanceDesk, hosts=HOSTS, kinds=INVERSE),
    "bybit": Front(
        desk=BybitDesk, hosts=BYBIT_HOSTS, kinds=(*LINEAR, *INVERSE), cut=bybit_listing.cut
    ),
    "okx": Front(
        desk=OkxDesk,
        hosts=okx_codes.HOSTS,
        kinds=(*LINEAR, *INVERSE),
        demand=okx_listing.demand,
        cut=okx_listing.cut,
    ),
    "gate": Front(desk=GateDesk, hosts=gate_codes.HOSTS, kinds=LINEAR, demand=gate_listing.demand),
    "kucoinfutures": Front(
        desk=KucoinDesk, hosts=kucoin_codes.HOSTS, kinds=LINEAR, demand=kucoin_listing.demand
    ),
    "bitget": Front(
        desk=BitgetDesk, hosts=bitget_codes.HOSTS, kinds=LINEAR, demand=bitget_listing.demand
    ),
    "hyperliquid": Front(
        desk=HyperliquidDesk,
        hosts=hyperliquid_codes.HOSTS,
        kinds=LINEAR,
        demand=hyperliquid_listing.demand,
        settles="USDC",
    ),
}
"""By the venue's id."""


def ruled(venue: str, engine: Engine) -> Engine:
    """Return an exchange that judges positions as a venue does.

    Args:
        venue: Its id.
        engine: The exchange, at its start.
    """
    front = FRONTS[venue]
    engine.demand = front.demand
    engine.contracts = {symbol: front.cut(rules) for symbol, rules in engine.contracts.items()}
    return engine


def served(
    venue: str,
    engine: Engine,
    pace: Pace,
    *,
    folder: Path,
    faults: Faults | None = None,
    port: int = 0,
) -> PaperServer[Desk]:
    """Return an exchange behind a venue's host names, to be entered.

    Args:
        venue: Its id.
        engine: The exchange.
        pace: Its time.
        folder: Of certificates.
        faults: How it misbehaves.
        port: Of this machine; 0 takes a free one.
    """
    front = FRONTS[venue]
    ruled(venue, engine)
    return PaperServer(
        front.desk(engine, pace), hosts=front.hosts, folder=folder, faults=faults, port=port
    )
