import decimal
import re
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.intent import Outcome
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.errors import ConfigError, Denied, Incomplete, Unavailable
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.dialect import Expected
from bot.exchanges.quota import Lane
from bot.margin.assess import assess
from bot.paper.desk import Keys
from bot.paper.faults import Fault
from bot.rebalance.memory import amount_of
from tests.kit.binance import Rig, connected, serving
from tests.kit.fakes import OpenGate, an_open_gate
from tests.kit.paper import NAME, an_engine
from tests.kit.rigs import an_intent_now

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)


@pytest.fixture
async def rig(rig: Rig) -> Rig:
    """The exchange of all, where a short is held as well."""
    rig.engine.hold("BTCUSDT", D("-0.1"), leverage=20)
    return rig


def add(amount: str) -> AddMargin:
    return AddMargin(key=SOL, amount=D(amount), currency="USDT")


async def test_one_look_has_positions_wallets_rules_prices_and_history(
    venue: BinanceVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    assert [str(p.key) for p in seen.account.positions] == [
        "BTC/USDT:USDT short",
        "SOL/USDT:USDT long",
    ]
    sol = seen.account.positions[1]
    assert (sol.size, sol.margin_mode, sol.leverage_setting) == (D(50), MarginMode.ISOLATED, D(10))
    assert {w.name for w in seen.account.wallets} == {"futures", "spot"}
    assert len(seen.markets[0].bars.close) == 912
    paths = {path for _, path, _ in rig.server.desk.requests}
    assert "/fapi/v1/markPriceKlines" in paths  # positions are liquidated on mark
    assert "/fapi/v1/klines" not in paths
    assert seen.markets[0].bids[0].price < seen.markets[0].asks[0].price
    assert seen.account.position_mode is PositionMode.ONE_WAY


async def test_our_liquidation_price_is_the_venues(venue: BinanceVenue) -> None:
    seen = await venue.observe()
    rules = {i.symbol: i for i in seen.instruments}
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol]).liquidation_price
        theirs = position.venue_liquidation_price
        assert ours is not None
        assert theirs is not None
        assert abs(ours - theirs) / theirs < D("0.000005")  # a twentieth of a basis point


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.01", "1234.56"])
async def test_exactly_the_planned_amount_arrives_on_an_integer_lot_symbol(
    venue: BinanceVenue, rig: Rig, amount: str
) -> None:
    done = await venue.execute(an_intent_now(rig, add(amount)), an_open_gate())
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    method, path, request = rig.server.desk.requests[-1]
    assert (method, path) == ("POST", "/fapi/v1/positionMargin")
    assert request.parameters["amount"] == amount


async def test_margin_is_removed_with_a_positive_amount_and_type_two(
    venue: BinanceVenue, rig: Rig
) -> None:
    await venue.execute(an_intent_now(rig, add("100")), an_open_gate())
    remove = RemoveMargin(key=SOL, amount=D("50.25"), currency="USDT")
    done = await venue.execute(an_intent_now(rig, remove), an_open_gate())
    assert done.outcome is Outcome.DONE
    assert rig.engine.margin_moves[-1].amount == D("-50.25")
    assert rig.server.desk.requests[-1][2].parameters["type"] == "2"


async def test_a_reduction_is_immediate_or_cancel_reduce_only_under_our_id(
    venue: BinanceVenue, rig: Rig
) -> None:
    reduce = ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))
    done = await venue.execute(an_intent_now(rig, reduce), an_open_gate())
    assert (done.outcome, done.applied) == (Outcome.DONE, D(7))
    sent = rig.server.desk.requests[-1][2].parameters
    assert sent["reduceOnly"] == "true"
    assert sent["timeInForce"] == "IOC"
    assert sent["newClientOrderId"] == NAME
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(43)


async def test_the_same_id_twice_is_unknown_and_changes_nothing(
    venue: BinanceVenue, rig: Rig
) -> None:
    intent = an_intent_now(rig, ReducePosition(key=SOL, size=D(7), limit_price=D("149.00")))
    await venue.execute(intent, an_open_gate())
    again = await venue.execute(intent, an_open_gate())
    assert (again.outcome, again.code) == (Outcome.UNKNOWN, "-4116")
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(43)


