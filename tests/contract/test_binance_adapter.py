"""What of looking and writing is Binance's own?"""

import decimal
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.intent import Outcome
from bot.domain.position import PositionMode
from bot.errors import Incomplete
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.dialect import Expected
from bot.exchanges.quota import Lane
from bot.paper.faults import Fault
from tests.kit.binance import Rig, connected, serving
from tests.kit.fakes import OpenGate, an_open_gate
from tests.kit.liquidations import farthest
from tests.kit.moves import SOL_SHORT, add, move, reduce, remove
from tests.kit.paper import NAME, a_hedged_engine, an_engine
from tests.kit.rigs import an_intent_now, send


@pytest.fixture
async def rig(rig: Rig) -> Rig:
    """The exchange of all, where a short is held as well."""
    rig.engine.hold("BTCUSDT", D("-0.1"), leverage=20)
    return rig


async def test_one_look_has_history_on_mark(venue: BinanceVenue, rig: Rig) -> None:
    seen = await venue.observe()
    assert len(seen.markets[0].bars.close) == 912
    assert rig.count("fapi/v1/markPriceKlines")  # positions are liquidated on mark
    assert not rig.count("fapi/v1/klines")


async def test_our_liquidation_price_is_the_venues(venue: BinanceVenue) -> None:
    assert farthest(await venue.observe()) < D("0.000005")  # a twentieth of a basis point


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.01", "1234.56"])
async def test_exactly_the_planned_amount_arrives_on_an_integer_lot_symbol(
    venue: BinanceVenue, rig: Rig, amount: str
) -> None:
    done = await send(venue, rig, add(amount))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    method, path, request = rig.desk.requests[-1]
    assert (method, path) == ("POST", "/fapi/v1/positionMargin")
    assert request.parameters["amount"] == amount


async def test_margin_is_removed_with_a_positive_amount_and_type_two(
    venue: BinanceVenue, rig: Rig
) -> None:
    await send(venue, rig, add("100"))
    done = await send(venue, rig, remove("50.25"))
    assert done.outcome is Outcome.DONE
    assert rig.engine.margin_moves[-1].amount == D("-50.25")
    assert rig.desk.requests[-1][2].parameters["type"] == "2"


async def test_a_reduction_is_immediate_or_cancel_reduce_only_under_our_id(
    venue: BinanceVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce())
    assert (done.outcome, done.applied) == (Outcome.DONE, D(7))
    sent = rig.desk.requests[-1][2].parameters
    assert sent["reduceOnly"] == "true"
    assert sent["timeInForce"] == "IOC"
    assert sent["newClientOrderId"] == NAME
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(43)


async def test_a_transfer_takes_the_raw_route(venue: BinanceVenue, rig: Rig) -> None:
    done = await send(venue, rig, move())
    assert done.outcome is Outcome.DONE
    assert rig.engine.transfers[-1].amount == D("10.5")


async def test_hedge_mode_is_detected_and_names_the_leg(authority: Path) -> None:
    engine = a_hedged_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert len(seen.account.positions) == 2
        await send(venue, rig, add("12.75"), "plone")
        assert rig.desk.requests[-1][2].parameters["positionSide"] == "LONG"
        done = await send(venue, rig, reduce("5", "151.00", SOL_SHORT), "pltwo")
        assert done.outcome is Outcome.DONE
        sent = rig.desk.requests[-1][2].parameters
        assert (sent["side"], sent["positionSide"]) == ("BUY", "SHORT")
        assert "reduceOnly" not in sent
        assert engine.holdings["SOLUSDT", "SHORT"].amount == D(-15)


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
    done = await send(venue, rig, add("12.75"))
    assert done.outcome is Outcome.UNKNOWN


async def test_a_refusal_with_a_listed_code_is_rejected(venue: BinanceVenue, rig: Rig) -> None:
    done = await send(venue, rig, add("99999999"))
    assert (done.outcome, done.code) == (Outcome.REJECTED, "-2019")


async def test_an_empty_list_of_positions_is_not_flat_while_the_account_shows_them(
    venue: BinanceVenue, rig: Rig
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="positionRisk", rewrite=lambda _: "[]"))
    with pytest.raises(Incomplete, match="must show the same amounts"):
        await venue.observe()


async def test_a_transfer_on_its_way_is_neither_there_nor_absent(
    venue: BinanceVenue, rig: Rig
) -> None:
    rig.engine.transfer_delay_ms = 60_000
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, move())
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


async def test_a_reduction_of_the_wrong_position_mode_makes_the_next_look_read_the_mode(
    authority: Path,
) -> None:
    engine = an_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        engine.set_hedge_mode(hedge=True)  # by a person, who then opens a leg
        engine.hold("SOLUSDT", D(50), leverage=10)
        done = await send(venue, rig, reduce())
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
