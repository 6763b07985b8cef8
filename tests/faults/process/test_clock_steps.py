"""The wall clock is stepped by years at each look, and the machine suspended, while the script is played."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.process.ground import Ground, ground
from tests.faults.verdict import Verdict, count

pytestmark = pytest.mark.alone

RUNS = count(tests=100, faults=1_000)
LANES = 4


async def attempt(each: Ground, run: int, verdict: Verdict) -> None:
    each.lay_out()
    each.receiver.faults.clear()  # a suspend ends the time in which the receiver may execute what was abandoned
    each.arm_refusal()
    each.receiver.faults.add(kind="reset_after", every=3)
    ended = await each.nursery.ask(**each.order("step"))
    findings = each.judge()
    if ended["status"]:
        findings.append(f"it ended with {ended['status']}: {each.output.read_text()[-1500:]}")
    verdict.runs += 1
    verdict.findings += [f"run {run}: {finding}" for finding in findings]


async def one_lane(folder: Path, runs: Iterator[int], verdict: Verdict) -> None:
    async with ground(folder, itertools.count(1)) as each:
        for run in runs:
            await attempt(each, run, verdict)
        verdict.applied += each.receiver.store.counters["applied"]


@pytest.mark.timeout(6 * 3600)
async def test_steps_of_the_clock_and_suspends_change_neither_order_nor_outcome(tmp_path: Path) -> None:
    verdict, runs = Verdict(name="clock steps"), iter(range(RUNS))
    async with asyncio.TaskGroup() as lanes:
        for lane in range(LANES):
            lanes.create_task(one_lane(tmp_path / f"lane{lane}", runs, verdict))
    verdict.pronounce()
