"""How is it found out whether a test notices a change?

What a change within a function does is asked first where the tests are collected already, with the
code of that function exchanged; only what is not noticed there, or stands outside of functions, is
loaded anew. Each process runs first what noticed most in its time before, among equals what is
quicker, and ends with the first failure.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import NoReturn

import pytest

from bench.mutants.changes import Mutant
from bench.mutants.loading import path_of

FIXED = 0.01
"""What a test takes beside its own work. [s]"""
TIME, LOADING = "time", "loading"
"""What notices a change in place of a test: tests that do not end, or do not begin."""

QUIETLY = (
    "-x",
    "-q",
    "--assert=plain",  # nobody reads why a test failed
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",  # about what was loaded before the forks
)


class Replaced(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Gives one module from text instead of from its file."""

    def __init__(self, mutant: Mutant, path: Path) -> None:
        self._mutant, self._path = mutant, str(path)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return this loader for the changed module."""
        del path, target
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self._path)

    def get_filename(self, fullname: str) -> str:
        """Return where the unchanged module stands."""
        del fullname
        return self._path

    def get_data(self, path: str) -> bytes:
        """Return the changed text."""
        del path
        return self._mutant.source.encode()

    def path_stats(self, path: str) -> dict[str, float]:
        """Say that nothing may be taken from a cache."""
        raise OSError(path)


@dataclass(slots=True)
class Known:
    """What is known of the tests of a module.

    Attributes:
        noticed: By name: how many changes.
        seconds: By name: how long each takes.
    """

    noticed: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def place(self, item: pytest.Item) -> tuple[float, float]:
        """Return what to sort a test by: the first notices most in its time."""
        takes = FIXED + self.seconds.get(item.nodeid, 0.0)
        return -self.noticed[item.nodeid] / takes, takes


@dataclass(slots=True, eq=False)  # pytest looks plugins up in sets
class Timing:
    """Says through a pipe how long each test takes."""

    out: int

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell name and time of what passed, once for each of its phases."""
        if not report.failed:
            os.write(self.out, f"{report.duration} {report.nodeid}\n".encode())


@dataclass(slots=True, eq=False)  # as above
class Noticing:
    """Runs first what notices most in its time, and says through a pipe what fails first."""

    known: Known
    out: int

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the tests."""
        items.sort(key=self.known.place)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell the name of the first test that fails, and end with it."""
        if report.failed:
            os.write(self.out, report.nodeid.encode())
            os._exit(1)


@dataclass(slots=True, eq=False)  # as above
class Exchanging:
    """Asks about changes within functions in forks of a run that has collected its tests."""

    mutants: Sequence[Mutant]
    known: Known
    longest: float
    out: int

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Tell the ids of what is noticed; a fork goes on with the tests themselves."""
        for mutant in self.mutants:
            source, sink = os.pipe()
            child = os.fork()
            if child == 0:
                _exchange(mutant)
                noticing = Noticing(self.known, sink)
                noticing.pytest_collection_modifyitems(session.items)
                session.config.pluginmanager.register(noticing)
                return None
            if name := _noticed_by(child, source, sink, longest=self.longest):
                self.known.noticed[name] += 1
                os.write(self.out, f"{mutant.id} {name}\n".encode())
        return True


def _exchange(mutant: Mutant) -> None:
    """Give a function that is loaded the code of a change; where it cannot be, notice nothing."""
    try:
        found: object = sys.modules[mutant.module]
        for name in mutant.within.split("."):
            found = inspect.getattr_static(found, name)
            if isinstance(found, property):
                found = found.fget
            found = getattr(found, "__func__", found)
        assert isinstance(found, FunctionType)
        codes = [compile(mutant.source, mutant.module, "exec")]
        while codes[-1].co_qualname != mutant.within:
            codes = [c for c in codes.pop().co_consts if isinstance(c, CodeType)] + codes
        found.__code__ = codes[-1]
    except (AssertionError, AttributeError, IndexError, ValueError):
        os._exit(0)


def timed(tests: Sequence[str]) -> Known | None:
    """Return how long the tests of the module as it is take, ``None`` where they do not pass."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        _run(tests, Timing(sink))
    os.close(sink)
    known = Known()
    with os.fdopen(source) as told:
        for line in told:
            seconds, name = line.strip().split(" ", 1)
            known.seconds[name] = known.seconds.get(name, 0.0) + float(seconds)
    return known if os.waitpid(child, 0)[1] == 0 else None


def quickly(
    todo: Sequence[Mutant], tests: Sequence[str], known: Known, *, longest: float
) -> Iterator[str]:
    """Yield the ids of changes within functions that are noticed without loading anything anew."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        _run(tests, Exchanging([m for m in todo if m.within], known, longest, sink))
    os.close(sink)
    with os.fdopen(source) as told:
        for line in told:
            found, name = line.strip().split(" ", 1)
            known.noticed[name] += 1
            yield found
    os.waitpid(child, 0)


def is_noticed(mutant: Mutant, tests: Sequence[str], known: Known, *, longest: float) -> bool:
    """Whether a test fails of a change, or never ends; what noticed it is counted."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        sys.meta_path.insert(0, Replaced(mutant, path_of(mutant.module)))
        _run(tests, Noticing(known, sink))
    if name := _noticed_by(child, source, sink, longest=longest):
        known.noticed[name] += 1
    return bool(name)


def _noticed_by(child: int, source: int, sink: int, *, longest: float) -> str:
    """Return the test of which a process ends, or what ends it instead; empty if all tests pass."""
    os.close(sink)
    until = time.monotonic() + longest
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        time.sleep(0.002)
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(source)
            return TIME
    with os.fdopen(source, "rb") as told:
        name = told.read().decode()
    return name or (LOADING if done[1] else "")


def _run(tests: Sequence[str], plugin: object) -> NoReturn:
    """End this process with what the tests say."""
    code = 1
    try:
        os.environ["HYPOTHESIS_PROFILE"] = "brief"
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        code = int(pytest.main([*QUIETLY, *tests], plugins=[plugin]))
    finally:
        os._exit(code)
