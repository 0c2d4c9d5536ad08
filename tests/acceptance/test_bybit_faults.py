"""A crash at Bybit while answers are lost: the exchange's books have each move once."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from bot import bootstrap, session
from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.intent import IntentState
from bot.journal.queries import JournalReader
from bot.paper.faults import Fault, Kind
from bot.settings import load
from tests.acceptance.test_bybit_day import configuration
from tests.kit.bybit import serving

LOST: tuple[Kind, ...] = ("abort", "abort_after", "timeout_1007", "half_json", "http_503_after")
WITHOUT = (IntentState.ABSENT, IntentState.REJECTED, IntentState.DROPPED)


def signed(action: Action) -> Decimal | None:
    """What an action moves, as the exchange books it; nothing for orders."""
    match action:
        case AddMargin(amount=amount) | Transfer(amount=amount):
            return amount
        case RemoveMargin(amount=amount):
            return -amount
        case _:
            return None


async def test_no_move_is_doubled_and_none_is_called_absent_that_was_there(
    tmp_path: Path,
) -> None:
    engine = session.stage_of(session.Show(scenario="crash")).engine()
    loaded = load([configuration(tmp_path)], environ={"PLIMSOLL_BOT__STATE_DIR": str(tmp_path)})
    journal = tmp_path / "journal.sqlite"
    async with serving(engine, tmp_path) as rig:
        for kind in LOST:
            rig.faults.add(Fault(kind=kind, method="POST", probability=0.1))
        rig.faults.add(Fault(kind="http_503", method="GET", probability=0.002))
        how = bootstrap.Run(
            clock=rig.pace, journal=journal, switches=tmp_path, gateway=rig.gateway,
            seconds=65 * 60,
        )  # fmt: skip
        await bootstrap.run(loaded, how)
    assert engine.liquidations == []
    with JournalReader.open(journal) as reader:
        sent = [stored.intent for stored in reader.actions(limit=1000)]
    moves = [(i.state, amount) for i in sent if (amount := signed(i.action)) is not None]
    booked = [m.amount for m in engine.margin_moves] + [t.amount for t in engine.transfers]
    assert len(booked) >= 10
    # Each has digits of its own, so that it is found in the books once, or not at all.
    assert Counter(booked).most_common(1)[0][1] == 1
    assert set(booked) <= {amount for state, amount in moves if state not in WITHOUT}
    settled = [amount for state, amount in moves if state is IntentState.APPLIED]
    assert len(settled) >= len(booked) - 3  # the rest was given up, or waits to be read back
