"""The Bybit adapter before the paper exchange that speaks Bybit, by unmodified ccxt calls."""

import itertools
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.errors import ConfigError, Denied, Incomplete, Unavailable
from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.bybit.write import NAMES, transfer_id
from bot.margin.assess import assess
from bot.paper.desk import Keys
from bot.paper.faults import Fault
from bot.paper.values import Ask
from bot.rebalance.decide import decide
from bot.rebalance.disputes import disputes
from bot.rebalance.memory import Memory, amount_of
from tests.kit.builders import a_policy, choose
from tests.kit.bybit import Rig, connected, serving
from tests.kit.fakes import an_open_gate
from tests.kit.paper import NAME, START, an_engine
from tests.kit.rigs import an_intent_now

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
SHORT = PositionKey("SOL/USDT:USDT", Side.SHORT)
BTC = PositionKey("BTC/USDT:USDT", Side.SHORT)
TRANSFER = Transfer(source="spot", destination="futures", amount=D("10.5"), currency="USDT")
REDUCE = ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))
STOP = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("BTCUSDT", D("-0.1"), leverage=20)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[BybitVenue]:
    async with connected(rig) as adapter:
        yield adapter


@pytest.fixture
async def hedged(authority: Path) -> AsyncIterator[Rig]:
    engine = an_engine()
    engine.hedge_mode = True
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("SOLUSDT", D(-20), leverage=10)
    async with serving(engine, authority) as served:
        yield served


def add(amount: str, key: PositionKey = SOL) -> AddMargin:
    return AddMargin(key=key, amount=D(amount), currency="USDT")


def remove(amount: str) -> RemoveMargin:
    return RemoveMargin(key=SOL, amount=D(amount), currency="USDT")


async def do(venue: BybitVenue, rig: Rig, action: Action, name: str = NAME) -> Any:
    return await venue.execute(an_intent_now(rig, action, name), an_open_gate())


async def test_one_look_has_positions_wallets_rules_prices_and_history(
    venue: BybitVenue, rig: Rig
) -> None:
    seen = await venue.observe()
    btc, sol = seen.account.positions
    assert (btc.key, sol.key) == (BTC, SOL)
    assert (sol.size, sol.margin_mode, sol.leverage_setting) == (D(50), MarginMode.ISOLATED, D(10))
    assert sol.margin == rig.engine.holdings["SOLUSDT", "BOTH"].margin
    wallets = {w.name: w for w in seen.account.wallets}
    assert wallets["futures"].total == rig.engine.cross["USDT"]
    assert wallets["futures"].free == rig.engine.available()
    assert wallets["spot"].total == D(5000)
    assert seen.account.position_mode is PositionMode.ONE_WAY
    assert len(seen.markets[0].bars.close) == 912
    assert seen.markets[0].bids[0].price < seen.markets[0].asks[0].price
    paths = {path for _, path, _ in rig.server.desk.requests}
    assert "/v5/market/mark-price-kline" in paths  # positions are liquidated on mark
    assert "/v5/market/kline" not in paths
    (rules,) = (i for i in seen.instruments if i.symbol == SOL.symbol)
    assert (rules.size_step, rules.taker_fee, rules.added_fee) == (D(1), D("0.0005"), D("0.0005"))


@pytest.mark.parametrize("moved", ["0", "250.5", "1234.5678"])
async def test_our_liquidation_price_is_the_venues_whatever_was_added(
    venue: BybitVenue, rig: Rig, moved: str
) -> None:
    for symbol in ("SOLUSDT", "BTCUSDT"):
        if D(moved):
            rig.engine.move_margin(symbol, "BOTH", D(moved), add=True)
    seen = await venue.observe()
    rules = {i.symbol: i for i in seen.instruments}
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol]).liquidation_price
        theirs = position.venue_liquidation_price
        assert ours is not None
        assert theirs is not None
        assert abs(ours - theirs) / theirs < D("0.0000001")
        plain = assess(position, replace(rules[position.symbol], added_fee=D(0)))
        assert plain.liquidation_price is not None
        if D(moved) and position.size < 0:  # without the rule we would hope for more than there is
            assert plain.liquidation_price > ours


