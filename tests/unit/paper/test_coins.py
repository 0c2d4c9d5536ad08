from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.paper import book
from bot.paper.engine import Engine
from bot.paper.instruments import CONTRACTS, INVERSE, LINEAR
from bot.paper.values import Ask, Holding, Quote, Reason, Refused, by_worth
from tests.kit.coins import a_coin_engine, a_written_engine
from tests.kit.paper import START_MS

PERP = "BTCUSD_PERP"


def held(engine: Engine, symbol: str, amount: str, *, margin: str | None, leverage: int) -> Holding:
    """A position whose margin is given, or a cross one."""
    engine.hold(symbol, D(amount), leverage=leverage, isolated=margin is not None)
    holding = next(h for h in engine.holdings.values() if h.symbol == symbol)
    if margin is not None:
        engine.cross[engine.contracts[symbol].asset] += holding.margin - D(margin)
        holding.margin = D(margin)
    return holding


def test_a_long_of_a_hundred_contracts_is_taken_over_where_its_venue_says() -> None:
    # V31 of the venue notes: 100 contracts of 100 USD from 60,000, 0.02 BTC, rate 0.004.
    engine = a_written_engine({PERP: [D(60000)]})
    holding = held(engine, PERP, "10000", margin="0.02", leverage=20)
    assert engine.liquidation_price(holding).quantize(D("0.0001")) == D("53785.7143")
    at = D("53785.71428571428571428571428")
    equity = holding.margin + engine.profit(holding, at)
    assert equity.quantize(D("1e-8")) == D("0.00074369")
    assert abs(equity - engine.maintenance(holding, at)) < D("1e-20")


@pytest.mark.parametrize(
    ("like", "entry", "amount", "margin", "rate", "expected"),
    [
        # V12 of the venue notes, and V10, each without the tick that their venue adds.
        pytest.param(
            PERP, "2566.31", "10", "0.0003896645377994", "0.008", "2352.8396681818233", id="coin"
        ),
        pytest.param(
            "BTCUSDT", "0.01305", "6130", "9.9995625", "0.02", "0.0116577335375191", id="linear"
        ),
    ],
)
def test_where_the_closing_fee_must_be_covered_too_a_position_is_taken_over_earlier(
    like: str, entry: str, amount: str, margin: str, rate: str, expected: str
) -> None:
    bracket = replace(CONTRACTS[like].brackets[0], rate=D(rate))
    contract = replace(CONTRACTS[like], brackets=(bracket,))
    at = D(expected)
    marks = [D(entry), at * D("1.000001"), at * D("0.999999")]
    engine = a_written_engine({like: marks}, contracts={like: contract})
    engine.demand = lambda one, size, price: (
        by_worth(one, size, price) + one.worth(size, price) * D("0.0005")
    )
    holding = held(engine, like, amount, margin=margin, leverage=10)
    assert abs(engine.liquidation_price(holding) / at - 1) < D("1e-13")
    for second, gone in enumerate((False, True), start=1):
        engine.advance(START_MS + second * 1000)
        assert bool(engine.liquidations) == gone


def test_what_may_leave_a_coin_position_is_what_its_venue_publishes() -> None:
    # V32: the same position at 61,000 and twenty-fold.
    engine = a_written_engine({PERP: [D(60000), D(61000)]})
    holding = held(engine, PERP, "10000", margin="0.02", leverage=20)
    engine.advance(START_MS + 1000)
    assert engine.removable(holding) == D("0.01453551")


@pytest.mark.parametrize(
    ("second", "is_taken"),
    [
        pytest.param(D(50000), True, id="equal"),
        pytest.param(D("50000.1"), False, id="a tick above"),
    ],
)
@pytest.mark.parametrize("isolated", [True, False])
def test_equity_that_equals_maintenance_is_not_enough(
    second: D, is_taken: bool, isolated: bool
) -> None:
    # At 50,000 ten contracts lost 0.004 BTC and need 0.00008.
    engine = a_written_engine({PERP: [D(62500), second]})
    margin = "0.00408" if isolated else None
    held(engine, PERP, "1000", margin=margin, leverage=20)
    if not isolated:
        engine.cross["BTC"] = D("0.00408")
    engine.advance(START_MS + 1000)
    assert bool(engine.liquidations) == is_taken


