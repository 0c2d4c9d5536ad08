"""How does a paper session run: exchange and bot together, watched by a person?"""

import asyncio
import contextlib
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot import bootstrap
from bot.errors import ConfigError
from bot.exchanges.connect import GatewaySettings
from bot.files import INSTALLED, packaged
from bot.operate.logs import Logs, LogSettings
from bot.paper import bars
from bot.paper.desk import Desk
from bot.paper.engine import Engine
from bot.paper.faults import Fault, Faults
from bot.paper.fronts import FRONTS, ruled, served
from bot.paper.instruments import CONTRACTS
from bot.paper.pace import FreeRunning, Stepped
from bot.paper.scenario import Scenario, ScenarioError, build, load, open_account
from bot.paper.server import PaperServer
from bot.paper.values import Kind
from bot.settings import Loaded, Settings
from bot.settings import load as load_settings
from bot.tally import Tally

SERVE_PORT = 18443
FAULT_OF = {"down": "abort", "http_503": "http_503", "html": "html", "slow": "slow"}
SLOW_SECONDS = 2.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What a person asked to see.

    Attributes:
        files: Configuration; empty takes ``config/paper.toml``.
        scenario: Name or file.
        market: Recorded bars instead of the scenario's prices.
        speed: Market seconds per second.
        since: Where the recorded bars begin; ``None`` begins after two days of them. Aware UTC.
        seconds: Market time; ``None`` takes all of it. [s]
        with_bot: Whether the bot runs.
        as_json: Only a summary in JSON on standard output.
        port: Where the exchange alone is served; 0 takes a free one.
    """

    files: tuple[Path, ...] = ()
    scenario: str = "crash"
    market: Path | None = None
    since: datetime | None = None
    speed: float = 60.0
    seconds: float | None = None
    with_bot: bool = True
    as_json: bool = False
    port: int = SERVE_PORT


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A market and an account, ready to begin, as often as wanted.

    Attributes:
        name: Of the scenario or file.
        description: One line.
        seconds: How long it lasts. [s]
        scenario: With its account and outages.
        recorded: Bars that replace the scenario's prices.
        since: Where they begin.
    """

    name: str
    description: str
    seconds: int
    scenario: Scenario
    recorded: Path | None = None
    since: datetime | None = None

    def engine(self) -> Engine:
        """Return an exchange at the start.

        Raises:
            ScenarioError: The account cannot hold its positions, or the file is broken.
        """
        if self.recorded is None:
            return build(self.scenario)
        contract, rows = bars.read(self.recorded)
        feed = bars.Recorded(contract, rows, seed=self.scenario.seed, since=self.since)
        engine = Engine(contracts=CONTRACTS, feed=feed, start_ms=feed.start_ms)
        open_account(engine, self.scenario)
        mark = engine.quotes[contract.id].mark
        lots = (engine.cross["USDT"] * 4 / mark / contract.lot).to_integral_value()
        engine.hold(contract.id, lots * contract.lot, leverage=10)
        return engine


async def play(show: Show) -> None:
    """Run exchange and bot in one process on one clock, then say what it amounted to.

    Raises:
        BotError: The configuration or the scenario is wrong, or the journal fails.
    """
    with _scenario_errors():
        stage = stage_of(show)
        engine = stage.engine()
    loaded = configured(show, engine)
    pace = Stepped(engine, speed=show.speed)
    venue, faults = loaded.settings.accounts[0].venue, outages(stage.scenario, engine)
    began = time.monotonic()
    tally = Tally()
    folder = loaded.settings.bot.state_dir / "paper"
    run_dir = new_run(folder, stage.name)
    redactor = bootstrap.redactor_of(loaded.settings)
    view = LogSettings(
        level=loaded.settings.log.level,
        view="json" if show.as_json else loaded.settings.log.view,
        every=loaded.settings.log.hold_every,
    )
    if not show.as_json:
        sys.stdout.write(f"{stage.name}: {stage.description}\n")
        sys.stdout.flush()
    with Logs(view, redactor=redactor, fd=2 if show.as_json else 1):
        async with served(venue, engine, pace, folder=folder, faults=faults) as server:
            seconds = show.seconds if show.seconds is not None else float(stage.seconds)
            if show.with_bot:
                await bootstrap.run(
                    loaded,
                    bootstrap.Run(
                        clock=pace,
                        journal=run_dir / "journal.sqlite",
                        switches=run_dir,
                        gateway=GatewaySettings(address=server.address, ca_file=server.ca_file),
                        sinks=[tally],
                        seconds=seconds,
                    ),
                )
            else:
                await watch(engine, pace, seconds=seconds, quiet=show.as_json)
    currency = loaded.settings.accounts[0].coin or "USDT"
    summary = summary_of(show, stage, engine, tally, venue=venue, currency=currency)
    summary["seconds"] = round(time.monotonic() - began, 1)
    summary["journal"] = str(run_dir / "journal.sqlite") if show.with_bot else None
    if show.as_json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        write_table(summary)


