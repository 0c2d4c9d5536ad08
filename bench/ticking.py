"""How long does it take to see whether one mark of a stream is a reason to look?"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson

from bench.deciding import book
from bench.measure import interleaved
from bot.rebalance.decide import decide
from bot.rebalance.lines import Lines, lines
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy
from strategies.liquidation_buffer import LiquidationBuffer
from strategies.liquidation_buffer import Settings as BufferSettings

SYMBOLS, ACCOUNTS, ROUNDS, BATCH = 100, 10, 300, 1000
"""Positions are symbols times accounts; one round is a batch of ticks."""


def watched() -> dict[str, Lines]:
    """Return the lines of every position of all accounts, joined by symbol."""
    strategy = LiquidationBuffer(
        BufferSettings(
            emergency=Decimal("0.03"),
            trigger=Decimal("0.06"),
            target=Decimal("0.08"),
            give_back=Decimal("0.10"),
        )
    )
    joined: dict[str, Lines] = {}
    for number in range(ACCOUNTS):
        seen = book(SYMBOLS, share=str(Decimal("0.10") + Decimal(number) / 1000))
        decision = decide(seen, Memory(), Policy(), choose=strategy.choose)
        for symbol, found in lines(decision).items():
            known = joined.get(symbol, Lines())
            joined[symbol] = replace(
                known, low=max(known.low, found.low), high=min(known.high, found.high)
            )
    return joined


def run() -> dict[str, Any]:
    """Return both sides in nanoseconds a tick: reading the message, and looking for a crossing."""
    table = watched()
    names = {symbol.replace("/USDT:USDT", "USDT"): symbol for symbol in table}
    messages = [
        orjson.dumps(
            {
                "e": "markPriceUpdate", "E": 1_700_000_000_000 + number, "s": name,
                "p": "100.00000000", "i": "100.01000000", "P": "99.98000000",
                "r": "0.00010000", "T": 1_700_006_400_000,
            }
        )
        for number, name in enumerate(sorted(names))
    ]  # fmt: skip
    wire = [messages[number % len(messages)] for number in range(BATCH)]
    ticks = [orjson.loads(message) for message in wire]

    def read() -> None:
        for message in wire:
            orjson.loads(message)

    def look() -> None:
        for tick in ticks:
            if table[names[tick["s"]]].is_crossed(Decimal(tick["p"])):
                raise RuntimeError("no mark of this bench crosses a line")

    found = interleaved({"read": read, "look": look}, rounds=ROUNDS)
    rows: dict[str, Any] = {
        name: {
            "min_ns": timing.minimum * 1e6 / BATCH,
            "median_ns": timing.median * 1e6 / BATCH,
        }
        for name, timing in found.items()
    }
    rows["look over read"] = {
        "min": found["look"].minimum / found["read"].minimum,
        "median": found["look"].median / found["read"].median,
    }
    return {
        "what": f"one mark against {SYMBOLS * ACCOUNTS} positions over {SYMBOLS} symbols",
        "aim": "<= 8 times the decoding of its message, and <= 5 us",
        "rows": rows,
    }
