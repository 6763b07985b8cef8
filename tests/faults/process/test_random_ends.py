"""The daemon under load is killed, or told to end, at any instant."""

from __future__ import annotations

import itertools
import random
import signal
from pathlib import Path

import pytest

from tests.faults.process.ground import Ground, ground
from tests.faults.process.load import Load
from tests.faults.verdict import Verdict, count

pytestmark = pytest.mark.alone

KILLS = count(tests=30, faults=1_000)
STOPS = count(tests=20, faults=300)
WHOLE = 10
"""After so many, one run comes to its end: on a slow machine most are struck before they have sent anything."""


async def campaign(folder: Path, verdict: Verdict, number: signal.Signals, times: int, seed: int) -> None:
    chance = random.Random(seed)
    async with ground(folder, itertools.count(1)) as each:
        load, mark = Load(each, seed), each.receiver.store.counters["applied"]
        latest = await undisturbed(each, load, verdict)
        while verdict.runs < times:
            if verdict.runs % WHOLE == WHOLE - 1:
                latest = await undisturbed(each, load, verdict)
            load.drop()
            after = chance.uniform(0, latest)
            order, opened = each.order("run", signal=number, after=after), last_opened(each)
            status = (await each.nursery.ask(**order))["status"]
            if status == -signal.SIGTERM and last_opened(each) == opened:
                continue  # it came before the daemon caught signals, which is before it opens anything
            verdict.runs += 1
            if status != (0 if number is signal.SIGTERM else -signal.SIGKILL):
                verdict.findings.append(f"seed {seed}, run {verdict.runs} after {after:.3f} s: ended with {status}")
        await undisturbed(each, load, verdict)
        if "Traceback" in (said := each.output.read_text()):
            verdict.findings.append(f"seed {seed}: {said[-2000:]}")
        verdict.applied += each.receiver.store.counters["applied"] - mark


def last_opened(each: Ground) -> int:
    """When a process last took the lock of the ledger, in nanoseconds."""
    return (each.folder / "state" / "lock").stat().st_mtime_ns


async def undisturbed(each: Ground, load: Load, verdict: Verdict) -> float:
    """A run that comes to its end, and how many seconds that took: as long as any other can be struck for."""
    load.drop()
    ended = await each.nursery.ask(**each.order("play"))
    if ended["status"]:
        said = each.output.read_text()[-2000:]
        verdict.findings.append(f"after run {verdict.runs} an undisturbed one ended with {ended['status']}: {said}")
    verdict.findings += [f"after run {verdict.runs}: {finding}" for finding in load.judge()]
    return float(ended["seconds"])


@pytest.mark.timeout(6 * 3600)
async def test_a_kill_at_any_instant_under_load_loses_and_overtakes_nothing(tmp_path: Path) -> None:
    verdict = Verdict(name="kill -9 under load")
    await campaign(tmp_path / "site", verdict, signal.SIGKILL, KILLS, seed=1)
    verdict.pronounce()


@pytest.mark.timeout(6 * 3600)
async def test_sigterm_at_any_instant_ends_it_well(tmp_path: Path) -> None:
    verdict = Verdict(name="SIGTERM under load")
    await campaign(tmp_path / "site", verdict, signal.SIGTERM, STOPS, seed=2)
    verdict.pronounce()
