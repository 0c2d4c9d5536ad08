"""Which lines did Hyperliquid book on the account since an instant?

Three lists: fills with their fees, funding, and all else that moved money. What is added to an
isolated position is in none of them: it stays inside the account, and shows in the position alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.domain.ledger import LedgerRow, RowKind
from bot.errors import Incomplete
from bot.exchanges.client import all_of
from bot.exchanges.hyperliquid.answers import Reader
from bot.exchanges.hyperliquid.parse import DOLLAR
from bot.exchanges.numbers import amount, identity, instant, number, stamp_of, table, text, whole
from bot.exchanges.quota import Lane

FILLS, PAGE = 2000, 500
"""Rows that one answer has at most."""
MOST_PAGES = 8
"""In one reading; a bot that needs more was away too long to catch up like this."""
INERT = frozenset({
    "liquidation", "spotTransfer", "spotGenesis", "cStakingTransfer", "rewardsClaim",
})  # fmt: skip
"""Updates that move none of the dollars of this wallet by themselves."""
TRANSFER = "accountClassTransfer"
"""Between two wallets of the account."""
OTHERS = frozenset({"internalTransfer", "subAccountTransfer"})
"""Between two accounts."""
COMES = frozenset({"deposit", "vaultDistribution", "vaultWithdraw"})
AMOUNTS = {
    TRANSFER: "usdc", "deposit": "usdc", "withdraw": "usdc", "internalTransfer": "usdc",
    "subAccountTransfer": "usdc", "vaultDeposit": "usdc", "vaultCreate": "usdc",
    "vaultDistribution": "usdc", "vaultWithdraw": "netWithdrawnUsd",
}  # fmt: skip
"""Where an update has its amount, by type."""
WITH_FEE = frozenset({"withdraw", "internalTransfer"})
"""What goes costs besides."""


class Statement:
    """Reads the lines of one account."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def read(
        self, since: datetime, until: datetime, *, symbols: Mapping[str, str], has_spot: bool
    ) -> tuple[LedgerRow, ...]:
        """Return every line between two instants, by time.

        Args:
            since: Aware UTC.
            until: Aware UTC.
            symbols: Unified names, by the venue's.
            has_spot: Whether the spot wallet is ours too.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        first, last = stamp_of(since), stamp_of(until)
        fills, funding, updates = await all_of([
            self.fills(first, last),
            self._all("userFunding", first, last, PAGE),
            self._all("userNonFundingLedgerUpdates", first, last, PAGE),
        ])  # fmt: skip
        found = [
            *fill_rows(fills, symbols),
            *funding_rows(funding, symbols),
            *update_rows(updates, wallet=self._reader.wallet, has_spot=has_spot),
        ]
        if len({row.id for row in found}) < len(found):
            raise Incomplete("lines of the ledger must have names of their own, had not")
        return tuple(sorted(found, key=lambda row: (row.at, row.id)))

    async def fills(
        self, first: int, last: int | None, *, lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return every fill between two instants, oldest first. [ms].

        Raises:
            ExchangeError: They could not be read to their end.
        """
        return await self._all("userFillsByTime", first, last, FILLS, lane=lane)

    async def _all(
        self, kind: str, first: int, last: int | None, page: int, *, lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return all rows of a list, page by page; a row that comes twice is one."""
        found: dict[str, dict[str, Any]] = {}
        end = {} if last is None else {"endTime": last}
        for _ in range(MOST_PAGES):
            rows = await self._reader.listed(kind, startTime=first, lane=lane, **end)
            stamps = [whole(row, "time") for row in rows]
            if any(at < first or (last is not None and at > last) for at in stamps):
                raise Incomplete(f"rows of {kind} must lie in the time asked for")
            found |= {json.dumps(row, sort_keys=True): row for row in rows}
            if len(rows) < page:
                return list(found.values())
            if max(stamps) == first:
                break  # more in one instant than a page has
            first = max(stamps)
        raise Incomplete(f"rows of {kind} must fit {MOST_PAGES} pages, did not")


def fill_rows(
    fills: Iterable[Mapping[str, Any]], symbols: Mapping[str, str]
) -> Iterator[LedgerRow]:
    """Yield the fee and the result of each fill of a contract.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    for row in fills:
        coin = text(row, "coin")
        if is_elsewhere(coin):
            continue
        fee, result, name = number(row, "fee"), number(row, "closedPnl"), identity(row, "tid")
        if text(row, "feeToken") != DOLLAR:
            raise Incomplete(f"feeToken of a fill of {coin} must be {DOLLAR}, was another")
        actor = "liquidation" if row.get("liquidation") else "fill"
        for part, kind, change in (
            ("fee", RowKind.FEE, -fee),
            ("result", RowKind.REALIZED_PNL, result),
        ):
            if change:
                yield LedgerRow(
                    id=f"fill:{name}:{part}",
                    at=instant(whole(row, "time")),
                    kind=kind,
                    amount=change,
                    asset=DOLLAR,
                    symbol=symbols.get(coin, coin),
                    actor=actor,
                )


def funding_rows(
    found: Iterable[Mapping[str, Any]], symbols: Mapping[str, str]
) -> Iterator[LedgerRow]:
    """Yield what was paid or received of funding.

    Raises:
        Incomplete: A field is missing.
    """
    for row in found:
        delta = table(row.get("delta"), "delta")
        coin, paid, at = text(delta, "coin"), number(delta, "usdc"), whole(row, "time")
        if paid and not is_elsewhere(coin):
            yield LedgerRow(
                id=f"funding:{at}:{coin}",
                at=instant(at),
                kind=RowKind.FUNDING,
                amount=paid,
                asset=DOLLAR,
                symbol=symbols.get(coin, coin),
                actor="funding",
            )


def update_rows(
    found: Iterable[Mapping[str, Any]], *, wallet: str, has_spot: bool
) -> Iterator[LedgerRow]:
    """Yield all else that moved dollars of the account.

    Raises:
        Incomplete: A field is missing, or nobody knows what a line does.
    """
    for row in found:
        delta, at = table(row.get("delta"), "delta"), whole(row, "time")
        word = text(delta, "type")
        for part, kind, change in _changes(delta, word, wallet):
            if not change:
                continue
            is_ours = word == TRANSFER and has_spot
            yield LedgerRow(
                id=f"update:{text(row, 'hash')}:{word}:{change}{part}",
                at=instant(at),
                kind=kind,
                amount=change,
                asset=DOLLAR,
                other="spot" if is_ours else "",
                actor=word,
            )


def is_elsewhere(coin: str) -> bool:
    """Whether a name is of the spot market, or of a market that somebody else runs."""
    return coin.startswith("@") or "/" in coin or ":" in coin


def _changes(
    delta: Mapping[str, Any], word: str, wallet: str
) -> Iterator[tuple[str, RowKind, Decimal]]:
    """Yield what a line does to the dollars that back positions."""
    if word in INERT:
        return
    if word not in AMOUNTS:
        raise Incomplete(f"type of an update must be known, was {word[:40]!r}")
    moved = amount(delta, AMOUNTS[word])
    if _comes(delta, word, wallet):
        yield "", RowKind.TRANSFER_IN, moved
        return
    yield "", RowKind.TRANSFER_OUT, -moved
    if word in WITH_FEE:
        yield ":fee", RowKind.FEE, -amount(delta, "fee")


def _comes(delta: Mapping[str, Any], word: str, wallet: str) -> bool:
    """Whether a line brings money to the account."""
    if word in OTHERS:
        return text(delta, "destination").lower() == wallet
    if word != TRANSFER:
        return word in COMES
    comes = delta.get("toPerp")
    if not isinstance(comes, bool):
        raise Incomplete(f"toPerp of a transfer must be a flag, was {str(comes)[:20]!r}")
    return comes
