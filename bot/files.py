"""Which file is meant by a name in a strategy's settings, and is it the one that was meant then?

What a strategy reads from a file is part of every decision: its digest is recorded, and the file is
kept beside the journal, so that a decision follows again although the file has changed.
"""

import functools
import hashlib
import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import StrategyError
from bot.leverage.library import Library
from bot.leverage.stress import Catalogue, catalogue

INSTALLED = Path(__file__).parent / "_config"
NOTHING = "none"
"""Instead of a name: no file."""
_MARK = "#sha256="


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One kind of file.

    Attributes:
        usual: Its name in the folder of configuration, where none is given.
        empty: What stands for no file.
        read: Returns the value; raises ValueError.
    """

    usual: str
    empty: Any
    read: Callable[[bytes, str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that settings name.

    Attributes:
        value: What is in it.
        text: Its name and digest, as they are recorded.
        digest: SHA-256 of its content; empty for no file.
        content: Empty for no file.
    """

    value: Any
    text: str
    digest: str = ""
    content: bytes = b""


def packaged(name: str) -> Path:
    """Return a configuration file of this checkout, or the one that was installed with it."""
    own = Path("config") / name
    return own if own.is_file() else INSTALLED / name


def _library(content: bytes, digest: str) -> Library:
    return Library.from_dict(json.loads(content), digest=digest)


def _catalogue(content: bytes, digest: str) -> Catalogue:
    del digest
    return catalogue(tomllib.loads(content.decode()))


KINDS: Mapping[type, Kind] = {
    Library: Kind(usual="models.json", empty=Library(), read=_library),
    Catalogue: Kind(usual="stress.toml", empty=Catalogue(), read=_catalogue),
}
"""By the type of the setting."""


def read(kind: Kind, named: object, *, setting: str, archive: Path | None) -> Kept:
    """Return what the file holds that a setting names.

    Args:
        kind: Of the file.
        named: A path, ``none``, or what `Kept.text` said of it once; ``None`` for the usual file.
        setting: Its name, for people.
        archive: Where files of earlier runs are kept.

    Raises:
        StrategyError: It cannot be read, is none of its kind, or is not the one that was meant.
    """
    name, _, wanted = str(named or packaged(kind.usual)).partition(_MARK)
    if name == NOTHING:
        return Kept(value=kind.empty, text=NOTHING)
    content = _content(Path(name), wanted, setting=setting, archive=archive)
    digest = hashlib.sha256(content).hexdigest()
    try:
        value = _value(kind, content, digest)
    except (ValueError, RecursionError) as error:
        raise StrategyError(f"strategy.{setting}: {name} cannot be used: {error}") from error
    return Kept(value=value, text=f"{name}{_MARK}{digest}", digest=digest, content=content)


def keep(files: Mapping[str, bytes], archive: Path) -> None:
    """Keep files under their digests, so that decisions made with them can be made again.

    Raises:
        OSError: One cannot be written.
    """
    for digest, content in files.items():
        place = archive / digest
        if place.is_file() and place.stat().st_size == len(content):
            continue
        archive.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = place.with_name(f"{digest}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(place)


@functools.lru_cache(maxsize=8)
def _value(kind: Kind, content: bytes, digest: str) -> Any:
    # Values never change, and a library takes milliseconds to read.
    return kind.read(content, digest)


def _content(file: Path, wanted: str, *, setting: str, archive: Path | None) -> bytes:
    kept = None if archive is None or not wanted else archive / wanted
    for place in (kept, file):
        try:
            content = b"" if place is None else place.read_bytes()
        except OSError as error:
            if place is kept:
                continue
            raise StrategyError(
                f"strategy.{setting}: {file} cannot be read: {error.strerror}"
            ) from error
        if content and wanted in ("", hashlib.sha256(content).hexdigest()):
            return content
    what = f"{file} must be the one with SHA-256 {wanted}, is another" if wanted else "is empty"
    raise StrategyError(f"strategy.{setting}: {what}")
