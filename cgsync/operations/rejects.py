"""What was rejected: look at it, map it again, give it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from cgsync.errors import ControlError
from cgsync.ledger import Rejected, basis, rejects, retrials
from cgsync.ledger.rejects import Choice, Chosen
from cgsync.model import RejectKind, rejected
from cgsync.operations.core import Core
from cgsync.preparation import NO_KEY

PLAIN = ("id", "source", "kind", "position", "reference", "revision", "times", "first_at", "at")


async def list_rejects(core: Core, *, each: bool = False, limit: int = 1000, **which: Any) -> Any:
    listed = rejects.list_each if each else rejects.list_causes
    return await core.ledger.read(partial(listed, choice=_choice(which), limit=limit))


async def show(core: Core, number: int) -> Mapping[str, Any]:
    found = await core.ledger.read(partial(rejects.get, number=number))
    if found is None:
        raise ControlError(f"there is no reject {number}", hint="`cgsync rejects list --each` shows the numbers")
    return _readable(found)


async def drop(core: Core, *, reason: str, **which: Any) -> Mapping[str, Any]:
    """Give these rejects up (all, without a choice) for that reason."""
    work = partial(rejects.drop, now=core.now(), reason=reason, choice=_choice(which))
    return {"dropped": await core.ledger.write(work)}


async def retry(core: Core, **which: Any) -> Mapping[str, Any]:
    """Map the records of these rejects (all, without a choice) again; queue once more what the API refused."""
    chosen = await core.ledger.read(partial(rejects.chosen, choice=_choice(which)))
    by_source: dict[str, list[Chosen]] = {}
    for one in chosen:
        by_source.setdefault(one.uid, []).append(one)
    if by_source:
        await core.assemble()
    counts: Counter[str] = Counter()
    for uid, mine in by_source.items():
        counts += await _retry(core, uid, mine)
    kept = counts.pop("kept", 0)
    return {"counts": dict(counts), "kept": kept, "still_rejected": rejected(counts)}


async def _retry(core: Core, uid: str, chosen: Sequence[Chosen]) -> Counter[str]:
    """Try these again, which are of one source; ``kept`` are those that nothing can be done about."""
    refused = [one for one in chosen if one.kind is RejectKind.REFUSED]
    source = core.engine.sources.get(chosen[0].source)
    if source is None:
        return Counter(requeued=await _send_again(core, uid, refused), kept=len(chosen) - len(refused))
    mappable = [one for one in chosen if one.kind is RejectKind.INVALID and NO_KEY not in one.cause]
    counts = await source.retrial.again([one.number for one in [*mappable, *refused]])
    return counts + Counter(kept=len(chosen) - len(refused) - len(mappable))


async def _send_again(core: Core, uid: str, refused: Sequence[Chosen]) -> int:
    """Queue what was refused though nothing can map it: its source is not in the configuration any more."""
    numbers = [one.number for one in refused]
    noted = await core.ledger.read(partial(basis.noted, uid=uid))
    due = await core.ledger.write(partial(retrials.again, numbers=numbers, basis=noted, now=core.now()))
    core.engine.sender.offer(due)
    return len(due)


def _choice(which: Mapping[str, Any]) -> Choice:
    """What the command means; it says so as JSON can."""
    try:
        kind = which.get("kind")
        return Choice(**{**which, "kind": RejectKind(kind) if kind else None})
    except (TypeError, ValueError) as error:
        raise ControlError(f"rejects: {error}") from None


def told(reject: Rejected) -> Mapping[str, Any]:
    """The reject without its content."""
    return {
        **{name: getattr(reject, name) for name in PLAIN},
        "reasons": reject.reasons,
        "mapping": reject.mapping_version,
        "dropped_at": reject.dropped_at,
        "dropped_why": reject.dropped_why,
    }


def _readable(reject: Rejected) -> Mapping[str, Any]:
    """The reject with its bytes as what they are: JSON, or text."""
    raw = reject.kind is RejectKind.UNREADABLE
    return {
        **told(reject),
        "record": reject.record.decode("utf-8", "backslashreplace") if raw else _json(reject.record),
        "mapped": _json(reject.mapped),
    }


def _json(content: bytes | None) -> Any:
    return msgspec.json.decode(content) if content else None
