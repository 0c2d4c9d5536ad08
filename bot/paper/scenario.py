"""Which market and which account does a scenario file describe?"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from bot.paper.engine import Engine
from bot.paper.instruments import CONTRACTS, INVERSE, USDC
from bot.paper.market import Path as PricePath
from bot.paper.market import Scripted
from bot.paper.values import Contract, Refused

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
COINS = tuple(dict.fromkeys(contract.asset for contract in (USDC | INVERSE).values()))
"""What there are wallets of beside USDT."""
OUTAGES = ("down", "http_503", "html", "slow")


class ScenarioError(Exception):
    """A scenario cannot be used: the text names the field, its value and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which the exchange does not answer as it should.

    Attributes:
        since: From the start. [s]
        until: From the start. [s]
        kind: ``down``, ``http_503``, ``html`` or ``slow``.
    """

    since: int
    until: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition:
    """A position held at the start.

    Attributes:
        symbol: The contract's id.
        amount: Signed. [size]
        leverage: Setting. [x]
        isolated: Whether it has margin of its own.
    """

    symbol: str
    amount: Decimal
    leverage: int
    isolated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coins:
    """What an account holds of a coin other than USDT at the start.

    Attributes:
        futures: Wallet, initial margins included. [asset]
        spot: Wallet. [asset]
    """

    futures: Decimal
    spot: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A market and an account.

    Attributes:
        name: Of the file.
        description: One line for people.
        start: Aware UTC.
        duration: [s]
        seed: Of the noise.
        paths: In order; no contract is on two.
        outages: In order.
        futures: Wallet at the start, initial margins included. [USDT]
        spot: Wallet at the start. [USDT]
        hedge: Position mode.
        positions: At the start.
        coins: Wallets of other assets at the start.
    """

    name: str
    description: str
    start: datetime
    duration: int
    seed: int
    paths: tuple[PricePath, ...]
    outages: tuple[Outage, ...]
    futures: Decimal
    spot: Decimal
    hedge: bool
    positions: tuple[OpenPosition, ...]
    coins: Mapping[str, Coins] = field(default_factory=dict)

    @property
    def start_ms(self) -> int:
        """Market time of the start. [ms]."""
        return int(self.start.timestamp() * 1000)


def build(scenario: Scenario) -> Engine:
    """Return an exchange at the start of a scenario.

    Raises:
        ScenarioError: The account cannot hold its positions.
    """
    engine = Engine(
        contracts=CONTRACTS,
        feed=Scripted(scenario.paths, start_ms=scenario.start_ms, seed=scenario.seed),
        start_ms=scenario.start_ms,
    )
    open_account(engine, scenario)
    return engine


def open_account(engine: Engine, scenario: Scenario) -> None:
    """Give an exchange the account of a scenario.

    Raises:
        ScenarioError: The futures wallets cannot hold the positions.
    """
    engine.cross["USDT"], engine.spot["USDT"] = scenario.futures, scenario.spot
    for asset, coins in scenario.coins.items():
        engine.cross[asset], engine.spot[asset] = coins.futures, coins.spot
    engine.hedge_mode = scenario.hedge
    for position in scenario.positions:
        try:
            engine.hold(
                position.symbol,
                position.amount,
                leverage=position.leverage,
                isolated=position.isolated,
            )
        except Refused as refused:
            raise ScenarioError(f"{scenario.name}: {refused.message}") from refused


