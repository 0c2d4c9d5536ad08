from collections.abc import Callable
from decimal import Decimal as D
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Action
from bot.domain.ledger import RowKind
from bot.execute import transit
from bot.execute.books import accepted
from bot.execute.foreign import Actor
from bot.execute.transit import EXACT, Ledger, Place, Stage
from tests.kit.ledger_lines import FUTURES, MARGIN, SPOT
from tests.kit.ledger_world import Fate, LedgerWorld, Where, add, remove, transfer

PLACES: dict[Where, Place] = {"spot": SPOT, "futures": FUTURES, "margin": MARGIN}
MOST_OPEN = 4

Step = Callable[[LedgerWorld], None]

shares = st.sampled_from([D("0.1"), D("0.5"), D(1)])
fates: st.SearchStrategy[Fate] = st.sampled_from(
    ["lost", "lands", "late", "clipped", "refused", "dropped"]
)
waits = st.sampled_from([0.0, 0.3, 1.0, 3.0, 8.0, 30.0])


def spend(name: str, share: D, fate: Fate, *, confirmed: bool, kind: str) -> Step:
    """Spend a share of what is usable, with digits that no other amount has."""

    def step(world: LedgerWorld) -> None:
        if sum(m.stage is Stage.PENDING for m in world.books.ledger.moves) >= MOST_OPEN:
            return
        held = world.usable(name) if kind != "remove" else world.money["margin"] / 4
        own = D(len(world.intents) + 1) * D("0.00001")
        amount = (held * share).quantize(D("0.01")) - D("0.01") + own
        if amount <= D(1):
            return
        actions: dict[str, Action] = {
            "add": add(amount),
            "remove": remove(amount),
            "in": transfer(amount),
            "out": transfer(amount, out=True),
        }
        # Until a part of a transfer arrives no list shows its size: rightly a break till then.
        is_hidden = fate == "clipped" and kind in ("in", "out") and world.travel > 0
        how: Fate = "lands" if is_hidden else fate
        world.send(actions[kind], how, confirmed=confirmed)

    return step


spends = st.builds(
    lambda kind, share, fate, confirmed: spend(
        "spot" if kind == "in" else "futures", share, fate, confirmed=confirmed, kind=kind
    ),
    st.sampled_from(["add", "remove", "in", "out"]),
    shares,
    fates,
    st.booleans(),
)
passing = st.one_of(
    st.builds(lambda s: lambda world: world.wait(s), waits),
    st.just(lambda world: world.settle()),
    st.just(lambda world: world.poll()),
    st.just(lambda world: world.poll()),
    st.just(lambda world: world.restart()),
    st.just(lambda world: world.give_up()),
)
cents = st.integers(-900, 900).filter(bool).map(lambda n: D(n) / 100)


def odd(world: LedgerWorld, amount: D) -> D:
    """Return an amount that no other one equals or undoes: venues book to the eighth digit."""
    return amount + D(world._count + 1).scaleb(-8)


own_events = st.one_of(
    st.builds(lambda a, w: lambda world: world.pay(RowKind.FUNDING, odd(world, a), where=w), cents,
              st.sampled_from(["futures", "margin"])),
    st.builds(lambda a: lambda world: world.pay(RowKind.REALIZED_PNL, odd(world, a),
                                                where="futures"), cents),
    st.builds(lambda a: lambda world: world.pay(RowKind.FEE, odd(world, -abs(a)),
                                                where="futures"), cents),
    st.just(lambda world: world.fill(D("0.25"))),
)  # fmt: skip
events = st.one_of(
    own_events,
    st.builds(lambda a: lambda world: world.deposit(odd(world, abs(a))), cents),
    st.builds(lambda a: lambda world: world.foreign(add(odd(world, abs(a)))), cents),
    st.builds(lambda a: lambda world: world.foreign(remove(odd(world, abs(a)))), cents),
    st.builds(lambda a, o: lambda world: world.foreign(transfer(odd(world, abs(a)), out=o)), cents,
              st.booleans()),
    st.just(lambda world: world.restart(0.2)),
)  # fmt: skip
worlds = st.builds(
    LedgerWorld, travel=st.sampled_from([0.0, 0.4, 20.0]), lag=st.sampled_from([0.0, 1.9])
)


def total(ledger: Ledger) -> D:
    return sum(ledger.balances().values(), D(0))


