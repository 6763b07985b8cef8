"""Running a test: what the source said is said again, without network, and mapped and checked as today."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cgsync.api import Log, Record, Unreadable
from cgsync.cases.folder import Case, Expected, read
from cgsync.clock import HeldClock
from cgsync.config import SourceConfig
from cgsync.contract import Contract
from cgsync.errors import ControlError
from cgsync.hosting import Host
from cgsync.http.cassette import Cassette, Replaying
from cgsync.secrets import Redactor
from cgsync.trial import Offered, Trial, Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of each record."""

    tried: Sequence[Tried]
    filtered: Mapping[str, int]

    def counts(self) -> Mapping[str, int]:
        """How many records there were, and what became of them."""
        verdicts = Counter(each.verdict for each in self.tried)
        return {
            "records": len(self.tried),
            "mapped": verdicts["activity"],
            "rejected": verdicts["invalid"] + verdicts["unreadable"],
            "left out": sum(self.filtered.values()),
        }

    def expected(self, before: Expected) -> Expected:
        """As it is written down; what the recording was bounded by stays."""
        rejects = [
            {"position": each.position, "key": each.key, "reasons": dict(each.reasons)}
            for each in self.tried
            if each.verdict in ("invalid", "unreadable")
        ]
        return Expected(
            activities=[dict(body) for each in self.tried if each.verdict == "activity" for body in each.activities],
            rejects=rejects,
            filtered=dict(self.filtered),
            count=before.count,
            since=before.since,
            until=before.until,
        )


async def replayed(
    case: Case, source: SourceConfig, expected: Expected, *, contract: Contract, redactor: Redactor, log: Log
) -> Outcome:
    """Raises :class:`cgsync.errors.CgsyncError` when the source asks what was not recorded, or fails otherwise."""
    with TemporaryDirectory(prefix="cgsync-test-") as scratch:
        cassette = Cassette.load(case.cassette) if case.cassette.exists() else Cassette()
        clock = HeldClock(cassette.recorded_at)
        host = Host(clock=clock, log=log, redactor=redactor, state_dir=Path(scratch))
        host.budgets.declare(_unbounded(source.options))
        wire = Replaying(cassette)
        trial = Trial(source, uid=source.name, contract=contract, host=host, log=log, window=expected.window, wire=wire)
        offered = await trial.offered(expected.count) if case.cassette.exists() else _from_records(case)
        tried = [trial.tried(item) for item in offered.items]
    filtered = Counter(offered.filtered)
    filtered["mapping"] += sum(each.verdict == "filtered" for each in tried)
    return Outcome(tried=tried, filtered={cause: count for cause, count in filtered.items() if count})


def _unbounded(options: Mapping[str, Any]) -> Mapping[str, float]:
    """The budget that the options name, at a rate that nothing waits for: no request leaves."""
    limit = options.get("rate_limit")
    return {limit["budget"]: 1e9} if isinstance(limit, Mapping) and "budget" in limit else {}


def _from_records(case: Case) -> Offered:
    content = read(case.records)
    try:
        items = [_item(each) for each in content["records"]]
        return Offered(items=items, filtered=content.get("filtered", {}), whole=True)
    except (KeyError, TypeError, ValueError) as error:
        hint = "record it anew with `cgsync test --record`"
        raise ControlError(f"{case.records} does not hold records: {error!r}", hint=hint) from None


def _item(kept: Mapping[str, Any]) -> Record | Unreadable:
    if "unreadable" in kept:
        raw = base64.b64decode(kept["unreadable"])
        return Unreadable(position=kept["position"], raw=raw, reason=kept["reason"])
    revision = datetime.fromisoformat(kept["revised_at"]) if "revised_at" in kept else kept.get("revision")
    return Record(key=kept["key"], position=kept["position"], data=kept["data"], revision=revision)
