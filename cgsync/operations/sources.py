"""Renaming and ending sources in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from cgsync.errors import ControlError
from cgsync.ledger import sources
from cgsync.operations.core import Core


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
