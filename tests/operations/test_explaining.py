"""One reference explained by a whole engine: how far it came, what it waits for, where each field comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cgsync.api import SourceUnavailable
from cgsync.engine import Engine
from cgsync.health import Condition
from cgsync.ledger import Instant, forgetting, outbox, retention, sending, sources
from cgsync.ledger.forgetting import Person
from cgsync.ledger.freshness import Alarm, Kind
from cgsync.ledger.retention import Terms
from cgsync.model import Again, Allowance, Delivered, Outcome, Refused, Result
from cgsync.operations import carry
from cgsync.plugins import BrokenPlugin
from cgsync.sandbox import Sandbox
from tests.plant import core_of, polled, source, with_sources
from tests.rig import ACTIVITY, Script, batch, eventually, record

EDITED = {**ACTIVITY, "account": "{{ record.account | upper }}"}


async def explain(engine: Engine, reference: str = "t-1", *, running: bool = False) -> Any:
    found = await carry("explain", {"reference": reference}, core_of(engine, running=running))
    return msgspec.to_builtins(found, enc_hook=str)


async def words(engine: Engine, *, running: bool = False) -> list[str]:
    """What t-1 waits for."""
    return [each["words"] for each in (await explain(engine, running=running))["waits"]]


def now(engine: Engine) -> Instant:
    return Instant.of(engine.host.clock)


async def settle(engine: Engine, outcome: Outcome, retry_in: float = 0.0) -> None:
    """Have the version of t-1 that is due sent, with that outcome."""
    [due] = await engine.ledger.read(partial(outbox.due, now=now(engine), limit=1))
    result = Result(due=due, outcome=outcome, retry_in=timedelta(seconds=retry_in))
    work = partial(outbox.settle, results=[result], now=now(engine), settle_time=timedelta(seconds=120))
    await engine.ledger.write(work)


# Where it comes from.


async def test_each_field_has_its_expression_and_the_values_of_the_record(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        found = await explain(engine, "T-1")
    assert (found["reference"], found["state"], found["source"], found["record_key"]) == ("t-1", "pending", "desk", "1")
    assert (found["body"]["account"], found["record"]) == ("Acme", {"id": "1", "account": "Acme"})
    fields = {each.pop("field"): each for each in found["fields"]}
    assert list(fields) == ["reference", "account", "type", "source", "happened_at"]
    assert fields["reference"] == {
        "value": "t-1",
        "expression": "t-{{ record.id }}",
        "constant": False,
        "origins": [{"path": "record.id", "found": True, "value": "1"}],
    }
    assert fields["type"] == {"value": "Ticket", "expression": "Ticket", "constant": True, "origins": []}
    assert (found["notes"], found["today"]["outcome"]) == ([], "same")


@pytest.mark.parametrize(
    ("today", "outcome", "note"),
    [
        ({"activity": EDITED}, "other", "mapped today, it would differ in account"),
        (
            {"activity": {**ACTIVITY, "account": "{{ record.name }}"}},
            "rejected",
            "would reject it: account: there is no",
        ),
        ({"when": "{{ false }}"}, "nothing", "today's mapping leaves it out"),
        ({"when": "{{ true }}"}, "same", "of this activity that changes nothing"),
    ],
)
async def test_an_edit_of_the_mapping_is_told_and_the_expressions_stay_those_of_then(
    sandbox: Sandbox, tmp_path: Path, today: Mapping[str, Any], outcome: str, note: str
) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        await engine.reload(with_sources(engine.config, source("desk", Script(), fingerprint="2", **today)))
        found = await explain(engine)
    [said] = found["notes"]
    assert found["today"]["outcome"] == outcome
    assert note in said["words"]
    assert ("cgsync plan desk" in said["hint"]) == (outcome != "same")
    assert found["today"]["version"] != found["mapping_version"]
    assert {each["field"]: each["expression"] for each in found["fields"]}["account"] == "{{ record.account }}"


async def test_what_was_dropped_with_age_is_named_and_the_rest_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        await settle(engine, Delivered(status=200, data={"id": 7}))
        later = now(engine).wall + timedelta(days=1)
        terms = Terms(bodies=later - timedelta(days=9), records=later)
        await engine.ledger.write(partial(retention.take_away, rows=[1], terms=terms))
        found = await explain(engine)
        assert [each["words"] for each in found["notes"]] == ["the record was dropped with age (`retention:`)"]
        assert {each["field"]: each["value"] for each in found["fields"]}["account"] == "Acme"
        all_of_it = Terms(bodies=later, records=later)
        await engine.ledger.write(partial(retention.take_away, rows=[1], terms=all_of_it))
        found = await explain(engine)
    assert found["notes"][0]["words"] == "the body and the record were dropped with age (`retention:`)"
    assert (found["state"], found["answer"], found["body"]) == ("delivered", {"id": 7}, None)
    assert {each["field"]: each["expression"] for each in found["fields"]}["account"] == "{{ record.account }}"


# What it waits for.


async def test_without_a_daemon_nothing_is_sent(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("0", "1")) as engine:
        assert await words(engine) == ["no daemon runs", "due now in the lane live, behind 1 of desk"]
        await engine.ledger.write(partial(sending.pause, now=now(engine)))
        assert "sending was paused by an operator at" in (await words(engine))[1]


async def test_what_the_daemon_may_not_send_says_why_it_is_halted(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        assert await words(engine, running=True) == ["due now in the lane live, next of its source"]
        await engine.sending.pause()
        [first, second] = (await explain(engine, running=True))["waits"]
    assert first["words"].startswith("sending: halted, paused by an operator since")
    assert first["hint"] == "`cgsync resume --sending` ends that"
    assert second["words"].startswith("due now")


async def test_a_retry_says_when_and_a_newer_version_waits_for_the_older_request(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    newer = batch("1", at="2")
    newer = replace(newer, records=[record("1", "Other")])
    async with polled(tmp_path, sandbox, batch("1"), None, newer) as engine:
        await settle(engine, Again(reason="503: busy", status=503, doubt=True), retry_in=9)
        found = await explain(engine, running=True)
        [waits] = found["waits"]
        assert waits["words"] == "tried without success; it is sent again in"
        assert 0 < waits["seconds"] <= 9
        assert [(one["status"], one["reason"]) for one in found["tries"]] == [(503, "503: busy")]
        await engine.sources.drain("desk")
        found = await explain(engine, running=True)
        [waits] = found["waits"]
        assert "an older request may still be executed over there" in waits["words"]
        assert found["version"] == 2
        assert 60 < waits["seconds"] <= 120  # less what this machine took to get here


async def test_a_refusal_says_what_they_said_and_when_it_is_tried_again(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        await settle(engine, Refused(status=422, reasons={"account": "is unknown"}))
        found = await explain(engine, running=True)
        [reject], [waits] = found["rejects"], found["waits"]
        assert (found["state"], reject["kind"], reject["reasons"]) == ("refused", "refused", {"account": "is unknown"})
        assert waits["words"] == "refused by CustomerGauge; the same is tried once a day, next in"
        assert waits["hint"] == f"`cgsync rejects retry {reject['id']}` tries it at once"
        await carry("rejects.drop", {"reason": "a test"}, core_of(engine))
        found = await explain(engine, running=True)
        assert "not tried again before it changes at its source" in found["waits"][0]["words"]
        assert found["rejects"][0]["dropped_why"] == "a test"


async def test_what_is_held_says_by_whom_and_how_it_is_released(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        await engine.ledger.write(partial(outbox.hold, references=["t-1"]))
        [waits] = (await explain(engine))["waits"]
        assert (waits["words"], "cgsync outbox release t-1" in waits["hint"]) == ("held by hand", True)


async def test_what_the_guard_holds_says_why(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox) as engine:
        limited = Allowance(most_accounts=0)
        await engine.sources["desk"].intake.take(batch("1"), allowance=limited)
        [waits] = (await explain(engine))["waits"]
    assert waits["words"].startswith("held by the guard of desk: more than 0 new accounts in one run, 'Acme' the first")
    assert "`cgsync outbox release --source desk` all of them" in waits["hint"]


# The source.


async def test_a_source_that_is_not_read_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        await settle(engine, Delivered(status=200))
        assert await words(engine) == []
        await engine.ledger.write(partial(sources.pause, name="desk"))
        assert await words(engine) == ["source desk is paused: what changes there is not read"]
        await engine.ledger.write(partial(sources.retain, names=()))
        assert "is not in the configuration" in (await words(engine))[0]
        await engine.ledger.write(partial(sources.pause, name="desk", paused=False))
        await engine.ledger.write(partial(sources.retain, names={"desk"}))
        broken = BrokenPlugin(name="p", distribution="d", version="1", reason="no such module")
        engine.config = replace(engine.config, broken={"desk": broken})
        assert await words(engine) == ["source desk is broken: no such module"]


async def test_a_source_in_trouble_says_what_is_wrong(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1"), None, SourceUnavailable("no answer")) as engine:
        await settle(engine, Delivered(status=200))
        engine.start(polling=True)
        health = engine.sources["desk"].poller.health
        await eventually(lambda: health.condition is Condition.UNAVAILABLE)
        assert "source desk is unavailable: no answer" in (await words(engine, running=True))[0]
        health.alarm = Alarm(kind=Kind.BLIND, since=health.since, words="no answer at all")
        assert "source desk is blind: no answer at all" in (await words(engine, running=True))[0]


async def test_a_record_that_was_rejected_since_says_that_this_is_what_it_was_before(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    worse = replace(batch("1", at="2"), records=[record("1", "")])
    async with polled(tmp_path, sandbox, batch("1"), None, worse) as engine:
        await settle(engine, Delivered(status=200))
        await engine.sources.drain("desk")
        found = await explain(engine)
    assert [each["words"] for each in found["waits"]] == [
        "its record was read again since and rejected: this is what it was before"
    ]
    assert found["rejects"][0]["reasons"] == {"account": "is required"}


async def test_what_was_given_up_with_its_source_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1")) as engine:
        await engine.ledger.write(partial(sources.drop, name="desk", now=now(engine)))
        found = await explain(engine)
    assert (found["state"], found["waits"][0]["words"]) == ("dropped", "given up with its source")


# What was never stored.


@pytest.mark.parametrize("asked", ["t-2", "2"])
async def test_a_rejected_record_is_found_by_its_key_and_by_the_reference_it_would_have_had(
    sandbox: Sandbox, tmp_path: Path, asked: str
) -> None:
    unfit = replace(batch("1"), records=[record("1"), record("2", "")])
    async with polled(tmp_path, sandbox, unfit) as engine:
        found = await explain(engine, asked)
    assert (found["state"], [each["position"] for each in found["rejects"]]) == ("rejected", ["desk 2"])


async def test_the_key_of_the_record_will_do_where_one_reference_can_be_meant(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("1:a", "2:a", "2:b")) as engine:
        assert (await explain(engine, "1"))["reference"] == "t-1:a"
        several = await explain(engine, "2")
    assert (several["state"], several["near"]) == ("unknown", ["t-2:a", "t-2:b"])


async def test_of_an_unknown_one_the_nearest_are_named(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox, batch("4711", "4712")) as engine:
        found = await explain(engine, "t-471")
    assert (found["state"], found["near"], found["rejects"]) == ("unknown", ["t-4711", "t-4712"], [])


async def test_a_source_without_a_reference_of_its_own_is_asked_by_the_key_of_the_record(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    plain = {name: text for name, text in ACTIVITY.items() if name != "reference"}
    async with polled(tmp_path, sandbox, batch("7"), activity=plain) as engine:
        found = await explain(engine, "7")
    assert (found["reference"], found["state"]) == ("desk:7", "pending")
    assert (found["fields"][0]["field"], found["fields"][0]["expression"]) == ("reference", None)


async def test_what_was_forgotten_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    async with polled(tmp_path, sandbox) as engine:
        await engine.ledger.write(partial(forgetting.bar, who=Person(address="a@b.example"), now=now(engine)))
        found = await explain(engine, "A@b.example")
    assert (found["state"], found["forgotten_at"] is None) == ("forgotten", False)
