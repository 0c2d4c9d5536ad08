"""Which values do files, environment and secret files give?"""

import hashlib
import json
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from bot.errors import ConfigError
from bot.plugins import anchored
from bot.settings.sections import DELIMITER, PREFIX, Settings
from bot.settings.telling import Loaded, check_variables, mistakes

FILES = (".json", ".toml")
"""A setting of a strategy that ends so names a file, beside the configuration that names it."""
NOT_SETTINGS = frozenset({"PLIMSOLL_DATA"})
"""Variables of the project that are not configuration."""


def load(files: Sequence[Path], *, environ: Mapping[str, str] | None = None) -> Loaded:
    """Return the merged, validated configuration: files in order, then the environment.

    Raises:
        ConfigError: One line per mistake: the field, its value and what would be right.
    """
    environ = os.environ if environ is None else environ
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for file in files:
        table = _anchored(_read(file), file.parent)
        _merge(merged, table)
        for path in _leaves(table):
            origins[path] = str(file)
    ours = [name for name in environ if name.startswith(PREFIX) and name not in NOT_SETTINGS]
    check_variables(ours)
    for name in ours:
        path = name[len(PREFIX) :].lower().replace(DELIMITER, ".")
        origins[path] = f"environment {name}"
    try:
        _merge(merged, _anchored(_from_environment(environ), Path()))
        settings = Settings(**merged)
    except ValidationError as error:
        raise ConfigError(mistakes(error, origins)) from None
    except SettingsError as error:
        raise ConfigError(f"environment: {error}") from None
    return Loaded(settings=settings, origins=origins, hash=_hash(settings))


def secret_of(value: SecretStr | None, file: Path | None, *, field: str) -> str:
    """Return a secret from the configuration or its file.

    Raises:
        ConfigError: If neither is set, or the file is missing, empty or readable by others.
    """
    if value is not None:
        return value.get_secret_value()
    if file is None:
        raise ConfigError(f"{field} must be set, or {field}_file must name a file that holds it")
    try:
        info = file.stat()
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{field}_file {file} must be readable text: {error}") from None
    mounted = info.st_uid == 0 and not os.access(file, os.W_OK)
    if stat.S_IMODE(info.st_mode) & 0o077 and not mounted:
        raise ConfigError(f"{field}_file {file} must not be readable by others: chmod 600 {file}")
    if not text:
        raise ConfigError(f"{field}_file {file} must not be empty")
    return text


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise ConfigError(f"configuration file {file} must exist") from None
    except OSError as error:
        raise ConfigError(f"configuration file {file} must be readable: {error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {file} must be valid TOML: {error}") from None


def _anchored(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a table in which files that a strategy is made from are named from the root."""
    strategy = table.get("strategy")
    if not isinstance(strategy, dict):
        return table
    named = {
        key: str((folder / value).absolute())
        for key, value in strategy.items()
        if isinstance(value, str) and value.endswith(FILES)
    }
    path = strategy.get("path")
    if isinstance(path, str):
        named["path"] = anchored(path, folder)
    return table | {"strategy": strategy | named}


def _merge(into: dict[str, Any], table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environ.items()}
    return source()


def _leaves(table: object, path: str = "") -> Iterator[str]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield from _leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(table, list) and table and isinstance(table[0], dict):
        for index, value in enumerate(table):
            yield from _leaves(value, f"{path}.{index}")
    else:
        yield path


def _hash(settings: Settings) -> str:
    text = json.dumps(settings.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
