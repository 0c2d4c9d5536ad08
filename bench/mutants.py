"""Would the tests notice if the code that moves money were a little wrong?

One small change at a time in the modules below, and the tests that must fail of it, each in a
process of its own. ``python -m bench.mutants`` asks for every module, ``python -m bench.mutants
review`` for those whose name ends so; ``--again`` asks only for those that nobody noticed before.
"""

import ast
import contextlib
import copy
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import hypothesis
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".cache" / "mutants"
LONGEST = 90.0
"""A change that makes the tests run longer than this is noticed. [s]"""

QUIETLY = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The warning is about what was loaded before the forks."""

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
    "tests/unit/test_loop.py",
)
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
    "bot.execute.denial": GUARD,
    "bot.execute.arithmetic": GUARD,
    "bot.execute.resolve": INTENTS,
    "bot.domain.intent": INTENTS,
    "bot.rebalance.review": REVIEW,
    "bot.rebalance.review_stops": REVIEW,
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
    """

    module: str
    line: int
    change: str
    source: str
    nth: int = 0

    @property
    def id(self) -> str:
        """The same change keeps its name when the code around it changes."""
        told = f"{self.module} {self.change} {self.nth}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]


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
            )


def _line(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


Path_ = tuple[tuple[str, int | None], ...]
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


def _is_type(node: ast.Assign) -> bool:
    """Whether an assignment at the top names a type."""
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id in {"Check", "Denial"}


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


def is_noticed(mutant: Mutant, tests: Sequence[str]) -> bool:
    """Whether a test fails of a change, or never ends."""
    child = os.fork()
    if child == 0:
        _run_child(mutant, tests)
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run_child(mutant: Mutant, tests: Sequence[str]) -> None:
    code = 1
    try:
        os.environ["HYPOTHESIS_PROFILE"] = "brief"
        sys.path.insert(0, str(ROOT))
        sys.meta_path.insert(0, Replaced(mutant, _path(mutant.module)))
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        known = [test for test in tests if (ROOT / test).exists()]
        code = int(pytest.main([*QUIETLY, *known]))
    finally:
        os._exit(code)


def _path(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def main(arguments: Sequence[str]) -> int:
    """Print what was noticed of each module, and every change that was not."""
    assert hypothesis, np  # loaded before the forks: each of them would pay for it
    os.chdir(ROOT)
    KEPT.mkdir(parents=True, exist_ok=True)
    names = [a for a in arguments if not a.startswith("-")]
    for module, tests in TARGETS.items():
        if names and not any(module.endswith(f".{name}") for name in names):
            continue
        kept = KEPT / f"{module}.json"
        before: dict[str, bool] = {}
        if "--again" in arguments:
            with contextlib.suppress(FileNotFoundError):
                before = json.loads(kept.read_text())
        results: dict[str, bool] = {}
        source = _path(module).read_text()
        unchanged = Mutant(module=module, line=0, change="", source=source)
        if is_noticed(unchanged, tests):
            raise SystemExit(f"the tests of {module} must pass before they are judged")
        began = time.monotonic()
        for mutant in mutants(module, source):
            if mutant.id in results:
                continue
            results[mutant.id] = before.get(mutant.id, False) or is_noticed(mutant, tests)
            if not results[mutant.id]:
                print(f"  {module}:{mutant.line}: {mutant.change}", flush=True)
            kept.write_text(json.dumps(before | results))
        noticed = sum(results.values())
        print(
            f"{module}: {noticed} of {len(results)} noticed, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
