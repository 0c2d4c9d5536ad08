"""What do the tests not notice?

``python -m bench.mutants`` asks for every module, ``python -m bench.mutants review`` for those
whose name ends so; ``--again`` asks only for those changes that nobody noticed before.
"""

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence

from bench.mutants.changes import mutants
from bench.mutants.loading import ROOT, WARM, path_of, warm
from bench.mutants.noticing import TIME, is_noticed, quickly, timed
from bench.mutants.targets import TARGETS

KEPT = ROOT / ".cache" / "mutants"
AT_LEAST, TIMES = 5.0, 5.0
"""A change that makes the tests run longer than so many seconds and so many times is noticed."""


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
    if moved := [test for test in tests if not (ROOT / test).exists()]:
        raise SystemExit(f"{module}: no tests at {', '.join(moved)}, as the targets say")
    warm(module, tests)
    gc.freeze()
    kept = KEPT / f"{module}.json"
    before: dict[str, bool] = {}
    if is_again:
        with contextlib.suppress(FileNotFoundError):
            before = json.loads(kept.read_text())
    results: dict[str, bool] = {}
    source = path_of(module).read_text()
    began = time.monotonic()
    known = timed(tests)
    if known is None:
        raise SystemExit(f"{module}: its tests must pass before it is judged")
    longest = AT_LEAST + TIMES * (time.monotonic() - began)
    found = list({mutant.id: mutant for mutant in mutants(module, source)}.values())
    todo = [mutant for mutant in found if not before.get(mutant.id)]
    before |= dict.fromkeys(quickly(todo, tests, known, longest=longest), True)
    for mutant in found:
        results[mutant.id] = before.get(mutant.id, False) or is_noticed(
            mutant, tests, known, longest=longest
        )
        if not results[mutant.id]:
            print(f"  {module}:{mutant.line}: {mutant.change}", flush=True)
        kept.write_text(json.dumps(before | results))
    noticed = sum(results.values())
    print(
        f"{module}: {noticed} of {len(results)} noticed, {known.noticed[TIME]} of them by time, "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
