from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.bootstrap import connection_of, policy_of, redactor_of
from bot.domain.instrument import Contract
from bot.errors import ConfigError
from bot.exchanges.connect import GatewaySettings
from bot.execute.arithmetic import fingerprint_scale
from bot.settings import explain, load, secret_of
from tests.kit.builders import an_instrument

MINIMAL = """
[[accounts]]
name = "main"
symbols = ["BTC/USDT:USDT"]
api_key = "k"
secret = "s"
"""
COIN = MINIMAL.replace("BTC/USDT:USDT", "BTC/USD:BTC")
COIN_LIMITS = """
[limits]
max_margin_per_action = "6"
max_margin_per_hour = "7"
max_margin_per_day = "8"
min_move = "0.002"
"""


GATEWAY = GatewaySettings(address="127.0.0.1:1", ca_file=Path("ca.pem"))


def written(tmp_path: Path, text: str, name: str = "a.toml") -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


def test_a_minimal_file_gets_documented_defaults(tmp_path: Path) -> None:
    loaded = load([written(tmp_path, MINIMAL)], environ={})
    assert loaded.settings.bot.poll_interval == 5.0
    assert loaded.settings.limits.slippage == D("0.005")
    assert loaded.settings.strategy.path == "strategies.hazard:Hazard"


def test_the_last_file_wins_and_tables_are_merged(tmp_path: Path) -> None:
    first = written(tmp_path, MINIMAL + '[limits]\nmin_move = "7"\nslippage = "0.01"\n')
    second = written(tmp_path, '[limits]\nmin_move = "9"\n', "b.toml")
    loaded = load([first, second], environ={})
    assert loaded.settings.limits.min_move == D(9)
    assert loaded.settings.limits.slippage == D("0.01")
    assert loaded.origins["limits.min_move"] == str(second)


def test_the_environment_wins_over_files_and_is_named_as_origin(tmp_path: Path) -> None:
    loaded = load(
        [written(tmp_path, MINIMAL + "[bot]\npoll_interval = 7.0\n")],
        environ={"PLIMSOLL_BOT__POLL_INTERVAL": "9", "OTHER": "x"},
    )
    assert loaded.settings.bot.poll_interval == 9.0
    origins = {path: origin for path, _, origin in explain(loaded)}
    assert origins["bot.poll_interval"] == "environment PLIMSOLL_BOT__POLL_INTERVAL"
    assert origins["bot.mode"] == "default"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[bot", "must be valid TOML", id="bad TOML"),
        pytest.param(
            MINIMAL + "[limits]\nmin_mov = 3\n",
            r"limits.min_mov: is not a setting; did you mean min_move\?",
            id="unknown key",
        ),
        pytest.param(MINIMAL + "[limit]\nx = 1\n", r"limit: is not a setting", id="unknown table"),
        pytest.param(
            MINIMAL + "[limits]\nslippage = 0.01\n",
            "limits.slippage: must be quoted so that it stays exact, was 0.01",
            id="float",
        ),
        pytest.param(
            MINIMAL + '[limits]\nslippage = "NaN"\n', "limits.slippage: .*finite", id="NaN"
        ),
        pytest.param(
            MINIMAL + '[limits]\nslippage = "-1"\n',
            "limits.slippage: .*greater than 0, was '-1'",
            id="negative",
        ),
        pytest.param(
            MINIMAL + '[limits]\nslippage = "0.05"\n',
            "limits: slippage must be <= emergency_slippage, were 0.05, 0.03",
            id="cross-field",
        ),
        pytest.param(
            MINIMAL + '[limits]\nmax_margin_per_action = "9e9"\n',
            "budgets must satisfy",
            id="budgets out of order",
        ),
        pytest.param(
            MINIMAL + "[bot]\nurgent_interval = 6.0\n", "urgent_interval must be <=", id="interval"
        ),
        pytest.param(
            MINIMAL.replace("BTC/USDT:USDT", "BTCUSDT"), "unified names such as", id="symbol"
        ),
        pytest.param(
            MINIMAL.replace('name = "main"', 'name = "Main Account"'), "accounts.0.name", id="name"
        ),
        pytest.param("[bot]\n", "accounts: must be set", id="no account"),
        pytest.param(MINIMAL + MINIMAL, "different names", id="two accounts of one name"),
        pytest.param(
            MINIMAL
            + 'gateway = { address = "127.0.0.1:1", ca_file = "ca" }\n[bot]\nmode = "live"\n',
            "gateway must not be set in live mode",
            id="live keys to a gateway",
        ),
        pytest.param(
            MINIMAL + 'api_key_file = "f"\n', "api_key and api_key_file", id="two sources"
        ),
        pytest.param(
            MINIMAL.replace('"BTC/USDT:USDT"', '"BTC/USD:BTC", "ETH/USD:ETH"'),
            "one currency: settled in BTC, ETH",
            id="two coins",
        ),
        pytest.param(
            MINIMAL.replace('"BTC/USDT:USDT"', '"BTC/USDT:USDT", "BTC/USD:BTC"'),
            "one currency: settled in BTC, quote",
            id="a coin beside quote",
        ),
        pytest.param(
            COIN, "limits.max_margin_per_action must be given in BTC, was 10000", id="forgotten"
        ),
        pytest.param(
            COIN + COIN_LIMITS.replace("0.002", "5"),
            "limits.min_move must be given in BTC, was 5, the default in quote",
            id="copied",
        ),
    ],
)
def test_a_mistake_is_one_message_with_the_field_and_the_fix(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load([written(tmp_path, text)], environ={})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(
            "PLIMSOLL_BOT__POLL_INTERVALL",
            "did you mean PLIMSOLL_BOT__POLL_INTERVAL",
            id="misspelled key",
        ),
        pytest.param("PLIMSOLL_LIMIT__MIN_MOVE", "is not a setting", id="misspelled table"),
        pytest.param("PLIMSOLL_X", "is not a setting", id="nothing like it"),
    ],
)
def test_a_misspelled_variable_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load([written(tmp_path, MINIMAL)], environ={name: "1"})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml must exist"):
        load([tmp_path / "nowhere.toml"], environ={})


