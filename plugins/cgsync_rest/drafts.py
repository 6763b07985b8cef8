"""From the nodes of a page to records in the making: key, value, and why one is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cgsync.api import MAX_RAW, Record, SourceMisconfigured, Unreadable
from cgsync_rest.fields import field_of
from cgsync_rest.incremental import Incremental
from cgsync_rest.keys import Key
from cgsync_rest.page import Page
from cgsync_rest.pagers import shown
from cgsync_rest.partitions import Partition
from cgsync_rest.selection import Selection
from cgsync_rest.walk import Walk


@dataclass(slots=True, kw_only=True)
class Draft:
    """A record that is being made. ``reason``: why it becomes none. ``origin``: where it is from, for a person.

    ``left_out``: nothing is stored of it, but the position passes over it.
    """

    data: dict[str, Any]
    key: str = ""
    value: Any = None
    reason: str = ""
    left_out: bool = False
    origin: str = ""

    def record(self) -> Record:
        revision = self.value if isinstance(self.value, int | datetime) else None
        return Record(key=self.key, data=self.data, position=f"{self.key} of {self.origin}"[:300], revision=revision)

    def unreadable(self) -> Unreadable:
        raw = msgspec.json.encode(self.data, order="deterministic")
        name = self.key or raw[:60].decode("utf-8", "replace")
        return Unreadable(position=f"{name} of {self.origin}"[:300], raw=raw[:MAX_RAW], reason=self.reason)


@dataclass(slots=True, kw_only=True)
class Drafting:
    """What came of one page. ``filtered``: what was left out, by cause."""

    drafts: list[Draft] = field(default_factory=list)
    filtered: dict[str, int] = field(default_factory=dict)

    def leave_out(self, cause: str) -> None:
        self.filtered[cause] = self.filtered.get(cause, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafter:
    """``bounded``: what lies outside of the walk's span is not wanted, whatever the API sends. ``largest``: bytes."""

    selection: Selection
    key: Key
    incremental: Incremental | None
    largest: int
    bounded: bool = False

    def draft(self, page: Page, walk: Walk, partition: Partition) -> Drafting:
        """The records of a page; the walk learns of their values. Raises :class:`SourceMisconfigured`."""
        drafting = Drafting()
        for data in self.selection.records(page.nodes):
            included = {} if partition.included is None else {"parent": partition.included}
            draft = Draft(data={**data, **included}, origin=shown(page.answer.url))
            if self._is_wanted(draft, walk, partition, drafting):
                drafting.drafts.append(draft)
        return drafting

    def _is_wanted(self, draft: Draft, walk: Walk, partition: Partition, drafting: Drafting) -> bool:
        """Whether it is to be stored, or at least to be passed over by the position."""
        try:
            if not self._counts(draft, partition):
                drafting.leave_out("where")
                draft.left_out = True
            else:
                draft.key = self.key(draft.data, partition.variables())
        except SourceMisconfigured as error:
            draft.reason = error.message
        except ValueError as error:
            draft.reason = str(error)
        return self._measured(draft, walk, drafting)

    def _counts(self, draft: Draft, partition: Partition) -> bool:
        where = self.selection.where
        return where is None or where({**partition.variables(), "record": draft.data})

    def _measured(self, draft: Draft, walk: Walk, drafting: Drafting) -> bool:
        """Whether it lies where we look; its value is set."""
        incremental = self.incremental
        if incremental is None or incremental.scale is None:
            return not draft.left_out
        try:
            draft.value = incremental.scale.read(field_of(draft.data, incremental.field))
        except ValueError as error:
            if draft.left_out or draft.reason:
                return not draft.left_out
            return self._without_value(draft, incremental, drafting, str(error))
        walk.follow(draft.value, descending=incremental.order == "desc")
        return self._within(draft.value, walk)

    def _within(self, value: Any, walk: Walk) -> bool:
        since, end = walk.span.since, walk.span.end
        client = self.bounded or (self.incremental is not None and self.incremental.client)
        if client and since is not None and value < since:
            return False
        return not (self.bounded and end is not None and value >= end)

    def _without_value(self, draft: Draft, incremental: Incremental, drafting: Drafting, reason: str) -> bool:
        if incremental.on_missing == "fail":
            raise SourceMisconfigured(
                f"{draft.key} of {draft.origin}: {incremental.field}: {reason}",
                hint="correct `incremental: field` or `formats`, or say `on_missing: skip` or `include`",
            )
        if incremental.on_missing == "skip":
            drafting.leave_out(f"without {incremental.field}")
            return False
        return True

    def content(self, draft: Draft) -> bytes:
        """The record as JSON; one that is too large becomes a reject."""
        raw = msgspec.json.encode(draft.data, order="deterministic")
        if len(raw) > self.largest:
            draft.reason = f"it takes {len(raw)} bytes, at most {self.largest} are allowed (`limits: record`)"
        return raw
