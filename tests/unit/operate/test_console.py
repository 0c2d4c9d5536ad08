from typing import Any

import pytest

from bot.operate.console import WIDTH, decision_line, event_line
from tests.kit.records import a_position_record, a_record, an_action_record


def test_a_hold_line_names_distance_leverage_mark_and_liquidation() -> None:
    assert decision_line(a_record()) == (
        "12:01:00 hold      inside_band    | BTC long d=0.1968 5.00x mark 60000.0 liq 48192.8"
        " stop 49500.0"
    )


def test_a_cross_position_shows_its_account_or_the_price_of_the_venue() -> None:
    known = a_position_record(distance="0.2", joint_distance="0.1234")
    assert "d=0.2000 all 0.1234 " in decision_line(a_record(positions=[known]))
    unknown = a_position_record(
        equity=None, liquidation_price=None, venue_liquidation_price="48000"
    )
    assert "liq 48000 (venue)" in decision_line(a_record(positions=[unknown]))


def test_an_act_line_says_what_why_and_what_came_of_it() -> None:
    record = a_record(
        verdict="act",
        reason="below_trigger",
        urgency="emergency",
        mode="degraded",
        actions=[an_action_record(outcome="done")],
        refusals=[{"code": "wallet_low", "text": "…"}],
    )
    line = decision_line(record)
    assert "act       below_trigger  EMERGENCY mode=degraded" in line
    assert "> add_margin 250.00 USDT BTC (below_trigger) done | ! wallet_low" in line


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        pytest.param("BTC/USDT:USDT", "> place_stop 500 BTC at 55674.3 (", id="coins"),
        pytest.param("BTC/USD:BTC", "> place_stop 500 USD BTC at 55674.3 (", id="dollars"),
    ],
)
def test_a_size_is_in_coins_or_in_dollars_where_its_contract_is_inverse(
    symbol: str, said: str
) -> None:
    action = an_action_record(
        kind="place_stop", symbol=symbol, size="500", amount=None, currency=None,
        stop_price="55674.3",
    )  # fmt: skip
    assert said in decision_line(a_record(actions=[action]))


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({}, id="nothing"),
        pytest.param(a_record(positions=[a_position_record()] * 9), id="many positions"),
        pytest.param(a_record(reason="x" * 500), id="long reason"),
        pytest.param(a_record(positions=[a_position_record(mark=None, distance="?")]), id="odd"),
        pytest.param(a_record(reason="a\nb\r\x1b[31mc"), id="control characters"),
    ],
)
def test_a_decision_is_one_printable_line_of_limited_width(record: dict[str, Any]) -> None:
    for line in (
        decision_line(record, skipped=7),
        event_line({"record": record, "dropped": 123456}),
    ):
        assert len(line) <= WIDTH
        assert line.isprintable()


def test_colours_appear_only_when_wanted() -> None:
    event = {"at": "2026-03-01T12:00:59Z", "level": "error", "event": "lost", "n": 3}
    assert event_line(event) == "12:00:59 error     lost  n=3"
    assert event_line(event, colours=True) == "\x1b[31m12:00:59 error     lost  n=3\x1b[0m"


def test_text_of_a_venue_cannot_steer_the_terminal() -> None:
    event = {
        "event": "refused",
        "level": "info",
        "text": "\x1b]0;owned\x07",
        "exception": "a\n\x1b[2J",
    }
    assert "\x1b" not in event_line(event)


def test_what_was_left_out_is_told_however_much_stands_on_the_line() -> None:
    crowd = a_record() | {"positions": [*a_record()["positions"]] * 9}
    line = decision_line(crowd, skipped=11)
    assert len(line) == WIDTH
    assert " after 11 more holds | " in line
    assert "more holds" not in decision_line(crowd)
