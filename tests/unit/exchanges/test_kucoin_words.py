"""What do KuCoin's words mean, one by one?"""

import itertools
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.position import PositionMode, Side
from bot.errors import Incomplete
from bot.exchanges.kucoin import parse
from bot.exchanges.kucoin.answers import data
from bot.exchanges.kucoin.dialect import is_reduce_only, sent, told, wait
from bot.exchanges.kucoin.ledger import LONGEST, PERIOD, SPAN, _spans, _total
from bot.exchanges.kucoin.limits import FUTURES, PUBLIC, cost
from bot.exchanges.numbers import stamp_of
from bot.exchanges.venues import VENUES
from tests.kit.builders import NOON
from tests.kit.kucoin_golden import REPLIES

ORDERS = "/api/v1/orders"
CLOSES = {"side": "sell", "reduceOnly": "true"}


def row_of(path: str) -> dict[str, Any]:
    body = REPLIES[path]["data"]
    found: dict[str, Any] = body[0] if isinstance(body, list) else body
    # As the client reads it: numbers are words.
    return {key: str(v) if isinstance(v, float) else v for key, v in found.items()}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"code": "200000", "data": {}}, (None, "")),
        ({"code": "200000", "data": None}, (None, "")),
        ({"code": "200000"}, (None, "")),
        ({"code": "200000", "msg": "odd", "data": []}, (None, "")),
        ({"code": "200000", "msg": "odd"}, (200000, "odd")),
        ({"code": "200000", "msg": "Position does not exist"}, (300009, "Position does not exist")),
        ({"code": "300003", "msg": "few"}, (300003, "few")),
        ({"code": "300003"}, (300003, "")),
        ({"code": 300003}, (None, "")),
        ({"code": "\u0663"}, (None, "")),
        ({"code": ""}, (None, "")),
        ([], (None, "")),
        (None, (None, "")),
    ],
)
def test_a_code_is_told_and_that_of_a_success_only_where_it_brings_a_text_alone(
    body: Any, found: tuple[int | None, str]
) -> None:
    assert told(body) == found


@pytest.mark.parametrize(
    ("said", "only_shrinks"),
    [
        (CLOSES, True),
        ({**CLOSES, "side": "buy"}, True),
        ({**CLOSES, "positionSide": "LONG"}, True),
        ({**CLOSES, "positionSide": "SHORT"}, False),
        ({**CLOSES, "positionSide": "OTHER"}, False),
        ({**CLOSES, "side": "hold"}, False),
        ({**CLOSES, "reduceOnly": "false"}, False),
        ({"side": "sell"}, False),
        ({"side": "sell", "closeOrder": "true"}, False),
    ],
)
def test_an_order_only_shrinks_by_its_flag_and_the_side_of_its_leg(
    said: dict[str, str], only_shrinks: bool
) -> None:
    assert is_reduce_only("POST", ORDERS, said) is only_shrinks
    assert is_reduce_only("DELETE", f"{ORDERS}/1", said) is None
    assert is_reduce_only("POST", "/api/v1/margin/withdrawMargin", said) is None


def test_a_request_is_read_back_as_it_stands_also_what_it_says_twice() -> None:
    assert sent("a=1&a=2", "") == [("a", "1"), ("a", "2")]
    body = '{"size":70,"reduceOnly":true,"price":"1.50","size":7}'
    assert sent("", body) == [
        ("size", "70"), ("reduceOnly", "true"), ("price", "1.50"), ("size", "7"),
    ]  # fmt: skip
    assert sent("", "[1]") == [("", "[1]")]
    assert sent("", "{") == [("", "{")]


@pytest.mark.parametrize(
    ("header", "seconds"), [("1500", "1.5"), ("0", "0.0"), ("", ""), ("-5", ""), ("soon", "")]
)
def test_the_wait_is_until_the_pool_begins_anew(header: str, seconds: str) -> None:
    assert wait({"gw-ratelimit-reset": header}, 0) == seconds


