"""Which lines does the venue write on the trading account?

A fill is one line with its result and its fee; the engine writes them as two.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bot.paper.engine import Engine
from bot.paper.okx.listing import name
from bot.paper.okx.shape import plain
from bot.paper.values import ZERO, Income

PER_MS = 1_000_000
"""Numbers of lines within a millisecond; those of margin moves lie in the second half."""


def bills_of(engine: Engine) -> list[dict[str, Any]]:
    """Return every line, newest first."""
    found = [*_incomes(engine), *_moves(engine)]
    return sorted(found, key=lambda row: int(row["billId"]), reverse=True)


def _incomes(engine: Engine) -> Iterator[dict[str, Any]]:
    lines = list(engine.income)
    for index, line in enumerate(lines):
        before = lines[index - 1] if index else None
        follows = before is not None and _belong(before, line)
        if line.type == "REALIZED_PNL":
            after = lines[index + 1] if index + 1 < len(lines) else None
            if after is not None and _belong(line, after):
                continue  # told with its fee
            yield _line(engine, line, kind="5", sub="104", pnl=line.amount)
        elif line.type == "COMMISSION":
            result = before.amount if follows and before is not None else ZERO
            yield _line(engine, line, kind="2", sub="2", pnl=result, fee=line.amount)
        elif line.type == "FUNDING_FEE":
            sub = "173" if line.amount < 0 else "174"
            isolated = engine.isolated[line.symbol]
            yield _line(engine, line, kind="8", sub=sub, pnl=line.amount, in_position=isolated)
        elif line.type == "TRANSFER":
            sub = "11" if line.amount > 0 else "12"
            yield _line(engine, line, kind="1", sub=sub, moved=line.amount)
        else:
            yield _line(engine, line, kind="5", sub="104", pnl=line.amount)


def _belong(result: Income, fee: Income) -> bool:
    """Whether two lines are of one fill."""
    return (result.type, fee.type) == ("REALIZED_PNL", "COMMISSION") and (
        result.at_ms,
        result.symbol,
    ) == (fee.at_ms, fee.symbol)


def _moves(engine: Engine) -> Iterator[dict[str, Any]]:
    for number, move in enumerate(engine.margin_moves):
        yield _row(
            engine,
            bill=move.at_ms * PER_MS + PER_MS // 2 + number % (PER_MS // 2),
            at_ms=move.at_ms,
            ccy=move.asset,
            symbol=move.symbol,
            kind="6",
            sub="160" if move.amount > 0 else "161",
            change=-move.amount,
            in_position=move.amount,
            size=abs(move.amount),
        )


def _line(
    engine: Engine,
    line: Income,
    *,
    kind: str,
    sub: str,
    pnl: Decimal = ZERO,
    fee: Decimal = ZERO,
    moved: Decimal = ZERO,
    in_position: bool = False,
) -> dict[str, Any]:
    whole = pnl + fee + moved
    return _row(
        engine,
        bill=line.at_ms * PER_MS + line.id % (PER_MS // 2),
        at_ms=line.at_ms,
        ccy=line.asset,
        symbol=line.symbol,
        kind=kind,
        sub=sub,
        change=ZERO if in_position else whole,
        in_position=whole if in_position else ZERO,
        size=abs(moved),
        pnl=pnl,
        fee=fee,
    )


def _row(
    engine: Engine,
    *,
    bill: int,
    at_ms: int,
    ccy: str,
    symbol: str,
    kind: str,
    sub: str,
    change: Decimal,
    in_position: Decimal,
    size: Decimal,
    pnl: Decimal = ZERO,
    fee: Decimal = ZERO,
) -> dict[str, Any]:
    is_transfer = kind == "1"
    ways = {"11": ("6", "18"), "12": ("18", "6")}
    source, destination = ways.get(sub, ("", "")) if is_transfer else ("", "")
    return {
        "bal": "",
        "balChg": plain(change),
        "billId": str(bill),
        "ccy": ccy,
        "clOrdId": "",
        "execType": "T" if kind == "2" else "",
        "fee": plain(fee),
        "from": source,
        "instId": name(engine.contracts[symbol]) if symbol else "",
        "instType": "SWAP" if symbol else "",
        "interest": "0",
        "mgnMode": "isolated" if symbol else "",
        "notes": "",
        "ordId": "",
        "pnl": plain(pnl),
        "posBal": "",
        "posBalChg": plain(in_position),
        "px": "",
        "subType": sub,
        "sz": plain(size),
        "tag": "",
        "to": destination,
        "ts": str(at_ms),
        "type": kind,
    }
