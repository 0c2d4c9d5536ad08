"""The crash at each venue while answers are lost and cut: its books have each move once."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from bot import bootstrap, session
from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.intent import IntentState
from bot.exchanges.connect import GatewaySettings
from bot.journal.queries import JournalReader
from bot.paper.faults import Fault, Faults, Kind
from bot.paper.fronts import served
from bot.paper.pace import Stepped
from bot.tally import Tally
from tests.kit.houses import BYBIT, GATE, HYPERLIQUID, KUCOIN, OKX, House

WITHOUT = (IntentState.ABSENT, IntentState.REJECTED, IntentState.DROPPED)
STORM: tuple[tuple[Kind, str, float], ...] = (
    ("abort_after", "POST", 0.2), ("http_503_after", "POST", 0.1), ("timeout_1007", "POST", 0.1),
    ("abort", "POST", 0.1), ("half_json", "", 0.02), ("html", "GET", 0.02),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What goes wrong at one venue.

    Attributes:
        house: The venue.
        faults: Kind, method and probability [ratio].
        minutes: How long the crash is played. [min]
        least: So many moves take place at least.
        is_explained: Whether no move may look like somebody else's.
    """

    house: House
    faults: tuple[tuple[Kind, str, float], ...]
    minutes: int = 46
    least: int = 4
    is_explained: bool = True

    def __str__(self) -> str:
        return self.house.venue


WEATHERS = (
    Weather(
        house=BYBIT,
        faults=(
            ("abort", "POST", 0.1), ("abort_after", "POST", 0.1), ("timeout_1007", "POST", 0.1),
            ("half_json", "POST", 0.1), ("http_503_after", "POST", 0.1),
            ("http_503", "GET", 0.002),
        ),
        minutes=65,
        least=10,
    ),
    Weather(house=OKX, faults=(*STORM, ("rate_429", "", 0.01))),
    Weather(
        house=GATE,
        faults=(
            ("abort_after", "POST", 0.15), ("http_503_after", "POST", 0.1),
            ("timeout_1007", "POST", 0.1), ("abort", "POST", 0.1), ("half_json", "", 0.01),
            ("html", "GET", 0.01),
        ),
        least=5,
        is_explained=False,
    ),
    Weather(house=KUCOIN, faults=(*STORM, ("rate_429", "", 0.01))),
    # The first position is liquidated by then where nobody acts.
    Weather(house=HYPERLIQUID, faults=(*STORM, ("rate_429", "", 0.003)), minutes=33),
)  # fmt: skip


def signed(action: Action) -> Decimal | None:
    """What an action moves, as the exchange books it; nothing for orders."""
    match action:
        case AddMargin(amount=amount) | Transfer(amount=amount):
            return amount
        case RemoveMargin(amount=amount):
            return -amount
        case _:
            return None


@pytest.mark.parametrize("weather", WEATHERS, ids=str)
async def test_no_move_is_doubled_and_none_is_called_absent_that_was_there(
    weather: Weather, tmp_path: Path
) -> None:
    show = session.Show(files=(weather.house.configured(tmp_path),), scenario="crash", speed=1e6)
    engine = session.stage_of(show).engine()
    loaded = session.configured(show, engine)
    pace, tally, faults = Stepped(engine, speed=1e6), Tally(), Faults(seed=3)
    journal = tmp_path / "journal.sqlite"
    for kind, method, probability in weather.faults:
        faults.add(Fault(kind=kind, method=method, probability=probability))
    venue = weather.house.venue
    async with served(venue, engine, pace, folder=tmp_path, faults=faults) as server:
        await bootstrap.run(
            loaded,
            bootstrap.Run(
                clock=pace,
                journal=journal,
                switches=tmp_path,
                gateway=GatewaySettings(address=server.address, ca_file=server.ca_file),
                sinks=[tally],
                seconds=weather.minutes * 60.0,
            ),
        )
    assert engine.liquidations == []
    found = tally.summary()
    assert any("unknown" in name for name in found["unsuccessful_actions"])
    with JournalReader.open(journal) as reader:
        sent = [stored.intent for stored in reader.actions(limit=1000)]
    moves = [(i.state, amount) for i in sent if (amount := signed(i.action)) is not None]
    booked = [m.amount for m in engine.margin_moves] + [t.amount for t in engine.transfers]
    assert len(booked) >= weather.least
    assert len(engine.margin_moves) > 3
    # Each has digits of its own, so that it is found in the books once, or not at all.
    assert Counter(booked).most_common(1)[0][1] == 1
    assert set(booked) <= {amount for state, amount in moves if state not in WITHOUT}
    settled = [amount for state, amount in moves if state is IntentState.APPLIED]
    assert len(settled) >= len(booked) - 3  # the rest was given up, or waits to be read back
    assert max(Counter(order.client_id for order in engine.orders.values()).values()) == 1
    never = {"unbalanced", "unbalanced_again", "second_writer"}
    if weather.is_explained:
        never.add("foreign_move")
    assert not never & set(found["alarms"])
