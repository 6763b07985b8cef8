"""A declared rate limit as the receiver sees it: the most in any 10 seconds, and how much of the limit was used."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.e2e.installation import orders, site  # noqa: E402 - a program: its folder comes first

LIMIT, SECONDS, WINDOW = 50, 40, 10.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, site(Path(folder), options=f"rate_limit: {LIMIT}/s") as made:
        made.put("a.csv", orders(LIMIT * SECONDS))
        made.run("run", "--once")
        times = [entry["at"] for entry in made.sandbox.log()]
    most = max(sum(start <= time < start + WINDOW for time in times) for start in times)
    used = (len(times) - 1) / (times[-1] - times[0]) / LIMIT
    print(f"{LIMIT}/s: at most {most} in any {WINDOW:.0f} s (allowed {LIMIT * WINDOW:.0f}), "
          f"{used:.1%} used (wanted ≥ 99 %)")  # fmt: skip


if __name__ == "__main__":
    main()