async def test_a_venue_that_judges_otherwise_is_still_disputed(venue: BybitVenue, rig: Rig) -> None:
    seen = await venue.observe()
    rig.engine.grosses_added = False
    held = rig.engine.holdings["SOLUSDT", "BOTH"]
    held.margin += D(3)  # which the margin it shows does not have
    held.liquidation = None
    wrong = rig.engine.liquidation_price(held)
    held.margin -= D(3)
    held.liquidation = wrong
    seen = await venue.observe()
    found = disputes(decide(seen, Memory(), a_policy(), choose=choose), most=D("0.0001"))
    assert list(found) == [str(SOL)]


@pytest.mark.parametrize("amount", ["12.75", "0.75", "0.0001", "1234.5678"])
async def test_exactly_the_planned_amount_arrives(venue: BybitVenue, rig: Rig, amount: str) -> None:
    await venue.observe()
    done = await do(venue, rig, add(amount))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(amount))
    assert rig.engine.margin_moves[-1].amount == D(amount)
    assert rig.said("position/add-margin") == {
        "category": "linear", "symbol": "SOLUSDT", "margin": amount, "positionIdx": 0,
    }  # fmt: skip


async def test_margin_is_removed_with_a_negative_amount(venue: BybitVenue, rig: Rig) -> None:
    await do(venue, rig, add("100"))
    done = await do(venue, rig, remove("50.2501"), "pltest0001000002")
    assert (done.outcome, done.applied) == (Outcome.DONE, D("50.2501"))
    assert rig.engine.margin_moves[-1].amount == D("-50.2501")
    assert rig.said("position/add-margin")["margin"] == "-50.2501"


async def test_the_margin_that_is_seen_moves_by_exactly_what_was_moved(
    venue: BybitVenue, rig: Rig
) -> None:
    def margins(seen: Any) -> dict[PositionKey, D]:
        return {p.key: p.margin for p in seen.account.positions}

    before = margins(await venue.observe())
    rig.engine.move_margin("SOLUSDT", "BOTH", D("77.1234"), add=True)
    rig.engine.move_margin("BTCUSDT", "BOTH", D("33.0001"), add=True)
    await rig.pace.sleep(120)  # and mark with it
    after = margins(await venue.observe())
    assert after[SOL] - before[SOL] == D("77.1234")
    assert after[BTC] - before[BTC] == D("33.0001")


async def test_a_reduction_is_immediate_or_cancel_reduce_only_under_our_id(
    venue: BybitVenue, rig: Rig
) -> None:
    done = await do(venue, rig, REDUCE)
    assert (done.outcome, done.applied) == (Outcome.DONE, D(7))
    assert rig.said("order/create") == {
        "category": "linear", "symbol": "SOLUSDT", "side": "Sell", "orderType": "Limit",
        "qty": "7", "price": "149.00", "timeInForce": "IOC", "positionIdx": 0,
        "orderLinkId": NAME, "reduceOnly": True,
    }  # fmt: skip
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(43)


async def test_what_a_reduction_could_not_fill_is_told(venue: BybitVenue, rig: Rig) -> None:
    far = ReducePosition(key=SOL, size=D(7), limit_price=D("155.00"))
    done = await do(venue, rig, far)
    assert (done.outcome, done.applied) == (Outcome.DONE, D(0))
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(50)


async def test_the_same_id_twice_is_unknown_and_changes_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    for action, code in ((REDUCE, "110072"), (TRANSFER, "131214")):
        intent = an_intent_now(rig, action, f"pltest000100000{code[-1]}")
        assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
        again = await venue.execute(intent, an_open_gate())
        assert (again.outcome, again.code) == (Outcome.UNKNOWN, code)
        assert (await venue.settle(intent)).applied == amount_of(action)
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(43)
    assert len(rig.engine.transfers) == 1


