"""Worker processes: whatever a job does, the caller gets a value or a reason, and the next job is none the worse."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cgsync import memory
from cgsync.api import SourceUnavailable
from cgsync.formats import Malformed, Workers, decode_body, decode_settings
from tests.rig import eventually

JOBS = "tests.formats.jobs"
AUTO = decode_settings({})


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def pid_of(workers: Workers) -> int:
    """The process that rests, or a new one."""
    return int((await workers.run(f"{JOBS}:echo", b"", {}))["pid"])


async def announced(place: Path) -> int:
    await eventually(lambda: list(place.iterdir()), within=60)
    return int(next(place.iterdir()).name)


async def test_when_no_process_can_be_started_it_is_not_the_fault_of_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    async with Workers() as workers:
        with pytest.raises(SourceUnavailable, match="no process for decoding can be started"):
            await workers.decode(b"<a/>", AUTO)
        monkeypatch.undo()
        assert (await workers.decode(b"<a/>", AUTO)).document == {"a": None}


async def test_a_job_is_done_in_another_process_that_is_used_again() -> None:
    async with Workers() as workers:
        first = await workers.run(f"{JOBS}:echo", b"x" * 3_000_000, {"a": [1, "ü"]})
        assert first == {"pid": first["pid"], "size": 3_000_000, "options": {"a": [1, "ü"]}}
        assert first["pid"] != os.getpid()
        assert await pid_of(workers) == first["pid"]
    assert not alive(first["pid"])


async def test_what_the_function_refuses_comes_with_everything_it_says() -> None:
    async with Workers() as workers:
        pid = await pid_of(workers)
        with pytest.raises(Malformed) as caught:
            await workers.run(f"{JOBS}:refuse", b"\xff\x00", {})
        error = caught.value
        said = (error.message, error.hint, error.offset, error.line, error.raw)
        assert said == ("no such thing", "try another", 3, 2, b"\xff\x00")
        assert await pid_of(workers) == pid


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("fail", "the decoder failed with RuntimeError: a bug"),
        ("die", "the decoder died of it (SIGKILL)"),
        ("leave", "the decoder died of it (exit status 3)"),
        ("gorge", "decoding it takes more memory than is allowed"),
        ("nowhere", "the decoder failed with AttributeError"),
    ],
)
async def test_a_job_that_goes_wrong_has_a_reason_and_the_next_gets_a_fresh_process(job: str, words: str) -> None:
    async with Workers() as workers:
        pid = await pid_of(workers)
        with pytest.raises(Malformed) as caught:
            await workers.run(f"{JOBS}:{job}", b"some bytes", {})
        assert words in caught.value.message
        assert caught.value.raw == b"some bytes"
        assert await pid_of(workers) != pid
        assert not alive(pid)


@pytest.mark.parametrize("job", ["loop", "wait"])
async def test_a_job_that_never_ends_is_killed(job: str, tmp_path: Path) -> None:
    async with Workers(time=timedelta(seconds=5)) as workers:
        with pytest.raises(Malformed, match="decoding it takes longer than 5 seconds"):
            await workers.run(f"{JOBS}:{job}", b"", {"place": str(tmp_path)})
        pid = await announced(tmp_path)
        await eventually(lambda: not alive(pid), within=60)


async def test_a_process_that_is_killed_in_the_middle_of_a_job_has_a_reason(tmp_path: Path) -> None:
    async with Workers() as workers:
        job = asyncio.create_task(workers.run(f"{JOBS}:wait", b"", {"place": str(tmp_path)}))
        pid = await announced(tmp_path)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Malformed, match=r"the decoder died of it \(SIGKILL\)"):
            await job
        assert await pid_of(workers) != pid


async def test_a_process_that_was_killed_while_it_rested_is_not_used() -> None:
    async with Workers() as workers:
        pid = await pid_of(workers)
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(os.waitid, os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert await pid_of(workers) != pid


async def test_a_caller_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Workers(count=1) as workers:
        job = asyncio.create_task(workers.run(f"{JOBS}:loop", b"", {"place": str(tmp_path)}))
        pid = await announced(tmp_path)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert await pid_of(workers) != pid
        await eventually(lambda: not alive(pid), within=60)


@pytest.mark.parametrize("steps", range(12))
async def test_a_caller_can_be_cancelled_at_any_moment(steps: int) -> None:
    async with Workers(count=1) as workers:
        job = asyncio.create_task(workers.run(f"{JOBS}:echo", b"", {}))
        for _ in range(steps):
            await asyncio.sleep(0.02 if steps > 6 else 0)
        job.cancel()
        await asyncio.wait([job])
        assert await pid_of(workers)


async def test_leaving_ends_what_is_being_done(tmp_path: Path) -> None:
    workers = Workers()
    async with workers:
        job = asyncio.create_task(workers.run(f"{JOBS}:loop", b"", {"place": str(tmp_path)}))
        pid = await announced(tmp_path)
    assert not alive(pid)
    with pytest.raises(Malformed):
        await job


async def test_no_more_processes_than_allowed_are_at_work() -> None:
    async with Workers(count=2) as workers:
        answers = await asyncio.gather(*(workers.run(f"{JOBS}:echo", b"x" * n, {"n": n}) for n in range(200)))
    assert [(answer["size"], answer["options"]["n"]) for answer in answers] == [(n, n) for n in range(200)]
    assert 1 <= len({answer["pid"] for answer in answers}) <= 2


async def test_a_process_without_work_ends() -> None:
    async with Workers(idle=timedelta(milliseconds=100)) as workers:
        pid = await pid_of(workers)
        await eventually(lambda: not alive(pid), within=60)
        assert await pid_of(workers) != pid


async def test_what_a_library_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    async with Workers() as workers:
        assert await workers.run(f"{JOBS}:chat", b"", {}) == "an answer"
    assert "some more" in capfd.readouterr().err


async def test_a_process_does_not_inherit_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CG_CLIENT_SECRET", "a secret of the environment")
    async with Workers() as workers:
        names = await workers.run(f"{JOBS}:environment", b"", {})
    assert {name for name in names if not name.startswith(("LC_", "LD_"))} <= {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}


async def test_a_process_imports_nothing_of_the_network_or_the_ledger_or_its_owner() -> None:
    async with Workers() as workers:
        modules = await workers.run(f"{JOBS}:modules", b"", {})
    unused = {"aiohttp", "asyncio", "ssl", "sqlalchemy", "jinja2", "jsonpath", "cgsync.http"}
    assert not unused & set(modules)


async def test_after_a_small_job_the_look_for_cycles_is_small_too() -> None:
    """All that was imported takes ten times as long to look through as a letter takes to read."""
    async with Workers() as workers:
        assert await workers.run(f"{JOBS}:collected", b"", {}) < 1000


OWNER = """
import asyncio, sys
from cgsync.formats import Workers

