"""Rules of a contract as the venue lists them, and what a venue can do."""

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.instrument import Contract
from bot.errors import Incomplete
from bot.exchanges.binance import parse
from bot.exchanges.venues import VENUES
from bot.execute.facts import KINDS
from bot.paper.binance import market_data
from bot.paper.instruments import CONTRACTS
from tests.kit.builders import ONE_TIER

FAR = 4133404800000
SOON = datetime(2026, 3, 1, 9, tzinfo=UTC)
SOON_MS = int(SOON.timestamp() * 1000)


def row(**changes: Any) -> dict[str, Any]:
    return market_data._symbol(CONTRACTS["BTCUSDT"]) | changes


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({"deliveryDate": FAR}, None),
        ({"deliveryDate": SOON_MS}, SOON),
        ({"deliveryDate": 0}, None),
        ({"deliveryDate": FAR, "status": "SETTLING"}, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"deliveryDate": SOON_MS, "status": "SETTLING"}, SOON),
    ],
)
def test_a_perpetual_ends_when_the_venue_names_a_real_day(
    changes: dict[str, Any], ends: datetime | None
) -> None:
    found = parse.instrument(
        row(**changes),
        ONE_TIER,
        margin_step=VENUES["binanceusdm"].margin_step,
        margin_release=VENUES["binanceusdm"].margin_release,
    )
    assert found.closes_at == ends


def coin_row(**changes: Any) -> dict[str, Any]:
    return market_data._coin_symbol(CONTRACTS["BTCUSD_PERP"]) | changes


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({}, None),
        ({"contractStatus": "PENDING_TRADING"}, None),
        ({"contractStatus": "SETTLING"}, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"contractStatus": "PRE_SETTLE", "deliveryDate": SOON_MS}, SOON),
    ],
)
def test_an_inverse_contract_has_its_status_under_another_name(
    changes: dict[str, Any], ends: datetime | None
) -> None:
    venue = VENUES["binancecoinm"]
    found = parse.instrument(
        coin_row(**changes),
        ONE_TIER,
        margin_step=venue.margin_step,
        margin_release=venue.margin_release,
    )
    assert (found.closes_at, found.contract) == (ends, Contract.INVERSE)
    assert (found.size_step, found.min_size, found.min_notional) == (D(100), D(100), D(0))


@pytest.mark.parametrize("field", ["contractSize", "filters"])
def test_an_inverse_contract_without_its_value_is_named(field: str) -> None:
    row = coin_row()
    del row[field]
    venue = VENUES["binancecoinm"]
    with pytest.raises(Incomplete, match=field):
        parse.instrument(
            row,
            ONE_TIER,
            margin_step=venue.margin_step,
            margin_release=venue.margin_release,
        )


@pytest.mark.parametrize("changes", [{"deliveryDate": "soon"}, {"status": ["TRADING"]}])
def test_an_end_that_cannot_be_read_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(Incomplete, match=next(iter(changes))):
        parse.instrument(
            row(**changes),
            ONE_TIER,
            margin_step=VENUES["binanceusdm"].margin_step,
            margin_release=VENUES["binanceusdm"].margin_release,
        )


def test_the_capability_table_names_every_kind_of_action() -> None:
    venue = VENUES["binanceusdm"]
    assert venue.kinds(is_demo=False) == KINDS
    assert venue.kinds(is_demo=True) == KINDS - {"transfer"}