async def test_a_transfer_takes_the_raw_route_under_a_uuid_of_its_own(
    venue: BybitVenue, rig: Rig
) -> None:
    assert (await do(venue, rig, TRANSFER)).outcome is Outcome.DONE
    said = rig.said("asset/transfer/inter-transfer")
    assert (said["fromAccountType"], said["toAccountType"]) == ("FUND", "UNIFIED")
    assert (said["amount"], said["coin"]) == ("10.5", "USDT")
    assert said["transferId"] == str(uuid.uuid5(uuid.UUID(bytes=NAMES), NAME))
    assert said["transferId"] == transfer_id(NAME) != transfer_id("pltest0001000002")
    assert rig.engine.spot["USDT"] == D("4989.5")


async def test_a_transfer_on_its_way_is_neither_there_nor_absent(
    venue: BybitVenue, rig: Rig
) -> None:
    rig.engine.transfer_delay_ms = 60_000
    intent = an_intent_now(rig, TRANSFER)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied is None
    await rig.pace.sleep(61)
    assert (await venue.settle(intent)).applied == D("10.5")


async def test_hedge_mode_is_detected_and_each_write_names_its_leg(hedged: Rig) -> None:
    async with connected(hedged) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [p.key for p in seen.account.positions] == [SOL, SHORT]
        for key, leg in ((SOL, 1), (SHORT, 2)):
            name = f"pltest000100000{leg}"
            done = await do(venue, hedged, add("12.75", key), name)
            assert (done.outcome, done.applied) == (Outcome.DONE, D("12.75"))
            assert hedged.said("position/add-margin")["positionIdx"] == leg
            assert (await venue.settle(an_intent_now(hedged, add("12.75", key), name))).applied
        buy = ReducePosition(key=SHORT, size=D(5), limit_price=D("151.00"))
        done = await do(venue, hedged, buy, "pltest0001000009")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(5))
        said = hedged.said("order/create")
        assert (said["side"], said["positionIdx"], said["reduceOnly"]) == ("Buy", 2, True)
        assert hedged.engine.holdings["SOLUSDT", "SHORT"].amount == D(-15)
        stop = PlaceStop(key=SHORT, size=D(15), stop_price=D("160.00"), is_needed=True)
        assert (await do(venue, hedged, stop, "plabcd0001000001")).outcome is Outcome.DONE
        said = hedged.said("order/create")
        assert (said["positionIdx"], said["triggerDirection"]) == (2, 1)
        (found,) = (await venue.observe()).account.stops
        assert (found.key, found.size, found.is_ours) == (SHORT, D(15), True)


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        pytest.param("-5", "finite and > 0", id="negative"),
        pytest.param("0", "finite and > 0", id="zero"),
        pytest.param("NaN", "finite and > 0", id="NaN"),
        pytest.param("Infinity", "finite and > 0", id="infinite"),
        pytest.param("1.00001", "multiple of 0.0001", id="too precise"),
    ],
)
async def test_an_impossible_amount_never_leaves(
    venue: BybitVenue, rig: Rig, amount: str, why: str
) -> None:
    await venue.observe()
    before = len(rig.server.desk.requests)
    for action in (add(amount), remove(amount), replace(TRANSFER, amount=D(amount))):
        done = await do(venue, rig, action)
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
        pytest.param("timeout_1007", Outcome.UNKNOWN, True, id="10000"),
        pytest.param("html", Outcome.UNKNOWN, False, id="a page"),
        pytest.param("empty", Outcome.UNKNOWN, False, id="nothing"),
        pytest.param("half_json", Outcome.UNKNOWN, True, id="half a body"),
        pytest.param("rate_429", Outcome.REJECTED, False, id="10006"),
    ],
)
async def test_a_write_is_sent_once_and_what_is_not_proven_is_unknown(
    venue: BybitVenue, rig: Rig, kind: str, outcome: Outcome, has_effect: bool
) -> None:
    await venue.observe()
    fault = rig.faults.add(Fault(kind=kind, method="POST", path="add-margin"))  # type: ignore[arg-type]  # a kind
    done = await do(venue, rig, add("12.75"))
    assert done.outcome is outcome, done
    assert fault.hits == 1
    assert bool(rig.engine.margin_moves) is has_effect


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda _: "[]", id="a list"),
        pytest.param(lambda _: "{}", id="an empty object"),
        pytest.param(lambda t: t.replace("SOLUSDT", "BTCUSDT"), id="another symbol"),
        pytest.param(lambda t: t.replace('"positionIdx": 0', '"positionIdx": 1'), id="other leg"),
        pytest.param(lambda t: t.replace('"positionIdx": 0', '"positionIdx": false'), id="no leg"),
        pytest.param(lambda t: t.replace('"size": "50"', '"size": "0"'), id="no position"),
        pytest.param(lambda t: t.replace('"retCode": 0', '"retCode": 123456'), id="unlisted code"),
        pytest.param(lambda t: t.replace('"retCode": 0', '"retCode": false'), id="no code"),
    ],
)
async def test_an_answer_that_does_not_confirm_the_request_is_unknown(
    venue: BybitVenue, rig: Rig, changed: object
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path="add-margin", rewrite=changed))  # type: ignore[arg-type]  # text to text
    done = await do(venue, rig, add("12.75"))
    assert done.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(add("99999999"), "110014", id="more than there is"),
        pytest.param(remove("700"), "110011", id="more than is let out"),
        pytest.param(replace(TRANSFER, amount=D(999999)), "131212", id="more than is held"),
        pytest.param(replace(REDUCE, limit_price=D("100.00")), "110003", id="out of bounds"),
        pytest.param(replace(STOP, stop_price=D("160.00")), "110093", id="would fire"),
    ],
)
async def test_a_refusal_with_a_listed_code_is_rejected(
    venue: BybitVenue, rig: Rig, action: Action, code: str
) -> None:
    await venue.observe()
    done = await do(venue, rig, action)
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)


