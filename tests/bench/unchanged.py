"""Reading again what was delivered: records a second that cost no PUT (wanted ≥ 20,000/s, the start included)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from measure import run  # noqa: E402 - a program: its folders come first

from tests.e2e.installation import orders, site  # noqa: E402 - the same

ROWS = 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as made:
        made.put("a.csv", orders(ROWS))
        made.run("run", "--once")
        before = made.sandbox.stats["puts"]
        made.run("checkpoint", "reset", "orders")
        cost = run([sys.executable, "-m", "cgsync", "-c", str(made.config), "run", "--once"])
        assert made.sandbox.stats["puts"] == before
    print(f"unchanged: {ROWS / cost.wall:,.0f}/s (wanted ≥ 20,000), {cost.cpu / ROWS * 1e6:.0f} µs CPU each")


if __name__ == "__main__":
    main()
