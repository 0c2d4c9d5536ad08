"""What is read of a request that left is the action that was sent, at every venue with a tongue."""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from bot.cards import ask
from bot.cards.bench import SOL, SOL_SHORT, Bench, add, bench_of, reduce, remove, transfer
from bot.cards.binance.tongue import BINANCE
from bot.cards.card import Result, Verdict
from bot.cards.page import as_json, text
from bot.cards.runner import all_cards
from bot.cards.scene import LONG, SHORT, Scene
from bot.cards.tongue import Said, Target
from bot.cards.tongues import TONGUES
from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, ReducePosition, RemoveMargin
from bot.domain.position import Side
from bot.exchanges.venues import VENUES
from bot.paper.desk import Asked

SCENES = {
    "long": (Scene(), SOL),
    "short": (Scene(held=(SHORT,)), SOL_SHORT),
    "long leg": (Scene(is_hedge=True, held=(LONG, SHORT)), SOL),
    "short leg": (Scene(is_hedge=True, held=(LONG, SHORT)), SOL_SHORT),
}


def told(action: Action, name: str, *, leg: Side | None, named: Side | None) -> Said:
    """Return what must be read of an action that left."""
    match action:
        case AddMargin() | RemoveMargin():
            symbol = action.key.symbol
            return Said(kind=action.kind, symbol=symbol, amount=action.amount, leg=named)
        case ReducePosition(key=key):
            return Said(
                kind=action.kind,
                symbol=key.symbol,
                amount=action.size,
                price=action.limit_price,
                leg=leg,
                trade="sell" if key.side is Side.LONG else "buy",
                only_reduces=True,
                is_immediate=True,
                name=name,
            )
        case PlaceStop() | CancelStop():
            return Said(kind=action.kind)
    route = (action.source, action.destination)
    return Said(kind=action.kind, route=route, currency=action.currency, amount=action.amount)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("venue", TONGUES)
async def test_what_is_read_of_a_write_is_the_action_that_was_sent(venue: str, scene: str) -> None:
    began, key = SCENES[scene]
    async with bench_of(began, venue=venue) as bench:
        amounts = (bench.marked(), bench.finest, D(1), D("12.5"))
        actions: list[Action] = [
            *(add(amount, key) for amount in amounts),
            *(remove(amount, key) for amount in amounts),
            *(transfer(amount) for amount in amounts),
            *(transfer(amount, "futures", "spot") for amount in amounts),
            reduce("7", key),
        ]
        for action in actions:
            await bench.rest()
            _, intent = await bench.send(action)
            said = bench.writes()[-1]
            if said.kind == "transfer":  # some venues take a name of ours here, some do not
                said = replace(said, name="")
            leg = key.side if began.is_hedge else None
            assert said == told(action, intent.id, leg=leg, named=bench.named(key))
        assert len(bench.writes()) == len(actions)


@pytest.mark.parametrize("venue", TONGUES)
async def test_of_a_stop_is_read_that_it_is_placed_or_taken_back(venue: str) -> None:
    async with bench_of(Scene(), venue=venue) as bench:
        stop = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)
        _, intent = await bench.send(stop)
        (mine,) = (await bench.venue.observe()).account.stops
        await bench.send(CancelStop(key=SOL, stop_id=mine.stop_id, client_id=intent.id))
        assert [said.kind for said in bench.writes()] == ["place_stop", "cancel_stop"]


@pytest.mark.parametrize("venue", TONGUES)
async def test_no_read_is_taken_for_a_write(venue: str) -> None:
    async with bench_of(Scene(), venue=venue) as bench:
        seen = await bench.venue.observe()
        await bench.venue.rows(seen.at)
        assert bench.wire.asked
        assert bench.writes() == []


@pytest.mark.parametrize("venue", TONGUES)
async def test_amounts_with_digits_of_their_own_differ_and_can_be_sent(venue: str) -> None:
    async with bench_of(Scene(), venue=venue) as bench:
        amounts = [bench.marked(number) for number in range(4)]
    row = VENUES[venue]
    assert len(set(amounts)) == len(amounts)
    assert all(amount % row.collateral_step == 0 for amount in amounts)
    assert all(amount % row.margin_step != 0 for amount in amounts)


