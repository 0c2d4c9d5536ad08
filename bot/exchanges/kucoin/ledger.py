"""Which lines did KuCoin book on the futures account since an instant?

Transfers and funding have lines of their own. Results and fees of a contract are one line for every
eight hours, and that of the running ones grows: what it grew since the last reading is our line.
What is added to a position is in no list, and shows in the position alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.ledger import LedgerRow, RowKind
from bot.errors import Incomplete
from bot.exchanges.client import all_of
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.numbers import instant, number, stamp_of, text, whole

ZERO = Decimal(0)
COMES, GOES, RESULT = "TransferIn", "TransferOut", "RealisedPNL"
KINDS = {COMES: RowKind.TRANSFER_IN, GOES: RowKind.TRANSFER_OUT}
COMPLETED, PENDING = "Completed", "Pending"
ELSEWHERE = ("Trading", "Margin")
"""Words in the remark of a transfer whose other end is not the funding account."""
PERIOD = timedelta(hours=9)
"""Longer than the time that one line of results is open."""
LONGEST = timedelta(hours=14)
"""So far back results are added up; then from later on."""
SPAN = timedelta(hours=23)
"""That one request asks for: whether the venue tells more than a day at once is not clear."""

Total = dict[tuple[str, str], Decimal]
"""Of results, by currency and the venue's name of the contract. [asset]"""


