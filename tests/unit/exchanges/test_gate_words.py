"""What single words and rows of Gate mean."""

from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.position import PositionKey, Side
from bot.errors import Incomplete
from bot.exchanges.gate import parse
from bot.exchanges.gate.dialect import CODES, DENIED, NUMBERS, UNCERTAIN, UNLISTED, sent, told, wait
from bot.exchanges.gate.limits import ALLOWED, OTHER, UNIT, cost

ROOT = "/api/v4/futures/usdt"


@pytest.mark.parametrize(
    ("told_at", "at_ms"),
    [
        ("1767614400", 1_767_614_400_000),
        (1_767_614_400, 1_767_614_400_000),
        ("1767614400.25", 1_767_614_400_250),
        (1_767_614_400_250, 1_767_614_400_250),
        ("1767614400250999", 1_767_614_400_250),
        (0, 0),
    ],
)
def test_an_instant_is_read_in_whatever_part_of_a_second_it_is_told(
    told_at: Any, at_ms: int
) -> None:
    assert parse.moment({"at": told_at}, "at") == at_ms


@pytest.mark.parametrize("told_at", [None, "", "noon", True, [], "NaN"])
def test_what_is_no_instant_is_named(told_at: Any) -> None:
    with pytest.raises(Incomplete, match="'at'"):
        parse.moment({"at": told_at}, "at")


def triggered(
    size: int = -5, rule: int = 2, kind: str = "", *, auto: str = "", reduces: bool = True
) -> dict[str, Any]:
    return {
        "id": 7,
        "order_type": kind,
        "initial": {"size": size, "price": "0", "text": "web", "is_reduce_only": reduces,
                    "is_close": False, "auto_size": auto},
        "trigger": {"strategy_type": 0, "price_type": 1, "price": "140", "rule": rule},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "side", "size"),
    [
        pytest.param(triggered(), Side.LONG, D(15), id="under a long"),
        pytest.param(triggered(5, 1), Side.SHORT, D(15), id="over a short"),
        pytest.param(triggered(0, 2), Side.LONG, None, id="of all"),
        pytest.param(
            triggered(0, 1, auto="close_short", reduces=False), Side.SHORT, None, id="of a leg"
        ),
        pytest.param(triggered(5, 2), None, None, id="takes profit of a short"),
        pytest.param(triggered(-5, 1), None, None, id="takes profit of a long"),
        pytest.param(triggered(0, 1, "close-long-position"), None, None, id="takes all profit"),
        pytest.param(triggered(0, 2, auto="close_short"), None, None, id="of the other leg"),
        pytest.param(triggered(reduces=False), None, None, id="may open"),
    ],
)
def test_a_stop_is_what_closes_against_the_way_prices_go(
    row: dict[str, Any], side: Side | None, size: D | None
) -> None:
    found = parse.stop(row, "SOL/USDT:USDT", coins=D(3))
    assert (found and found.key) == (side and PositionKey("SOL/USDT:USDT", side))
    assert (found and found.size) == size
    assert found is None or (found.client_id, found.is_ours) == ("web", False)


@pytest.mark.parametrize("rule", [0, 3, "", None])
def test_a_way_that_is_not_known_is_named(rule: Any) -> None:
    with pytest.raises(Incomplete, match="rule"):
        parse.stop(triggered(rule=rule), "SOL/USDT:USDT", coins=D(3))


def tier(cap: str, rate: str, deduction: str, contract: str = "SOL_USDT") -> dict[str, str]:
    return {"risk_limit": cap, "maintenance_rate": rate, "deduction": deduction,
            "leverage_max": "50", "contract": contract}  # fmt: skip


