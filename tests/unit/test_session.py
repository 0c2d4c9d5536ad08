"""What a paper session watches, of an exchange that quotes contracts of every kind."""

import re
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.paper.engine import Engine
from bot.session import Show, configured
from tests.kit.coins import a_coin_engine
from tests.kit.paper import an_engine

COIN = Path("config/paper-coin.toml")


@pytest.mark.parametrize(
    ("files", "symbols"),
    [
        pytest.param((COIN,), ("BTC/USD:BTC",), id="inverse, of the account's coin"),
        pytest.param(
            (),
            ("BTC/USDT:USDT", "BTC/USDC:USDC", "ETH/USDT:USDT", "ETH/USDC:USDC"),
            id="linear",
        ),
    ],
)
def test_a_bot_watches_what_its_venue_lists(files: tuple[Path, ...], symbols: tuple[str]) -> None:
    loaded = configured(Show(files=files), a_coin_engine())
    assert loaded.settings.accounts[0].symbols == symbols


@pytest.mark.parametrize(
    ("files", "engine", "named"),
    [
        pytest.param((COIN,), an_engine(hours=1), "settles in BTC, quotes BTCUSDT", id="no coin"),
    ],
)
def test_a_market_without_such_contracts_is_refused_by_name(
    files: tuple[Path, ...], engine: Engine, named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        configured(Show(files=files), engine)


@pytest.mark.parametrize("venue", ["bybit", "okx"])
@pytest.mark.parametrize(
    ("shipped", "watched"),
    [
        pytest.param(COIN, {"BTC/USD:BTC"}, id="inverse"),
        pytest.param(
            Path("config/paper.toml"),
            {"BTC/USDT:USDT", "BTC/USDC:USDC", "ETH/USDT:USDT", "ETH/USDC:USDC"},
            id="linear",
        ),
    ],
)
def test_where_one_venue_lists_both_kinds_the_symbols_of_the_account_decide(
    tmp_path: Path, venue: str, shipped: Path, watched: set[str]
) -> None:
    text, file = shipped.read_text(), tmp_path / "own.toml"
    changed = re.sub(r'venue = "\w+"', f'venue = "{venue}"\npassword = "paper-word"', text)
    file.write_text(changed)
    loaded = configured(Show(files=(file,)), a_coin_engine())
    assert set(loaded.settings.accounts[0].symbols) == watched