def test_a_fully_covered_coin_short_has_no_liquidation_price() -> None:
    engine = a_written_engine({PERP: [D(60000)]})
    assert engine.liquidation_price(held(engine, PERP, "-6000", margin="0.11", leverage=1)) == 0
    engine = a_written_engine({PERP: [D(60000)]})
    assert engine.liquidation_price(held(engine, PERP, "-6000", margin="0.09", leverage=1)) > 60000


def test_a_cross_hedge_has_the_one_price_its_venue_says() -> None:
    # V30 of the venue notes: long 1 from 60,000, short 0.4 from 62,000, 5,000 behind both.
    engine = a_written_engine({"BTCUSDT": [D(60000), D(60000)]}, money={"USDT": "100000"})
    engine.hedge_mode = True
    for amount, entry in (("1", 60000), ("-0.4", 62000)):
        engine.hold("BTCUSDT", D(amount), leverage=20, isolated=False)
        list(engine.holdings.values())[-1].entry = D(entry)
    engine.cross["USDT"] = D(5000)
    shown = {
        engine.liquidation_price(holding).quantize(D("0.0001"))
        for holding in engine.holdings.values()
    }
    assert shown == {D("50808.8979")}


def test_a_coin_long_that_no_price_saves_is_shown_one_out_of_reach() -> None:
    engine = a_written_engine({PERP: [D(60000)]})
    holding = held(engine, PERP, "6000", margin="0", leverage=10)
    holding.margin = D("-0.2")
    assert engine.liquidation_price(holding) > D(10) ** 12


def test_results_fees_and_funding_of_a_coin_contract_are_in_the_coin() -> None:
    engine = a_written_engine({PERP: [D(50000)] * 2 + [D(40000)]}, funding=D("0.001"))
    engine.set_isolated(PERP, isolated=False)
    before = dict(engine.cross)
    buy = engine.place(Ask(symbol=PERP, side="BUY", type="MARKET", size=D(10000)))
    (fill,) = engine.fills(buy)
    assert (fill.asset, fill.fee, fill.price) == ("BTC", D("0.00009998"), D("50010.0"))
    contract = engine.contracts[PERP]
    assert contract.average(buy.filled, buy.cost) == pytest.approx(D("50010.0"), abs=D("1e-20"))
    engine.pay_funding()
    engine.advance(START_MS + 2000)
    engine.deleverage(PERP, "BOTH", D(5000))
    rows = {line.type: (line.amount, line.asset) for line in engine.income}
    assert rows == {
        "COMMISSION": (D("-0.00009998"), "BTC"),
        "FUNDING_FEE": (D("-0.00020000"), "BTC"),
        # 5,000 dollars bought 0.09998 BTC at 50,010 and 0.125 at 40,000.
        "REALIZED_PNL": (D("-0.02502000"), "BTC"),
    }
    assert {a: engine.cross[a] - before[a] for a in before if engine.cross[a] != before[a]} == {
        "BTC": D("-0.02531998")
    }


def test_contracts_added_at_another_price_average_harmonically() -> None:
    engine = a_written_engine({PERP: [D(40000), D(60000)]})
    holding = held(engine, PERP, "6000", margin=None, leverage=10)
    engine.advance(START_MS + 1000)
    engine.place(Ask(symbol=PERP, side="BUY", type="LIMIT", price=D("60100.0"), size=D(6000)))
    (fill,) = engine.trades
    assert holding.amount == 12000
    assert holding.entry == pytest.approx(12000 / (D("0.15") + 6000 / fill.price), abs=D("1e-18"))
    assert holding.entry < (40000 + fill.price) / 2


def test_a_cross_position_stands_on_the_wallet_of_its_asset_alone() -> None:
    falls = [D(60000), D(45000)]
    engine = a_written_engine(
        {"BTCUSDT": falls, "BTCUSDC": falls, PERP: falls},
        money={"USDT": "7000", "USDC": "100000", "BTC": "10"},
    )
    for symbol, amount in (("BTCUSDT", "0.5"), ("BTCUSDC", "0.5"), (PERP, "30000")):
        held(engine, symbol, amount, margin=None, leverage=10)
    assert engine.available("USDT") == D(4000)
    assert engine.available("USDC") == D(97000)
    assert engine.available("BTC") == D("9.95")
    engine.advance(START_MS + 1000)
    assert {item.symbol for item in engine.liquidations} == {"BTCUSDT"}
    assert engine.cross["USDC"] == 100000
    assert engine.cross["BTC"] == 10


