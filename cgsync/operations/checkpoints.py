"""How far sources were read, and setting that back or forth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from cgsync.api import Json
from cgsync.errors import ControlError
from cgsync.ledger import checkpoints
from cgsync.operations.core import Core


async def list_parts(core: Core, source: str | None = None) -> list[Mapping[str, Any]]:
    uids = [await core.uid(name) for name in core.standing_for(source)] if source else [None]
    found = [part for uid in uids for part in await core.ledger.read(partial(checkpoints.list_parts, source=uid))]
    return [{"source": each.name, "part": each.part, "value": each.value, "at": each.stored_at} for each in found]


async def set_part(core: Core, source: str, part: str, value: Json) -> Mapping[str, Any]:
    uid = await _stopped(core, source)
    await core.ledger.write(partial(checkpoints.set_part, source=uid, part=part, value=value, now=core.now()))
    return {}


async def reset(core: Core, source: str, part: str | None = None) -> Mapping[str, Any]:
    uid = await _stopped(core, source)
    return {"forgotten": await core.ledger.write(partial(checkpoints.reset, source=uid, part=part))}


async def _stopped(core: Core, source: str) -> str:
    """The uid, once it is sure that no poll is under way which would write its own cursor over ours."""
    if source in core.engine.sources and core.engine.sources[source].at_work:
        raise ControlError(
            f"source {source} runs, and would go on from where it is",
            hint=f"`cgsync pause {source}`, and afterwards `cgsync resume {source}`",
        )
    return await core.uid(source)
