from dataclasses import replace
from decimal import Decimal as D

import numpy as np
import pytest

from bot.domain.instrument import Contract
from bot.leverage import cross
from bot.margin import account as exact
from bot.margin.account import Account, Holding
from bot.margin.by_rule import flat
from bot.margin.legs import Leg, Span
from bot.margin.solver import INFINITE
from tests.kit.builders import FOUR_TIERS, tiers

LINEAR, INVERSE = Contract.LINEAR, Contract.INVERSE
ETH = Leg(size=D("3683.979"), entry_price=D("1456.84"), tiers=tiers(("0", "0.1", "135365")))
BTC = Leg(size=D("109.488"), entry_price=D("32481.98"), tiers=tiers(("0", "0.025", "16300")))
PUBLISHED = Account(
    contract=LINEAR,
    margin=D("1535443.01"),
    holdings=(
        Holding(symbol="ETH", mark_price=D("1335.18"), legs=(ETH,)),
        Holding(symbol="BTC", mark_price=D("31967.27"), legs=(BTC,)),
    ),
)
HEDGED = Account(
    contract=LINEAR,
    margin=D(9000),
    holdings=(
        Holding(
            symbol="BTC", mark_price=D(60000), reflexive=D("0.1"),
            legs=(
                Leg(size=D(9), entry_price=D(61000), tiers=FOUR_TIERS, fee=D("0.0005")),
                Leg(size=D(-2), entry_price=D(59000), tiers=FOUR_TIERS),
            ),
        ),
        Holding(
            symbol="ETH", mark_price=D(3000),
            legs=(Leg(size=D(-20), entry_price=D(2900), tiers=FOUR_TIERS),),
        ),
        Holding(symbol="SOL", mark_price=D(150), reflexive=D(300)),
        Holding(
            symbol="XRP", mark_price=D(2),
            legs=(Leg(size=D(500), entry_price=D(2), tiers=(), fixed=D(20)),),
        ),
    ),
)  # fmt: skip
COIN = Account(
    contract=INVERSE,
    margin=D("0.5"),
    holdings=(
        Holding(
            symbol="PERP", mark_price=D(60000),
            legs=(Leg(size=D(100000), entry_price=D(58000), tiers=flat(D("0.004"))),),
        ),
        Holding(
            symbol="DATED", mark_price=D(61000),
            legs=(Leg(size=D(-20000), entry_price=D(60000), tiers=flat(D("0.005"))),),
        ),
    ),
)  # fmt: skip

SHORT_COIN = Account(
    contract=INVERSE,
    margin=D("0.6"),
    reserved=D("0.1"),
    holdings=(
        Holding(
            symbol="PERP", mark_price=D(60000), reflexive=D(500),
            legs=(Leg(size=D(-100000), entry_price=D(58000), tiers=flat(D("0.004"))),),
        ),
        Holding(
            symbol="DATED", mark_price=D(61000),
            legs=(Leg(size=D(-20000), entry_price=D(60000), tiers=flat(D("0.005"))),),
        ),
    ),
)  # fmt: skip


ALL = (HEDGED, replace(HEDGED, reserved=D(1000)), COIN, SHORT_COIN, PUBLISHED)
NAMES = ("hedged", "kept back", "coin", "short coin", "published")


def moved(account: Account, growth: dict[str, D]) -> Account:
    """The same account at other marks."""
    return Account(
        contract=account.contract,
        margin=account.margin,
        reserved=account.reserved,
        holdings=tuple(
            Holding(
                symbol=one.symbol,
                mark_price=one.mark_price * growth.get(one.symbol, D(1)),
                legs=one.legs,
                reflexive=one.reflexive,
            )
            for one in account.holdings
        ),
    )


def test_two_positions_on_one_wallet_have_their_published_prices() -> None:
    # V2, from the positions themselves: what the other one needs and has lost is found here.
    found = exact.spans(PUBLISHED)
    for symbol, price in (("ETH", D("1153.26")), ("BTC", D("26316.89"))):
        assert abs(found[symbol].below - price) <= price * D("5e-6")
        assert found[symbol].above == INFINITE


@pytest.mark.parametrize("account", ALL, ids=NAMES)
def test_with_one_price_at_its_end_and_the_others_where_they_are_nothing_is_left(
    account: Account,
) -> None:
    ends = 0
    for symbol, span in exact.spans(account).items():
        mark = next(one.mark_price for one in account.holdings if one.symbol == symbol)
        for end in (span.below, span.above):
            if 0 < end < INFINITE:
                left = exact.buffer(moved(account, {symbol: end / mark}))
                assert abs(left) < D("1e-18")
                ends += 1
    assert ends >= 1


