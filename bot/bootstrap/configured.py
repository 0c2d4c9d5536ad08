"""What does each part take from the configuration?"""

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from bot.domain.instrument import MarginRelease
from bot.errors import ConfigError
from bot.exchanges.connect import ConnectionSettings, GatewaySettings
from bot.exchanges.venues import VENUES, venue_of
from bot.execute.fingerprint import least_marked, steps_apart
from bot.operate.logs import Logs, LogSettings
from bot.operate.mqtt import MqttSettings
from bot.operate.redact import Redactor
from bot.pace import Pace
from bot.plugins import Resolved, resolve
from bot.rebalance.policy import Policy
from bot.settings import AccountSection, MqttSection, Settings, secret_of


def policy_of(settings: Settings) -> Policy:
    """Return the core's policy from the configuration.

    Raises:
        ConfigError: The limits of an account of a coin allow no move at all.
    """
    account, limits = settings.accounts[0], settings.limits.model_dump()
    limits["resident_stops"] &= bool(VENUES[account.venue].stops)
    if account.coin:
        limits["coin"] = account.coin
        limits["least_move"] = _least_move(settings)
    return Policy(
        transfer_from=account.transfer_from,
        reserves=tuple(sorted(account.reserves.items())),
        **limits,
    )


def _least_move(settings: Settings) -> Decimal:
    account, most = settings.accounts[0], settings.limits.max_margin_per_action
    row = venue_of(account.venue, account.symbols)
    least = least_marked(row.collateral_step)
    if steps_apart(room=row.margin_step, step=row.collateral_step):
        least = row.margin_step
    if most < least:
        raise ConfigError(
            f"limits.max_margin_per_action must be >= {least:f} {account.coin}, was {most}: less "
            "has no room for the digits by which a move is told from another"
        )
    return least


def strategy_of(settings: Settings) -> Resolved:
    """Return the configured strategy.

    Raises:
        StrategyError: It cannot be loaded.
    """
    return resolve(settings.strategy.path, settings.strategy.own())


def journal_of(settings: Settings) -> Path:
    """Return the journal's file."""
    return settings.bot.state_dir / settings.journal.file


def pace_of(settings: Settings) -> Pace:
    """Return how long to wait between polls."""
    return Pace(routine=settings.bot.poll_interval, urgent=settings.bot.urgent_interval)


def connection_of(settings: Settings, gateway: GatewaySettings | None) -> ConnectionSettings:
    """Return how the account is reached; ``gateway`` overrides the configured one.

    Raises:
        ConfigError: A secret is missing, the exchange is not named in paper mode, the venue has no
            test hosts, or money shall be moved where no bot can.
    """
    account = settings.accounts[0]
    if settings.bot.mode == "testnet" and not VENUES[account.venue].has_tests:
        raise ConfigError(
            f"bot.mode must be paper or live: {account.venue} has no test hosts, `plimsoll paper` "
            "plays it on this machine"
        )
    if gateway is None and account.gateway is not None:
        gateway = GatewaySettings(address=account.gateway.address, ca_file=account.gateway.ca_file)
    if settings.bot.mode == "paper" and gateway is None:
        raise ConfigError("accounts.0.gateway must be set in paper mode: it names the exchange")
    if account.transfer_from and not VENUES[account.venue].transfers:
        raise ConfigError(
            f"accounts.0.transfer_from must be empty at {account.venue}: no bot moves money "
            "between wallets there"
        )
    return ConnectionSettings(
        account=account.name,
        venue=account.venue,
        api_key=secret_of(account.api_key, account.api_key_file, field="accounts.0.api_key"),
        secret=secret_of(account.secret, account.secret_file, field="accounts.0.secret"),
        password=_password_of(account),
        symbols=account.symbols,
        wallets=("futures", *account.transfer_from),
        mode=settings.bot.mode,
        gateway=gateway,
        margin_release=MarginRelease(account.margin_release),
        bar_seconds=account.bar_seconds,
        bars=account.bars,
    )


def _password_of(account: AccountSection) -> str:
    """Return the third word of an account; empty where its venue asks for none.

    Raises:
        ConfigError: It is missing, or its file is of no use.
    """
    if not VENUES[account.venue].wants_password and account.password_file is None:
        return "" if account.password is None else account.password.get_secret_value()
    return secret_of(account.password, account.password_file, field="accounts.0.password")


def redactor_of(settings: Settings) -> Redactor:
    """Return a redactor that knows every configured secret.

    Raises:
        ConfigError: A secret is missing.
    """
    account = settings.accounts[0]
    redactor = Redactor(
        [
            secret_of(account.api_key, account.api_key_file, field="accounts.0.api_key"),
            secret_of(account.secret, account.secret_file, field="accounts.0.secret"),
            _password_of(account),
        ]
    )
    password = _mqtt_password(settings.mqtt)
    if password:
        redactor.register(password)
    return redactor


@contextlib.contextmanager
def logs_of(settings: Settings, redactor: Redactor) -> Iterator[None]:
    """Run with the configured log."""
    view = LogSettings(
        level=settings.log.level, view=settings.log.view, every=settings.log.hold_every
    )
    with Logs(view, redactor=redactor):
        yield


def mqtt_of(settings: Settings) -> MqttSettings | None:
    """Return how the broker is reached; ``None`` where none is configured.

    Raises:
        ConfigError: The password's file cannot be read.
    """
    section = settings.mqtt
    if section.host is None:
        return None
    return MqttSettings(
        bot=settings.bot.name,
        host=section.host,
        port=section.port,
        username=section.username,
        password=_mqtt_password(section),
        ca_file=None if section.ca_file is None else str(section.ca_file),
    )


def _mqtt_password(section: MqttSection) -> str | None:
    if section.password is None and section.password_file is None:
        return None
    return secret_of(section.password, section.password_file, field="mqtt.password")