async def test_a_transfer_takes_the_raw_route(venue: BinanceVenue, rig: Rig) -> None:
    move = Transfer(source="spot", destination="futures", amount=D("10.5"), currency="USDT")
    done = await venue.execute(an_intent_now(rig, move), an_open_gate())
    assert done.outcome is Outcome.DONE
    assert rig.engine.transfers[-1].amount == D("10.5")


async def test_hedge_mode_is_detected_and_names_the_leg(authority: Path) -> None:
    engine = an_engine()
    engine.hedge_mode = True
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("SOLUSDT", D(-20), leverage=10)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert len(seen.account.positions) == 2
        await venue.execute(an_intent_now(rig, add("12.75"), "plone"), an_open_gate())
        assert rig.server.desk.requests[-1][2].parameters["positionSide"] == "LONG"
        short = PositionKey("SOL/USDT:USDT", Side.SHORT)
        done = await venue.execute(
            an_intent_now(
                rig, ReducePosition(key=short, size=D(5), limit_price=D("151.00")), "pltwo"
            ),
            an_open_gate(),
        )
        assert done.outcome is Outcome.DONE
        sent = rig.server.desk.requests[-1][2].parameters
        assert (sent["side"], sent["positionSide"]) == ("BUY", "SHORT")
        assert "reduceOnly" not in sent
        assert engine.holdings["SOLUSDT", "SHORT"].amount == D(-15)


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        pytest.param("-5", "finite and > 0", id="negative"),
        pytest.param("0", "finite and > 0", id="zero"),
        pytest.param("NaN", "finite and > 0", id="NaN"),
        pytest.param("Infinity", "finite and > 0", id="infinite"),
        pytest.param("1.000000001", "multiple of 1E-8", id="too precise"),
    ],
)
async def test_an_impossible_amount_never_leaves(
    venue: BinanceVenue, rig: Rig, amount: str, why: str
) -> None:
    before = len(rig.server.desk.requests)
    done = await venue.execute(an_intent_now(rig, add(amount)), an_open_gate())
    assert done.outcome is Outcome.REJECTED
    assert why in done.text
    assert len(rig.server.desk.requests) == before


@pytest.mark.parametrize(
    ("kind", "outcome", "has_effect"),
    [
        pytest.param("abort", Outcome.UNKNOWN, False, id="cut before"),
        pytest.param("abort_after", Outcome.UNKNOWN, True, id="cut after"),
        pytest.param("http_503", Outcome.UNKNOWN, False, id="503 before"),
        pytest.param("http_503_after", Outcome.UNKNOWN, True, id="503 after"),
        pytest.param("timeout_1007", Outcome.UNKNOWN, True, id="-1007"),
        pytest.param("html", Outcome.UNKNOWN, False, id="a page"),
        pytest.param("empty", Outcome.UNKNOWN, False, id="nothing"),
        pytest.param("half_json", Outcome.UNKNOWN, True, id="half a body"),
        pytest.param("rate_429", Outcome.REJECTED, False, id="429 with a code"),
    ],
)
async def test_a_write_is_sent_once_and_what_is_not_proven_is_unknown(
    venue: BinanceVenue, rig: Rig, kind: str, outcome: Outcome, has_effect: bool
) -> None:
    fault = rig.faults.add(Fault(kind=kind, method="POST", path="positionMargin"))  # type: ignore[arg-type]  # a kind
    done = await venue.execute(an_intent_now(rig, add("12.75")), an_open_gate())
    assert done.outcome is outcome, done
    assert fault.hits == 1
    assert bool(rig.engine.margin_moves) is has_effect


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda _: "[]", id="a list"),
        pytest.param(lambda _: "{}", id="an empty object"),
        pytest.param(lambda t: t.replace("12.75", "12"), id="another amount"),
        pytest.param(lambda t: t.replace('"type": 1', '"type": 2'), id="another type"),
        pytest.param(lambda t: t.replace("12.75", "NaN"), id="NaN"),
        pytest.param(lambda t: t.replace("200", '"no"'), id="another code"),
    ],
)
async def test_an_answer_that_does_not_confirm_the_request_is_unknown(
    venue: BinanceVenue, rig: Rig, changed: object
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="positionMargin", rewrite=changed))  # type: ignore[arg-type]  # text to text
    done = await venue.execute(an_intent_now(rig, add("12.75")), an_open_gate())
    assert done.outcome is Outcome.UNKNOWN


