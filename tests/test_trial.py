"""Trying a source: what would become of its records, and nothing else happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cgsync.api import Batch, Later, Record, Unreadable
from cgsync.contract import Contract
from cgsync.errors import PluginError
from cgsync.hosting import Host
from cgsync.secrets import Redactor
from cgsync.testing import FakeClock, MemoryLog
from cgsync.trial import Trial, Tried
from tests.plant import source
from tests.rig import Script, Settling, batch, record

MIXED = Batch(
    records=[record("1"), record("2", account=""), record("3", account="nobody")],
    rejects=[Unreadable(position="line 4", raw=b"\xffx", reason="not UTF-8")],
    cursor={"p": 4},
    done=["a.csv"],
)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    yield Host(clock=FakeClock(), log=MemoryLog(), redactor=Redactor(), state_dir=tmp_path / "state")
    assert not (tmp_path / "state").exists(), "a trial leaves nothing behind"


def trial(host: Host, script: Script) -> Trial:
    chosen = source("desk", script, when="{{ record.account != 'nobody' }}")
    return Trial(chosen, uid="desk", contract=Contract(), host=host, log=host.log)


async def test_a_preview_shows_record_beside_activity_beside_verdict(host: Host) -> None:
    script = Settling(MIXED)
    found = (await trial(host, script).preview(10)).records
    assert [tried.verdict for tried in found] == ["activity", "invalid", "filtered", "unreadable"]
    good, invalid, _, unreadable = found
    assert (good.key, good.record["account"], good.activities[0]["reference"]) == ("1", "Acme", "t-1")
    assert list(invalid.reasons) == ["account"]
    assert (unreadable.record, unreadable.reasons) == ("\\xffx", {"": "not UTF-8"})
    assert script.did == ["fetch"], "nothing is settled"
    assert script.open_now == 0


async def test_a_preview_shows_no_more_than_was_asked_for(host: Host) -> None:
    assert len((await trial(host, Script(MIXED)).preview(2)).records) == 2


@pytest.mark.parametrize("answer", [None, Later(after=timedelta(days=1))])
async def test_a_preview_of_nothing_is_empty(host: Host, answer: Any) -> None:
    assert (await trial(host, Script(answer)).preview(5)).records == []


async def test_a_source_that_gives_samples_is_asked_for_those(host: Host) -> None:
    class Sampling(Script):
        async def sample(self, n: int) -> Sequence[Record]:
            return [record(str(number)) for number in range(n)]

    found = (await trial(host, script := Sampling(MIXED)).preview(3)).records
    assert [tried.key for tried in found] == ["0", "1", "2"]
    assert script.did == []


async def test_an_online_check_asks_the_source_or_else_reads_once(host: Host) -> None:
    class Checking(Script):
        async def check(self) -> str:
            return "logged in as ada"

    assert await trial(host, Checking()).online() == "logged in as ada"
    assert "3" in await trial(host, Script(MIXED)).online()
    assert await trial(host, Script(None)).online()


async def test_a_dry_run_goes_through_all_that_comes_after_the_cursor(host: Host) -> None:
    seen: list[Tried] = []
    script = Settling(batch("1"), MIXED)
    await trial(host, script).dry_run({"p": "0"}, seen.append)
    assert [tried.verdict for tried in seen] == ["activity", "activity", "invalid", "filtered", "unreadable"]
    assert script.cursors == [{"p": "0"}, {"p": "1"}, {"p": 4}]
    assert script.settled == []


async def test_a_dry_run_ends_on_a_source_that_never_would(host: Host) -> None:
    same = Batch(records=[record("1")])
    with pytest.raises(PluginError, match="twice in a row"):
        await trial(host, Script(same, same, same)).dry_run({}, lambda _: None)
