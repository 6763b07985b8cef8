"""What was rejected: look at it, map it again, give it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from cgsync.api import Batch, Record
from cgsync.errors import ControlError
from cgsync.intake import NO_KEY
from cgsync.ledger import Rejected, outbox, rejects
from cgsync.model import RejectKind
from cgsync.operations.core import Core


async def list_rejects(core: Core, *, source: str | None = None, each: bool = False, limit: int = 1000) -> Any:
    if each:
        return await core.ledger.read(partial(rejects.list_each, source=source, limit=limit))
    return await core.ledger.read(partial(rejects.list_causes, source=source, limit=limit))


async def show(core: Core, number: int) -> Mapping[str, Any]:
    found = await core.ledger.read(partial(rejects.get, number=number))
    if found is None:
        raise ControlError(f"there is no reject {number}", hint="`cgsync rejects list --each` shows the numbers")
    return _readable(found)


async def drop(core: Core, numbers: Sequence[int], source: str | None = None) -> Mapping[str, Any]:
    return {"dropped": await core.ledger.write(partial(rejects.drop, numbers=numbers, source=source))}


async def retry(core: Core, numbers: Sequence[int], source: str | None = None) -> Mapping[str, Any]:
    """Map the records of these rejects (all, without numbers) again; queue what the API refused once more."""
    chosen = await core.ledger.read(partial(rejects.select, numbers=numbers, source=source))
    counts: Counter[str] = Counter()
    refused = [reject.id for reject in chosen if reject.kind is RejectKind.REFUSED]
    if refused:
        keys = await core.ledger.read(partial(rejects.keys_of, numbers=refused))
        counts["requeued"] = await core.ledger.write(partial(outbox.retry, keys=keys, now=core.now()))
        if core.running:
            core.engine.sender.look()
    invalid = [
        reject for reject in chosen if reject.kind is RejectKind.INVALID and NO_KEY not in reject.reasons.values()
    ]
    if invalid and not core.running:
        await core.engine.assemble()
    for name in sorted({reject.source for reject in invalid}):
        counts.update(await _remap(core, name, [reject for reject in invalid if reject.source == name]))
    kept = len(chosen) - len(refused) - len(invalid)  # what was unreadable, and what would go by its position for ever
    return {"counts": dict(counts), "kept": kept, "still_rejected": counts["invalid"] + counts["conflict"]}


async def _remap(core: Core, name: str, chosen: Sequence[Rejected]) -> Mapping[str, int]:
    core.source(name)
    records = [
        Record(key=reject.identity, data=msgspec.json.decode(reject.record), position=reject.position)
        for reject in chosen
    ]
    stored = await core.engine.sources[name].intake.take(Batch(records=records), remapped=True)
    return stored.counts


def _readable(reject: Rejected) -> Mapping[str, Any]:
    """The reject with its bytes as what they are: JSON, or text."""
    raw = reject.kind is RejectKind.UNREADABLE
    return {
        **{name: getattr(reject, name) for name in ("id", "source", "kind", "position", "reference", "at")},
        "reasons": reject.reasons,
        "mapping": reject.mapping_version,
        "record": reject.record.decode("utf-8", "backslashreplace") if raw else _json(reject.record),
        "mapped": _json(reject.mapped),
    }


def _json(content: bytes | None) -> Any:
    return msgspec.json.decode(content) if content else None
