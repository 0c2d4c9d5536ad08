from decimal import Decimal as D

import pytest

from bot.paper.instruments import CONTRACTS
from bot.paper.values import Ask, Reason, Refused
from tests.kit.paper import START_MS, an_engine


def refusal(call: object, *args: object, **kwargs: object) -> Reason:
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)  # type: ignore[operator]  # any method
    return caught.value.reason


def test_the_tables_of_all_contracts_are_continuous() -> None:
    for contract in CONTRACTS.values():
        for lower, upper in zip(contract.brackets, contract.brackets[1:], strict=False):
            at = upper.floor
            assert at == lower.cap
            assert at * lower.rate - lower.cum == at * upper.rate - upper.cum


def test_a_position_is_taken_over_when_its_equity_meets_maintenance() -> None:
    engine = an_engine(points=((0, 1.0), (600, 0.85)))
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    (holding,) = engine.holdings.values()
    promised = engine.liquidation_price(holding)
    engine.advance(START_MS + 900_000)
    assert engine.holdings == {}
    # Stepping by the second takes it at the first mark beyond the price that was shown.
    assert engine.liquidations[0].price <= promised
    assert engine.liquidations[0].price > promised * D("0.999")


def test_a_liquidation_costs_no_more_than_the_margin_of_the_position() -> None:
    engine = an_engine(points=((0, 1.0), (60, 0.5)))
    engine.hold("BTCUSDT", D(2), leverage=10)
    free = engine.cross["USDT"]
    engine.advance(START_MS + 300_000)
    assert engine.holdings == {}
    assert engine.cross["USDT"] >= free


def test_added_margin_moves_the_liquidation_price_away_and_is_listed() -> None:
    engine = an_engine()
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    (holding,) = engine.holdings.values()
    before = engine.liquidation_price(holding)
    engine.move_margin("BTCUSDT", "BOTH", D("12.75"), add=True)
    assert engine.liquidation_price(holding) < before
    assert engine.margin_moves[-1].amount == D("12.75")


def test_closing_a_part_releases_margin_pro_rata_and_leaves_the_price() -> None:
    engine = an_engine(volatility=1e-9)
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    (holding,) = engine.holdings.values()
    margin, price = holding.margin, engine.liquidation_price(holding)
    ask = Ask(symbol="BTCUSDT", side="SELL", type="MARKET", size=D("0.25"), reduce_only=True)
    assert engine.place(ask).status == "FILLED"
    assert holding.margin == margin / 2
    # The tier is the first on both sides, so the price stands still.
    assert abs(engine.liquidation_price(holding) - price) < D("0.01")


def test_where_margin_stays_closing_a_part_moves_the_price_away() -> None:
    engine = an_engine()
    engine.releases_margin = "stays"
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    (holding,) = engine.holdings.values()
    before = engine.liquidation_price(holding)
    engine.place(
        Ask(symbol="BTCUSDT", side="SELL", type="MARKET", size=D("0.25"), reduce_only=True)
    )
    assert engine.liquidation_price(holding) < before * D("0.95")


def test_a_reduce_only_order_is_clipped_and_never_flips() -> None:
    engine = an_engine()
    engine.hold("BTCUSDT", D("0.1"), leverage=10)
    engine.place(Ask(symbol="BTCUSDT", side="SELL", type="MARKET", size=D(5), reduce_only=True))
    assert engine.holdings == {}