class Statement:
    """Reads the lines of one account; remembers what results came to."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._from = datetime.max.replace(tzinfo=UTC)
        """Results are added up from here, once they were read. Aware UTC."""
        self._read_at: datetime | None = None
        self._total: Total = {}
        self._told = 0
        self._kept: list[LedgerRow] = []
        """What results grew, as told before."""

    async def read(
        self, since: datetime, until: datetime, *, ids: Mapping[str, str], has_spot: bool
    ) -> tuple[LedgerRow, ...]:
        """Return every line between two instants, by time.

        What results grew has the time of the reading before: it may be as old as that.

        Args:
            since: Aware UTC.
            until: Aware UTC.
            ids: The venue's names of symbols.
            has_spot: Whether the funding account is ours too.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        symbols = {name: symbol for symbol, name in ids.items()}
        begin = min(since - PERIOD, self._from)
        call = self._reader.api.futuresPrivateGetTransactionHistory
        listed = [
            row
            for span in _spans(begin, until)
            for row in await self._reader.lines(call, span, "transactions")
        ]
        names = sorted({text(row, "remark") for row in listed if row.get("type") == RESULT})
        paid = [
            row
            for page in await all_of([self._funding(name, begin, until) for name in names])
            for row in page
        ]
        self._grow(listed, paid, symbols, begin, until)
        found = [
            *transfer_rows(listed, has_spot=has_spot),
            *funding_rows(paid, symbols),
            *self._kept,
        ]
        return tuple(
            sorted((row for row in found if row.at >= since), key=lambda row: (row.at, row.id))
        )

    async def _funding(self, name: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        call, what = self._reader.api.futuresPrivateGetFundingHistory, f"funding of {name}"
        found = [
            row
            for span in _spans(since, until)
            for row in await self._reader.lines(call, {"symbol": name, **span}, what)
        ]
        if any(text(row, "symbol") != name for row in found):
            raise Incomplete(f"funding must be of {name}, was of others too")
        return found

    def _grow(
        self,
        listed: Sequence[Mapping[str, Any]],
        paid: Sequence[Mapping[str, Any]],
        symbols: Mapping[str, str],
        begin: datetime,
        until: datetime,
    ) -> None:
        """Learn what results came to; the first reading only says where they stand."""
        if self._read_at is not None:
            now = _total(listed, paid, since=self._from)
            for key in sorted({*now, *self._total}):
                change = now.get(key, ZERO) - self._total.get(key, ZERO)
                if change:
                    self._told += 1
                    row = _grown(key, change, self._told, at=self._read_at, symbols=symbols)
                    self._kept.append(row)
        if self._read_at is None:
            self._from = begin
        elif until - self._from > LONGEST:
            self._from = until - PERIOD
        self._total, self._read_at = _total(listed, paid, since=self._from), until
        self._kept = [row for row in self._kept if until - row.at < LONGEST]


def transfer_rows(listed: Iterable[Mapping[str, Any]], *, has_spot: bool) -> tuple[LedgerRow, ...]:
    """Return the transfers that took place.

    Args:
        listed: Transactions, as listed.
        has_spot: Whether the funding account is ours too.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    found = []
    for row in listed:
        word = text(row, "type")
        if word == RESULT or not has_come(row):
            continue
        moved, sign = abs(number(row, "amount")), -1 if word in (GOES, "Withdrawal") else 1
        is_ours = word in KINDS and has_spot and not any(w in _remark(row) for w in ELSEWHERE)
        found.append(
            LedgerRow(
                id=f"transaction:{whole(row, 'offset')}",
                at=instant(whole(row, "time")),
                kind=KINDS.get(word, RowKind.OTHER),
                amount=moved * sign,
                asset=text(row, "currency"),
                other="spot" if is_ours else "",
                actor=word,
            )
        )
    return tuple(found)


def funding_rows(
    paid: Iterable[Mapping[str, Any]], symbols: Mapping[str, str]
) -> tuple[LedgerRow, ...]:
    """Return the payments of funding.

    Raises:
        Incomplete: A field is missing.
    """
    return tuple(
        LedgerRow(
            id=f"funding:{text(row, 'symbol')}:{row.get('id')}",
            at=instant(whole(row, "timePoint")),
            kind=RowKind.FUNDING,
            amount=number(row, "funding"),
            asset=text(row, "settleCurrency"),
            symbol=symbols.get(row["symbol"], row["symbol"]),
            actor="funding",
        )
        for row in paid
        if number(row, "funding")
    )


def has_come(row: Mapping[str, Any]) -> bool:
    """Whether a line is of something that took place.

    Raises:
        Incomplete: Its state is unknown.
    """
    status = text(row, "status")
    if status not in (COMPLETED, PENDING):
        raise Incomplete(f"status of a transaction must be known, was {status!r}")
    return status == COMPLETED


def _total(
    listed: Iterable[Mapping[str, Any]], paid: Iterable[Mapping[str, Any]], *, since: datetime
) -> Total:
    """Return what results without funding came to since an instant."""
    total: Total = {}
    for row in listed:
        if row.get("type") == RESULT and instant(whole(row, "time")) >= since:
            key = text(row, "currency"), text(row, "remark")
            total[key] = total.get(key, ZERO) + number(row, "amount")
    for row in paid:
        if instant(whole(row, "timePoint")) >= since:
            key = text(row, "settleCurrency"), text(row, "symbol")
            total[key] = total.get(key, ZERO) - number(row, "funding")
    return total


def _grown(
    key: tuple[str, str],
    change: Decimal,
    count: int,
    *,
    at: datetime,
    symbols: Mapping[str, str],
) -> LedgerRow:
    asset, name = key
    return LedgerRow(
        id=f"result:{asset}:{name}:{at.isoformat()}:{count}",
        at=at,
        kind=RowKind.REALIZED_PNL,
        amount=change,
        asset=asset,
        symbol=symbols.get(name, name),
        actor=RESULT,
    )


def _spans(since: datetime, until: datetime) -> Iterator[dict[str, str]]:
    """Yield the times to ask for; the last has no end, so that nothing of now is left out."""
    begin = since
    while until - begin > SPAN:
        yield {"startAt": str(stamp_of(begin)), "endAt": str(stamp_of(begin + SPAN) - 1)}
        begin += SPAN
    yield {"startAt": str(stamp_of(begin))}


def _remark(row: Mapping[str, Any]) -> str:
    return str(row.get("remark"))
