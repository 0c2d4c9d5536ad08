"""In which venue's words does the paper exchange answer?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.paper.binance.codes import HOSTS
from bot.paper.binance.desk import BinanceDesk
from bot.paper.bybit.codes import HOSTS as BYBIT_HOSTS
from bot.paper.bybit.desk import BybitDesk
from bot.paper.desk import Desk
from bot.paper.engine import Engine
from bot.paper.faults import Faults
from bot.paper.pace import Pace
from bot.paper.server import PaperServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """How one venue is stood in for.

    Attributes:
        desk: Makes what answers.
        hosts: The venue's names.
    """

    desk: Callable[[Engine, Pace], Desk]
    hosts: tuple[str, ...]


FRONTS: Mapping[str, Front] = {
    "binanceusdm": Front(desk=BinanceDesk, hosts=HOSTS),
    "bybit": Front(desk=BybitDesk, hosts=BYBIT_HOSTS),
}
"""By the venue's id."""


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
    return PaperServer(
        front.desk(engine, pace), hosts=front.hosts, folder=folder, faults=faults, port=port
    )
