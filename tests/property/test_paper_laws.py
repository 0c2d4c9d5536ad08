from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.margin import isolated
from bot.paper.engine import Engine
from bot.paper.values import Ask, Refused
from tests.kit.paper import START_MS, an_engine

LINEAR = Contract.LINEAR

amounts = st.decimals(min_value="-5", max_value="5000", places=2)
sizes = st.decimals(min_value="-0.002", max_value="0.6", places=3)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("margin"), amounts, st.booleans()),
        st.tuples(st.just("transfer"), amounts, st.booleans()),
        st.tuples(st.just("order"), sizes, st.booleans()),
        st.tuples(st.just("reduce"), sizes, st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 4000), st.booleans()),
    ),
    max_size=25,
)


def total(engine: Engine) -> D:
    """All there is: wallets, margin, money on the way, and what others hold of it."""
    return (
        engine.wallet_balance()
        + engine.spot["USDT"]
        + engine.in_transit()
        + engine.exchange_account["USDT"]
    )


def act(engine: Engine, what: str, value: object, flag: bool) -> None:
    if what == "margin":
        engine.move_margin("BTCUSDT", "BOTH", D(str(value)), add=flag)
    elif what == "transfer":
        route = ("spot", "futures") if flag else ("futures", "spot")
        engine.transfer(*route, "USDT", D(str(value)))  # type: ignore[arg-type]  # two wallets
    elif what == "wait":
        engine.advance(engine.now_ms + int(str(value)) * 1000)
    else:
        engine.place(
            Ask(
                symbol="BTCUSDT",
                side="BUY" if flag else "SELL",
                type="MARKET",
                size=D(str(value)),
                reduce_only=what == "reduce",
            )
        )


@given(operations, st.integers(0, 5), st.sampled_from([0, 60_000]))
def test_collateral_is_conserved_whatever_is_done(
    steps: list[tuple[str, object, bool]], seed: int, delay: int
) -> None:
    engine = an_engine(seed=seed, points=((0, 1.0), (3600, 0.8), (7200, 1.1)), volatility=0.01)
    engine.transfer_delay_ms = delay
    engine.hold("BTCUSDT", D("0.5"), leverage=20)
    before = total(engine)
    for step in steps:
        held = {key: h.amount for key, h in engine.holdings.items()}
        try:
            act(engine, *step)
        except Refused:
            assert held == {key: h.amount for key, h in engine.holdings.items()}
        assert total(engine) == before
        assert engine.spot["USDT"] >= 0
        if step[0] == "reduce":
            for key, amount in held.items():
                now = engine.holdings[key].amount if key in engine.holdings else D(0)
                assert abs(now) <= abs(amount)
                assert now * amount >= 0


@given(
    st.decimals(min_value="0.001", max_value="3", places=3),
    st.booleans(),
    st.integers(2, 50),
    st.decimals(min_value="0", max_value="5000", places=2),
)
def test_the_exchange_and_the_bot_agree_on_the_liquidation_price(
    size: D,
    is_long: bool,
    leverage: int,
    more: D,
) -> None:
    engine = an_engine(futures="1000000")
    engine.hold("BTCUSDT", size if is_long else -size, leverage=leverage)
    if more:
        engine.move_margin("BTCUSDT", "BOTH", more, add=True)
    (holding,) = engine.holdings.values()
    theirs = engine.liquidation_price(holding)
    tiers = tuple(
        MarginTier(
            notional_floor=b.floor,
            maintenance_rate=b.rate,
            maintenance_amount=b.cum,
            max_leverage=D(b.leverage),
        )
        for b in engine.contracts["BTCUSDT"].brackets
    )
    ours = isolated.liquidation_price(
        LINEAR, tiers, size=holding.amount, entry_price=holding.entry, margin=holding.margin
    )
    if ours is None:
        assert theirs <= D("0.1")
    else:
        assert abs(ours - theirs) <= ours * D("1e-9")
    assert engine.now_ms == START_MS