def test_the_steps_of_the_venues_own_example_are_taken_with_the_cost_of_closing() -> None:
    """Its documentation has them, deductions and all."""
    rows = [tier("30000", "0.013", "60"), tier("20000", "0.01", "0"), tier("50000", "0.015", "120"),
            tier("1", "0.5", "0", "BTC_USDT")]  # fmt: skip
    found = parse.tiers(rows, "SOL_USDT")
    assert [(t.notional_floor, t.maintenance_rate, t.maintenance_amount) for t in found] == [
        (D(0), D("0.01075"), D(0)),
        (D(20000), D("0.01375"), D(60)),
        (D(30000), D("0.01575"), D(120)),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="none"),
        pytest.param([tier("1", "0.01", "0", "BTC_USDT")], id="of another contract"),
        pytest.param([tier("20000", "0.01", "0"), tier("30000", "0.013", "90")], id="a jump"),
        pytest.param([tier("20000", "0.01", "0"), tier("30000", "0.013", "60")] * 2, id="twice"),
        pytest.param([tier("20000", "0.99925", "0")], id="no share"),
    ],
)
def test_a_table_that_the_formulae_may_not_rely_on_is_named(rows: list[dict[str, str]]) -> None:
    with pytest.raises(Incomplete):
        parse.tiers(rows, "SOL_USDT")


def test_candles_that_do_not_ascend_are_named() -> None:
    row = {"t": 1767610800, "o": "1", "h": "1", "l": "1", "c": "1"}
    assert parse.candles([row, row | {"t": 1767614400}], "SOL")[1].close == 1.0
    for rows in ([row, row], [row | {"t": 1767614400}, row]):
        with pytest.raises(Incomplete, match="ascend"):
            parse.candles(rows, "SOL")


def test_every_label_has_a_number_of_its_own_and_what_it_proves() -> None:
    assert UNLISTED not in NUMBERS.values()
    assert len(set(NUMBERS.values())) == len(NUMBERS)
    assert told({"label": "NEVER_SEEN", "message": "x"}) == (UNLISTED, "NEVER_SEEN x")
    assert told({"label": "INTERNAL"}) == (NUMBERS["INTERNAL"], "INTERNAL")
    answers: tuple[Any, ...] = (None, [], {}, {"label": ""}, {"label": 7}, "label")
    for body in answers:
        assert told(body) == (None, "")
    proven = CODES.no_effect | CODES.throttled
    assert not {NUMBERS[label] for label in UNCERTAIN} & proven
    assert {NUMBERS[label] for label in DENIED} == CODES.denied <= CODES.no_effect
    assert UNLISTED not in proven


def test_what_a_request_says_is_read_from_its_query_and_every_part_of_its_body() -> None:
    assert sent("change=-1.5&dual_side=dual_long", "") == [
        ("change", "-1.5"), ("dual_side", "dual_long"),
    ]  # fmt: skip
    body = '{"a":{"b":true,"c":-5,"b":"x"},"d":"0","d":null}'
    assert sent("", body) == [
        ("a.b", "true"), ("a.c", "-5"), ("a.b", "x"), ("d", "0"), ("d", "null"),
    ]  # fmt: skip
    assert sent("", "no json") == [("", "no json")]


@pytest.mark.parametrize(
    ("reset", "seconds"), [("1767614407", 7.0), ("1767614400", 1.0), ("", None), ("soon", None)]
)
def test_the_wait_ends_when_the_venue_says_so(reset: str, seconds: float | None) -> None:
    found = wait({"x-gate-ratelimit-reset-timestamp": reset}, 1_767_614_400_000)
    assert (float(found) if found else None) == seconds


@pytest.mark.parametrize(
    ("method", "path", "budget"),
    [
        ("GET", f"{ROOT}/positions", "GET futures/{settle}/positions"),
        ("GET", "/api/v4/futures/btc/positions", "GET futures/{settle}/positions"),
        ("GET", f"{ROOT}/positions/SOL_USDT", "GET futures/{settle}/positions/{name}"),
        ("POST", f"{ROOT}/positions/SOL_USDT/margin",
         "POST futures/{settle}/positions/{name}/margin"),
        ("POST", f"{ROOT}/dual_comp/positions/SOL_USDT/margin",
         "POST futures/{settle}/dual_comp/positions/{name}/margin"),
        ("DELETE", f"{ROOT}/price_orders/7", "DELETE futures/{settle}/price_orders/{name}"),
        ("POST", "/api/v4/withdrawals", OTHER),
    ],
)  # fmt: skip
def test_each_request_is_paid_for_by_its_endpoint(method: str, path: str, budget: str) -> None:
    assert budget in ALLOWED
    assert cost(method, path, "", "") == (budget, UNIT)
