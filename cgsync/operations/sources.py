"""What is done with a source as a whole: poll it now, let it rest, rename it, end it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from cgsync.bounds import is_ending
from cgsync.errors import CgsyncError, ControlError
from cgsync.ledger import sources
from cgsync.operations.core import Core


async def poll(core: Core, source: str) -> Mapping[str, Any]:
    """Poll it now and wait; counts of what came, and the parts that failed. Raises what the source failed with."""
    core.source(source)
    await core.assemble()
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
    for name in names:
        await core.engine.sources.pause(name)
    return {}


async def resume(core: Core, names: Sequence[str]) -> Mapping[str, Any]:
    for name in names:
        await core.engine.sources.resume(name)
    return {}


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
