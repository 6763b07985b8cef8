"""Reading 10,000 records over 100 pages: the rest source against dlt's rest_api, on one server in interleaved runs.

``python tests/bench/rest_source.py [--runs 4] [--dlt PYTHON]``; without a Python that has dlt, one is made and removed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from measure import Cost, median, run, spread  # noqa: E402 - a program: its folders come first
from ticket_pages import PAGES, SIZE  # noqa: E402 - the same

RECORDS = PAGES * SIZE
DLT = "dlt==1.31.0"
READ_BY_DLT = """
import json, sys, time
from dlt.sources.rest_api import rest_api_source
page = {"type": "page_number", "base_page": 1, "total_path": "pages"}
endpoint = {"path": "tickets", "paginator": page, "data_selector": "tickets"}
incremental = {"cursor_path": "updated_at", "initial_value": "2024-01-01T00:00:00Z"}
resource = {"name": "tickets", "primary_key": "id", "endpoint": {**endpoint, "incremental": incremental}}
source = rest_api_source({"client": {"base_url": sys.argv[1]}, "resources": [resource]})
wall, cpu = time.monotonic(), time.process_time()
records = sum(1 for _ in source)
print(json.dumps([records, time.monotonic() - wall, time.process_time() - cpu]))
"""
CONFIG = """
customergauge: {{ url: "{url}/activities", token_url: "{url}/token", client_id: bench, client_secret: bench }}
state_dir: {folder}/state
sources:
  desk:
    every: 1m
    rest:
      url: {url}/tickets
      records: "$.tickets[*]"
      key: id
      paginate: {{ page: {{ total_path: "$.pages" }} }}
      incremental: {{ field: updated_at, order: asc }}
      rate_limit: {{ rate: 100000/s }}
    as: ticket
    activity:
      account: "{{{{ ticket.company }}}}"
      contact: "{{{{ ticket.requester.email }}}}"
      type: Ticket
      source: Desk
      happened_at: "{{{{ ticket.created_at }}}}"
      additional_information_object:
        subject: "{{{{ ticket.subject }}}}"
        status: "{{{{ ticket.status.name }}}}"
"""


def reading(command: list[str]) -> Cost:
    """Of the reading alone: a program that prints records, wall and CPU seconds."""
    records, wall, cpu = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert records == RECORDS, f"{records} records"
    return Cost(wall=wall, cpu=cpu, peak=0)


def dry(url: str) -> Cost:
    """The whole command, its start included: read, mapped, checked, and nothing stored."""
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "cgsync.yaml"
        config.write_text(CONFIG.format(url=url, folder=name))
        config.chmod(0o600)
        return run([sys.executable, "-m", "cgsync", "-c", str(config), "run", "--once", "--dry-run"])


@contextmanager
def served() -> Iterator[str]:
    command = [sys.executable, str(ROOT / "tests" / "bench" / "ticket_pages.py")]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.communicate()


@contextmanager
def python_with_dlt(known: str | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        python = known or f"{folder}/bin/python"
        if not known:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", DLT], check=True, stdout=subprocess.DEVNULL)
        yield python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--dlt", metavar="PYTHON")
    wanted = parser.parse_args()
    sides: dict[str, list[Cost]] = {"rest source": [], "dlt rest_api": [], "cgsync run --once --dry-run": []}
    with python_with_dlt(wanted.dlt) as python, served() as url:
        for _ in range(wanted.runs):
            reader = [sys.executable, str(ROOT / "tests" / "bench" / "ticket_reader.py"), url]
            sides["rest source"].append(reading(reader))
            sides["dlt rest_api"].append(reading([python, "-c", READ_BY_DLT, url]))
            sides["cgsync run --once --dry-run"].append(dry(url))
    report(sides)


def report(sides: dict[str, list[Cost]]) -> None:
    for name, costs in sides.items():
        wall, cpu = median(costs, "wall"), median(costs, "cpu")
        print(f"{name}: {PAGES / wall:,.0f} requests/s, {RECORDS / wall:,.0f} records/s, "
              f"{cpu / RECORDS * 1e6:.0f} µs CPU each, wall {spread(costs, 'wall')} s")  # fmt: skip
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
