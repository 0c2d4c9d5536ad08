"""Which lines does the venue write on the futures account?

Transfers have a line each. Results, fees and funding of a contract are one line for every eight
hours; that of the running ones is still open and grows. Moves of margin have no line.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bot.paper.account import FIRST_ID
from bot.paper.engine import FUNDING_INTERVAL
from bot.paper.kucoin.listing import name
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.shape import bare
from bot.paper.values import ZERO, Contract, Income

RUNNING = -1
"""Offset of a line that is still open."""
WAYS = {True: ("TransferIn", "Transferred from Funding Account"),
        False: ("TransferOut", "Transferred to Funding Account")}  # fmt: skip


def ledger_of(room: Room) -> list[dict[str, Any]]:
    """Return every line, open ones first, then the newest."""
    engine = room.engine
    lines = [line for line in engine.income if engine.is_shown(line.at_ms)]
    moved = [_moved(room, line) for line in lines if line.type == "TRANSFER"]
    rest = [line for line in lines if line.type != "TRANSFER"]
    begins = engine.now_ms - engine.now_ms % FUNDING_INTERVAL
    found = [*moved, *_results(room, rest, begins)]
    return sorted(found, key=lambda row: (row["offset"] != RUNNING, -row["offset"]))


def payments_of(room: Room, contract: Contract) -> list[dict[str, Any]]:
    """Return the funding that was paid for a contract, newest first."""
    engine = room.engine
    return [
        {
            "id": line.id,
            "symbol": name(contract),
            "timePoint": line.at_ms,
            "fundingRate": bare(engine.quotes[contract.id].funding),
            "markPrice": bare(engine.quotes[contract.id].mark),
            "positionQty": 1,
            "positionCost": 1,
            "funding": bare(line.amount),
            "settleCurrency": line.asset,
            "context": "",
            "marginMode": "ISOLATED",
            "offset": line.id - FIRST_ID,
        }
        for line in reversed(engine.income)
        if line.type == "FUNDING_FEE" and line.symbol == contract.id and engine.is_shown(line.at_ms)
    ]


def _moved(room: Room, line: Income) -> dict[str, Any]:
    word, remark = WAYS[line.amount > 0]
    return _line(room, line.at_ms, word, abs(line.amount), line.asset, remark, line.id - FIRST_ID)


def _results(room: Room, lines: Iterable[Income], begins: int) -> list[dict[str, Any]]:
    sums: dict[tuple[int, str, str], tuple[Decimal, int]] = {}
    for line in lines:
        since = line.at_ms - line.at_ms % FUNDING_INTERVAL
        key = (since, line.symbol, line.asset)
        before, _ = sums.get(key, (ZERO, 0))
        sums[key] = before + line.amount, line.id - FIRST_ID
    return [
        _line(
            room,
            room.engine.now_ms if since == begins else since + FUNDING_INTERVAL,
            "RealisedPNL",
            amount,
            asset,
            name(room.engine.contracts[symbol]),
            RUNNING if since == begins else last,
        )
        for (since, symbol, asset), (amount, last) in sums.items()
    ]


def _line(
    room: Room, at_ms: int, word: str, amount: Decimal, asset: str, remark: str, offset: int
) -> dict[str, Any]:
    return {
        "time": at_ms,
        "type": word,
        "amount": bare(amount),
        "fee": 0,
        "accountEquity": bare(room.engine.equity(asset)),
        "status": "Pending" if offset == RUNNING else "Completed",
        "remark": remark,
        "offset": offset,
        "currency": asset,
    }
