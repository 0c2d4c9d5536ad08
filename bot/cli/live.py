"""How does a person start a bot, and see that it may start and lives?"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import ConfigFiles, Json, print_json
from bot.cli.exits import EXIT_FAULT
from bot.errors import ConfigError


def run(
    config: ConfigFiles,
    once: Annotated[bool, typer.Option("--once", help="Stop after one poll.")] = False,
    for_: Annotated[str | None, typer.Option("--for", help="Stop by itself: 90s, 20m, 2h.")] = None,
) -> None:
    """Run the bot until it is stopped."""
    import asyncio

    from bot import bootstrap
    from bot.clock import WallClock
    from bot.settings import load
    from bot.spans import seconds_of

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
    import asyncio

    from bot import session
    from bot.spans import instant_of, seconds_of

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


def check(
    config: ConfigFiles,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every value and where it came from.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Validate the configuration, its limits, secrets and strategy."""
    from bot import bootstrap, settings

    loaded = settings.load(config)
    bootstrap.strategy_of(loaded.settings)
    bootstrap.policy_of(loaded.settings)
    bootstrap.redactor_of(loaded.settings)
    rows = settings.explain(loaded)
    if as_json:
        print_json(
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


def health(
    state_dir: Annotated[Path, typer.Option(help="Where the heartbeat is.")] = Path("state"),
    max_age: Annotated[float, typer.Option(help="Oldest good poll. [s]", min=1)] = 60.0,
) -> None:
    """Say whether the last good poll is young enough; for container health checks."""
    from bot.operate import heartbeat

    file = state_dir / heartbeat.FILE_NAME
    age = heartbeat.age(file, datetime.now(UTC))
    if age is None:
        sys.stdout.write(f"no heartbeat at {file}\n")
        raise SystemExit(EXIT_FAULT)
    sys.stdout.write(f"last good poll {age:.1f} s ago\n")
    if age > max_age:
        raise SystemExit(EXIT_FAULT)
