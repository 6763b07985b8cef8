"""A refresh token that rotates outlives a process that is killed while it does."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.http.authority import Authority
from tests.http.refreshing import use

INSTANTS = [0.0003 * 1.3**number for number in range(30)]
"""Seconds between the server's answer and the kill: from before it is read until after the token was used."""


@pytest.fixture
def forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "tests.http.refreshing"])
    return context


async def test_a_working_token_is_at_hand_whenever_it_is_killed(
    authority: Authority, base: str, tmp_path: Path, forks: ForkServerContext
) -> None:
    """Each process goes on from what the killed one left; what is refused is never the end of it."""
    left, unused = 0, 0
    for instant in INSTANTS:
        calls = len(authority.calls)
        status = await killed(authority, forks, base, tmp_path, after=instant)
        left += status == -signal.SIGKILL
        unused += len(authority.calls) == calls
        assert await whole(forks, base, tmp_path) == 0
    assert left >= 10, "most were killed before their end"
    assert 0 < unused < len(INSTANTS), "some before the first use of the token, some after"
    assert len({form["refresh_token"] for form in authority.asked}) > len(INSTANTS), "it did rotate"


async def test_the_grant_itself_is_never_refused(
    authority: Authority, base: str, tmp_path: Path, forks: ForkServerContext
) -> None:
    """The fallback to the configured token was not what saved it: that one is long gone."""
    assert await whole(forks, base, tmp_path) == 0
    assert await whole(forks, base, tmp_path) == 0
    assert "refresh-0" not in authority.good
    await killed(authority, forks, base, tmp_path, after=0.001)
    assert await whole(forks, base, tmp_path) == 0


async def killed(
    authority: Authority, forks: ForkServerContext, base: str, folder: Path, *, after: float
) -> int | None:
    """The exit status of a process that is killed so long after the server's answer."""
    loop = asyncio.get_running_loop()
    process = forks.Process(target=use, args=(base, str(folder)))
    authority.answered = lambda: loop.call_later(after, kill, process) and None
    process.start()
    try:
        await asyncio.to_thread(process.join)
    finally:
        authority.answered = lambda: None
    return process.exitcode


async def whole(forks: ForkServerContext, base: str, folder: Path) -> int | None:
    process = forks.Process(target=use, args=(base, str(folder)))
    process.start()
    await asyncio.to_thread(process.join)
    return process.exitcode


def kill(process: BaseProcess) -> None:
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
