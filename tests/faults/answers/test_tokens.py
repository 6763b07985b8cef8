"""A token that ends under fifty workers is renewed once, and costs nobody an attempt."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from tests.faults.answers.campaign import arrived, ground

ROUNDS = 200 if os.environ.get("CGSYNC_FAULTS") == "full" else 20
WORKERS = 50
RECORDS = 150


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the sandbox counts, and tells nobody
            await asyncio.sleep(0.001)


async def test_one_renewal_each_time(tmp_path: Path) -> None:
    async with ground(tmp_path, concurrency=WORKERS, latency=0.005) as (engine, sandbox, stock):
        for number in range(ROUNDS):
            issued, applied = sandbox.tokens.issued, sandbox.store.counters["applied"]
            for each in range(RECORDS):
                stock.edit(f"r-{each}")
            await until(lambda before=applied + number % WORKERS: sandbox.store.counters["applied"] > before)
            sandbox.tokens.revoke()
            await until(lambda: arrived(sandbox) == stock.versions)
            assert sandbox.tokens.issued - issued == (1 if number else 2), f"round {number}"
        state = engine.sender.state()
    print(f"tokens: {ROUNDS} ends under {WORKERS} workers, {sandbox.store.counters['applied']:,} applied, "
          f"{sandbox.store.counters['unauthenticated']:,} answers 401")  # fmt: skip
    assert state.again == 0
    assert sandbox.store.counters["applied"] >= 1000