def test_no_secret_is_shown_or_hashed_in_the_clear(tmp_path: Path) -> None:
    text = MINIMAL.replace('secret = "s"', 'secret = "tell-nobody"')
    loaded = load([written(tmp_path, text)], environ={})
    assert "tell-nobody" not in str(explain(loaded)) + repr(loaded)


def test_a_wrong_secret_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    text = MINIMAL.replace('secret = "s"', "secret = 12345678")
    with pytest.raises(ConfigError) as caught:
        load([written(tmp_path, text)], environ={})
    assert "12345678" not in str(caught.value)


def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "hush", "key")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        secret_of(None, file, field="accounts.0.secret")
    file.chmod(0o600)
    assert secret_of(None, file, field="accounts.0.secret") == "hush"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "must not be empty", id="empty"),
        pytest.param(b"\xff\xfe", "must be readable text", id="no text"),
        pytest.param(None, "must be readable text", id="missing"),
    ],
)
def test_a_useless_secret_file_is_refused(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)
    with pytest.raises(ConfigError, match=message):
        secret_of(None, file, field="accounts.0.secret")


def test_a_missing_secret_says_where_to_put_it() -> None:
    with pytest.raises(ConfigError, match=r"accounts.0.secret must be set, or .*_file"):
        secret_of(None, None, field="accounts.0.secret")


@pytest.mark.parametrize("name", ["paper.toml", "live.example.toml"])
def test_the_shipped_configurations_are_valid(name: str) -> None:
    loaded = load([Path("config") / name], environ={})
    assert loaded.settings.accounts[0].venue == "binanceusdm"


@pytest.mark.parametrize("venue", ["bitget", "okx"])
def test_the_configuration_of_a_demo_that_wants_three_words_is_valid(venue: str) -> None:
    settings = load([Path(f"config/testnet-{venue}.toml")], environ={}).settings
    account = settings.accounts[0]
    assert (account.venue, settings.bot.mode) == (venue, "testnet")
    assert None not in (account.api_key_file, account.secret_file, account.password_file)


def test_the_configuration_of_hyperliquids_test_network_is_valid_and_names_an_agents_key() -> None:
    settings = load([Path("config/testnet-hyperliquid.toml")], environ={}).settings
    account = settings.accounts[0]
    assert (account.venue, settings.bot.mode) == ("hyperliquid", "testnet")
    assert (account.transfer_from, account.coin) == ((), "")
    assert account.secret_file == Path("secrets/hyperliquid_agent_key")


def test_no_money_is_promised_to_move_where_no_bot_can_move_it(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "[[accounts]]", '[[accounts]]\nvenue = "hyperliquid"\ntransfer_from = ["spot"]'
    )
    settings = load([written(tmp_path, text)], environ={}).settings
    with pytest.raises(ConfigError, match=r"transfer_from must be empty at hyperliquid"):
        connection_of(settings, GATEWAY)


OKX = MINIMAL.replace("[[accounts]]", '[[accounts]]\nvenue = "okx"')


def test_a_passphrase_is_a_secret_where_the_venue_wants_one(tmp_path: Path) -> None:
    without = load([written(tmp_path, OKX)], environ={}).settings
    with pytest.raises(ConfigError, match=r"accounts.0.password must be set, or .*_file"):
        connection_of(without, GATEWAY)
    loaded = load([written(tmp_path, OKX + 'password = "tell-nobody"\n')], environ={})
    assert "tell-nobody" not in str(explain(loaded)) + repr(loaded)
    connection = connection_of(loaded.settings, GATEWAY)
    assert connection.password == "tell-nobody"
    assert "tell-nobody" not in repr(connection)
    assert "tell-nobody" not in redactor_of(loaded.settings).text("told: tell-nobody")
    file = written(tmp_path, "hush-hush", "word")
    file.chmod(0o600)
    other = load([written(tmp_path, OKX + f'password_file = "{file}"\n')], environ={})
    assert connection_of(other.settings, GATEWAY).password == "hush-hush"


