"""What can a person ask the program to do?

Nothing heavy is imported until a verb needs it: ``plimsoll --help`` and ``plimsoll health`` stay
quick. That is why verbs import inside their bodies, the one place where this is done. A verb is a
plain function; here they are made into a program.
"""

import sys
from typing import Annotated

import typer

from bot import __version__
from bot.cli import cards, journal, live, offline, switches
from bot.cli.exits import exit_code
from bot.errors import BotError

__all__ = ["app", "main"]

VERBS = (
    live.run,
    live.paper,
    live.check,
    journal.status,
    switches.kill,
    switches.rearm,
    switches.pause,
    switches.resume,
    journal.decisions,
    journal.actions,
    journal.alarms,
    journal.replay,
    offline.risk,
    offline.venues,
    offline.simulate,
    cards.cards,
    offline.calibrate,
    offline.fit,
    live.health,
)
"""In the order of the help."""

app = typer.Typer(
    name="plimsoll",
    help="Keep leveraged positions away from liquidation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in VERBS:
    app.command()(verb)


def main() -> None:
    """Run a verb; expected errors end in one message and a documented exit code."""
    try:
        app()
    except BotError as error:
        for line in str(error).splitlines() or [type(error).__name__]:
            sys.stderr.write(f"plimsoll: {line}\n")
        raise SystemExit(exit_code(error)) from error


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
