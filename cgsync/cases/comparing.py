"""What differs between what a test expects and what becomes of its records today, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cgsync.cases.folder import Expected
from cgsync.cases.replaying import Outcome
from cgsync.differences import differences
from cgsync.mapping import compile_mapping
from cgsync.mapping.origins import Made, entry_of, made
from cgsync.mapping.spec import MappingSpec
from cgsync.trial import Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """``what`` is ``activity``, ``field``, ``reject`` or ``filtered``; ``None`` stands for nothing.

    ``subject`` is the reference, the position or the cause. ``expression`` made a field of what
    ``origins`` found; a constant has none.
    """

    what: str
    subject: str
    expected: Any = None
    got: Any = None
    expression: str = ""
    origins: Mapping[str, Any] = field(default_factory=dict)
    field: str = ""


def compared(expected: Expected, outcome: Outcome, spec: MappingSpec) -> list[Difference]:
    """All differences; none when everything is as it was."""
    today = outcome.expected(expected)
    return [
        *_activities(expected.activities, today.activities, _Origins(outcome.tried, spec)),
        *_rejects(expected.rejects, today.rejects),
        *_counts(expected.filtered, today.filtered),
    ]


class _Origins:
    """Knows which record each body was made of."""

    def __init__(self, tried: Sequence[Tried], spec: MappingSpec) -> None:
        self._spec = spec
        self._expressions = compile_mapping(spec).expressions()
        self._records = {body["reference"]: each.record for each in tried for body in each.activities}

    def of(self, body: Mapping[str, Any]) -> Mapping[str, Made]:
        record = self._records.get(body["reference"])
        entry = entry_of(self._expressions, body["reference"], record, self._spec)
        return {each.field: each for each in made(entry, body, record)}


def _activities(
    expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]], origins: _Origins
) -> Iterator[Difference]:
    before, after = _by_reference(expected), _by_reference(got)
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            yield Difference(what="activity", subject=key[0], expected=old, got=new)
        else:
            yield from _fields(key[0], old, new, origins)


def _by_reference(bodies: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Each body by its reference and its place among those of the same one."""
    seen: Counter[str] = Counter()
    found = {}
    for body in bodies:
        reference = str(body.get("reference", ""))
        found[reference, seen[reference]] = body
        seen[reference] += 1
    return found


def _fields(reference: str, old: Mapping[str, Any], new: Mapping[str, Any], origins: _Origins) -> Iterator[Difference]:
    changed = differences(msgspec.json.encode(old), msgspec.json.encode(new))
    sources = origins.of(new) if changed else {}
    for name, values in changed.items():
        source = sources.get(name)
        yield Difference(
            what="field",
            subject=reference,
            field=name,
            expected=values["old"],
            got=values["new"],
            expression=source.expression or "" if source and not source.constant else "",
            origins={each.path: each.value for each in source.origins} if source else {},
        )


def _rejects(expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    before = {each["position"]: each["reasons"] for each in expected}
    after = {each["position"]: each["reasons"] for each in got}
    for position in [*before, *(each for each in after if each not in before)]:
        old, new = before.get(position), after.get(position)
        if old != new:
            yield Difference(what="reject", subject=position, expected=old, got=new)


def _counts(expected: Mapping[str, int], got: Mapping[str, int]) -> Iterator[Difference]:
    for cause in sorted({*expected, *got}):
        if expected.get(cause, 0) != got.get(cause, 0):
            yield Difference(what="filtered", subject=cause, expected=expected.get(cause, 0), got=got.get(cause, 0))