async def serve(show: Show) -> None:
    """Serve the exchange for bots in other processes, until told to stop.

    Raises:
        BotError: The configuration or the scenario is wrong.
    """
    with _scenario_errors():
        stage = stage_of(show)
        engine = stage.engine()
    loaded = configured(show, engine)
    pace = FreeRunning(engine, speed=show.speed)
    folder = loaded.settings.bot.state_dir / "paper"
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        venue, faults = loaded.settings.accounts[0].venue, outages(stage.scenario, engine)
        async with served(
            venue, engine, pace, folder=folder, faults=faults, port=show.port
        ) as server:
            mover = asyncio.create_task(pace.run(), name="market-time")
            named = " ".join(f"-c {file}" for file in show.files or ("config/paper.toml",))
            sys.stdout.write(
                f"{stage.name} on https://{server.address}, authority {server.ca_file}; "
                f"run: plimsoll run {named}{_gateway_hint(show, server)}\n"
            )
            if show.speed != 1:
                sys.stdout.write(
                    f"at speed {show.speed:g} a bot that lives by the machine's clock sees its "
                    "requests as late; plimsoll run needs speed 1\n"
                )
            sys.stdout.flush()
            limit = None if show.seconds is None else show.seconds / show.speed
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), limit)
            mover.cancel()
            await asyncio.gather(mover, return_exceptions=True)
    except OSError as error:
        raise ConfigError(f"port {show.port} on this machine must be free: {error}") from error


def _gateway_hint(show: Show, server: PaperServer[Desk]) -> str:
    """Return what must be said where the configuration names another port."""
    if show.port == SERVE_PORT:
        return ""
    return f" with accounts.gateway.address = {server.address}"


def stage_of(show: Show) -> Stage:
    """Return what shall be played.

    Raises:
        ScenarioError: The scenario or the file is wrong.
    """
    scenario = load(scenario_file(show.scenario))
    if show.market is None and show.since is not None:
        raise ScenarioError("--from needs --market: a scenario has one beginning")
    if show.market is None:
        return Stage(
            name=scenario.name,
            description=scenario.description,
            seconds=scenario.duration,
            scenario=scenario,
        )
    contract, rows = bars.read(show.market)
    feed = bars.Recorded(contract, rows, since=show.since)
    return Stage(
        name=show.market.stem,
        description=f"recorded bars of {contract.id}, mark modelled from them",
        seconds=(feed.end_ms - feed.start_ms) // 1000,
        scenario=dataclasses.replace(
            scenario,
            paths=(),
            outages=(),
            positions=(),
            hedge=False,
            futures=Decimal(15000),
            spot=Decimal(5000),
            coins={},
        ),
        recorded=show.market,
        since=show.since,
    )


def scenario_file(name: str) -> Path:
    """Return the file of a scenario.

    Raises:
        ScenarioError: There is none of that name; the text lists those that are there.
    """
    if name.endswith(".toml"):
        return Path(name)
    folders = (Path("config/scenarios"), INSTALLED / "scenarios")
    for folder in folders:
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    known = sorted({file.stem for folder in folders for file in folder.glob("*.toml")})
    raise ScenarioError(f"--scenario must be one of {', '.join(known)}, was {name!r}")


def configured(show: Show, engine: Engine) -> Loaded:
    """Return the configuration, watching the contracts of its venue that the exchange lists.

    Raises:
        ConfigError: It is wrong, or not meant for paper.
    """
    files = show.files or (packaged("paper.toml"),)
    loaded = load_settings(files)
    settings = loaded.settings
    if settings.bot.mode != "paper":
        raise ConfigError(f"bot.mode must be paper for this verb, was {settings.bot.mode}")
    symbols = _symbols(settings, engine)
    account = settings.accounts[0].model_copy(update={"symbols": symbols})
    return dataclasses.replace(
        loaded, settings=settings.model_copy(update={"accounts": (account,)})
    )


def _symbols(settings: Settings, engine: Engine) -> tuple[str, ...]:
    """Return what the bot watches: of inverse contracts only those of its account's coin.

    Raises:
        ConfigError: The exchange lists none.
    """
    account = settings.accounts[0]
    front = FRONTS[account.venue]
    kind = front.kind(in_coin=bool(account.coin))
    found = tuple(
        dict.fromkeys(
            front.symbol(contract)
            for contract in engine.contracts.values()
            if contract.kind is kind and (kind is Kind.LINEAR or contract.asset == account.coin)
        )
    )
    if not found:
        what = f"in {account.coin}" if kind is Kind.INVERSE else "in quote"
        raise ConfigError(
            f"the market must quote a contract of {account.venue} that settles {what}, quotes "
            f"{', '.join(engine.contracts)}"
        )
    return found


def outages(scenario: Scenario, engine: Engine) -> Faults:
    """Return the faults that a scenario schedules."""
    faults = Faults(seed=scenario.seed)
    for outage in scenario.outages:
        faults.add(
            Fault(
                kind=FAULT_OF[outage.kind],  # type: ignore[arg-type]  # the table's words are kinds
                since_ms=engine.start_ms + outage.since * 1000,
                until_ms=engine.start_ms + outage.until * 1000,
                seconds=SLOW_SECONDS,
            )
        )
    return faults


