"""The metrics: what each line says in states that are known, and that no label comes from a record."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import cgsync
from cgsync.api import Batch
from cgsync.errors import SourceUnavailable
from cgsync.health import Condition
from cgsync.metrics import GATES, Metrics
from cgsync.sandbox import Sandbox
from tests.plant import config, engine_on, source
from tests.rig import ACTIVITY, Script, batch, eventually, record

STRANGE = 'a "quoted" \\ name'
LABELS = {
    "source", "entry", "equation", "state", "lane", "kind", "condition", "gate", "outcome", "version", "alarm",
}  # fmt: skip
"""All names of labels that there are."""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


def figures(text: str) -> dict[str, float]:
    """Each line by what stands before its number."""
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def labels(text: str) -> dict[str, set[str]]:
    """Name of each label of ours → its values."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name.startswith("cgsync_") else ():
            for name, value in sample.labels.items():
                found.setdefault(name, set()).add(value)
    return found


def of(found: dict[str, float], name: str) -> dict[str, float]:
    """The figures of that name by the values of their labels, those of the source left out."""
    mine = {key: value for key, value in found.items() if key.partition("{")[0] == f"cgsync_{name}"}
    return {",".join(re.findall(r'(?<!source)="([^"]*)"', key)): value for key, value in mine.items()}


async def test_what_waits_is_told_by_state_and_lane_and_what_was_rejected_by_kind(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    mixed = Batch(records=[record("1"), record("2"), record("3", account="")], cursor={"p": 1})
    async with engine_on(config(tmp_path, sandbox, source("desk", Script(mixed)))) as engine:
        await engine.sources.drain("desk")
        found = figures(await Metrics(engine).text())
    assert of(found, "outbox") == {"pending": 2, "refused": 0, "held": 0}
    assert of(found, "outbox_waiting") == {"live": 2}
    assert of(found, "rejects") == {"invalid": 1}
    books = of(found, "books_total")
    assert (books["read"], books["mapped"], books["invalid"], books["new"]) == (3, 2, 1, 2)
    assert not any(of(found, "books_difference").values())
    assert 0 <= found["cgsync_outbox_overdue_seconds"] < 60


async def test_what_was_sent_is_told_of_the_sender(sandbox: Sandbox, tmp_path: Path) -> None:
    async with engine_on(config(tmp_path, sandbox, source("desk", Script(batch("1", "2"))))) as engine:
        engine.start(polling=True)
        await eventually(lambda: engine.sender.state().delivered == 2 and engine.sender.state().unsettled == 0)
        found = figures(await Metrics(engine).text())
    assert found["cgsync_sender_puts_total"] == 2
    assert of(found, "sender_outcomes_total") == {"delivered": 2, "refused": 0, "again": 0}
    assert of(found, "sender_gate") == {gate: float(gate == "open") for gate in GATES}
    assert (found["cgsync_sender_in_flight"], found["cgsync_sender_rows"]) == (0, 0)
    assert found["cgsync_sender_pace"] == pytest.approx(1000, rel=0.01)
    assert found["cgsync_sender_tokens_total"] == 1
    assert found["cgsync_tasks"] >= 1
    assert found["process_open_fds"] > 0


async def test_a_gate_that_is_closed_is_told_as_the_one_that_it_is(sandbox: Sandbox, tmp_path: Path) -> None:
    async with engine_on(config(tmp_path, sandbox)) as engine:
        await engine.sending.pause()
        found = figures(await Metrics(engine).text())
    assert of(found, "sender_gate") == {gate: float(gate == "halted") for gate in GATES}


async def test_a_source_is_in_one_condition_and_tells_when_it_last_was_well(sandbox: Sandbox, tmp_path: Path) -> None:
    well, ill = source("well", Script()), source("ill", Script(SourceUnavailable("away")))
    async with engine_on(config(tmp_path, sandbox, well, ill)) as engine:
        engine.start(polling=True)
        await eventually(lambda: engine.sources["ill"].poller.health.condition is Condition.UNAVAILABLE)
        await eventually(lambda: engine.sources["well"].poller.health.last_success)
        found = figures(await Metrics(engine).text())
    for name in ("well", "ill"):
        stood = [value for key, value in found.items() if "condition=" in key and f'source="{name}"' in key]
        assert sorted(stood) == [*[0.0] * (len(Condition) - 1), 1.0]
    assert found['cgsync_source_condition{condition="unavailable",source="ill"}'] == 1
    assert found['cgsync_source_last_success_timestamp_seconds{source="well"}'] > 1e9
    assert 'cgsync_source_last_success_timestamp_seconds{source="ill"}' not in found


async def test_the_ledger_its_disk_and_its_copies_are_told(sandbox: Sandbox, tmp_path: Path) -> None:
    async with engine_on(config(tmp_path, sandbox)) as engine:
        found = figures(await Metrics(engine).text())
        assert found["cgsync_ledger_size_bytes"] == engine.ledger.size
    assert found["cgsync_disk_free_bytes"] > 0
    assert (found["cgsync_disk_room"], found["cgsync_backup_failed"]) == (0, 0)
    assert "cgsync_backup_timestamp_seconds" not in found
    assert found[f'cgsync_build_info{{version="{cgsync.__version__}"}}'] == 1


async def test_without_a_daemon_only_what_is_stored_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    async with engine_on(config(tmp_path, sandbox, source("desk", Script(batch("1"))))) as engine:
        await engine.sources.drain("desk")
        found = figures(await Metrics(engine, running=False).text())
    assert of(found, "outbox")["pending"] == 1
    of_a_process = ("cgsync_sender", "cgsync_source", "cgsync_tasks", "process")
    assert not [name for name in found if name.startswith(of_a_process)]


async def test_a_strange_name_of_a_source_is_escaped(sandbox: Sandbox, tmp_path: Path) -> None:
    async with engine_on(config(tmp_path, sandbox, source(STRANGE, Script(batch("1"))))) as engine:
        await engine.sources.drain(STRANGE)
        text = await Metrics(engine).text()
    assert 'source="a \\"quoted\\" \\\\ name"' in text
    assert STRANGE in labels(text)["source"]


async def test_more_records_and_accounts_make_no_more_lines(sandbox: Sandbox, tmp_path: Path) -> None:
    def many(start: int, count: int) -> Batch:
        records = [record(f"k{n}", account=f"Account {n}") for n in range(start, start + count)]
        return Batch(records=[*records, record(f"bad{start}", account="")], cursor={"p": start + count})

    async with engine_on(config(tmp_path, sandbox, source("desk", Script(many(0, 1), many(100, 300))))) as engine:
        await engine.sources.drain("desk")
        text = await Metrics(engine).text()
    found = labels(text)
    assert found.keys() <= LABELS
    assert found["source"] == {"desk", "all"}
    assert not re.search(r"Account|k\d|bad\d", "".join(line for line in text.splitlines() if line[0] != "#"))
    assert len(figures(text)) < 150
    assert ACTIVITY["type"] not in text
