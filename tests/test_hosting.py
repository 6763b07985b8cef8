"""What the core lends to a source: secrets that are remembered, and a context made for it."""

from __future__ import annotations

import asyncio
import stat
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cgsync.api import Context, Window
from cgsync.clock import SystemClock
from cgsync.errors import PluginError, SourceMisconfigured
from cgsync.hosting import Host, SecretFiles
from cgsync.secrets import Redactor, Secret
from cgsync.testing import FakeClock, MemoryLog
from tests.plant import SCRIPT
from tests.tickets import desk_api


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


async def test_a_secret_is_remembered_and_never_printed(tmp_path: Path, redactor: Redactor) -> None:
    files = SecretFiles(tmp_path / "desk", redactor)
    assert files.get("token") is None
    await files.put("token", "first-token")
    await files.put("token", "second-token")
    assert SecretFiles(tmp_path / "desk", redactor).get("token") == Secret("second-token")
    assert redactor("first-token second-token") == "******** ********"


async def test_a_secret_read_back_is_masked_from_then_on(tmp_path: Path, redactor: Redactor) -> None:
    await SecretFiles(tmp_path / "desk", Redactor()).put("token", "kept-token")
    SecretFiles(tmp_path / "desk", redactor).get("token")
    assert redactor("kept-token") == "********"


async def test_a_secret_is_a_file_that_only_its_owner_reads(tmp_path: Path, redactor: Redactor) -> None:
    folder = tmp_path / "secrets" / "desk"
    await SecretFiles(folder, redactor).put("token", "a-token")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [(file.name, stat.S_IMODE(file.stat().st_mode)) for file in folder.iterdir()] == [("token.secret", 0o600)]


async def test_a_write_that_was_cut_short_leaves_the_old_secret(tmp_path: Path, redactor: Redactor) -> None:
    files = SecretFiles(tmp_path, redactor)
    await files.put("token", "old-token")
    (tmp_path / "token.secret.new").write_text("half a")
    assert files.get("token") == Secret("old-token")
    await files.put("token", "new-token")
    assert files.get("token") == Secret("new-token")


@pytest.mark.parametrize("name", ["../escape", "a/b", "..", ".", "token.secret.new", "Zürich\n"])
async def test_a_name_cannot_leave_the_folder(tmp_path: Path, redactor: Redactor, name: str) -> None:
    files = SecretFiles(tmp_path / "desk", redactor)
    await files.put(name, "some-secret")
    assert files.get(name) == Secret("some-secret")
    assert [each.name for each in tmp_path.iterdir()] == ["desk"]


async def test_two_names_never_share_a_file(tmp_path: Path, redactor: Redactor) -> None:
    files = SecretFiles(tmp_path, redactor)
    await files.put("a.new", "one-secret")
    await files.put("a", "other-secret")
    assert (files.get("a"), files.get("a.new")) == (Secret("other-secret"), Secret("one-secret"))


async def test_a_source_gets_its_context_and_the_window_of_a_backfill(tmp_path: Path, redactor: Redactor) -> None:
    seen: list[Context] = []

    @asynccontextmanager
    async def open_it(options: Any, context: Context) -> Any:
        seen.append(context)
        yield "source"

    clock = FakeClock()
    host = Host(clock=clock, log=MemoryLog(), redactor=redactor, state_dir=tmp_path)
    window = Window(start=clock.now(), end=clock.now())
    kind = replace(SCRIPT, open=open_it)
    async with host.open(kind, {}, name="support/ada", uid="support/ada", log=host.log, window=window) as source:
        assert source == "source"
    [context] = seen
    assert (context.name, context.window, context.clock) == ("support/ada", window, clock)
    await context.secrets.put("token", "a-token")
    assert (tmp_path / "secrets" / "support%2Fada" / "token.secret").exists()
    assert context.template("{{ 1 + 1 }}")() == 2
    async with context.http() as http:
        assert http is not None


async def test_sources_of_one_host_share_what_one_of_them_had_made(tmp_path: Path, redactor: Redactor) -> None:
    seen: list[list[str]] = []

    @asynccontextmanager
    async def open_it(options: Any, context: Context) -> Any:
        seen.append(context.shared(list))
        yield "source"

    for host in [Host(clock=FakeClock(), log=MemoryLog(), redactor=redactor, state_dir=tmp_path) for _ in range(2)]:
        for name in ("one", "other"):
            async with host.open(replace(SCRIPT, open=open_it), {}, name=name, uid=name, log=host.log):
                pass
    assert seen[0] is seen[1]
    assert seen[2] is seen[3]
    assert seen[0] is not seen[2]


async def test_an_open_that_is_no_context_manager_is_named(tmp_path: Path, redactor: Redactor) -> None:
    async def coroutine(options: Any, context: Context) -> None:
        return None

    host = Host(clock=FakeClock(), log=MemoryLog(), redactor=redactor, state_dir=tmp_path)
    for wrong in (lambda options, context: None, lambda options, context: [1]):
        with pytest.raises(PluginError, match=r"open\(\) of script returned .*, not an async context manager"):
            host.open(replace(SCRIPT, open=wrong), {}, name="desk", uid="desk", log=host.log)


async def test_sources_that_name_one_budget_never_exceed_it_together(tmp_path: Path, redactor: Redactor) -> None:
    contexts: list[Context] = []

    @asynccontextmanager
    async def open_it(options: Any, context: Context) -> Any:
        contexts.append(context)
        yield "source"

    host = Host(clock=SystemClock(), log=MemoryLog(), redactor=redactor, state_dir=tmp_path)
    host.budgets.declare({"desk": 20.0})
    for name in ("one", "other"):
        async with host.open(replace(SCRIPT, open=open_it), {}, name=name, uid=name, log=host.log):
            pass

    async def ask(context: Context, url: str) -> None:
        async with context.http(budget="desk") as http:
            for _ in range(5):
                await http.get(f"{url}/tickets")

    with desk_api() as desk:
        start = time.monotonic()
        await asyncio.gather(*(ask(context, desk.url) for context in contexts))
        assert len(desk.asked) == 10
        assert time.monotonic() - start >= 9 / 20 * 0.95
    with pytest.raises(SourceMisconfigured, match=r"no budget 'desc'.*there: desk"):
        contexts[0].http(budget="desc")