def test_refusals_name_their_reason_and_change_nothing() -> None:
    engine = an_engine(futures="1000")
    engine.hold("BTCUSDT", D("0.1"), leverage=10)
    state = (dict(engine.cross), [repr(h) for h in engine.holdings.values()])
    move = engine.move_margin
    assert refusal(move, "XUSDT", "BOTH", D(1), add=True) is Reason.UNKNOWN_SYMBOL
    assert refusal(move, "BTCUSDT", "BOTH", D(0), add=True) is Reason.BAD_AMOUNT
    assert refusal(move, "BTCUSDT", "BOTH", D("NaN"), add=True) is Reason.BAD_AMOUNT
    assert refusal(move, "BTCUSDT", "BOTH", D("1E-9"), add=True) is Reason.TOO_PRECISE
    assert refusal(move, "SOLUSDT", "BOTH", D(1), add=True) is Reason.NO_POSITION
    assert refusal(move, "BTCUSDT", "BOTH", D(9999), add=True) is Reason.INSUFFICIENT_BALANCE
    assert refusal(move, "BTCUSDT", "BOTH", D(500), add=False) is Reason.NOT_REMOVABLE
    assert refusal(engine.set_leverage, "BTCUSDT", 5) is Reason.LEVERAGE_WITH_POSITION
    assert refusal(engine.set_leverage, "BTCUSDT", 126) is Reason.BAD_LEVERAGE
    assert refusal(engine.set_isolated, "BTCUSDT", isolated=False) is Reason.MARGIN_WITH_POSITION
    assert refusal(engine.set_hedge_mode, hedge=True) is Reason.MODE_WITH_POSITION
    assert refusal(engine.transfer, "spot", "futures", "USDT", D(9999)) is (
        Reason.INSUFFICIENT_BALANCE
    )
    ask = Ask(symbol="BTCUSDT", side="BUY", type="MARKET", size=D("0.1"), reduce_only=True)
    assert refusal(engine.place, ask) is Reason.REDUCE_ONLY
    ask = Ask(symbol="BTCUSDT", side="BUY", type="MARKET", size=D("0.0001"))
    assert refusal(engine.place, ask) is Reason.TOO_PRECISE
    ask = Ask(symbol="BTCUSDT", side="BUY", type="MARKET", size=D("0.001"))
    assert refusal(engine.place, ask) is Reason.BELOW_NOTIONAL
    ask = Ask(symbol="BTCUSDT", side="BUY", type="MARKET", size=D(1))
    assert refusal(engine.place, ask) is Reason.INSUFFICIENT_MARGIN
    assert state == (dict(engine.cross), [repr(h) for h in engine.holdings.values()])


def test_a_client_id_is_taken_once() -> None:
    engine = an_engine()
    ask = Ask(symbol="BTCUSDT", side="BUY", type="MARKET", size=D("0.01"), client_id="one")
    engine.place(ask)
    assert refusal(engine.place, ask) is Reason.DUPLICATE_ID


def test_a_transfer_with_delay_is_in_neither_wallet_meanwhile() -> None:
    engine = an_engine(futures="100", spot="50")
    engine.transfer_delay_ms = 60_000
    engine.transfer("spot", "futures", "USDT", D(20))
    assert (engine.spot["USDT"], engine.cross["USDT"], engine.in_transit()) == (
        D(30),
        D(100),
        D(20),
    )
    engine.advance(START_MS + 61_000)
    assert (engine.spot["USDT"], engine.cross["USDT"], engine.in_transit()) == (D(30), D(120), D(0))


def test_funding_is_paid_every_eight_hours_out_of_the_position() -> None:
    engine = an_engine()
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    (holding,) = engine.holdings.values()
    margin = holding.margin
    engine.advance(START_MS + 8 * 3_600_000)
    paid = [line for line in engine.income if line.type == "FUNDING_FEE"]
    assert len(paid) == 1  # at 16:00
    assert holding.margin == margin + paid[0].amount < margin


def test_a_stop_on_mark_closes_when_mark_gets_there() -> None:
    engine = an_engine(points=((0, 1.0), (600, 0.95)))
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    stop = engine.place(
        Ask(
            symbol="BTCUSDT",
            side="SELL",
            type="STOP_MARKET",
            stop=D(58500),
            close_position=True,
            on_mark=True,
        )
    )
    assert stop.status == "NEW"
    engine.advance(START_MS + 600_000)
    assert (stop.status, engine.holdings) == ("FILLED", {})


