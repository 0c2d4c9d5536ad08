"""Each write is judged with what the earlier writes of its plan have already spent."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

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
from bot.domain.decision import Refusal, Urgency
from bot.domain.intent import Intent
from bot.domain.observation import Observation
from bot.domain.position import PositionKey, PositionMode, Side
from bot.domain.venue import VenueCondition
from bot.execute.facts import KINDS
from bot.execute.fingerprint import Fingerprints
from bot.execute.judge import Judge
from bot.margin.assess import assess
from bot.rebalance.claims import Claim
from bot.rebalance.decide import decide
from bot.rebalance.memory import KeyMemory, Memory
from bot.rebalance.policy import Policy
from tests.kit.builders import (
    BTC,
    COIN,
    ETH,
    NOON,
    a_coin_instrument,
    a_coin_policy,
    a_market,
    a_policy,
    a_position,
    an_instrument,
    an_observation,
    choose,
    tiers,
)
from tests.kit.fakes import FakeAuthority, FakeClock, FakeSwitches, FakeVenue
from tests.kit.records import a_request

SEEN = an_observation(
    a_position(BTC, margin="5000"), a_position(ETH, margin="5000"), futures="1000", spot="1000"
)
FIRST, SECOND = (p.key for p in SEEN.account.positions)
ADD = AddMargin(key=FIRST, amount=D("600.00123"), currency="USDT")
NEXT = AddMargin(key=SECOND, amount=D("300.00124"), currency="USDT")


class Bench:
    """A judge that has taken a plan."""

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        memory: Memory | None = None,
        supported: frozenset[str] = KINDS,
        holds: dict[tuple[str, str], D] | None = None,
        fingerprints: Fingerprints | None = None,
    ) -> None:
        policy, memory = policy or a_policy(), memory or Memory()
        self.clock, self.switches = FakeClock(), FakeSwitches()
        self.venue = FakeVenue(SEEN, self.clock)
        self.authority = FakeAuthority()
        self.slots = 1024
        self.judge = Judge(
            slots_for=lambda _: self.slots,
            venue=self.venue,
            clock=self.clock,
            switchboard=self.switches,
            watchdog=self.switches,
            authority=self.authority,
            policy=policy,
            fingerprints=fingerprints or Fingerprints(step=D("0.00001"), epoch=1),
            supported=supported,
        )
        self.policy, self.memory = policy, memory
        self.holds = holds or {}
        self.look_at(SEEN)

    def look_at(self, seen: Observation) -> tuple[str, ...]:
        """Take the plan of a look and return the codes of its alarms."""
        self.decision = decide(seen, self.memory, self.policy, choose=choose)
        alarms = self.judge.begin(
            seen, self.decision, self.memory, is_reduced=False, holds=self.holds
        )
        return tuple(code for code, _ in alarms)

    def ask(
        self, action: Action, *, name: str, is_reduce_only: bool | None = None
    ) -> Refusal | None:
        intent = Intent(id=name, decision_id="d", account="main", action=action, written_at=NOON)
        request = replace(a_request(self.clock.now()), is_reduce_only=is_reduce_only)
        return self.judge.look(intent, request)


def code(refusal: Refusal | None) -> str:
    return "" if refusal is None else refusal.code


def test_the_second_look_at_a_write_does_not_count_it_twice() -> None:
    bench = Bench(policy=a_policy(max_margin_per_hour=D(601), max_writes_10s=1, max_writes_60s=1))
    assert bench.ask(ADD, name="pl1") is None
    assert bench.ask(ADD, name="pl1") is None


def test_what_was_looked_at_twice_is_spent_once() -> None:
    bench = Bench()
    assert bench.ask(ADD, name="pl1") is None
    assert bench.ask(ADD, name="pl1") is None
    assert bench.ask(NEXT, name="pl2") is None


def test_a_plan_cannot_add_the_same_twice() -> None:
    bench = Bench()
    assert bench.ask(ADD, name="pl1") is None
    assert code(bench.ask(replace(ADD, amount=D("600.00124")), name="pl2")) == "duplicate"


def test_the_writes_of_a_plan_share_the_budgets() -> None:
    bench = Bench(policy=a_policy(account_budget=D("0.06")))
    assert bench.ask(ADD, name="pl1") is None
    assert code(bench.ask(NEXT, name="pl2")) == "budget_account"


def test_the_writes_of_a_plan_spend_what_the_ledger_holds_once() -> None:
    late = NOON + timedelta(seconds=9)
    claim = Claim(wallet="futures", currency="USDT", at_most=D(800), until=late)
    bench = Bench(memory=Memory(claims=(claim,)))
    assert bench.ask(ADD, name="pl1") is None
    assert code(bench.ask(NEXT, name="pl2")) == "ledger_short"


def test_the_writes_of_a_plan_spend_what_the_books_hold_once() -> None:
    bench = Bench(holds={("futures", "USDT"): D(800)})
    assert bench.ask(ADD, name="pl1") is None
    assert code(bench.ask(NEXT, name="pl2")) == "ledger_short"
    assert bench.ask(replace(NEXT, amount=D("190.00124")), name="pl3") is None


def test_a_transfer_spends_what_the_books_hold_where_it_comes_from() -> None:
    bench = Bench(holds={("spot", "USDT"): D(700)})
    move = Transfer(source="spot", destination="futures", amount=D("500.00125"), currency="USDT")
    assert bench.ask(move, name="pl1") is None
    again = replace(move, amount=D("300.00127"))
    assert code(bench.ask(again, name="pl2")) == "ledger_short"


def test_what_one_wallet_gave_leaves_what_the_books_hold_in_another() -> None:
    bench = Bench(holds={("futures", "USDT"): D(800), ("spot", "USDT"): D(400)})
    move = Transfer(source="spot", destination="futures", amount=D("500.00125"), currency="USDT")
    assert bench.ask(ADD, name="pl1") is None
    assert code(bench.ask(move, name="pl2")) == "ledger_short"


def test_what_travels_does_not_go_back_after_a_close() -> None:
    bench = Bench()
    move = Transfer(source="spot", destination="futures", amount=D("500.00125"), currency="USDT")
    assert bench.ask(move, name="pl1") is None
    back = AddMargin(key=FIRST, amount=D("1200.00123"), currency="USDT", after_reduction=True)
    assert code(bench.ask(back, name="pl2")) == "ledger_short"


def test_what_a_reduction_releases_goes_back_whatever_the_books_hold() -> None:
    bench = Bench(holds={("futures", "USDT"): D(0)})
    reduce = ReducePosition(key=FIRST, size=D("0.5"), limit_price=D(59990))
    assert bench.ask(reduce, name="pl1", is_reduce_only=True) is None
    back = AddMargin(key=FIRST, amount=D("2400.00123"), currency="USDT", after_reduction=True)
    assert bench.ask(back, name="pl2") is None


def test_what_is_sent_on_its_way_is_not_spent_before_it_arrives() -> None:
    bench = Bench()
    move = Transfer(source="spot", destination="futures", amount=D("500.00125"), currency="USDT")
    assert bench.ask(ADD, name="pl1") is None
    assert bench.ask(move, name="pl2") is None
    more = replace(NEXT, amount=D("450.00126"))
    assert code(bench.ask(more, name="pl3")) == "ledger_short"
    again = replace(move, amount=D("501.00127"))
    assert code(bench.ask(again, name="pl4")) == "ledger_short"


def test_what_a_reduction_releases_goes_back_in_the_same_plan() -> None:
    bench = Bench(policy=a_policy(reserves=(("futures", D(1000)),)))
    reduce = ReducePosition(key=FIRST, size=D("0.5"), limit_price=D(59990))
    assert bench.ask(reduce, name="pl1", is_reduce_only=True) is None
    back = AddMargin(key=FIRST, amount=D("2400.00123"), currency="USDT", after_reduction=True)
    assert bench.ask(back, name="pl2") is None


def test_writes_are_counted_over_plans_until_they_are_old() -> None:
    bench = Bench(policy=a_policy(max_writes_10s=1, max_writes_60s=2))
    assert bench.ask(ADD, name="pl1") is None
    assert code(bench.ask(NEXT, name="pl2")) == "rate_window"
    bench.clock.advance(10)
    assert bench.ask(NEXT, name="pl3") is None
    bench.clock.advance(4)
    third = replace(NEXT, amount=D("20.00129"))
    assert code(bench.ask(third, name="pl4")) == "rate_window"
    bench.clock.advance(61)
    # By now the plan is too old, and that is the only reason left.
    assert code(bench.ask(third, name="pl5")) == "plan_expired"


def test_a_write_is_counted_for_a_minute_and_no_longer() -> None:
    bench = Bench(policy=a_policy(max_writes_60s=1))
    assert bench.ask(ADD, name="pl1") is None
    bench.clock.advance(60)
    held = SEEN.account.positions
    bench.look_at(an_observation(*held, at=NOON + timedelta(seconds=60)))
    assert code(bench.ask(NEXT, name="pl2")) == "rate_window"
    bench.clock.advance(0.001)
    assert bench.ask(NEXT, name="pl3") is None


def test_the_age_of_what_a_plan_was_made_from_is_added_to_its_own() -> None:
    memory = Memory(keys=(KeyMemory(key=FIRST, added=D(500)),))
    bench = Bench(memory=memory)
    rich = a_position(BTC, margin="20000")
    ours = assess(rich, an_instrument()).liquidation_price
    bench.look_at(an_observation(replace(rich, venue_liquidation_price=ours), age_seconds=2))
    back = RemoveMargin(key=FIRST, amount=D("99.99123"), currency="USDT")
    bench.clock.advance(0.5)
    assert bench.ask(back, name="pl1") is None
    bench.clock.advance(0.501)
    assert code(bench.ask(back, name="pl1")) == "input_stale"


def test_no_plan_outlives_a_stall_however_short() -> None:
    bench = Bench()
    bench.switches.stalled_for = 0.1
    assert code(bench.ask(ADD, name="pl1")) == "plan_expired"


def test_stops_are_not_counted_as_moves_of_money() -> None:
    bench = Bench(policy=a_policy(max_writes_10s=1))
    cancel = CancelStop(key=FIRST, stop_id="1", client_id="pl7")
    assert bench.ask(cancel, name="pl0") is None
    stop = PlaceStop(key=FIRST, size=D("0.5"), stop_price=D(50000), is_needed=True)
    assert bench.ask(stop, name="pl1", is_reduce_only=True) is None
    assert bench.ask(ADD, name="pl2") is None
    assert code(bench.ask(NEXT, name="pl3")) == "rate_window"


def test_a_position_the_plan_does_not_know_is_no_emergency() -> None:
    bench = Bench()
    unknown = PositionKey("XRP/USDT:USDT", Side.LONG)
    assert code(bench.ask(replace(ADD, key=unknown), name="pl1")) == "position_unknown"


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (VenueCondition(is_banned=True), "venue_banned"),
        (VenueCondition(clock_uncertainty=0.6), "clock_uncertain"),
    ],
)
def test_the_way_to_the_venue_is_asked_at_each_look(way: VenueCondition, expected: str) -> None:
    bench = Bench()
    assert bench.ask(ADD, name="pl1") is None
    bench.venue.way = way
    assert code(bench.ask(ADD, name="pl1")) == expected


def test_an_order_leaves_only_as_a_request_that_can_only_shrink() -> None:
    bench = Bench()
    reduce = ReducePosition(key=FIRST, size=D("0.5"), limit_price=D(59990))
    for seen in (None, False):
        asked = bench.ask(reduce, name="pl1", is_reduce_only=seen)
        assert code(asked) == "not_reduce_only"
    assert bench.ask(reduce, name="pl1", is_reduce_only=True) is None


def test_what_the_venue_cannot_do_is_not_written() -> None:
    bench = Bench(supported=KINDS - {"add_margin"})
    assert code(bench.ask(ADD, name="pl1")) == "op_unsupported"


def test_a_wallet_that_no_look_shows_is_not_owned() -> None:
    bench = Bench(policy=a_policy(transfer_from=("spot", "earn")))
    move = Transfer(source="earn", destination="futures", amount=D("50.00125"), currency="USDT")
    assert code(bench.ask(move, name="pl1")) == "destination_not_owned"


def test_a_plan_of_another_position_mode_is_refused_once() -> None:
    bench = Bench()
    hedged = replace(SEEN, account=replace(SEEN.account, position_mode=PositionMode.HEDGE))
    assert bench.look_at(hedged) == ("position_mode_changed",)
    assert code(bench.ask(ADD, name="pl1")) == "position_mode_changed"
    assert bench.look_at(hedged) == ()
    assert bench.ask(ADD, name="pl2") is None


def test_a_changed_maintenance_table_holds_back_what_is_not_urgent() -> None:
    bench = Bench()
    first, second = SEEN.instruments
    dearer = replace(first, tiers=tiers(("0", "0.006", "0")))
    changed = replace(SEEN, instruments=(dearer, second))
    assert bench.look_at(changed) == ("tiers_changed",)
    assert code(bench.ask(ADD, name="pl1")) == "tiers_changed"
    assert bench.ask(NEXT, name="pl2") is None


def test_an_addition_waits_when_the_contract_ends() -> None:
    bench = Bench()
    first, second = SEEN.instruments
    ending = replace(first, closes_at=NOON + timedelta(minutes=59))
    assert bench.look_at(replace(SEEN, instruments=(ending, second))) == ("symbol_closing",)
    assert code(bench.ask(ADD, name="pl1")) == "symbol_closing"
    assert bench.ask(NEXT, name="pl2") is None


def test_a_jump_that_no_index_follows_sells_nothing() -> None:
    bench = Bench()
    bitcoin, other = SEEN.markets
    lonely = replace(bitcoin, mark_price=D(55000))
    positions = tuple(
        replace(p, mark_price=D(55000)) if p.key == FIRST else p for p in SEEN.account.positions
    )
    seen = replace(
        SEEN, markets=(lonely, other), account=replace(SEEN.account, positions=positions)
    )
    assert bench.look_at(seen) == ("price_unconfirmed",)
    reduce = ReducePosition(key=FIRST, size=D("0.5"), limit_price=D(54990))
    asked = bench.ask(reduce, name="pl1", is_reduce_only=True)
    assert code(asked) == "price_unconfirmed"
    assert bench.ask(ADD, name="pl2") is None, "in an emergency margin may enter all the same"


@pytest.mark.parametrize(
    ("left", "is_current", "expected"),
    [
        (5.51, True, ""),
        (5.5, True, "lease_lost"),
        (-60.0, True, "lease_lost"),
        (float("nan"), True, "lease_lost"),
        (15.0, False, "epoch_stale"),
    ],
)
def test_only_the_run_whose_turn_it_is_may_write(
    left: float, is_current: bool, expected: str
) -> None:
    bench = Bench()
    bench.authority.left, bench.authority.is_epoch_current = left, is_current
    assert code(bench.ask(ADD, name="pl1")) == expected


def test_the_lease_is_looked_at_again_with_the_connection_in_hand() -> None:
    bench = Bench()
    assert bench.ask(ADD, name="pl1") is None
    bench.authority.left = 5.0
    assert code(bench.ask(ADD, name="pl1")) == "lease_lost"


def test_the_reserve_takes_an_emergency_while_it_has_a_slot_and_nothing_less() -> None:
    bench = Bench()
    urgent, calm = bench.decision.positions
    for urgency, slots, expected in (
        (Urgency.EMERGENCY, 1, ""),
        (Urgency.EMERGENCY, 0, "reserve_exhausted"),
        (Urgency.ROUTINE, 1, "journal_unwritable"),
    ):
        verdicts = tuple(replace(v, urgency=urgency) for v in (urgent, calm))
        decision = replace(bench.decision, positions=verdicts)
        bench.judge.begin(SEEN, decision, bench.memory, is_reduced=True, holds={})
        bench.slots = slots
        assert code(bench.ask(ADD, name=f"pl{urgency}{slots}")) == expected


def test_the_budget_of_a_coin_account_is_judged_by_what_it_holds_of_that_coin() -> None:
    bench = Bench(policy=a_coin_policy(account_budget=D("0.05")))
    mine = an_observation(
        a_position(COIN, size="60000", margin="0.1"),
        futures="0.9",
        instruments=(a_coin_instrument(),),
        markets=(a_market(COIN, depth="1000000"),),
        currency="BTC",
    )
    foreign = replace(mine.account.wallets[0], currency="ETH", total=D(40), free=D(40))
    account = replace(mine.account, wallets=(*mine.account.wallets, foreign))
    bench.look_at(replace(mine, account=account))
    key = mine.account.positions[0].key
    for amount, expected in (("0.0499", ""), ("0.0511", "budget_account")):
        asked = AddMargin(key=key, amount=D(amount), currency="BTC")
        assert code(bench.ask(asked, name=f"pl{amount}")) == expected


@pytest.mark.parametrize(("apart", "expected"), [(10, "duplicate"), (0, "")])
def test_what_tells_amounts_apart_is_what_the_run_marks_them_by(apart: int, expected: str) -> None:
    prints = Fingerprints(step=D("0.0001"), epoch=1, apart=apart)
    bench = Bench(policy=a_coin_policy(), fingerprints=prints)
    seen = an_observation(
        a_position(COIN, size="60000", margin="0.1"),
        futures="0.9",
        instruments=(a_coin_instrument(margin_step="0.001"),),
        markets=(a_market(COIN, depth="1000000"),),
        currency="BTC",
    )
    bench.look_at(seen)
    key = seen.account.positions[0].key
    first, second = (AddMargin(key=key, amount=D(n), currency="BTC") for n in ("0.02", "0.0203"))
    assert bench.ask(first, name="pl1") is None
    assert code(bench.ask(second, name="pl2")) == expected
