"""What may be loaded before the forks, so that none of them pays for it?"""

import ast
import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
WARM = ("hypothesis", "_hypothesis_pytestplugin", "numpy", "pytest_asyncio")
"""No part of the project: what every module's tests need."""


def warm(module: str, tests: Iterable[str]) -> None:
    """Load what the tests of a module need and what does not depend on it."""
    files = [f for t in tests for f in ([ROOT / t] if t.endswith(".py") else (ROOT / t).glob("*"))]
    needs: dict[str, set[str]] = {}
    new = {name for file in files if file.suffix == ".py" for name in _imported(file)}
    while new:
        name = new.pop()
        needs[name] = _imported(path_of(name))
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
    return {name for name in found if path_of(name).exists()}


def path_of(module: str) -> Path:
    """Return the file of a module of ours."""
    return ROOT / (module.replace(".", "/") + ".py")
