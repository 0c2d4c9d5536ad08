"""How is a strategy found by its path?"""

import dataclasses
import hashlib
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

SUFFIX = ".py"
_TRUTHS = {"true": True, "false": False}
_KINDS = (Decimal, int, float, bool, str)


def anchored(path: str, folder: Path) -> str:
    """Return a strategy's path; that of a file is absolute, a relative one begins in ``folder``.

    The same file is found from wherever a verb is called, also when a decision is made again.
    """
    place, _, name = path.rpartition(":")
    return f"{(folder / place).absolute()}:{name}" if place.endswith(SUFFIX) else path


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
    settings_type: Any = _hints(cls.__init__, name).get("settings")
    if not (inspect.isclass(settings_type) and dataclasses.is_dataclass(settings_type)):
        raise StrategyError(
            f"strategy.path: {name} must take one argument 'settings' that is a dataclass"
        )
    choose = getattr(cls, "choose", None)
    if not callable(choose) or inspect.iscoroutinefunction(choose):
        raise StrategyError(f"strategy.path: {name} must have a method choose(risk, market)")
    make = typing.cast(Callable[[Any], Strategy], cls)
    settings_cls = typing.cast(type, settings_type)
    kept = _files(settings_cls, own, archive)
    settings = _settings(settings_cls, own, kept)
    try:
        strategy = make(settings)
    except ValueError as error:
        raise StrategyError(f"strategy: {error}") from error
    except (Exception, SystemExit) as error:  # a user's class may fail in any way
        raise StrategyError(f"strategy.path: {name} failed to start: {error!r}") from error
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
        for name, wanted in _hints(cls, cls.__name__).items()
        if wanted in files.KINDS
    }


def _module(place: str) -> ModuleType:
    if not place.endswith(SUFFIX):
        try:
            return importlib.import_module(place)
        except ImportError as error:
            raise StrategyError(
                f"strategy.path: module {place} must be importable: {error}"
            ) from error
        except (Exception, SystemExit) as error:  # a user's module may fail in any way
            raise StrategyError(f"strategy.path: {place} failed to load: {error!r}") from error
    file = Path(place).absolute()
    if not file.is_file():
        raise StrategyError(f"strategy.path: file {file} must exist")
    spec = importlib.util.spec_from_file_location(_name_of(file), file)
    if spec is None or spec.loader is None:
        raise StrategyError(f"strategy.path: file {file} must be a module")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name while the class is made.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may fail in any way
        del sys.modules[spec.name]
        raise StrategyError(f"strategy.path: {place} failed to load: {error!r}") from error
    return module


def _name_of(file: Path) -> str:
    """Return a module name that no file of the same name in another folder has."""
    digest = hashlib.sha256(str(file.resolve()).encode(errors="surrogateescape")).hexdigest()[:12]
    return f"plimsoll_user_{file.stem}_{digest}"


def _hints(of: Any, name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(of)
    except Exception as error:  # annotations are evaluated: a user's may fail in any way
        raise StrategyError(
            f"strategy.path: annotations of {name} must be known: {error!r}"
        ) from error


def _settings(cls: type, own: Mapping[str, Any], kept: Mapping[str, Kept]) -> Any:
    hints = _hints(cls, cls.__name__)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    for name in own:
        if name not in fields:
            raise StrategyError(
                f"strategy.{name}: is not a setting of this strategy; it has "
                f"{', '.join(sorted(fields)) or 'none'}"
            )
    for name, field in fields.items():
        is_needed = field.default is field.default_factory is dataclasses.MISSING
        if is_needed and name not in own and name not in kept:
            raise StrategyError(f"strategy.{name}: must be set, it has no default")
    values = {
        name: _value(name, value, hints[name]) for name, value in own.items() if name not in kept
    }
    try:
        return cls(**values, **{name: one.value for name, one in kept.items()})
    except (Exception, SystemExit) as error:  # a user's checks may fail in any way
        raise StrategyError(f"strategy: settings were refused: {error}") from error


def _value(name: str, value: object, wanted: object) -> object:
    """Return a setting as its dataclass declares it.

    A journal keeps settings as text: each kind must be told from its text.
    """
    if wanted is Decimal:
        if isinstance(value, float):
            raise StrategyError(f"strategy.{name}: must be quoted to stay exact, was {value}")
        return _decimal(name, value)
    if wanted is int:
        try:
            return int(str(value))
        except ValueError:
            raise StrategyError(f"strategy.{name}: must be a whole number, was {value!r}") from None
    if wanted is float:
        return float(_decimal(name, value))
    if wanted is bool:
        truth = _TRUTHS.get(str(value).lower())
        if truth is None:
            raise StrategyError(f"strategy.{name}: must be true or false, was {value!r}")
        return truth
    if wanted is str:
        if not isinstance(value, str):
            raise StrategyError(f"strategy.{name}: must be a text, was {value!r}")
        return value
    raise StrategyError(
        f"strategy.{name}: must be declared as {', '.join(kind.__name__ for kind in _KINDS)} "
        f"in the file of the strategy, was {wanted}"
    )


def _decimal(name: str, value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise StrategyError(f"strategy.{name}: must be a number, was {value!r}")
    return number
