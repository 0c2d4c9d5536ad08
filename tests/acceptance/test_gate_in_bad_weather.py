"""The same crash at Gate with answers lost and cut: the books have each move once."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from bot import bootstrap, session
from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.intent import IntentState
from bot.exchanges.connect import GatewaySettings
from bot.journal.queries import JournalReader
from bot.paper.faults import Fault, Faults, Kind
from bot.paper.fronts import served
from bot.paper.pace import Stepped
from bot.tally import Tally
from tests.acceptance.test_paper_gate import configured

MINUTES = 46
LOST: tuple[tuple[Kind, str, float], ...] = (
    ("abort_after", "POST", 0.15), ("http_503_after", "POST", 0.1), ("timeout_1007", "POST", 0.1),
    ("abort", "POST", 0.1), ("half_json", "", 0.01), ("html", "GET", 0.01),
)  # fmt: skip
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
    show = session.Show(files=(configured(tmp_path),), scenario="crash", speed=1e6)
    engine = session.stage_of(show).engine()
    loaded = session.configured(show, engine)
    pace, tally, faults = Stepped(engine, speed=1e6), Tally(), Faults(seed=3)
    journal = tmp_path / "journal.sqlite"
    for kind, method, probability in LOST:
        faults.add(Fault(kind=kind, method=method, probability=probability))
    async with served("gate", engine, pace, folder=tmp_path, faults=faults) as server:
        await bootstrap.run(
            loaded,
            bootstrap.Run(
                clock=pace,
                journal=journal,
                switches=tmp_path,
                gateway=GatewaySettings(address=server.address, ca_file=server.ca_file),
                sinks=[tally],
                seconds=MINUTES * 60.0,
            ),
        )
    assert engine.liquidations == []
    assert any("unknown" in name for name in tally.summary()["unsuccessful_actions"])
    with JournalReader.open(journal) as reader:
        sent = [stored.intent for stored in reader.actions(limit=1000)]
    moves = [(i.state, amount) for i in sent if (amount := signed(i.action)) is not None]
    booked = [m.amount for m in engine.margin_moves] + [t.amount for t in engine.transfers]
    assert len(booked) >= 5
    # Each has digits of its own, so that it is found in the books once, or not at all.
    assert Counter(booked).most_common(1)[0][1] == 1
    assert set(booked) <= {amount for state, amount in moves if state not in WITHOUT}
    names = Counter(order.client_id for order in engine.orders.values())
    assert max(names.values()) == 1
    alarms = set(tally.summary()["alarms"])
    assert not {"unbalanced", "unbalanced_again", "second_writer"} & alarms