async def test_a_refusal_with_a_listed_code_is_rejected(venue: BinanceVenue, rig: Rig) -> None:
    done = await venue.execute(an_intent_now(rig, add("99999999")), an_open_gate())
    assert (done.outcome, done.code) == (Outcome.REJECTED, "-2019")


async def test_a_refused_connection_is_rejected_since_nothing_left(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        assert rig.server._runner is not None
        await rig.server._runner.cleanup()
        done = await venue.execute(an_intent_now(rig, add("1")), an_open_gate())
        assert (done.outcome, done.code) == (Outcome.REJECTED, "not_connected")
        with pytest.raises(Unavailable):
            await venue.observe()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        pytest.param("abort", Unavailable, id="cut"),
        pytest.param("http_503", Unavailable, id="503"),
        pytest.param("html", Incomplete, id="a page"),
        pytest.param("empty", Incomplete, id="nothing"),
        pytest.param("half_json", Incomplete, id="half a body"),
        pytest.param("rate_429", Unavailable, id="429"),
        pytest.param("ban_418", Unavailable, id="418"),
    ],
)
@pytest.mark.parametrize("path", ["positionRisk", "v3/account", "premiumIndex", "getUserAsset"])
async def test_a_look_that_fails_in_any_part_fails_as_a_whole(
    venue: BinanceVenue, rig: Rig, kind: str, error: type[Exception], path: str
) -> None:
    rig.faults.add(Fault(kind=kind, path=path))  # type: ignore[arg-type]  # a kind
    with pytest.raises((error, Unavailable)):
        await venue.observe()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("positionRisk", "markPrice"),
        ("positionRisk", "isolatedWallet"),
        ("positionRisk", "entryPrice"),
        ("positionRisk", "positionAmt"),
        ("v3/account", "availableBalance"),
        ("premiumIndex", "markPrice"),
        ("getUserAsset", "free"),
    ],
)
@pytest.mark.parametrize("value", ['""', "null", '"NaN"', '"1e400"', '"-1e30"', "true", "[]"])
async def test_a_broken_number_is_named_and_never_guessed(
    venue: BinanceVenue, rig: Rig, path: str, field: str, value: str
) -> None:
    def broken(text: str) -> str:
        changed = re.sub(rf'"{field}": ("[^"]*"|[-\d.]+)', f'"{field}": {value}', text)
        assert changed != text
        return changed

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=broken))
    with pytest.raises(Incomplete) as caught:
        await venue.observe()
    assert field in str(caught.value)


async def test_an_empty_list_of_positions_is_not_flat_while_the_account_shows_them(
    venue: BinanceVenue, rig: Rig
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="positionRisk", rewrite=lambda _: "[]"))
    with pytest.raises(Incomplete, match="must show the same amounts"):
        await venue.observe()


async def test_a_revoked_key_is_denied(venue: BinanceVenue, rig: Rig) -> None:
    rig.server.desk.keys = Keys(is_valid=False)
    with pytest.raises(Denied, match="-2015"):
        await venue.observe()


async def test_a_key_that_can_withdraw_is_refused_at_start(rig: Rig) -> None:
    rig.server.desk.keys = Keys(may_withdraw=True)
    with pytest.raises(Denied, match="withdraw"):
        async with connected(rig):
            pass


async def test_a_symbol_that_does_not_exist_is_named_with_its_neighbours(rig: Rig) -> None:
    with pytest.raises(ConfigError, match=r"BTX/USDT:USDT does not exist.*BTC/USDT:USDT"):
        async with connected(rig, symbols=("BTX/USDT:USDT",)):
            pass


