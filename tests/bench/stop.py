"""How long an idle daemon takes from SIGTERM to its end, in milliseconds (wanted ≤ 500)."""

from __future__ import annotations

import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.e2e.installation import eventually, orders, site  # noqa: E402 - a program: its folder comes first

RUNS = 10


def main() -> None:
    took = []
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as made:
        made.put("a.csv", orders(10))
        for _ in range(RUNS):
            daemon = made.running()
            eventually(lambda: made.json("status")["sources"][0]["condition"] == "idle")
            started = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(10) == 0
            took.append((time.monotonic() - started) * 1000)
    print(f"SIGTERM to exit: {statistics.median(took):.0f} ms ({min(took):.0f} to {max(took):.0f}) (wanted ≤ 500)")


if __name__ == "__main__":
    main()
