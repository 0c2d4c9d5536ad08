import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.account import Account, Wallet
from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.instrument import Instrument, MarginRelease, MarginTier
from bot.domain.intent import Intent, IntentState
from bot.domain.market import Bars, BookLevel, Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionKey, PositionMode, Side
from bot.journal.ids import Ids, base36
from bot.operate.redact import Redactor
from bot.schemas import decode, encode

# Digits and exponent apart, so that trailing zeros and 1E-8 occur.
decimals = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**20), 10**20),
    st.integers(-18, 6),
) | st.sampled_from([Decimal("1E-8"), Decimal("0.0"), Decimal("-0"), Decimal("1.100"), Decimal(0)])
instants = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - made aware by the next argument
    timezones=st.just(UTC),
).map(lambda at: at.replace(fold=0))  # UTC has no hour that comes twice
names = st.text(max_size=12)
keys = st.builds(PositionKey, names, st.sampled_from(Side))


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(AddMargin, key=keys, amount=decimals, currency=names, after_reduction=st.booleans()),
    st.builds(RemoveMargin, key=keys, amount=decimals, currency=names),
    st.builds(ReducePosition, key=keys, size=decimals, limit_price=decimals),
    st.builds(Transfer, source=names, destination=names, amount=decimals, currency=names),
)
intents = st.builds(
    Intent,
    id=names,
    decision_id=names,
    account=names,
    action=actions,
    written_at=instants,
    sent_at=st.none() | instants,
    state=st.sampled_from(IntentState),
)

positions = st.builds(
    Position,
    symbol=names,
    size=decimals,
    entry_price=decimals,
    mark_price=decimals,
    margin=decimals,
    leverage_setting=decimals,
    margin_mode=st.sampled_from(MarginMode),
    venue_liquidation_price=st.none() | decimals,
    venue_maintenance_margin=st.none() | decimals,
)
tiers = st.builds(
    MarginTier,
    notional_floor=decimals,
    maintenance_rate=decimals,
    maintenance_amount=decimals,
    max_leverage=decimals,
)
instruments = st.builds(
    Instrument,
    symbol=names,
    settle=names,
    price_step=decimals,
    size_step=decimals,
    min_size=decimals,
    max_market_size=decimals,
    min_notional=decimals,
    margin_step=decimals,
    taker_fee=decimals,
    tiers=some(tiers),
    margin_release=st.sampled_from(MarginRelease),
)
book_sides = some(st.builds(BookLevel, price=decimals, size=decimals))
markets = st.builds(
    Market,
    symbol=names,
    mark_price=decimals,
    index_price=decimals,
    mark_at=instants,
    funding_rate=st.none() | decimals,
    bars=st.builds(
        Bars,
        opened_at=st.none() | instants,
        seconds=st.integers(1, 86400),
        high=some(st.floats(allow_nan=False, allow_infinity=False)),
        low=some(st.floats(allow_nan=False, allow_infinity=False)),
        close=some(st.floats(allow_nan=False, allow_infinity=False)),
    ),
    bids=book_sides,
    asks=book_sides,
)
accounts = st.builds(
    Account,
    name=names,
    venue=names,
    position_mode=st.sampled_from(PositionMode),
    positions=some(positions),
    wallets=some(st.builds(Wallet, name=names, currency=names, total=decimals, free=decimals)),
)
observations = st.builds(
    Observation,
    at=instants,
    account_at=instants,
    account=accounts,
    instruments=some(instruments),
    markets=some(markets),
)


def digits(value: object) -> str:
    # == takes 1.10 for 1.1; the text of a value does not. Only the name of UTC may differ.
    return repr(value).replace("TzInfo(0)", "datetime.timezone.utc")


@given(observations)
@settings(max_examples=60, deadline=None)
def test_an_observation_comes_back_with_every_digit(observation: Observation) -> None:
    again = decode(Observation, encode(observation))
    assert again == observation
    assert digits(again) == digits(observation)
    assert encode(again) == encode(observation)


@given(intents)
@settings(deadline=None)
def test_an_intent_comes_back_as_the_same_kind_of_action(intent: Intent) -> None:
    again = decode(Intent, encode(intent))
    assert type(again.action) is type(intent.action)
    assert digits(again) == digits(intent)


@given(number=st.integers(0, 36**6 - 1))
def test_base36_is_what_python_reads(number: int) -> None:
    assert int(base36(number, width=6), 36) == number


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_no_two_runs_of_a_journal_give_the_same_id(runs: list[int]) -> None:
    given_ids = [
        name
        for epoch, count in enumerate(runs, start=1)
        for ids in [Ids(instance="keel", epoch=epoch)]
        for name in [ids.intent() for _ in range(count)]
    ]
    assert len(set(given_ids)) == len(given_ids)
    assert given_ids == sorted(given_ids)


canaries = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40)


@given(canary=canaries, before=st.text(max_size=5), after=st.text(max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_registered_secret_leaves_in_no_encoding(canary: str, before: str, after: str) -> None:
    redactor = Redactor([canary])
    raw = canary.encode()
    inside = (before + canary + after).encode()
    forms = {
        "plain": canary,
        "hex": raw.hex(),
        "upper-case hex": raw.hex().upper(),
        "base64": base64.b64encode(raw).decode().rstrip("="),
        "URL": quote(canary, safe=""),
        "JSON": json.dumps(canary)[1:-1],
        "JSON in UTF-8": json.dumps(canary, ensure_ascii=False)[1:-1],
    }
    carriers = {
        **{name: before + form + after for name, form in forms.items()},
        "repr": repr(before + canary + after),
        "error": ValueError(canary),
        "deep": [{"a": ({canary: [canary]},)}],
        "base64 around it": base64.b64encode(inside).decode(),
    }
    shown = str(redactor.value(carriers))
    for name, form in forms.items():
        assert form not in shown, name
    # Inside longer base64, characters that carry bits of a neighbour are not the secret alone.
    offset = len(before.encode())
    start, whole = -(-offset * 8 // 6), (offset + len(raw)) * 8 // 6
    assert base64.b64encode(inside).decode()[start:whole] not in shown
