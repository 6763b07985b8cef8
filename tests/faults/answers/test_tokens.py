"""A token that ends under fifty workers is renewed once, and costs nobody an attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.answers.campaign import arrived, ground
from tests.faults.verdict import Verdict, count

pytestmark = pytest.mark.alone

ROUNDS = count(tests=20, faults=200)
WORKERS = 50
RECORDS = 150
PATIENCE = timedelta(seconds=30)
"""For an answer: a machine that has others to serve is not what is tested here."""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the sandbox counts, and tells nobody
            await asyncio.sleep(0.001)


async def test_one_renewal_each_time(tmp_path: Path) -> None:
    verdict = Verdict(name=f"a token ends under {WORKERS} workers", runs=ROUNDS)
    async with ground(tmp_path, concurrency=WORKERS, latency=0.005, timeout=PATIENCE) as (engine, sandbox, stock):
        for number in range(ROUNDS):
            issued, applied = sandbox.tokens.issued, sandbox.store.counters["applied"]
            for each in range(RECORDS):
                stock.edit(f"r-{each}")
            await until(lambda before=applied + number % WORKERS: sandbox.store.counters["applied"] > before)
            sandbox.tokens.revoke()
            await until(lambda: arrived(sandbox) == stock.versions)
            renewed = sandbox.tokens.issued - issued - (number == 0)  # the first round logs in, too
            if renewed != 1:
                verdict.findings.append(f"round {number}: {renewed} renewals")
        assert engine.sender.state().again == 0
        verdict.applied = sandbox.store.counters["applied"]
        verdict.more = {"answers 401": sandbox.store.counters["unauthenticated"]}
    verdict.pronounce()
