"""The whole path, durability on, against the bare aiohttp loop, on one receiver in interleaved runs.

``python tests/bench/whole_path.py [--rows 20000] [--runs 4] [--workers 32]``
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from measure import Cost, median, run, spread  # noqa: E402 - a program, not a package: its folder comes first

CONFIG = """
customergauge:
  url: http://127.0.0.1:{port}/activities
  token_url: http://127.0.0.1:{port}/oauth2/token
  client_id: bench
  client_secret: bench
  rate_limit: 100000/s
  concurrency: {workers}
state_dir: {folder}/state
sources:
  orders:
    every: 1m
    files: {{ path: "{folder}", include: "*.csv", key: order_no, readiness: {{ rename: true }} }}
    as: order
    activity:
      reference: "order-{{{{ order.order_no }}}}"
      account: "{{{{ order.company }}}}"
      contact: "{{{{ order.email }}}}"
      type: Order
      source: Shop export
      happened_at: "{{{{ order.ordered_at }}}}"
      additional_information_object:
        note: "{{{{ order.note }}}}"
        total: "{{{{ order.total }}}}"
        status: "{{{{ order.status }}}}"
"""


def export(path: Path, rows: int) -> None:
    with path.open("w") as out:
        out.write("order_no,company,email,ordered_at,note,total,status\n")
        for n in range(rows):
            out.write(f"{n},Company {n % 7},c{n % 50}@example.com,2026-03-04 10:00:00,{'fine' * 20},9.90,open\n")


def whole(port: int, rows: int, workers: int) -> Cost:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "cgsync.yaml"
        config.write_text(CONFIG.format(port=port, folder=folder, workers=workers))
        config.chmod(0o600)
        export(folder / "orders.csv", rows)
        return run([sys.executable, "-m", "cgsync", "-c", str(config), "run", "--once"])


def bare(port: int, rows: int, workers: int) -> Cost:
    return run([sys.executable, str(HERE / "bare.py"), f"http://127.0.0.1:{port}/activities", str(rows), str(workers)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("--rows", 20_000), ("--runs", 4), ("--workers", 32)):
        parser.add_argument(name, type=int, default=value)
    wanted = parser.parse_args()
    command = [sys.executable, str(HERE / "receiver.py")]
    receiver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert receiver.stdout is not None
    port = int(receiver.stdout.readline())
    sides: dict[str, list[Cost]] = {"bare aiohttp loop": [], "cgsync run --once": []}
    for _ in range(wanted.runs):
        sides["bare aiohttp loop"].append(bare(port, wanted.rows, wanted.workers))
        sides["cgsync run --once"].append(whole(port, wanted.rows, wanted.workers))
    receiver.communicate()
    report(sides, wanted.rows)


def report(sides: dict[str, list[Cost]], rows: int) -> None:
    for name, costs in sides.items():
        rate, each = rows / median(costs, "wall"), median(costs, "cpu") / rows * 1e6
        print(f"{name}: {rate:,.0f}/s, {each:.0f} µs CPU each, wall {spread(costs, 'wall')} s, "
              f"peak {median(costs, 'peak') / 2**20:.0f} MiB")  # fmt: skip
    naked, ours = sides.values()
    print(f"throughput ratio {median(naked, 'wall') / median(ours, 'wall'):.2f} (wanted ≥ 0.65), "
          f"CPU ratio {median(ours, 'cpu') / median(naked, 'cpu'):.2f} (wanted ≤ 1.6)")  # fmt: skip


if __name__ == "__main__":
    main()
