from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.operate.redact import _PATTERNS, MASK, Redactor


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("GET /fapi/v1/order?symbol=BTCUSDT&signature=CANARY&x=1", id="signed URL"),
        pytest.param("{'X-MBX-APIKEY': 'CANARY', 'Accept': '*/*'}", id="header of Binance"),
        pytest.param('{"X-BAPI-SIGN":"CANARY","n":1}', id="header of Bybit"),
        pytest.param("OK-ACCESS-PASSPHRASE: CANARY\r\nHost: x", id="header of OKX"),
        pytest.param("Authorization: Bearer CANARY.abc-def", id="bearer"),
        pytest.param("apiKey=CANARY", id="form"),
        pytest.param("api_secret = 'CANARY'", id="assignment"),
        pytest.param("api_secret='CAN ARY CANARY'", id="quoted value with spaces"),
        pytest.param('{\\"secret\\": \\"CANARY\\"}', id="JSON inside JSON"),
        pytest.param("https://user:CANARY@broker.example/x", id="user in URL"),
        pytest.param("redis://:CANARY@host", id="password in URL"),
        pytest.param("timestamp%3D1%26signature%3DCANARY", id="encoded query"),
        pytest.param("password: CANARY", id="password"),
        pytest.param(
            "-----BEGIN EC PRIVATE KEY-----\nCANARY\n-----END EC PRIVATE KEY-----", id="PEM"
        ),
        pytest.param("-----BEGIN PRIVATE KEY-----\nCANARY cut off", id="PEM cut off"),
    ],
)
def test_what_is_named_like_a_secret_is_removed_unregistered(text: str) -> None:
    cleaned = Redactor().text(text)
    assert "CANARY" not in cleaned
    assert MASK in cleaned
    assert Redactor().text(cleaned) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "inside_band BTC/USDT:USDT long 4.53x design=2 assign: signal: 3",
        "mark 60000.1 https://api.example.com/v1/time?x=1",
        "the position key is held; secretary; tokens",
        "config_hash=0f0f0f0f",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert Redactor(["hunter2-secret"]).text(text) == text


def test_values_are_cleaned_at_any_depth_and_numbers_stay() -> None:
    value = {
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "amount": Decimal("1.10"),
        "n": 3,
        "none": None,
        "apiKey": "CANARY",
        "list": [("x", {"deep": b"secret=CANARY"})],
        "error": ValueError("signature=CANARY"),
        "password": None,
    }
    cleaned = Redactor().value(value)
    assert "CANARY" not in repr(cleaned)
    assert cleaned["amount"] == Decimal("1.10")
    assert cleaned["at"] == value["at"]
    assert cleaned["n"] == 3
    assert cleaned["password"] is None


def test_a_value_that_contains_itself_ends() -> None:
    loop: list[object] = ["secret=CANARY"]
    loop.append(loop)
    assert "CANARY" not in repr(Redactor().value(loop))


def test_an_empty_secret_removes_nothing() -> None:
    assert Redactor([""]).text("abc") == "abc"


@given(st.from_regex(r"[\w.+-]{0,40}", fullmatch=True))
def test_a_number_or_a_word_is_what_no_pattern_would_change(text: str) -> None:
    changed = text
    for pattern, replacement in _PATTERNS:
        changed = pattern.sub(replacement, changed)
    assert changed == text == Redactor().text(text)
