from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.action import AddMargin
from bot.domain.band import Levels, LeverageBand
from bot.domain.decision import Decision
from bot.domain.market import BookLevel, Market
from bot.domain.observation import Observation
from bot.domain.position import Side
from bot.domain.risk import PositionRisk
from bot.leverage import distance, purse
from bot.leverage.claimant import Claimant, Offer
from bot.margin.assess import assess
from bot.margin.bands import band_at_distances
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from bot.rebalance.sharing import Shares, at_once, shared
from bot.rebalance.sizing import margin_need, required
from tests.kit.builders import (
    BTC,
    COIN,
    ETH,
    a_coin_instrument,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
    tiers,
)

TRIGGERS = {BTC: D("0.10"), ETH: D("0.10")}


def choose(risk: PositionRisk, market: Market) -> LeverageBand:
    trigger = TRIGGERS[market.symbol]
    levels = Levels(
        emergency=trigger / 2, trigger=trigger, target=trigger * 2, give_back=trigger * 3
    )
    return replace(band_at_distances(risk, levels), volatility=D("0.01"))


def decided(observation: Observation, memory: Memory | None = None) -> Decision:
    return decide(observation, memory or Memory(), a_policy(), choose=choose)


def added(decision: Decision) -> dict[str, D]:
    return {
        s.action.key.symbol: s.action.amount
        for s in decision.approved
        if isinstance(s.action, AddMargin) and not s.action.after_reduction
    }


def a_claimant(
    symbol: str = BTC,
    *,
    margin: str,
    least: str = "1",
    closable: str = "0",
    spread: str = "0.0005",
    depth: str | None = "1000",
) -> Claimant:
    """A position of 60,000 that is endangered below 10 % and aims at 20 %."""
    size = "1" if symbol == BTC else "20"
    price = "60000" if symbol == BTC else "3000"
    risk = assess(
        a_position(symbol, size=size, entry=price, mark=price, margin=margin),
        an_instrument(symbol),
    )
    need = margin_need(risk, distance=D("0.1"))
    best = D(price) * (1 - D(spread))
    levels = () if depth is None else (BookLevel(price=best, size=D(depth)),)
    return Claimant(
        risk=risk,
        trigger=D("0.1"),
        required=required(risk, distance=D("0.1")),
        need=need,
        to_trigger=need,
        to_target=margin_need(risk, distance=D("0.2")),
        least=D(least),
        is_measured=True,
        offer=Offer(
            levels=levels,
            nearest=levels[0].price if levels else D(price) * D("0.97"),
            size=D(closable) * D(size),
            aim=margin_need(risk, distance=D("0.2")),
            required=required(risk, distance=D("0.2")),
        ),
    )


PAIR = (a_claimant(ETH, margin="5600"), a_claimant(margin="5800"))
"""To the trigger 620 and 420, to the target 6,590 and 6,390 in all."""


def test_what_reaches_beyond_all_triggers_puts_them_equally_far_beyond() -> None:
    btc = a_position(BTC, margin="5800")
    eth = a_position(ETH, size="20", entry="3000", mark="3000", margin="5600")
    found = added(decided(an_observation(btc, eth, futures="5000.02")))
    # Both of 60,000 and one table: the same equity is the same distance.
    assert found == {BTC: D(2400), ETH: D(2600)}


def test_triggers_that_measure_nothing_are_reached_and_then_the_most_endangered_goes_on() -> None:
    plain = (PAIR[0], replace(PAIR[1], is_measured=False))
    assert shared(plain, D(5000)).amounts == (D(5000) - PAIR[1].need, PAIR[1].need)
    assert at_once(plain, shared(plain, D(20_000)), D(500)).amounts == (D(350), D(150))


def test_more_equity_is_asked_of_who_has_the_wider_trigger() -> None:
    shares = shared((PAIR[0], replace(PAIR[1], trigger=D("0.2"), need=D(6390))), D(3000))
    assert shares.doubt == ""
    eth, btc = shares.amounts
    assert D(2999) < eth + btc <= 3000
    # Alike in all else it is to stand twice as far: it gets nearly all before the other gets any.
    assert btc > eth


