"""The process is killed in front of every system call of a scripted run; the next one makes it good."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.process.ground import Ground, ground
from tests.faults.verdict import Verdict, thorough

pytestmark = pytest.mark.alone

LANES = 4
"""A run waits more than it works: for the two minutes of an abandoned request, in its own time."""
SHARE = 6
"""By `make test` every sixth of the calls that reach outside is tried, by `make faults` every call there is."""
TWICE = 5
"""Every fifth time, the run that makes it good is killed too, anywhere."""


class Points:
    """The points of the script, up to its longest run so far."""

    def __init__(self) -> None:
        self.trace = "all" if thorough() else "outward"
        self.longest = 0
        self.struck = 0
        self._all = itertools.count(1, 1 if thorough() else SHARE)

    def __iter__(self) -> Iterator[int]:
        return itertools.takewhile(lambda point: point <= self.longest, self._all)


async def campaign(each: Ground, points: Points, verdict: Verdict) -> None:
    """One lane: points until none is left."""
    for point in points:
        each.lay_out()
        await strike(each, points, point)
        findings = each.judge(ended=False)
        if point // points_apart() % TWICE == 0:
            await strike(each, points, random.Random(point).randint(1, points.longest))
        ended = await each.nursery.ask(**each.order("play"))
        if ended["status"]:
            findings += [f"the run after it ended with {ended['status']}: {each.output.read_text()[-2000:]}"]
        findings += each.judge()
        verdict.runs += 1
        verdict.findings += [f"{points.trace} call {point}: {finding}" for finding in findings]
        if findings:
            each.folder.joinpath(f"found-at-{point}").mkdir()


def points_apart() -> int:
    return 1 if thorough() else SHARE


async def strike(each: Ground, points: Points, point: int) -> None:
    """Play the script up to this point."""
    ended = await each.nursery.ask(**each.order("play", trace=points.trace, kill_at=point))
    points.longest = max(points.longest, ended["points"])
    points.struck += ended["call"] is not None
    assert ended["status"] in (0, -9), each.output.read_text()


@pytest.mark.timeout(6 * 3600)
async def test_a_kill_in_front_of_any_system_call_loses_and_overtakes_nothing(tmp_path: Path) -> None:
    points, verdict = Points(), Verdict(name="SIGKILL at system calls")
    async with asyncio.TaskGroup() as lanes:
        for lane in range(LANES):
            lanes.create_task(one_lane(tmp_path / f"lane{lane}", points, verdict))
    verdict.more = {"points": points.longest, "kills": points.struck}
    verdict.pronounce()


async def one_lane(folder: Path, points: Points, verdict: Verdict) -> None:
    async with ground(folder, itertools.count(1)) as each:
        for _ in range(3):
            each.lay_out()
            await strike(each, points, 0)
        await campaign(each, points, verdict)
        verdict.applied += each.receiver.store.counters["applied"]
