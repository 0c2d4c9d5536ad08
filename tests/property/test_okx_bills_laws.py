"""Whatever happens, the bills of the paper exchange and the lines made of them add up."""

import contextlib
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ledger import RowKind
from bot.exchanges.okx.ledger import lines_of
from bot.paper.engine import Engine
from bot.paper.fronts import ruled
from bot.paper.okx.bills import bills_of
from bot.paper.values import Ask, Refused
from tests.kit.paper import an_engine

cents = st.integers(1, 500_000).map(lambda n: D(n) / 100)
steps = st.one_of(
    st.tuples(st.sampled_from(["add", "remove", "in", "out"]), cents),
    st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 60).map(D)),
    st.tuples(st.just("funding"), st.just(D(0))),
    st.tuples(st.just("pass"), st.integers(1, 900).map(D)),
)


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


def held(engine: Engine) -> D:
    return engine.cross["USDT"] + sum((h.margin for h in engine.holdings.values()), D(0))


@given(st.lists(steps, max_size=12), st.sampled_from([1.0, 0.8, 1.3]))
def test_lines_sum_to_what_changed_in_wallet_and_margins_and_none_is_twice(
    done: list[tuple[str, D]], factor: float
) -> None:
    engine = ruled("okx", an_engine(points=((0, 1.0), (600, factor)), hours=24))
    engine.hold("SOLUSDT", D(50), leverage=20)
    before = held(engine)
    for what, amount in done:
        taken(engine, what, amount)
    bills = bills_of(engine)
    numbers = [int(bill["billId"]) for bill in bills]
    assert numbers == sorted(set(numbers), reverse=True)
    lines = [
        line
        for bill in bills
        for line in lines_of(bill, {"SOL-USDT-SWAP": "SOL/USDT:USDT"}, has_spot=True)
    ]
    assert len({line.id for line in lines}) == len(lines)
    outside = [line.amount for line in lines if not line.kind.is_margin]
    assert sum(outside, D(0)) == held(engine) - before
    moved = [line.amount for line in lines if line.kind.is_margin]
    assert moved[::-1] == [move.amount for move in engine.margin_moves]
    for line in lines:
        if line.kind in (RowKind.TRANSFER_IN, RowKind.MARGIN_ADDED):
            assert line.amount > 0
        if line.kind in (RowKind.TRANSFER_OUT, RowKind.MARGIN_REMOVED):
            assert line.amount < 0
