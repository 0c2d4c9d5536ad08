"""How long does reading 500 positions take beside the library's own parser?"""

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import ccxt

from bench.measure import interleaved
from bot.domain.position import MarginMode
from bot.exchanges.binance import parse
from bot.exchanges.numbers import number, rows

POSITIONS, ROUNDS = 500, 60


def binance_answer() -> str:
    """Return an answer of ``v3/positionRisk`` as Binance sends it."""
    return json.dumps(
        [
            {
                "symbol": f"C{number}USDT", "positionSide": "BOTH", "positionAmt": "12.345",
                "entryPrice": f"{100 + number}.12000000", "breakEvenPrice": f"{100 + number}.15",
                "markPrice": f"{101 + number}.34000000", "unRealizedProfit": "15.06090000",
                "liquidationPrice": f"{80 + number}.41927111", "isolatedMargin": "315.06090000",
                "notional": "1251.04230000", "marginAsset": "USDT", "isolatedWallet": "300",
                "initialMargin": "125.10423000", "maintMargin": "5.00416920",
                "positionInitialMargin": "125.10423000", "openOrderInitialMargin": "0", "adl": 2,
                "bidNotional": "0", "askNotional": "0", "updateTime": 1_700_000_000_000,
            }
            for number in range(POSITIONS)
        ]
    )  # fmt: skip


def binance_library() -> Any:
    """Return the library's client, which knows the markets and has brackets to look through."""
    api = ccxt.binanceusdm({"number": str})
    market = {
        "contractType": "PERPETUAL", "quoteAsset": "USDT", "marginAsset": "USDT",
        "status": "TRADING", "filters": [],
    }  # fmt: skip
    listed = [
        market | {"symbol": f"C{number}USDT", "pair": f"C{number}USDT", "baseAsset": f"C{number}"}
        for number in range(POSITIONS)
    ]
    api.set_markets([api.parse_market(row) for row in listed])
    steps = [[str(10**step), "0.01"] for step in range(10)]
    api.options["leverageBrackets"] = dict.fromkeys(api.symbols, steps)
    return api


def run() -> dict[str, Any]:
    """Return both sides of each venue, from the text of the answer to values."""
    text, api = binance_answer(), binance_library()
    names = {f"C{number}USDT": f"C{number}/USDT:USDT" for number in range(POSITIONS)}
    config = parse.Config(mode=MarginMode.ISOLATED, leverage=Decimal(10))

    def library() -> object:
        found = json.loads(text, parse_float=str)
        return [api.parse_position_risk(row) for row in found]

    def ours() -> object:
        found = json.loads(text, parse_float=str, parse_constant=str)
        held = [row for row in rows(found, "positions") if number(row, "positionAmt") != 0]
        return [parse.position(row, names[row["symbol"]], config) for row in held]

    found = interleaved({"ccxt": library, "ours": ours}, rounds=ROUNDS)
    more = found["ours"].median - found["ccxt"].median
    return {
        "what": f"{POSITIONS} positions from text to values",
        "aim": "<= 15 ms over ccxt's own",
        "rows": {
            "Binance, ccxt [ms]": asdict(found["ccxt"]),
            "Binance, ours [ms]": asdict(found["ours"]),
            "Binance, ours over ccxt's": {
                "median [ms]": more, "ratio": found["ours"].median / found["ccxt"].median
            },
        },
    }  # fmt: skip
