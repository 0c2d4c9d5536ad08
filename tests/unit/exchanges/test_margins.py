"""Which of the moves that were sent took effect follows from the margin before and after."""

from dataclasses import dataclass, replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import VenueClock
from bot.domain.action import AddMargin, RemoveMargin
from bot.domain.intent import Intent
from bot.domain.position import Position, PositionKey
from bot.errors import Unavailable
from bot.exchanges.bybit.write import COLLATERAL_STEP
from bot.exchanges.margins import MOST_OPEN, Margins
from tests.kit.builders import NOON, a_position
from tests.kit.fakes import FakeClock

HELD = replace(a_position(), margin=D(1000))
KEY = HELD.key


@dataclass
class Venue:
    """Shows one position."""

    position: Position | None = HELD
    is_down: bool = False
    reads: int = 0

    async def read(self, _: PositionKey) -> Position | None:
        self.reads += 1
        if self.is_down:
            raise Unavailable("down")
        return self.position

    def move(self, amount: D) -> None:
        assert self.position is not None
        self.position = replace(self.position, margin=self.position.margin + amount)


def move(amount: str, name: str) -> Intent:
    action = AddMargin if D(amount) > 0 else RemoveMargin
    return Intent(
        id=name, decision_id="d", account="main", written_at=NOON, sent_at=NOON,
        action=action(key=KEY, amount=abs(D(amount)), currency="USDT"),
    )  # fmt: skip


def made(venue: Venue) -> tuple[Margins, FakeClock]:
    clock = FakeClock()
    margins = Margins(venue.read, VenueClock(clock), finest=COLLATERAL_STEP)
    margins.saw([HELD])
    return margins, clock


