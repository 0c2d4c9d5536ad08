"""Which money does each state of a transfer hold, return or credit, and what is usable of it?"""

from decimal import Decimal as D

import pytest

from bot.domain.action import PlaceStop
from bot.domain.intent import IntentState
from bot.domain.position import PositionKey, Side
from bot.execute import books, transit
from tests.kit.builders import BTC, NOON, an_observation
from tests.kit.ledger_lines import FUTURES, SPOT, an_intent
from tests.kit.ledger_world import LedgerWorld, a_wallet, transfer


@pytest.mark.parametrize(
    ("state", "spot", "futures", "pending"),
    [
        (IntentState.WRITTEN, "400", "1000", "100"),
        (IntentState.SENT, "400", "1000", "100"),
        (IntentState.DONE, "400", "1000", "100"),
        (IntentState.UNKNOWN, "400", "1000", "100"),
        (IntentState.GAVE_UP, "400", "1000", "100"),
        (IntentState.APPLIED, "400", "1100", "0"),
        (IntentState.ABSENT, "500", "1000", "0"),
        (IntentState.REJECTED, "500", "1000", "0"),
        (IntentState.DROPPED, "500", "1000", "0"),
    ],
)
def test_each_state_of_a_transfer_debits_and_credits_what_it_proves(
    state: IntentState, spot: str, futures: str, pending: str
) -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    applied = D(100) if state is IntentState.APPLIED else None
    intent = an_intent(action=transfer("100"), state=state, applied=applied)
    ledger = transit.followed(ledger, [intent])
    assert (ledger.balance(SPOT), ledger.balance(FUTURES)) == (D(spot), D(futures))
    assert ledger.pending("USDT") == D(pending)


def test_what_did_not_arrive_returns_and_more_than_was_sent_stays_unexplained() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    intent = an_intent(action=transfer("100"))
    ledger = transit.followed(ledger, [intent])
    part = transit.posted(ledger, intent.id, D(30))
    assert (part.balance(SPOT), part.balance(FUTURES)) == (D(470), D(1030))
    whole = transit.posted(ledger, intent.id, D(200))
    doubled = an_observation(futures="1200", spot="300").account
    gaps = transit.conservation(whole, doubled, at=NOON)
    assert gaps[0].pools == (("futures", D(100)), ("spot", D(-100)))
    assert gaps[0].is_open


def test_an_effect_without_an_amount_stays_pending() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    ledger = transit.followed(ledger, [an_intent(state=IntentState.APPLIED)])
    assert ledger.is_pending("futures")


def test_a_move_ends_once() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    ledger = transit.followed(ledger, [an_intent(action=transfer("100"))])
    name = "plabcd0003000001"
    done = transit.posted(ledger, name, D(100))
    assert transit.posted(done, name, D(100)) == done
    with pytest.raises(ValueError, match="has ended as posted, now void"):
        transit.voided(done, name)
    with pytest.raises(ValueError, match="has ended as void, now posted"):
        transit.posted(transit.voided(ledger, name), name, D(100))
    with pytest.raises(ValueError, match="has ended as posted"):
        transit.posted(done, name, D(99))
    with pytest.raises(ValueError, match="must be written"):
        transit.voided(ledger, "plabcd0003000009")
    with pytest.raises(ValueError, match="applied must be >= 0"):
        transit.posted(ledger, name, D(-1))


@pytest.mark.parametrize(
    ("free", "floor", "wanted"),
    [("1000", "0", "400"), ("300", "0", "300"), ("1000", "150", "250"), ("1000", "500", "0")],
)
def test_usable_is_the_least_of_reported_and_ledger_above_the_floor(
    free: str, floor: str, wanted: str
) -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    ledger = transit.followed(ledger, [an_intent(action=transfer("100"))])
    assert transit.usable(ledger, a_wallet("spot", free), floor=D(floor)) == D(wanted)


def test_the_same_money_cannot_be_sent_again_while_the_venue_still_shows_it() -> None:
    world = LedgerWorld()
    world.send(transfer("499.99001"), "late")
    assert world.money["spot"] == D(500)  # nothing has left yet
    assert world.usable("spot") == D("0.00999")
    world.wait(8)
    world.settle()
    assert world.usable("futures") == D("1499.99001")


def test_a_wallet_that_is_not_shown_has_nothing_usable() -> None:
    world = LedgerWorld()
    account = world.observation().account
    assert world.books.usable(account, "earn", "USDT", floor=D(0)) == 0


def test_too_many_doubts_explain_nothing() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    intents = [an_intent(f"plabcd0003{n:06d}", action=transfer(f"10.0000{n}")) for n in range(9)]
    ledger = transit.followed(ledger, intents)
    after = an_observation(futures="1010", spot="490").account
    assert transit.conservation(ledger, after, at=NOON)[0].is_open


def test_an_intent_that_has_ended_and_is_told_again_counts_once() -> None:
    world = LedgerWorld()
    world.poll()
    world.send(transfer("50.00001"), "lands")
    world.settle()
    world.poll()
    intent = next(iter(world.intents.values()))
    assert intent.state is IntentState.APPLIED
    world.books, _ = books.told(world.books, [intent], at=world.now)
    assert world.usable("futures") == D("1050.00001")
    assert world.books.ledger.balance(SPOT) == D("449.99999")


def test_what_moves_nothing_or_had_no_effect_before_the_opening_is_not_followed() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    stop = PlaceStop(key=PositionKey(BTC, Side.LONG), size=D(1), stop_price=D(1), is_needed=True)
    assert transit.followed(ledger, [an_intent(action=stop)]) == ledger
    refused = an_intent(state=IntentState.REJECTED)
    assert transit.followed(ledger, [refused], is_carried=True) == ledger