def test_what_is_here_is_shared_evenly_although_the_rest_is_on_its_way() -> None:
    shares = shared(PAIR, D(20_000))
    near = at_once(PAIR, shares, D(500))
    assert near.doubt == ""
    assert near.amounts == (D(350), D(150))
    assert at_once(PAIR, shares, D(20_000)) == shares


def test_a_share_smaller_than_the_least_move_is_none() -> None:
    nearly = (PAIR[0], replace(PAIR[1], least=D(200)))
    assert at_once(nearly, shared(nearly, D(20_000)), D(500)).amounts == (D(350), D(0))


def test_who_may_get_no_margin_leaves_it_to_the_other() -> None:
    barred = (replace(PAIR[0], to_trigger=D(0), to_target=D(0)), PAIR[1])
    assert shared(barred, D(100)).amounts == (D(0), D(100))


def broken(*amounts: str) -> Callable[..., tuple[D, ...]]:
    return lambda *_: tuple(D(amount) for amount in amounts)


def fails(*_: object) -> tuple[D, ...]:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("even", "why"),
    [
        (broken("NaN", "100"), "was to get NaN"),
        (broken("Infinity", "100"), "was to get Infinity"),
        (broken("-100", "600"), "was to get -100"),
        (broken("1", "2"), "3 was shared, 500 must be"),
        (broken("250", "260"), "510 was shared, 500 must be"),
        (broken("500"), "shorter"),
        (fails, "ZeroDivisionError()"),
    ],
)
def test_an_estimate_that_makes_no_sense_is_not_followed_and_the_reason_is_kept(
    even: Callable[..., tuple[D, ...]], why: str
) -> None:
    found = shared(PAIR, D(500), mixed=even)
    assert found.amounts == (D(500), D(0))
    assert why in found.doubt


def test_an_estimate_that_keeps_a_part_is_not_followed() -> None:
    assert "499 was shared" in shared(PAIR, D(500), mixed=broken("250", "249")).doubt


def test_a_decision_that_shared_in_order_of_danger_says_why() -> None:
    # More than a float can tell: no estimate is possible, and no exception comes out.
    huge = a_position(BTC, size="1e305", margin="5.5e308")
    eth = a_position(ETH, size="20", entry="3000", mark="3000", margin="5600")
    found = decided(an_observation(huge, eth, futures="1000"))
    assert "shared_in_order" in {refusal.code for refusal in found.refusals}


def test_a_pair_beyond_its_liquidation_prices_is_served_in_order_and_told_so() -> None:
    under = (a_claimant(ETH, margin="100"), a_claimant(margin="110"))
    found = shared(under, D(50))
    assert found.amounts == (D(50), D(0))
    assert "before their liquidation prices" in found.doubt


@pytest.mark.parametrize("depth", ["1000", None])
def test_margin_goes_where_closing_is_dearest(depth: str | None) -> None:
    dear = a_claimant(margin="5800", closable="1", spread="0.002", depth=depth)
    cheap = a_claimant(ETH, margin="5600", closable="1", spread="0.0005", depth="1000")
    # What the dear one needs, and what is left for the other, which is closed for the rest.
    assert shared((cheap, dear), D(500)).amounts == (D(500) - dear.need, dear.need)


def test_what_closing_cannot_do_is_served_before_what_it_can() -> None:
    free = a_claimant(margin="5800", closable="1", spread="0.01")
    # A twentieth closed relieves about 308 of the 620 that it needs.
    bound = a_claimant(ETH, margin="5600", closable="0.05")
    margin, rest = shared((bound, free), D(330)).amounts
    assert D(305) < margin < D(320)
    assert D("329.98") <= margin + rest <= 330