def test_a_path_that_is_not_listed_is_dear_and_a_coin_of_any_name_is_not() -> None:
    assert cost("GET", "/api/v1/nothing", "", "") == (FUTURES, 20)
    assert cost("GET", "/api/v1/mark-price/1000BONKUSDTM/current", "", "") == (PUBLIC, 3)
    assert cost("DELETE", "/api/v1/orders/5c35c02703aa673ceec2a168", "", "") == (FUTURES, 1)
    assert cost("GET", "/api/v1/orders/byClientOid", "", "") == (FUTURES, 5)


@pytest.mark.parametrize(
    "answer",
    [None, [], "<html>", {}, {"code": "200000"}, {"code": "1", "data": {}}, {"data": {}},
     {"code": 200000, "data": {}}],
)  # fmt: skip
def test_what_brings_nothing_under_the_code_of_a_success_is_no_answer(answer: Any) -> None:
    with pytest.raises(Incomplete):
        data(answer, "it")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "FFICSX"},
        {"isInverse": True},
        {"isInverse": None},
        {"settleCurrency": "XBT"},
        {"settleCurrency": "USDC"},
    ],
)
def test_only_perpetuals_that_settle_in_what_they_are_quoted_in_are_ours(
    changes: dict[str, Any],
) -> None:
    row = row_of("GET /api/v1/contracts/active")
    assert parse.is_linear(row)
    assert not parse.is_linear(row | changes)


def test_a_contract_is_in_coins_and_ends_where_the_venue_says() -> None:
    row = row_of("GET /api/v1/contracts/active")
    found = parse.tier(
        parse.table([
            {"symbol": "XBTUSDTM", "level": 1, "maintainMargin": "0.004", "maxLeverage": 125},
            {"symbol": "XBTUSDTM", "level": 2, "maintainMargin": "0.005", "maxLeverage": 100},
        ], "XBTUSDTM"), "BTC/USDT:USDT", rate=None, fee=D("0.0006"),
    )  # fmt: skip

    def made(**changes: Any) -> Any:
        release = VENUES["kucoinfutures"].margin_release
        return parse.instrument(row | changes, found, margin_step=D("0.01"), margin_release=release)

    btc = made()
    assert (btc.symbol, btc.size_step, btc.max_market_size) == ("BTC/USDT:USDT", D("0.001"), 100)
    assert (btc.closes_at, btc.tiers[0].maintenance_rate) == (None, D("0.0046"))
    assert made(marketMaxOrderQty=None).max_market_size == 1000
    assert made(expireDate=stamp_of(NOON)).closes_at == NOON
    closed = made(status="Settled").closes_at
    assert closed is not None
    assert closed < NOON