def new_run(folder: Path, name: str) -> Path:
    """Return a new folder for one run; ``latest`` points to it. Earlier runs stay."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        run_dir = folder / "runs" / f"{stamp}-{name}{'' if number == 1 else f'-{number}'}"
        try:
            run_dir.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise ConfigError(f"bot.state_dir must be writable: {error}") from error
        latest = folder / "latest"
        latest.unlink(missing_ok=True)
        latest.symlink_to(run_dir.relative_to(folder))
        return run_dir
    raise ConfigError(f"{folder}/runs has no room for another run in this second")


async def watch(engine: Engine, pace: Stepped, *, seconds: float, quiet: bool) -> None:
    """Let the market run without a bot, a line every two minutes of it."""
    until = engine.now_ms + round(seconds * 1000)
    while engine.now_ms < until:
        if not quiet:
            marks = "  ".join(f"{s} {q.mark}" for s, q in engine.quotes.items())
            held = ", ".join(f"{h.symbol} {h.amount}" for h in engine.holdings.values()) or "none"
            sys.stdout.write(f"{pace.now():%H:%M:%S}  {marks}  positions: {held}\n")
            sys.stdout.flush()
        await pace.sleep(min(120.0, (until - engine.now_ms) / 1000))


def summary_of(
    show: Show, stage: Stage, engine: Engine, tally: Tally, *, venue: str, currency: str
) -> dict[str, Any]:
    """Return what a session amounted to, beside the same market without the bot."""
    alone = ruled(venue, stage.engine())
    alone.advance(engine.now_ms)
    return {
        "scenario": stage.name,
        "bot": show.with_bot,
        "market_seconds": (engine.now_ms - engine.start_ms) // 1000,
        "speed": show.speed,
        **tally.summary(),
        "liquidations": len(engine.liquidations),
        "liquidated": _liquidated(engine),
        "stops_fired": sum(
            1 for o in engine.orders.values() if o.ask.type == "STOP_MARKET" and o.filled > 0
        ),
        "held": {
            f"{symbol} {leg}": [
                format(start.amount, "f"),
                format(engine.holdings[symbol, leg].amount, "f")
                if (symbol, leg) in engine.holdings
                else "0",
            ]
            for (symbol, leg), start in stage.engine().holdings.items()
        },
        "without_bot": {
            "liquidations": len(alone.liquidations),
            "liquidated": _liquidated(alone),
            "equity": _equity(alone, currency),
        },
        "equity": _equity(engine, currency),
        "currency": currency,
    }


def write_table(summary: dict[str, Any]) -> None:
    """Print the summary for a person."""
    from rich.console import Console  # noqa: PLC0415 - only a person needs it
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(title=f"{summary['scenario']}: what happened", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")  # a path that is cut off cannot be copied
    rows = [
        ("market time", f"{summary['market_seconds'] / 3600:.2f} h in {summary['seconds']} s"),
        ("polls", str(summary["polls"])),
        ("decisions", _pairs(summary["verdicts"])),
        ("actions done", _pairs(summary["actions"])),
        ("actions not done", _pairs(summary["unsuccessful_actions"])),
        (
            "smallest distance",
            ", ".join(
                f"{name} {Decimal(value):.4f}"
                for name, value in summary["smallest_distance"].items()
            )
            or "-",
        ),
        (
            "held, before and after",
            ", ".join(f"{name} {size} {rest}" for name, (size, rest) in summary["held"].items()),
        ),
        ("resident stops fired", str(summary["stops_fired"])),
        ("liquidations", f"{summary['liquidations']}  {', '.join(summary['liquidated'])}"),
        (
            "the same without the bot",
            (
                f"{summary['without_bot']['liquidations']}  "
                f"{', '.join(summary['without_bot']['liquidated'])}"
            ),
        ),
        ("equity at the end", f"{summary['equity']} {summary['currency']}"),
        ("without the bot", f"{summary['without_bot']['equity']} {summary['currency']}"),
    ]
    if summary["journal"]:
        rows.append(("journal", summary["journal"]))
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if summary["journal"]:
        sys.stdout.write("look closer: plimsoll decisions · plimsoll actions · plimsoll replay\n")


def _liquidated(engine: Engine) -> list[str]:
    return [
        f"{item.symbol} {item.size} at {item.price} "
        f"after {(item.at_ms - engine.start_ms) / 60000:.0f} min"
        for item in engine.liquidations
    ]


def _equity(engine: Engine, currency: str) -> str:
    found = engine.equity(currency) + engine.spot[currency] + engine.in_transit(currency)
    return f"{found:.2f}" if currency == "USDT" else f"{found:.8f}"


def _pairs(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


@contextlib.contextmanager
def _scenario_errors() -> Iterator[None]:
    try:
        yield
    except ScenarioError as error:
        raise ConfigError(str(error)) from error
