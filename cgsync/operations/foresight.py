"""What an edit of the mapping would change, gathered record by record and field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cgsync.differences import differences
from cgsync.ledger.kept import Kept
from cgsync.ledger.outbox import Change, Foreseen
from cgsync.ledger.verdicts import cause_of
from cgsync.model import Reject


@dataclass(slots=True, kw_only=True)
class Foresight:
    """What was found so far. ``changes`` are the first ``limit`` of them, ``fields`` counts updates by field.

    ``accounts``: those that would be new, by how the receiver may compare them; ``causes``: of what would be rejected.
    """

    limit: int
    counts: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    changes: list[Mapping[str, Any]] = field(default_factory=list)
    causes: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def add(self, some: Kept, foreseen: Foreseen) -> None:
        """Take in what would become of some records."""
        self.counts["records"] += len(some.records)
        self.counts["without record"] += some.lost
        for reject in foreseen.rejects:
            self._reject(reject)
        for change in foreseen.changes:
            # a row of the same record may lie in another part of the ledger, where it is counted
            if change.key in some.rows or (not change.own and self._is_first(change.key)):
                self._change(change)
        self._leave(some, foreseen)

    def _leave(self, some: Kept, foreseen: Foreseen) -> None:
        """What stays as it is: because it is wanted so, or because no record asks for it any more."""
        changed = {change.key for change in foreseen.changes}
        rejected = {reject.identity for reject in foreseen.rejects}
        for key, record in some.rows.items():
            if key in foreseen.wanted.get(record, ()):
                self.counts["left alone"] += key not in changed
            elif record not in rejected:
                self.counts["no longer mapped"] += 1
                self._list(what="no longer mapped", reference=key)

    def _change(self, change: Change) -> None:
        what = "created" if change.before is None else "updated"
        fields = differences(change.before or b"{}", change.activity.body)
        self.counts[what] += 1
        self.counts["held until released"] += change.held
        if change.before:
            self.fields.update(fields.keys())
        self._list(what=what, reference=change.activity.reference, position=change.position, fields=fields)

    def _reject(self, reject: Reject) -> None:
        if not self._is_first(f"record {reject.identity}"):
            return
        self.counts["rejected"] += 1
        cause = self.causes.setdefault(cause_of(reject.reasons), {"count": 0, "example": reject.position})
        cause["count"] += 1
        self._list(what="rejected", reference=reject.reference, position=reject.position, reasons=dict(reject.reasons))

    def _is_first(self, name: str) -> bool:
        known = name in self._seen
        self._seen.add(name)
        return not known

    def _list(self, **change: Any) -> None:
        if len(self.changes) < self.limit:
            self.changes.append(change)
