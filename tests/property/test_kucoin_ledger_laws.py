"""Whatever happens and whenever it is read, the lines of KuCoin add up to what changed."""

import asyncio
import contextlib
from datetime import timedelta
from decimal import Decimal as D

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ledger import LedgerRow, RowKind
from bot.paper.engine import Engine
from bot.paper.values import Ask, Refused
from tests.kit.bad_answers import Ground, World, a_new_world
from tests.kit.paper import START, an_engine

cents = st.integers(1, 500_000).map(lambda n: D(n) / 100)
steps = st.one_of(
    st.tuples(st.sampled_from(["add", "remove", "in", "out"]), cents),
    st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 60).map(D)),
    st.tuples(st.just("funding"), st.just(D(0))),
    st.tuples(st.just("pass"), st.sampled_from([1, 900, 9_000]).map(D)),
    st.tuples(st.just("read"), st.just(D(0))),
)


def holding() -> Engine:
    engine = an_engine(symbols=("SOLUSDT",), hours=24)
    engine.hold("SOLUSDT", D(50), leverage=20)
    return engine


GROUND = Ground(venue="kucoinfutures", engine=holding, symbols=("SOL/USDT:USDT",), bars=24)


def taken(engine: Engine, what: str, amount: D) -> None:
    """Do one thing, if the exchange does it."""
    with contextlib.suppress(Refused):
        match what:
            case "add" | "remove":
                engine.move_margin("SOLUSDT", "BOTH", amount, add=what == "add")
            case "in":
                engine.transfer("spot", "futures", "USDT", amount)
            case "out":
                engine.transfer("futures", "spot", "USDT", amount)
            case "buy" | "sell":
                engine.place(Ask(symbol="SOLUSDT", side=what.upper(), type="MARKET", size=amount))
            case "funding":
                engine.pay_funding()
            case "pass":
                engine.advance(engine.now_ms + int(amount) * 1000)


async def lines(world: World, done: list[tuple[str, D]]) -> list[LedgerRow]:
    """Return the lines that readings between the steps brought, each once."""
    venue = world.venue()
    await venue.start()
    await venue.rows(START - timedelta(seconds=60))
    found: dict[str, LedgerRow] = {}
    read_at = world.pace.now()
    for what, amount in [*done, ("read", D(0))]:
        if what != "read":
            taken(world.engine, what, amount)
            continue
        since, read_at = read_at - timedelta(seconds=60), world.pace.now()
        rows = await venue.rows(since)
        assert all(row.at >= since for row in rows)
        found |= {row.id: row for row in rows}
    return list(found.values())


@settings(max_examples=25)
@given(st.lists(steps, max_size=14))
def test_lines_sum_to_what_changed_in_wallet_and_margins_and_none_is_twice(
    done: list[tuple[str, D]],
) -> None:
    world = a_new_world(GROUND)
    before = world.engine.wallet_balance()
    found = asyncio.run(lines(world, done))
    assert sum((row.amount for row in found), D(0)) == world.engine.wallet_balance() - before
    moves = [row.amount for row in found if row.kind.is_transfer]
    booked = [line.amount for line in world.engine.income if line.type == "TRANSFER"]
    assert sorted(moves) == sorted(booked)
    paid = sum((row.amount for row in found if row.kind is RowKind.FUNDING), D(0))
    assert paid == sum(line.amount for line in world.engine.income if line.type == "FUNDING_FEE")