async def test_a_held_symbol_that_is_not_configured_is_seen_all_the_same(rig: Rig) -> None:
    async with connected(rig, symbols=("BTC/USDT:USDT",)) as venue:
        seen = await venue.observe()
        assert {p.symbol for p in seen.account.positions} == {"BTC/USDT:USDT", "SOL/USDT:USDT"}
        assert {m.symbol for m in seen.markets} == {"BTC/USDT:USDT", "SOL/USDT:USDT"}


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(add("12.75"), id="margin"),
        pytest.param(ReducePosition(key=SOL, size=D(7), limit_price=D("149.00")), id="order"),
        pytest.param(
            Transfer(source="spot", destination="futures", amount=D("10.5"), currency="USDT"),
            id="transfer",
        ),
    ],
)
@pytest.mark.parametrize("has_effect", [True, False])
async def test_an_unknown_effect_is_settled_by_the_venues_history(
    venue: BinanceVenue, rig: Rig, action: Action, has_effect: bool
) -> None:
    kind = "abort_after" if has_effect else "abort"
    rig.faults.add(Fault(kind=kind, method="POST", times=1))  # type: ignore[arg-type]  # a kind
    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    wanted = amount_of(action) if has_effect else D(0)
    assert (await venue.settle(intent)).applied == wanted


async def test_a_transfer_on_its_way_is_neither_there_nor_absent(
    venue: BinanceVenue, rig: Rig
) -> None:
    rig.engine.transfer_delay_ms = 60_000
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(
        rig, Transfer(source="spot", destination="futures", amount=D("10.5"), currency="USDT")
    )
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied is None
    await rig.pace.sleep(61)
    assert (await venue.settle(intent)).applied == D("10.5")


async def test_the_library_rounds_its_way_without_changing_ours(
    venue: BinanceVenue, rig: Rig
) -> None:
    client, ours = venue._client, decimal.getcontext().copy()

    async def rounding(_: dict[str, Any]) -> str:
        return str(client.api.decimal_to_precision("1.25", precision=1))

    assert await client.read(rounding, {}) == "1.3"
    expected = Expected(method="GET", path="/", parameters={})
    assert await client.write(rounding, {}, expected, OpenGate(), lane=Lane.PROTECT) == "1.3"
    assert decimal.getcontext().rounding == ours.rounding
    assert decimal.getcontext().traps == ours.traps


async def test_no_secret_is_in_any_text(venue: BinanceVenue, rig: Rig) -> None:
    texts = [repr(venue._settings)]
    for kind in ("abort", "http_503", "html", "half_json"):
        # aiohttp repeats a GET whose connection is cut, so a cut must last.
        fault = rig.faults.add(Fault(kind=kind, method="GET"))
        with pytest.raises((Unavailable, Incomplete)) as caught:
            await venue.observe()
        fault.times = 0
        texts.append(str(caught.value))
        rig.faults.add(Fault(kind=kind, method="POST", times=1))
        texts.append(
            repr(await venue.execute(an_intent_now(rig, add("1"), f"pl{kind[:4]}"), an_open_gate()))
        )
    together = " ".join(texts)
    assert "paper-secret" not in together
    assert "paper-key" not in together
    assert "signature" not in together


async def test_a_reduction_of_the_wrong_position_mode_makes_the_next_look_read_the_mode(
    authority: Path,
) -> None:
    engine = an_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        engine.set_hedge_mode(hedge=True)  # by a person, who then opens a leg
        engine.hold("SOLUSDT", D(50), leverage=10)
        reduce = ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))
        done = await venue.execute(an_intent_now(rig, reduce), an_open_gate())
        assert (done.outcome, done.code) == (Outcome.REJECTED, "-1106")
        assert (await venue.observe()).account.position_mode is PositionMode.HEDGE


@pytest.mark.parametrize(
    ("shown", "expected"), [("true", True), ('"true"', True), ("false", False), ('"off"', False)]
)
async def test_whether_the_venue_adds_margin_by_itself_is_read(
    rig: Rig, shown: str, expected: bool
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="symbolConfig",
            rewrite=lambda text: text.replace(
                '"isAutoAddMargin": false', f'"isAutoAddMargin": {shown}'
            ),
        )
    )
    async with connected(rig) as venue:
        position = (await venue.observe()).account.positions[0]
        assert position.venue_adds_margin is expected
