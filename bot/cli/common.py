"""What do several verbs take, and how do they answer?"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

T = TypeVar("T")
ConfigFiles = Annotated[
    list[Path],
    typer.Option("-c", "--config", help="TOML file; several are merged, the last wins."),
]
AccountConfig = Annotated[
    list[Path] | None,
    typer.Option("-c", "--config", help="Ask the venue with the account of this configuration."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]


def print_json(value: Any) -> None:
    """Print a value as JSON, on a line of its own."""
    sys.stdout.write(json.dumps(value, default=str) + "\n")


def show(value: T, text: Callable[[T], str], *, as_json: bool) -> None:
    """Print a value as JSON, or as its text for people."""
    if as_json:
        print_json(value)
    else:
        sys.stdout.write(text(value))
