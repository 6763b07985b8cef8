"""Whatever the receiver answers, nothing is lost and nothing older comes after something newer."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from cgsync import engine as engines
from tests.faults.answers.campaign import FAULTS, Campaign, Verdict, ground

LEAST = 200 if os.environ.get("CGSYNC_FAULTS") == "full" else 500 // len(FAULTS) + 1
"""Times that each kind of fault is met: more than 10,000 in all, and more than 500 at each run of the tests."""


async def campaign(folder: Path, least: int) -> Verdict:
    async with ground(folder) as (engine, sandbox, stock):
        verdict = await Campaign(engine, sandbox, stock, least=least, seed=1).run()
    print(f"answers: {verdict}")
    assert verdict.applied >= 1000, "too little happened for this to prove anything"
    return verdict


async def test_every_wrong_answer_there_is(tmp_path: Path) -> None:
    assert (await campaign(tmp_path, LEAST)).findings == []


async def test_the_judge_finds_it_when_a_newer_version_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "SETTLE_TIME", timedelta(0))
    assert any("was applied after" in finding for finding in (await campaign(tmp_path, 8)).findings)
