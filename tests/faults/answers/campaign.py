"""Real engine, real ledger, real HTTP: edits flow while a share of the answers is wrong in every way there is.

The judge is the receiver's own log of numbered requests: what it applied, in which order.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from cgsync.api import Log
from cgsync.engine import Engine
from cgsync.hosting import Host
from cgsync.ledger import Ledger, books, checkpoints
from cgsync.operations import outbox, rejects
from cgsync.sandbox import Sandbox
from cgsync.secrets import Redactor
from tests import plant
from tests.faults.answers.stock import ACTIVITY, FastClock, Stock
from tests.faults.verdict import Verdict

SPEED = 600.0
"""120 s, for which an abandoned request may be executed, are 200 ms."""
TOKEN_LIFETIME = 24 * 3600
"""Seconds on the clock of the fast one, to whom it is two minutes and a half: no token ends of itself in a round."""
LATE = 0.15
"""Seconds after which an abandoned request is executed all the same: well within those."""
TIMEOUT = timedelta(seconds=0.3)
REFERENCES = 300
SHARE = 0.3
HOT = 0.2
"""Share of the latest failures that are edited again at once: there a newer version could overtake an older one."""
LATEST = "applied late"
TREACHEROUS = 5
"""Times that this is met more often than the rest, and alone: among others, a newer version seldom comes in between."""
KINDS_A_ROUND = 6
PUTS_A_ROUND = 150

ERRORS = {"message": "The given data was invalid.", "errors": {"contact": ["The contact is unknown."]}}
RETRY_AFTERS: Mapping[str, Mapping[str, str]] = {
    "absent": {},
    "zero": {"Retry-After": "0"},
    "seconds": {"Retry-After": "30"},
    "date": {"Retry-After": "Wed, 04 Mar 2026 10:00:30 GMT"},
    "garbage": {"Retry-After": "soon"},
    "negative": {"Retry-After": "-5"},
    "huge": {"Retry-After": "99999999999"},
}

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "refused connections": {"kind": "down", "seconds": 0.02},
    **{kind: {"kind": kind} for kind in (
        *("reset_before", "reset_inside", "reset_after", "truncated", "endless", "huge", "bad_gzip", "gzip_bomb"),
        *("bad_json", "html200", "empty200", "revoke"),
    )},
    "timeout": {"kind": "hang"},
    "timeout, applied": {"kind": "hang", "applied": True},
    "slow loris": {"kind": "drip"},
    LATEST: {"kind": "late", "seconds": LATE},
    "token refused": {"kind": "revoke_and_refuse"},
    **{f"{code}": {"kind": "redirect", "status": code} for code in (301, 302, 303, 307, 308)},
    **{f"{code}": {"kind": "status", "status": code} for code in (
        *(400, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 418, 422, 423, 424, 425, 426, 428, 431),
        *(451, 500, 501, 502, 503, 504, 507, 508, 520),
    )},
    "404 with errors": {"kind": "status", "status": 404, "body": ERRORS},
    "500 applied": {"kind": "status", "status": 500, "applied": True},
    "504 applied": {"kind": "status", "status": 504, "applied": True},
    **{f"429 {name}": {"kind": "status", "status": 429, "headers": headers} for name, headers in RETRY_AFTERS.items()},
}  # fmt: skip


class Quiet(plant.Log):
    """A log that keeps nothing: a campaign writes a hundred thousand lines."""

    def __getattribute__(self, name: str) -> Any:
        return _nothing if name in {"debug", "info", "warning", "error"} else super().__getattribute__(name)


def _nothing(*_: Any, **__: Any) -> None: ...


class Campaign:
    """One run over all kinds of faults, until each was met ``least`` times."""

    def __init__(self, engine: Engine, sandbox: Sandbox, stock: Stock, *, least: int, seed: int) -> None:
        self._engine = engine
        self._sandbox = sandbox
        self._stock = stock
        self._least = least
        self._chance = random.Random(seed)
        self._met = Counter(dict.fromkeys(FAULTS, 0))
        self._verdict = Verdict(name="wrong answers")

    async def run(self) -> Verdict:
        """Break things until enough was broken, then let it recover, and judge."""
        workers = [asyncio.create_task(self._edit()), asyncio.create_task(self._operate())]
        try:
            while wanted := [name for name, count in self._met.items() if count < self._least]:
                await self._round(self._chance.sample(wanted, min(KINDS_A_ROUND, len(wanted))))
            while self._met[LATEST] < TREACHEROUS * self._least:
                await self._round([LATEST])
        finally:
            workers[0].cancel()
        await self._recover()
        workers[1].cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._judge()
        self._verdict.runs = sum(self._met.values())
        self._verdict.more = {"kinds": len(self._met), "of each at least": min(self._met.values())}
        return self._verdict

    async def _round(self, names: list[str]) -> None:
        """Arm these kinds at once, and wait until enough requests came."""
        armed = {name: self._arm(name) for name in names}
        until = self._puts + PUTS_A_ROUND
        async with asyncio.timeout(280):
            while self._puts < until:  # noqa: ASYNC110 - the sandbox counts, and tells nobody
                await asyncio.sleep(0.002)
        self._sandbox.faults.clear()
        for name, each in armed.items():
            self._met[name] += each.hits

    def _arm(self, name: str) -> Any:
        words = {**FAULTS[name], "probability": SHARE / KINDS_A_ROUND, "seed": self._chance.randrange(2**32)}
        if words["kind"] == "revoke_and_refuse":
            self._sandbox.tokens.revoke()
            return self._sandbox.faults.add(kind="refuse_token", next=1)
        return self._sandbox.faults.add(**words)

    @property
    def _puts(self) -> int:
        return self._sandbox.store.counters["puts"] + self._sandbox.store.counters["tokens_refused"]

    async def _edit(self) -> None:
        """Keep the outbox busy, so that newer versions come while older ones are in every kind of trouble."""
        while True:
            if self._engine.sender.state().waiting < REFERENCES:
                for _ in range(10):
                    self._stock.edit(f"r-{self._chance.randrange(REFERENCES)}")
            for entry in islice(self._sandbox.store.latest(), 10):
                if not entry.applied and self._chance.random() < HOT:
                    self._stock.edit(str(entry.reference))
            await asyncio.sleep(0.003)

    async def _operate(self) -> None:
        """Somebody looks at what is paused, and lets it go on: a pause would outlast everything else."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.005, 0.05))
            if self._engine.sender.state().gate != "open":
                self._engine.sender.resume()

    async def _recover(self) -> None:
        """A healthy receiver: all that was refused is tried once more, and everything arrives."""
        core = plant.core_of(self._engine)
        patience = 1200
        while undone := await self._undone():
            await rejects.retry(core)
            await outbox.release(core)  # what came in one great run after a pause
            await asyncio.sleep(0.1)
            patience -= 1
            assert patience, f"this does not end: {undone}"

    async def _undone(self) -> Mapping[str, Any]:
        """What is not delivered yet, or not even read; empty when all is done."""
        states: Mapping[str, Mapping[str, int]] = await self._engine.ledger.read(books.states)
        read = await self._engine.ledger.read(partial(checkpoints.load, source="desk"))
        if not any(states.values()) and read == self._stock.cursor:
            return {}
        return {"states": states, "read": read, "of": self._stock.cursor, "sender": self._engine.sender.state()}

    async def _judge(self) -> None:
        found = self._verdict.findings
        last: dict[str, int] = {}
        for entry in self._sandbox.store.log():
            if entry.applied:
                self._verdict.applied += 1
                reference, version = str(entry.reference), _version(entry.body)
                if version < last.get(reference, 0):
                    found.append(f"{reference}: version {version} was applied after {last[reference]}")
                last[reference] = version
        if last != self._stock.versions:
            found.append("not every reference holds its newest version")
        if not (await self._engine.ledger.read(books.audit)).ok:
            found.append("the books do not balance")