async def test_a_refused_connection_is_rejected_since_nothing_left(authority: Path) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        await venue.observe()
        assert rig.server._runner is not None
        await rig.server._runner.cleanup()
        done = await do(venue, rig, add("1"))
        assert (done.outcome, done.code) == (Outcome.REJECTED, "not_connected")
        with pytest.raises(Unavailable):
            await venue.observe()


ASKED = ("position/list", "wallet-balance", "account/info", "account/withdrawal", "market/tickers",
         "coins-balance", "market/orderbook")  # fmt: skip


@pytest.mark.parametrize("kind", ["abort", "http_503", "html", "empty", "half_json", "rate_429",
                                  "ban_418"])  # fmt: skip
@pytest.mark.parametrize("path", ASKED)
async def test_a_look_that_fails_in_any_part_fails_as_a_whole(
    venue: BybitVenue, rig: Rig, kind: str, path: str
) -> None:
    rig.faults.add(Fault(kind=kind, path=path))  # type: ignore[arg-type]  # a kind
    with pytest.raises((Incomplete, Unavailable)):
        await venue.observe()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("position/list", "markPrice"),
        ("position/list", "positionIM"),
        ("position/list", "avgPrice"),
        ("position/list", "size"),
        ("position/list", "positionMM"),
        ("position/list", "leverage"),
        ("position/list", "autoAddMargin"),
        ("wallet-balance", "walletBalance"),
        ("wallet-balance", "totalPositionIM"),
        ("account/withdrawal", "USDT"),
        ("market/tickers", "markPrice"),
        ("coins-balance", "transferBalance"),
    ],
)
@pytest.mark.parametrize("value", ["null", '"NaN"', '"1e400"', '"-1e30"', "true", "[]"])
async def test_a_broken_number_is_named_and_never_guessed(
    venue: BybitVenue, rig: Rig, path: str, field: str, value: str
) -> None:
    def broken(text: str) -> str:
        return re.sub(rf'"{field}": ("[^"]*"|[-\d.]+)', f'"{field}": {value}', text)

    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=broken))
    with pytest.raises(Incomplete) as caught:
        await venue.observe()
    assert field in str(caught.value) or "must need the same margin" in str(caught.value)