@pytest.mark.parametrize(
    ("rate", "leverage"), [(None, 75), ("0.0065", 75), ("0.008", 40), ("0.01", 40), ("0.2", 40)]
)
def test_the_rate_is_that_of_the_position_and_the_leverage_that_of_its_level(
    rate: str | None, leverage: int
) -> None:
    steps = (
        parse.Level(rate=D("0.0065"), max_leverage=D(75)),
        parse.Level(rate=D("0.01"), max_leverage=D(40)),
    )
    shown = None if rate is None else D(rate)
    found = parse.tier(steps, "SOL", rate=shown, fee=D("0.0006"))
    assert found.maintenance_rate == (shown or D("0.0065")) + D("0.0006")
    assert found.max_leverage == leverage


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"symbol": "A", "level": 2, "maintainMargin": "0.01", "maxLeverage": 1}],
        [{"symbol": "B", "level": 1, "maintainMargin": "0.01", "maxLeverage": 1}],
        [{"symbol": "A", "level": 1, "maintainMargin": "0.02", "maxLeverage": 1},
         {"symbol": "A", "level": 2, "maintainMargin": "0.01", "maxLeverage": 1}],
        [{"symbol": "A", "level": 1, "maintainMargin": "0.01", "maxLeverage": 1},
         {"symbol": "A", "level": 3, "maintainMargin": "0.02", "maxLeverage": 1}],
    ],
)  # fmt: skip
def test_levels_that_do_not_fit_together_are_none(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(Incomplete):
        parse.table(rows, "A")


@pytest.mark.parametrize(
    ("leg", "size", "is_fitting"),
    [("BOTH", "5", True), ("BOTH", "-5", True), ("LONG", "5", True), ("SHORT", "-5", True),
     ("LONG", "-5", False), ("SHORT", "5", False), ("NET", "5", False)],
)  # fmt: skip
def test_the_sign_of_a_size_fits_its_leg(leg: str, size: str, is_fitting: bool) -> None:
    row = {"symbol": "SOLUSDTM", "currentQty": size, "positionSide": leg}
    if is_fitting:
        assert parse.signed(row) == D(size)
        return
    with pytest.raises(Incomplete):
        parse.signed(row)


def stop_row(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = REPLIES["GET /api/v1/stopOrders"]["data"]["items"][0]
    return row | changes


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"stop": "up"}, id="takes a profit"),
        pytest.param({"reduceOnly": False}, id="may open"),
        pytest.param({"positionSide": "SHORT"}, id="opens the other leg"),
        pytest.param({"side": "buy"}, id="buys when prices fall"),
    ],
)
def test_an_order_that_waits_and_is_no_stop_is_none(changes: dict[str, Any]) -> None:
    assert parse.stop(stop_row(), "SOL/USDT:USDT", coins=D("0.1")) is not None
    assert parse.stop(stop_row(**changes), "SOL/USDT:USDT", coins=D("0.1")) is None


def test_a_stop_names_its_leg_by_the_side_that_closes() -> None:
    above = stop_row(side="buy", stop="up", positionSide="SHORT", stopPriceType="TP")
    found = parse.stop(above, "SOL/USDT:USDT", coins=D("0.1"))
    assert found is not None
    assert (found.key.side, found.on_mark, found.size) == (Side.SHORT, False, D(50))
    whole = parse.stop(stop_row(closeOrder=True, reduceOnly=False), "SOL", coins=D("0.1"))
    assert whole is not None
    assert whole.size is None


def test_modes_are_told_by_number() -> None:
    assert parse.MODES == {0: PositionMode.ONE_WAY, 1: PositionMode.HEDGE}


# what results came to


def line(at: Any, amount: str, **changes: Any) -> dict[str, Any]:
    return {
        "type": "RealisedPNL", "time": stamp_of(at), "amount": amount, "currency": "USDT",
        "remark": "SOLUSDTM", **changes,
    }  # fmt: skip


def test_results_are_added_up_from_an_instant_and_without_funding() -> None:
    early, late = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
    other = line(late, "9", type="TransferIn")
    listed = [line(early, "7"), line(NOON, "2"), line(late, "-0.5"), other]
    paid = [
        {"timePoint": stamp_of(at), "settleCurrency": "USDT", "symbol": "SOLUSDTM", "funding": f}
        for at, f in ((early, "3"), (NOON, "-0.25"))
    ]
    assert _total(listed, paid, since=NOON) == {("USDT", "SOLUSDTM"): D("1.75")}


@pytest.mark.parametrize("hours", [0, 1, 22, 23, 24, 50])
def test_spans_meet_and_none_is_a_day(hours: int) -> None:
    until = NOON + timedelta(hours=hours)
    spans = list(_spans(NOON, until))
    assert int(spans[0]["startAt"]) == stamp_of(NOON)
    for span, later in itertools.pairwise(spans):
        assert int(span["endAt"]) + 1 == int(later["startAt"])
        assert int(span["endAt"]) - int(span["startAt"]) < SPAN.total_seconds() * 1000
    assert "endAt" not in spans[-1]
    assert stamp_of(until) - int(spans[-1]["startAt"]) <= SPAN.total_seconds() * 1000
    assert LONGEST + PERIOD <= SPAN