def arrived(sandbox: Sandbox) -> dict[str, int]:
    """The version of each reference that the receiver holds."""
    return {str(each.reference): _version(each.body) for each in sandbox.store}


def _version(body: bytes) -> int:
    return int(msgspec.json.decode(body)["additional_information_object"]["version"])


@asynccontextmanager
async def ground(
    folder: Path, *, concurrency: int = 16, latency: float = 0.0, timeout: timedelta = TIMEOUT
) -> AsyncIterator[tuple[Engine, Sandbox, Stock]]:
    """A running engine over that stock, and the sandbox it sends to."""
    gc.freeze()  # as a daemon does: it collects by its clock, and that goes fast
    stock, clock, log = Stock(), FastClock(SPEED), Quiet()
    async with Sandbox(latency=latency, token_lifetime=TOKEN_LIFETIME) as sandbox:
        config = plant.config(folder, sandbox, plant.source("desk", stock, activity=ACTIVITY))  # type: ignore[arg-type]  # what has open()
        receiver = replace(config.receiver, rate_limit=1e6, concurrency=concurrency, timeout=timeout)
        config = replace(config, receiver=receiver)
        ledger = Ledger.open(config.state_dir, receiver=config.receiver.identity, clock=clock)
        try:
            engine = _engine(config, ledger, clock, log)
            try:
                await engine.assemble()
                engine.start(polling=True)
                yield engine, sandbox, stock
            finally:
                await engine.stop()
        finally:
            ledger.close(clean=True)


def _engine(config: Any, ledger: Ledger, clock: FastClock, log: Log) -> Engine:
    host = Host(clock=clock, log=log, redactor=Redactor(), state_dir=config.state_dir)
    return Engine(config, ledger, host, random=random.random, log=log)