@pytest.mark.parametrize("field", ["size", "markPrice", "avgPrice", "positionMM"])
async def test_an_empty_number_is_no_number(venue: BybitVenue, rig: Rig, field: str) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="position/list",
            rewrite=lambda t: re.sub(rf'"{field}": "[^"]*"', f'"{field}": ""', t),
        )
    )
    with pytest.raises(Incomplete, match=field):
        await venue.observe()


@pytest.mark.parametrize(
    "emptied",
    [
        pytest.param(
            lambda t: re.sub(r'"list": \[.*\], "nextP', '"list": [], "nextP', t), id="all"
        ),
        pytest.param(
            lambda t: re.sub(r'"list": \[\{.*?\}, ', '"list": [', t, count=1), id="one of two"
        ),
    ],
)
async def test_a_shorter_list_of_positions_is_not_flat_while_the_account_needs_their_margin(
    venue: BybitVenue, rig: Rig, emptied: Any
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="position/list", rewrite=emptied))
    with pytest.raises(Incomplete, match="must need the same margin"):
        await venue.observe()


async def test_every_page_of_positions_is_read(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.exchanges.bybit.adapter.POSITIONS_PAGE", 1)
    async with connected(rig) as venue:
        assert len((await venue.observe()).account.positions) == 2


async def test_a_list_that_does_not_end_is_incomplete(venue: BybitVenue, rig: Rig) -> None:
    again = Fault(
        kind="rewrite",
        path="position/list",
        rewrite=lambda t: t.replace('"nextPageCursor": ""', '"nextPageCursor": "offset%3A0"'),
    )
    rig.faults.add(again)
    with pytest.raises(Incomplete, match="nextPageCursor"):
        await venue.observe()


async def test_an_inverse_position_is_named_and_nothing_is_decided_beside_it(
    venue: BybitVenue, rig: Rig
) -> None:
    row = '{"symbol": "BTCUSD", "side": "Buy", "size": "100"}'
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="position/list",
            rewrite=lambda t: t.replace('"category": "inverse", "list": []',
                                        f'"category": "inverse", "list": [{row}]'),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="must be linear to be protected, were also BTCUSD"):
        await venue.observe()


@pytest.mark.parametrize("mode", ["REGULAR_MARGIN", "PORTFOLIO_MARGIN"])
async def test_in_another_margin_mode_positions_are_shown_as_cross(
    venue: BybitVenue, rig: Rig, mode: str
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="account/info",
            rewrite=lambda t: t.replace("ISOLATED_MARGIN", mode),
        )
    )
    if mode == "PORTFOLIO_MARGIN":
        rig.faults.add(Fault(kind="rewrite", path="position/list", rewrite=_as_in_a_portfolio))
    seen = await venue.observe()
    assert {p.margin_mode for p in seen.account.positions} == {MarginMode.CROSS}
    assert {p.margin for p in seen.account.positions} == {D(0)}
    (unified,) = (w for w in seen.account.wallets if w.name == "futures")
    assert unified.total == rig.engine.wallet_balance()


def _as_in_a_portfolio(text: str) -> str:
    return re.sub(r'"(positionIM|positionMM|leverage|liqPrice)": "[^"]*"', r'"\1": ""', text)


async def test_an_account_that_is_not_unified_is_denied(venue: BybitVenue, rig: Rig) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="account/info",
            rewrite=lambda t: t.replace('"unifiedMarginStatus": 6', '"unifiedMarginStatus": 1'),
        )
    )
    with pytest.raises(Denied, match="unified"):
        await venue.observe()


