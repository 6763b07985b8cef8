"""What flows through the core: mapped records into the ledger, queued versions out of it, outcomes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cgsync.api import Cursor, Json, Record


class RejectKind(StrEnum):
    """Who refused: the decoder, our contract, or the receiving API."""

    UNREADABLE = "unreadable"
    INVALID = "invalid"
    REFUSED = "refused"


class State(StrEnum):
    """Where the desired version of an activity stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    HELD = "held"


class Lane(StrEnum):
    """Who goes first, in this order: what is live, what is tried again, what is caught up on."""

    LIVE = "live"
    RETRY = "retry"
    BACKFILL = "backfill"


LANES = tuple(Lane)
"""In the order of precedence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One activity as it will be sent. ``body`` is the exact JSON (keys sorted), ``digest`` its blake2b-128.

    ``account`` is the name in the body, which the receiver makes new when it does not know it.
    """

    reference: str
    body: bytes
    digest: bytes
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one run of a source may send before the rest of it is held; a limit that is ``None`` is none.

    ``versions`` and ``accounts`` count what it sent, and made new, so far. ``held``: why the rest of it is held.
    """

    most_versions: int | None = None
    most_accounts: int | None = None
    versions: int = 0
    accounts: int = 0
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRecord:
    """A record with all its activities (at least one): they are stored together or not at all."""

    record: Record
    activities: Sequence[Activity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A record that did not become an activity, and why: ``reasons`` maps a field (or "") to words.

    ``identity`` is the record's key, or for what has none its position: a later record with that identity which
    does pass takes the reject away. ``record`` is the record as JSON, or the raw bytes of what was unreadable.
    """

    kind: RejectKind
    identity: str
    position: str
    record: bytes
    reasons: Mapping[str, str]
    mapping_version: str
    mapped: bytes | None = None
    reference: str | None = None
    revision: int | datetime | None = None
    """of the record, so that one which is mapped again later never undoes a newer one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A mapped batch: all of it is stored in one transaction, or none."""

    source: str
    """uid of the source"""
    read: int
    """records in the batch, without the unreadable"""
    mapped: Sequence[MappedRecord]
    rejects: Sequence[Reject] = ()
    filtered: Mapping[str, int] = field(default_factory=dict)
    """records left out after they were read, by cause (`when`); they are part of ``read``"""
    left_out: Sequence[Record] = ()
    """those records: if one of them was rejected before, that is over too"""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """what the source itself left out before it became a record, by cause; not part of ``read``"""
    cursor: Cursor = field(default_factory=dict)
    done: Sequence[Json] = ()
    mapping_version: str = ""
    forgeable_keys: bool = False
    shared: bool = False
    remapped: bool = False
    """the records come from the ledger and are mapped again, not from the source"""
    lane: Lane = Lane.LIVE
    allowance: Allowance | None = None
    """what the run may send; ``None``: as much as there is, since an operator wants it"""
    basis: str = ""
    """all that the rejects were judged by: mapping, lookups"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A version that is to be sent, now or later. ``key`` is the normalised reference, unique in the ledger.

    ``seq`` is the number of its row, by which the ledger finds it again faster than by its key; 0 when unknown.
    ``source`` is the uid of the source that wants it.
    """

    key: str
    reference: str
    version: int
    body: bytes
    seq: int = 0
    source: str = ""
    lane: Lane = Lane.LIVE
    attempts: int = 0
    failing_for: float = 0.0
    """seconds since this version failed for the first time"""
    wait: float = 0.0
    """seconds until it may be sent: a request for an older version may still be executing"""
    refused_before: bool = False
    """this very version was refused and is tried once more: another refusal says nothing new about the mapping"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of a batch: rows for the sender, counts for the log line and the run, what the run still may.

    ``held``: keys of what is not to be sent for now, although an older version of it may wait in the sender.
    """

    due: Sequence[Due]
    counts: Mapping[str, int]
    held: Sequence[str] = ()
    allowance: Allowance | None = None


def rejected(counts: Mapping[str, int]) -> int:
    """How many records, of those counted, became no activity because of what they are."""
    return sum(counts.get(name, 0) for name in ("unreadable", "invalid", "conflict"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A 2xx of the documented shape. ``data`` is what the API answered (id, account_id, …)."""

    status: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Passing: send the same version again after ``after`` (``None``: our own backoff).

    ``counted``: the attempt counts against the row. ``doubt``: the request may still be executing over there, so a
    newer version waits for ``settle_time``. ``gate``: ``after`` holds for all workers, not for this row alone.
    """

    reason: str
    status: int | None = None
    after: timedelta | None = None
    counted: bool = True
    doubt: bool = False
    gate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The record's fault: ``reasons`` maps a field to the API's words."""

    status: int
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The set-up's fault: nothing is sent until a probe gets a 2xx. ``cause`` is one word (auth, forbidden, …)."""

    cause: str
    reason: str
    status: int | None = None
    probe_after: timedelta = timedelta(minutes=15)


Outcome = Delivered | Again | Refused | Paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one PUT of one version led to, on its way back to the ledger.

    ``retry_in`` is set for :class:`Again`: the time after which the row is due, backoff and jitter applied.
    """

    due: Due
    outcome: Outcome
    retry_in: timedelta = timedelta(0)
