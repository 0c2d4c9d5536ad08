"""Would the tests notice if the code that moves money were a little wrong?

One small change at a time in the modules below, and the tests that must fail of it, each in a
process of its own. ``python -m bench.mutants`` asks for every module, ``python -m bench.mutants
review`` for those whose name ends so; ``--again`` asks only for those that nobody noticed before.

What a change within a function does is asked first where the tests are collected already, with the
code of that function exchanged; only what is not noticed there, or stands outside of functions, is
loaded anew. Each process runs first what noticed most before and ends with the first failure.
"""

import ast
import contextlib
import copy
import gc
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import NoReturn

import pytest

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".cache" / "mutants"
LONGEST = 90.0
"""The tests as they are take less. [s]"""
AT_LEAST, TIMES = 5.0, 5.0
"""A change that makes them run longer than so many seconds and so many times is noticed."""

QUIETLY = (
    "-x",
    "-q",
    "--assert=plain",  # nobody reads why a test failed
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",  # about what was loaded before the forks
)
WARM = ("hypothesis", "_hypothesis_pytestplugin", "numpy", "pytest_asyncio")
"""Loaded before the forks: each of them would pay for it."""

GUARD = (
    "tests/unit/test_steps.py",
    "tests/unit/test_guard.py",
    "tests/unit/execute",
    "tests/unit/test_judge.py",
    "tests/property/test_arithmetic_laws.py",
    "tests/property/test_guard_laws.py",
)
REVIEW = (
    "tests/unit/rebalance",
    "tests/property/test_planning_laws.py",
    "tests/property/test_backstop_laws.py",
)
INTENTS = (
    "tests/unit/domain/test_intent.py",
    "tests/unit/execute",
    "tests/unit/test_execute.py",
    "tests/unit/loop",
)
BOOKS = (
    "tests/unit/execute/test_books_limits.py",
    "tests/unit/execute/test_looking_limits.py",
    "tests/unit/execute/test_transit_limits.py",
    "tests/unit/books",
    "tests/unit/test_bookkeeper.py",
    "tests/unit/test_foreign.py",
    "tests/property/test_books_laws.py",
)
ARITHMETIC = (
    "tests/property/test_arithmetic_laws.py",
    "tests/unit/books",
    "tests/unit/test_guard.py",
    "tests/unit/execute",
)
DENIAL = (
    "tests/unit/execute/test_denial.py",
    "tests/unit/test_guard.py",
    "tests/unit/execute/test_guard_limits.py",
    "tests/property/test_guard_laws.py",
)
SHARING = (
    "tests/unit/rebalance/test_sharing.py",
    "tests/property/test_sharing_laws.py",
    "tests/unit/rebalance/test_decide.py",
)
REDUCING = (
    "tests/unit/rebalance/test_reducing.py",
    "tests/property/test_planning_laws.py",
    "tests/unit/rebalance/test_decide.py",
)
CHOOSE = ("tests/unit/rebalance/test_choose.py", "tests/property/test_band_laws.py")
TIMING = ("tests/unit/books", "tests/unit/test_execute.py", "tests/unit/execute")
MARGIN = (
    "tests/unit/margin/test_legs.py",
    "tests/unit/margin/test_account.py",
    "tests/unit/margin/test_release.py",
    "tests/unit/margin/test_rates.py",
    "tests/unit/margin/test_by_rule.py",
    "tests/unit/margin/test_vectors.py",
    "tests/unit/margin/test_linear.py",
    "tests/property/test_margin_engine_laws.py",
)
TARGETS = {
    "bot.execute.guard": GUARD,
    "bot.execute.budgets": GUARD,
    "bot.execute.effect": GUARD,
    "bot.execute.steps": GUARD,
    "bot.execute.facts": GUARD,
    "bot.execute.denial": DENIAL,
    "bot.execute.arithmetic": ARITHMETIC,
    "bot.execute.books": BOOKS,
    "bot.execute.looking": BOOKS,
    "bot.execute.transit": BOOKS,
    "bot.execute.foreign": BOOKS,
    "bot.execute.bookkeeper": BOOKS,
    "bot.domain.ledger": ("tests/unit/domain/test_ledger.py", *BOOKS),
    "bot.execute.resolve": INTENTS,
    "bot.domain.intent": INTENTS,
    "bot.rebalance.review": REVIEW,
    "bot.rebalance.review_stops": REVIEW,
    "bot.rebalance.sharing": SHARING,
    "bot.rebalance.reducing": REDUCING,
    "bot.rebalance.choose": CHOOSE,
    "bot.domain.timing": TIMING,
    "bot.margin.curve": MARGIN,
    "bot.margin.solver": MARGIN,
    "bot.margin.legs": MARGIN,
    "bot.margin.lone": MARGIN,
    "bot.margin.account": MARGIN,
    "bot.margin.backing": MARGIN,
    "bot.margin.by_rule": MARGIN,
    "bot.margin.rates": MARGIN,
    "bot.margin.release": MARGIN,
}

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
RECKONED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceiling",
           "ceiling": "floor", "setdefault": "get"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One small change of a module.

    Attributes:
        module: Its name.
        line: Where. [line number]
        change: Before and after, for people.
        source: The changed module.
        nth: Of the same changes of the module.
        within: The function whose code it changes; empty outside of functions.
    """

    module: str
    line: int
    change: str
    source: str
    nth: int = 0
    within: str = ""

    @property
    def id(self) -> str:
        """The same change keeps its name when the code around it changes."""
        told = f"{self.module} {self.change} {self.nth}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]


Path_ = tuple[tuple[str, int | None], ...]


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Yield every change of a module, in the order of its lines."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for path, node in _sites(tree):
        for new in _variants(node):
            changed = copy.deepcopy(tree)
            _put(changed, path, new)
            text = ast.unparse(ast.fix_missing_locations(changed))
            after = "(removed)" if isinstance(new, ast.Pass) else ast.unparse(new)
            change = f"{_line(node)} -> {' '.join(after.split())[:90]}"
            seen[change] += 1
            yield Mutant(
                module=module,
                line=getattr(node, "lineno", 0),
                change=change,
                source=text,
                nth=seen[change],
                within=_within(tree, path),
            )


def _within(tree: ast.AST, path: Path_) -> str:
    """Return the qualified name of the outermost function of whose body a way leads through."""
    names: list[str] = []
    for step, at in path:
        if isinstance(tree, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(tree.name)
            if not isinstance(tree, ast.ClassDef):
                return ".".join(names) if step == "body" else ""
        found = getattr(tree, step)
        tree = found if at is None else found[at]
    return ""


def _line(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_comment", "type_params"}


def _sites(tree: ast.AST, path: Path_ = ()) -> Iterator[tuple[Path_, ast.AST]]:
    """Yield what may be changed and the way to it; types, decorators and prose are left out."""
    for name, value in ast.iter_fields(tree):
        if name in SKIPPED_FIELDS:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.ImportFrom | ast.Import | ast.Raise):
                continue
            if isinstance(tree, ast.Assign) and _is_type(tree):
                continue
            here = (*path, (name, index))
            yield here, child
            yield from _sites(child, here)


TYPES = {"Check", "Denial", "K", "Open", "Propose"}


def _is_type(node: ast.Assign) -> bool:
    """Whether an assignment at the top names a type."""
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id in TYPES


def _put(tree: ast.AST, path: Path_, new: ast.AST) -> None:
    *way, (name, index) = path
    for step, at in way:
        found = getattr(tree, step)
        tree = found if at is None else found[at]
    if index is None:
        setattr(tree, name, new)
    else:
        getattr(tree, name)[index] = new


def _variants(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912, PLR0915 - one table of cases
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                for other in COMPARED[type(op)]:
                    changed = copy.deepcopy(node)
                    changed.ops[index] = other()
                    yield changed
        case ast.BoolOp(op=op, values=values):
            changed = copy.deepcopy(node)
            changed.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield changed
            for index in range(len(values)):
                rest = copy.deepcopy(values[:index] + values[index + 1 :])
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op=op, values=rest)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            yield copy.deepcopy(left)
            yield copy.deepcopy(right)
        case ast.BinOp(op=op) if type(op) in RECKONED:
            for other in RECKONED[type(op)]:
                changed = copy.deepcopy(node)
                changed.op = other()
                yield changed
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield copy.deepcopy(operand)
        case ast.IfExp(body=body, orelse=orelse):
            yield copy.deepcopy(body)
            yield copy.deepcopy(orelse)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if value and " " not in value:
            yield ast.Constant(f"{value}x")
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            changed = copy.deepcopy(node)
            changed.func = ast.Name(SWAPPED[name])
            yield changed
        case ast.Return(value=ast.AST() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Assign(value=value) if not _is_none(value) and not _is_type(node):
            changed = copy.deepcopy(node)
            changed.value = ast.Constant(None)
            yield changed
        case ast.Expr():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.AugAssign(op=op) if type(op) in RECKONED:
            changed = copy.deepcopy(node)
            changed.op = RECKONED[type(op)][0]()
            yield changed
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) if len(elements) > 3:  # noqa: PLR2004 - a table, not a pair
            for index in range(len(elements)):
                changed = copy.deepcopy(node)
                del changed.elts[index]
                yield changed


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


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
class Noticing:
    """Runs first what noticed most, and says through a pipe what fails first."""

    most: Counter[str]
    out: int

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the tests; among equals their order stays."""
        items.sort(key=lambda item: -self.most[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell the name of the first test that fails, and end with it."""
        if report.failed:
            os.write(self.out, report.nodeid.encode())
            os._exit(1)


@dataclass(slots=True)
class Exchanging:
    """Asks about changes within functions in forks of a run that has collected its tests."""

    mutants: Sequence[Mutant]
    most: Counter[str]
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
                noticing = Noticing(self.most, sink)
                noticing.pytest_collection_modifyitems(session.items)
                session.config.pluginmanager.register(noticing)
                return None
            if _is_failure(child, source, sink, self.most, longest=self.longest):
                os.write(self.out, f"{mutant.id}\n".encode())
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


def quickly(
    todo: Sequence[Mutant], tests: Sequence[str], most: Counter[str], *, longest: float
) -> Iterator[str]:
    """Yield the ids of changes within functions that are noticed without loading anything anew."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        _run(tests, Exchanging([m for m in todo if m.within], most, longest, sink))
    os.close(sink)
    with os.fdopen(source) as told:
        for line in told:
            yield line.strip()
    os.waitpid(child, 0)


def is_noticed(
    mutant: Mutant, tests: Sequence[str], most: Counter[str], *, longest: float = LONGEST
) -> bool:
    """Whether a test fails of a change, or never ends; the test is counted."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        sys.meta_path.insert(0, Replaced(mutant, _path(mutant.module)))
        _run(tests, Noticing(most, sink))
    return _is_failure(child, source, sink, most, longest=longest)


def _is_failure(child: int, source: int, sink: int, most: Counter[str], *, longest: float) -> bool:
    """Whether a process fails, or never ends; the test that it names is counted."""
    os.close(sink)
    until = time.monotonic() + longest
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        time.sleep(0.002)
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            done = os.waitpid(child, 0)
            break
    with os.fdopen(source, "rb") as told:
        name = told.read().decode()
    if name:
        most[name] += 1
    return done[1] != 0


def _run(tests: Sequence[str], plugin: object) -> NoReturn:
    """End this process with what the tests say."""
    code = 1
    try:
        os.environ["HYPOTHESIS_PROFILE"] = "brief"
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        known = [test for test in tests if (ROOT / test).exists()]
        code = int(pytest.main([*QUIETLY, *known], plugins=[plugin]))
    finally:
        os._exit(code)


def warm(module: str, tests: Iterable[str]) -> None:
    """Load what the tests of a module need and what does not depend on it."""
    files = [f for t in tests for f in ([ROOT / t] if t.endswith(".py") else (ROOT / t).glob("*"))]
    needs: dict[str, set[str]] = {}
    new = {name for file in files if file.suffix == ".py" for name in _imported(file)}
    while new:
        name = new.pop()
        needs[name] = _imported(_path(name))
        new |= needs[name] - needs.keys()
    changed = {module}
    while more := {name for name, found in needs.items() if found & changed} - changed:
        changed |= more
    for name in sorted(needs.keys() - changed):
        importlib.import_module(name)
    assert not changed & sys.modules.keys(), "what is loaded would stay unchanged"


def _imported(file: Path) -> set[str]:
    """Return the modules of ours that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in found if _path(name).exists()}


def _path(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def main(arguments: Sequence[str]) -> int:
    """Judge each module in a process of its own, whose forks find it not loaded yet."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in WARM:
        importlib.import_module(name)
    names = [a for a in arguments if not a.startswith("-")]
    for module, tests in TARGETS.items():
        if names and not any(module.endswith(f".{name}") for name in names):
            continue
        apart = multiprocessing.get_context("fork").Process(
            target=_judge, args=(module, tests), kwargs={"is_again": "--again" in arguments}
        )
        apart.start()
        apart.join()
        if apart.exitcode != 0:
            return 1
    return 0


def _judge(module: str, tests: Sequence[str], *, is_again: bool) -> None:
    """Print what was noticed of a module, and every change that was not."""
    warm(module, tests)
    gc.freeze()
    kept = KEPT / f"{module}.json"
    before: dict[str, bool] = {}
    if is_again:
        with contextlib.suppress(FileNotFoundError):
            before = json.loads(kept.read_text())
    results: dict[str, bool] = {}
    most: Counter[str] = Counter()
    source = _path(module).read_text()
    unchanged = Mutant(module=module, line=0, change="", source=source)
    began = time.monotonic()
    if is_noticed(unchanged, tests, most):
        raise SystemExit(f"{module}: {', '.join(most)} must pass before it is judged")
    longest = AT_LEAST + TIMES * (time.monotonic() - began)
    found = list({mutant.id: mutant for mutant in mutants(module, source)}.values())
    todo = [mutant for mutant in found if not before.get(mutant.id)]
    before |= dict.fromkeys(quickly(todo, tests, most, longest=longest), True)
    for mutant in found:
        results[mutant.id] = before.get(mutant.id, False) or is_noticed(
            mutant, tests, most, longest=longest
        )
        if not results[mutant.id]:
            print(f"  {module}:{mutant.line}: {mutant.change}", flush=True)
        kept.write_text(json.dumps(before | results))
    noticed = sum(results.values())
    print(
        f"{module}: {noticed} of {len(results)} noticed, {time.monotonic() - began:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
