"""A progress line for long one-shot work, on a terminal only."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from cgsync.engine import Engine


@contextlib.asynccontextmanager
async def watched(engine: Engine) -> AsyncIterator[None]:
    """Show what was taken in and what was delivered while the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    task = asyncio.create_task(_draw(engine))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _draw(engine: Engine) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("delivered"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=None)
        while True:
            state = engine.sender.state()
            done = state.delivered + state.refused
            progress.update(bar, completed=done, total=done + state.waiting, description=state.words)
            await asyncio.sleep(0.2)
