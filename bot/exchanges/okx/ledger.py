"""Which lines did OKX book on the trading account since an instant?

One list holds them all, newest first. A line tells what changed in the account and what in a
position; fills, fees and payments change the sum of both, margin moves only where it is.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.ledger import LedgerRow, RowKind
from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import instant, number, stamp_of, text, whole
from bot.exchanges.okx.answers import listed
from bot.exchanges.okx.write import ACCOUNTS
from bot.exchanges.patience import in_turn

PAGE = 100
MOST_PAGES = 16
"""In one reading; a bot that needs more was away too long to catch up like this."""
LONGEST = 5.0
"""So long one page waits for its turn in the budget of requests. [s]"""
RECENT = timedelta(days=6)
"""The list of late lines reaches back a week, another one three months."""
TRANSFER, TRADE, LIQUIDATION, MARGIN, FUNDING, ADL = "1", "2", "5", "6", "8", "9"
ADDED, REMOVED, ADDED_BY_VENUE = "160", "161", "162"
SIGNS = {ADDED: 1, ADDED_BY_VENUE: 1, REMOVED: -1}
"""Of what a position gains; others tell it by the amount."""
CONTRACTS = frozenset({"SWAP", "FUTURES", "OPTION"})
KINDS = {
    FUNDING: RowKind.FUNDING,
    LIQUIDATION: RowKind.INSURANCE,
    ADL: RowKind.REALIZED_PNL,
}


class Statement:
    """Reads the lines of one account."""

    def __init__(self, client: Client, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            sleep: Waits. [s]
        """
        self._client, self._sleep = client, sleep

    async def read(
        self, since: datetime, until: datetime, *, ids: Mapping[str, str], has_spot: bool
    ) -> tuple[LedgerRow, ...]:
        """Return every line between two instants, by time.

        Args:
            since: Aware UTC.
            until: Aware UTC.
            ids: The venue's names of symbols.
            has_spot: Whether the funding account is ours too.

        Raises:
            ExchangeError: The list could not be read to its end.
        """
        symbols = {name: symbol for symbol, name in ids.items()}
        found = [
            line
            for row in await self._bills(since, until)
            for line in lines_of(row, symbols, has_spot=has_spot)
        ]
        return tuple(sorted(found, key=lambda row: (row.at, row.id)))

    async def _bills(self, since: datetime, until: datetime) -> Iterable[dict[str, Any]]:
        """Return the bills; newest first, so that a new one only repeats others."""
        api = self._client.api
        is_recent = until - since <= RECENT
        call = api.privateGetAccountBills if is_recent else api.privateGetAccountBillsArchive
        span = {"begin": str(stamp_of(since)), "end": str(stamp_of(until)), "limit": str(PAGE)}
        found: dict[str, dict[str, Any]] = {}
        older: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            rows = await self._page(call, {**span, **older})
            found |= {text(row, "billId"): row for row in rows}
            if len(rows) < PAGE:
                return found.values()
            older = {"after": text(rows[-1], "billId")}
        raise Incomplete(f"bills must fit {MOST_PAGES} pages, did not")

    async def _page(
        self, call: Callable[[dict[str, Any]], Awaitable[Any]], span: dict[str, str]
    ) -> list[dict[str, Any]]:
        answer = await in_turn(
            lambda: self._client.read(call, dict(span)), sleep=self._sleep, longest=LONGEST
        )
        return listed(answer, "bills")


def lines_of(
    row: Mapping[str, Any], symbols: Mapping[str, str], *, has_spot: bool
) -> Iterator[LedgerRow]:
    """Yield what a bill says: of a fill its fee and its result apart.

    Args:
        row: The venue's.
        symbols: By the venue's names.
        has_spot: Whether the funding account is ours too.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    word, sub, bill = text(row, "type"), text(row, "subType"), text(row, "billId")
    at, asset, name = instant(whole(row, "ts")), text(row, "ccy"), row.get("instId") or ""
    in_account, in_position = number(row, "balChg"), number(row, "posBalChg")
    symbol = symbols.get(name, name)

    def line(kind: RowKind, amount: Decimal, *, part: str = "", other: str = "") -> LedgerRow:
        return LedgerRow(
            id=f"bill:{bill}{part}", at=at, kind=kind, amount=amount, asset=asset,
            symbol=symbol, other=other, actor=f"{word}:{sub}",
        )  # fmt: skip

    if word == MARGIN:
        yield line(*_move(sub, in_account, in_position))
        return
    whole_change = in_account + in_position
    if word == TRANSFER:
        ways = {row.get("from"), row.get("to")} == set(ACCOUNTS.values())
        comes = RowKind.TRANSFER_IN if whole_change > 0 else RowKind.TRANSFER_OUT
        if whole_change:
            yield line(comes, whole_change, other="spot" if ways and has_spot else "")
        return
    if word == TRADE and row.get("instType") in CONTRACTS:
        fee = number(row, "fee")
        if fee:
            yield line(RowKind.FEE, fee, part=":fee")
        if whole_change != fee:
            yield line(RowKind.REALIZED_PNL, whole_change - fee, part=":result")
        return
    if whole_change:
        yield line(KINDS.get(word, RowKind.OTHER), whole_change)


def _move(sub: str, in_account: Decimal, in_position: Decimal) -> tuple[RowKind, Decimal]:
    """Return kind and amount of a margin move, as the position sees it."""
    moved = in_position or -in_account
    if not moved or moved * SIGNS.get(sub, moved) < 0:
        raise Incomplete(f"a margin move of subType {sub!r} must have its sign, was {moved}")
    return (RowKind.MARGIN_ADDED if moved > 0 else RowKind.MARGIN_REMOVED), moved