def test_what_neither_margin_nor_closing_can_reach_is_lifted_evenly() -> None:
    free = a_claimant(margin="5800", closable="1", spread="0.01")
    bound = a_claimant(ETH, margin="5600", closable="0.001")
    other = a_claimant("SOL/USDT:USDT", margin="5700")
    assert shared((bound, other, free), D(300)).amounts == (D(200), D(100), D(0))


def test_who_may_get_less_than_it_needs_is_closed_for_the_rest_whatever_the_purse() -> None:
    capped = replace(
        a_claimant(margin="5600", closable="1", spread="0.002"),
        to_trigger=D(100),
        to_target=D(100),
    )
    cheap = a_claimant(ETH, margin="5600", closable="1")
    assert shared((cheap, capped), D(500)).amounts == (D(400), D(100))


def test_who_is_all_but_served_is_served_in_full() -> None:
    wanted = broken("619.9999999", "380.0000001")
    assert shared(PAIR, D(1000), mixed=wanted).amounts == (D(620), D(380))


def test_where_only_emergencies_may_be_written_they_get_all_of_the_purse() -> None:
    btc = a_position(BTC, margin="5800")
    eth = a_position(ETH, size="20", entry="3000", mark="3000", margin="3000")
    seen = an_observation(btc, eth, futures="4000.02")
    strict = decide(seen, Memory(), a_policy(only_emergencies=True), choose=choose)
    assert added(strict) == {ETH: D(4000)}
    assert "journal_unwritable" in {refusal.code for refusal in strict.refusals}
    assert BTC in added(decided(seen))


# where an estimate is asked, and which

BARRED = replace(PAIR[0], to_trigger=D(0), to_target=D(0))
NEEDS = (D(620), D(420))


@pytest.mark.parametrize(
    ("claimants", "purse", "is_asked"),
    [
        pytest.param((BARRED, PAIR[1]), "100", False, id="nobody else wants any"),
        pytest.param((replace(BARRED, to_target=D("0.5")), PAIR[1]), "100", True, id="a little"),
        pytest.param(PAIR, "12984", False, id="enough for all targets"),
        pytest.param(PAIR, "12983.99", True, id="not quite enough"),
        pytest.param(
            (PAIR[0], replace(PAIR[1], is_measured=False)), "1040", False, id="no measure"
        ),
        pytest.param((PAIR[0], replace(PAIR[1], to_trigger=D(1000))), "1619", False, id="least"),
    ],
)
def test_an_estimate_is_asked_only_where_two_want_more_than_there_is(
    claimants: tuple[Claimant, ...], purse: str, is_asked: bool
) -> None:
    found = shared(claimants, D(purse), even=fails, mixed=fails)
    assert bool(found.doubt) is is_asked


@pytest.mark.parametrize(("purse", "is_even"), [("1039.99", False), ("1040", True)])
def test_what_lies_beyond_all_triggers_is_shared_evenly_and_what_before_by_its_price(
    purse: str, is_even: bool
) -> None:
    found = shared(PAIR, D(purse), mixed=fails)
    assert (found.doubt == "") is is_even
    if is_even:
        assert found.amounts == NEEDS


def test_no_more_than_its_share_of_all_that_can_come_is_given_at_once() -> None:
    shares = Shares(amounts=(D(100), D(300)))
    assert at_once(PAIR, shares, D(350)) == Shares(amounts=(D(100), D(250)))
    with pytest.raises(ValueError, match="shorter"):
        at_once(PAIR, Shares(amounts=(D(100),)), D(350))


def test_the_reason_is_told_in_its_own_words() -> None:
    assert shared(PAIR, D(500), mixed=broken("1", "2")).doubt == "3 was shared, 500 must be"


