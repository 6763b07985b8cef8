"""Planning and applying an edit of the mapping over the records that were kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from cgsync.api import Batch, Record
from cgsync.differences import differences
from cgsync.engine import Engine
from cgsync.errors import ControlError
from cgsync.ledger import books
from cgsync.ledger.schema import payload
from cgsync.operations import carry
from cgsync.sandbox import Sandbox
from tests.plant import config, core_of, engine_on, row_state, source, undelivered, with_sources
from tests.rig import ACTIVITY, Script, batch, eventually, record

NOTED = {**ACTIVITY, "additional_information_object": {"note": "{{ record.id }}", "by": "us"}}


async def ask(engine: Engine, verb: str, **args: Any) -> Any:
    """What a command gets to see. The engine's configuration stands for the one on disk, which only `plan` reads."""
    found = await carry(verb, args, core_of(engine, running=verb != "plan"))
    return msgspec.to_builtins(found, enc_hook=str)


class Desk:
    """A source ``desk`` whose mapping is edited."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox

    @asynccontextmanager
    async def mapped_by(self, activity: Mapping[str, Any], *steps: Any, **more: Any) -> AsyncIterator[Engine]:
        """The engine with that mapping, after a poll that took in these steps, and with all of it delivered."""
        settings = config(self.folder, self.sandbox, source("desk", Script(*steps), activity=activity, **more))
        async with engine_on(settings) as engine:
            engine.start(polling=False)
            await engine.sources.drain("desk")
            await engine.sender.idle()
            yield engine
            assert (await engine.ledger.read(books.audit)).ok


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    return Desk(tmp_path, sandbox)


def counts(planned: Any) -> dict[str, int]:
    return {name: count for name, count in planned["counts"].items() if count}


async def test_an_edit_that_changes_nothing_leaves_everything_alone(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1", "2")) as engine:
        planned = await ask(engine, "plan", source="desk")
        assert counts(planned) == {"records": 2, "left alone": 2}
        assert (planned["changes"], planned["fields"], planned["new_accounts"]) == ([], {}, [])


async def test_an_updated_activity_is_shown_field_by_field(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1", "2")):
        pass
    edited = {**NOTED, "account": "{{ record.account }}{{ ' Ltd' if record.id == '1' else '' }}"}
    async with desk.mapped_by(edited) as engine:
        planned = await ask(engine, "plan", source="desk")
        assert counts(planned) == {"records": 2, "updated": 2, "new accounts": 1}
        assert planned["new_accounts"] == ["Acme Ltd"]
        assert planned["fields"] == {
            "additional_information_object.by": 2, "additional_information_object.note": 2, "account": 1,
        }  # fmt: skip
        assert planned["changes"][0] == {
            "what": "updated",
            "reference": "t-1",
            "position": "desk 1",
            "fields": {
                "account": {"old": "Acme", "new": "Acme Ltd"},
                "additional_information_object.by": {"old": None, "new": "us"},
                "additional_information_object.note": {"old": None, "new": "1"},
            },
        }


async def test_planning_stores_and_sends_nothing(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1", "2")):
        pass
    async with desk.mapped_by(NOTED) as engine:
        first = await ask(engine, "plan", source="desk")
        assert await ask(engine, "plan", source="desk") == first
        assert (await undelivered(engine), desk.sandbox.stats()["puts"]) == (0, 2)


async def test_applying_sends_exactly_what_was_planned_and_then_nothing_is_planned(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1", "2", "3")):
        pass
    edited = {**ACTIVITY, "type": "{{ 'Call' if record.id != '2' else 'Ticket' }}"}
    async with desk.mapped_by(edited) as engine:
        planned = await ask(engine, "plan", source="desk")
        assert [change["reference"] for change in planned["changes"]] == ["t-1", "t-3"]
        applied = await ask(engine, "apply", source="desk")
        assert (applied["counts"]["changed"], applied["counts"]["unchanged"]) == (2, 1)
        await eventually(lambda: desk.sandbox.stats()["applied"] == 5)
        sent = [each.reference for each in desk.sandbox.store.log(after=3)]
        assert sorted(sent) == ["t-1", "t-3"]
        assert counts(await ask(engine, "plan", source="desk")) == {"records": 3, "left alone": 3}


async def test_another_reference_makes_another_activity_and_leaves_the_old_one_unmapped(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1")):
        pass
    async with desk.mapped_by({**ACTIVITY, "reference": "new-{{ record.id }}"}) as engine:
        planned = await ask(engine, "plan", source="desk")
        assert counts(planned) == {"records": 1, "created": 1, "no longer mapped": 1}
        assert [(change["what"], change["reference"]) for change in planned["changes"]] == [
            ("created", "new-1"), ("no longer mapped", "t-1"),
        ]  # fmt: skip
        await ask(engine, "apply", source="desk")
        again = counts(await ask(engine, "plan", source="desk"))
        assert again == {"records": 1, "left alone": 1, "no longer mapped": 1}


async def test_a_record_that_a_condition_leaves_out_is_no_longer_mapped(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1", "2")):
        pass
    async with desk.mapped_by(ACTIVITY, when="{{ record.id == '2' }}") as engine:
        planned = await ask(engine, "plan", source="desk")
        assert counts(planned) == {"records": 2, "left alone": 1, "no longer mapped": 1}


async def test_what_would_be_rejected_is_told_by_cause(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1", "2", "3")):
        pass
    async with desk.mapped_by({**ACTIVITY, "contact": "{{ record.email }}"}) as engine:
        planned = await ask(engine, "plan", source="desk")
        assert counts(planned) == {"records": 3, "rejected": 3}
        [cause] = planned["rejected"]
        assert (cause["count"], cause["example"], "contact" in cause["cause"]) == (3, "desk 1", True)
        applied = await ask(engine, "apply", source="desk")
        assert applied["counts"]["invalid"] == 3
        assert counts(await ask(engine, "plan", source="desk")) == {"records": 3, "rejected": 3}


async def test_a_reject_that_would_pass_is_planned_as_created_and_comes_with_apply(desk: Desk) -> None:
    bad = Batch(records=[record("1", account=""), record("2")], cursor={"p": 1})
    async with desk.mapped_by(ACTIVITY, bad):
        pass
    async with desk.mapped_by(ACTIVITY) as engine:
        assert counts(await ask(engine, "plan", source="desk")) == {"records": 2, "left alone": 1, "rejected": 1}
    settings = config(desk.folder, desk.sandbox, source("desk", Script()))
    lenient = {**ACTIVITY, "account": "{{ record.account or 'Unknown' }}"}
    async with engine_on(with_sources(settings, source("desk", Script(), activity=lenient))) as engine:
        planned = await ask(engine, "plan", source="desk")
        assert counts(planned) == {"records": 2, "created": 1, "left alone": 1, "new accounts": 1}
        assert (await ask(engine, "apply", source="desk"))["counts"]["new"] == 1
        assert await row_state(engine, "t-1") == "pending"
        assert counts(await ask(engine, "plan", source="desk")) == {"records": 2, "left alone": 2}


async def test_a_record_that_was_rejected_later_is_not_undone_by_an_older_one(desk: Desk) -> None:
    """Its activity was made of what is older: mapping that again would take the reject of the newer away."""
    later = Batch(records=[record("1", account="")], cursor={"p": 2})
    async with desk.mapped_by(ACTIVITY, batch("1"), later):
        pass
    async with desk.mapped_by(NOTED) as engine:
        assert counts(await ask(engine, "plan", source="desk")) == {"records": 1, "rejected": 1}
        await ask(engine, "apply", source="desk")
        [line] = await ask(engine, "rejects.list")
        assert line["count"] == 1
        assert desk.sandbox.stats()["applied"] == 1


async def test_the_latest_revision_of_a_record_is_what_is_mapped_again(desk: Desk) -> None:
    """Though nothing of it was mapped that had changed."""
    first, second = (
        Batch(records=[Record(key="1", data={"id": "1", "account": "Acme", "mood": mood}, position="p", revision=at)],
              cursor={"p": at})
        for at, mood in ((1, "glad"), (2, "cross"))
    )  # fmt: skip
    async with desk.mapped_by(ACTIVITY, first, second):
        assert desk.sandbox.stats()["applied"] == 1
    async with desk.mapped_by({**ACTIVITY, "additional_information_object": {"mood": "{{ record.mood }}"}}) as engine:
        planned = await ask(engine, "plan", source="desk")
        [change] = planned["changes"]
        assert change["fields"] == {"additional_information_object.mood": {"old": None, "new": "cross"}}


async def test_what_has_lost_its_record_is_counted_and_left_out(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1", "2")) as engine:
        lose = update(payload).where(payload.c.seq == 1).values(record=b"")
        await engine.ledger.write(lambda conn: conn.execute(lose))
    async with desk.mapped_by(NOTED) as engine:
        assert counts(await ask(engine, "plan", source="desk")) == {"records": 1, "updated": 1, "without record": 1}
        applied = await ask(engine, "apply", source="desk")
        assert (applied["counts"]["changed"], applied["without_record"]) == (1, 1)


async def test_what_an_operator_holds_stays_held(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1")):
        pass
    settings = config(desk.folder, desk.sandbox, source("desk", Script(batch("2", "3"))))
    async with engine_on(settings) as engine:
        await engine.sources.drain("desk")
        await ask(engine, "outbox.hold", references=["t-2"])
    edited = with_sources(settings, source("desk", Script(), activity=NOTED))
    async with engine_on(edited) as engine:
        planned = await ask(engine, "plan", source="desk")
        assert counts(planned) == {"records": 3, "updated": 3, "held until released": 1}
        await ask(engine, "apply", source="desk")
        assert await row_state(engine, "t-2") == "held"
        assert await undelivered(engine) == 2


async def test_the_listed_changes_are_limited_and_all_are_counted(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch(*map(str, range(30)))):
        pass
    async with desk.mapped_by(NOTED) as engine:
        planned = await ask(engine, "plan", source="desk", limit=7)
        assert (len(planned["changes"]), planned["counts"]["updated"]) == (7, 30)


async def test_a_source_of_another_name_is_refused_in_words(desk: Desk) -> None:
    async with desk.mapped_by(ACTIVITY, batch("1")) as engine:
        for verb in ("plan", "apply"):
            with pytest.raises(ControlError, match="'dsk'"):
                await ask(engine, verb, source="dsk")
        engine.config = replace(engine.config, sources={})
        with pytest.raises(ControlError, match="there is no source 'desk'"):
            await ask(engine, "plan", source="desk")


def test_bodies_differ_in_leaves() -> None:
    before = b'{"a":1,"i":{"x":"1","y":[1,2]},"gone":"g"}'
    after = b'{"a":1,"i":{"x":"2","y":[1,2],"z":{"q":true}}}'
    assert differences(before, after) == {
        "gone": {"old": "g", "new": None},
        "i.x": {"old": "1", "new": "2"},
        "i.z.q": {"old": None, "new": True},
    }
