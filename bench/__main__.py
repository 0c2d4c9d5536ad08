"""``python -m bench [NAME ...]``: print every figure as a table and as JSON."""

import importlib
import json
import sys
from typing import Any

NAMES = (
    "deciding", "starting", "restarting", "breach", "polling", "journal", "market", "passage",
    "volatility", "scenarios", "joint", "allocation", "ticking", "margin", "parsing",
)  # fmt: skip
"""``crashes`` takes half an hour, ``score`` reads recorded files: both run only when named."""


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all of them."""
    found: dict[str, Any] = {}
    for name in names or NAMES:
        found[name] = importlib.import_module(f"bench.{name}").run()
        show(name, found[name])
    print(json.dumps(found))


def show(name: str, result: dict[str, Any]) -> None:
    """Print one result as a table."""
    print(f"\n{name}: {result['what']}  (aim {result['aim']})")
    for row, values in result["rows"].items():
        cells = "  ".join(
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in values.items()
        )
        print(f"  {row:<36} {cells}")


if __name__ == "__main__":
    main(sys.argv[1:])