@pytest.mark.parametrize("account", ALL, ids=NAMES)
@pytest.mark.parametrize("share", ["1", "-1", "0.5", "-0.25"])
def test_along_a_common_move_nothing_is_left_at_its_end(account: Account, share: str) -> None:
    direction = {one.symbol: D(share) for one in account.holdings}
    far = exact.along(account, direction)
    if far is None:
        assert exact.buffer(moved(account, dict.fromkeys(direction, D("1e-9")))) > 0 or D(share) > 0
        return
    assert far > 0
    growth = dict.fromkeys(direction, 1 + far * D(share))
    assert abs(exact.buffer(moved(account, growth))) < D("1e-18")
    assert exact.buffer(moved(account, dict.fromkeys(direction, 1 + far * D(share) / 2))) > 0


def test_a_short_in_coin_dies_of_a_common_rise() -> None:
    whole = exact.along(SHORT_COIN, {"PERP": D(1), "DATED": D(1)})
    assert whole is not None
    # 1.9945633880 of coin in one over the prices must stay above 1.5574712644: 28 % more.
    assert abs(whole - D("0.2806418245")) < D("1e-9")
    half = exact.along(SHORT_COIN, {"PERP": D("0.5"), "DATED": D("0.5")})
    assert half is not None
    assert abs(half - 2 * whole) < D("1e-20")


def test_along_any_direction_nothing_is_left_at_its_end() -> None:
    direction = {"BTC": D(-1), "ETH": D("1.5"), "SOL": D("-0.5")}
    far = exact.along(HEDGED, direction)
    assert far is not None
    growth = {symbol: 1 + far * step for symbol, step in direction.items()}
    assert abs(exact.buffer(moved(HEDGED, growth))) < D("1e-18")


def test_one_symbol_alone_goes_as_far_as_its_own_price() -> None:
    span = exact.spans(HEDGED)["BTC"]
    far = exact.along(HEDGED, {"BTC": D(-1)})
    assert far is not None
    assert abs(60000 * (1 - far) - span.below) < D("1e-15")


def test_what_no_move_liquidates_has_no_end_and_what_is_lost_has_none_left() -> None:
    safe = Account(
        contract=LINEAR,
        margin=D(200),
        holdings=(Holding(symbol="A", mark_price=D(100), legs=(
            Leg(size=D(1), entry_price=D(100), tiers=flat(D("0.01"))),)),),
    )  # fmt: skip
    assert exact.along(safe, {"A": D(1)}) is None
    assert exact.along(safe, {"A": D(-1)}) is None
    assert exact.spans(safe)["A"] == Span(below=D(0), above=INFINITE)
    lost = Account(contract=LINEAR, margin=D(-200), holdings=safe.holdings)
    assert exact.along(lost, {"A": D(1)}) == 0
    assert exact.spans(lost)["A"].below > 100
    never = Account(
        contract=LINEAR, margin=D(-1),
        holdings=(Holding(symbol="A", mark_price=D(100), reflexive=D(0)),),
    )  # fmt: skip
    assert exact.along(never, {"A": D(1)}) == 0
    assert exact.spans(never)["A"].is_empty


@pytest.mark.parametrize("step", ["1", "-1"])
def test_an_account_with_exactly_what_it_needs_is_liquidatable_now_wherever_prices_go(
    step: str,
) -> None:
    bare = Account(
        contract=LINEAR, margin=D(1),
        holdings=(Holding(symbol="A", mark_price=D(100), legs=(
            Leg(size=D(1), entry_price=D(100), tiers=flat(D("0.01"))),)),),
    )  # fmt: skip
    assert exact.buffer(bare) == 0
    assert exact.along(bare, {"A": D(step)}) == 0


def test_an_account_that_only_a_rise_would_make_healthy_is_lost_however_small_the_rise() -> None:
    owing = Account(
        contract=LINEAR, margin=D("0.5"),
        holdings=(Holding(symbol="A", mark_price=D(100), legs=(
            Leg(size=D(1), entry_price=D(100), tiers=flat(D("0.01"))),)),),
    )  # fmt: skip
    assert exact.along(owing, {"A": D(1)}) == 0


