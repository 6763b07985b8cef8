"""Half an hour under fire: the real daemon, something goes wrong every ten seconds, and nothing may grow.

``python tests/faults/soak.py [MINUTES [SEED]]``. Files are dropped and edited all the time. Memory and file
descriptors of the daemon are read from the kernel, tasks from its metrics; the peak of each quarter is printed, and
the last one must not lie above the second. In the end the receiver's own log is the judge.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.e2e.installation import Site, eventually, sandbox  # noqa: E402 - a program: its folder comes first

EVERY = 10.0
"""Seconds between two faults."""
KEYS = 3_000
ROWS = 40
GROWTH = 1.05
HEADER = "order_no,company,email,type,ordered_at,note,total,status"
OPTIONS = "rate_limit: 300/s\n  concurrency: 16\n  timeout: 3s"
AFTER = ", after: delete"  # a folder that fills up would make the cursor grow
ANSWERS: tuple[Mapping[str, Any], ...] = (
    *({"kind": kind} for kind in ("reset_before", "reset_inside", "reset_after", "truncated", "html200", "empty200")),
    *({"kind": kind} for kind in ("bad_json", "bad_gzip", "gzip_bomb", "endless", "huge", "drip", "hang")),
    *({"kind": "status", "status": status} for status in (408, 422, 429, 500, 502, 503, 504)),
    {"kind": "status", "status": 504, "applied": True},
    {"kind": "late", "seconds": 5},
    {"kind": "delay", "seconds": 2},
)


class Soak:
    """One run. What the drop folder was given is what the receiver must hold in the end."""

    def __init__(self, site: Site, metrics: str, seed: int) -> None:
        self._site = site
        self._metrics = metrics
        self._chance = random.Random(seed)
        self._wanted: dict[str, int] = {}
        self._files = 0
        self._samples: list[tuple[float, float, float]] = []
        self.faults: Counter[str] = Counter()
        self._daemon: subprocess.Popen[str]

    def run(self, seconds: float) -> None:
        self._daemon = self._site.running()
        end, strike = time.monotonic() + seconds, time.monotonic() + EVERY
        while time.monotonic() < end:
            self._drop()
            self._sample()
            if time.monotonic() >= strike:
                self._strike()
                strike += EVERY
            time.sleep(1)
            assert self._daemon.poll() is None, self._site.said()[-2000:]
        self._site.sandbox.clear_faults()

    def _drop(self) -> None:
        lines = [HEADER]
        for number in self._chance.sample(range(KEYS), ROWS):
            key = f"order-{number}"
            self._wanted[key] = self._wanted.get(key, 0) + 1
            lines.append(f"{number},Company {number % 7},c@example.com,Order,2026-03-04 10:00:00,"
                         f"{self._wanted[key]},9.90,open")  # fmt: skip
        self._files += 1
        self._site.put(f"{self._files:06}.csv", "\n".join(lines) + "\n")

    def _strike(self) -> None:
        blows: list[Callable[[], None]] = [self._answer] * 4 + [self._token, self._freeze, self._reload, self._garbage]
        blow = self._chance.choice(blows)
        self.faults[blow.__name__.strip("_")] += 1
        blow()

    def _answer(self) -> None:
        """A quarter of the requests meets one of two faults until the next blow."""
        self._site.sandbox.clear_faults()
        two = self._chance.sample(ANSWERS, 2)
        self._site.sandbox.fault(
            *({**each, "probability": 0.12, "seed": self._chance.randrange(2**32)} for each in two)
        )

    def _token(self) -> None:
        self._site.sandbox.revoke_tokens()

    def _freeze(self) -> None:
        """The daemon gets no time for some seconds, as on a machine that is suspended or swaps."""
        self._daemon.send_signal(signal.SIGSTOP)
        time.sleep(self._chance.uniform(1, 4))
        self._daemon.send_signal(signal.SIGCONT)

    def _reload(self) -> None:
        """A changed configuration: another sender with as many connections, or the source anew."""
        seconds = self._chance.randint(3, 5)
        source = self._site.source("orders", self._site.drop, every=f"{self._chance.randint(1, 3)}s", files=AFTER)
        self._site.write(options=OPTIONS.replace("timeout: 3s", f"timeout: {seconds}s"), sources=source)
        self._site.run("reload", check=None)

    def _garbage(self) -> None:
        """A file that is none."""
        self._files += 1
        self._site.put(f"{self._files:06}.csv", "".join(map(chr, self._chance.choices(range(32, 1000), k=20_000))))

    def _sample(self) -> None:
        folder = Path(f"/proc/{self._daemon.pid}")
        pages = int((folder / "statm").read_text().split()[1])
        with urllib.request.urlopen(f"http://{self._metrics}/metrics", timeout=10) as answer:
            found = re.search(r"^cgsync_tasks (\S+)", answer.read().decode(), re.MULTILINE)
        assert found is not None, "the metrics tell no tasks"
        sizes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list((folder / "fd").iterdir())), float(found[1])
        self._samples.append(sizes)

    def judge(self) -> list[str]:
        """Everything arrives, and stands as it was last dropped; what is wrong with that, in words."""
        eventually(self._is_done, within=900)
        log = self._site.sandbox.log()
        last: dict[str, int] = {}
        found = []
        for entry in log:
            if entry["applied"]:
                version = int(_note(entry["body"]))
                if version < last.get(entry["reference"], 0):
                    found.append(f"{entry['reference']}: {version} was applied after {last[entry['reference']]}")
                last[entry["reference"]] = version
        found += [] if last == self._wanted else ["not everything that was dropped is there as it was last"]
        found += [] if self._site.json("audit")["ok"] else ["the books do not balance"]
        print(f"soak: {sum(self.faults.values())} blows {dict(self.faults)}, {len(log):,} requests, "
              f"{sum(entry['applied'] for entry in log):,} applied, {len(found)} findings")  # fmt: skip
        return found + self._grown()

    def _is_done(self) -> bool:
        self._site.run("rejects", "retry", "--all", check=None)
        self._site.run("outbox", "release", "--source", "orders", check=None)  # a stalled machine makes a run surge
        status = self._site.json("status")
        time.sleep(2)
        return not any(status["outbox"].get(state, 0) for state in ("pending", "refused", "held"))

    def _grown(self) -> list[str]:
        """Each quarter's peak: what lies higher in the last than in the second grows."""
        quarter = max(1, len(self._samples) // 4)
        grown = []
        for place, name in enumerate(("MiB of memory", "file descriptors", "tasks")):
            peaks = [
                max(sample[place] for sample in self._samples[start : start + quarter])
                for start in range(0, quarter * 4, quarter)
            ]
            print(f"soak: {name} at most, by quarter: {', '.join(f'{peak:.1f}' for peak in peaks)}")
            if peaks[3] > peaks[1] * GROWTH + 1:
                grown.append(f"{name} grew from {peaks[1]:.1f} to {peaks[3]:.1f}")
        return grown


def _note(body: Any) -> str:
    content = json.loads(body) if isinstance(body, str) else body
    return str(content["additional_information_object"]["note"])


def main(minutes: float, seed: int) -> int:
    print(f"soak: {minutes:g} minutes, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, sandbox() as receiver:
        port = random.Random(os.getpid()).randint(20_000, 30_000)
        web = f"127.0.0.1:{port}"
        site = Site(Path(folder), receiver, options=OPTIONS, top=f"web: {{ listen: '{web}' }}\n")
        site.write(sources=site.source("orders", site.drop, files=AFTER))
        try:
            soak = Soak(site, web, seed)
            soak.run(minutes * 60)
            found = soak.judge()
        finally:
            site.close()
    print(*(f"soak: FOUND {each}" for each in found), sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    minutes, seed = [*sys.argv[1:3], "30", "1"][:2] if len(sys.argv) != 2 else [sys.argv[1], "1"]
    sys.exit(main(float(minutes), int(seed)))