def a_closing_stop(price: str, **changes: object) -> Ask:
    values: dict[str, object] = {
        "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "size": D("0.5"),
        "stop": D(price), "reduce_only": True, "on_mark": True,
    }  # fmt: skip
    return Ask(**(values | changes))  # type: ignore[arg-type]  # any field by name


def test_a_stop_fires_on_mark_though_the_last_trade_ran_ahead_and_fills_from_the_book() -> None:
    engine = an_engine(points=((0, 1.0), (120, 0.95)))
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    stop = engine.place(a_closing_stop("58500"))
    while stop.status == "NEW":
        before = engine.quotes["BTCUSDT"].mark
        assert before > D(58500)
        engine.advance(engine.now_ms + 1000)
    assert engine.quotes["BTCUSDT"].mark <= D(58500)
    assert engine.holdings == {}
    best = engine.quotes["BTCUSDT"].last
    assert all(trade.price < best for trade in engine.trades)
    assert engine.liquidations == []


def test_a_reduce_only_stop_closes_what_is_held_and_never_opens_the_other_side() -> None:
    engine = an_engine(points=((0, 1.0), (600, 0.95)))
    engine.hold("BTCUSDT", D("0.2"), leverage=10)
    engine.place(a_closing_stop("58500"))
    engine.place(a_closing_stop("58400"))
    engine.advance(START_MS + 600_000)
    assert engine.holdings == {}
    assert sum(trade.size for trade in engine.trades) == D("0.2")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"stop": D(61000)}, Reason.WOULD_TRIGGER, id="reached already"),
        pytest.param({"stop": D("58500.05")}, Reason.TOO_PRECISE, id="off the tick"),
        pytest.param({"stop": D(0)}, Reason.BAD_AMOUNT, id="no price"),
        pytest.param({"side": "BUY", "stop": D(61000)}, Reason.REDUCE_ONLY, id="wrong side"),
        pytest.param({"size": D("0.0005")}, Reason.TOO_PRECISE, id="off the lot"),
        pytest.param({"size": D(101)}, Reason.ABOVE_MAXIMUM, id="above the market maximum"),
    ],
)
def test_a_stop_the_venue_would_not_take_is_refused(
    changes: dict[str, object], reason: Reason
) -> None:
    engine = an_engine()
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    assert refusal(engine.place, a_closing_stop("58500", **changes)) is reason


def test_only_one_stop_may_close_whatever_is_open_and_any_number_a_quantity() -> None:
    engine = an_engine()
    engine.hold("BTCUSDT", D("0.5"), leverage=10)
    whole = {"close_position": True, "reduce_only": False, "size": D(0)}
    engine.place(a_closing_stop("58500", **whole))
    again = a_closing_stop("58000", **whole)
    assert refusal(engine.place, again) is Reason.CLOSING_STOP_EXISTS
    for price in ("58000", "57900"):
        engine.place(a_closing_stop(price))


def test_a_cross_account_is_liquidated_as_a_whole() -> None:
    engine = an_engine(futures="3500", points=((0, 1.0), (600, 0.80)))
    engine.hold("BTCUSDT", D("0.3"), leverage=10, isolated=False)
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    engine.advance(START_MS + 900_000)
    assert engine.holdings == {}
    assert {item.symbol for item in engine.liquidations} == {"BTCUSDT", "SOLUSDT"}
    assert engine.cross["USDT"] >= 0


def test_time_in_one_step_or_in_many_is_the_same() -> None:
    one, many = (an_engine(points=((0, 1.0), (600, 0.9)), seed=5) for _ in "ab")
    for engine in (one, many):
        engine.hold("BTCUSDT", D("0.5"), leverage=20)
    one.advance(START_MS + 700_000)
    for at in range(0, 700_001, 350):
        many.advance(START_MS + at)
    assert one.quotes == many.quotes
    assert one.cross == many.cross
    assert one.liquidations == many.liquidations