def test_a_way_ends_where_the_first_price_is_0_however_slowly_others_fall() -> None:
    # B would be liquidated at t of 1.5 or so, but A is worth nothing at 1.
    held = Account(
        contract=LINEAR, margin=D(75),
        holdings=(
            Holding(symbol="A", mark_price=D(1), legs=(
                Leg(size=D("0.01"), entry_price=D(1), tiers=flat(D("0.01"))),)),
            Holding(symbol="B", mark_price=D(100), legs=(
                Leg(size=D(1), entry_price=D(100), tiers=flat(D("0.01"))),)),
        ),
    )  # fmt: skip
    met = exact.along(held, {"B": D("-0.5")})
    assert met is not None
    assert 1 < met < 2
    assert exact.along(held, {"A": D(-1), "B": D("-0.5")}) is None


def test_a_short_in_coin_that_nothing_liquidates_has_no_end_either() -> None:
    short = Account(
        contract=INVERSE, margin=D(2),
        holdings=(Holding(symbol="A", mark_price=D(100), legs=(
            Leg(size=D(-100), entry_price=D(100), tiers=flat(D("0.01"))),)),),
    )  # fmt: skip
    assert exact.along(short, {"A": D(2)}) is None
    assert exact.along(short, {"A": D(-1)}) is None


def test_what_the_venue_keeps_back_brings_liquidation_nearer() -> None:
    kept = replace(HEDGED, reserved=D(1000))
    down = {one.symbol: D(-1) for one in HEDGED.holdings}
    near, far = exact.along(kept, down), exact.along(HEDGED, down)
    assert near is not None
    assert far is not None
    assert near < far
    assert exact.buffer(kept) == exact.buffer(HEDGED) - 1000


@pytest.mark.parametrize(
    ("account", "direction", "message"),
    [
        pytest.param(HEDGED, {"BTC": D(0)}, "direction must move a price", id="no move"),
        pytest.param(HEDGED, {}, "direction must move a price", id="nothing"),
        pytest.param(HEDGED, {"LTC": D(1)}, "must name held symbols, was", id="not held"),
        pytest.param(COIN, {"PERP": D(1)}, "inverse contracts must move by one share", id="coin"),
    ],
)
def test_a_direction_that_makes_no_sense_is_refused(
    account: Account, direction: dict[str, D], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        exact.along(account, direction)


def test_a_symbol_is_held_once() -> None:
    with pytest.raises(ValueError, match="symbols of an account must be different"):
        Account(contract=LINEAR, margin=D(1), holdings=HEDGED.holdings * 2)


def test_estimates_over_scenarios_have_the_same_buffer() -> None:
    # Without the fee, which the float model does not know, and what is fixed.
    held = [(row, leg) for row, one in enumerate(HEDGED.holdings[:3]) for leg in one.legs]
    same = Account(
        contract=LINEAR,
        margin=HEDGED.margin,
        holdings=tuple(
            Holding(
                symbol=one.symbol,
                mark_price=one.mark_price,
                reflexive=one.reflexive,
                legs=tuple(
                    Leg(size=leg.size, entry_price=leg.entry_price, tiers=leg.tiers)
                    for leg in one.legs
                ),
            )
            for one in HEDGED.holdings[:3]
        ),
    )
    floats = cross.Accounts(
        price=np.array([float(one.mark_price) for one in same.holdings]),
        cash=np.array([float(same.margin)]),
        coins=np.array([[float(one.reflexive) for one in same.holdings]]),
        account=np.zeros(len(held), dtype=np.int64),
        symbol=np.array([row for row, _ in held]),
        size=np.array([float(leg.size) for _, leg in held]),
        entry=np.array([float(leg.entry_price) for _, leg in held]),
        rate=np.array([[float(tier.maintenance_rate) for tier in FOUR_TIERS]] * len(held)),
        amount=np.array([[float(tier.maintenance_amount) for tier in FOUR_TIERS]] * len(held)),
    )
    for growth in (D(1), D("0.8"), D("1.3")):
        ours = exact.buffer(moved(same, {one.symbol: growth for one in same.holdings}))
        (theirs,) = cross.buffer(floats, np.full(3, float(growth)))
        assert float(ours) == pytest.approx(theirs, rel=1e-12)
    far = exact.along(same, {one.symbol: D(-1) for one in same.holdings})
    assert far is not None
    (left,) = cross.buffer(floats, np.full(3, float(1 - far)))
    assert left == pytest.approx(0.0, abs=1e-8)