@pytest.mark.parametrize(
    ("purse", "wanted", "is_believed"),
    [
        # two steps of a cent, and a millionth of the purse
        ("1000", ("600", "400.021"), True),
        ("1000", ("600", "400.0211"), False),
        ("1000", ("600", "399.979"), True),
        ("1000", ("600", "399.9789"), False),
        ("1000", ("620.021", "379.979"), True),
        ("1000", ("620.0211", "379.9789"), False),
        ("400", ("-0.0204", "400.0204"), True),
        ("400", ("-0.0205", "400.0205"), False),
    ],
)
def test_an_estimate_is_believed_to_a_step_each_and_a_millionth_of_the_purse(
    purse: str, wanted: tuple[str, str], is_believed: bool
) -> None:
    assert (shared(PAIR, D(purse), mixed=broken(*wanted)).doubt == "") is is_believed


@pytest.mark.parametrize("wanted", [("580.01", "419.99"), ("580.021", "419.979")])
def test_who_is_all_but_served_is_served_before_the_others(wanted: tuple[str, str]) -> None:
    assert shared(PAIR, D(1000), mixed=broken(*wanted)).amounts == (D(580), D(420))


def test_no_more_is_shared_beyond_the_triggers_than_there_is() -> None:
    assert shared(PAIR, D(5000), even=broken("2600.02", "2400")).amounts == (
        D("2600.02"),
        D("2399.98"),
    )


def a_coin_claimant(side: Side, *, margin: str, spread: str = "0.01") -> Claimant:
    """A position of one BTC in dollars that is endangered below 10 % and aims at 20 %."""
    rules = a_coin_instrument(table=tiers(("0", "0.005", "0")))
    risk = assess(a_position(COIN, size=str(60000 * side.sign), margin=margin), rules)
    best = D(60000) * (1 - side.sign * D(spread))
    need, aim = (margin_need(risk, distance=D(d)) for d in ("0.1", "0.2"))
    return Claimant(
        risk=risk,
        trigger=D("0.1"),
        required=required(risk, distance=D("0.1")),
        need=need,
        to_trigger=need,
        to_target=aim,
        least=D("0.001"),
        is_measured=True,
        offer=Offer(
            levels=(BookLevel(price=best, size=D(10**7)),),
            nearest=best,
            size=D(60000),
            aim=aim,
            required=required(risk, distance=D("0.2")),
        ),
    )


def test_a_purse_of_a_coin_puts_long_and_short_equally_far() -> None:
    pair = (a_coin_claimant(Side.LONG, margin="0.1"), a_coin_claimant(Side.SHORT, margin="0.08"))
    shares = shared(pair, D("0.08"))
    assert shares.doubt == ""
    assert D("0.0799") < sum(shares.amounts) <= D("0.08")
    logs = []
    for claimant, share in zip(pair, shares.amounts, strict=True):
        position = claimant.risk.position
        held = replace(position, margin=position.margin + share)
        at = assess(held, claimant.risk.instrument).distance
        assert at is not None
        logs.append(distance.to_log(at, position.side) / distance.to_log(D("0.1"), position.side))
    assert logs[0] > 1
    assert logs[0] == pytest.approx(logs[1], rel=1e-3)


@pytest.mark.parametrize(
    ("side", "cost"),
    [
        # 1 % off mark is 1/0.99 - 1 of the coins for a long and 1 - 1/1.01 for a short, fee apart.
        (Side.LONG, 1 / 0.99 * 1.0005 - 1),
        (Side.SHORT, 1 - 1 / 1.01 * 0.9995),
    ],
)
def test_closing_is_charged_in_coin(side: Side, cost: float) -> None:
    claimant = a_coin_claimant(side, margin="0.05")
    assert purse._cost(claimant) == pytest.approx(cost, abs=1e-8)


def test_margin_of_a_coin_goes_where_closing_is_dearest() -> None:
    cheap = a_coin_claimant(Side.LONG, margin="0.1", spread="0.0005")
    dear = a_coin_claimant(Side.LONG, margin="0.1", spread="0.03")
    assert cheap.need == dear.need
    purse_of_both = cheap.need * D("1.5")
    shares = shared((cheap, dear), purse_of_both)
    assert shares.doubt == ""
    assert shares.amounts[1] == pytest.approx(dear.need, abs=D("0.0001"))
    assert shares.amounts[0] < cheap.need
