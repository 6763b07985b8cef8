"""A single run: what it waits for, and with what exit status it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cgsync import once
from cgsync.api import Batch, Later, Problem, Unreadable
from cgsync.errors import LedgerError, SourceMisconfigured, SourceUnavailable
from cgsync.ledger.freshness import Kind
from cgsync.once import Tally
from cgsync.plugins import BrokenPlugin
from cgsync.sandbox import Sandbox
from cgsync.secrets import Secret
from tests.plant import config, engine_on, source
from tests.rig import Script, batch, record


async def run(settings: Any) -> Tally:
    tally = Tally()
    async with engine_on(settings) as engine:
        engine.start(polling=False)
        await once.run(engine, tally)
    return tally


async def test_it_ends_when_everything_is_delivered(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(
        tmp_path, sandbox, source("one", Script(batch("1", "2"), batch("3"))), source("two", Script(batch("4")))
    )
    tally = await run(settings)
    assert (tally.exit_status, tally.counts["delivered"], tally.counts["read"]) == (0, 4, 4)
    assert sandbox.stats()["applied"] == 4


async def test_nothing_to_do_is_a_success(sandbox: Sandbox, tmp_path: Path) -> None:
    assert (await run(config(tmp_path, sandbox))).exit_status == 0


async def test_a_source_that_is_silent_is_told_and_remembered(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("one", Script(batch("1")), freshness=timedelta(microseconds=1)))
    await run(settings)
    await run(settings)
    async with engine_on(settings) as engine:
        alarm = engine.sources["one"].poller.health.alarm
        assert alarm is not None
        assert (alarm.kind, engine.sources["one"].freshness.rhythm.last) == (Kind.SILENT, alarm.since)


@pytest.mark.parametrize(
    "bad",
    [
        Batch(records=[record("1", account="")], cursor={"p": 1}),
        Batch(rejects=[Unreadable(position="line 1", raw=b"?", reason="no")], cursor={"p": 1}),
    ],
    ids=["invalid", "unreadable"],
)
async def test_what_was_rejected_makes_it_three(sandbox: Sandbox, tmp_path: Path, bad: Batch) -> None:
    tally = await run(config(tmp_path, sandbox, source("desk", Script(batch("2"), bad))))
    assert (tally.exit_status, tally.rejected, tally.counts["delivered"]) == (3, 1, 1)


async def test_what_the_receiver_refused_makes_it_three(sandbox: Sandbox, tmp_path: Path) -> None:
    body = {"message": "The given data was invalid.", "errors": {"account": ["is unknown"]}}
    sandbox.faults.add(kind="status", status=422, body=body, next=1)
    tally = await run(config(tmp_path, sandbox, source("desk", Script(batch("1", "2")))))
    assert (tally.exit_status, tally.counts["refused"], tally.counts["delivered"]) == (3, 1, 1)


async def test_what_has_to_wait_makes_it_one_and_says_why(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(batch("1", "2"))))
    settings = replace(settings, receiver=replace(settings.receiver, client_secret=Secret("wrong")))
    tally = await run(settings)
    assert (tally.exit_status, tally.waiting) == (1, 2)
    assert tally.why


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (SourceUnavailable("away", retry_after=timedelta(hours=1)), "away"),
        (SourceMisconfigured("no folder", hint="mkdir it"), "no folder (mkdir it)"),
        (RuntimeError("a bug"), "RuntimeError: a bug"),
        (SystemExit(0), "SystemExit: 0"),
        (Later(after=timedelta(minutes=2)), "something is not ready yet, and asks for 120 s more"),
        ([], "PluginError: fetch returned list, not a Batch, a Later or None"),
    ],
)
async def test_a_source_that_failed_makes_it_one_and_keeps_no_other_from_being_delivered(
    sandbox: Sandbox, tmp_path: Path, trouble: Any, words: str
) -> None:
    settings = config(tmp_path, sandbox, source("bad", Script(trouble)), source("good", Script(batch("1"))))
    tally = await run(settings)
    assert (tally.exit_status, tally.failed, tally.counts["delivered"]) == (1, {"bad": words}, 1)


async def test_a_part_that_failed_makes_it_one(sandbox: Sandbox, tmp_path: Path) -> None:
    script = Script(batch("1", problems=[Problem(part="b.csv", reason="gone")]))
    tally = await run(config(tmp_path, sandbox, source("desk", script)))
    assert (tally.exit_status, tally.failed) == (1, {"desk: b.csv": "gone"})


async def test_a_source_whose_plugin_is_broken_makes_it_one(sandbox: Sandbox, tmp_path: Path) -> None:
    broken = BrokenPlugin(name="p", distribution="d", version="1", reason="no such module")
    tally = await run(config(tmp_path, sandbox, broken={"desk": broken}))
    assert (tally.exit_status, tally.failed) == (1, {"desk": "no such module"})


async def test_trouble_of_the_ledger_ends_it(sandbox: Sandbox, tmp_path: Path) -> None:
    async with engine_on(config(tmp_path, sandbox, source("desk", Script(batch("1"))))) as engine:
        engine.ledger.close()
        with pytest.raises(LedgerError):
            await once.run(engine, Tally())
