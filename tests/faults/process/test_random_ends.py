"""The daemon under load is killed, or told to end, at any instant."""

from __future__ import annotations

import itertools
import random
import signal
from pathlib import Path

import pytest

from tests.faults.process.ground import ground
from tests.faults.process.load import Load
from tests.faults.verdict import Verdict, count

KILLS = count(tests=30, faults=1_000)
STOPS = count(tests=20, faults=300)
LATEST = 0.6
"""Seconds after its start: by then all of an export is delivered."""


async def campaign(folder: Path, verdict: Verdict, number: signal.Signals, times: int, seed: int) -> None:
    chance = random.Random(seed)
    async with ground(folder, itertools.count(1)) as each:
        load, mark = Load(each, seed), each.receiver.store.counters["applied"]
        while verdict.runs < times:
            load.drop()
            after = chance.uniform(0, LATEST)
            order = each.order("run", signal=number, after=after)
            status = (await each.nursery.ask(**order))["status"]
            log = each.folder / "state" / "ledger.sqlite3-wal"
            if status == -signal.SIGTERM and not log.exists():
                continue  # it came before the daemon caught signals, which is before it opens anything
            verdict.runs += 1
            if status != (0 if number is signal.SIGTERM else -signal.SIGKILL):
                verdict.findings.append(f"seed {seed}, run {verdict.runs} after {after:.3f} s: ended with {status}")
        ended = await each.nursery.ask(**each.order("play"))
        said = each.output.read_text()
        verdict.findings += [f"seed {seed}: {finding}" for finding in load.judge()]
        if ended["status"] or "Traceback" in said:
            verdict.findings.append(f"seed {seed}: the last run ended with {ended['status']}: {said[-2000:]}")
        verdict.applied += each.receiver.store.counters["applied"] - mark


@pytest.mark.timeout(3600)
async def test_a_kill_at_any_instant_under_load_loses_and_overtakes_nothing(tmp_path: Path) -> None:
    verdict = Verdict(name="kill -9 under load")
    await campaign(tmp_path / "site", verdict, signal.SIGKILL, KILLS, seed=1)
    verdict.pronounce()


@pytest.mark.timeout(3600)
async def test_sigterm_at_any_instant_ends_it_well(tmp_path: Path) -> None:
    verdict = Verdict(name="SIGTERM under load")
    await campaign(tmp_path / "site", verdict, signal.SIGTERM, STOPS, seed=2)
    verdict.pronounce()
