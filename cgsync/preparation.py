"""One record as its activities or as a reject, as the plan of its source has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cgsync.api import MAX_RAW, Record, Unreadable
from cgsync.contract import Contract
from cgsync.errors import RecordError
from cgsync.ledger import plain
from cgsync.mapping import Mapper, activity
from cgsync.model import MappedRecord, Reject, RejectKind

NO_KEY = "the record has no key, so it could never be recognised again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the records of one source become activities."""

    uid: str
    mapper: Mapper
    contract: Contract
    shared: bool = False
    forgeable_keys: bool = False
    new_accounts: int | None = None
    """so many may one run make before the rest of it is held; ``None``: what is usual"""

    def judge(self) -> str:
        """A digest of all that decides what becomes of a record."""
        return f"{self.mapper.judge()}-{self.contract.digest}-{int(self.shared)}"


def prepare(record: Record, plan: Plan) -> MappedRecord | Reject | None:
    """One record as its activities, as a reject, or ``None`` when the mapping leaves it out."""
    if not record.key:
        return invalid(record, {"": NO_KEY}, plan)
    if not is_comparable(record.revision):
        return invalid(record, {"": "its revision is a time without a zone"}, plan)
    body: Any = None
    try:
        activities = []
        for body in plan.mapper.map(record, plan.uid):
            if problems := plan.contract.problems(body):
                return invalid(record, problems, plan, body)
            activities.append(activity(body))
    except RecordError as error:
        return invalid(record, error.reasons, plan, body)
    return MappedRecord(record=record, activities=activities) if activities else None


def is_comparable(revision: int | datetime | None) -> bool:
    """Whether it can be told from other revisions which is the later; a time without a zone can be any."""
    return not isinstance(revision, datetime) or revision.tzinfo is not None


def invalid(record: Record, reasons: dict[str, str], plan: Plan, body: Any = None) -> Reject:
    return Reject(
        kind=RejectKind.INVALID,
        identity=record.key or record.position,
        position=record.position,
        record=plain.data(record.data),
        reasons=reasons,
        mapping_version=plan.mapper.version,
        mapped=plain.data(body) if body else None,
        revision=record.revision if is_comparable(record.revision) else None,
    )


def unreadable(item: Unreadable) -> Reject:
    return Reject(
        kind=RejectKind.UNREADABLE,
        identity=item.position,
        position=item.position,
        record=item.raw[:MAX_RAW],
        reasons={"": item.reason},
        mapping_version="",
    )
