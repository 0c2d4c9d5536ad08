"""How does a person keep a bot from acting, and let it act again?"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import Json, show
from bot.errors import ConfigError

StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="State directory of the bot; default: state."),
]
StateConfig = Annotated[
    list[Path] | None,
    typer.Option("-c", "--config", help="Take the state directory of this configuration."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def kill(state_dir: StateDir = None, config: StateConfig = None, as_json: Json = False) -> None:
    """Forbid every write of the bot, now and after restarts, until rearm."""
    from bot.operate.switches import kill_in

    folder = _state_dir(state_dir, config)
    kill_in(folder, "plimsoll kill")
    _write_switches(folder, as_json=as_json)


def rearm(
    state_dir: StateDir = None,
    config: StateConfig = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take a kill back: the bot may act again at once."""
    from bot.operate.switches import FileSwitchboard

    folder = _state_dir(state_dir, config)
    _confirm(f"Shall the bot of {folder} act again?", verb="rearm", yes=yes)
    with FileSwitchboard(folder) as board:
        board.rearm()
    _write_switches(folder, as_json=as_json)


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
    from bot.domain.switch import Pause
    from bot.operate.switches import FileSwitchboard

    if level not in (Pause.OPTIONAL, Pause.ALL):
        raise ConfigError(f"--level must be optional or all, was {level}")
    folder = _state_dir(state_dir, config)
    if level == Pause.ALL:
        question = f"Shall the bot of {folder} stop protecting positions until resume?"
        _confirm(question, verb="pause --level all", yes=yes)
    with FileSwitchboard(folder) as board:
        board.pause(Pause(level), "plimsoll pause")
    _write_switches(folder, as_json=as_json)


def resume(state_dir: StateDir = None, config: StateConfig = None, as_json: Json = False) -> None:
    """Take a pause back, and let a bot that only observes protect again."""
    from bot.operate.switches import FileSwitchboard

    folder = _state_dir(state_dir, config)
    with FileSwitchboard(folder) as board:
        board.resume()
    _write_switches(folder, as_json=as_json)


def _write_switches(folder: Path, *, as_json: bool) -> None:
    from bot import views

    show(views.switches(folder), views.switches_text, as_json=as_json)


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
        from bot.settings import load

        folder = load(config).settings.bot.state_dir
    else:
        folder = state_dir or Path(os.environ.get("PLIMSOLL_BOT__STATE_DIR", "state"))
    if not folder.is_dir():
        raise ConfigError(
            f"state directory {folder.absolute()} must exist: name the bot's own with "
            "--state-dir DIR or -c FILE; nothing was changed"
        )
    return folder
