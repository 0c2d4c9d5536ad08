"""How is a strategy found by its path?"""

import dataclasses
import importlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import ModuleType
from typing import Any

from bot import files
from bot.errors import StrategyError
from bot.files import Kept
from bot.ports import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A strategy and what it was made from.

    Attributes:
        strategy: Ready to choose.
        settings: Its own settings as text, files with their digests: what makes it again.
        files: Content of the files among them, by digest.
    """

    strategy: Strategy
    settings: tuple[tuple[str, str], ...]
    files: Mapping[str, bytes]


def load_strategy(path: str, own: Mapping[str, Any], *, archive: Path | None = None) -> Strategy:
    """Return the strategy of `resolve` alone."""
    return resolve(path, own, archive=archive).strategy


def resolve(path: str, own: Mapping[str, Any], *, archive: Path | None = None) -> Resolved:
    """Return the strategy at ``package.module:Class`` or ``/some/file.py:Class``.

    Args:
        path: Where it is.
        own: Its own settings; each must be a field of its settings dataclass. A file it can read
            and that is not among them is the usual one.
        archive: Where files that earlier decisions were made with are kept.

    Raises:
        StrategyError: It cannot be found, or its settings are wrong; the text names the field.
    """
    place, _, name = path.rpartition(":")
    module = _module(place)
    cls: Any = getattr(module, name, None)
    if not inspect.isclass(cls):
        raise StrategyError(f"strategy.path: {place} must define a class {name}")
    settings_type: Any = typing.get_type_hints(cls.__init__).get("settings")
    if settings_type is None or not dataclasses.is_dataclass(settings_type):
        raise StrategyError(
            f"strategy.path: {name} must take one argument 'settings' that is a dataclass"
        )
    if not callable(getattr(cls, "choose", None)):
        raise StrategyError(f"strategy.path: {name} must have a method choose(risk, market)")
    make = typing.cast(Callable[[Any], Strategy], cls)
    settings_cls = typing.cast(type, settings_type)
    kept = _files(settings_cls, own, archive)
    try:
        strategy = make(_settings(settings_cls, own, kept))
    except ValueError as error:
        raise StrategyError(f"strategy: {error}") from error
    texts = {name: str(value) for name, value in own.items()}
    texts |= {name: one.text for name, one in kept.items()}
    return Resolved(
        strategy=strategy,
        settings=tuple(texts.items()),
        files={one.digest: one.content for one in kept.values() if one.digest},
    )


def _files(cls: type, own: Mapping[str, Any], archive: Path | None) -> dict[str, Kept]:
    return {
        name: files.read(files.KINDS[wanted], own.get(name), setting=name, archive=archive)
        for name, wanted in typing.get_type_hints(cls).items()
        if wanted in files.KINDS
    }


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        try:
            return importlib.import_module(place)
        except ImportError as error:
            raise StrategyError(
                f"strategy.path: module {place} must be importable: {error}"
            ) from error
    file = Path(place)
    spec = importlib.util.spec_from_file_location(f"plimsoll_user_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise StrategyError(f"strategy.path: file {place} must exist")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name while the class is made.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file may fail in any way; the cause is kept
        raise StrategyError(f"strategy.path: {place} failed to load: {error!r}") from error
    return module


def _settings(cls: type, own: Mapping[str, Any], kept: Mapping[str, Kept]) -> Any:
    hints = typing.get_type_hints(cls)
    fields = {field.name for field in dataclasses.fields(cls)}
    for name in own:
        if name not in fields:
            raise StrategyError(
                f"strategy.{name}: is not a setting of this strategy; it has "
                f"{', '.join(sorted(fields))}"
            )
    values = {
        name: _value(name, value, hints[name]) for name, value in own.items() if name not in kept
    }
    return cls(**values, **{name: one.value for name, one in kept.items()})


def _value(name: str, value: object, wanted: object) -> object:
    if wanted is Decimal:
        if isinstance(value, float):
            raise StrategyError(f"strategy.{name}: must be quoted to stay exact, was {value}")
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise StrategyError(f"strategy.{name}: must be a number, was {value!r}")
        return number
    if wanted is int:
        try:
            return int(str(value))
        except ValueError:
            raise StrategyError(f"strategy.{name}: must be a whole number, was {value!r}") from None
    return value