def test_the_fund_of_the_asset_pays_what_a_position_cannot() -> None:
    engine = a_written_engine({PERP: [D(60000), D(30000)]})
    held(engine, PERP, "6000", margin="0.01", leverage=10)
    free, fund = engine.cross["BTC"], dict(engine.insurance)
    engine.advance(START_MS + 1000)
    assert engine.cross["BTC"] == free
    assert engine.liquidations[0].loss == D("0.01")
    # Lost 0.1, and the fee of an eightieth on 0.2 besides.
    assert fund["BTC"] - engine.insurance["BTC"] == D("0.0925")
    assert engine.insurance["USDT"] == fund["USDT"]


def test_a_large_coin_position_is_taken_over_in_steps_of_whole_contracts() -> None:
    engine = a_written_engine({PERP: [D(60000), D(58500)]}, money={"BTC": "100"})
    held(engine, PERP, "1000000", margin="0.5", leverage=50)
    engine.advance(START_MS + 1000)
    assert len(engine.liquidations) > 1
    assert all(item.size % 100 == 0 for item in engine.liquidations)


def test_opening_orders_hold_margin_of_their_own_asset() -> None:
    engine = a_written_engine({"BTCUSDT": [D(60000)], PERP: [D(60000)]})
    engine.place(Ask(symbol=PERP, side="BUY", type="LIMIT", price=D(59000), size=D(11800)))
    engine.place(Ask(symbol="BTCUSDT", side="BUY", type="LIMIT", price=D(59000), size=D("0.2")))
    assert engine.order_initial("BTC") == D("0.01")
    assert engine.order_initial() == D(590)
    assert engine.available("BTC") == D("0.39")


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        pytest.param("150", Reason.TOO_PRECISE, id="half a contract"),
        pytest.param("0", Reason.BAD_AMOUNT, id="nothing"),
        pytest.param("20000000", Reason.ABOVE_MAXIMUM, id="above the market maximum"),
        pytest.param("9000000", Reason.INSUFFICIENT_MARGIN, id="more than the coins carry"),
    ],
)
def test_a_coin_order_is_whole_contracts_that_the_coins_carry(size: str, reason: Reason) -> None:
    engine = a_written_engine({PERP: [D(60000)]})
    with pytest.raises(Refused) as caught:
        engine.place(Ask(symbol=PERP, side="BUY", type="MARKET", size=D(size)))
    assert caught.value.reason is reason


def test_one_coin_contract_is_the_least_order() -> None:
    engine = a_written_engine({PERP: [D(60000)]})
    order = engine.place(Ask(symbol=PERP, side="SELL", type="MARKET", size=D(100)))
    assert order.status == "FILLED"


def test_as_much_coin_rests_at_each_distance_as_the_contract_says() -> None:
    quote = Quote(mark=D(50000), index=D(50000), last=D(50000))
    contract = CONTRACTS[PERP]
    near = [(p, s) for p, s in book.levels(contract, quote, "BUY") if p <= D(50505)]
    assert all(size % 100 == 0 for _, size in near)
    coins = sum((size / price for price, size in near), D(0))
    assert abs(coins / contract.depth - 1) < D("0.25")


def test_transfers_move_one_asset_and_the_ledger_names_it() -> None:
    engine = a_coin_engine()
    engine.transfer("spot", "futures", "ETH", D("1.5"))
    assert (engine.spot["ETH"], engine.cross["ETH"]) == (D("4.5"), D("7.5"))
    assert [(line.asset, line.amount) for line in engine.income] == [("ETH", D("1.5"))]
    with pytest.raises(Refused, match="Balance is insufficient"):
        engine.transfer("spot", "futures", "BTC", D(1))
    with pytest.raises(Refused, match="Balance is insufficient"):
        engine.transfer("futures", "spot", "XRP", D(1))