async def main():
    async with Workers() as workers:
        await workers.run("tests.formats.jobs:echo", b"", {})
        await workers.run("tests.formats.jobs:" + sys.argv[1], b"", {"place": sys.argv[2]})

asyncio.run(main())
"""


@pytest.mark.parametrize("job", ["loop", "wait"])
async def test_a_process_ends_when_its_owner_was_killed(job: str, tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, job, str(tmp_path), cwd=root)
    pid = await announced(tmp_path)
    assert alive(pid)
    owner.kill()
    await owner.wait()
    await eventually(lambda: not running(pid), within=60)


def running(pid: int) -> bool:
    """Not even waiting to be reaped: it is not our child."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


DECODED: list[tuple[bytes, Any, str]] = [
    (b"<a><b>1</b></a>", {"a": {"b": "1"}}, "none"),
    (gzip.compress(b'[1,"\\u00fc"]'), [1, "ü"], "gzip"),
    (b'[{"a":1}]', [{"a": 1}], "none"),
    (
        json.dumps([{"id": 10**30, "text": "x" * 1000}] * 3000).encode(),
        [{"id": 10**30, "text": "x" * 1000}] * 3000,
        "none",
    ),
]


async def test_bodies_are_decoded() -> None:
    async with Workers() as workers:
        for body, document, compression in DECODED:
            decoded = await workers.decode(body, AUTO)
            assert (decoded.document, decoded.compression) == (document, compression)


async def test_rejects_come_back_as_they_are() -> None:
    async with Workers() as workers:
        packed = await workers.decode(gzip.compress(b"a,b\n1,2\n\xff\n4,5\n"), AUTO, content_type="text/csv")
        plain = await workers.decode(b"a,b\n1,2\n\xff\n4,5\n", AUTO, content_type="text/csv")
    assert packed.rejects == plain.rejects
    assert packed.rejects[0].raw == b"\xff\n"


async def test_what_is_refused_is_refused_in_the_same_words() -> None:
    async with Workers() as workers:
        for body in (b"<!DOCTYPE a><a/>", gzip.compress(b"<html><title>Sign in</title>"), b"hello"):
            with pytest.raises(Malformed, match=r"DOCTYPE|Sign in|hello"):
                await workers.decode(body, AUTO)


async def test_a_document_that_would_not_fit_into_memory_is_refused() -> None:
    async with Workers(memory=300 * 1024 * 1024) as workers:
        columns = ",".join(f"c{number}" for number in range(900))
        with pytest.raises(Malformed, match="more memory than is allowed"):
            await workers.decode(
                f"{columns}\n".encode() + b"," * 899 + (b"\n" + b"," * 899) * 40_000, AUTO, name="a.csv"
            )


@pytest.fixture
def collected_as_in_a_daemon() -> Iterator[None]:
    """A look for cycles goes through what was made since the start, and not through all that the tests have loaded."""
    before = gc.get_threshold()
    gc.collect()
    memory.settle()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("collected_as_in_a_daemon")
async def test_the_loop_goes_on_while_a_large_body_is_decoded() -> None:
    """What one turn of the loop waits for, in CPU time of this process: the machine may be busy with other things."""
    record = {"id": 1, "text": "x" * 200, "by": {"mail": "ann@acme.example"}, "tags": ["a", "b"]}
    body = json.dumps({"tickets": [record] * 60_000, "next": None}).encode()
    before = time.process_time()
    expected = decode_body(body, AUTO).document
    at_once, longest = time.process_time() - before, 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.process_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.process_time() - before)

    async with Workers() as workers:
        watching = asyncio.create_task(watch())
        decoded = await workers.decode(body, AUTO)
        watching.cancel()
    assert decoded.document == expected
    assert longest < at_once / 3
