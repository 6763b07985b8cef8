"""What commands do: carried out by the daemon when one runs, else by the command itself under the ledger's lock."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cgsync.errors import ControlError
from cgsync.operations import (
    backfills,
    backup,
    checkpoints,
    checks,
    forgetting,
    history,
    outbox,
    plan,
    rejects,
    sending,
    sources,
    status,
)
from cgsync.operations.core import Core
from cgsync.operations.status import summary

__all__ = ["VERBS", "Core", "carry", "summary"]

Verb = Callable[..., Awaitable[Any]]

VERBS: Mapping[str, Verb] = {
    "status": status.status,
    "backup": backup.back_up,
    "metrics": status.metrics,
    "explain": history.explain,
    "audit": history.audit,
    "forget": forgetting.forget,
    "plan": plan.plan,
    "apply": plan.apply,
    "outbox.list": outbox.list_rows,
    "outbox.show": outbox.show,
    "outbox.hold": outbox.hold,
    "outbox.release": outbox.release,
    "rejects.list": rejects.list_rejects,
    "rejects.show": rejects.show,
    "rejects.retry": rejects.retry,
    "rejects.drop": rejects.drop,
    "checkpoint.list": checkpoints.list_parts,
    "checkpoint.set": checkpoints.set_part,
    "checkpoint.reset": checkpoints.reset,
    "poll": sources.poll,
    "pause": sources.pause,
    "resume": sources.resume,
    "sending.pause": sending.pause,
    "sending.resume": sending.resume,
    "backfill.start": backfills.start,
    "backfill.list": backfills.list_backfills,
    "backfill.show": backfills.show,
    "backfill.stop": backfills.stop,
    "source.rename": sources.rename,
    "source.drop": sources.drop,
    "preview": checks.preview,
    "check": checks.online,
    "record": checks.record,
}


async def carry(verb: str, args: Mapping[str, Any], core: Core) -> Any:
    """Carry out one verb; raises :class:`cgsync.errors.CgsyncError` when that cannot be done."""
    function = VERBS.get(verb)
    if function is None:
        raise ControlError(f"unknown command {verb!r}", hint="is the daemon older than this program? restart it")
    try:
        inspect.signature(function).bind(core, **args)
    except TypeError as error:
        raise ControlError(f"{verb}: {error}") from None
    return await function(core, **args)
