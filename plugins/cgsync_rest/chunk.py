"""What is handed over at a time: records, what became none, and the position behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cgsync.api import MAX_RECORDS, Record, Unreadable
from cgsync_rest.drafts import Draft
from cgsync_rest.position import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """At most 500 records, and the position behind them."""

    records: Sequence[Record] = ()
    rejects: Sequence[Unreadable] = ()
    filtered: Mapping[str, int] = field(default_factory=dict)
    position: Position


class Gathering:
    """A chunk in the making. It is true when there is something to store."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._rejects: list[Unreadable] = []
        self._filtered: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._records or self._rejects)

    @property
    def is_full(self) -> bool:
        return max(len(self._records), len(self._rejects)) >= MAX_RECORDS

    def add(self, draft: Draft) -> None:
        """As a record, or as a reject where there is a reason for that."""
        if draft.reason:
            self._rejects.append(draft.unreadable())
        else:
            self._records.append(draft.record())

    def add_losses(self, rejects: Sequence[Unreadable], filtered: Mapping[str, int]) -> None:
        """What a page held beside its drafts: what cannot be read, and what was left out, by cause."""
        self._rejects.extend(rejects)
        for cause, count in filtered.items():
            self._filtered[cause] = self._filtered.get(cause, 0) + count

    def chunk(self, position: Position) -> Chunk:
        """All of it, with the position behind it; the next one begins empty."""
        made = Chunk(records=self._records, rejects=self._rejects, filtered=self._filtered, position=position)
        self._records, self._rejects, self._filtered = [], [], {}
        return made
