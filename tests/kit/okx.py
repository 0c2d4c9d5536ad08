"""The paper exchange in the words of OKX, and clients that reach it as they would the venue."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bot.exchanges.gateway import GatewaySettings
from bot.paper.engine import Engine
from bot.paper.faults import Faults
from bot.paper.fronts import ruled
from bot.paper.okx.codes import HOSTS
from bot.paper.okx.desk import OkxDesk
from bot.paper.pace import Stepped
from bot.paper.server import PaperServer
from tests.kit.paper import FAST


@dataclass(frozen=True, slots=True, kw_only=True)
class OkxRig:
    """Exchange, server and clock."""

    engine: Engine
    server: PaperServer[OkxDesk]
    pace: Stepped
    faults: Faults

    @property
    def gateway(self) -> GatewaySettings:
        return GatewaySettings(address=self.server.address, ca_file=self.server.ca_file)

    @property
    def desk(self) -> OkxDesk:
        return self.server.desk


@contextlib.asynccontextmanager
async def serving(engine: Engine, folder: Path) -> AsyncIterator[OkxRig]:
    """Serve an exchange."""
    pace, faults = Stepped(ruled("okx", engine), speed=FAST), Faults()
    async with PaperServer(
        OkxDesk(engine, pace), hosts=HOSTS, folder=folder / "okx", faults=faults
    ) as server:
        yield OkxRig(engine=engine, server=server, pace=pace, faults=faults)
