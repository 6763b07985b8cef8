"""What was rejected: look at it, map it again, give it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from cgsync.api import MAX_RECORDS, Batch, Record
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
    """Map the records of these rejects (all, without numbers) again; queue once more what the API refused."""
    chosen = await core.ledger.read(partial(rejects.select, numbers=numbers, source=source))
    mappable = [reject for reject in chosen if _is_mappable(core, reject)]
    if mappable and not core.running:
        await core.engine.assemble()
    counts: Counter[str] = Counter()
    for name in sorted({reject.source for reject in mappable}):
        counts.update(await _remap(core, name, [reject for reject in mappable if reject.source == name]))
    refused = [reject for reject in chosen if reject.kind is RejectKind.REFUSED]
    counts["requeued"] += await _send_again(core, [reject.id for reject in refused])
    kept = [reject for reject in chosen if reject not in mappable and reject not in refused]
    return {"counts": dict(+counts), "kept": len(kept), "still_rejected": counts["invalid"] + counts["conflict"]}


def _is_mappable(core: Core, reject: Rejected) -> bool:
    """Whether there is a record of a source at work; one without a key would go by its position for ever."""
    known = reject.source in core.config.sources and reject.kind is not RejectKind.UNREADABLE
    return known and bool(reject.record) and NO_KEY not in reject.reasons.values()


async def _remap(core: Core, name: str, chosen: Sequence[Rejected]) -> Counter[str]:
    records = {
        reject.identity: Record(key=reject.identity, data=msgspec.json.decode(reject.record), position=reject.position)
        for reject in chosen
    }
    counts: Counter[str] = Counter()
    for some in _chunks(list(records.values())):
        stored = await core.engine.sources[name].intake.take(Batch(records=some), remapped=True)
        counts.update(stored.counts)
    return counts


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    return (records[start : start + MAX_RECORDS] for start in range(0, len(records), MAX_RECORDS))


async def _send_again(core: Core, numbers: Sequence[int]) -> int:
    """Queue what is still refused, though nothing of it changed: perhaps the receiver knows the contact by now."""
    if not numbers:
        return 0
    keys = await core.ledger.read(partial(rejects.keys_of, numbers=numbers))
    count = await core.ledger.write(partial(outbox.retry, keys=keys, now=core.now()))
    if core.running:
        core.engine.sender.look()
    return count


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
