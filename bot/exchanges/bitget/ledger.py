"""Which lines did Bitget book on the account of contracts since an instant?

One list holds them all, newest first. A fill is one line with its result and its fee. What goes
into a position or out of it has lines too; the account as a whole does not change by those.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.ledger import LedgerRow, RowKind
from bot.errors import Incomplete
from bot.exchanges.bitget.answers import MIX, page
from bot.exchanges.client import Client
from bot.exchanges.numbers import instant, number, stamp_of, text, whole
from bot.exchanges.patience import in_turn

PAGE = 100
MOST_PAGES = 16
"""In one span; a bot that needs more was away too long to catch up like this."""
LONGEST = 5.0
"""So long one page waits for its turn in the budget of requests. [s]"""
LONGEST_SPAN = timedelta(days=30)
"""That one request may ask for."""
ADDED, REMOVED = "append_margin", "reduce_margin"
MARGIN = {
    ADDED: 1,
    "auto_append_margin": 1,
    "adjust_down_lever_append_margin": 1,
    REMOVED: -1,
}
"""Signs of what a position gains: whose view the amount of a line is, is not documented."""
FROM_SPOT, TO_SPOT = "trans_from_exchange", "trans_to_exchange"
TRADES = (
    "open_", "close_", "force_", "burst_", "adl_", "offset_", "delivery_", "buy", "sell",
)  # fmt: skip
"""What the words for fills begin with."""
KINDS = {
    "contract_settle_fee": RowKind.FUNDING,
    "contract_main_settle_fee": RowKind.FUNDING,
    "contract_margin_settle_fee": RowKind.FUNDING,
    "risk_captital_user_transfer": RowKind.INSURANCE,
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
            has_spot: Whether the spot account is ours too.

        Raises:
            ExchangeError: The list could not be read to its end.
        """
        symbols = {name: symbol for symbol, name in ids.items()}
        found = [
            line
            for span in _spans(since, until)
            for row in await self._bills(span)
            for line in lines_of(row, symbols, has_spot=has_spot)
        ]
        return tuple(sorted(found, key=lambda row: (row.at, row.id)))

    async def _bills(self, span: dict[str, str]) -> Iterable[dict[str, Any]]:
        """Return the bills of a span; newest first, so that a new one only repeats others."""
        found: dict[str, dict[str, Any]] = {}
        older: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            rows, end = await self._page({**MIX, **span, "limit": str(PAGE), **older})
            found |= {text(row, "billId"): row for row in rows}
            if len(rows) < PAGE:
                return found.values()
            older = {"idLessThan": end}
        raise Incomplete(f"bills must fit {MOST_PAGES} pages, did not")

    async def _page(self, asked: dict[str, str]) -> tuple[list[dict[str, Any]], str]:
        call = self._client.api.privateMixGetV2MixAccountBill
        answer = await in_turn(
            lambda: self._client.read(call, dict(asked)), sleep=self._sleep, longest=LONGEST
        )
        return page(answer, "bills", "bills")


def lines_of(
    row: Mapping[str, Any], symbols: Mapping[str, str], *, has_spot: bool
) -> Iterator[LedgerRow]:
    """Yield what a bill says: of a fill its fee and its result apart.

    Args:
        row: The venue's.
        symbols: By the venue's names.
        has_spot: Whether the spot account is ours too.

    Raises:
        Incomplete: A field is missing or unknown.
    """
    word, bill = text(row, "businessType"), text(row, "billId")
    at, asset, name = instant(whole(row, "cTime")), text(row, "coin"), row.get("symbol") or ""
    changed, fee = number(row, "amount"), number(row, "fee") if row.get("fee") else Decimal(0)
    symbol = symbols.get(str(name), str(name))

    def line(kind: RowKind, amount: Decimal, *, part: str = "", other: str = "") -> LedgerRow:
        return LedgerRow(
            id=f"bill:{bill}{part}", at=at, kind=kind, amount=amount, asset=asset,
            symbol=symbol, other=other, actor=word,
        )  # fmt: skip

    if word in MARGIN:
        sign = MARGIN[word]
        if changed:
            kind = RowKind.MARGIN_ADDED if sign > 0 else RowKind.MARGIN_REMOVED
            yield line(kind, sign * abs(changed))
        return
    if fee:
        yield line(RowKind.FEE, fee, part=":fee")
    if not changed:
        return
    if word.startswith("trans_"):
        comes = RowKind.TRANSFER_IN if changed > 0 else RowKind.TRANSFER_OUT
        is_ours = word in (FROM_SPOT, TO_SPOT) and has_spot
        yield line(comes, changed, other="spot" if is_ours else "")
    elif word.startswith(TRADES):
        yield line(RowKind.REALIZED_PNL, changed, part=":result")
    else:
        yield line(KINDS.get(word, RowKind.OTHER), changed)


def _spans(since: datetime, until: datetime) -> Iterator[dict[str, str]]:
    begin = since
    while begin <= until:
        end = min(begin + LONGEST_SPAN, until)
        yield {"startTime": str(stamp_of(begin)), "endTime": str(stamp_of(end))}
        begin = end + timedelta(milliseconds=1)
