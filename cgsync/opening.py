"""A source that is open for a while, and for how long it is left alone after it failed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from cgsync.api import Source
from cgsync.bounds import within
from cgsync.delivery import backoff
from cgsync.errors import SourceError, SourceUnavailable


@contextlib.asynccontextmanager
async def opened(
    open_source: Callable[[], AbstractAsyncContextManager[Source]], limit: timedelta
) -> AsyncIterator[Source]:
    """The source, open; what is raised in the block comes out, whatever the plugin's context manager makes of it."""
    kept: BaseException | None = None
    async with contextlib.AsyncExitStack() as stack:
        source = await within(limit, stack.enter_async_context(open_source()), "open")
        try:
            yield source
        except BaseException as error:
            kept = error
            raise
    if kept is not None:  # the plugin meant to keep it to itself, but it is ours to judge
        raise kept


def gap_after(error: SourceError, failures: int, random: Callable[[], float]) -> timedelta:
    """How long to leave it alone: as long as it asked for, else growing with the failures in a row."""
    asked = error.retry_after if isinstance(error, SourceUnavailable) else None
    if asked is None or asked < backoff.FIRST:  # so short a wait would only be another failure
        return backoff.half_jitter(failures, random)
    return asked
