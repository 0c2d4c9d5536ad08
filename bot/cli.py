"""What can a person ask the program to do?

Nothing heavy is imported until a verb needs it: ``plimsoll --help`` and ``plimsoll health`` stay
quick. That is why verbs import inside their bodies, the one place where this is done.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot import __version__
from bot.errors import BotError, ConfigError, ExchangeError, InUse, JournalError, StrategyError
from bot.spans import instant_of, seconds_of

EXIT_FAULT = 1
EXIT_CONFIG = 2
EXIT_VENUE = 3
EXIT_JOURNAL = 4
EXIT_DIFFERENT = 5
EXIT_IN_USE = 6

app = typer.Typer(
    name="plimsoll",
    help="Keep leveraged positions away from liquidation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigFiles = Annotated[
    list[Path],
    typer.Option("-c", "--config", help="TOML file; several are merged, the last wins."),
]
JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", help="Journal file; default: of the newest paper run."),
]
OptionalConfig = Annotated[
    list[Path] | None,
    typer.Option("-c", "--config", help="Take the journal of this configuration."),
]
StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="State directory of the bot; default: state."),
]
StateConfig = Annotated[
    list[Path] | None,
    typer.Option("-c", "--config", help="Take the state directory of this configuration."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


def main() -> None:
    """Run a verb; expected errors end in one message and a documented exit code."""
    try:
        app()
    except BotError as error:
        _fail(error)


def exit_code(error: BotError) -> int:
    """Return the exit code of an error."""
    match error:
        case ConfigError() | StrategyError():
            return EXIT_CONFIG
        case ExchangeError():
            return EXIT_VENUE
        case InUse():
            return EXIT_IN_USE
        case JournalError():
            return EXIT_JOURNAL
    return EXIT_FAULT


def _fail(error: BotError) -> NoReturn:
    for line in str(error).splitlines() or [type(error).__name__]:
        sys.stderr.write(f"plimsoll: {line}\n")
    raise SystemExit(exit_code(error))


def _print(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=str) + "\n")


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"plimsoll {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Keep leveraged positions away from liquidation."""


@app.command()
def run(
    config: ConfigFiles,
    once: Annotated[bool, typer.Option("--once", help="Stop after one poll.")] = False,
    for_: Annotated[str | None, typer.Option("--for", help="Stop by itself: 90s, 20m, 2h.")] = None,
) -> None:
    """Run the bot until it is stopped."""
    import asyncio  # noqa: PLC0415 - see the module's first lines

    from bot import bootstrap  # noqa: PLC0415 - as above
    from bot.clock import WallClock  # noqa: PLC0415 - as above
    from bot.settings import load  # noqa: PLC0415 - as above

    loaded = load(config)
    how = bootstrap.Run(
        clock=WallClock(),
        journal=bootstrap.journal_of(loaded.settings),
        polls=1 if once else None,
        seconds=None if for_ is None else seconds_of(for_, "--for"),
    )
    redactor = bootstrap.redactor_of(loaded.settings)
    with bootstrap.logs_of(loaded.settings, redactor):
        asyncio.run(bootstrap.run(loaded, how))


