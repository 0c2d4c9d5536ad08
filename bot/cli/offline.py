"""What can be asked where no bot runs: of a position, of models, of simulated worlds?"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.common import AccountConfig, Json, print_json, show
from bot.cli.exits import EXIT_DIFFERENT
from bot.errors import ConfigError


def risk(
    side: Annotated[str | None, typer.Option(help="long or short.")] = None,
    size: Annotated[
        str | None, typer.Option(help="Inverse: contracts times their value. [base or quote]")
    ] = None,
    entry: Annotated[str | None, typer.Option(help="[quote/base]")] = None,
    mark: Annotated[str | None, typer.Option(help="[quote/base]")] = None,
    margin: Annotated[str | None, typer.Option(help="Without unrealized PnL. [settle]")] = None,
    symbol: Annotated[
        str, typer.Option(help="Unified name; BTC/USD:BTC is inverse.")
    ] = "BTC/USDT:USDT",
    venue: Annotated[str, typer.Option(help="The venue's id.")] = "binanceusdm",
    rate: Annotated[str, typer.Option(help="Maintenance rate of the tier. [ratio]")] = "0.005",
    amount: Annotated[str, typer.Option(help="Maintenance amount (cum). [settle]")] = "0",
    volatility: Annotated[str, typer.Option(help="Per square-root hour.")] = "0.006",
    hazard: Annotated[str, typer.Option(help="Liquidations tolerated per year.")] = "1",
    models: Annotated[str | None, typer.Option(help="As `strategy.models`.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="CSV with a header of these names, one row each.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a position risks: no keys, no network."""
    from bot import views

    given = {
        "venue": venue, "symbol": symbol, "side": side, "size": size, "entry": entry,
        "mark": mark, "margin": margin, "rate": rate, "amount": amount,
        "volatility": volatility, "hazard": hazard,
    }  # fmt: skip
    known = {k: v for k, v in given.items() if v is not None}
    for found in views.risks(known, file, models=models):
        show(found, views.risk_text, as_json=as_json)


def venues(as_json: Json = False) -> None:
    """Show what the bot can do where."""
    from bot import views

    for row in views.venues():
        show(row, views.venue_text, as_json=as_json)


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
    from bot.files import packaged
    from bot.simulate import many
    from bot.simulate.case import case_of
    from bot.simulate.world import run as live

    file = packaged("paper.toml")
    if seed is not None:
        lines: list[str] = []
        result = live(case_of(seed, faults=faults), many.configuration(file), lines=lines)
        sys.stdout.write("\n".join([*lines, f"trace {result.digest}", *result.violations]) + "\n")
        has_failed = bool(result.violations)
    else:
        summary = many.many(range(first, first + seeds), faults=faults, file=file, workers=workers)
        show(summary.as_json(), _summary_text, as_json=as_json)
        has_failed = bool(summary.violations)
    if has_failed:
        raise SystemExit(EXIT_DIFFERENT)


def _summary_text(summary: dict[str, Any]) -> str:
    figures = {k: v for k, v in summary.items() if k != "violations"}
    figures["violations"] = len(summary["violations"])
    lines = [f"{name:<16} {value}" for name, value in figures.items()]
    lines += [f"  {one['text']}   {one['again']}" for one in summary["violations"]]
    return "\n".join(lines) + "\n"


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
    from bot import calibrate as judged

    if joint and plot is not None:
        raise ConfigError("--joint draws nothing: leave out --plot")
    histories = judged.read(judged.folder_of(data))
    if joint:
        from bot import calibrate_joint

        found = calibrate_joint.calibrate(histories)
        if as_json:
            print_json(found.as_json())
        else:
            sys.stdout.write(calibrate_joint.text(found))
        return
    report = judged.calibrate(histories)
    if plot is not None:
        judged.write(plot, judged.plot(report))
    if as_json:
        print_json(report.as_json())
    else:
        sys.stdout.write(judged.text(report))


def fit(
    out: Annotated[Path, typer.Option(help="File to write; `strategy.models` names it.")],
    config: AccountConfig = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of hourly marks as Parquet files, instead.")
    ] = None,
    source: Annotated[str, typer.Option(help="Whose prices they are; kept in the file.")] = "",
) -> None:
    """Fit volatility and tails for the strategy `hazard`, on hourly marks of venue or folder."""
    import asyncio

    from bot import calibrate as judged
    from bot import fit as made
    from bot.clock import WallClock
    from bot.settings import load

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