def check_books(world: LedgerWorld) -> None:
    ledger = world.books.ledger
    assert transit.imbalance(ledger, "USDT") == 0
    for name in ("spot", "futures"):
        assert world.usable(name) >= 0


@given(worlds, st.lists(st.one_of(spends, spends, passing), max_size=30))
def test_money_in_flight_is_never_at_both_ends_and_nothing_is_spent_twice(
    world: LedgerWorld, steps: list[Step]
) -> None:
    for step in steps:
        step(world)
        check_books(world)
        for where, place in PLACES.items():
            assert world.books.ledger.balance(place) <= world.money[where]
    # Every request was within what the books called usable: the venue could pay them all.
    world.wait(60)
    assert all(lowest >= 0 for lowest in world.lowest.values())
    assert not world.findings  # nobody else moved anything
    assert not any(report.is_broken for report in world.reports)


@given(worlds, st.lists(st.one_of(spends, passing, events), max_size=30))
def test_whatever_happens_the_books_agree_with_the_venue_once_everything_is_shown(
    world: LedgerWorld, steps: list[Step]
) -> None:
    for step in steps:
        step(world)
        check_books(world)
    for _ in range(6):
        world.wait(31)
        world.settle()
        report = world.poll()
    assert report.is_explained, report
    assert not report.is_broken
    assert not world.books.ledger.is_pending()
    for where, place in PLACES.items():
        assert abs(world.books.ledger.balance(place) - world.money[where]) < EXACT


@given(worlds, st.lists(st.one_of(spends, own_events, passing), max_size=30))
def test_fills_fees_and_funding_are_nobodys_moves_and_break_nothing(
    world: LedgerWorld, steps: list[Step]
) -> None:
    for step in steps:
        step(world)
        world.wait(1)
    for _ in range(4):
        world.wait(31)
        world.settle()
        report = world.poll()
    assert report.is_explained
    assert not world.findings
    assert not any(report.is_repeated for report in world.reports)


@given(worlds, st.lists(st.one_of(spends, passing), max_size=20), cents)
def test_money_that_comes_from_nowhere_or_vanishes_is_a_break_until_a_person_looks(
    world: LedgerWorld, steps: list[Step], amount: D
) -> None:
    for step in steps:
        step(world)
    for _ in range(3):
        world.wait(31)
        world.settle()
        world.poll()
    world.money["futures"] += amount  # no line says so
    for _ in range(4):
        world.wait(11)
        report = world.poll()
    assert report.is_broken
    assert [gap.amount for gap in report.gaps] == [amount]
    assert not report.is_repeated
    world.books = accepted(world.books, world.now)
    assert world.poll().is_explained


@given(
    st.lists(st.tuples(spends, waits), max_size=12),
    st.sampled_from([0.0, 20.0]),
    st.randoms(use_true_random=False),
)
def test_the_ledger_follows_again_from_opening_intents_and_lines_in_any_order(
    steps: list[tuple[Step, float]], travel: float, random: Random
) -> None:
    # What the running books hold must not depend on how they came to hold it.
    world = LedgerWorld(travel=travel)
    opening = world.books.ledger
    for number, (step, seconds) in enumerate(steps):
        step(world)
        world.wait(seconds)
        world.settle()
        if number % 3 == 0:
            world.pay(RowKind.FEE, D("-0.01"), where="futures")
    running = world.books.ledger
    intents = list(world.intents.values())
    fees = [row for _, row in world.rows if row.kind is RowKind.FEE]
    for row in fees:
        running = transit.booked(running, transit.entry_of(row))
    random.shuffle(intents)
    random.shuffle(fees)
    again = opening
    for row in (*fees, *fees):
        again = transit.booked(again, transit.entry_of(row))
    again = transit.followed(transit.followed(again, intents), intents)
    assert again.balances() == running.balances()
    assert again.pending("USDT") == running.pending("USDT")
    assert transit.compacted(again).balances() == again.balances()


@given(worlds, st.lists(st.one_of(spends, passing), max_size=12), cents)
def test_every_foreign_margin_move_and_transfer_is_found_once(
    world: LedgerWorld, steps: list[Step], amount: D
) -> None:
    for step in steps:
        step(world)
    world.wait(31)
    world.settle()
    world.poll()
    world.foreign(add(abs(amount)) if amount > 0 else transfer(abs(amount), out=True))
    for _ in range(4):
        world.wait(31)
        world.settle()
        world.poll()
    assert [finding.actor for finding in world.findings] == [Actor.EXTERNAL]