def load(file: Path) -> Scenario:
    """Return the scenario of a file.

    Raises:
        ScenarioError: It cannot be read, or a field is wrong.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"scenario {file} must be a readable file: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"scenario {file} must be valid TOML: {error}") from error
    return _Reader(file.stem).scenario(table)


@dataclass(frozen=True, slots=True)
class _Reader:
    name: str

    def scenario(self, table: Mapping[str, Any]) -> Scenario:
        self.keys(
            table,
            {"description", "start", "duration", "seed", "market", "outages", "account"},
            "",
        )
        account = self.table(table, "account", "account")
        self.keys(account, {"futures", "spot", "hedge", "positions", "coins"}, "account.")
        start = table.get("start")
        if not isinstance(start, datetime):
            raise self.wrong("start", start, "a date and time")
        markets = self.table(table, "market", "market")
        if not markets:
            raise self.wrong("market", markets, "at least one contract")
        paths = tuple(self.path(symbol, market) for symbol, market in markets.items())
        listed = [contract.id for path in paths for contract in path.contracts]
        if len(set(listed)) < len(listed):
            raise self.wrong("market", listed, "contracts that are named once")
        return Scenario(
            name=self.name,
            description=str(table.get("description", "")),
            start=start if start.tzinfo is not None else start.replace(tzinfo=UTC),
            duration=self.span(table, "duration", "duration"),
            seed=self.whole(table, "seed", "seed"),
            paths=paths,
            outages=tuple(
                self.outage(item, index) for index, item in enumerate(table.get("outages", []))
            ),
            futures=self.amount(account, "futures", "account.futures"),
            spot=self.amount(account, "spot", "account.spot"),
            hedge=bool(account.get("hedge", False)),
            positions=tuple(
                self.position(item, index)
                for index, item in enumerate(account.get("positions", []))
            ),
            coins=self.coins(account),
        )

    def coins(self, account: Mapping[str, Any]) -> dict[str, Coins]:
        if "coins" not in account:
            return {}
        table = self.table(account, "coins", "account.coins")
        self.keys(table, set(COINS), "account.coins.")
        found: dict[str, Coins] = {}
        for asset in table:
            where = f"account.coins.{asset}"
            wallets = self.table(table, asset, where)
            self.keys(wallets, {"futures", "spot"}, f"{where}.")
            found[asset] = Coins(
                futures=self.amount(wallets, "futures", f"{where}.futures"),
                spot=self.amount(wallets, "spot", f"{where}.spot"),
            )
        return found

    def path(self, symbol: str, market: Any) -> PricePath:
        where = f"market.{symbol}"
        if symbol not in CONTRACTS:
            raise self.wrong(where, symbol, f"one of {', '.join(CONTRACTS)}")
        if not isinstance(market, dict):
            raise self.wrong(where, market, "a table")
        self.keys(market, {"price", "volatility", "path", "depth", "funding", "also"}, f"{where}.")
        return PricePath(
            contract=CONTRACTS[symbol],
            start=float(self.positive(market, "price", f"{where}.price")),
            volatility=float(self.positive(market, "volatility", f"{where}.volatility")),
            points=self.points(market.get("path", [["0s", "1"]]), f"{where}.path"),
            depth=self.points(market.get("depth", [["0s", "1"]]), f"{where}.depth"),
            funding=self.number(market, "funding", f"{where}.funding", default="0.0001"),
            also=self.also(symbol, market.get("also", []), f"{where}.also"),
        )

    def also(self, symbol: str, names: Any, where: str) -> tuple[Contract, ...]:
        base = CONTRACTS[symbol].base
        others = [c.id for c in CONTRACTS.values() if c.base == base and c.id != symbol]
        if not isinstance(names, list) or not all(name in others for name in names):
            raise self.wrong(where, names, f"a list out of {', '.join(others) or 'nothing'}")
        return tuple(CONTRACTS[name] for name in names)

    def points(self, rows: Any, where: str) -> tuple[tuple[int, float], ...]:
        found: list[tuple[int, float]] = []
        for row in rows if isinstance(rows, list) else [rows]:
            if not (isinstance(row, list) and len(row) == 2):  # noqa: PLR2004 - a pair
                raise self.wrong(where, row, 'pairs such as ["20m", "0.9"]')
            at = self.seconds(row[0], where)
            factor = self.decimal(row[1], where)
            if factor <= 0:
                raise self.wrong(where, row[1], "a factor above 0")
            if found and at <= found[-1][0]:
                raise self.wrong(where, row[0], "later than the point before it")
            found.append((at, float(factor)))
        if not found or found[0][0] != 0:
            raise self.wrong(where, rows, 'a first point at "0s"')
        return tuple(found)

    def outage(self, item: Any, index: int) -> Outage:
        where = f"outages.{index}"
        if not isinstance(item, dict):
            raise self.wrong(where, item, "a table")
        self.keys(item, {"from", "to", "kind"}, f"{where}.")
        outage = Outage(
            since=self.span(item, "from", f"{where}.from"),
            until=self.span(item, "to", f"{where}.to"),
            kind=str(item.get("kind")),
        )
        if outage.kind not in OUTAGES:
            raise self.wrong(f"{where}.kind", outage.kind, f"one of {', '.join(OUTAGES)}")
        if outage.until <= outage.since:
            raise self.wrong(f"{where}.to", item.get("to"), "later than from")
        return outage

    def position(self, item: Any, index: int) -> OpenPosition:
        where = f"account.positions.{index}"
        if not isinstance(item, dict):
            raise self.wrong(where, item, "a table")
        self.keys(item, {"symbol", "side", "size", "leverage", "margin"}, f"{where}.")
        symbol, side = item.get("symbol"), item.get("side")
        if symbol not in CONTRACTS:
            raise self.wrong(f"{where}.symbol", symbol, f"one of {', '.join(CONTRACTS)}")
        if side not in ("long", "short"):
            raise self.wrong(f"{where}.side", side, "long or short")
        mode = item.get("margin", "isolated")
        if mode not in ("isolated", "cross"):
            raise self.wrong(f"{where}.margin", mode, "isolated or cross")
        size = self.positive(item, "size", f"{where}.size")
        if size % CONTRACTS[symbol].lot != 0:
            raise self.wrong(f"{where}.size", size, f"a multiple of {CONTRACTS[symbol].lot}")
        leverage = self.whole(item, "leverage", f"{where}.leverage")
        most = CONTRACTS[symbol].brackets[0].leverage
        if not 1 <= leverage <= most:
            raise self.wrong(f"{where}.leverage", leverage, f"between 1 and {most}")
        return OpenPosition(
            symbol=symbol,
            amount=size if side == "long" else -size,
            leverage=leverage,
            isolated=mode == "isolated",
        )

    def keys(self, table: Mapping[str, Any], known: set[str], where: str) -> None:
        for key in table:
            if key not in known:
                raise ScenarioError(
                    f"{self.name}: {where}{key} is not a setting; there are "
                    f"{', '.join(sorted(known))}"
                )

    def table(self, table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
        found = table.get(key)
        if not isinstance(found, dict):
            raise self.wrong(where, found, "a table")
        return found

    def span(self, table: Mapping[str, Any], key: str, where: str) -> int:
        return self.seconds(table.get(key), where)

    def seconds(self, value: Any, where: str) -> int:
        text = str(value)
        try:
            return int(text[:-1]) * UNITS[text[-1:]]
        except (ValueError, KeyError):
            raise self.wrong(where, value, "a time such as 90s, 20m or 2h") from None

    def whole(self, table: Mapping[str, Any], key: str, where: str) -> int:
        value = table.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(where, value, "a whole number")
        return value

    def number(
        self, table: Mapping[str, Any], key: str, where: str, *, default: str | None = None
    ) -> Decimal:
        value = table.get(key, default)
        return self.decimal(value, where)

    def positive(self, table: Mapping[str, Any], key: str, where: str) -> Decimal:
        found = self.number(table, key, where)
        if found <= 0:
            raise self.wrong(where, found, "above 0")
        return found

    def amount(self, table: Mapping[str, Any], key: str, where: str) -> Decimal:
        found = self.number(table, key, where)
        if found < 0:
            raise self.wrong(where, found, "at least 0")
        return found

    def decimal(self, value: Any, where: str) -> Decimal:
        try:
            found = Decimal(value) if isinstance(value, str | int) else None
        except InvalidOperation:
            found = None
        if found is None or not found.is_finite():
            raise self.wrong(where, value, "a number in quotes")
        return found

    def wrong(self, where: str, value: Any, right: str) -> ScenarioError:
        return ScenarioError(f"{self.name}: {where} must be {right}, was {value!r}")
