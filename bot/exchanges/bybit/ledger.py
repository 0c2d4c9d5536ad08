"""Which lines did Bybit book on the account since an instant?

The log of the unified account, and the transfers between it and the funding account. What is added
to an isolated position is in neither: it stays inside the wallet, and shows in the position alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from bot.domain.ledger import LedgerRow, RowKind
from bot.exchanges.bybit.answers import Reader
from bot.exchanges.bybit.evidence import OWN
from bot.exchanges.bybit.write import ACCOUNTS
from bot.exchanges.client import all_of
from bot.exchanges.numbers import instant, number, positive, stamp_of, text, whole
from bot.exchanges.twins import LONGEST_WAY, TOGETHER_MS, may_be_one, taken

PAGE = 50
LONGEST_SPAN = timedelta(days=7)
"""That one request may ask for."""
SECOND_MS = 1000
ARRIVED = "SUCCESS"
TRANSFERS = {"TRANSFER_IN": RowKind.TRANSFER_IN, "TRANSFER_OUT": RowKind.TRANSFER_OUT}
CASH = {
    "TRADE": RowKind.REALIZED_PNL,
    "SETTLEMENT": RowKind.REALIZED_PNL,
    "LIQUIDATION": RowKind.REALIZED_PNL,
    "ADL": RowKind.REALIZED_PNL,
    "DELIVERY": RowKind.REALIZED_PNL,
}
"""What the cash flow of a line is, by its type; its fee and its funding stand beside it."""
COMES = (ACCOUNTS["spot"], ACCOUNTS["futures"])
GOES = COMES[::-1]


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
            has_spot: Whether the funding account is ours too; its transfers have a list of their
                own.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        log, sent = await all_of([
            self._log(since, until),
            self._transfers(since - LONGEST_WAY, until) if has_spot else _none(),
        ])  # fmt: skip
        last = stamp_of(until)
        newest = last - TOGETHER_MS if has_spot else last
        category = self._reader.where["category"]
        lines = log_rows(log, sent, symbols, newest_ms=newest, category=category)
        found = [*transfer_rows(sent, log), *lines]
        return tuple(sorted(found, key=lambda row: (row.at, row.id)))

    async def _log(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        call = self._reader.api.privateGetV5AccountTransactionLog
        found: list[dict[str, Any]] = []
        for span in _spans(since, until):
            asked = {"accountType": "UNIFIED", **span, "limit": PAGE}
            found += await self._reader.all(call, asked, "transaction log")
        return found

    async def _transfers(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        call = self._reader.api.privateGetV5AssetTransferQueryInterTransferList
        found: list[dict[str, Any]] = []
        for span in _spans(since, until):
            found += await self._reader.all(call, {**span, "limit": PAGE}, "transfers")
        ends = [(text(row, "fromAccountType"), text(row, "toAccountType")) for row in found]
        return [row for row, way in zip(found, ends, strict=True) if way in (COMES, GOES)]


def transfer_rows(
    answer: Iterable[Mapping[str, Any]], log: Iterable[Mapping[str, Any]]
) -> tuple[LedgerRow, ...]:
    """Return the transfers that have arrived, as the unified account sees them.

    Args:
        answer: As listed, stamped by the second.
        log: As listed, stamped by the millisecond.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    lines = [row for row in log if text(row, "type") in TRANSFERS]
    found = []
    for row in answer:
        if text(row, "status") != ARRIVED:
            continue
        at = whole(row, "timestamp") + SECOND_MS - 1  # at the latest
        twin = taken(lines, partial(_is_same, transfer=row))
        if twin is not None:
            at = whole(twin, "transactionTime")
        comes, amount = _comes(row), positive(row, "amount")
        found.append(
            LedgerRow(
                id=f"transfer:{text(row, 'transferId').removeprefix(OWN)}",
                at=instant(at),
                kind=RowKind.TRANSFER_IN if comes else RowKind.TRANSFER_OUT,
                amount=amount if comes else -amount,
                asset=text(row, "coin"),
                other="spot",
                actor=text(row, "fromAccountType"),
            )
        )
    return tuple(found)


def log_rows(
    log: Iterable[Mapping[str, Any]],
    transfers: Iterable[Mapping[str, Any]],
    symbols: Mapping[str, str],
    *,
    newest_ms: int,
    category: str = "linear",
) -> tuple[LedgerRow, ...]:
    """Return the lines of the log, without transfers that another list has.

    Args:
        log: As listed.
        transfers: As listed, also those on their way.
        symbols: Unified names, by the venue's.
        newest_ms: Transfers after this may still get into the other list: what is not there waits
            for the next reading. [ms]
        category: Whose lines name a symbol.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    others = list(transfers)
    equals: Counter[str] = Counter()
    found = []
    for row in sorted(log, key=lambda row: whole(row, "transactionTime")):
        word, at = text(row, "type"), whole(row, "transactionTime")
        if word in TRANSFERS:
            if taken(others, partial(_is_same, row)) is not None:
                continue
            if at > newest_ms:
                continue
        name = row.get("symbol") if row.get("category") == category else ""
        said = f"log:{text(row, 'id')}:{word}:{row.get('tradeId') or ''}"
        equals[said] += 1
        for part, kind, amount in _parts(row, word):
            found.append(
                LedgerRow(
                    id=f"{said}:{equals[said]}:{part}",
                    at=instant(at),
                    kind=kind,
                    amount=amount,
                    asset=text(row, "currency"),
                    symbol=symbols.get(str(name), str(name or "")),
                    actor=word,
                )
            )
    return tuple(found)


def _parts(row: Mapping[str, Any], word: str) -> Iterator[tuple[str, RowKind, Decimal]]:
    """Yield what a line is made of; as a whole where its parts are not its sum."""
    change = number(row, "change")
    if word in TRANSFERS:
        if change:
            yield "all", TRANSFERS[word], change
        return
    parts = {
        "cash": (CASH.get(word, RowKind.OTHER), _part(row, "cashFlow")),
        "fee": (RowKind.FEE, -_part(row, "fee")),
        "funding": (RowKind.FUNDING, _part(row, "funding")),
    }
    if sum((amount for _, amount in parts.values()), Decimal(0)) != change:
        yield "all", RowKind.OTHER, change
        return
    for part, (kind, amount) in parts.items():
        if amount:
            yield part, kind, amount


def _part(row: Mapping[str, Any], key: str) -> Decimal:
    """Return a part of a line; the venue leaves empty what a line has nothing of."""
    return Decimal(0) if row.get(key) == "" else number(row, key)


def _comes(row: Mapping[str, Any]) -> bool:
    return (text(row, "fromAccountType"), text(row, "toAccountType")) == COMES


def _is_same(line: Mapping[str, Any], transfer: Mapping[str, Any]) -> bool:
    """Whether a line of the log is an end of a transfer between two of our wallets."""
    signed = positive(transfer, "amount") * (1 if _comes(transfer) else -1)
    return (
        signed == number(line, "change")
        and text(transfer, "coin") == text(line, "currency")
        and may_be_one(whole(transfer, "timestamp"), whole(line, "transactionTime"))
    )


def _spans(since: datetime, until: datetime) -> Iterator[dict[str, int]]:
    begin = since
    while begin <= until:
        end = min(begin + LONGEST_SPAN, until)
        yield {
            "startTime": stamp_of(begin),
            "endTime": stamp_of(end),
        }
        begin = end + timedelta(milliseconds=1)


async def _none() -> list[dict[str, Any]]:
    return []
