"""The wall clock is stepped by years at each look, and the machine suspended, while the script is played."""

from __future__ import annotations

import itertools
from pathlib import Path

from tests.faults.process.ground import ground
from tests.faults.verdict import Verdict, count

RUNS = count(tests=100, faults=1_000)


async def test_steps_of_the_clock_and_suspends_change_neither_order_nor_outcome(tmp_path: Path) -> None:
    verdict = Verdict(name="clock steps")
    async with ground(tmp_path / "site", itertools.count(1)) as each:
        for run in range(RUNS):
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
        verdict.applied = each.receiver.store.counters["applied"]
    verdict.pronounce()
