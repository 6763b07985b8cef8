"""Progress lines for long work, on a terminal only."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

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


@contextlib.contextmanager
def followed() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yields what shows one look at a backfill: how much was read, stored, and sent of what was stored."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with _bar("sent") as progress:
        bar = progress.add_task("", total=None)

        def show(seen: Mapping[str, Any]) -> None:
            words = f"{seen['read']} read, {seen['stored']} stored"
            why = seen["error"] or ("paused" if seen["paused"] else seen["sender"])
            progress.update(
                bar,
                completed=seen["stored"] - seen["waiting"],
                total=seen["stored"] or None,
                description=f"{words} · {why}" if why else words,
            )

        yield show


def _bar(what: str) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


async def _draw(engine: Engine) -> None:
    with _bar("delivered") as progress:
        bar = progress.add_task("", total=None)
        while True:
            state = engine.sender.state()
            done = state.delivered + state.refused
            progress.update(bar, completed=done, total=done + state.waiting, description=state.words)
            await asyncio.sleep(0.2)
