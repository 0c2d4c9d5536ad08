from dataclasses import replace
from decimal import Decimal as D
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.instrument import Contract as BotKind
from bot.domain.instrument import MarginTier
from bot.margin import legs
from bot.paper.engine import Engine
from bot.paper.instruments import CONTRACTS
from bot.paper.values import Ask, Bracket, Contract, Holding, Kind, Refused
from tests.kit.coins import ASSETS, FUNDING, a_coin_engine, a_written_engine, excess

CENT = D("0.00000001")
INVERSE = "BTCUSD_PERP"
SYMBOLS = ("BTCUSDT", "BTCUSDC", "BTCUSD_PERP", "ETHUSD_PERP")
TRADED = {"BTCUSDT": D("0.2"), "BTCUSDC": D("0.1"), "BTCUSD_PERP": D(8000), "ETHUSD_PERP": D(9000)}
LADDER = tuple(
    D(text)
    for text in ("31250", "32000", "40000", "50000", "51200", "62500", "64000", "78125", "80000")
)
"""Prices whose reciprocals end, so that a contract and its mirror agree to the last digit."""

prices = st.decimals(min_value="30000", max_value="120000", places=1)
contracts_held = st.integers(1, 9000)
what = st.sampled_from(
    ["margin", "transfer", "order", "reduce", "limit", "stop", "wait", "fund", "deleverage"]
)
step = st.tuples(
    what,
    st.sampled_from(SYMBOLS),
    st.sampled_from(ASSETS),
    st.decimals(min_value="-0.01", max_value="1.5", places=4),
    st.booleans(),
)


def totals(engine: Engine) -> dict[str, D]:
    """All there is of each asset: wallets, margin, what is on its way, what others hold of it."""
    return {
        asset: engine.wallet_balance(asset)
        + engine.spot[asset]
        + engine.in_transit(asset)
        + engine.exchange_account[asset]
        for asset in ASSETS
    }