@app.command()
def paper(
    config: Annotated[
        list[Path] | None, typer.Option("-c", "--config", help="Default: config/paper.toml.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="Name in config/scenarios, or a file.")] = "crash",
    market: Annotated[
        Path | None, typer.Option(help="Replay real bars: BTCUSDT_….parquet.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="With --market: begin at 2021-05-19T11:00Z; two days before "
            "it must be in the file.",
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(help="Market seconds per second; default 60, with --serve-only 1.", min=1),
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", help="Market time: 90s, 20m, 2h; default: all of it.")
    ] = None,
    no_bot: Annotated[bool, typer.Option("--no-bot", help="Only watch what happens.")] = False,
    serve_only: Annotated[
        bool, typer.Option("--serve-only", help="Only serve; run the bot yourself.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            help="With --serve-only: default 18443, 0 takes a free one.", min=0, max=65535
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start the paper exchange and the bot against it. No keys, no services."""
    import asyncio  # noqa: PLC0415 - see the module's first lines

    from bot import session  # noqa: PLC0415 - as above

    if port is not None and not serve_only:
        raise ConfigError(f"--port needs --serve-only, was {port} without it")
    show = session.Show(
        files=tuple(config or ()),
        scenario=scenario,
        market=market,
        since=None if from_ is None else instant_of(from_, "--from"),
        speed=speed if speed is not None else (1.0 if serve_only else 60.0),
        seconds=None if for_ is None else seconds_of(for_, "--for"),
        with_bot=not no_bot,
        as_json=as_json,
        port=session.SERVE_PORT if port is None else port,
    )
    if serve_only:
        asyncio.run(session.serve(show))
    else:
        asyncio.run(session.play(show))


@app.command()
def check(
    config: ConfigFiles,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every value and where it came from.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Validate the configuration, its secrets and its strategy."""
    from bot import bootstrap, settings  # noqa: PLC0415 - see the module's first lines

    loaded = settings.load(config)
    bootstrap.strategy_of(loaded.settings)
    bootstrap.redactor_of(loaded.settings)
    rows = settings.explain(loaded)
    if as_json:
        _print(
            {
                "valid": True,
                "hash": loaded.hash,
                "values": [{"path": p, "value": v, "origin": o} for p, v, o in rows],
            }
        )
        return
    if explain:
        widths = [max(len(row[index]) for row in rows) for index in (0, 1)]
        for path, value, origin in rows:
            sys.stdout.write(f"{path:<{widths[0]}}  {value:<{widths[1]}}  {origin}\n")
    sys.stdout.write(f"configuration is valid, hash {loaded.hash}\n")


@app.command()
def status(
    journal: JournalFile = None, config: OptionalConfig = None, as_json: Json = False
) -> None:
    """Show the present state as the journal knows it."""
    from bot import views  # noqa: PLC0415 - see the module's first lines

    path = _journal(journal, config)
    state = views.status(path, _state_dir_beside(path, journal, config))
    if as_json:
        _print(state)
    else:
        sys.stdout.write(views.status_text(state))


@app.command()
def kill(state_dir: StateDir = None, config: StateConfig = None, as_json: Json = False) -> None:
    """Forbid every write of the bot, now and after restarts, until rearm."""
    from bot.operate.switches import kill_in  # noqa: PLC0415 - see the module's first lines

    folder = _state_dir(state_dir, config)
    kill_in(folder, "plimsoll kill")
    _write_switches(folder, as_json=as_json)


@app.command()
def rearm(
    state_dir: StateDir = None,
    config: StateConfig = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take a kill back: the bot may act again at once."""
    from bot.operate.switches import FileSwitchboard  # noqa: PLC0415 - see the first lines

    folder = _state_dir(state_dir, config)
    _confirm(f"Shall the bot of {folder} act again?", verb="rearm", yes=yes)
    with FileSwitchboard(folder) as board:
        board.rearm()
    _write_switches(folder, as_json=as_json)


@app.command()
def pause(
    state_dir: StateDir = None,
    config: StateConfig = None,
    level: Annotated[
        str, typer.Option(help="optional: still protect; all: not even that.")
    ] = "optional",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Forbid giving back and transfers, or every write, until resume."""
    from bot.domain.switch import Pause  # noqa: PLC0415 - see the module's first lines
    from bot.operate.switches import FileSwitchboard  # noqa: PLC0415 - as above

    if level not in (Pause.OPTIONAL, Pause.ALL):
        raise ConfigError(f"--level must be optional or all, was {level}")
    folder = _state_dir(state_dir, config)
    if level == Pause.ALL:
        question = f"Shall the bot of {folder} stop protecting positions until resume?"
        _confirm(question, verb="pause --level all", yes=yes)
    with FileSwitchboard(folder) as board:
        board.pause(Pause(level), "plimsoll pause")
    _write_switches(folder, as_json=as_json)


@app.command()
def resume(state_dir: StateDir = None, config: StateConfig = None, as_json: Json = False) -> None:
    """Take a pause back, and let a bot that only observes protect again."""
    from bot.operate.switches import FileSwitchboard  # noqa: PLC0415 - see the first lines

    folder = _state_dir(state_dir, config)
    with FileSwitchboard(folder) as board:
        board.resume()
    _write_switches(folder, as_json=as_json)


def _write_switches(folder: Path, *, as_json: bool) -> None:
    from bot import views  # noqa: PLC0415 - see the module's first lines

    state = views.switches(folder)
    if as_json:
        _print(state)
    else:
        sys.stdout.write(views.switches_text(state))


def _confirm(question: str, *, verb: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{verb} must be confirmed, and nobody can be asked here: add --yes")
    if not typer.confirm(question, err=True):
        raise ConfigError(f"{verb} was not confirmed: nothing was changed")


def _state_dir(state_dir: Path | None, config: list[Path] | None) -> Path:
    """Return the state directory a verb is about; it must exist, or the verb would reach nobody."""
    if config and state_dir is not None:
        raise ConfigError("name the state directory with --state-dir or with -c, not with both")
    if config:
        from bot.settings import load  # noqa: PLC0415 - see the module's first lines

        folder = load(config).settings.bot.state_dir
    else:
        folder = state_dir or Path(os.environ.get("PLIMSOLL_BOT__STATE_DIR", "state"))
    if not folder.is_dir():
        raise ConfigError(
            f"state directory {folder.absolute()} must exist: name the bot's own with "
            "--state-dir DIR or -c FILE; nothing was changed"
        )
    return folder


def _state_dir_beside(path: Path, journal: Path | None, config: list[Path] | None) -> Path:
    """Return where the switches of the bot lie that writes a journal."""
    if config:
        from bot.settings import load  # noqa: PLC0415 - see the module's first lines

        return load(config).settings.bot.state_dir
    return Path("state") if journal is None else path.parent


@app.command()
def decisions(
    journal: JournalFile = None,
    config: OptionalConfig = None,
    since: Annotated[
        str | None, typer.Option(help="An instant, or a span back from the newest: 20m, 2h.")
    ] = None,
    verdict: Annotated[
        str | None, typer.Option(help="Only hold, act, refuse or not_ready.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 20,
    why: Annotated[str | None, typer.Option(help="One decision in full, by its id.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as they are made.")] = False,
    as_json: Json = False,
) -> None:
    """Show why the bot did or did not act."""
    from bot import views  # noqa: PLC0415 - see the module's first lines

    path = _journal(journal, config)
    if why is not None:
        _print(views.decision(path, why)) if as_json else sys.stdout.write(
            json.dumps(views.decision(path, why), indent=2) + "\n"
        )
        return
    write: Callable[[dict[str, Any]], None] = _print if as_json else _write_decision
    for record in views.decisions(path, since=since, verdict=verdict, limit=limit, follow=follow):
        write(record)


def _show(
    rows: Iterable[dict[str, Any]], text: Callable[[dict[str, Any]], str], *, as_json: bool
) -> None:
    found = list(rows)
    for row in found:
        _print(row) if as_json else sys.stdout.write(text(row))
    if not found and not as_json:
        sys.stdout.write("none\n")


def _write_decision(record: dict[str, Any]) -> None:
    from bot.operate.console import decision_line  # noqa: PLC0415 - see the first lines

    sys.stdout.write(f"{record['id']}  {decision_line(record)}\n")
    sys.stdout.flush()


@app.command()
def actions(
    journal: JournalFile = None,
    config: OptionalConfig = None,
    since: Annotated[str | None, typer.Option(help="An instant, or a span back.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """Show what the bot did and what came of it."""
    from bot import views  # noqa: PLC0415 - see the module's first lines

    rows = views.actions(_journal(journal, config), since=since, limit=limit)
    _show(rows, views.action_text, as_json=as_json)


@app.command()
def alarms(
    journal: JournalFile = None,
    config: OptionalConfig = None,
    since: Annotated[str | None, typer.Option(help="An instant, or a span back.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """Show what people were told, and whether it left."""
    from bot import views  # noqa: PLC0415 - see the module's first lines

    rows = views.alarms(_journal(journal, config), since=since, limit=limit)
    _show(rows, views.alarm_text, as_json=as_json)


@app.command()
def replay(
    journal: JournalFile = None, config: OptionalConfig = None, as_json: Json = False
) -> None:
    """Run decide again over a journal and prove each recorded decision is reproduced."""
    from dataclasses import asdict  # noqa: PLC0415 - see the module's first lines

    from bot import bootstrap  # noqa: PLC0415 - as above

    path = _journal(journal, config)
    report = bootstrap.replay_journal(path)
    if as_json:
        _print(asdict(report) | {"journal": str(path)})
    else:
        sys.stdout.write(
            f"{path}: {report.reproduced} decisions reproduced, "
            f"{len(report.differences)} different, "
            f"{report.without_observation} polls had no observation, "
            f"{report.thinned} were thinned\n"
        )
        for one in report.differences:
            sys.stdout.write(
                f"{one.decision_id} {one.field}: recorded {one.recorded}, now {one.again}\n"
            )
    if report.differences:
        raise SystemExit(EXIT_DIFFERENT)


@app.command()
def risk(
    side: Annotated[str | None, typer.Option(help="long or short.")] = None,
    size: Annotated[str | None, typer.Option(help="[base]")] = None,
    entry: Annotated[str | None, typer.Option(help="[quote/base]")] = None,
    mark: Annotated[str | None, typer.Option(help="[quote/base]")] = None,
    margin: Annotated[str | None, typer.Option(help="Without unrealized PnL. [quote]")] = None,
    symbol: Annotated[str, typer.Option(help="Unified name.")] = "BTC/USDT:USDT",
    venue: Annotated[str, typer.Option(help="The venue's id.")] = "binanceusdm",
    rate: Annotated[str, typer.Option(help="Maintenance rate of the tier. [ratio]")] = "0.005",
    amount: Annotated[str, typer.Option(help="Maintenance amount (cum). [quote]")] = "0",
    volatility: Annotated[str, typer.Option(help="Per square-root hour.")] = "0.006",
    hazard: Annotated[str, typer.Option(help="Liquidations tolerated per year.")] = "1",
    models: Annotated[str | None, typer.Option(help="As `strategy.models`.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="CSV with a header of these names, one row each.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a position risks: no keys, no network."""
    from bot import views  # noqa: PLC0415 - see the module's first lines

    given = {
        "venue": venue, "symbol": symbol, "side": side, "size": size, "entry": entry,
        "mark": mark, "margin": margin, "rate": rate, "amount": amount,
        "volatility": volatility, "hazard": hazard,
    }  # fmt: skip
    known = {k: v for k, v in given.items() if v is not None}
    for found in views.risks(known, file, models=models):
        if as_json:
            _print(found)
        else:
            sys.stdout.write(views.risk_text(found))


@app.command()
def venues(as_json: Json = False) -> None:
    """Show what the bot can do where."""
    from bot import views  # noqa: PLC0415 - see the module's first lines

    for row in views.venues():
        if as_json:
            _print(row)
        else:
            sys.stdout.write(views.venue_text(row))


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option(help="How many worlds.", min=1)] = 1000,
    first: Annotated[int, typer.Option(help="The first seed.", min=0)] = 0,
    seed: Annotated[
        int | None, typer.Option(help="One world only, with everything that happens.")
    ] = None,
    faults: Annotated[
        float, typer.Option(help="Highest rate of a fault class.", min=0, max=1)
    ] = 0.3,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    as_json: Json = False,
) -> None:
    """Run the whole bot in virtual worlds full of faults, and judge it by the exchange's books."""
    from bot.files import packaged  # noqa: PLC0415 - see the module's first lines
    from bot.simulate import many  # noqa: PLC0415 - as above
    from bot.simulate.case import case_of  # noqa: PLC0415 - as above
    from bot.simulate.world import run as live  # noqa: PLC0415 - as above

    file = packaged("paper.toml")
    if seed is not None:
        lines: list[str] = []
        result = live(case_of(seed, faults=faults), many.configuration(file), lines=lines)
        sys.stdout.write("\n".join([*lines, f"trace {result.digest}", *result.violations]) + "\n")
        if result.violations:
            raise SystemExit(EXIT_DIFFERENT)
        return
    summary = many.many(range(first, first + seeds), faults=faults, file=file, workers=workers)
    found = summary.as_json()
    if as_json:
        _print(found)
    else:
        for name, value in found.items():
            if name != "violations":
                sys.stdout.write(f"{name:<16} {value}\n")
        sys.stdout.write(f"{'violations':<16} {len(summary.violations)}\n")
        for violation in found["violations"]:
            sys.stdout.write(f"  {violation['text']}   {violation['again']}\n")
    if summary.violations:
        raise SystemExit(EXIT_DIFFERENT)


@app.command()
def calibrate(
    data: Annotated[
        Path | None,
        typer.Option(envvar="PLIMSOLL_DATA", help="Folder of hourly marks as Parquet files."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw realised over promised hits, as SVG.")
    ] = None,
    joint: Annotated[
        bool, typer.Option(help="Judge the buffers of cross accounts instead, over 24 h.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Judge the tail models walk-forward on recorded prices: hits that came over hits promised."""
    from bot import calibrate as judged  # noqa: PLC0415 - see the module's first lines

    if joint and plot is not None:
        raise ConfigError("--joint draws nothing: leave out --plot")
    histories = judged.read(judged.folder_of(data))
    if joint:
        from bot import calibrate_joint  # noqa: PLC0415 - as above

        found = calibrate_joint.calibrate(histories)
        if as_json:
            _print(found.as_json())
        else:
            sys.stdout.write(calibrate_joint.text(found))
        return
    report = judged.calibrate(histories)
    if plot is not None:
        judged.write(plot, judged.plot(report))
    if as_json:
        _print(report.as_json())
    else:
        sys.stdout.write(judged.text(report))


@app.command()
def fit(
    out: Annotated[Path, typer.Option(help="File to write; `strategy.models` names it.")],
    config: OptionalConfig = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of hourly marks as Parquet files, instead.")
    ] = None,
    source: Annotated[str, typer.Option(help="Whose prices they are; kept in the file.")] = "",
) -> None:
    """Fit volatility and tails for the strategy `hazard`, on hourly marks of venue or folder."""
    import asyncio  # noqa: PLC0415 - see the module's first lines

    from bot import calibrate as judged  # noqa: PLC0415 - as above
    from bot import fit as made  # noqa: PLC0415 - as above
    from bot.clock import WallClock  # noqa: PLC0415 - as above
    from bot.settings import load  # noqa: PLC0415 - as above

    if bool(config) == (data is not None):
        raise ConfigError("name either a configuration with -c FILE or marks with --data DIR")
    if data is not None:
        folder = judged.folder_of(data)
        histories, origin = judged.read(folder), f"Parquet files of {folder.name}"
    else:
        settings = load(config or []).settings
        histories = asyncio.run(made.fetched(settings, WallClock()))
        origin = f"hourly mark of {settings.accounts[0].venue}"
    found = made.fitted(histories, source=source or origin)
    made.save(found, out)
    sys.stdout.write(made.text(found, histories))


@app.command()
def health(
    state_dir: Annotated[Path, typer.Option(help="Where the heartbeat is.")] = Path("state"),
    max_age: Annotated[float, typer.Option(help="Oldest good poll. [s]", min=1)] = 60.0,
) -> None:
    """Say whether the last good poll is young enough; for container health checks."""
    from bot.operate import heartbeat  # noqa: PLC0415 - see the module's first lines

    file = state_dir / heartbeat.FILE_NAME
    age = heartbeat.age(file, datetime.now(UTC))
    if age is None:
        sys.stdout.write(f"no heartbeat at {file}\n")
        raise SystemExit(EXIT_FAULT)
    sys.stdout.write(f"last good poll {age:.1f} s ago\n")
    if age > max_age:
        raise SystemExit(EXIT_FAULT)


def _journal(journal: Path | None, config: list[Path] | None) -> Path:
    if journal is not None:
        return journal
    from bot import bootstrap  # noqa: PLC0415 - see the module's first lines
    from bot.settings import load  # noqa: PLC0415 - as above

    if config:
        return bootstrap.journal_of(load(config).settings)
    newest = Path("state") / "paper" / "latest" / "journal.sqlite"
    if not newest.exists():
        raise ConfigError("name a journal with --journal FILE or a configuration with -c FILE")
    return newest
