"""Nothing in the bot may differ from run to run unless its seed does: banned outside adapters."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "bot"
ADAPTERS = {
    "clock.py": "the machine's clock behind the Clock port",
    "session.py": "a person watches it; the summary shows how long it took",
    "views.py": "ages shown to people",
    "cli/live.py": "the health check compares with the machine's clock",
    "bootstrap/disk.py": "a disk that hangs must not hold up the loop",
    "bootstrap/sinks.py": "the heartbeat is for the machine's health check",
    "journal/writer.py": "the thread that waits for the disk",
    "journal/database.py": "when a journal was made",
    "journal/emergency.py": "a disk that hangs holds up the caller, not the loop",
    "journal/ids.py": "the random name of a new journal",
    "journal/lease.py": "a machine that cannot be told from others is another one each time",
    "journal/reserve.py": "when a reserve was made",
    "operate/logs.py": "a queue and a thread before a pipe",
    "operate/mqtt.py": "spreads reconnections",
    "operate/switches.py": "when a person switched",
    "operate/latch.py": "a lock around two threads",
    "operate/watch.py": "the thread that looks at switches and loop",
    "paper/pace.py": "market time that follows the machine's",
    "paper/tls.py": "certificates expire",
    "paper/market.py": "seeded noise",
    "paper/bars.py": "seeded noise",
    "paper/faults.py": "seeded faults",
    "simulate/many.py": "how long a run took",
    "simulate/loop.py": "seeded order",
    "simulate/breach.py": "seeded paths",
    "simulate/case.py": "seeded worlds",
    "simulate/world.py": "seeded worlds",
    "simulate/weather.py": "seeded weather",
    "simulate/network.py": "seeded distortions",
    "simulate/process.py": "seeded crashes",
}
"""Files that may use what is banned elsewhere, and what for."""
MODULES = {"time", "random", "secrets", "threading", "uuid", "multiprocessing"}
CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "os.urandom",
    "asyncio.to_thread", "loop.run_in_executor", "hash",
}  # fmt: skip


def banned(tree: ast.AST) -> list[str]:
    """Return the banned names a module uses, with their lines."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [f"{node.lineno} {n.name}" for n in names if n.name in MODULES]
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MODULES:
                found.append(f"{node.lineno} {module}")
            case ast.Call(func=func) if ast.unparse(func) in CALLS:
                found.append(f"{node.lineno} {ast.unparse(func)}")
            case ast.For(iter=over) | ast.comprehension(iter=over) if is_set(over):
                found.append(f"{over.lineno} iterates over a set")
            case ast.Call(func=ast.Name(id="list" | "tuple" | "iter"), args=[over]) if is_set(over):
                found.append(f"{over.lineno} iterates over a set")
    return found


def is_set(node: ast.expr) -> bool:
    """Whether an expression is a set, as far as its form tells."""
    match node:
        case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.BinOp(left=left, op=ast.Sub() | ast.BitOr() | ast.BitAnd() | ast.BitXor()):
            # What is taken from the keys of a mapping is a set, the keys alone are in order.
            is_keys = isinstance(left, ast.Call) and ast.unparse(left.func).endswith(".keys")
            return is_keys or is_set(left)
    return False


MODULE_FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("file", MODULE_FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_no_module_uses_a_clock_a_thread_or_chance_of_its_own(file: Path) -> None:
    name = str(file.relative_to(ROOT))
    found = banned(ast.parse(file.read_text()))
    if name not in ADAPTERS:
        assert found == []


def test_the_list_of_exceptions_names_only_files_that_need_it() -> None:
    for name in ADAPTERS:
        file = ROOT / name
        assert not file.exists() or banned(ast.parse(file.read_text())), name


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from random import choice",
        "x = datetime.now(UTC)",
        "for a in {1, 2}: pass",
        "for a in {b.key for b in c}: pass",
        "[a for a in set(b)]",
        "for a in b.keys() - c: pass",
        "tuple({b.key for b in c})",
    ],
)
def test_the_checker_sees_what_it_is_for(text: str) -> None:
    assert banned(ast.parse(text))
