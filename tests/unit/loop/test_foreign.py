"""What may a bot do once somebody else has moved money?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.mode import Mode
from bot.domain.switch import Switches
from tests.kit.builders import NOON, a_position, a_stop, an_observation
from tests.kit.loops import SHORT_OF_CASH, Rig, mode_of, polls


def a_line(amount: str) -> LedgerRow:
    return LedgerRow(
        id=amount,
        at=NOON + timedelta(seconds=15),
        kind=RowKind.MARGIN_ADDED,
        amount=D(amount),
        asset="USDT",
        symbol=a_position().symbol,
    )


async def test_after_a_foreign_move_the_bot_protects_and_moves_nothing_else() -> None:
    rig = Rig(SHORT_OF_CASH)
    seen = rig.venue.observation
    rig.venue.observation = an_observation(a_position(margin="8000"), futures="1000", spot="9000")
    await polls(rig, 3)
    assert mode_of(rig) is Mode.NORMAL
    rig.venue.lines = [a_line("7")]
    await polls(rig, 12)
    assert [alarm.code for alarm in rig.seen.alarms] == ["foreign_move"]
    assert mode_of(rig) is Mode.DEGRADED
    rig.venue.observation = seen
    await polls(rig, 2)
    kinds = {intent.action.kind for intent in rig.venue.sent}
    assert "transfer" not in kinds
    assert kinds & {"add_margin", "reduce_position"}


async def test_a_second_writer_stops_everything_until_a_person_resumes() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    await polls(rig, 2)
    stop = replace(a_stop("55000", stop_id="1"), client_id="plzzzz0009000001")
    rig.venue.observation = an_observation(a_position(margin="5000"), futures="9000", stops=(stop,))
    await polls(rig, 3)
    assert mode_of(rig) is Mode.OBSERVE
    assert "second_writer" in [alarm.code for alarm in rig.seen.alarms]
    assert rig.venue.sent == []
    rig.switches.state = Switches(resumed_at=rig.clock.now())
    await polls(rig, 1)
    assert mode_of(rig) is Mode.DEGRADED
    assert [intent.action.kind for intent in rig.venue.sent] == ["add_margin"]
