"""Whatever the receiver answers, nothing is lost and nothing older comes after something newer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cgsync import sending
from tests.faults.answers.campaign import FAULTS, LATEST, Campaign, ground
from tests.faults.verdict import Verdict, count

pytestmark = pytest.mark.alone

LEAST = count(tests=500 // len(FAULTS) + 1, faults=200)
"""Times that each kind of fault is met: over 500 in all at each run of the tests, over 10,000 in `make faults`."""


async def campaign(folder: Path, least: int) -> Verdict:
    async with ground(folder) as (engine, sandbox, stock):
        return await Campaign(engine, sandbox, stock, least=least, seed=1).run()


@pytest.mark.timeout(1800)
async def test_every_wrong_answer_there_is(tmp_path: Path) -> None:
    (await campaign(tmp_path, LEAST)).pronounce()


async def test_the_judge_finds_it_when_a_newer_version_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SETTLE_TIME", timedelta(0))
    # so late that the newer version is there before it on the slowest machine, too
    monkeypatch.setitem(FAULTS, LATEST, {**FAULTS[LATEST], "seconds": 1.0})
    assert any("was applied after" in finding for finding in (await campaign(tmp_path, 8)).findings)
