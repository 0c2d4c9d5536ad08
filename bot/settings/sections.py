"""What can be configured, and what must hold between the values?

The core never sees these classes: the composition root builds frozen values from them.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.instrument import Contract, contract_of, settle_of

PREFIX = "PLIMSOLL_"
DELIMITER = "__"
SMALLEST, LARGEST = Decimal("1E-30"), Decimal("1E+15")
"""Numbers beyond could not be counted in steps, and the guard denies what it cannot count."""


def _quoted(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f"must be quoted so that it stays exact, was {value}")  # noqa: TRY004 - pydantic reports ValueError
    return value


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"must be a finite number, was {value}")
    if value and not SMALLEST <= value.copy_abs() <= LARGEST:  # abs() rounds, and may overflow
        raise ValueError(f"must be 0 or between {SMALLEST} and {LARGEST}, was {value}")
    return value


AMOUNTS = (
    "max_margin_per_action",
    "max_margin_per_hour",
    "max_margin_per_day",
    "min_move",
)
"""Limits that are amounts of money."""

Exact = Annotated[Decimal, BeforeValidator(_quoted), AfterValidator(_finite)]
Amount = Annotated[Exact, Field(ge=0)]
Positive = Annotated[Exact, Field(gt=0)]
Ratio = Annotated[Exact, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class Section(BaseModel):
    """A table of the configuration: unknown keys fail."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class BotSection(Section):
    """``[bot]``: who the bot is.

    Attributes:
        name: Appears in topics and records.
        mode: ``paper``, ``testnet`` or ``live``; the venue of an account must fit it.
        poll_interval: Between two routine polls. [s]
        urgent_interval: Between two polls while something is urgent. [s]
        state_dir: Journal, switches, heartbeat, the paper exchange's authority.
        lock_dir: Locks of the accounts, for all bots of this user on this machine the same; a
            folder of the user below ``/tmp`` if it is not set.
    """

    name: Name = "plimsoll"
    mode: Literal["paper", "testnet", "live"] = "paper"
    poll_interval: float = Field(default=5.0, ge=0.5, le=300)
    urgent_interval: float = Field(default=1.0, ge=0.2, le=60)
    state_dir: Path = Path("state")
    lock_dir: Path | None = None


class GatewaySection(Section):
    """``gateway``: one address that answers for the venue's hosts.

    Attributes:
        address: ``host:port``.
        ca_file: The private authority it is trusted by.
    """

    address: Annotated[str, Field(pattern=r"^[^:\s]+:\d{1,5}$")]
    ca_file: Path


class AccountSection(Section):
    """``[[accounts]]``: one account at one venue.

    Attributes:
        name: Appears in records.
        venue: The venue's id.
        symbols: Unified names to watch, all settled in quote or all in one coin; positions in other
            symbols are reported as not protected.
        transfer_from: Wallets that may be drawn on when the futures wallet runs low; ``spot`` is
            the funding account at Bybit, OKX and KuCoin, elsewhere the spot account.
        reserves: Wallet name to the free collateral no action may touch. [settle]
        margin_release: What the venue does with margin on a partial close, where you measured it.
        known_actors: The venue's words for who else may move margin, such as its own auto-add.
        api_key: Or ``api_key_file``; at Hyperliquid the owner's address.
        secret: Or ``secret_file``; at Hyperliquid the private key of an agent.
        password: Or ``password_file``: a passphrase, at venues that ask for one.
        gateway: Send every request there instead.
        bar_seconds: Length of the bars of mark prices read for volatility. [s]
        bars: How many of them; the default strategy wants 889 hours.
    """

    name: Name
    venue: Literal[
        "binanceusdm",
        "binancecoinm",
        "bybit",
        "okx",
        "gate",
        "kucoinfutures",
        "hyperliquid",
        "bitget",
    ] = "binanceusdm"
    symbols: tuple[str, ...] = Field(min_length=1)
    transfer_from: tuple[Literal["spot"], ...] = ()
    reserves: dict[Literal["futures", "spot"], Amount] = Field(default_factory=dict)
    margin_release: Literal["pro_rata", "stays", "unknown"] = "unknown"
    known_actors: tuple[str, ...] = ()
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    secret: SecretStr | None = None
    secret_file: Path | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    gateway: GatewaySection | None = None
    bar_seconds: Literal[300, 900, 3600] = 3600
    bars: int = Field(default=912, ge=24, le=1000)

    @model_validator(mode="after")
    def _one_source_per_secret(self) -> Self:
        for field in ("api_key", "secret", "password"):
            if getattr(self, field) is not None and getattr(self, f"{field}_file") is not None:
                raise ValueError(f"{field} and {field}_file must not both be set")
        for symbol in self.symbols:
            if symbol.count("/") != 1 or ":" not in symbol:
                raise ValueError(
                    f"symbols must be unified names such as BTC/USDT:USDT, had {symbol!r}"
                )
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("symbols must not repeat")
        coins = {coin_of(symbol) for symbol in self.symbols}
        if len(coins) > 1:
            raise ValueError(
                "symbols must all settle in quote or all in one coin, since limits are amounts of "
                f"one currency: settled in {', '.join(sorted(c or 'quote' for c in coins))}"
            )
        return self

    @property
    def coin(self) -> str:
        """In which all its amounts are; empty for quote."""
        return coin_of(self.symbols[0])