AMOUNTS = st.lists(
    st.integers(-9_000_000, 9_000_000).filter(lambda n: n % 10 != 0),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


@given(amounts=AMOUNTS, data=st.data())
async def test_each_move_is_told_as_it_was_or_not_at_all(
    amounts: list[int], data: st.DataObject
) -> None:
    venue = Venue()
    margins, _ = made(venue)
    intents = [move(str(D(n) / 10_000), f"pl{i}") for i, n in enumerate(amounts)]
    effects = {}
    for intent, steps in zip(intents, amounts, strict=True):
        await margins.before(intent)
        effects[intent.id] = data.draw(st.booleans())
        if effects[intent.id]:
            venue.move(D(steps) / 10_000)
    for intent in intents:
        found = await margins.found(intent)
        amount = intent.action.amount  # type: ignore[union-attr]  # moves of margin only
        assert found in (None, amount if effects[intent.id] else D(0))
        if len(amounts) == 1:
            assert found is not None
    assert venue.reads <= 2 * len(amounts)


async def test_two_sums_that_explain_a_change_prove_nothing() -> None:
    venue = Venue()
    margins, _ = made(venue)
    intents = [move("5", "pla"), move("3", "plb"), move("2", "plc")]
    for intent in intents:
        await margins.before(intent)
    venue.move(D(5))
    assert [await margins.found(intent) for intent in intents] == [None, None, None]


async def test_too_many_open_moves_prove_nothing() -> None:
    venue = Venue()
    margins, _ = made(venue)
    intents = [move(str(2**n), f"pl{n}") for n in range(MOST_OPEN + 1)]
    for intent in intents:
        await margins.before(intent)
    assert await margins.found(intents[0]) is None


async def test_what_was_proven_stays_so_and_the_next_look_is_a_new_beginning() -> None:
    venue = Venue()
    margins, _ = made(venue)
    await margins.before(move("5", "pla"))
    venue.move(D(5))
    assert await margins.found(move("5", "pla")) == 5
    assert venue.position is not None
    margins.saw([venue.position])
    venue.position = None
    assert await margins.found(move("5", "pla")) == 5
    assert await margins.found(move("7", "plb")) is None


async def test_an_absence_is_final_only_once_it_cannot_arrive_any_more() -> None:
    venue = Venue()
    margins, clock = made(venue)
    await margins.before(move("5", "pla"))
    assert await margins.found(move("5", "pla")) == 0
    venue.move(D(5))
    assert await margins.found(move("5", "pla")) == 5
    await margins.before(move("7", "plb"))
    clock.advance(60)
    assert await margins.found(move("7", "plb")) == 0
    venue.move(D(7))
    assert await margins.found(move("7", "plb")) == 0


async def test_a_refused_move_had_no_effect() -> None:
    venue = Venue()
    margins, _ = made(venue)
    await margins.before(move("5", "pla"))
    margins.refused(move("5", "pla"))
    venue.is_down = True
    assert await margins.found(move("5", "pla")) == 0


async def test_before_an_order_what_is_open_is_looked_for_and_after_it_margin_is_read_anew() -> (
    None
):
    venue = Venue()
    margins, _ = made(venue)
    await margins.ordered(PositionKey("X/USDT:USDT", KEY.side))
    await margins.before(move("5", "pla"))
    venue.move(D(5))
    await margins.ordered(KEY)
    assert venue.position is not None
    venue.position = replace(venue.position, size=venue.position.size / 2, margin=D("502.5"))
    await margins.before(move("9", "plb"))
    venue.move(D(9))
    assert await margins.found(move("5", "pla")) == 5
    assert await margins.found(move("9", "plb")) == 9


@pytest.mark.parametrize("is_down", [True, False])
async def test_what_is_open_when_an_order_changed_the_position_is_not_proven(
    is_down: bool,
) -> None:
    venue = Venue()
    margins, _ = made(venue)
    await margins.before(move("5", "pla"))
    venue.is_down = is_down
    await margins.ordered(KEY)
    await margins.before(move("9", "plb"))
    venue.is_down = False
    venue.move(D(14))
    assert await margins.found(move("5", "pla")) is None
    assert await margins.found(move("9", "plb")) is None


async def test_a_move_of_what_was_never_seen_is_read_before_it_and_sent_all_the_same() -> None:
    venue = Venue()
    margins = Margins(venue.read, VenueClock(FakeClock()), finest=COLLATERAL_STEP)
    await margins.before(move("5", "pla"))
    venue.move(D(5))
    assert await margins.found(move("5", "pla")) == 5
    down = Venue(is_down=True)
    margins = Margins(down.read, VenueClock(FakeClock()), finest=COLLATERAL_STEP)
    await margins.before(move("5", "pla"))
    down.is_down = False
    assert await margins.found(move("5", "pla")) is None


async def test_what_can_never_be_proven_does_not_stand_in_the_way_of_later_moves() -> None:
    venue = Venue()
    margins, clock = made(venue)
    await margins.before(move("5", "pla"))
    halved = replace(HELD, size=HELD.size / 2, margin=D(505))
    venue.position = halved
    margins.saw([halved])
    await margins.before(move("9", "plb"))
    margins.saw([halved])
    assert await margins.found(move("9", "plb")) is None  # the first may still arrive
    clock.advance(60)
    margins.saw([halved])
    await margins.before(move("7", "plc"))
    venue.move(D(7))
    assert await margins.found(move("7", "plc")) == 7
    assert await margins.found(move("5", "pla")) is None


async def test_what_never_arrived_is_forgotten_by_the_look_so_that_later_moves_are_told() -> None:
    venue = Venue()
    margins, clock = made(venue)
    for number in range(3 * MOST_OPEN):
        await margins.before(move(str(2 ** (number % 5)), f"pl{number}"))
        assert await margins.found(move(str(2 ** (number % 5)), f"pl{number}")) in (0, None)
        clock.advance(20)
        margins.saw([HELD])
    await margins.before(move("9", "pla"))
    venue.move(D(9))
    assert await margins.found(move("9", "pla")) == 9
    assert await margins.found(move("1", "pl0")) == 0


async def test_a_size_that_changed_while_a_move_is_open_proves_nothing() -> None:
    venue = Venue()
    margins, _ = made(venue)
    await margins.before(move("5", "pla"))
    venue.position = replace(HELD, size=HELD.size / 2, margin=D(505))
    margins.saw([venue.position])
    assert await margins.found(move("5", "pla")) is None


@given(steps=st.integers(-10_000, 10_000), noise=st.integers(-4_000, 4_000))
def test_a_margin_moves_by_whole_steps_whatever_its_last_digits_say(steps: int, noise: int) -> None:
    margins = Margins(Venue().read, VenueClock(FakeClock()), finest=COLLATERAL_STEP)
    first = margins.steady(replace(HELD, margin=D("1000.00004999")))
    moved = first.margin + D(steps) / 10_000
    again = margins.steady(replace(HELD, margin=moved + D(noise) / 10**8))
    assert again.margin == moved
    other = margins.steady(replace(HELD, size=HELD.size * 2, margin=D("7.00000003")))
    assert other.margin == D("7.00000003")
