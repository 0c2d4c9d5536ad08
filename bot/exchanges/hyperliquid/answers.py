"""How is Hyperliquid asked? Every question goes to one path, and names its type in the body."""

from typing import Any

from bot.exchanges.client import Client
from bot.exchanges.numbers import rows, table
from bot.exchanges.quota import Lane


class Reader:
    """Asks about one account."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.wallet = str(client.api.walletAddress)
        """The owner's address."""

    async def ask(self, kind: str, *, lane: Lane = Lane.READ, **said: Any) -> Any:
        """Return an answer about anything.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self.client.api.publicPostInfo
        return await self.client.read(call, {"type": kind, **said}, lane=lane)

    async def own(self, kind: str, *, lane: Lane = Lane.READ, **said: Any) -> Any:
        """Return an answer about the account.

        Raises:
            ExchangeError: No usable answer.
        """
        return await self.ask(kind, lane=lane, user=self.wallet, **said)

    async def state(self, *, lane: Lane = Lane.READ) -> dict[str, Any]:
        """Return positions and margin of one instant.

        Raises:
            ExchangeError: No usable answer.
        """
        return table(await self.own("clearinghouseState", lane=lane), "clearinghouseState")

    async def contexts(self, *, lane: Lane = Lane.READ) -> Any:
        """Return what is listed, and beside it the prices of each.

        Raises:
            ExchangeError: No usable answer.
        """
        return await self.ask("metaAndAssetCtxs", lane=lane)

    async def listed(
        self, kind: str, *, lane: Lane = Lane.READ, **said: Any
    ) -> list[dict[str, Any]]:
        """Return the rows of an answer about the account.

        Raises:
            ExchangeError: No usable answer.
        """
        return rows(await self.own(kind, lane=lane, **said), kind)
