"""What a plugin's code is held to: a limit of time, and that a task which was told to end does end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from cgsync.errors import SourceUnavailable

T = TypeVar("T")


async def within(limit: timedelta, work: Awaitable[T], what: str) -> T:
    """The result of ``work``; raises :class:`SourceUnavailable` when it took longer than ``limit``."""
    timer = asyncio.timeout(limit.total_seconds())
    try:
        async with timer:
            result = await work
    except TimeoutError:
        if not timer.expired():  # the plugin's own, which it should have translated
            raise
        raise SourceUnavailable(f"{what} took longer than {limit.total_seconds():g} s and was cut off") from None
    if is_ending():  # the plugin swallowed that
        raise asyncio.CancelledError
    return result


def is_ending() -> bool:
    """Whether the task we are in was told to end; if not, a CancelledError is an error like any other."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
