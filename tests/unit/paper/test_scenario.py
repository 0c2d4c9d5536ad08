from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.paper.scenario import ScenarioError, build, load

FOLDER = Path("config/scenarios")
NAMES = sorted(file.stem for file in FOLDER.glob("*.toml"))
GOOD = """
description = "x"
start = 2026-01-05T12:00:00Z
duration = "1h"
seed = 1
[market.BTCUSDT]
price = "60000"
volatility = "0.003"
[account]
futures = "1000"
spot = "0"
"""


def test_the_named_scenarios_are_there() -> None:
    assert {
        "calm",
        "coin_crash",
        "crash",
        "flash_crash",
        "grind",
        "short_squeeze",
        "venue_outage",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_account_is_liquidated_in_every_scenario_but_the_calm_one(name: str) -> None:
    scenario = load(FOLDER / f"{name}.toml")
    engine = build(scenario)
    engine.advance(scenario.start_ms + scenario.duration * 1000)
    assert bool(engine.liquidations) == (name != "calm")


def test_the_same_seed_gives_the_same_prices_and_another_seed_others() -> None:
    marks = []
    for seed in (1, 1, 2):
        scenario = load(FOLDER / "crash.toml")
        engine = build(type(scenario)(**{
            **{f: getattr(scenario, f) for f in scenario.__slots__}, "seed": seed
        }))  # fmt: skip
        engine.advance(scenario.start_ms + 60_000)
        marks.append(engine.quotes["BTCUSDT"].mark)
    assert marks[0] == marks[1] != marks[2]


COINS = """
[[account.positions]]
symbol = "BTCUSD_PERP"
side = "short"
size = "6000"
leverage = 10
margin = "cross"
[account.coins.BTC]
futures = "0.05"
spot = "0.2"
"""


def test_a_scenario_may_quote_a_coin_contract_beside_the_linear_one_and_hold_coins(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.toml"
    beside = GOOD.replace('price = "60000"', 'price = "60000"\nalso = ["BTCUSD_PERP"]')
    file.write_text(beside + COINS)
    engine = build(load(file))
    file.write_text(GOOD)
    plain = build(load(file))
    for one in (engine, plain):
        one.advance(one.start_ms + 60_000)
    assert tuple(engine.contracts) == ("BTCUSDT", "BTCUSD_PERP")
    assert engine.quotes["BTCUSD_PERP"] == engine.quotes["BTCUSDT"] == plain.quotes["BTCUSDT"]
    assert (engine.cross["BTC"], engine.spot["BTC"]) == (D("0.05"), D("0.2"))
    assert engine.holdings["BTCUSD_PERP", "BOTH"].amount == -6000


def test_a_coin_contract_alone_has_the_prices_of_the_linear_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    quotes = []
    for symbol in ("BTCUSDT", "BTCUSD_PERP"):
        file.write_text(GOOD.replace("BTCUSDT", symbol))
        engine = build(load(file))
        engine.advance(engine.start_ms + 60_000)
        quotes.append(engine.quotes[symbol])
    assert quotes[0] == quotes[1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param('duration = "1h"', "duration = 1", "duration must be a time", id="time"),
        pytest.param("seed = 1", 'seed = "x"', "seed must be a whole number", id="seed"),
        pytest.param(
            "start = 2026-01-05T12:00:00Z", 'start = "now"', "start must be a date", id="date"
        ),
        pytest.param('price = "60000"', 'price = "-1"', "price must be above 0", id="price"),
        pytest.param('price = "60000"', 'price = "NaN"', "price must be a number", id="NaN"),
        pytest.param("BTCUSDT", "ABCUSDT", "must be one of BTCUSDT", id="contract"),
        pytest.param('spot = "0"', 'spot = "-5"', "spot must be at least 0", id="wallet"),
        pytest.param('spot = "0"', "sport = 1", "account.sport is not a setting", id="key"),
        pytest.param(
            'volatility = "0.003"',
            'volatility = "0.003"\npath = [["1m", "1"]]',
            'a first point at "0s"',
            id="path",
        ),
        pytest.param(
            'spot = "0"',
            'spot = "0"\n[[account.positions]]\nsymbol = "BTCUSDT"\nside = "up"\nsize = "1"',
            "side must be long or short",
            id="side",
        ),
        pytest.param(
            'price = "60000"',
            'price = "60000"\nalso = ["ETHUSD_PERP"]',
            "market.BTCUSDT.also must be a list out of BTCUSDC, BTCUSD_PERP",
            id="another coin beside it",
        ),
        pytest.param(
            'price = "60000"',
            'price = "60000"\nalso = ["BTCUSDC", "BTCUSDC"]',
            "market must be contracts that are named once",
            id="twice",
        ),
        pytest.param(
            'spot = "0"',
            'spot = "0"\n[account.coins.XRP]\nfutures = "1"\nspot = "1"',
            "account.coins.XRP is not a setting; there are BTC, ETH, USDC",
            id="unknown coin",
        ),
        pytest.param(
            'spot = "0"',
            'spot = "0"\n[account.coins.BTC]\nfutures = "-1"\nspot = "1"',
            "account.coins.BTC.futures must be at least 0",
            id="coin wallet",
        ),
        pytest.param(
            'spot = "0"',
            'spot = "0"\n[account.coins]\nBTC = "1"',
            "account.coins.BTC must be a table",
            id="coins are tables",
        ),
        pytest.param('description = "x"', "description = [", "must be valid TOML", id="TOML"),
    ],
)
def test_a_wrong_scenario_is_one_message(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ScenarioError, match=message):
        load(file)


def test_a_position_the_wallet_cannot_hold_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        GOOD
        + '[[account.positions]]\nsymbol = "BTCUSDT"\nside = "long"\nsize = "1"\nleverage = 10\n'
    )
    with pytest.raises(ScenarioError, match="futures wallet must hold"):
        build(load(file))
