"""A person is forgotten on a whole engine: in the rows and in memory, with what cannot be reached by name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from cgsync.api import Batch
from cgsync.engine import Engine
from cgsync.errors import ControlError
from cgsync.ledger.schema import source as source_table
from cgsync.operations import carry
from cgsync.sandbox import Sandbox
from tests.plant import core_of, polled, row_state, undelivered
from tests.rig import eventually, record

ANNA = "anna@example.com"
NOTHING = {"activities": {}, "rejects": 0, "accounts": [], "received": {}, "places": {}, "cursors": []}


def mails(*senders: str, **more: Any) -> Batch:
    records = [record(f"{n}-{who[:3]}", data={"from": who}, **more) for n, who in enumerate(senders)]
    return Batch(records=records, cursor={"p": 1})


async def forget(engine: Engine, name: str, *, running: bool = True, **more: Any) -> Any:
    found = await carry("forget", {"name": name, **more}, core_of(engine, running=running))
    return msgspec.to_builtins(found, enc_hook=str)


async def test_what_waits_in_memory_is_not_sent(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, mails(ANNA, "bob@example.com", f"Anna <{ANNA}>")) as engine:
        found = await forget(engine, ANNA)
        assert (found["activities"], found["left"]) == ({"pending": 2}, {})
        assert found["places"] == {"desk": ["desk 0-ann", "desk 2-Ann"]}
        engine.start(polling=False)
        await engine.sender.idle()
        assert [each.reference for each in sandbox.store.log()] == ["t-1-bob"]


async def test_a_dry_run_tells_the_same_and_changes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, mails(ANNA, ANNA)) as engine:
        foreseen = await forget(engine, ANNA, dry_run=True)
        assert await undelivered(engine) == 2
        assert await forget(engine, ANNA) == {**foreseen, "left": {}}
        assert await undelivered(engine) == 0


async def test_the_same_without_a_daemon(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, mails(ANNA)) as engine:
        assert (await forget(engine, ANNA, running=False))["activities"] == {"pending": 1}


async def test_a_reference_that_nobody_knows_is_refused_and_one_that_was_forgotten_is_not(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with polled(tmp_path, sandbox, mails(ANNA)) as engine:
        with pytest.raises(ControlError, match="nothing is known of that reference"):
            await forget(engine, "t-7")
        assert (await forget(engine, "T-0-ann"))["activities"] == {"pending": 1}
        again = await forget(engine, "t-0-ann")
        assert {name: again[name] for name in NOTHING} == NOTHING


async def test_an_account_of_that_name_goes(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, mails("x", account=f"private: {ANNA}")) as engine:
        found = await forget(engine, ANNA)
        assert (found["accounts"], found["activities"]) == ([f"private: {ANNA}"], {"pending": 1})


async def test_without_room_for_the_file_it_says_what_may_be_left(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, mails(ANNA)) as engine:
        engine.ledger.disk.reserve = 2**62
        found = await forget(engine, ANNA)
        assert "cannot be written anew" in found["left"]["words"]
        assert await row_state(engine, "t-0-ann") is None


async def test_copies_of_the_ledger_are_named(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, mails("x")) as engine:
        made = await carry("backup", {}, core_of(engine))
        noted = tmp_path / "elsewhere.sqlite3"
        engine.ledger.file.with_name("newest-backup").write_text(f"{noted}\n")
        before = engine.ledger.file.with_name("ledger.sqlite3.backup-0001")
        for path in (noted, before):
            path.touch()
        assert set((await forget(engine, ANNA))["backups"]) == {made["file"], str(noted), str(before)}


async def test_a_copy_that_is_being_made_is_waited_for(sandbox: Sandbox, tmp_path: Path) -> None:
    """It holds the person, and has no name to be listed by before it is complete."""
    async with polled(tmp_path, sandbox, mails(ANNA)) as engine:
        copying = asyncio.create_task(carry("backup", {}, core_of(engine)))
        await eventually(engine.custody.without_copies.locked)
        found = await forget(engine, ANNA)
        assert found["backups"] == [(await copying)["file"]]


async def test_the_guard_of_a_source_goes_with_the_last_that_it_held(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, mails(ANNA)) as engine:
        await carry("outbox.hold", {"references": ["t-0-ann"]}, core_of(engine))
        uid = engine.sources["desk"].uid
        await engine.ledger.write(
            lambda conn: conn.execute(update(source_table).where(source_table.c.uid == uid).values(guard="too many"))
        )
        await forget(engine, ANNA)
        assert (await carry("status", {}, core_of(engine, running=False)))["trouble"] == []
