"""Which lines did Binance book on the account since an instant?

Three lists: margin moves by symbol, transfers by route, and everything else by the futures wallet.
Each is read to its end or not at all. The venue does not say in which order it cuts a list that is
too long, so one that may be cut is asked for again in two halves of its time.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.position import Side
from bot.errors import Incomplete
from bot.exchanges.binance.family import FAMILIES, Family
from bot.exchanges.client import Client, all_of
from bot.exchanges.numbers import (
    identity,
    instant,
    number,
    positive,
    rows,
    stamp_of,
    table,
    text,
    whole,
)
from bot.exchanges.quota import Lane
from bot.exchanges.twins import LONGEST_WAY, TOGETHER_MS, may_be_one, taken

INCOME_PAGE = 1000
MARGIN_PAGE = 500
TRANSFER_PAGE = 100
MOST_PAGES = 16
"""Of one list in one reading; a bot that needs more was away too long to catch up like this."""
KINDS = {
    "FUNDING_FEE": RowKind.FUNDING,
    "COMMISSION": RowKind.FEE,
    "REALIZED_PNL": RowKind.REALIZED_PNL,
    "INSURANCE_CLEAR": RowKind.INSURANCE,
}
TRANSFERS = frozenset({
    "TRANSFER", "INTERNAL_TRANSFER", "CROSS_COLLATERAL_TRANSFER",
    "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW",
})  # fmt: skip
ARRIVED = "CONFIRMED"
COMING = frozenset(family.routes["spot", "futures"] for family in FAMILIES.values())
"""Routes into a futures wallet."""

Page = Callable[[int, int], Awaitable[list[dict[str, Any]]]]
"""Asks for the lines from an instant to another, both included. [ms]"""


class Statement:
    """Reads the lines of one account."""

    def __init__(self, client: Client, family: Family) -> None:
        self._client, self._family = client, family

    async def read(
        self,
        since: datetime,
        until: datetime,
        *,
        ids: Mapping[str, str],
        has_spot: bool,
    ) -> tuple[LedgerRow, ...]:
        """Return every line between two instants, by time.

        Args:
            since: Aware UTC.
            until: Aware UTC.
            ids: Symbols whose margin moves are read, with the venue's names.
            has_spot: Whether the spot wallet is ours too; its transfers have a list of their own.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        first, last = stamp_of(since), stamp_of(until)
        page = min(MARGIN_PAGE, self._family.moves)
        income, sent, *moves = await all_of([
            _complete(self._income, first, last, size=INCOME_PAGE, what="income"),
            self._transfers(stamp_of(since - LONGEST_WAY), last, has_spot=has_spot),
            *(
                _complete(self._margin_of(ids[s]), first, last, size=page, what="margin")
                for s in sorted(ids)
            ),
        ])  # fmt: skip
        symbols = {name: symbol for symbol, name in ids.items()}
        found = [
            *margin_rows(
                (row for found in moves for row in found),
                symbols,
                names_movers=self._family.names_movers,
            ),
            *transfer_rows(sent),
            *income_rows(income, sent, symbols, newest_ms=last - TOGETHER_MS if has_spot else last),
        ]
        return tuple(sorted(found, key=lambda row: (row.at, row.id)))

    async def _income(self, first: int, last: int) -> list[dict[str, Any]]:
        span = {"startTime": first, "endTime": last, "limit": INCOME_PAGE}
        call = self._family.call(self._client.api, "PrivateGetIncome")
        return rows(await self._client.read(call, span, lane=Lane.READ), "income")

    def _margin_of(self, name: str) -> Page:
        async def page(first: int, last: int) -> list[dict[str, Any]]:
            most = min(MARGIN_PAGE, self._family.moves)
            span = {"symbol": name, "startTime": first, "endTime": last, "limit": most}
            call = self._family.call(self._client.api, "PrivateGetPositionMarginHistory")
            return rows(await self._client.read(call, span, lane=Lane.READ), "margin history")

        return page

    async def _transfers(self, first: int, last: int, *, has_spot: bool) -> list[dict[str, Any]]:
        if not has_spot:
            return []
        pages = await all_of([self._route(r, first, last) for r in self._family.routes.values()])
        return [row for page in pages for row in page]

    async def _route(self, route: str, first: int, last: int) -> list[dict[str, Any]]:
        """Return the transfers of a route; newest first, so that a new one only repeats others."""
        found: dict[str, dict[str, Any]] = {}
        for page in range(1, MOST_PAGES + 1):
            answer = table(
                await self._client.read(
                    self._client.api.sapiGetAssetTransfer,
                    {
                        "type": route,
                        "startTime": first,
                        "endTime": last,
                        "size": TRANSFER_PAGE,
                        "current": page,
                    },
                    lane=Lane.READ,
                ),
                "transfer history",
            )
            listed = rows(answer.get("rows", []), "transfers")
            found |= {identity(row, "tranId"): {**row, "type": route} for row in listed}
            if whole(answer, "total") <= len(found):
                return list(found.values())
            if not listed:
                break
        raise Incomplete(f"transfers {route} must be listed to the end, were {len(found)}")


