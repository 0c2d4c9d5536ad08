"""How long after a position crosses its trigger does the request that protects it leave?

Judged from outside: by the exchange's own liquidation prices, in virtual time, so that the same
seeds give the same figures on every machine.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from urllib.parse import parse_qs

from bot.paper.values import Holding
from bot.settings import Loaded
from bot.simulate.case import STRATEGIES, Case, case_of
from bot.simulate.loop import VirtualLoop
from bot.simulate.network import Sent
from bot.simulate.operations import Operation
from bot.simulate.weather import BANS
from bot.simulate.world import World, live_in

LOOK_EVERY = 0.02
"""[s]"""
LAST = 5.0
"""Breaches so short before the end of the storm are left out: the world may end first. [s]"""
PATHS = ("crash", "wick", "grind", "gap")
TRIGGER = Decimal(STRATEGIES[0]["trigger"])
PROTECTS = frozenset({Operation.ADD, Operation.REDUCE})
LEVERAGE = 12
"""At the start, where no position is below its trigger. [x]"""
FUNDS = Decimal("0.6")
"""Of the notional in the wallet, so that it is speed that is measured and not poverty. [ratio]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaches:
    """What was seen in many worlds.

    Attributes:
        delays: From the breach to the first byte of the request, ordered. [s]
        recovered: Breaches that ended by themselves before a request left.
        unanswered: Breaches that no request has followed when the world ended.
    """

    delays: tuple[float, ...]
    recovered: int
    unanswered: int

    def quantile(self, share: float) -> float:
        """Return the delay that ``share`` of all do not exceed. [s]."""
        return self.delays[min(len(self.delays) - 1, int(len(self.delays) * share))]


def world_of(
    seed: int, *, faults: float, interval: float, without: frozenset[StrEnum] = frozenset()
) -> Case:
    """Return a world in which positions cross their trigger and there is money to act.

    Args:
        seed: Any number.
        faults: Highest rate of a fault class, also of the one a world is about. [ratio]
        interval: Between routine polls. [s]
        without: Faults that are left out.
    """
    base = case_of(seed, faults=faults)
    total = sum((abs(held.notional) for held in base.held), Decimal(0))
    return replace(
        base,
        held=tuple(replace(held, leverage=LEVERAGE) for held in base.held),
        path=random.Random(f"breach {seed}").choice(PATHS),
        futures=total * FUNDS,
        reserves={},
        strategy=STRATEGIES[0],
        interval=interval,
        rates={f: min(rate, faults) for f, rate in base.rates.items() if f not in without},
        crash=0.0,
        disk_fails=(),
        person=(),
        killed_at=None,
        second=None,
    )


def measure(
    seeds: Iterable[int],
    loaded: Loaded,
    *,
    faults: float,
    interval: float,
    without: frozenset[StrEnum] = frozenset(),
) -> Breaches:
    """Return what was seen in the worlds of ``seeds``; arguments as of `world_of`."""
    delays: list[float] = []
    recovered = unanswered = 0
    for seed in seeds:
        case = world_of(seed, faults=faults, interval=interval, without=without)
        loop = VirtualLoop(f"loop {seed}")
        world = World(case, loaded, loop)
        watch = _Watch(world)
        live_in(world, watch.look())
        delays += watch.delays
        recovered += watch.recovered
        unanswered += len(watch.open)
    return Breaches(delays=tuple(sorted(delays)), recovered=recovered, unanswered=unanswered)


NO_BANS = frozenset(BANS)
"""While a ban lasts nothing may be asked, whatever happens to a position."""


class _Watch:
    """Looks at the exchange until the world is over."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._below: set[tuple[str, str]] = set()
        self._seen = 0
        self.open: dict[tuple[str, str], float] = {}
        self.delays: list[float] = []
        self.recovered = 0

    async def look(self) -> None:
        world = self._world
        while not world.is_calm:
            world.advance()
            self._answer(world.network.writes)
            self._cross(world.engine.holdings.values())
            await asyncio.sleep(LOOK_EVERY)
        while not world.is_over and self.open:
            self._answer(world.network.writes)
            self._end(world.engine.holdings.values())
            await asyncio.sleep(LOOK_EVERY)

    def _answer(self, writes: list[Sent]) -> None:
        for sent in writes[self._seen :]:
            if sent.operation in PROTECTS:
                key = _key_of(sent)
                for one in [key] if key in self.open else [k for k in self.open if k[0] == key[0]]:
                    self.delays.append(max(0.0, sent.at - self.open.pop(one)))
        self._seen = len(writes)

    def _cross(self, holdings: Iterable[Holding]) -> None:
        self._end(holdings)
        for holding in holdings:
            key, now = (holding.symbol, holding.side), self._world.loop.time()
            if self._is_below(holding) and key not in self._below:
                self._below.add(key)
                if now < self._world.case.storm - LAST:
                    self.open[key] = now

    def _end(self, holdings: Iterable[Holding]) -> None:
        below = {(h.symbol, h.side) for h in holdings if self._is_below(h)}
        for key in [key for key in self.open if key not in below]:
            del self.open[key]
            self.recovered += 1
        self._below &= below

    def _is_below(self, holding: Holding) -> bool:
        engine = self._world.engine
        mark = engine.quotes[holding.symbol].mark
        gap = (mark - engine.liquidation_price(holding)) / mark
        return (gap if holding.amount > 0 else -gap) < TRIGGER


def _key_of(sent: Sent) -> tuple[str, str]:
    found: Mapping[str, list[str]] = parse_qs(sent.content)
    return found["symbol"][0], found.get("positionSide", ["BOTH"])[0]
