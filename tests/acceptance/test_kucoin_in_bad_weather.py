"""The crash at KuCoin with answers lost, cut and late refusals: nothing may be done twice."""

from collections import Counter
from pathlib import Path

from bot import bootstrap, session
from bot.exchanges.connect import GatewaySettings
from bot.paper.faults import Fault, Faults
from bot.paper.fronts import served
from bot.paper.pace import Stepped
from bot.tally import Tally
from tests.acceptance.test_paper_kucoin import configured

MINUTES = 46


def bad_weather() -> Faults:
    faults = Faults(seed=3)
    for kind, method, probability in (
        ("abort_after", "POST", 0.2),
        ("http_503_after", "POST", 0.1),
        ("timeout_1007", "POST", 0.1),
        ("abort", "POST", 0.1),
        ("half_json", "", 0.02),
        ("html", "GET", 0.02),
        ("rate_429", "", 0.01),
    ):
        faults.add(Fault(kind=kind, method=method, probability=probability))  # type: ignore[arg-type]  # kinds
    return faults


async def test_nothing_is_done_twice_and_the_crash_is_survived(tmp_path: Path) -> None:
    show = session.Show(files=(configured(tmp_path),), scenario="crash", speed=1e6)
    engine = session.stage_of(show).engine()
    loaded = session.configured(show, engine)
    pace, tally = Stepped(engine, speed=1e6), Tally()
    async with served(
        "kucoinfutures", engine, pace, folder=tmp_path, faults=bad_weather()
    ) as server:
        await bootstrap.run(
            loaded,
            bootstrap.Run(
                clock=pace,
                journal=tmp_path / "journal.sqlite",
                switches=tmp_path,
                gateway=GatewaySettings(address=server.address, ca_file=server.ca_file),
                sinks=[tally],
                seconds=MINUTES * 60.0,
            ),
        )
    found = tally.summary()
    assert engine.liquidations == []
    assert len(engine.margin_moves) > 3
    assert any("unknown" in name for name in found["unsuccessful_actions"])
    # The digits of a keyless move are its own: one that is there twice was sent or done twice.
    moves = Counter((move.symbol, move.amount) for move in engine.margin_moves)
    assert max(moves.values()) == 1
    names = Counter(order.client_id for order in engine.orders.values())
    assert max(names.values()) == 1
    assert not {"foreign_move", "unbalanced", "unbalanced_again", "second_writer"} & set(
        found["alarms"]
    )
