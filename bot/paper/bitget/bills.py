"""Which lines does the venue write on the account of contracts?

A fill is one line with its result and its fee; the engine writes them as two. What is moved into a
position and out of it has lines too, although the account as a whole does not change.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bot.paper.bitget.listing import COIN
from bot.paper.bitget.shape import plain
from bot.paper.engine import Engine
from bot.paper.values import ZERO, Income

PER_MS = 1_000_000
"""Numbers of lines within a millisecond; those of margin moves lie in the second half."""
CLOSED = {"BUY": "SHORT", "SELL": "LONG"}


def bills_of(engine: Engine) -> list[dict[str, Any]]:
    """Return every line, newest first."""
    found = [row for row in (*_incomes(engine), *_moves(engine)) if row["coin"] == COIN]
    return sorted(found, key=lambda row: int(row["billId"]), reverse=True)


def _incomes(engine: Engine) -> Iterator[dict[str, Any]]:
    lines = list(engine.income)
    for index, line in enumerate(lines):
        before = lines[index - 1] if index else None
        if line.type == "REALIZED_PNL":
            after = lines[index + 1] if index + 1 < len(lines) else None
            if after is not None and _belong(line, after):
                continue  # told with its fee
            yield _line(line, "burst_sell", amount=line.amount)
        elif line.type == "COMMISSION":
            has_result = before is not None and _belong(before, line)
            result = before.amount if has_result and before is not None else ZERO
            yield _line(line, _traded(engine, line), amount=result, fee=line.amount)
        elif line.type == "FUNDING_FEE":
            yield _line(line, "contract_settle_fee", amount=line.amount)
        elif line.type == "TRANSFER":
            comes = line.amount > 0
            yield _line(
                line, "trans_from_exchange" if comes else "trans_to_exchange", amount=line.amount
            )
        else:
            yield _line(line, "risk_captital_user_transfer", amount=line.amount)


def _belong(result: Income, fee: Income) -> bool:
    """Whether two lines are of one fill."""
    return (result.type, fee.type) == ("REALIZED_PNL", "COMMISSION") and (
        result.at_ms,
        result.symbol,
    ) == (fee.at_ms, fee.symbol)


def _traded(engine: Engine, line: Income) -> str:
    """Return the venue's word for the fill whose fee a line is."""
    for trade in engine.trades:
        if (trade.at_ms, trade.symbol, -trade.fee) == (line.at_ms, line.symbol, line.amount):
            if trade.position_side == "BOTH":
                return trade.side.lower()
            does = "close" if CLOSED[trade.side] == trade.position_side else "open"
            return f"{does}_{trade.position_side.lower()}"
    return "unknown"


def _moves(engine: Engine) -> Iterator[dict[str, Any]]:
    for number, move in enumerate(engine.margin_moves):
        yield _row(
            bill=move.at_ms * PER_MS + PER_MS // 2 + number % (PER_MS // 2),
            at_ms=move.at_ms,
            coin=move.asset,
            symbol=move.symbol,
            kind="append_margin" if move.amount > 0 else "reduce_margin",
            amount=move.amount,
        )


def _line(line: Income, kind: str, *, amount: Decimal, fee: Decimal = ZERO) -> dict[str, Any]:
    return _row(
        bill=line.at_ms * PER_MS + line.id % (PER_MS // 2),
        at_ms=line.at_ms,
        coin=line.asset,
        symbol=line.symbol,
        kind=kind,
        amount=amount,
        fee=fee,
    )


def _row(
    *,
    bill: int,
    at_ms: int,
    coin: str,
    symbol: str,
    kind: str,
    amount: Decimal,
    fee: Decimal = ZERO,
) -> dict[str, Any]:
    return {
        "billId": str(bill),
        "symbol": symbol,
        "amount": plain(amount),
        "fee": plain(fee),
        "feeByCoupon": "",
        "businessType": kind,
        "coin": coin,
        "cTime": str(at_ms),
    }
