"""When do OKX's answers not fit together, so that nothing is seen?"""

import json
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.errors import Incomplete
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from tests.kit.okx import Rig, connected, serving
from tests.kit.paper import an_engine


def nothing(field: str = "data") -> Callable[[str], str]:
    def empty(text: str) -> str:
        body = json.loads(text)
        if field == "data":
            return json.dumps(body | {"data": []})
        body["data"][0][field] = []
        return json.dumps(body)

    return empty


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("account/positions", "data"),
        ("account-position-risk", "posData"),
        ("account/balance", "details"),
    ],
)
async def test_an_empty_list_is_not_flat_while_another_answer_shows_something(
    venue: OkxVenue, rig: Rig, path: str, field: str
) -> None:
    rig.faults.add(Fault(kind="rewrite", path=path, rewrite=nothing(field)))
    with pytest.raises(Incomplete, match="must"):
        await venue.observe()


async def test_isolated_margin_without_a_position_is_a_torn_look(venue: OkxVenue, rig: Rig) -> None:
    rig.faults.add(Fault(kind="rewrite", path="account/positions", rewrite=nothing()))
    rig.faults.add(Fault(kind="rewrite", path="position-risk", rewrite=nothing("posData")))
    with pytest.raises(Incomplete, match="isolated margin of USDT must be of a position"):
        await venue.observe()


async def test_margin_that_waits_without_a_position_is_no_torn_look(authority: Path) -> None:
    """With margin that is moved by hand the venue lists a position of nothing beside it."""
    engine = an_engine()

    def waiting(text: str) -> str:
        row = {"instId": "SOL-USDT-SWAP", "pos": "0", "posSide": "net", "mgnMode": "isolated",
               "ccy": "USDT", "margin": "100"}  # fmt: skip
        return json.dumps(json.loads(text) | {"data": [row]})

    def isolated(text: str) -> str:
        return text.replace('"isoEq": "0"', '"isoEq": "100"')

    async with serving(engine, authority) as rig, connected(rig) as venue:
        rig.faults.add(Fault(kind="rewrite", path="account/positions", rewrite=waiting))
        rig.faults.add(Fault(kind="rewrite", path="account/balance", rewrite=isolated))
        assert (await venue.observe()).account.positions == ()


async def test_a_funding_account_that_is_listed_once_and_then_not_is_empty_after_two_answers(
    venue: OkxVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path="asset/balances", rewrite=nothing(), times=1))
    await rig.pace.sleep(5)
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 5000  # the second answer had it
    rig.engine.spot["USDT"] = D(0)
    await rig.pace.sleep(5)
    wallet = (await venue.observe()).account.wallet("spot", "USDT")
    assert wallet is not None
    assert wallet.total == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"instId": "BTC-USD-SWAP"},
        {"instId": "BTC-USDT-260327", "instType": "FUTURES"},
        {"instId": "BTC-USD-260327-60000-C", "instType": "OPTION"},
    ],
)
async def test_a_position_of_another_kind_is_named_and_not_lost(
    venue: OkxVenue, rig: Rig, changes: dict[str, str]
) -> None:
    def with_another(text: str) -> str:
        body = json.loads(text)
        rows = body["data"][0].get("posData", body["data"])
        rows.append(rows[0] | changes)
        return json.dumps(body)

    for path in ("account/positions", "account-position-risk"):
        rig.faults.add(Fault(kind="rewrite", path=path, rewrite=with_another))
    with pytest.raises(Incomplete, match=changes["instId"]):
        await venue.observe()
