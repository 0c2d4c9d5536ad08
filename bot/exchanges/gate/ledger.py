"""Which lines did Gate book on the futures account since an instant?

The book of the futures account, and that of the spot account to tell which transfers came from
there. What is added to an isolated position is in neither: it stays inside the account, and shows
in the position alone.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from bot.domain.ledger import LedgerRow, RowKind
from bot.exchanges.client import Client, all_of
from bot.exchanges.gate.pages import all_pages
from bot.exchanges.gate.parse import SETTLE, moment
from bot.exchanges.numbers import instant, number, stamp_of, text
from bot.exchanges.quota import Lane
from bot.exchanges.twins import LONGEST_WAY, TOGETHER_MS, may_be_one, taken

PAGE = 1000
LONGEST = 5.0
"""So long one page waits for its turn in the budget of requests. [s]"""
TRANSFER = "dnw"
KINDS = {"pnl": RowKind.REALIZED_PNL, "fee": RowKind.FEE, "fund": RowKind.FUNDING}
POINTS = "point_"
"""Before kinds of lines that are of another currency."""


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
        self, since: datetime, until: datetime, *, symbols: Mapping[str, str], has_spot: bool
    ) -> tuple[LedgerRow, ...]:
        """Return every line between two instants, by time.

        Args:
            since: Aware UTC.
            until: Aware UTC.
            symbols: Unified names, by the venue's.
            has_spot: Whether the spot account is ours too.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        first, last = stamp_of(since), stamp_of(until)
        book, spot = await all_of([
            self.book(first, last),
            self.spot(stamp_of(since - LONGEST_WAY), last) if has_spot else _none(),
        ])  # fmt: skip
        newest = last - TOGETHER_MS if has_spot else last
        found = lines_of(
            [row for row in book if first <= moment(row, "time") <= last],
            spot,
            symbols,
            newest_ms=newest,
        )
        return tuple(sorted(found, key=lambda row: (row.at, row.id)))

    async def book(
        self, first_ms: int, last_ms: int, *, kind: str = "", lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return the lines of the futures account, newest first.

        Args:
            first_ms: [ms]
            last_ms: [ms]
            kind: Only of this; empty for all.
            lane: What it is for.

        Raises:
            ExchangeError: It could not be read to its end.
        """
        asked = {"settle": SETTLE, **_span(first_ms, last_ms)}
        if kind:
            asked["type"] = kind
        return await self._pages(
            self._client.api.privateFuturesGetSettleAccountBook, asked, "account book", lane
        )

    async def spot(
        self, first_ms: int, last_ms: int, *, lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return the lines of the spot account, newest first.

        Args:
            first_ms: [ms]
            last_ms: [ms]
            lane: What it is for.

        Raises:
            ExchangeError: It could not be read to its end.
        """
        asked = {"currency": SETTLE.upper(), **_span(first_ms, last_ms)}
        call = self._client.api.privateSpotGetAccountBook
        return await self._pages(call, asked, "spot account book", lane, is_numbered=True)

    async def _pages(
        self,
        call: Callable[[dict[str, Any]], Awaitable[Any]],
        asked: Mapping[str, Any],
        what: str,
        lane: Lane,
        *,
        is_numbered: bool = False,
    ) -> list[dict[str, Any]]:
        found = await all_pages(
            self._client, call, asked, what,
            page=PAGE, is_numbered=is_numbered, lane=lane, sleep=self._sleep, longest=LONGEST,
        )  # fmt: skip
        # A line that is booked between two pages moves the others on: it repeats one, loses none.
        return list({text(row, "id"): row for row in found}.values())


def lines_of(
    book: Iterable[Mapping[str, Any]],
    spot: Iterable[Mapping[str, Any]],
    symbols: Mapping[str, str],
    *,
    newest_ms: int,
) -> Iterator[LedgerRow]:
    """Yield what the lines of the futures account say.

    Args:
        book: As listed.
        spot: Lines of the spot account, from long enough before.
        symbols: Unified names, by the venue's.
        newest_ms: A transfer after this may still get into the other list: it waits for the next
            reading. [ms]

    Raises:
        Incomplete: A field is missing.
    """
    others = sorted(spot, key=lambda row: moment(row, "time"))
    for row in sorted(book, key=lambda row: moment(row, "time")):
        word, at, change = text(row, "type"), moment(row, "time"), number(row, "change")
        if word.startswith(POINTS) or not change:
            continue
        other = ""
        if word == TRANSFER:
            if taken(others, partial(_is_other_end, change=change, at=at)) is not None:
                other = "spot"
            elif at > newest_ms:
                continue
        name = row.get("contract") or ""
        yield LedgerRow(
            id=f"book:{text(row, 'id')}",
            at=instant(at),
            kind=_kind(word, change),
            amount=change,
            asset=SETTLE.upper(),
            symbol=symbols.get(str(name), str(name)),
            other=other,
            actor=word,
        )


def _kind(word: str, change: Decimal) -> RowKind:
    if word == TRANSFER:
        return RowKind.TRANSFER_IN if change > 0 else RowKind.TRANSFER_OUT
    return KINDS.get(word, RowKind.OTHER)


def _is_other_end(line: Mapping[str, Any], *, change: Decimal, at: int) -> bool:
    """Whether a line of the spot account is the other end of a transfer."""
    return number(line, "change") == -change and may_be_one(moment(line, "time"), at)


def _span(first_ms: int, last_ms: int) -> dict[str, int]:
    """Return a span in the venue's seconds, rather a little longer."""
    return {"from": first_ms // 1000, "to": -(-last_ms // 1000)}


async def _none() -> list[dict[str, Any]]:
    return []
