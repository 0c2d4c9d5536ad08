"""How is a strategy found by its path?"""

import dataclasses
import importlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.errors import StrategyError
from bot.ports import Strategy


def load_strategy(path: str, own: Mapping[str, Any]) -> Strategy:
    """Return the strategy at ``package.module:Class`` or ``/some/file.py:Class``.

    Args:
        path: Where it is.
        own: Its own settings; each must be a field of its settings dataclass.

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
    try:
        strategy = make(_settings(typing.cast(type, settings_type), own))
    except ValueError as error:
        raise StrategyError(f"strategy: {error}") from error
    return strategy


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


def _settings(cls: type, own: Mapping[str, Any]) -> Any:
    hints = typing.get_type_hints(cls)
    fields = {field.name for field in dataclasses.fields(cls)}
    for name in own:
        if name not in fields:
            raise StrategyError(
                f"strategy.{name}: is not a setting of this strategy; it has "
                f"{', '.join(sorted(fields))}"
            )
    values = {name: _value(name, value, hints[name]) for name, value in own.items()}
    return cls(**values)


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
