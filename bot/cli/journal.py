"""What does a journal know?"""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.common import Json, print_json, show
from bot.cli.exits import EXIT_DIFFERENT
from bot.errors import ConfigError

JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", help="Journal file; default: of the newest paper run."),
]
JournalConfig = Annotated[
    list[Path] | None,
    typer.Option("-c", "--config", help="Take the journal of this configuration."),
]
Since = Annotated[
    str | None, typer.Option(help="An instant, or a span back from the newest: 20m, 2h.")
]
Limit = Annotated[int, typer.Option(help="At most so many, the newest.", min=1)]


def status(
    journal: JournalFile = None, config: JournalConfig = None, as_json: Json = False
) -> None:
    """Show the present state as the journal knows it."""
    from bot import views

    path = _file(journal, config)
    state = views.status(path, _state_dir_beside(path, journal, config))
    show(state, views.status_text, as_json=as_json)


def decisions(
    journal: JournalFile = None,
    config: JournalConfig = None,
    since: Since = None,
    verdict: Annotated[
        str | None, typer.Option(help="Only hold, act, refuse or not_ready.")
    ] = None,
    limit: Limit = 20,
    why: Annotated[str | None, typer.Option(help="One decision in full, by its id.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as they are made.")] = False,
    as_json: Json = False,
) -> None:
    """Show why the bot did or did not act."""
    from bot import views

    path = _file(journal, config)
    if why is not None:
        show(views.decision(path, why), _indented, as_json=as_json)
        return
    write: Callable[[dict[str, Any]], None] = print_json if as_json else _write_decision
    for record in views.decisions(path, since=since, verdict=verdict, limit=limit, follow=follow):
        write(record)


def actions(
    journal: JournalFile = None,
    config: JournalConfig = None,
    since: Since = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what the bot did and what came of it."""
    from bot import views

    rows = views.actions(_file(journal, config), since=since, limit=limit)
    _show(rows, views.action_text, as_json=as_json)


def alarms(
    journal: JournalFile = None,
    config: JournalConfig = None,
    since: Since = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what people were told, and whether it left."""
    from bot import views

    rows = views.alarms(_file(journal, config), since=since, limit=limit)
    _show(rows, views.alarm_text, as_json=as_json)


def replay(
    journal: JournalFile = None, config: JournalConfig = None, as_json: Json = False
) -> None:
    """Run decide again over a journal and prove each recorded decision is reproduced."""
    from dataclasses import asdict

    from bot import bootstrap

    path = _file(journal, config)
    report = bootstrap.replay_journal(path)
    if as_json:
        print_json(asdict(report) | {"journal": str(path)})
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


def _show(
    rows: Iterable[dict[str, Any]], text: Callable[[dict[str, Any]], str], *, as_json: bool
) -> None:
    found = list(rows)
    for row in found:
        show(row, text, as_json=as_json)
    if not found and not as_json:
        sys.stdout.write("none\n")


def _indented(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2) + "\n"


def _write_decision(record: dict[str, Any]) -> None:
    from bot.operate.console import decision_line

    sys.stdout.write(f"{record['id']}  {decision_line(record)}\n")
    sys.stdout.flush()


def _file(journal: Path | None, config: list[Path] | None) -> Path:
    if journal is not None:
        return journal
    from bot import bootstrap
    from bot.settings import load

    if config:
        return bootstrap.journal_of(load(config).settings)
    newest = Path("state") / "paper" / "latest" / "journal.sqlite"
    if not newest.exists():
        raise ConfigError("name a journal with --journal FILE or a configuration with -c FILE")
    return newest


def _state_dir_beside(path: Path, journal: Path | None, config: list[Path] | None) -> Path:
    """Return where the switches of the bot lie that writes a journal."""
    if config:
        from bot.settings import load

        return load(config).settings.bot.state_dir
    return Path("state") if journal is None else path.parent
