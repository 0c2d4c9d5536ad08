"""What exactly double entry makes of one move or one line, and which of them explain a look."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.account import Account, Wallet
from bot.domain.action import PlaceStop, Transfer
from bot.domain.intent import Intent, IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.execute import transit
from bot.execute.transit import Booked, Gap, Ledger, Place, Stage
from tests.kit.builders import BTC, NOON, a_position, an_observation
from tests.kit.ledger_lines import FUTURES, MARGIN, SPOT, a_row, an_intent
from tests.kit.ledger_world import KEY, add, transfer

ACCOUNT = an_observation(a_position(margin="300"), futures="1000", spot="500").account
OPENED = transit.opened(ACCOUNT)
STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(50000), is_needed=True)
IN = an_intent("plabcd0003000001", action=transfer("100"))
ADD = an_intent("plabcd0003000002", action=add("40"))
REFUSED = an_intent("plabcd0003000003", state=IntentState.REJECTED)


def applied(intent: Intent, amount: str) -> Intent:
    return replace(intent, state=IntentState.APPLIED, applied=D(amount))


def holding(futures: str, spot: str, margin: str = "300") -> Account:
    return an_observation(a_position(margin=margin), futures=futures, spot=spot).account


def gaps(ledger: Ledger, account: Account, *, seconds: float = 60) -> dict[str, D]:
    """Return what is not explained, by pool."""
    (gap,) = transit.conservation(ledger, account, at=NOON + timedelta(seconds=seconds))
    return {name: amount for name, amount in gap.pools if amount}


def a_fee(amount: str, *, seconds: float = 0, name: str = "fee") -> LedgerRow:
    return a_row(amount, seconds=seconds, name=name, kind=RowKind.FEE, symbol="")


# one move


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_is_its_name(stage: Stage) -> None:
    assert stage.value == stage.name.lower()


def test_a_move_begins_on_its_way_and_is_carried_only_where_that_is_said() -> None:
    move = transit.move_of(IN)
    assert move is not None
    assert (move.stage, move.arrived) == (Stage.PENDING, D(0))
    assert (move.is_carried, move.seen) == (False, None)
    carried = transit.followed(OPENED, [IN], is_carried=True)
    assert (carried.is_carried, transit.followed(OPENED, [IN]).is_carried) == (True, False)


def test_a_ledger_is_carried_by_a_move_or_by_a_line() -> None:
    line = transit.entry_of(a_fee("-1"), is_carried=True)
    assert transit.booked(OPENED, line).is_carried
    assert not transit.booked(OPENED, transit.entry_of(a_fee("-1"))).is_carried
    assert not OPENED.is_carried


@pytest.mark.parametrize(
    ("state", "amount", "is_over"),
    [
        (IntentState.APPLIED, "5", True),
        (IntentState.APPLIED, None, False),
        (IntentState.UNKNOWN, "5", False),
        (IntentState.UNKNOWN, None, False),
        (IntentState.REJECTED, None, True),
        (IntentState.ABSENT, None, True),
        (IntentState.DROPPED, None, True),
    ],
)
def test_an_intent_is_over_and_its_move_has_ended_only_with_a_proof(
    state: IntentState, amount: str | None, is_over: bool
) -> None:
    intent = replace(IN, state=state, applied=None if amount is None else D(amount))
    assert transit.is_over(intent) is is_over
    assert transit.followed(OPENED, [intent]).is_pending() is not is_over


def test_a_move_on_its_way_is_doubtful_at_its_two_places_and_pending_in_its_asset() -> None:
    ledger = transit.followed(OPENED, [IN])
    doubtful = [ledger.is_doubtful(place) for place in (FUTURES, SPOT, MARGIN)]
    pending = [ledger.is_pending(where) for where in ("futures", "spot", BTC, None)]
    assert (doubtful, pending) == ([True, True, False], [True, True, False, True])
    assert (ledger.pending("USDT"), ledger.pending("USDC")) == (D(100), D(0))
    over = transit.followed(ledger, [applied(IN, "100")])
    assert not any(over.is_doubtful(place) for place in (FUTURES, SPOT))
    assert not any(over.is_pending(where) for where in ("futures", "spot", None))
    assert over.pending("USDT") == 0


def test_what_is_on_its_way_or_had_no_effect_makes_no_new_place() -> None:
    action = Transfer(source="earn", destination="spot", amount=D(5), currency="USDT")
    for state in (IntentState.SENT, IntentState.REJECTED):
        ledger = transit.followed(OPENED, [replace(IN, action=action, state=state)])
        assert ledger.balances().keys() == OPENED.balances().keys()


@pytest.mark.parametrize("amount", ["0", "0.5", "100"])
def test_any_amount_from_nothing_to_all_may_be_what_took_effect(amount: str) -> None:
    ledger = transit.posted(transit.followed(OPENED, [IN]), IN.id, D(amount))
    assert ledger.moves[0].stage is Stage.POSTED
    assert (ledger.balance(SPOT), ledger.balance(FUTURES)) == (500 - D(amount), 1000 + D(amount))


def test_intents_that_move_nothing_do_not_hide_those_behind_them() -> None:
    stop = an_intent("plabcd0003000009", action=STOP)
    assert transit.followed(OPENED, [stop, IN]).pending("USDT") == 100
    assert transit.followed(OPENED, [REFUSED, IN], is_carried=True).pending("USDT") == 100


def test_what_was_refused_under_our_eyes_is_remembered_as_void() -> None:
    (move,) = transit.followed(OPENED, [REFUSED]).moves
    assert move.stage is Stage.VOID
    assert transit.followed(OPENED, [REFUSED], is_carried=True).moves == ()


def test_a_line_shows_one_move_only() -> None:
    ledger = transit.followed(OPENED, [IN, ADD])
    assert [move.seen for move in transit.sighted(ledger, ADD.id, D(4)).moves] == [None, D(4)]


# one line


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        (a_row("7"), {MARGIN: 7, FUTURES: -7}),
        (a_row("-7"), {MARGIN: -7, FUTURES: 7}),
        (a_row("7", kind=RowKind.TRANSFER_IN, other="spot"), {FUTURES: 7, SPOT: -7}),
        (a_row("-7", kind=RowKind.TRANSFER_OUT, other="spot"), {FUTURES: -7, SPOT: 7}),
        (a_row("7", kind=RowKind.TRANSFER_IN), {FUTURES: 7}),
        (a_row("7", kind=RowKind.OTHER, other="spot"), {FUTURES: 7}),
        (a_row("-7", kind=RowKind.FUNDING), {FUTURES: -7}),
    ],
)
def test_a_line_changes_its_wallet_and_the_other_end_where_there_is_one(
    row: LedgerRow, changes: dict[Place, int]
) -> None:
    entry = transit.entry_of(row)
    assert dict(entry.changes) == changes
    assert (entry.id, entry.at, entry.is_carried) == (row.id, row.at, False)


def test_what_was_given_from_outside_is_no_imbalance() -> None:
    ledger = transit.booked(OPENED, transit.entry_of(a_fee("-1")))
    other = replace(a_fee("-2", name="other"), asset="BNB")
    ledger = transit.booked(ledger, transit.entry_of(other))
    ledger = transit.booked(ledger, transit.entry_of(a_fee("-3", name="3"), is_carried=True))
    ledger = transit.followed(ledger, [IN])
    assert (transit.imbalance(ledger, "USDT"), transit.imbalance(ledger, "BNB")) == (D(0), D(0))
    assert ledger.balance(FUTURES) == 999


# what explains a look


@pytest.mark.parametrize(
    ("futures", "spot", "is_open"), [(0, 0, False), (0, 1, True), (1, 1, True)]
)
def test_a_gap_is_open_if_one_pool_is(futures: int, spot: int, is_open: bool) -> None:
    gap = Gap(asset="USDT", pools=(("futures", D(futures)), ("spot", D(spot))))
    assert gap.is_open is is_open


@pytest.mark.parametrize(("carried", "near", "is_explained"), [(15, 255, True), (16, 240, False)])
def test_beyond_4096_ways_nothing_counts_as_explained(
    carried: int, near: int, is_explained: bool
) -> None:
    # of n lines beside the opening, or beside the look, the newest 0, 1, ... n are tried
    ledger = OPENED
    for number in range(carried):
        entry = transit.entry_of(a_fee("-1", name=f"c{number}"), is_carried=True)
        ledger = transit.booked(ledger, entry)
    for number in range(near):
        ledger = transit.booked(ledger, transit.entry_of(a_fee("-1", seconds=60, name=f"{number}")))
    assert (gaps(ledger, ACCOUNT) == {}) is is_explained


@pytest.mark.parametrize(
    ("futures", "left"),
    [("1000.000000009", {}), ("1000.00000001", {"futures": D("1e-8")}), ("999.999999991", {})],
)
def test_what_is_finer_than_any_balance_is_nothing(futures: str, left: dict[str, D]) -> None:
    assert gaps(OPENED, holding(futures, "500")) == left


def test_of_explanations_that_leave_as_much_the_one_that_supposes_least_is_taken() -> None:
    ledger = transit.followed(OPENED, [IN])
    assert gaps(ledger, holding("1000", "450")) == {"spot": -50}


@pytest.mark.parametrize(("seconds", "is_unsure"), [(0.4, True), (0.5, False)])
def test_a_look_may_lack_a_line_that_is_less_than_the_clock_bound_older(
    seconds: float, is_unsure: bool
) -> None:
    at = NOON + timedelta(seconds=seconds)
    ledger = transit.booked(OPENED, transit.entry_of(a_fee("-1")))
    assert bool(transit.unsure(ledger, at)) is is_unsure
    carried = transit.booked(OPENED, transit.entry_of(a_fee("-1"), is_carried=True))
    assert transit.unsure(carried, at) == ()


def test_a_move_in_one_asset_explains_nothing_in_another() -> None:
    dollars = Wallet(name="spot", currency="USDC", total=D(200), free=D(200))
    account = replace(ACCOUNT, wallets=(*ACCOUNT.wallets, dollars))
    action = replace(transfer("100"), currency="USDC")
    ledger = transit.followed(transit.opened(account), [replace(IN, action=action)])
    later = holding("1000", "400")
    later = replace(later, wallets=(*later.wallets, dollars))
    found = transit.conservation(ledger, later, at=NOON + timedelta(seconds=60))
    assert [(gap.asset, gap.amount) for gap in found] == [("USDC", D(0)), ("USDT", D(-100))]


@pytest.mark.parametrize("change", [-40, 40])
@pytest.mark.parametrize("is_carried", [False, True])
def test_only_an_opening_may_have_one_end_of_a_move_within_a_pool(
    is_carried: bool, change: int
) -> None:
    ledger = transit.followed(OPENED, [ADD], is_carried=is_carried)
    left = {} if is_carried else {"futures": D(change)}
    assert gaps(ledger, holding(str(1000 + change), "500")) == left
    assert gaps(ledger, ACCOUNT) == {}
    assert gaps(ledger, holding("960", "500", margin="340")) == {}


@pytest.mark.parametrize(
    ("futures", "spot", "is_carried", "left"),
    [
        ("1000", "400", False, {}),
        ("1100", "400", False, {}),
        ("1100", "500", False, {"spot": D(100)}),
        ("1100", "500", True, {}),
    ],
)
def test_a_transfer_arrives_after_it_has_left_unless_the_opening_saw_it_leave(
    futures: str, spot: str, is_carried: bool, left: dict[str, D]
) -> None:
    ledger = transit.followed(OPENED, [IN], is_carried=is_carried)
    assert gaps(ledger, holding(futures, spot)) == left


def test_what_was_carried_and_had_no_effect_is_in_no_doubt() -> None:
    ledger = transit.followed(OPENED, [IN], is_carried=True)
    assert transit.followed(ledger, [applied(IN, "100")]).is_doubtful(SPOT)
    over = transit.followed(ledger, [replace(IN, state=IntentState.ABSENT)])
    assert not over.is_doubtful(SPOT)
    assert over.balance(SPOT) == 500


def test_a_line_in_two_assets_explains_each() -> None:
    both = ((FUTURES, D(-1)), (Place("futures", "BNB"), D(-2)))
    ledger = transit.booked(OPENED, Booked(id="x", at=NOON, changes=both, is_carried=True))
    assert gaps(ledger, holding("999", "500")) == gaps(ledger, ACCOUNT) == {}
