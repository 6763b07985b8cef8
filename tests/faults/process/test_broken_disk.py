"""System calls of the real command fail, once or from then on; afterwards a run on a sound machine makes it good."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import needs
from tests.faults.process.ground import Ground, ground
from tests.faults.verdict import Verdict, count

pytestmark = [pytest.mark.alone, needs.program("strace")]

RUNS = count(tests=150, faults=2_400)
LANES = 6
ON_LEDGER = {
    "pwrite64": ("EIO", "ENOSPC", "EROFS"),
    "fdatasync": ("EIO", "ENOSPC", "EROFS"),
    "ftruncate": ("EIO", "ENOSPC", "EROFS"),
    "pread64": ("EIO",),
    "openat": ("EIO", "ENOSPC", "EROFS", "EMFILE"),
}
ANYWHERE = {"openat": ("EMFILE",), "socket": ("EMFILE",), "connect": ("EIO",)}
"""Not what is sent and received: the loop wakes itself by a socket pair, which no machine lets fail."""
LATEST = 14
FINE = {0, 1, 3, 74, 75, 78}
"""It went on; something waits or lacks; something was rejected; the ledger failed; a commit is unknown; the
configuration could not be read."""


def fault(state: Path, chance: random.Random) -> Sequence[str]:
    """The arguments of strace for one fault."""
    narrow = chance.random() < 0.7
    call, errors = chance.choice(list((ON_LEDGER if narrow else ANYWHERE).items()))
    when = f"{chance.randint(1, LATEST)}{chance.choice(('', '+'))}"
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={chance.choice(errors)}:when={when}"]
    files = [state / name for name in ("ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm", "lock")]
    return [*inject, *(word for file in files if narrow for word in ("-P", str(file)))]


async def attempt(each: Ground, seed: int, verdict: Verdict) -> None:
    each.lay_out()
    each.receiver.faults.clear()  # all but the refusal: in real time an answer that is lost takes minutes
    each.arm_refusal()
    arguments = fault(each.folder / "state", random.Random(seed))
    ended = await each.nursery.ask(**each.order("once", strace=arguments))
    said = each.output.read_text()
    findings = each.judge(ended=False)
    if ended["status"] not in FINE:
        findings.append(f"it ended with {ended['status']}: {said[-600:]}")
    if "Traceback" in said:
        findings.append(f"a traceback: {said[-1500:]}")
    if ended["status"] in (74, 75, 78) and "cgsync: " not in said:
        findings.append("it ended without words")
    if "pread64" in arguments[1]:  # read wrongly twice, it is taken for damaged: the operator finds that it is sound
        (each.folder / "state" / "damaged").unlink(missing_ok=True)
    again = await each.nursery.ask(**each.order("play"))
    if again["status"]:
        findings.append(f"the run after it ended with {again['status']}: {each.output.read_text()[-1500:]}")
    findings += each.judge()
    verdict.runs += 1
    verdict.more = {**verdict.more, "ended by it": verdict.more.get("ended by it", 0) + (ended["status"] in (74, 75))}
    verdict.findings += [f"seed {seed}, {' '.join(arguments[:4])}: {finding}" for finding in findings]


@pytest.mark.timeout(6 * 3600)
async def test_a_disk_or_a_socket_that_fails_costs_nothing_but_time(tmp_path: Path) -> None:
    verdict, seeds = Verdict(name="EIO, ENOSPC, EROFS, EMFILE"), iter(range(RUNS))
    async with asyncio.TaskGroup() as lanes:
        for lane in range(LANES):
            lanes.create_task(one_lane(tmp_path / f"lane{lane}", seeds, verdict))
    verdict.pronounce()


async def one_lane(folder: Path, seeds: Iterator[int], verdict: Verdict) -> None:
    async with ground(folder, itertools.count(1)) as each:
        for seed in seeds:
            await attempt(each, seed, verdict)
        verdict.applied += each.receiver.store.counters["applied"]