def margin_rows(
    answer: Iterable[Mapping[str, Any]], symbols: Mapping[str, str], *, names_movers: bool
) -> tuple[LedgerRow, ...]:
    """Return margin moves; without an id, a line is named by what it says and its turn of equals.

    Args:
        answer: As listed.
        symbols: By the venue's names.
        names_movers: Whether the venue must say who moved it; else it may.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    equals: Counter[str] = Counter()
    found = []
    for row in answer:
        amount, kind, at = positive(row, "amount"), whole(row, "type"), whole(row, "time")
        if kind not in (1, 2):
            raise Incomplete(f"type of a margin move must be 1 or 2, was {kind}")
        leg = text(row, "positionSide")
        is_said = names_movers or "deltaType" in row
        actor = text(row, "deltaType") if is_said else ""
        name = text(row, "symbol")
        if name not in symbols:
            raise Incomplete(f"a margin move must be of a symbol that was asked for, was of {name}")
        said = f"margin:{name}:{leg}:{kind}:{actor}:{amount.normalize():f}:{at}"
        equals[said] += 1
        found.append(
            LedgerRow(
                id=f"{said}:{equals[said]}",
                at=instant(at),
                kind=RowKind.MARGIN_ADDED if kind == 1 else RowKind.MARGIN_REMOVED,
                amount=amount if kind == 1 else -amount,
                asset=text(row, "asset"),
                symbol=symbols[name],
                side={"LONG": Side.LONG, "SHORT": Side.SHORT}.get(leg),
                actor=actor,
            )
        )
    return tuple(found)


def transfer_rows(answer: Iterable[Mapping[str, Any]]) -> tuple[LedgerRow, ...]:
    """Return the transfers that have arrived, as the futures wallet sees them.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    found = []
    for row in answer:
        if text(row, "status") != ARRIVED:
            continue
        comes, amount = _comes(row), positive(row, "amount")
        found.append(
            LedgerRow(
                id=f"transfer:{identity(row, 'tranId')}",
                at=instant(whole(row, "timestamp")),
                kind=RowKind.TRANSFER_IN if comes else RowKind.TRANSFER_OUT,
                amount=amount if comes else -amount,
                asset=text(row, "asset"),
                other="spot",
                actor=text(row, "type"),
            )
        )
    return tuple(found)


def income_rows(
    income: Iterable[Mapping[str, Any]],
    transfers: Iterable[Mapping[str, Any]],
    symbols: Mapping[str, str],
    *,
    newest_ms: int,
) -> tuple[LedgerRow, ...]:
    """Return the lines of the futures wallet, without transfers that another list has.

    Args:
        income: As listed.
        transfers: As listed, also those on their way.
        symbols: By the venue's names.
        newest_ms: Transfers after this may still get into the other list: what is not there waits
            for the next reading. [ms]

    Raises:
        Incomplete: A field is missing or unknown.
    """
    others = list(transfers)
    found = []
    for row in sorted(income, key=lambda row: whole(row, "time")):
        word, amount, at = text(row, "incomeType"), number(row, "income"), whole(row, "time")
        if not amount:
            continue
        kind = KINDS.get(word, RowKind.OTHER)
        if word in TRANSFERS:
            if taken(others, partial(_is_same, row)) is not None:
                continue
            if at > newest_ms:
                continue
            kind = RowKind.TRANSFER_IN if amount > 0 else RowKind.TRANSFER_OUT
        name = row.get("symbol") or ""
        found.append(
            LedgerRow(
                # The venue's id is unique within its type only.
                id=f"income:{word}:{name}:{identity(row, 'tranId')}",
                at=instant(at),
                kind=kind,
                amount=amount,
                asset=text(row, "asset"),
                symbol=symbols.get(name, name),
                actor=word,
            )
        )
    return tuple(found)


async def _complete(
    ask: Page, first: int, last: int, *, size: int, what: str
) -> list[dict[str, Any]]:
    """Return every line of a span, halving what may be cut.

    Raises:
        Incomplete: It does not fit the pages allowed, or one instant does not fit a page.
    """
    spans, found = [(first, last)], list[dict[str, Any]]()
    for _ in range(MOST_PAGES):
        begin, end = spans.pop()
        page = await ask(begin, end)
        if len(page) < size:
            found += page
        elif begin == end:
            raise Incomplete(f"{what} of one instant must fit a page of {size}, did not")
        else:
            middle = (begin + end) // 2
            spans += [(middle + 1, end), (begin, middle)]
        if not spans:
            return found
    raise Incomplete(f"{what} must fit {MOST_PAGES} pages, did not")


def _comes(row: Mapping[str, Any]) -> bool:
    return text(row, "type") in COMING


def _is_same(income: Mapping[str, Any], transfer: Mapping[str, Any]) -> bool:
    """Whether a line of the futures wallet is an end of a transfer between two of our wallets."""
    signed = positive(transfer, "amount") * (1 if _comes(transfer) else -1)
    return (
        signed == number(income, "income")
        and text(transfer, "asset") == text(income, "asset")
        and may_be_one(whole(transfer, "timestamp"), whole(income, "time"))
    )