def act(engine: Engine, kind: str, symbol: str, asset: str, share: D, flag: bool) -> None:
    contract, side = engine.contracts[symbol], "BOTH"
    if engine.hedge_mode:
        side = "LONG" if share > D("0.3") else "SHORT"
    size = (TRADED[symbol] * share // contract.lot) * contract.lot
    away = D("0.99") if flag else D("1.01")
    price = (engine.quotes[symbol].mark * away // contract.tick) * contract.tick
    if kind == "margin":
        amount = (engine.cross[contract.asset] * share / 4).quantize(CENT)
        engine.move_margin(symbol, side, amount, add=flag)
    elif kind == "transfer":
        source = engine.spot if flag else engine.cross
        route = ("spot", "futures") if flag else ("futures", "spot")
        engine.transfer(*route, asset, (source[asset] * share).quantize(CENT))  # type: ignore[arg-type]  # two wallets
    elif kind == "wait":
        engine.advance(engine.now_ms + int(share * 1000) * 1000)
    elif kind == "fund":
        engine.pay_funding()
    elif kind == "deleverage":
        holding = engine.holdings.get((symbol, side))
        if holding is not None and 0 < size <= abs(holding.amount):
            engine.deleverage(symbol, side, size)
    else:
        types = {"limit": "LIMIT", "stop": "STOP_MARKET"}
        engine.place(
            Ask(
                symbol=symbol,
                side="BUY" if flag else "SELL",
                type=types.get(kind, "MARKET"),
                size=size,
                position_side=side,
                price=price if kind == "limit" else D(0),
                stop=price if kind == "stop" else D(0),
                reduce_only=kind == "reduce" and not engine.hedge_mode,
                on_mark=kind == "stop",
            )
        )


@given(
    st.lists(step, max_size=20),
    st.integers(0, 5),
    st.sampled_from([0, 60_000]),
    st.sets(st.sampled_from(SYMBOLS)),
    st.booleans(),
)
def test_every_asset_is_conserved_and_its_ledger_adds_up_whatever_is_done(
    steps: list[tuple[str, str, str, D, bool]],
    seed: int,
    delay: int,
    isolated: set[str],
    hedge: bool,
) -> None:
    falls = ((0, 1.0), (1200, 0.8), (3600, 1.3))
    engine = a_coin_engine(seed=seed, points=falls, volatility=0.01)
    engine.transfer_delay_ms, engine.hedge_mode = delay, hedge
    for symbol in SYMBOLS:
        engine.hold(symbol, TRADED[symbol], leverage=20, isolated=symbol in isolated)
    before, wallets = totals(engine), {a: engine.wallet_balance(a) for a in ASSETS}
    for kind, symbol, asset, share, flag in steps:
        seen = {a: engine.wallet_balance(a) for a in ASSETS}
        held = {key: h.amount for key, h in engine.holdings.items()}
        try:
            act(engine, kind, symbol, asset, share, flag)
        except Refused:
            assert held == {key: h.amount for key, h in engine.holdings.items()}
            assert seen == {a: engine.wallet_balance(a) for a in ASSETS}
        assert totals(engine) == before
        touched = asset if kind == "transfer" else engine.contracts[symbol].asset
        for other in set(ASSETS) - {touched}:
            if kind not in ("wait", "fund"):
                assert engine.wallet_balance(other) == seen[other]
    for asset in ASSETS:
        booked = sum((line.amount for line in engine.income if line.asset == asset), D(0))
        assert engine.wallet_balance(asset) == wallets[asset] + booked


def opened(
    engine: Engine, symbol: str, count: int, *, is_long: bool, leverage: int, isolated: bool
) -> Holding:
    """Open a number of contracts, or of lots of a linear one, with money enough."""
    size = engine.contracts[symbol].lot * count
    engine.hold(symbol, size if is_long else -size, leverage=leverage, isolated=isolated)
    return next(h for h in engine.holdings.values() if h.symbol == symbol)


@given(
    st.lists(prices, min_size=2, max_size=8),
    contracts_held,
    st.booleans(),
    st.booleans(),
    st.integers(5, 40),
)
def test_a_coin_position_is_taken_over_in_the_first_second_its_equity_is_not_above_maintenance(
    marks: list[D], count: int, is_long: bool, isolated: bool, leverage: int
) -> None:
    engine = a_written_engine({INVERSE: marks}, money={"BTC": "1000"})
    holding = opened(engine, INVERSE, count, is_long=is_long, leverage=leverage, isolated=isolated)
    if not isolated:
        engine.cross["BTC"] = engine.initial(holding).quantize(CENT)
    contract = engine.contracts[INVERSE]
    for mark in marks[1:]:
        wallet = D(0) if isolated else engine.cross["BTC"]
        due = excess(contract, [holding], wallet, mark) <= 0
        engine.advance(engine.now_ms + 1000)
        assert bool(engine.liquidations) == due
        if due:
            left = list(engine.holdings.values())
            assert all(excess(contract, [h], D(0), mark) > 0 for h in left)
            assert isolated or not left
            return


@given(
    contracts_held,
    prices,
    st.booleans(),
    st.booleans(),
    st.integers(1, 100),
    st.decimals(min_value="0", max_value="3", places=3),
)
def test_the_price_that_is_shown_is_where_equity_meets_maintenance(
    count: int, mark: D, is_long: bool, isolated: bool, leverage: int, more: D
) -> None:
    engine = a_written_engine({INVERSE: [mark]}, money={"BTC": "1000"})
    holding = opened(engine, INVERSE, count, is_long=is_long, leverage=leverage, isolated=isolated)
    if isolated and more:
        engine.move_margin(INVERSE, "BOTH", more, add=True)
    if not isolated:
        engine.cross["BTC"] = engine.initial(holding).quantize(CENT) + more
    contract, wallet = engine.contracts[INVERSE], D(0) if isolated else engine.cross["BTC"]
    shown = engine.liquidation_price(holding)
    tiers = tuple(
        MarginTier(
            notional_floor=b.floor,
            maintenance_rate=b.rate,
            maintenance_amount=b.cum,
            max_leverage=D(b.leverage),
        )
        for b in contract.brackets
    )
    leg = legs.Leg(size=holding.amount, entry_price=holding.entry, tiers=tiers)
    ours = legs.span(
        legs.Book(contract=BotKind.INVERSE, margin=holding.margin + wallet, legs=(leg,)),
        mark_price=mark,
    )
    if shown == 0:
        far = mark / 10**6 if is_long else mark * 10**6
        assert excess(contract, [holding], wallet, far) > 0
        return
    inside = shown * (1 + D("1e-9") * (1 if is_long else -1))
    outside = shown * (1 - D("1e-9") * (1 if is_long else -1))
    assert excess(contract, [holding], wallet, inside) > 0
    assert excess(contract, [holding], wallet, outside) < 0
    bound = ours.below if is_long else ours.above
    assert abs(bound - shown) <= bound * D("1e-9")


@given(
    st.sampled_from(["BTCUSDT", INVERSE]),
    st.lists(prices, min_size=2, max_size=6),
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    st.decimals(min_value="0.001", max_value="1.5", places=3),
)
@example("BTCUSDT", [D(60000), D(60000)], (1000, 500), D("0.001"))
@example("BTCUSDT", [D(60000), D(120000)], (1000, 999), D("0.02"))
@example(INVERSE, [D(60000), D(30000)], (1000, 1001), D("0.02"))
def test_both_sides_of_a_cross_hedge_show_the_one_price_at_which_they_are_taken_over(
    symbol: str, marks: list[D], counts: tuple[int, int], share: D
) -> None:
    engine = a_written_engine({symbol: marks}, money={"BTC": "1000", "USDT": "1000000000"})
    contract, engine.hedge_mode = engine.contracts[symbol], True
    for count, sign in zip(counts, (1, -1), strict=True):
        engine.hold(symbol, contract.lot * count * sign, leverage=10, isolated=False)
    pair = list(engine.holdings.values())
    worth = contract.worth(sum((abs(h.amount) for h in pair), D(0)), marks[0])
    wallet = engine.cross[contract.asset] = (worth * share).quantize(CENT)
    shown = {engine.liquidation_price(holding) for holding in pair}
    assert len(shown) == 1
    (price,) = shown
    if excess(contract, pair, wallet, marks[0]) <= 0:
        assert price == marks[0]
    elif price == 0:
        for far in (marks[0] / 10**6, marks[0] * 10**6):
            assert excess(contract, pair, wallet, far) > 0
    else:
        beyond = 1 if price > marks[0] else -1
        assert excess(contract, pair, wallet, price * (1 - beyond * D("1e-9"))) > 0
        assert excess(contract, pair, wallet, price * (1 + beyond * D("1e-9"))) < 0
    for mark in marks[1:]:
        due = excess(contract, pair, wallet, mark) <= 0
        engine.advance(engine.now_ms + 1000)
        assert bool(engine.liquidations) == due
        if due:
            assert engine.holdings == {}
            return


def the_mirror(contract: Contract) -> Contract:
    """The linear contract whose price is one over that of an inverse one."""
    return replace(contract, id="MIRROR", kind=Kind.LINEAR)


@given(
    st.lists(st.sampled_from(LADDER), min_size=2, max_size=6),
    st.sampled_from([500, 2000, 8000]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([5, 10, 20]),
)
def test_a_coin_long_is_a_linear_short_in_one_over_the_price(
    marks: list[D], count: int, is_long: bool, isolated: bool, leverage: int
) -> None:
    contract = CONTRACTS[INVERSE]
    listed = {INVERSE: contract, "MIRROR": the_mirror(contract)}
    money = {"BTC": "1000"}
    coin = a_written_engine({INVERSE: marks}, contracts=listed, money=money)
    # Where one pays funding the other gets it, so the rate is mirrored too.
    mirror = a_written_engine(
        {"MIRROR": [1 / mark for mark in marks]}, contracts=listed, money=money, funding=-FUNDING
    )
    pair = (
        opened(coin, INVERSE, count, is_long=is_long, leverage=leverage, isolated=isolated),
        opened(mirror, "MIRROR", count, is_long=not is_long, leverage=leverage, isolated=isolated),
    )
    if not isolated:
        coin.cross["BTC"] = mirror.cross["BTC"] = coin.initial(pair[0]).quantize(CENT)
    for _ in marks[1:]:
        shown = coin.liquidation_price(pair[0]), mirror.liquidation_price(pair[1])
        assert (shown[0] == 0) == (shown[1] == 0)
        assert shown[0] == 0 or abs(shown[0] * shown[1] - 1) < D("1e-20")
        for engine in (coin, mirror):
            engine.pay_funding()
            engine.advance(engine.now_ms + 1000)
        assert coin.cross == mirror.cross
        assert [line.amount for line in coin.income] == [line.amount for line in mirror.income]
        taken = [[(i.loss, abs(i.size)) for i in e.liquidations] for e in (coin, mirror)]
        assert taken[0] == taken[1]
        assert [h.margin for h in coin.holdings.values()] == [
            h.margin for h in mirror.holdings.values()
        ]
        if not coin.holdings:
            return
        assert coin.profit(pair[0]) == mirror.profit(pair[1])
        assert coin.maintenance(pair[0]) == mirror.maintenance(pair[1])
        assert coin.removable(pair[0]) == mirror.removable(pair[1])


@given(
    st.lists(st.tuples(st.integers(1, 300), prices), min_size=1, max_size=6),
    prices,
    st.booleans(),
)
@example([(1, D(60000))], D(60000), True)
def test_the_entry_of_added_contracts_gives_the_sum_of_their_results(
    parts: list[tuple[int, D]], at: D, is_long: bool
) -> None:
    marks = [price for _, price in parts] + [at]
    engine = a_written_engine({INVERSE: marks}, money={"BTC": "1000"})
    engine.set_isolated(INVERSE, isolated=False)
    side, sign = ("BUY", 1) if is_long else ("SELL", -1)
    for count, _ in parts:
        order = engine.place(Ask(symbol=INVERSE, side=side, type="MARKET", size=D(100 * count)))
        assert order.filled == 100 * count
        engine.advance(engine.now_ms + 1000)
    (holding,) = engine.holdings.values()
    fills = engine.trades
    apart = sum(
        (
            Fraction(sign) * Fraction(f.size) * (1 / Fraction(f.price) - 1 / Fraction(at))
            for f in fills
        ),
        Fraction(0),
    )
    assert abs(Fraction(engine.profit(holding, at)) - apart) < Fraction(1, 10**18)
    dust = D("1e-18")  # of the division, far below any tick
    assert min(f.price for f in fills) - dust <= holding.entry
    assert holding.entry <= max(f.price for f in fills) + dust


def test_the_second_opinion_sees_a_bracket_that_is_left_out() -> None:
    contract = CONTRACTS[INVERSE]
    lower: tuple[Bracket, ...] = contract.brackets[:1]
    holding = Holding(
        symbol=INVERSE, side="BOTH", amount=D(600_000), entry=D(60000), isolated=True,
        margin=D(1), updated_ms=0,
    )  # fmt: skip
    without = replace(contract, brackets=lower)
    assert excess(contract, [holding], D(0), D(50000)) < excess(without, [holding], D(0), D(50000))
