"""How is a person told where a value came from, and what is wrong with it?"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.errors import ConfigError
from bot.settings.sections import (
    DELIMITER,
    PREFIX,
    AccountSection,
    Section,
    Settings,
    StrategySection,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A valid configuration and where it came from.

    Attributes:
        settings: Validated.
        origins: Dotted path to the file or variable that set it; defaults are absent.
        hash: Of the merged configuration without secrets; stands in each decision record.
    """

    settings: Settings
    origins: Mapping[str, str]
    hash: str


def explain(loaded: Loaded) -> list[tuple[str, str, str]]:
    """Return rows of (path, value, origin) of the merged configuration, secrets masked."""
    dumped = loaded.settings.model_dump(mode="json")
    return [
        (path, str(value), _origin(path, loaded.origins))
        for path, value in sorted(_values(dumped).items())
        if value is not None
    ]


def _origin(path: str, origins: Mapping[str, str]) -> str:
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition(".")[0]
    return "default"


def _values(table: object, path: str = "") -> dict[str, object]:
    if isinstance(table, dict) and table:
        found: dict[str, object] = {}
        for key, value in table.items():
            found |= _values(value, f"{path}.{key}" if path else key)
        return found
    if isinstance(table, list) and table and isinstance(table[0], dict):
        found = {}
        for index, value in enumerate(table):
            found |= _values(value, f"{path}.{index}")
        return found
    return {path: table}


def check_variables(names: Iterable[str]) -> None:
    """Pass if every name of a variable stands for a setting.

    Raises:
        ConfigError: One does not; the text names it and what is near.
    """
    known = _known_variables()
    for name in names:
        upper = name.upper()
        if any(upper == one or upper.startswith(one + DELIMITER) for one in known["open"]):
            continue
        if upper not in known["closed"]:
            near = difflib.get_close_matches(upper, [*known["closed"], *known["open"]], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"environment variable {name} is not a setting{hint}")


def _known_variables() -> dict[str, set[str]]:
    """Return names of variables: ``closed`` ones exactly, ``open`` ones with any ending."""
    closed: set[str] = set()
    open_: set[str] = set()
    for name, field in Settings.model_fields.items():
        top = f"{PREFIX}{name}".upper()
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            closed |= {f"{top}{DELIMITER}{key}".upper() for key in section.model_fields}
        elif section is StrategySection:
            open_.add(top)
        closed.add(top)
    return {"closed": closed, "open": open_}


def mistakes(error: ValidationError, origins: Mapping[str, str]) -> str:
    """Return one line per mistake: the field, what would be right, its value, its origin."""
    lines = []
    for item in error.errors(include_url=False):
        path = ".".join(str(part) for part in item["loc"]) or "configuration"
        origin = _origin(path, origins)
        where = "" if origin == "default" else f" ({origin})"
        lines.append(f"{path}: {_mistake(path, item)}{where}")
    return "\n".join(lines)


def _mistake(path: str, item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path.rpartition(".")[2], _keys_beside(path), n=1)
        return "is not a setting" + (f"; did you mean {near[0]}?" if near else "")
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "missing":
        return "must be set"
    value = item.get("input")
    # Containers are not repeated: a secret may stand inside them.
    shown = f", was {value!r}" if isinstance(value, str | int | float) else ""
    if any(word in path for word in ("secret", "key", "password")):
        shown = ""
    return message[0].lower() + message[1:] + ("" if ", was" in message else shown)


def _keys_beside(path: str) -> list[str]:
    parts = path.split(".")
    if len(parts) == 1:
        return list(Settings.model_fields)
    if parts[0] == "accounts":
        return list(AccountSection.model_fields)
    field = Settings.model_fields.get(parts[0])
    section = field.annotation if field is not None else None
    if isinstance(section, type) and issubclass(section, BaseModel):
        return list(section.model_fields)
    return []
