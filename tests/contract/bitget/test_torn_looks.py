"""When do Bitget's answers not fit together, so that nothing is seen?"""

import json
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Incomplete
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.paper.faults import Fault
from tests.kit.bitget import Rig, connected, serving
from tests.kit.paper import an_engine


def changing(change: Callable[[Any], Any]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        body = json.loads(text)
        return json.dumps(body | {"data": change(body["data"])})

    return changed


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: [], id="none"),
        pytest.param(lambda rows: rows[:1], id="the first only"),
        pytest.param(lambda rows: rows[1:], id="the last only"),
        pytest.param(lambda rows: [*rows, rows[0]], id="one twice"),
    ],
)
async def test_a_list_of_positions_is_believed_only_with_the_margin_that_the_account_says(
    venue: BitgetVenue, rig: Rig, change: Callable[[Any], Any]
) -> None:
    rig.faults.add(Fault(kind="rewrite", path="all-position", rewrite=changing(change)))
    with pytest.raises(Incomplete, match="isolated margin of positions and orders must be"):
        await venue.observe()


async def test_crossed_margin_without_a_position_or_an_order_is_a_torn_look(
    authority: Path,
) -> None:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10, isolated=False)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        rig.faults.add(Fault(kind="rewrite", path="all-position", rewrite=changing(lambda _: [])))
        with pytest.raises(Incomplete, match="crossed"):
            await venue.observe()


@pytest.mark.parametrize("rows", [[], None, {}])
@pytest.mark.parametrize("path", ["account/accounts", "spot/account/assets"])
async def test_an_account_that_is_not_listed_is_not_empty(
    venue: BitgetVenue, rig: Rig, path: str, rows: object
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=changing(lambda _: rows)))
    with pytest.raises(Incomplete, match="must"):
        await venue.observe()


async def test_profit_is_told_as_a_whole_or_in_parts_and_never_left_out(
    venue: BitgetVenue, rig: Rig
) -> None:
    profit = sum((rig.engine.profit(h) for h in rig.engine.holdings.values()), D(0))

    def in_parts(rows: Any) -> Any:
        whole = rows[0]["unrealizedPL"]
        return [rows[0] | {"unrealizedPL": "", "isolatedUnrealizedPL": whole}]

    parts = rig.faults.add(
        Fault(kind="rewrite", path="account/accounts", rewrite=changing(in_parts))
    )
    wallet = (await venue.observe()).account.wallet("futures", "USDT")
    assert wallet is not None
    assert wallet.total == rig.engine.cross["USDT"]
    assert profit == 0 or wallet.total != rig.engine.equity()
    parts.rewrite = changing(lambda rows: [rows[0] | {"unrealizedPL": ""}])
    with pytest.raises(Incomplete, match="unrealizedPL"):
        await venue.observe()


async def test_a_mode_that_a_person_changed_is_a_torn_look_and_then_read_again(
    authority: Path,
) -> None:
    engine = an_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        await rig.pace.sleep(5)
        engine.set_hedge_mode(hedge=True)
        engine.hold("SOLUSDT", D(50), leverage=10)
        with pytest.raises(Incomplete, match="position mode"):
            await venue.observe()
        await rig.pace.sleep(5)
        assert len((await venue.observe()).account.positions) == 1


@pytest.mark.parametrize("name", ["BTCUSD", "BTCUSDT260327", "BTCPERP"])
async def test_a_position_of_another_kind_is_named_and_not_lost(
    venue: BitgetVenue, rig: Rig, name: str
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path="all-position",
            rewrite=lambda text: text.replace('"BTCUSDT"', f'"{name}"'),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match=name):
        await venue.observe()
