"""A preset at work: the real configuration, the real source, mapping and contract; only time and receiver are not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cgsync import config
from cgsync.api import Batch, Json
from cgsync.batches import advanced, check
from cgsync.contract import Contract
from cgsync.hosting import Host
from cgsync.mapping import compile_mapping
from cgsync.model import MappedRecord, Reject
from cgsync.preparation import Plan, prepare
from cgsync.secrets import Redactor
from cgsync.testing import FakeClock, MemoryLog
from tests.plugins.presets.api import Api

FIRST_POLL = datetime(2026, 3, 4, 8, tzinfo=UTC)
NEXT_POLL = datetime(2026, 3, 4, 10, tzinfo=UTC)
"""What an API's ``edit`` does happens at nine o'clock, between the two."""
RECEIVER = {"region": "eu", "client_id": "presets", "client_secret": "a secret of the receiver"}


@dataclass(slots=True, kw_only=True)
class Read:
    """What one poll brought, until the source had nothing more."""

    bodies: list[Json] = field(default_factory=list)
    rejected: dict[str, Mapping[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    cursor: Mapping[str, Json] = field(default_factory=dict)


class Reader:
    """A source that a preset fills in, over an API. ``changes`` are given in place of what the API would have."""

    def __init__(self, api: Api, folder: Path, **changes: Any) -> None:
        self._folder = folder
        self._address = api.url.encode()  # it has another port each time
        self._source = _source(api, folder, changes)
        self._plan = Plan(uid="tried", mapper=compile_mapping(self._source.mapping), contract=Contract())
        self.waited = 0.0
        """seconds of the last poll"""

    async def read(self, cursor: Mapping[str, Json] | None = None, *, now: datetime = FIRST_POLL) -> Read:
        """All that comes after the cursor, as a poll at that time would take it."""
        found, previous, clock, log = Read(cursor=cursor or {}), None, FakeClock(now), MemoryLog()
        host = Host(clock=clock, log=log, redactor=Redactor(), state_dir=self._folder / "state")
        begun = clock.monotonic()
        async with host.open(self._source.type, self._source.options, name="tried", uid="tried", log=log) as source:
            while isinstance(batch := await source.fetch(found.cursor), Batch):
                check(batch, found.cursor, previous)
                self._take(batch, found)
                found.cursor, previous = advanced(found.cursor, batch.cursor), batch
        self.waited = clock.monotonic() - begun
        return found

    def _take(self, batch: Batch, found: Read) -> None:
        assert not batch.rejects
        found.problems += [f"{each.part}: {each.reason}" for each in batch.problems]
        for record in batch.records:
            match prepare(record, self._plan):
                case MappedRecord(activities=activities):
                    found.bodies += [
                        msgspec.json.decode(each.body.replace(self._address, b"URL")) for each in activities
                    ]
                case Reject(reasons=reasons):
                    found.rejected[record.key] = reasons


def _source(api: Api, folder: Path, changes: Mapping[str, Any]) -> config.SourceConfig:
    written = {"preset": api.preset, "with": {**api.given, **changes}, "rest": api.small}
    path = folder / "config.yaml"
    path.write_text(json.dumps({"customergauge": RECEIVER, "sources": {"tried": written}}))
    path.chmod(0o600)
    loaded = config.load(path, environ={})
    assert not loaded.warnings
    return loaded.sources["tried"]
