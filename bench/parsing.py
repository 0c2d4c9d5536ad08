"""How long does reading 500 positions take beside the library's own parser?

The answers are the paper exchange's, in the words of each venue, with a coin of its own in a row.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import ccxt

from bench.measure import Timing, interleaved
from bot.cards.scene import Scene, engine_of
from bot.domain.position import MarginMode
from bot.exchanges.binance import parse as binance
from bot.exchanges.bitget import parse as bitget
from bot.exchanges.bybit import parse as bybit
from bot.exchanges.gate import parse as gate
from bot.exchanges.hyperliquid import parse as hyperliquid
from bot.exchanges.kucoin import parse as kucoin
from bot.exchanges.okx import parse as okx
from bot.paper.binance.shape import position as at_binance
from bot.paper.bitget.shape import position as at_bitget
from bot.paper.bybit.shape import position as at_bybit
from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.gate.shape import position as at_gate
from bot.paper.hyperliquid.room import Room
from bot.paper.hyperliquid.shape import position as at_hyperliquid
from bot.paper.kucoin.shape import position as at_kucoin
from bot.paper.okx.shape import position as at_okx
from bot.paper.values import Holding

POSITIONS, ROUNDS = 500, 40
HELD = ("SOLUSDT", "BOTH")
ONE, TICK = Decimal(1), Decimal("0.01")
CONFIG = binance.Config(mode=MarginMode.ISOLATED, leverage=Decimal(10))
TERMS = bybit.Terms(symbol="C/USDT:USDT", taker_fee=Decimal("0.0006"), is_isolated=True)
COIN = hyperliquid.Coin(name="C", asset=0, places=2, tiers=(), is_over=False)
"""What a bot has of each symbol is the same for all here: it is looked up, not worked out."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One venue.

    Attributes:
        library: Class of ccxt.
        row: Of one position, as the paper exchange writes it.
        field: Which has the venue's name of its symbol.
        name: Of a coin's contract, with ``{}`` for the coin.
        ours: Reads a row, given the unified name.
    """

    library: str
    row: Callable[[Engine, Holding], Row]
    field: str
    name: str
    ours: Callable[[Row, str], object]


SIDES = {
    "Binance": Side(
        library="binanceusdm", row=at_binance, field="symbol", name="{}USDT",
        ours=lambda row, symbol: binance.position(row, symbol, CONFIG),
    ),
    "Bybit": Side(
        library="bybit", row=at_bybit, field="symbol", name="{}USDT",
        ours=lambda row, _: bybit.position(row, TERMS),
    ),
    "OKX": Side(
        library="okx", row=at_okx, field="instId", name="{}-USDT-SWAP",
        ours=partial(okx.position, coins=ONE, tick=TICK, is_planned=True),
    ),
    "Gate": Side(
        library="gate", row=at_gate, field="contract", name="{}_USDT",
        ours=partial(gate.position, coins=ONE),
    ),
    "KuCoin": Side(
        library="kucoinfutures", row=partial(at_kucoin, adds_margin=False), field="symbol",
        name="{}USDTM", ours=partial(kucoin.position, coins=ONE),
    ),
    "Bitget": Side(
        library="bitget", row=at_bitget, field="symbol", name="{}USDT",
        ours=partial(bitget.position, is_planned=True),
    ),
    "Hyperliquid": Side(
        library="hyperliquid",
        row=lambda engine, held: at_hyperliquid(Room(engine=engine, keys=Keys()), held),
        field="coin", name="{}",
        ours=lambda row, _: hyperliquid.held(row["position"], COIN),
    ),
}  # fmt: skip


def answer(side: Side) -> str:
    """Return 500 rows as a venue sends them."""
    engine = engine_of(Scene(), lambda _: None)
    one = side.row(engine, engine.holdings[HELD])
    found = []
    for number in range(POSITIONS):
        row = json.loads(json.dumps(one))
        (row if side.field in row else row["position"])[side.field] = side.name.format(f"C{number}")
        found.append(row)
    # KuCoin writes numbers without quotes; its desk marks them, and takes the marks off at the end.
    return re.sub(r'"#([^"]*)#"', r"\1", json.dumps(found))


def library_of(side: Side) -> Any:
    """Return the library's client, which knows the markets and has brackets to look through."""
    api = getattr(ccxt, side.library)({"number": str})
    quote = "USDC" if side.library == "hyperliquid" else "USDT"
    listed = [
        api.safe_market_structure(
            {
                "id": side.name.format(f"C{number}"), "symbol": f"C{number}/{quote}:{quote}",
                "base": f"C{number}", "baseName": f"C{number}", "quote": quote, "settle": quote,
                "type": "swap", "swap": True, "spot": False, "future": False, "option": False,
                "contract": True, "linear": True, "inverse": False, "contractSize": "1",
                "active": True, "precision": {"amount": "0.1", "price": "0.01"},
            }
        )
        for number in range(POSITIONS)
    ]  # fmt: skip
    api.set_markets(listed)
    steps = [[str(10**step), "0.01"] for step in range(10)]
    api.options["leverageBrackets"] = dict.fromkeys(api.symbols, steps)
    return api


def timed(side: Side) -> dict[str, Timing]:
    """Return both sides of a venue, from the text of the answer to values."""
    text, api = answer(side), library_of(side)
    theirs = api.parse_position_risk if side.library == "binanceusdm" else api.parse_position
    names = {side.name.format(f"C{n}"): f"C{n}/USDT:USDT" for n in range(POSITIONS)}

    def library() -> object:
        return [theirs(row) for row in json.loads(text, parse_float=str)]

    def ours() -> object:
        found = json.loads(text, parse_float=str, parse_constant=str)
        return [
            side.ours(row, names[(row if side.field in row else row["position"])[side.field]])
            for row in found
        ]

    return interleaved({"ccxt": library, "ours": ours}, rounds=ROUNDS)


def run() -> dict[str, Any]:
    """Return both sides of each venue."""
    table: dict[str, Any] = {}
    for venue, side in SIDES.items():
        found = timed(side)
        ours, theirs = found["ours"], found["ccxt"]
        table |= {
            f"{venue}, ccxt [ms]": asdict(theirs),
            f"{venue}, ours [ms]": asdict(ours),
            f"{venue}, ours over ccxt's": {
                "median [ms]": ours.median - theirs.median, "ratio": ours.median / theirs.median
            },
        }  # fmt: skip
    return {
        "what": f"{POSITIONS} positions from text to values",
        "aim": "<= 15 ms over ccxt's own",
        "rows": table,
    }
