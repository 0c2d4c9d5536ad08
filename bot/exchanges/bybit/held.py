"""Which positions does an account hold in each category, and is that all of them?"""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from bot.domain.instrument import Contract, settle_of
from bot.errors import Incomplete
from bot.exchanges.adapter import TornError
from bot.exchanges.bybit.answers import CATEGORIES, Reader
from bot.exchanges.client import all_of
from bot.exchanges.numbers import amount, number, text

PAGE = 200
LINEAR_COINS = ("USDC", "USDT")
"""All that linear contracts are settled in; the venue wants each of them named."""
AGREES = Decimal("0.05")
"""Gap between the margins of positions and what the account says they need: marks move. [ratio]"""
DUST = {Contract.LINEAR: Decimal("0.01"), Contract.INVERSE: Decimal("0.000001")}
"""The same where they need next to nothing. [settle]"""

Row = dict[str, Any]


class Held:
    """Reads rows of positions."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def own(self, coins: Collection[str]) -> list[Row]:
        """Return what is held of the kind of contract that the account trades.

        Args:
            coins: What linear contracts are settled in.

        Raises:
            ExchangeError: No usable answer.
        """
        if self._reader.contract is Contract.INVERSE:
            return await self._inverse()
        return await self._linear(coins)

    async def others(self) -> list[Row]:
        """Return what is held of the other kind of contract.

        Raises:
            ExchangeError: No usable answer.
        """
        if self._reader.contract is Contract.INVERSE:
            return await self._linear(LINEAR_COINS)
        return await self._inverse()

    async def _linear(self, coins: Collection[str]) -> list[Row]:
        pages = await all_of([
            self._rows(Contract.LINEAR, {"settleCoin": coin}, f"positions in {coin}")
            for coin in coins
        ])  # fmt: skip
        return [row for page in pages for row in page]

    async def _inverse(self) -> list[Row]:
        return await self._rows(Contract.INVERSE, {}, "inverse positions")

    async def _rows(self, contract: Contract, of: Mapping[str, str], what: str) -> list[Row]:
        asked = {"category": CATEGORIES[contract], **of, "limit": PAGE}
        found = await self._reader.all(self._reader.api.privateGetV5PositionList, asked, what)
        return [row for row in found if number(row, "size") != 0]


def check_kinds(others: Collection[Row], contract: Contract) -> None:
    """Accept an account only if all it holds is understood.

    Args:
        others: Rows of the other kind of contract.
        contract: What the account trades.

    Raises:
        Incomplete: It holds contracts of the other kind: settled in their own coin beside linear
            ones, in dollars beside inverse ones.
    """
    if others:
        names = ", ".join(sorted({text(row, "symbol") for row in others}))
        raise Incomplete(f"positions must be {contract} to be protected, were also {names}")


def check_whole(
    held: Collection[Row],
    balances: Mapping[str, Mapping[str, Any]],
    contract: Contract,
    symbol: Callable[[Row], str],
) -> None:
    """Accept positions only if the account needs as much margin for them.

    Dollars are added up, coins are not.

    Args:
        held: Rows of the kind that the account trades.
        balances: Rows of the wallet, by coin.
        contract: What the account trades.
        symbol: Returns the unified name of a row.

    Raises:
        TornError: They differ; the next look may be whole.
        Incomplete: A number is missing.
    """
    if contract is Contract.LINEAR:
        _check_margin(held, balances.values(), DUST[contract])
        return
    for coin, balance in balances.items():
        own = [row for row in held if settle_of(symbol(row)) == coin]
        _check_margin(own, [balance], DUST[contract])


def _check_margin(
    held: Collection[Row], balances: Collection[Mapping[str, Any]], dust: Decimal
) -> None:
    """Accept positions only if the account needs as much margin for them.

    An empty list is not flat until the account agrees: broken answers arrive as empty lists. A
    portfolio tells no margin of single positions.

    Raises:
        TornError: They differ; the next look may be whole.
    """
    shown = [row for row in held if row.get("positionIM") != ""]
    ours = sum((amount(row, "positionIM") for row in shown), Decimal(0))
    theirs = sum(
        (amount(row, "totalPositionIM") for row in balances if row.get("totalPositionIM") != ""),
        Decimal(0),
    )
    if len(shown) == len(held) and abs(ours - theirs) > AGREES * theirs + dust:
        raise TornError(
            f"positions and account must need the same margin, needed {ours} and {theirs}"
        )
