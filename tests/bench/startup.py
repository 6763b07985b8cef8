"""What it costs to start: ``cgsync --help`` and ``cgsync check`` on the example, in CPU time."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from measure import run, spread  # noqa: E402 - a program, not a package: its folder comes first

RUNS = 11


def main() -> None:
    example = HERE.parent.parent / "config.example.yaml"
    for name, wanted, command in (
        ("python -c pass", None, [sys.executable, "-c", "pass"]),
        ("cgsync --help", 0.15, [sys.executable, "-m", "cgsync", "--help"]),
        ("cgsync check", 0.40, [sys.executable, "-m", "cgsync", "-c", str(example), "check"]),
    ):
        costs = [run(command, allowed=(0, 78)) for _ in range(RUNS)]
        print(f"{name}: CPU {spread(costs, 'cpu')} s" + (f" (wanted ≤ {wanted:.2f})" if wanted else ""))


if __name__ == "__main__":
    main()
