"""Trying sources and receiver for real, without consequences."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC
from functools import partial
from typing import Any

import structlog

from cgsync import cases
from cgsync.bounds import is_ending
from cgsync.cases import Recorded
from cgsync.config import Config
from cgsync.contract import Contract
from cgsync.errors import CgsyncError
from cgsync.ledger import sources
from cgsync.operations.backfills import moment
from cgsync.operations.core import Core, source_of
from cgsync.trial import Preview, Trial


async def preview(core: Core, source: str, count: int = 5) -> Preview:
    return await (await trial(core, await core.on_disk(), source)).preview(count)


async def online(core: Core) -> list[Mapping[str, Any]]:
    """Log in to the receiver and try every source, by the configuration as it is on disk now; one line each."""
    config = await core.on_disk()
    found = [await _tried("receiver", core.engine.sending.check(config.receiver))]
    return found + [
        await _tried(f"source {name}", (await trial(core, config, name)).online()) for name in config.sources
    ]


async def _tried(what: str, attempt: Any) -> Mapping[str, Any]:
    try:
        return {"what": what, "verdict": "ok", "seen": await attempt}
    except CgsyncError as error:
        return {"what": what, "verdict": "failed", "seen": str(error)}
    except BaseException as error:
        if is_ending():
            raise asyncio.CancelledError from error
        return {"what": what, "verdict": "failed", "seen": f"{type(error).__name__}: {error}"}


async def record(core: Core, source: str, count: int, since: str | None = None) -> Recorded:
    """What the source says now, to be kept as a test of the configuration."""
    config = await core.on_disk()
    meant = source_of(config, source)
    uid = await core.ledger.read(partial(sources.uid_of, name=source))
    return await cases.record(
        meant,
        uid=uid or source,
        contract=Contract(config.overlay),
        host=core.engine.host,
        log=structlog.get_logger(),
        count=count,
        since=moment(since, meant).astimezone(UTC) if since else None,
    )


async def trial(core: Core, config: Config, name: str) -> Trial:
    """The source of that name, ready to be tried."""
    uid = await core.ledger.read(partial(sources.uid_of, name=name))
    return Trial(
        source_of(config, name),
        uid=uid or name,
        contract=Contract(config.overlay),
        host=core.engine.host,
        log=structlog.get_logger(),
    )
