"""What became of one reference, and whether the books balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cgsync.api import Record
from cgsync.contract import Contract
from cgsync.differences import differences
from cgsync.errors import CgsyncError
from cgsync.ledger import Audit, Explanation, books, history, key, sources
from cgsync.ledger.history import Traces
from cgsync.mapping import Frame, Made, MappingSpec, default_reference, entry_of, frame_of, made
from cgsync.model import Reject
from cgsync.operations.core import Core
from cgsync.operations.rejects import told
from cgsync.operations.waiting import Sentence, waits
from cgsync.preparation import Plan, prepare
from cgsync.running import plan_of

UNTOLD = {"mapping", "rejects"}
"""What is told in other words than the ledger's."""
NOTHING = MappingSpec(record_name="record", when=None, activities=(), timezone=ZoneInfo("UTC"))
AGE = "dropped with age (`retention:`)"


async def explain(core: Core, reference: str) -> Mapping[str, Any]:
    """All that is known of a reference, or of the only one that can be meant by the key of a record.

    Its ``state`` is ``rejected``, ``forgotten`` or ``unknown`` where it was never stored.
    """
    found = await core.ledger.read(partial(history.explain, reference=reference, now=core.now()))
    if found is None:
        traces = await _traces(core, reference)
        if traces.rejects or traces.forgotten_at or len(traces.meant) != 1:
            return _unknown(reference, traces)
        return await explain(core, traces.meant[0])
    plan = _plan(core, found)
    today = None if plan is None else _today(plan, found)
    return {
        **{each.name: getattr(found, each.name) for each in fields(found) if each.name not in UNTOLD},
        "mapped_first_at": found.mapping.first_at if found.mapping else None,
        "fields": _fields(core, found),
        "today": today,
        "rejects": [told(reject) for reject in found.rejects],
        "waits": await waits(core, found),
        "notes": _notes(found, today),
    }


async def audit(core: Core) -> Audit:
    return await core.ledger.read(books.audit)


# What was stored.


def _fields(core: Core, found: Explanation) -> Sequence[Made]:
    """Each field of the body with the expression and the values that it was made of."""
    if found.body is None and found.mapping is None:
        return []
    source = core.config.sources.get(found.source)
    expressions = found.mapping.expressions if found.mapping else {}
    spec = source.mapping if source else NOTHING
    return made(entry_of(expressions, found.reference, found.record, spec), found.body or {}, found.record)


def _plan(core: Core, found: Explanation) -> Plan | None:
    """How the record would be mapped today; ``None`` where its source is not configured."""
    if found.source in core.engine.sources:
        return core.engine.sources[found.source].plan
    source = core.config.sources.get(found.source)
    return None if source is None else plan_of(source, found.uid, Contract(core.config.overlay))


def _today(plan: Plan, found: Explanation) -> Mapping[str, Any]:
    """What today's mapping makes of the kept record: ``same``, ``other``, ``nothing``, ``rejected`` or ``unknown``."""
    version = plan.mapper.version
    if found.record is None or found.body is None:
        return {"version": version, "outcome": "unknown"}
    try:
        mapped = prepare(Record(key=found.record_key, data=found.record, position=found.position), plan)
    except CgsyncError as error:
        return {"version": version, "outcome": "unknown", "reasons": {"": str(error)}}
    if isinstance(mapped, Reject):
        return {"version": version, "outcome": "rejected", "reasons": mapped.reasons}
    wanted = key(found.reference)
    bodies = [each.body for each in mapped.activities if key(each.reference) == wanted] if mapped else []
    if not bodies:
        return {"version": version, "outcome": "nothing"}
    changed = differences(msgspec.json.encode(found.body), bodies[0])
    return {"version": version, "outcome": "other" if changed else "same", "fields": changed}


def _notes(found: Explanation, today: Mapping[str, Any] | None) -> list[Sentence]:
    """What is to be known of what is shown."""
    gone = [name for name in ("body", "record") if getattr(found, name) is None]
    notes = [Sentence(words=f"the {' and the '.join(gone)} {'were' if gone[1:] else 'was'} {AGE}")] if gone else []
    if found.mapping is None:
        notes.append(Sentence(words=f"what mapping {found.mapping_version} was made of is not remembered"))
    if today is not None:
        notes += _of_today(found, today)
    return notes


def _of_today(found: Explanation, today: Mapping[str, Any]) -> list[Sentence]:
    edited = f"the mapping was edited since ({found.mapping_version}, today {today['version']})"
    plan = f"`cgsync plan {found.source}` shows what that would change, `cgsync apply {found.source}` does it"
    match today["outcome"]:
        case "other":
            return [Sentence(words=f"mapped today, it would differ in {', '.join(today['fields'])}", hint=plan)]
        case "nothing":
            return [Sentence(words="today's mapping leaves it out; what was sent stays", hint=plan)]
        case "rejected":
            return [Sentence(words=f"today's mapping would reject it: {_words(today['reasons'])}", hint=plan)]
        case "same" if today["version"] != found.mapping_version:
            return [Sentence(words=f"{edited}; of this activity that changes nothing")]
        case "unknown" if today["version"] != found.mapping_version:
            return [Sentence(words=edited, hint=plan)]
    return []


def _words(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{field}: {words}" if field else words for field, words in reasons.items())


# What was never stored.


async def _traces(core: Core, reference: str) -> Traces:
    frames = await _frames(core)
    records = [reference, *(within for frame in frames if (within := frame.within(reference)))]
    guesses = [frame.around(reference) for frame in frames]
    return await core.ledger.read(partial(history.traces, reference=reference, records=records, guesses=guesses))


async def _frames(core: Core) -> list[Frame]:
    """What stands around the key in the references of each source: who asks may know the key alone."""
    uids = {each.name: each.uid for each in await core.ledger.read(sources.list_sources)}
    templates = [
        (uids.get(name, name), str(activity.get("reference") or ""))
        for name, source in core.config.sources.items()
        for activity in source.mapping.activities
    ]
    frames = [frame_of(text) if text else Frame(before=default_reference(uid, ""), after="") for uid, text in templates]
    return [frame for frame in frames if frame is not None]


def _unknown(reference: str, traces: Traces) -> Mapping[str, Any]:
    state = "forgotten" if traces.forgotten_at else "rejected" if traces.rejects else "unknown"
    return {
        "reference": reference,
        "state": state,
        "forgotten_at": traces.forgotten_at,
        "rejects": [told(reject) for reject in traces.rejects],
        "near": traces.meant or traces.near,
    }