async def test_a_revoked_key_is_denied(venue: BybitVenue, rig: Rig) -> None:
    rig.server.desk.keys = Keys(is_valid=False)
    with pytest.raises(Denied, match="33004"):
        await venue.observe()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param(lambda t: t.replace('"AccountTransfer"', '"AccountTransfer", "Withdraw"'),
                     "withdraw", id="may withdraw"),
        pytest.param(lambda t: t.replace('"readOnly": 0', '"readOnly": 1'), "trade", id="read"),
        pytest.param(lambda t: t.replace('"Position"', '"Other"'), "trade", id="no positions"),
        pytest.param(lambda t: t.replace('"AccountTransfer"', ""), "transfer", id="no transfers"),
    ],
)  # fmt: skip
async def test_a_key_with_the_wrong_rights_is_refused_at_start(
    rig: Rig, changed: Any, why: str
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="query-api", rewrite=changed))
    with pytest.raises(Denied, match=why):
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


@pytest.mark.parametrize(("shown", "expected"), [(1, True), (0, False)])
async def test_whether_the_venue_adds_margin_by_itself_is_read(
    venue: BybitVenue, rig: Rig, shown: int, expected: bool
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="position/list",
            rewrite=lambda t: t.replace('"autoAddMargin": 0', f'"autoAddMargin": {shown}'),
        )
    )
    assert (await venue.observe()).account.positions[0].venue_adds_margin is expected


# what became of what is unknown


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(add("12.7501"), id="add"),
        pytest.param(remove("5.0001"), id="remove"),
        pytest.param(REDUCE, id="order"),
        pytest.param(TRANSFER, id="transfer"),
        pytest.param(STOP, id="stop"),
    ],
)
@pytest.mark.parametrize("has_effect", [True, False])
async def test_an_unknown_effect_is_settled_by_what_the_venue_shows(
    venue: BybitVenue, rig: Rig, action: Action, has_effect: bool
) -> None:
    rig.engine.move_margin("SOLUSDT", "BOTH", D(50), add=True)
    await venue.observe()
    kind = "abort_after" if has_effect else "abort"
    rig.faults.add(Fault(kind=kind, method="POST", times=1))  # type: ignore[arg-type]  # a kind
    intent = an_intent_now(rig, action)
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    await rig.pace.sleep(1)
    assert (await venue.settle(intent)).applied == (amount_of(action) if has_effect else D(0))
    await rig.pace.sleep(60)
    await venue.observe()
    assert (await venue.settle(intent)).applied == (amount_of(action) if has_effect else D(0))


async def test_two_unknown_moves_of_one_position_are_told_apart(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    first = an_intent_now(rig, add("12.7501"), "plone")
    second = an_intent_now(rig, add("20.0002"), "pltwo")
    rig.faults.add(Fault(kind="abort", method="POST", times=1))
    await venue.execute(first, an_open_gate())
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    await venue.execute(second, an_open_gate())
    assert (await venue.settle(first)).applied == 0
    assert (await venue.settle(second)).applied == D("20.0002")


async def test_what_somebody_else_moved_beside_it_proves_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, add("12.7501"))
    await venue.execute(intent, an_open_gate())
    rig.engine.move_margin("SOLUSDT", "BOTH", D(9), add=True)
    assert (await venue.settle(intent)).applied is None


async def test_a_move_after_a_reduction_is_found_all_the_same(venue: BybitVenue, rig: Rig) -> None:
    await venue.observe()
    await do(venue, rig, REDUCE, "plone")
    intent = an_intent_now(rig, add("105.0003"), "pltwo")
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
    assert (await venue.settle(intent)).applied == D("105.0003")


async def test_a_run_that_did_not_see_the_position_before_proves_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    intent = an_intent_now(rig, add("12.7501"))
    await venue.execute(intent, an_open_gate())
    async with connected(rig) as later:
        await later.observe()
        assert (await later.settle(intent)).applied is None


async def test_a_position_that_is_gone_or_changed_proves_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="abort", method="POST", times=2))
    intents = [an_intent_now(rig, add("12.7501"), "plone"),
               an_intent_now(rig, add("9.0007", BTC), "pltwo")]  # fmt: skip
    for intent in intents:
        await venue.execute(intent, an_open_gate())
    rig.engine.deleverage("SOLUSDT", "BOTH", D(20))
    rig.engine.deleverage("BTCUSDT", "BOTH", D("0.1"))
    await venue.observe()
    assert [(await venue.settle(intent)).applied for intent in intents] == [None, None]


