"""Years of hours, page by page, from an exchange that knows them."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.chance import SeededRng
from bot.domain.market import Candle
from bot.errors import Incomplete, Unavailable
from bot.exchanges.binance.family import USDM
from bot.exchanges.binance.history import BinanceHistory
from bot.exchanges.binance.weights import BUDGETS, Budget
from bot.exchanges.client import Client
from bot.exchanges.limits import Cost
from bot.exchanges.mark_history import HOUR_MS, PATIENCE, PAUSE
from bot.exchanges.quota import Lane, Quota
from bot.leverage.library import Library
from bot.paper.faults import Fault
from tests.kit.binance import Rig, raw_client, serving
from tests.kit.paper import KEYS, START, START_MS, an_engine

BTC = "BTC/USDT:USDT"


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    async with serving(an_engine(), authority) as served:
        yield served


@pytest.fixture
async def client(rig: Rig) -> AsyncIterator[Client]:
    async with raw_client(rig) as found:
        yield found


async def no_wait(seconds: float) -> None:
    raise AssertionError(f"must not wait {seconds}")


def there(rig: Rig) -> list[tuple[datetime, float, float, float]]:
    return [
        (datetime.fromtimestamp(c.at_ms / 1000, UTC), float(c.high), float(c.low), float(c.close))
        for c in rig.engine.candles["BTCUSDT"].bars(
            HOUR_MS, since_ms=None, until_ms=None, limit=9999
        )
        if c.at_ms < START_MS
    ]


def seen(found: tuple[Candle, ...]) -> list[tuple[datetime, float, float, float]]:
    return [(c.opened_at, c.high, c.low, c.close) for c in found]


@pytest.mark.parametrize("page", [1, 7, 100, 960, 1500])
async def test_every_completed_hour_comes_once_whatever_a_page_holds(
    client: Client, rig: Rig, page: int
) -> None:
    hours = 40 if page == 1 else 2000
    history = BinanceHistory(client, USDM, sleep=no_wait, page=page)
    since = START - timedelta(hours=hours)
    found = await history.read("BTCUSDT", BTC, since=since, until=START)
    assert seen(found) == there(rig)[-min(hours, 960) :]


async def test_the_hour_that_has_not_closed_is_left_out(client: Client, rig: Rig) -> None:
    history = BinanceHistory(client, USDM, sleep=no_wait, page=5)
    until = START - timedelta(minutes=30)
    found = await history.read("BTCUSDT", BTC, since=START - timedelta(hours=12), until=until)
    assert found[0].opened_at == START - timedelta(hours=12)
    assert found[-1].opened_at == START - timedelta(hours=2)


async def test_it_waits_for_its_turn_and_not_for_ever(client: Client, rig: Rig) -> None:
    history, waits = BinanceHistory(client, USDM, sleep=no_wait, page=5), 0

    async def sleep(seconds: float) -> None:
        nonlocal waits
        waits += 1
        assert seconds == PAUSE
        if waits == 3:
            client.quota = Quota(BUDGETS, SeededRng("a minute later"))
            client.api.plimsoll_quota = client.quota

    def spend() -> None:
        cost = Cost(budget=Budget.FUTURES, weight=10)
        while client.quota.take(cost, Lane.PROTECT, rig.pace.monotonic()):
            pass

    spend()
    history = BinanceHistory(client, USDM, sleep=sleep, page=1500)
    since = START - timedelta(hours=3)
    assert len(await history.read("BTCUSDT", BTC, since=since, until=START)) == 3
    assert waits == 3
    spend()
    with pytest.raises(Unavailable, match="marks of BTCUSDT must be readable"):
        await history.read("BTCUSDT", BTC, since=since, until=START)
    assert waits >= PATIENCE / PAUSE


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{}", "must be a list of rows"),
        ('[[1, "2"]]', "high"),
        ('[[1700000000000, "1", "2", "1", "1"]]', "must lie in the hours asked for"),
        ('[[1767600000000, "1", "NaN", "1", "1"]]', "high"),
    ],
)
async def test_rows_that_are_none_are_named(client: Client, rig: Rig, body: str, why: str) -> None:
    rig.faults.add(Fault(kind="rewrite", path="markPriceKlines", rewrite=lambda _: body))
    history = BinanceHistory(client, USDM, sleep=no_wait)
    with pytest.raises(Incomplete, match=why):
        await history.read("BTCUSDT", BTC, since=START - timedelta(hours=30), until=START)


async def test_a_person_fits_models_on_what_the_venue_knows(
    authority: Path, tmp_path: Path
) -> None:
    async with serving(an_engine(hours=14_000), authority) as rig:
        file = tmp_path / "mine.toml"
        file.write_text(
            '[bot]\nmode = "paper"\n'
            "[[accounts]]\n"
            f'name = "main"\nsymbols = ["{BTC}", "SOL/USDT:USDT"]\n'
            f'api_key = "{KEYS.key}"\nsecret = "{KEYS.secret}"\n'
            f'gateway = {{ address = "{rig.server.address}", ca_file = "{rig.server.ca_file}" }}\n'
        )
        out = tmp_path / "models.json"
        words = [sys.executable, "-m", "bot", "fit", "-c", str(file), "--out", str(out)]
        process = await asyncio.create_subprocess_exec(
            *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        said, wrong = await process.communicate()
        assert process.returncode == 0, wrong
    found = Library.from_dict(json.loads(out.read_text()))
    assert set(found.coins) == {"BTC", "SOL"}
    assert found.source == "hourly mark of binanceusdm"
    assert said.decode().splitlines()[1].split()[:2] == ["BTC", "14000"]