@pytest.mark.parametrize("venue", TONGUES)
async def test_each_target_is_a_request_that_the_adapter_makes(venue: str) -> None:
    async with bench_of(Scene(), venue=venue) as bench:
        await use(bench)
        made = {(asked.method, asked.path) for asked in bench.wire.asked}
    missing = {t for t, where in TONGUES[venue].targets.items() if where not in made}
    assert missing == set()


async def use(bench: Bench) -> None:
    """Do everything once that cards aim at."""
    for action in (add("5"), transfer("5"), reduce("7")):
        _, intent = await bench.send(action)
        await bench.settle(intent)
    seen = await bench.venue.observe()
    await bench.venue.rows(seen.at)


# what a reader does not know is told, not passed over


@pytest.mark.parametrize("target", [Target.MARGIN, Target.ORDER, Target.TRANSFER])
async def test_a_word_beside_those_of_the_action_is_told(target: Target) -> None:
    async with bench_of(Scene(), venue="binanceusdm") as bench:
        await use(bench)
        where = BINANCE.targets[target]
        asked = next(a for a in bench.wire.asked if (a.method, a.path) == where)
    assert BINANCE.said(asked).more == ()
    assert BINANCE.said(worded(asked, "icebergQty=1")).more == (("icebergQty", "1"),)


@pytest.mark.parametrize("words", ["type=LIMIT", "newOrderRespType=RESULT"])
async def test_a_word_that_an_order_must_have_is_missed(words: str) -> None:
    async with bench_of(Scene(), venue="binanceusdm") as bench:
        await bench.send(reduce("7"))
        (asked,) = (a for a in bench.wire.asked if BINANCE.is_write(a))
    query, body = (part.replace(words, "x=") for part in (asked.query, asked.body.decode()))
    more = BINANCE.said(replace(asked, query=query, body=body.encode())).more
    assert (words.partition("=")[0], "") in more


def worded(asked: Asked, words: str) -> Asked:
    if asked.query:
        return replace(asked, query=f"{asked.query}&{words}")
    return replace(asked, body=asked.body + b"&" + words.encode())


@pytest.mark.parametrize(
    ("words", "only_reduces"),
    [
        ({"side": "SELL", "reduceOnly": "true"}, True),
        ({"side": "SELL", "reduceOnly": "false"}, False),
        ({"side": "SELL"}, False),
        ({"side": "SELL", "positionSide": "LONG"}, True),
        ({"side": "BUY", "positionSide": "LONG"}, False),
        ({"side": "SELL", "positionSide": "SHORT"}, False),
        ({"side": "SELL", "positionSide": "LONG", "reduceOnly": "true"}, False),
    ],
)
def test_an_order_only_reduces_by_the_flag_or_in_hedge_mode_by_the_side_of_its_leg(
    words: dict[str, str], only_reduces: bool
) -> None:
    every = {"symbol": "SOLUSDT", "quantity": "7", "price": "148.50", **words}
    query = "&".join(f"{name}={value}" for name, value in every.items())
    said = BINANCE.said(Asked(method="POST", path="/fapi/v1/order", query=query))
    assert said.only_reduces is only_reduces


# several venues side by side


def test_without_a_venue_every_one_that_cards_know_is_asked() -> None:
    assert ask.asked(None) == tuple(TONGUES)


def test_lines_and_rows_name_the_venue_where_there_are_several() -> None:
    card = all_cards()[0]
    passed = Result(card=card, verdict=Verdict.PASS)
    failed = Result(card=card, verdict=Verdict.FAIL, reason="size must be 50, was 49")
    both: dict[str, list[Any]] = {"here": [passed], "there": [failed]}
    assert text(both).splitlines() == [
        "here",
        "M1-01  pass isolated position",
        "1 passed, 0 skipped, 0 failed, 1 cards",
        "",
        "there",
        "M1-01  fail isolated position: size must be 50, was 49",
        "0 passed, 0 skipped, 1 failed, 1 cards",
    ]
    assert text({"here": [passed]}).startswith("M1-01")
    assert [(row["venue"], row["verdict"]) for row in as_json(both)] == [
        ("here", "pass"),
        ("there", "fail"),
    ]