def coin_of(symbol: str) -> str:
    """Return the coin in which a contract settles; empty for linear ones, which settle in quote."""
    return settle_of(symbol) if contract_of(symbol) is Contract.INVERSE else ""


class StrategySection(BaseModel):
    """``[strategy]``: where positions shall stand; further keys are the strategy's own.

    Attributes:
        path: ``package.module:Class`` or ``/some/file.py:Class``; a relative file is looked for
            beside the configuration file that names it.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    path: Annotated[str, Field(pattern=r"^[^:]+:[A-Za-z_]\w*$")] = "strategies.hazard:Hazard"

    def own(self) -> dict[str, Any]:
        """Return the keys that belong to the strategy."""
        return dict(self.__pydantic_extra__ or {})


class LimitsSection(Section):
    """``[limits]``: how far the bot may go.

    Amounts are in what the positions settle in. Their defaults are in quote: an account of inverse
    contracts must be given others, in its coin.

    Attributes:
        max_margin_per_action: Largest single margin move or transfer. [settle]
        max_margin_per_hour: Added to one position in an hour. [settle]
        max_margin_per_day: Added to one position in a day. [settle]
        max_moves_per_hour: Additions to one position in an hour; a quarter is for emergencies.
        max_moves_per_day: The same in a day.
        max_writes_10s: Moves of money in 10 s; stops are not counted.
        max_writes_60s: The same in 60 s.
        account_budget: Margin added in a day to all positions, of what the account holds. [ratio]
        venue_budget: The same for a venue. [ratio]
        global_budget: The same for everything. [ratio]
        max_reduction_per_action: Share of a position closed at once. [ratio]
        min_move: Smaller routine moves are not made; below 1 in quote, or 100,000 of the finest
            steps of a coin, nothing moves anyway; at Bybit below 0.001 of a coin. [settle]
        min_effect: Routine margin moves smaller than this share of the margin between trigger and
            target are not made; 0 makes all. [ratio]
        slippage: Worst price of a routine reduction, from mark. [ratio]
        emergency_slippage: The same in an emergency. [ratio]
        cooldown: Least time between two routine actions on a position. [s]
        rebalance_interval: Least time between two give-backs on a position. [s]
        give_back_confirmation: How long a position must stand beyond give-back. [s]
        max_age_protective: Older inputs forbid everything. [s]
        max_age_optional: Older inputs forbid giving back. [s]
        max_mark_split: Largest gap between two readings of the mark. [ratio]
        max_liquidation_dispute: Larger disagreement with the venue forbids giving back. [ratio]
        only_own_margin: Give back only what the bot added.
        resident_stops: Keep a stop at the venue for each position, where the venue has such stops.
    """

    max_margin_per_action: Positive = Decimal(10_000)
    max_margin_per_hour: Positive = Decimal(20_000)
    max_margin_per_day: Positive = Decimal(50_000)
    max_moves_per_hour: int = Field(default=40, ge=4, le=3600)
    max_moves_per_day: int = Field(default=160, ge=4, le=86400)
    max_writes_10s: int = Field(default=12, ge=1, le=1000)
    max_writes_60s: int = Field(default=60, ge=1, le=6000)
    account_budget: Annotated[Exact, Field(gt=0, le=10)] = Decimal(3)
    venue_budget: Annotated[Exact, Field(gt=0, le=10)] = Decimal(3)
    global_budget: Annotated[Exact, Field(gt=0, le=10)] = Decimal(3)
    max_reduction_per_action: Annotated[Exact, Field(gt=0, le=1)] = Decimal("0.5")
    min_move: Positive = Decimal(5)
    min_effect: Annotated[Exact, Field(ge=0, le=1)] = Decimal("0.1")
    slippage: Ratio = Decimal("0.005")
    emergency_slippage: Ratio = Decimal("0.03")
    cooldown: int = Field(default=10, ge=0, le=3600)
    rebalance_interval: int = Field(default=600, ge=0, le=86400)
    give_back_confirmation: int = Field(default=300, ge=0, le=86400)
    max_age_protective: int = Field(default=15, ge=1, le=120)
    max_age_optional: int = Field(default=5, ge=1, le=120)
    max_mark_split: Ratio = Decimal("0.01")
    max_liquidation_dispute: Ratio = Decimal("0.001")
    only_own_margin: bool = True
    resident_stops: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.max_margin_per_action <= self.max_margin_per_hour <= self.max_margin_per_day:
            raise ValueError(
                "budgets must satisfy max_margin_per_action <= max_margin_per_hour <= "
                f"max_margin_per_day, were {self.max_margin_per_action}, "
                f"{self.max_margin_per_hour}, {self.max_margin_per_day}"
            )
        if self.slippage > self.emergency_slippage:
            raise ValueError(
                "slippage must be <= emergency_slippage, were "
                f"{self.slippage}, {self.emergency_slippage}"
            )
        if self.min_move > self.max_margin_per_action:
            raise ValueError(
                "min_move must be <= max_margin_per_action, were "
                f"{self.min_move}, {self.max_margin_per_action}"
            )
        if self.max_age_optional > self.max_age_protective:
            raise ValueError(
                "max_age_optional must be <= max_age_protective, were "
                f"{self.max_age_optional}, {self.max_age_protective}"
            )
        return self


class JournalSection(Section):
    """``[journal]``.

    Attributes:
        file: Relative to the state directory.
        keep_inputs_days: Inputs of older hold decisions are dropped; 0 keeps all.
        shared: Whether other machines can reach the file. Then nothing is written without a
            lease, not even in an emergency on a full disk.
    """

    file: Path = Path("journal.sqlite")
    keep_inputs_days: int = Field(default=30, ge=0)
    shared: bool = False


class LogSection(Section):
    """``[log]``.

    Attributes:
        view: ``console`` for people, ``json`` for machines.
        level: Least level written.
        hold_every: Write only each n-th decision in a row that changed nothing.
    """

    view: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"
    hold_every: int = Field(default=1, ge=1)


class MqttSection(Section):
    """``[mqtt]``: off unless ``host`` is set.

    Attributes:
        host: Of the broker.
        port: 1883, or 8883 with TLS.
        username: Where the broker asks for one.
        password: Or ``password_file``.
        ca_file: Turns TLS on.
    """

    host: str | None = None
    port: int = Field(default=1883, ge=1, le=65535)
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="forbid", frozen=True
    )

    bot: BotSection = Field(default_factory=BotSection)
    accounts: tuple[AccountSection, ...] = Field(min_length=1)
    strategy: StrategySection = Field(default_factory=StrategySection)
    limits: LimitsSection = Field(default_factory=LimitsSection)
    journal: JournalSection = Field(default_factory=JournalSection)
    log: LogSection = Field(default_factory=LogSection)
    mqtt: MqttSection = Field(default_factory=MqttSection)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing behind the caller's back: `load` hands over files and environment."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [account.name for account in self.accounts]
        if len(set(names)) != len(names):
            raise ValueError("accounts must have different names")
        if len(self.accounts) != 1:
            raise ValueError("one process protects one account: accounts must have one entry")
        if self.bot.urgent_interval > self.bot.poll_interval:
            raise ValueError(
                "bot.urgent_interval must be <= bot.poll_interval, were "
                f"{self.bot.urgent_interval}, {self.bot.poll_interval}"
            )
        for index, account in enumerate(self.accounts):
            self._check_amounts(account)
            if self.bot.mode == "live" and account.gateway is not None:
                raise ValueError(
                    f"accounts.{index}.gateway must not be set in live mode: it would send "
                    "live keys to another server"
                )
            if self.bot.mode == "testnet" and account.transfer_from:
                raise ValueError(
                    f"accounts.{index}.transfer_from must be empty in testnet mode: the venue's "
                    "test hosts have no wallet transfers"
                )
        return self

    def _check_amounts(self, account: AccountSection) -> None:
        """Accept no amount of a coin that is the default in quote, be it copied or forgotten."""
        if not account.coin:
            return
        for name in AMOUNTS:
            amount = getattr(self.limits, name)
            if amount == LimitsSection.model_fields[name].default:
                raise ValueError(
                    f"limits.{name} must be given in {account.coin}, was {amount}, the default in "
                    "quote"
                )
