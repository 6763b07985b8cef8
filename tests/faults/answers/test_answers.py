"""Whatever the receiver answers, nothing is lost and nothing older comes after something newer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cgsync import sending
from tests.faults.answers.campaign import FAULTS, SPEED, Campaign, arrived, ground
from tests.faults.verdict import count
from tests.rig import eventually

pytestmark = pytest.mark.alone

LEAST = count(tests=500 // len(FAULTS) + 1, faults=200)
"""Times that each kind of fault is met: over 500 in all at each run of the tests, over 10,000 in `make faults`."""


@pytest.mark.timeout(1800)
async def test_every_wrong_answer_there_is(tmp_path: Path) -> None:
    async with ground(tmp_path) as (engine, sandbox, stock):
        (await Campaign(engine, sandbox, stock, least=LEAST, seed=1).run()).pronounce()


@pytest.mark.parametrize(
    ("settle_time", "order", "found"),
    [
        (timedelta(0), [2, 1], ["r: version 1 was applied after 2", "not every reference holds its newest version"]),
        (timedelta(seconds=6 * SPEED), [1, 2], []),
    ],
    ids=["at once", "waiting"],
)
async def test_the_judge_finds_it_when_a_newer_version_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle_time: timedelta, order: list[int], found: list[str]
) -> None:
    monkeypatch.setattr(sending, "SETTLE_TIME", settle_time)
    async with ground(tmp_path) as (engine, sandbox, stock):
        late = sandbox.faults.add(kind="late", next=1, seconds=3)  # a slow machine has done its part by then
        stock.edit("r")
        await eventually(lambda: late.hits)
        stock.edit("r")
        for version in order:
            await eventually(lambda version=version: arrived(sandbox) == {"r": version})
        verdict = await Campaign(engine, sandbox, stock, least=0, seed=1).run()
    assert verdict.findings == found