def test_a_transfer_with_a_name_is_made_once_and_found_by_either_id() -> None:
    engine = a_coin_engine()
    first = engine.transfer("spot", "futures", "BTC", D("0.1"), client_id="one")
    engine.transfer("spot", "futures", "BTC", D("0.1"))
    engine.transfer("spot", "futures", "BTC", D("0.1"))
    with pytest.raises(Refused) as caught:
        engine.transfer("futures", "spot", "BTC", D("0.1"), client_id="one")
    assert caught.value.reason is Reason.DUPLICATE_ID
    assert engine.cross["BTC"] == D("0.7")
    found = engine.transfer_of(client_id="one")
    assert found is not None
    assert (found.id, found.amount) == (first, D("0.1"))
    assert engine.transfer_of(transfer_id=first) is found
    assert engine.transfer_of(client_id="two") is None
    assert engine.transfer_of(client_id="") is None


def test_equity_is_told_per_asset() -> None:
    engine = a_written_engine({"BTCUSDT": [D(50000), D(40000)], PERP: [D(50000), D(40000)]})
    held(engine, "BTCUSDT", "0.1", margin=None, leverage=10)
    held(engine, PERP, "1000", margin="0.01", leverage=10)
    engine.advance(START_MS + 1000)
    assert engine.equity() == D(19000)
    assert engine.equity("BTC") == D("0.395")


def test_one_setting_for_the_account_changes_all_symbols_or_none() -> None:
    engine = a_written_engine({"BTCUSDT": [D(60000)], PERP: [D(60000)]})

    def refusal(*, isolated: bool) -> Reason:
        with pytest.raises(Refused) as caught:
            engine.set_all_isolated(isolated=isolated)
        return caught.value.reason

    assert refusal(isolated=True) is Reason.UNCHANGED_MARGIN
    resting = engine.place(Ask(symbol=PERP, side="BUY", type="LIMIT", price=D(59000), size=D(100)))
    assert refusal(isolated=False) is Reason.MARGIN_WITH_ORDERS
    engine.cancel(resting)
    engine.set_isolated(PERP, isolated=False)
    engine.set_all_isolated(isolated=False)
    assert engine.isolated == {"BTCUSDT": False, PERP: False}
    engine.hold(PERP, D(100), leverage=10, isolated=False)
    assert refusal(isolated=True) is Reason.MARGIN_WITH_POSITION
    assert engine.isolated == {"BTCUSDT": False, PERP: False}


def test_an_order_is_found_by_either_id_and_its_fills_are_its_own() -> None:
    engine = a_written_engine({"BTCUSDT": [D(60000)], PERP: [D(60000)]})
    asks = (
        Ask(symbol=PERP, side="BUY", type="MARKET", size=D(200), client_id="one"),
        Ask(symbol="BTCUSDT", side="BUY", type="MARKET", size=D("0.1"), client_id="two"),
    )
    placed = [engine.place(ask) for ask in asks]
    for order in placed:
        assert engine.order(client_id=order.client_id) is order
        assert engine.order(order_id=order.id) is order
    assert [[f.asset for f in engine.fills(order)] for order in placed] == [["BTC"], ["USDT"]]
    with pytest.raises(Refused, match="does not exist"):
        engine.order(client_id="three")


def test_contracts_of_a_coin_on_one_path_share_its_prices_and_its_past() -> None:
    engine = a_coin_engine(seed=4, volatility=0.02)
    engine.advance(START_MS + 600_000)
    for base in ("BTC", "ETH"):
        first, *others = (engine.quotes[f"{base}{end}"] for end in ("USDT", "USDC", "USD_PERP"))
        assert others == [first, first]
        bars = [
            engine.candles[f"{base}{end}"].bars(60_000, since_ms=None, until_ms=None, limit=9)
            for end in ("USDT", "USD_PERP")
        ]
        assert bars[0] == bars[1]


def test_kinds_say_what_they_settle_in() -> None:
    assert {contract.asset for contract in LINEAR.values()} == {"USDT"}
    assert {contract.asset for contract in INVERSE.values()} == {"BTC", "ETH"}
    for contract in INVERSE.values():
        assert (contract.asset, contract.quote) == (contract.base, "USD")
        assert contract.lot == contract.face