KUCOIN = MINIMAL.replace("[[accounts]]", '[[accounts]]\nvenue = "kucoinfutures"\npassword = "w"')


def test_the_shipped_configuration_of_kucoin_is_valid_and_plays_on_this_machine() -> None:
    settings = load([Path("config/kucoin.example.toml")], environ={}).settings
    assert (settings.accounts[0].venue, settings.bot.mode) == ("kucoinfutures", "paper")
    assert connection_of(settings, GATEWAY).wallets == ("futures", "spot")


def test_a_venue_without_test_hosts_is_not_asked_there(tmp_path: Path) -> None:
    tested = KUCOIN.replace("[[accounts]]", '[bot]\nmode = "testnet"\n[[accounts]]')
    settings = load([written(tmp_path, tested)], environ={}).settings
    with pytest.raises(ConfigError, match="kucoinfutures has no test hosts"):
        connection_of(settings, None)
    assert connection_of(load([written(tmp_path, KUCOIN)], environ={}).settings, GATEWAY).password


def test_a_venue_that_wants_none_needs_no_passphrase(tmp_path: Path) -> None:
    settings = load([written(tmp_path, MINIMAL)], environ={}).settings
    assert connection_of(settings, GATEWAY).password == ""


@pytest.mark.parametrize(
    ("name", "venue"),
    [
        ("paper-coin.toml", "binancecoinm"),
        ("testnet-binancecoinm.toml", "binancecoinm"),
        ("testnet-bybit-inverse.toml", "bybit"),
        ("testnet-okx-inverse.toml", "okx"),
    ],
)
def test_the_shipped_configurations_in_coin_are_valid(name: str, venue: str) -> None:
    settings = load([Path("config") / name], environ={}).settings
    assert (settings.accounts[0].venue, settings.accounts[0].coin) == (venue, "BTC")
    assert policy_of(settings).least_move == D("0.001")


@pytest.mark.parametrize("venue", ["bybit", "gate"])
def test_the_shipped_configuration_of_test_hosts_is_valid_and_moves_nothing_between_wallets(
    venue: str,
) -> None:
    (account,) = load([Path(f"config/testnet-{venue}.toml")], environ={}).settings.accounts
    assert (account.venue, account.transfer_from) == (venue, ())


def test_the_live_example_shows_the_defaults() -> None:
    example = load([Path("config/live.example.toml")], environ={}).settings
    for section in ("limits", "journal", "log"):
        shown = getattr(example, section)
        assert shown == type(shown)()


def test_an_account_of_a_coin_has_limits_in_that_coin(tmp_path: Path) -> None:
    policy = policy_of(load([written(tmp_path, COIN + COIN_LIMITS)], environ={}).settings)
    assert policy.coin == "BTC"
    assert policy.min_move == D("0.002")
    # The digits of a move have room from there on: 100,000 steps of five decimals.
    assert policy.least_move == 1
    assert fingerprint_scale(amount=100_000, steps_per_unit=100_000) == 1000
    assert fingerprint_scale(amount=99_999, steps_per_unit=100_000) is None
    quote = policy_of(load([written(tmp_path, MINIMAL)], environ={}).settings)
    assert (quote.coin, quote.least_move) == ("", D(1))
    assert quote.serves(an_instrument())
    assert not policy.serves(an_instrument())
    coin = replace(an_instrument("BTC/USD:BTC"), settle="BTC", contract=Contract.INVERSE)
    assert policy.serves(coin)
    assert not quote.serves(coin)


@pytest.mark.parametrize(("most", "is_fine"), [("0.001", True), ("0.0009", False)])
def test_a_coin_whose_moves_carry_no_digits_moves_by_what_is_planned_at_least(
    tmp_path: Path, most: str, is_fine: bool
) -> None:
    limits = COIN_LIMITS.replace('"6"', f'"{most}"').replace('"0.002"', '"0.0009"')
    text = COIN.replace("[[accounts]]", '[[accounts]]\nvenue = "bybit"')
    settings = load([written(tmp_path, text + limits)], environ={}).settings
    if is_fine:
        assert policy_of(settings).least_move == D("0.001")
        return
    with pytest.raises(ConfigError, match=r"max_margin_per_action must be >= 0.001 BTC"):
        policy_of(settings)


def test_limits_of_a_coin_that_allow_no_move_are_refused(tmp_path: Path) -> None:
    text = COIN + COIN_LIMITS.replace('"6"', '"0.9"')
    settings = load([written(tmp_path, text)], environ={}).settings
    with pytest.raises(ConfigError, match=r"max_margin_per_action must be >= 1.00000 BTC, was 0.9"):
        policy_of(settings)
