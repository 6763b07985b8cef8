"""Peak memory of the daemon's process while it reads a CSV of one gigabyte (``--mib 1024``)."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from measure import run  # noqa: E402 - a program, not a package: its folder comes first
from whole_path import CONFIG  # noqa: E402 - the same

CHUNK = 10_000


def export(path: Path, size: int) -> int:
    """Rows of about a kilobyte until the file has that size; returns how many."""
    rows = 0
    with path.open("w") as out:
        out.write("order_no,company,email,ordered_at,note,total,status\n")
        while out.tell() < size:
            numbers = range(rows, rows + CHUNK)
            out.writelines(
                f"{n},Company {n % 7},c@example.com,2026-03-04 10:00:00,{'x' * 950},9.90,open\n" for n in numbers
            )
            rows += CHUNK
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "cgsync.yaml"
        # filtered, so that only reading and mapping are measured: nothing has to be delivered
        text = CONFIG.format(port=9, folder=folder, workers=8).replace(
            "    as: order\n", "    as: order\n    when: '{{ false }}'\n"
        )
        config.write_text(text)
        config.chmod(0o600)
        rows = export(folder / "orders.csv", wanted.mib * 2**20)
        cost = run([sys.executable, "-m", "cgsync", "-c", str(config), "run", "--once"])
        print(f"{rows:,} rows, {wanted.mib} MiB: peak {cost.peak / 2**20:.0f} MiB (wanted ≤ 150), "
              f"{rows / cost.wall:,.0f} rows/s, {cost.cpu / rows * 1e6:.0f} µs CPU a row")  # fmt: skip


if __name__ == "__main__":
    main()
