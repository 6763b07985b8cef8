"""What is done with a source as a whole: poll it now, let it rest, rename it, end it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from cgsync.bounds import is_ending
from cgsync.errors import CgsyncError, ControlError
from cgsync.ledger import sources
from cgsync.operations.core import Core


async def poll(core: Core, source: str) -> Mapping[str, Any]:
    """Poll it now and wait; counts of what came, and the parts that failed. Raises what the source failed with.

    Of an entry that stands for several each is polled; one that fails is a part that failed.
    """
    names = core.standing_for(source)
    if names == [source]:
        core.source(source)
    await core.assemble()
    if names == [source]:
        return await _polled(core, source)
    counts: Counter[str] = Counter()
    problems: dict[str, str] = {}
    for name, found in zip(names, await asyncio.gather(*(_tried(core, name) for name in names)), strict=True):
        counts.update(found["counts"])
        problems |= {f"{name} {part}".strip(): words for part, words in found["problems"].items()}
    return {"counts": counts, "problems": problems}


async def _tried(core: Core, source: str) -> Mapping[str, Any]:
    try:
        return await _polled(core, source)
    except CgsyncError as error:
        return {"counts": {}, "problems": {"": str(error)}}


async def _polled(core: Core, source: str) -> Mapping[str, Any]:
    try:
        drained = await core.engine.sources.poll(source)
    except CgsyncError:
        raise
    except BaseException as error:
        if is_ending():
            raise asyncio.CancelledError from error
        raise ControlError(f"{type(error).__name__}: {error}", hint="this is a bug of the plugin") from error
    return {"counts": drained.counts, "problems": drained.problems}


async def pause(core: Core, names: Sequence[str]) -> Mapping[str, Any]:
    """Let these rest; what was read of them is still sent."""
    return {"names": [await _done(core.engine.sources.pause, name) for name in _each(core, names)]}


async def resume(core: Core, names: Sequence[str]) -> Mapping[str, Any]:
    return {"names": [await _done(core.engine.sources.resume, name) for name in _each(core, names)]}


async def _done(work: Callable[[str], Awaitable[None]], name: str) -> str:
    await work(name)
    return name


def _each(core: Core, names: Sequence[str]) -> Sequence[str]:
    return list(dict.fromkeys(each for name in names for each in core.standing_for(name)))


async def rename(core: Core, old: str, new: str) -> Mapping[str, Any]:
    _idle(core, old, new)
    await core.ledger.write(partial(sources.rename, old=old, new=new))
    return {}


async def drop(core: Core, name: str) -> Mapping[str, Any]:
    _idle(core, name)
    return {"dropped": await core.ledger.write(partial(sources.drop, name=name, now=core.now()))}


def _idle(core: Core, *names: str) -> None:
    for name in names:
        if core.running and name in core.engine.sources:
            raise ControlError(
                f"source {name} runs", hint="take it out of the configuration and `cgsync reload`, or stop the daemon"
            )
