"""The engine: what is read arrives, a reload touches only what changed, and whatever must not end is noticed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from cgsync.api import Batch
from cgsync.clock import SystemClock
from cgsync.config import Config
from cgsync.daemon import assembled
from cgsync.engine import Changes, Engine
from cgsync.errors import ConfigError, LedgerError
from cgsync.health import Condition
from cgsync.ledger import Ledger, PluginChanged, sources
from cgsync.plugins import BrokenPlugin
from cgsync.sandbox import Sandbox
from cgsync.secrets import Redactor
from tests.plant import config, engine_on, source, undelivered, with_sources
from tests.rig import ACTIVITY, Script, Settling, batch, eventually, record


async def test_what_a_source_has_arrives_at_the_receiver(sandbox: Sandbox, tmp_path: Path) -> None:
    script = Settling(batch("1", "2", done=["a.csv"]))
    async with engine_on(config(tmp_path, sandbox, source("desk", script))) as engine:
        engine.start(polling=True)
        await eventually(lambda: sandbox.stats()["applied"] == 2)
        await eventually(lambda: engine.sender.state().delivered == 2)
        await eventually(lambda: script.settled == ["a.csv"])
        await eventually(lambda: engine.sender.state().unsettled == 0)
        assert await undelivered(engine) == 0
    assert script.open_now == 0


async def test_what_was_pending_is_sent_after_a_restart_without_being_read_again(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(batch("1"))))
    async with engine_on(settings) as engine:
        await engine.sources.drain("desk")
    assert sandbox.stats()["applied"] == 0
    async with engine_on(settings) as engine:
        engine.start(polling=False)
        await eventually(lambda: sandbox.stats()["applied"] == 1)


async def test_a_stop_during_which_an_outcome_could_not_be_stored_is_not_clean(tmp_path: Path) -> None:
    async with Sandbox(latency=0.3) as sandbox:
        settings = config(tmp_path, sandbox, source("desk", Script(batch("1"))))
        with pytest.raises(LedgerError, match="read-only"):
            await stop_while_read_only(settings)
    ledger = Ledger.open(settings.state_dir, receiver=settings.receiver.identity, clock=SystemClock())
    ledger.close()
    assert not ledger.orderly


async def stop_while_read_only(settings: Config) -> None:
    """Stop with a request in flight; its outcome cannot be stored, and soon after writing works again."""
    async with assembled(settings, Redactor()) as engine:
        await engine.assemble()
        engine.start(polling=True)
        await eventually(lambda: engine.sender.state().in_flight)
        await engine.ledger.write(lambda conn: conn.exec_driver_sql("PRAGMA query_only = ON").close())
        mending = asyncio.create_task(mend(engine))
        mending.add_done_callback(lambda task: task.result())


async def mend(engine: Engine) -> None:
    """Let the disk be written again as soon as a write has failed."""
    with pytest.raises(LedgerError):
        await engine.failure()
    with suppress(LedgerError):  # it may be closed by then
        await engine.ledger.write(lambda conn: conn.exec_driver_sql("PRAGMA query_only = OFF").close())


async def test_a_reload_restarts_only_what_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    same, edited, gone, fresh = Script(), Script(), Script(), Script(batch("9"))
    before = config(tmp_path, sandbox, source("same", same), source("edited", edited), source("gone", gone))
    async with engine_on(before) as engine:
        engine.start(polling=True)
        await eventually(lambda: same.did and edited.did and gone.did)
        after = with_sources(
            before, source("same", same), source("edited", edited, fingerprint="2"), source("fresh", fresh)
        )
        changes = await engine.reload(after)
        assert changes == Changes(started=["fresh"], stopped=["gone"], restarted=["edited"], sender=False)
        await eventually(lambda: edited.opened == 2 and fresh.did)
        assert (same.opened, same.open_now, gone.open_now) == (1, 1, 0)
        await eventually(lambda: sandbox.stats()["applied"] == 1)
        known = {each.name: each.removed for each in await engine.ledger.read(sources.list_sources)}
        assert known == {"same": False, "edited": False, "fresh": False, "gone": True}


async def test_a_reload_maps_by_the_new_mapping(sandbox: Sandbox, tmp_path: Path) -> None:
    before = config(tmp_path, sandbox, source("desk", Script(batch("1"))))
    async with engine_on(before) as engine:
        engine.start(polling=True)
        await eventually(lambda: sandbox.stats()["applied"] == 1)
        activity = {**ACTIVITY, "type": "Call"}
        again = source("desk", Script(batch("1", at=2)), fingerprint="2", activity=activity)
        await engine.reload(with_sources(before, again))
        await eventually(lambda: sandbox.stats()["updated"] == 1)
    assert len(sandbox.store) == 1


async def test_a_reload_that_changes_the_pace_restarts_the_sender_and_loses_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    script = Script(batch("1"))
    before = config(tmp_path, sandbox, source("desk", script))
    async with engine_on(before) as engine:
        await engine.sources.drain("desk")
        engine.start(polling=False)
        first = engine.sender
        changes = await engine.reload(replace(before, receiver=replace(before.receiver, concurrency=3)))
        assert (changes.sender, engine.sender is first) == (True, False)
        await eventually(lambda: sandbox.stats()["applied"] == 1)


async def test_a_reload_changes_the_rate_of_a_budget_that_sources_hold(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, budgets={"desk": 1.0})
    async with engine_on(settings) as engine:
        held = engine.host.budgets.pace("desk")
        await engine.reload(replace(settings, budgets={"desk": 5.0, "shop": 1.0}))
        assert engine.host.budgets.pace("desk") is held
        assert held.rate == 5.0
        assert engine.host.budgets.pace("shop").rate == 1.0


async def test_a_reload_of_the_same_changes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script()))
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        assert await engine.reload(settings) == Changes()


async def test_a_reload_starts_what_was_held(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(RuntimeError("a bug"), batch("1"))))
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await eventually(lambda: engine.sources["desk"].poller.health.condition is Condition.HELD)
        await eventually(lambda: engine.sources["desk"].troubled)
        assert (await engine.reload(settings)).restarted == ["desk"]
        await eventually(lambda: sandbox.stats()["applied"] == 1)


@pytest.mark.parametrize("what", ["state_dir", "receiver"])
async def test_a_reload_refuses_what_takes_a_restart(sandbox: Sandbox, tmp_path: Path, what: str) -> None:
    before = config(tmp_path, sandbox, source("desk", script := Script()))
    others = {"state_dir": tmp_path / "other", "receiver": replace(before.receiver, client_id="other")}
    async with engine_on(before) as engine:
        engine.start(polling=True)
        await eventually(lambda: script.did)
        with pytest.raises(ConfigError, match="cannot change while the daemon runs"):
            await engine.reload(replace(before, **{what: others[what]}))
        assert engine.config is before
        assert script.open_now == 1


async def test_a_reload_with_another_plugin_under_a_name_touches_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    before = config(tmp_path, sandbox, source("desk", desk := Script()), source("shop", shop := Script()))
    async with engine_on(before) as engine:
        engine.start(polling=True)
        await eventually(lambda: desk.did and shop.did)
        after = with_sources(
            before,
            source("fresh", Script()),
            source("shop", shop, fingerprint="2"),
            source("desk", desk, fingerprint="2", plugin="other"),
        )
        with pytest.raises(PluginChanged, match="cgsync source drop desk"):
            await engine.reload(after)
        assert (engine.config, list(engine.sources)) == (before, ["desk", "shop"])
        assert (desk.open_now, desk.opened, shop.open_now, shop.opened) == (1, 1, 1, 1)
        assert [each.name for each in await engine.ledger.read(sources.list_sources)] == ["desk", "shop"]


async def test_a_source_whose_plugin_is_broken_does_not_count_as_removed(sandbox: Sandbox, tmp_path: Path) -> None:
    before = config(tmp_path, sandbox, source("desk", Script()))
    async with engine_on(before) as engine:
        broken = BrokenPlugin(name="script", distribution="d", version="1", reason="no such module")
        await engine.reload(replace(before, sources={}, broken={"desk": broken}))
        [known] = await engine.ledger.read(sources.list_sources)
        assert not known.removed


async def test_a_bug_in_one_source_harms_no_other(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(
        tmp_path, sandbox, source("bad", Script(SystemExit("bye"))), source("good", Script(batch("1"), batch("2")))
    )
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await eventually(lambda: sandbox.stats()["applied"] == 2)
        await eventually(lambda: engine.sources["bad"].troubled)


async def test_trouble_of_the_ledger_reaches_whoever_watches_the_engine(sandbox: Sandbox, tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def at_the_gate(cursor: object) -> Batch:
        await gate.wait()
        return batch("1")

    settings = config(tmp_path, sandbox, source("desk", script := Script(at_the_gate)))
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await eventually(lambda: script.did == ["fetch"])
        engine.ledger.close()
        gate.set()
        with pytest.raises(LedgerError):
            await asyncio.wait_for(engine.failure(), 10)


async def test_stopping_closes_every_source_and_settles_what_is_on_the_wire(tmp_path: Path) -> None:
    async with Sandbox(latency=0.1) as sandbox:
        script = Script(batch("1"))
        settings = config(tmp_path, sandbox, source("desk", script))
        async with engine_on(settings) as engine:
            engine.start(polling=True)
            await eventually(lambda: engine.sender.state().in_flight)
            await engine.stop()
            assert script.open_now == 0
            assert await undelivered(engine) == 0


async def test_records_of_two_sources_do_not_mix(sandbox: Sandbox, tmp_path: Path) -> None:
    """The second claimant of a reference is rejected, and neither stops the other."""
    settings = config(
        tmp_path, sandbox, source("one", Script(batch("1"))), source("two", Script(Batch(records=[record("1", "Ltd")])))
    )
    async with engine_on(settings) as engine:
        await engine.sources.drain("one")
        drained = await engine.sources.drain("two")
    assert drained.counts["conflict"] == 1


async def test_a_reload_that_comes_while_it_stops_starts_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    desk, mail = source("desk", Script(batch("1"))), source("mail", Script(batch("2")))
    settings = config(tmp_path, sandbox, desk)
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await eventually(lambda: sandbox.stats()["applied"] == 1)
    late = asyncio.create_task(engine.reload(with_sources(settings, desk, mail)))
    await asyncio.wait([late], timeout=0.1)
    assert not late.done()
    assert not engine.sources
    late.cancel()
    with suppress(asyncio.CancelledError):
        await late
