"""Keeping what a source says now: its answers where it speaks HTTP, else its records."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cgsync.api import Log, Record, Unreadable, Window
from cgsync.cases.folder import Case, write
from cgsync.clock import StoppedClock
from cgsync.config import SourceConfig
from cgsync.contract import Contract
from cgsync.errors import ControlError
from cgsync.hosting import Host
from cgsync.http.cassette import Cassette, Recording
from cgsync.secrets import Redactor
from cgsync.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is to be kept, as JSON-like data without secrets. ``exchanges`` are empty where no HTTP was spoken."""

    at: str
    exchanges: Sequence[Mapping[str, Any]] = ()
    records: Sequence[Mapping[str, Any]] = ()
    filtered: Mapping[str, int] = field(default_factory=dict)
    count: int | None = None
    since: str = ""
    until: str = ""


async def record(
    source: SourceConfig, *, uid: str, contract: Contract, host: Host, log: Log, count: int, since: datetime | None
) -> Recorded:
    """Read the source for real, from its beginning or from ``since``, until ``count`` records are there."""
    now = host.clock.now()
    window = None if since is None else Window(start=since, end=now)
    if window is not None and not source.type.windows:
        raise ControlError(f"source {source.name} cannot be asked for a time", hint="leave --since away")
    cassette = Cassette(recorded_at=now)
    trial = Trial(
        source,
        uid=uid,
        contract=contract,
        host=host,
        log=log,
        window=window,
        wire=Recording(cassette),
        clock=StoppedClock(now, host.clock),  # what a request says of the time, it says again when it is replayed
    )
    offered = await trial.offered(count)
    kept = [] if cassette.exchanges else [_kept(item) for item in offered.items]
    return Recorded(
        at=cassette.recorded_at.isoformat(),
        exchanges=cassette.exchanges,
        records=_without_secrets(kept, host.redactor),
        filtered=offered.filtered,
        count=None if offered.whole else len(offered.items),
        since=window.start.isoformat() if window else "",
        until=window.end.isoformat() if window else "",
    )


def keep(case: Case, recorded: Recorded) -> None:
    """Write it into the folder of the test, in place of what was there."""
    case.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    at = datetime.fromisoformat(recorded.at)
    if recorded.exchanges:
        case.records.unlink(missing_ok=True)
        Cassette(recorded_at=at, exchanges=[dict(each) for each in recorded.exchanges]).save(case.cassette)
        return
    case.cassette.unlink(missing_ok=True)
    content = {"recorded_at": recorded.at, "records": recorded.records, "filtered": recorded.filtered}
    write(case.records, content)


def _kept(item: Record | Unreadable) -> dict[str, Any]:
    if isinstance(item, Unreadable):
        raw = base64.b64encode(item.raw).decode()
        return {"position": item.position, "unreadable": raw, "reason": item.reason}
    kept: dict[str, Any] = {"key": item.key, "position": item.position, "data": item.data}
    if isinstance(item.revision, datetime):
        return {**kept, "revised_at": item.revision.isoformat()}
    return kept if item.revision is None else {**kept, "revision": item.revision}


def _without_secrets(records: Sequence[Mapping[str, Any]], redactor: Redactor) -> list[dict[str, Any]]:
    text = redactor(msgspec.json.encode(records).decode())
    found: list[dict[str, Any]] = msgspec.json.decode(text)
    return found