# stops


async def test_a_stop_is_reduce_only_on_mark_under_our_id_and_is_taken_back(
    venue: BybitVenue, rig: Rig
) -> None:
    name = "plabcd0001000001"
    assert (await do(venue, rig, STOP, name)).outcome is Outcome.DONE
    assert rig.said("order/create") == {
        "category": "linear", "symbol": "SOLUSDT", "side": "Sell", "orderType": "Market",
        "qty": "50", "triggerPrice": "140.00", "triggerDirection": 2, "triggerBy": "MarkPrice",
        "timeInForce": "IOC", "positionIdx": 0, "orderLinkId": name, "reduceOnly": True,
        "closeOnTrigger": True,
    }  # fmt: skip
    (stop,) = (await venue.observe()).account.stops
    assert (stop.key, stop.size, stop.stop_price) == (SOL, D(50), D("140.00"))
    assert (stop.client_id, stop.on_mark, stop.is_ours) == (name, True, True)
    gone = CancelStop(key=SOL, stop_id=stop.stop_id, client_id=name)
    assert (await do(venue, rig, gone, "plabcd0001000002")).outcome is Outcome.DONE
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1
    again = await do(venue, rig, gone, "plabcd0001000003")
    assert (again.outcome, again.code) == (Outcome.REJECTED, "110001")


async def test_a_stop_for_whatever_is_open_names_no_quantity(venue: BybitVenue, rig: Rig) -> None:
    assert (await do(venue, rig, replace(STOP, size=None))).outcome is Outcome.DONE
    assert rig.said("order/create")["qty"] == "0"
    assert (await venue.observe()).account.stops[0].size is None


async def test_stops_of_others_are_seen_and_what_opens_or_takes_profit_is_none(
    venue: BybitVenue, rig: Rig
) -> None:
    def by_hand(**changes: object) -> None:
        values: dict[str, object] = {
            "symbol": "SOLUSDT", "side": "SELL", "type": "STOP_MARKET", "size": D(10),
            "stop": D("141.00"), "reduce_only": True, "client_id": "web", "conditional": True,
        }  # fmt: skip
        rig.engine.place(Ask(**(values | changes)))  # type: ignore[arg-type]  # any field by name

    by_hand()
    by_hand(client_id="opens", reduce_only=False, side="BUY", stop=D("170.00"))
    (stop,) = (await venue.observe()).account.stops
    assert (stop.is_ours, stop.on_mark, stop.size) == (False, False, D(10))
    await rig.pace.sleep(61)
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="order/realtime",
            rewrite=lambda t: t.replace('"triggerDirection": 2', '"triggerDirection": 1'),
        )
    )
    assert (await venue.observe()).account.stops == ()


@pytest.mark.parametrize("stop_id", ["", "a/b", "x" * 65, "\u0661"])
async def test_a_stop_with_an_odd_id_is_not_taken_back(
    venue: BybitVenue, rig: Rig, stop_id: str
) -> None:
    before = len(rig.server.desk.requests)
    done = await do(venue, rig, CancelStop(key=SOL, stop_id=stop_id, client_id=NAME))
    assert done.outcome is Outcome.REJECTED
    assert len(rig.server.desk.requests) == before


# the ledger


async def test_transfers_have_both_ends_and_their_exact_instant(
    venue: BybitVenue, rig: Rig
) -> None:
    await rig.pace.sleep(0.7)
    await do(venue, rig, TRANSFER, "plone")
    back = Transfer(source="futures", destination="spot", amount=D("4.25"), currency="USDT")
    await do(venue, rig, back, "pltwo")
    found = await venue.rows(START - timedelta(seconds=1))
    moves = [(r.kind, r.amount, r.wallet, r.other) for r in found]
    assert moves == [
        (RowKind.TRANSFER_IN, D("10.5"), "futures", "spot"),
        (RowKind.TRANSFER_OUT, D("-4.25"), "futures", "spot"),
    ]
    stamps = [int(row.at.timestamp() * 1000) for row in found]
    assert stamps == [moved.at_ms for moved in rig.engine.transfers]
    assert await venue.rows(START - timedelta(seconds=1)) == found


