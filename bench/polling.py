"""How much does the bot add to the bare ccxt calls of one poll?"""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from bench.measure import timing
from bot import bootstrap
from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.lease import Claim
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.connect import connect
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.gateway import GatewaySettings
from bot.execute.fingerprint import Fingerprints
from bot.journal.authority import LeaseKeeper
from bot.journal.opened import Opened
from bot.journal.sqlite import SqliteJournal
from bot.loop import Identity, Ids, Loop
from bot.paper.fronts import served
from bot.paper.pace import Stepped
from bot.paper.scenario import build, load
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory
from bot.schemas import encode
from bot.settings import load as load_settings
from bot.simulate.machine import Board
from bot.simulate.process import Process

ROUNDS = 300


def run() -> dict[str, Any]:
    """Return bare calls, whole polls and the bot's own share, in turn in one run."""
    return asyncio.run(_run())


async def _run() -> dict[str, Any]:
    scenario = load(Path("config/scenarios/calm.toml"))
    engine = build(scenario)
    pace = Stepped(engine, speed=1e6)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with served("binanceusdm", engine, pace, folder=folder) as server:
            settings = ConnectionSettings(
                account="main",
                venue="binanceusdm",
                api_key=server.desk.keys.key,
                secret=server.desk.keys.secret,
                symbols=("BTC/USDT:USDT", "ETH/USDT:USDT"),
                wallets=("futures", "spot"),
                gateway=GatewaySettings(address=server.address, ca_file=server.ca_file),
            )
            venue = await connect(settings, VenueClock(pace), rng=SeededRng("bench"))
            claim = Claim(holder="bench", name="bench", at=pace.now())
            opened = Opened.open(folder / "journal.sqlite")
            async with SqliteJournal.begin(opened, claim) as journal:
                poll = _loop(venue, journal, pace).poll
                taken = await _in_turn(
                    {"bare": lambda: _bare(venue), "poll": poll}, rest=lambda: pace.sleep(5)
                )
            await venue.close()
    bare, whole = timing(taken["bare"]), timing(taken["poll"])
    own = timing([w - b for w, b in zip(taken["poll"], taken["bare"], strict=True)])
    return {
        "what": "one poll beside the same ccxt calls made bare",
        "aim": "ratio <= 1.3",
        "rows": {
            "bare ccxt calls [ms]": asdict(bare),
            "whole poll, journalled [ms]": asdict(whole),
            "the bot's own share [ms]": asdict(own),
            "ratio of medians": {"ratio": whole.median / bare.median},
        },
    }


def _loop(venue: BinanceVenue, journal: SqliteJournal, pace: Stepped) -> Loop:
    loaded = load_settings([Path("config/paper.toml")], environ={})
    policy, strategy = (
        bootstrap.policy_of(loaded.settings),
        bootstrap.strategy_of(loaded.settings).strategy,
    )
    switches = Board()
    process = Process("bench", machine="bench", chance=random.Random(0), crash=0.0)  # noqa: S311 - it never crashes
    return Loop(
        venue=venue,
        journal=journal,
        clock=pace,
        sinks=[],
        choose=strategy.choose,
        policy=policy,
        identity=Identity(account="main", config_hash=loaded.hash, strategy="x:Y"),
        ids=Ids(decision=journal.ids.decision, intent=journal.ids.intent),
        fingerprints=Fingerprints(step=Decimal("0.00001"), epoch=1),
        switchboard=switches,
        watchdog=process,
        authority=LeaseKeeper(journal, pace, is_shared=False),
        encode=lambda observation, memory: encode(
            Inputs(observation=observation, memory=memory, policy=policy, strategy="x:Y")
        ),
        clean=lambda record: record,
        memory=Memory(),
    )


async def _bare(venue: BinanceVenue) -> None:
    """Make the calls of one poll with ccxt alone: the same two rounds, nothing parsed."""
    api = venue._client.api  # noqa: SLF001 - the same client, so that only our work differs
    read = venue._client.read  # noqa: SLF001 - as above
    await asyncio.gather(
        read(api.fapiPrivateV3GetPositionRisk, {}),
        read(api.fapiPrivateV3GetAccount, {}),
        read(api.sapiV3PostAssetGetUserAsset, {}),
        read(api.fapiPublicGetPremiumIndex, {"symbol": "BTCUSDT"}),
        read(api.fapiPublicGetPremiumIndex, {"symbol": "ETHUSDT"}),
    )
    await asyncio.gather(
        read(api.fapiPublicGetDepth, {"symbol": "BTCUSDT", "limit": 50}),
        read(api.fapiPublicGetDepth, {"symbol": "ETHUSDT", "limit": 50}),
    )


async def _in_turn(
    sides: dict[str, Callable[[], Awaitable[object]]], *, rest: Callable[[], Awaitable[None]]
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in count():
        for name, call in sides.items():
            began = time.perf_counter()
            await call()
            if number >= 10:  # noqa: PLR2004 - warm up first
                taken[name].append((time.perf_counter() - began) * 1000)
            await rest()  # market time passes, or the venue's weight budget would end the run
        if number >= ROUNDS:
            return taken
    return taken
