"""What happens to machine, account and market while a write is under way?"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.paper.desk import Keys
from bot.simulate.operations import Local, Market
from bot.simulate.process import Process

if TYPE_CHECKING:
    from bot.simulate.world import World

FROZEN = 60.0
"""SIGSTOP until SIGCONT. [s]"""
FOR_A_WHILE = 5.0
"""Until the venue shows true marks and takes the key again. [s]"""
NOT_HERE = frozenset({
    Local.CORRUPT, Local.BROKER, Local.RELOAD, Local.STDOUT, Local.SECRET, Market.DEPEG,
})  # fmt: skip
"""Events that do not reach a write through this channel; other tests are about them."""


def happen(event: Local | Market, world: "World", process: Process) -> None:
    """Let an event happen now, as a write of a process is about to leave.

    Raises:
        KeyError: It does not happen on this channel.
    """
    if event is Local.SIGSTOP:
        process.freeze(FROZEN)
    elif event is Local.SECOND:
        world.succeed(process)
    else:
        EVENTS[event](world)


def heal(world: "World") -> None:
    """End whatever lasts."""
    world.network.marks = str
    world.network.desk.keys = Keys()
    world.feed.halt(halted=False)


def _kill(world: "World") -> None:
    if world.process is not None:
        delay = world.chance.uniform(0.0, 0.3)
        world.loop.call_later(delay, world.process.kill, "killed from outside")


def _stop(world: "World") -> None:
    if world.running is not None:
        world.running.stop()


def _fill_disk(world: "World") -> None:
    world.disk.fails_at.add(world.disk.commits)


def _make_read_only(world: "World") -> None:
    world.disk.fails_at.update(range(world.disk.commits, world.disk.commits + 20))


def _lock(world: "World") -> None:
    world.is_locked = True


def _set_clock(world: "World") -> None:
    world.machine.skew += world.chance.choice((-3600.0, 3600.0))


def _revoke_key(world: "World") -> None:
    world.network.desk.keys = Keys(is_valid=False)
    world.loop.call_later(FOR_A_WHILE, setattr, world.network.desk, "keys", Keys())


def _adverse(world: "World") -> int:
    """Return the power by which a falling price hurts: 1 for a long, -1 for a short."""
    held = list(world.engine.holdings.values())
    return 1 if not held or held[0].amount > 0 else -1


def _gap(world: "World") -> None:
    world.feed.shock(0.8 ** _adverse(world))


def _liquidate(world: "World") -> None:
    world.feed.shock(0.6 ** _adverse(world))


def _split(world: "World") -> None:
    _show(world, Decimal("1.05"))


def _zero(world: "World") -> None:
    _show(world, Decimal(0))


def _change_tiers(world: "World") -> None:
    contracts = world.engine.contracts
    for symbol, contract in contracts.items():
        steeper = tuple(replace(b, rate=b.rate * 2, cum=b.cum * 2) for b in contract.brackets)
        contracts[symbol] = replace(contract, brackets=steeper)


def _halt(world: "World") -> None:
    world.feed.halt(halted=True)


def _deleverage(world: "World") -> None:
    engine = world.engine
    for holding in list(engine.holdings.values()):
        lot = engine.contracts[holding.symbol].lot
        half = (abs(holding.amount) / 2 / lot).to_integral_value() * lot
        if half:
            engine.deleverage(holding.symbol, holding.side, half)


def _pay_funding(world: "World") -> None:
    world.engine.pay_funding()


def _person(world: "World") -> None:
    world.person_moves(Decimal(world.chance.randrange(2, 20)))


EVENTS: dict[Local | Market, Callable[["World"], None]] = {
    Local.SIGKILL: _kill,
    Local.MEMORY: _kill,
    Local.SIGTERM: _stop,
    Local.DISK_FULL: _fill_disk,
    Local.READ_ONLY: _make_read_only,
    Local.LOCKED: _lock,
    Local.CLOCK: _set_clock,
    Local.KEY: _revoke_key,
    Market.GAP: _gap,
    Market.LIQUIDATION: _liquidate,
    Market.SPLIT: _split,
    Market.ZERO: _zero,
    Market.TIERS: _change_tiers,
    Market.DELIST: _halt,
    Market.ADL: _deleverage,
    Market.FUNDING: _pay_funding,
    Market.HUMAN: _person,
}


def _show(world: "World", factor: Decimal) -> None:
    world.network.marks = lambda text: _scaled(text, factor)
    world.loop.call_later(FOR_A_WHILE, setattr, world.network, "marks", str)


def _scaled(text: str, factor: Decimal) -> str:
    before, mark, after = text.partition('"markPrice": "')
    price, quote, rest = after.partition('"')
    return f"{before}{mark}{format(Decimal(price) * factor, 'f')}{quote}{rest}" if mark else text