async def test_funding_fees_and_profit_are_lines_and_margin_is_none(
    venue: BybitVenue, rig: Rig
) -> None:
    await do(venue, rig, REDUCE, "plone")
    await do(venue, rig, add("12.5"), "pltwo")
    rig.engine.pay_funding()
    found = await venue.rows(START - timedelta(seconds=1))
    kinds = {row.kind for row in found}
    assert kinds == {RowKind.FEE, RowKind.REALIZED_PNL, RowKind.FUNDING}
    assert sum(row.amount for row in found) == sum(line.amount for line in rig.engine.income)
    assert {row.symbol for row in found} == {"SOL/USDT:USDT", "BTC/USDT:USDT"}
    assert len({row.id for row in found}) == len(found)


async def test_a_transfer_from_a_wallet_that_is_not_ours_comes_from_outside(rig: Rig) -> None:
    async with connected(rig, wallets=("futures",)) as venue:
        await do(venue, rig, TRANSFER)
        (row,) = await venue.rows(START - timedelta(seconds=1))
        assert (row.kind, row.amount, row.other) == (RowKind.TRANSFER_IN, D("10.5"), "")


async def test_every_page_of_the_ledger_is_read(venue: BybitVenue, rig: Rig) -> None:
    for _ in range(60):
        rig.engine.pay_funding()
    found = await venue.rows(START - timedelta(days=20))
    assert len(found) == 120


async def test_hours_of_mark_and_glances_are_read(venue: BybitVenue, rig: Rig) -> None:
    hours = await venue.marks("SOL/USDT:USDT", rig.pace.now() - timedelta(days=3))
    assert [b.opened_at - a.opened_at for a, b in itertools.pairwise(hours)] == [
        timedelta(hours=1)
    ] * (len(hours) - 1)
    assert len(hours) == 72
    marks = await venue.glance(["SOL/USDT:USDT", "BTC/USDT:USDT"])
    assert marks["SOL/USDT:USDT"] == rig.engine.quotes["SOLUSDT"].mark


# limits


async def test_too_many_requests_stop_all_asking_until_the_venue_says(
    venue: BybitVenue, rig: Rig
) -> None:
    fault = rig.faults.add(Fault(kind="rate_429", path="add-margin", times=1))
    await venue.observe()
    assert (await do(venue, rig, add("1"))).code == "10006"
    assert fault.hits == 1
    before = len(rig.server.desk.requests)
    with pytest.raises(Unavailable):
        await venue.observe()
    assert len(rig.server.desk.requests) == before
    await rig.pace.sleep(7)
    await venue.observe()


async def test_a_shut_out_is_kept_for_ten_minutes(venue: BybitVenue, rig: Rig) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="ban_418", path="tickers", times=1))
    with pytest.raises(Unavailable):
        await venue.observe()
    condition = venue.condition()
    assert condition.is_banned
    assert "403" in condition.ban
    await rig.pace.sleep(590)
    assert venue.condition().is_banned
    await rig.pace.sleep(16)
    await venue.observe()


async def test_the_venues_own_count_is_kept_below_half(venue: BybitVenue, rig: Rig) -> None:
    for _ in range(30):
        await venue.observe()
    assert rig.server.desk.limits.address.most <= 300


async def test_no_secret_is_in_any_text(venue: BybitVenue, rig: Rig) -> None:
    texts = [repr(venue._settings)]
    for kind in ("abort", "http_503", "html", "half_json"):
        fault = rig.faults.add(Fault(kind=kind, method="GET"))
        with pytest.raises((Unavailable, Incomplete)) as caught:
            await venue.observe()
        fault.times = 0
        texts.append(str(caught.value))
        rig.faults.add(Fault(kind=kind, method="POST", times=1))
        texts.append(repr(await do(venue, rig, add("1"), f"pl{kind[:4]}")))
    together = " ".join(texts)
    assert "paper-secret" not in together
    assert "paper-key" not in together
