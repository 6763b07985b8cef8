"""The verbs on a whole engine: what they change, what they refuse while a source runs, and in what words."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cgsync.api import Batch, Problem, Record, Unreadable
from cgsync.config import Schedule
from cgsync.engine import Engine
from cgsync.errors import ControlError
from cgsync.health import Condition
from cgsync.ledger import books, checkpoints
from cgsync.operations import VERBS, carry
from cgsync.plugins import BrokenPlugin
from cgsync.preparation import NO_KEY
from cgsync.sandbox import Sandbox
from tests.hand import HandClock
from tests.plant import config, core_of, engine_on, polled, row_state, source, with_sources
from tests.rig import ACTIVITY, UTC_ZONE, Script, batch, eventually, record

EACH_SECOND = Schedule(every=timedelta(seconds=1), timezone=UTC_ZONE)
LONG = {**ACTIVITY, "type": "{{ 'x' * 200 }}"}
REFUSAL = {"message": "The given data was invalid.", "errors": {"account": ["is unknown"]}}


async def ask(engine: Engine, verb: str, *, running: bool = False, **args: Any) -> Any:
    """What a command gets to see: plain JSON."""
    found = await carry(verb, args, core_of(engine, running=running))
    return msgspec.to_builtins(found, enc_hook=str)


# All verbs.


async def test_an_unknown_verb_and_wrong_arguments_are_refused_in_words(sandbox: Sandbox, tmp_path: Path) -> None:
    async with engine_on(config(tmp_path, sandbox)) as engine:
        with pytest.raises(ControlError, match="unknown command 'dance'"):
            await ask(engine, "dance")
        with pytest.raises(ControlError, match=r"explain: missing a required argument: 'reference'"):
            await ask(engine, "explain")
        with pytest.raises(ControlError, match="status: got an unexpected keyword"):
            await ask(engine, "status", more=1)


def test_every_verb_takes_a_core_first() -> None:
    assert all(callable(verb) for verb in VERBS.values())


# Checkpoints.


async def test_checkpoints_are_listed_set_and_reset(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1"), Batch(cursor={"q": {"at": 7}})) as engine:
        found = await ask(engine, "checkpoint.list")
        assert [(each["source"], each["part"], each["value"]) for each in found] == [
            ("desk", "p", "1"), ("desk", "q", {"at": 7}),
        ]  # fmt: skip
        await ask(engine, "checkpoint.set", source="desk", part="q", value=[1, None])
        assert (await engine.ledger.read(partial(checkpoints.load, source="desk")))["q"] == [1, None]
        assert await ask(engine, "checkpoint.reset", source="desk", part="q") == {"forgotten": 1}
        assert await ask(engine, "checkpoint.reset", source="desk") == {"forgotten": 1}
        assert await ask(engine, "checkpoint.list", source="desk") == []


@pytest.mark.parametrize("verb", ["checkpoint.list", "checkpoint.set", "checkpoint.reset"])
async def test_a_source_that_was_never_read_has_no_checkpoint(sandbox: Sandbox, tmp_path: Path, verb: str) -> None:
    args = {"part": "p", "value": 1} if verb == "checkpoint.set" else {}
    async with engine_on(config(tmp_path, sandbox)) as engine:
        with pytest.raises(ControlError, match="nothing is stored of a source 'desk'"):
            await ask(engine, verb, source="desk", **args)


async def test_nothing_moves_a_cursor_or_a_name_while_the_source_runs(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        engine.start(polling=True)
        for verb, args, way_out in [
            ("checkpoint.set", {"source": "desk", "part": "p", "value": 1}, "cgsync pause desk"),
            ("checkpoint.reset", {"source": "desk"}, "cgsync pause desk"),
            ("source.rename", {"old": "desk", "new": "shop"}, "cgsync reload"),
            ("source.drop", {"name": "desk"}, "cgsync reload"),
        ]:
            with pytest.raises(ControlError, match="source desk runs") as caught:
                await ask(engine, verb, running=True, **args)
            assert way_out in caught.value.hint


async def test_the_cursor_of_a_paused_source_can_be_moved_and_it_goes_on_from_there(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    script = Script(batch("1"))
    async with engine_on(config(tmp_path, sandbox, source("desk", script))) as engine:
        engine.start(polling=True)
        await eventually(lambda: engine.sources["desk"].poller.health.condition is Condition.IDLE)
        await ask(engine, "pause", running=True, names=["desk"])
        await ask(engine, "checkpoint.set", running=True, source="desk", part="p", value="0")
        await ask(engine, "resume", running=True, names=["desk"])
        await eventually(lambda: script.opened == 2 and script.cursors[-1] == {"p": "0"})


# Pause, resume, poll.


async def test_a_source_that_is_paused_without_a_daemon_is_paused_when_one_starts(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = config(tmp_path, sandbox, source("desk", script := Script()))
    async with engine_on(settings):
        pass
    async with engine_on(with_sources(settings)) as engine:
        await ask(engine, "pause", names=["desk"])
        with pytest.raises(ControlError, match="nothing is stored of a source 'shop'"):
            await ask(engine, "pause", names=["shop"])
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        found = await ask(engine, "status", running=True)
        assert (script.opened, found["sources"][0]["condition"], found["trouble"]) == (0, "paused", [])
        assert "desk is paused" in found["summary"]


async def test_the_name_of_an_entry_stands_for_all_its_sources(sandbox: Sandbox, tmp_path: Path) -> None:
    scripts = {"desk/ada": Script(batch("1")), "desk/bob": Script(batch("2"))}
    several = [source(name, script, expanded_from="desk") for name, script in scripts.items()]
    async with engine_on(config(tmp_path, sandbox, *several, source("shop", Script()))) as engine:
        assert (await ask(engine, "poll", source="desk"))["counts"]["new"] == 2
        listed = await ask(engine, "checkpoint.list", source="desk")
        assert [each["source"] for each in listed] == ["desk/ada", "desk/bob"]
        assert (await ask(engine, "pause", names=["desk", "desk/ada"]))["names"] == ["desk/ada", "desk/bob"]
        assert [engine.sources[name].paused for name in engine.sources] == [True, True, False]
        failed = await ask(engine, "poll", source="desk")
        assert {name: "is paused" in words for name, words in failed["problems"].items()} == dict.fromkeys(
            scripts, True
        )
        assert (await ask(engine, "resume", names=["desk"]))["names"] == ["desk/ada", "desk/bob"]


@pytest.mark.parametrize(
    ("verb", "args"), [("checkpoint.reset", {}), ("preview", {}), ("checkpoint.set", {"part": "p", "value": "0"})]
)
async def test_what_concerns_one_source_asks_which_one_of_an_entry(
    sandbox: Sandbox, tmp_path: Path, verb: str, args: dict[str, Any]
) -> None:
    several = [source(name, Script(), expanded_from="desk") for name in ("desk/ada", "desk/bob")]
    async with engine_on(config(tmp_path, sandbox, *several)) as engine:
        with pytest.raises(ControlError, match="desk stands for several sources") as caught:
            await ask(engine, verb, source="desk", **args)
        assert caught.value.hint == "name one: desk/ada, desk/bob"


async def test_the_sending_is_paused_by_a_verb_of_its_own_and_no_names_are_no_sending(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(batch("1"))))
    async with engine_on(settings) as engine:
        await engine.sources.drain("desk")
        await ask(engine, "sending.pause")
    async with engine_on(settings) as engine:
        engine.start(polling=False)
        await ask(engine, "resume", running=True, names=[])
        found = await ask(engine, "status", running=True)
        assert found["sender"]["state"] == "halted"
        assert "paused by an operator" in found["sender"]["because"]
        await ask(engine, "sending.resume", running=True)
        await ask(engine, "pause", running=True, names=[])
        await eventually(lambda: sandbox.stats()["applied"] == 1)


async def test_a_poll_says_what_came_in_and_which_parts_failed(sandbox: Sandbox, tmp_path: Path) -> None:
    script = Script(batch("1", "2", problems=[Problem(part="q", reason="gone")]))
    async with engine_on(config(tmp_path, sandbox, source("desk", script))) as engine:
        found = await ask(engine, "poll", running=True, source="desk")
        assert found["counts"] == {"read": 2, "mapped": 2, "activities": 2, "new": 2}
        assert found["problems"] == {"q": "gone"}
        script.steps.append(RuntimeError("a bug"))
        with pytest.raises(ControlError, match="RuntimeError: a bug"):
            await ask(engine, "poll", running=True, source="desk")
        with pytest.raises(ControlError, match="there is no source 'shop'"):
            await ask(engine, "poll", running=True, source="shop")


# Sources.


async def test_a_renamed_source_goes_on_where_it_was(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(batch("1"))))
    async with engine_on(settings) as engine:
        await engine.sources.drain("desk")
        await ask(engine, "source.rename", old="desk", new="shop")
    script = Script()
    async with engine_on(with_sources(settings, source("shop", script))) as engine:
        assert engine.sources["shop"].uid == "desk"
        await engine.sources.drain("shop")
        assert script.cursors == [{"p": "1"}]


async def test_a_dropped_source_takes_what_waits_with_it(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1", "2")) as engine:
        assert await ask(engine, "source.drop", name="desk") == {"dropped": 2}
        assert await ask(engine, "checkpoint.list") == []
        assert (await ask(engine, "audit"))["ok"]
        with pytest.raises(ControlError, match="nothing is stored"):
            await ask(engine, "source.drop", name="desk")


# Rejects.

BAD = Batch(
    records=[record("1", account=""), record("2", account=""), record("", account="Ltd"), record("4")],
    rejects=[Unreadable(position="line 5", raw=b"\xff", reason="not UTF-8")],
    cursor={"p": 1},
)


async def test_rejects_are_grouped_by_cause_or_listed_each(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, BAD) as engine:
        causes = await ask(engine, "rejects.list")
        assert (causes[0]["count"], causes[0]["kind"]) == (2, "invalid")
        each = await ask(engine, "rejects.list", each=True)
        assert sorted(line["position"] for line in each) == ["desk ", "desk 1", "desk 2", "line 5"]
        assert await ask(engine, "rejects.list", source="other") == []
        assert len(await ask(engine, "rejects.list", each=True, limit=1)) == 1


async def numbers(engine: Engine) -> dict[str, int]:
    return {line["position"]: line["id"] for line in await ask(engine, "rejects.list", each=True)}


async def test_a_reject_is_shown_with_its_record_and_its_reasons(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, BAD) as engine:
        known = await numbers(engine)
        shown = await ask(engine, "rejects.show", number=known["desk 1"])
        assert shown["record"] == {"id": "1", "account": ""}
        assert list(shown["reasons"]) == ["account"]
        raw = await ask(engine, "rejects.show", number=known["line 5"])
        assert (raw["record"], raw["kind"]) == ("\\xff", "unreadable")
        with pytest.raises(ControlError, match="there is no reject 999"):
            await ask(engine, "rejects.show", number=999)


async def test_retrying_with_another_mapping_turns_a_reject_into_an_activity(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(BAD)))
    async with engine_on(settings) as engine:
        await engine.sources.drain("desk")
        again = await ask(engine, "rejects.retry", numbers=[])
        assert (again["still_rejected"], again["kept"]) == (2, 2)
    lenient = {**ACTIVITY, "account": "{{ record.account or 'Unknown' }}"}
    async with engine_on(with_sources(settings, source("desk", Script(), activity=lenient))) as engine:
        one = (await numbers(engine))["desk 1"]
        assert (await ask(engine, "rejects.retry", numbers=[one]))["counts"]["new"] == 1
        assert (await ask(engine, "rejects.retry", numbers=[], source="desk"))["counts"]["new"] == 1
        assert sorted(await numbers(engine)) == ["desk ", "line 5"]
        engine.start(polling=False)
        await eventually(lambda: sandbox.stats()["applied"] == 3)
        assert (await engine.ledger.read(books.audit)).ok


async def test_a_record_without_a_key_is_never_sent_by_its_position(sandbox: Sandbox, tmp_path: Path) -> None:
    keyless = Batch(records=[Record(key="", data={"id": "1", "account": "Acme"}, position="line 1")], cursor={"p": 1})
    activity = {name: value for name, value in ACTIVITY.items() if name != "reference"}
    async with polled(tmp_path, sandbox, keyless, activity=activity) as engine:
        assert await ask(engine, "rejects.retry", numbers=[]) == {"counts": {}, "kept": 1, "still_rejected": 0}
        [line] = await ask(engine, "rejects.list", each=True)
        assert line["reasons"] == {"": NO_KEY}


async def test_what_has_lost_its_source_is_kept_by_a_retry(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(BAD)))
    async with engine_on(settings) as engine:
        await engine.sources.drain("desk")
    async with engine_on(replace(settings, sources={})) as engine:
        found = await ask(engine, "rejects.retry", numbers=[])
        assert (found["counts"], found["still_rejected"]) == ({}, 0)
        assert found["kept"] == sum(line["count"] for line in await ask(engine, "rejects.list"))


async def test_what_the_receiver_refused_is_sent_once_more_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add(kind="status", status=422, body=REFUSAL, next=1)
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        engine.start(polling=False)
        await eventually(lambda: engine.sender.state().refused == 1 and engine.sender.state().unsettled == 0)
        [line] = await ask(engine, "rejects.list", each=True)
        assert (line["kind"], line["reference"]) == ("refused", "t-1")
        found = await ask(engine, "rejects.retry", numbers=[line["id"]], running=True)
        assert found["counts"] == {"remapped": 1, "mapped": 1, "activities": 1, "unchanged": 1, "requeued": 1}
        await eventually(lambda: sandbox.stats()["applied"] == 1)
        # what is applied over there is settled here a moment later
        while await ask(engine, "rejects.list"):  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.01)


async def test_a_dropped_reject_is_gone_and_what_was_refused_with_it_stays_refused(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(kind="status", status=422, body=REFUSAL)
    async with polled(tmp_path, sandbox, BAD) as engine:
        engine.start(polling=False)
        await eventually(lambda: engine.sender.state().refused == 1 and engine.sender.state().unsettled == 0)
        assert await ask(engine, "rejects.drop", reason="test orders") == {"dropped": 5}
        assert await ask(engine, "rejects.list") == []
        assert await row_state(engine, "t-4") == "refused"
        assert (await ask(engine, "audit"))["ok"]


# How things stand.


async def test_status_tells_of_sources_outbox_sender_and_trouble(sandbox: Sandbox, tmp_path: Path) -> None:
    bad = source("bad", Script(RuntimeError("a bug")))
    settings = config(tmp_path, sandbox, source("desk", Script(batch("1", "2"))), bad)
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await eventually(lambda: sandbox.stats()["applied"] == 2)
        await eventually(lambda: engine.sources["bad"].poller.health.condition is Condition.HELD)
        await eventually(lambda: engine.sender.state().delivered == 2)
        await eventually(lambda: engine.sources["desk"].poller.health.condition is Condition.IDLE)
        await eventually(lambda: engine.sender.state().unsettled == 0)
        found = await ask(engine, "status", running=True)
        by_name = {each["source"]: each for each in found["sources"]}
        assert (by_name["desk"]["condition"], by_name["desk"]["read"], by_name["desk"]["delivered"]) == ("idle", 2, 2)
        assert by_name["bad"]["condition"] == "held"
        assert found["sender"]["state"] == "open"
        [trouble] = found["trouble"]
        assert (trouble["what"], trouble["words"]) == ("source bad", "RuntimeError: a bug")
        assert "reload" in trouble["hint"]
        assert "2 sources, 1 ok; bad held since" in found["summary"]
        assert found["summary"].endswith("outbox 0")


async def test_status_without_a_daemon_tells_what_is_stored(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        broken = BrokenPlugin(name="p", distribution="d", version="1", reason="no such module")
        engine.config = replace(engine.config, broken={"other": broken})
        found = await ask(engine, "status")
        assert "no daemon runs" in found["summary"]
        assert (found["outbox"], found["sender"]) == ({"pending": 1}, {})
        assert found["sources"][0]["condition"] == "stopped"
        assert "no such module" in found["trouble"][0]["words"]
        engine.config = replace(engine.config, sources={})
        assert (await ask(engine, "status"))["sources"][0]["condition"] == "removed"


async def test_status_and_metrics_tell_blind_from_silent_until_that_is_over(sandbox: Sandbox, tmp_path: Path) -> None:
    both = [source("shop", Script(), freshness=timedelta(seconds=1)), source("desk", Script(), schedule=EACH_SECOND)]
    settings, clock = config(tmp_path, sandbox, *both), HandClock()
    async with engine_on(settings, clock) as engine:
        engine.sources["desk"].poller.health.fail(
            Condition.UNAVAILABLE, clock.now(), error="no route to host", hint="mend it"
        )
        for _ in range(6):
            await clock.advance(60)
            await engine.sources.drain("shop")
            await engine.watch.look()
        found = await ask(engine, "status", running=True)
        shop, desk = (next(row for row in found["sources"] if row["source"] == name) for name in ("shop", "desk"))
        assert (shop["condition"], shop["alarm"]["kind"], shop["freshness"]) == ("silent", "silent", 1.0)
        assert (desk["condition"], desk["alarm"]["kind"], desk["freshness"]) == ("blind", "blind", None)
        assert desk["since"] == desk["alarm"]["since"]
        words = {each["what"]: (each["words"], each["hint"]) for each in found["trouble"]}
        assert re.fullmatch(r"blind since \S+ \S+: no route to host", words["source desk"][0])
        assert words["source desk"][1] == "mend it"
        assert re.fullmatch(r"silent since \S+ \S+: it can be read, but .*allows 1s", words["source shop"][0])
        assert "2 sources, 0 ok; " in found["summary"]
        assert re.search(r"desk blind since \S+.* \(no route to host\)", found["summary"])
        metrics = await ask(engine, "metrics", running=True)
        assert 'cgsync_source_alarm{alarm="blind",source="desk"} 1.0' in metrics
        assert 'cgsync_source_alarm{alarm="silent",source="desk"} 0.0' in metrics
        assert 'cgsync_source_alarm{alarm="silent",source="shop"} 1.0' in metrics
        assert 'cgsync_source_condition{condition="blind",source="desk"} 1.0' in metrics
        assert 'cgsync_source_freshness_seconds{source="shop"} 1.0' in metrics
        assert 'cgsync_source_freshness_seconds{source="desk"}' not in metrics
        stored = await ask(engine, "status")
        assert [each["words"].partition(" since ")[0] for each in stored["trouble"]] == ["was blind", "was silent"]
        assert [row["condition"] for row in stored["sources"]] == ["stopped", "stopped"]


# Trying.


async def test_preview_and_check_ask_the_real_source_and_receiver(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(
        tmp_path, sandbox, source("desk", Script(batch("1"), batch("1"))), source("bad", Script(SystemExit()))
    )
    async with engine_on(settings) as engine:
        [tried] = (await ask(engine, "preview", source="desk", count=1))["records"]
        assert tried["activities"][0]["reference"] == "t-1"
        found = await ask(engine, "check")
        assert [(each["what"], each["verdict"]) for each in found] == [
            ("receiver", "ok"), ("source desk", "ok"), ("source bad", "failed"),
        ]  # fmt: skip
        assert "SystemExit" in found[2]["seen"]
        assert sandbox.stats()["puts"] == 0
        with pytest.raises(ControlError, match="there is no source 'dsk'") as caught:
            await ask(engine, "preview", source="dsk")
        assert "desk" in caught.value.hint


async def test_a_source_whose_plugin_is_broken_says_why(sandbox: Sandbox, tmp_path: Path) -> None:
    broken = BrokenPlugin(name="p", distribution="d", version="1", reason="no such module")
    async with engine_on(config(tmp_path, sandbox, broken={"desk": broken})) as engine:
        with pytest.raises(ControlError, match="source desk: no such module"):
            await ask(engine, "preview", source="desk")
