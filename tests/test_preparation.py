"""A record becomes all its activities, or a reject that says why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from cgsync.api import Record
from cgsync.model import MappedRecord, Reject, RejectKind
from cgsync.preparation import NO_KEY, prepare
from tests.rig import Rig, record


def prepared(desk: Rig, item: Record) -> Any:
    return prepare(item, desk.plan)


async def test_a_record_becomes_its_activity(desk: Rig) -> None:
    mapped = prepared(desk, record("7"))
    assert isinstance(mapped, MappedRecord)
    assert msgspec.json.decode(mapped.activities[0].body)["account"] == "Acme"


async def test_a_record_without_a_key_is_rejected_by_its_position(desk: Rig) -> None:
    refused = prepared(desk, record(""))
    assert isinstance(refused, Reject)
    assert (refused.kind, refused.identity, dict(refused.reasons)) == (RejectKind.INVALID, "desk ", {"": NO_KEY})


async def test_a_record_whose_revision_has_no_zone_is_rejected(desk: Rig) -> None:
    refused = prepared(desk, record("1", revision=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point
    assert "a time without a zone" in refused.reasons[""]
    assert isinstance(prepared(desk, record("1", revision=datetime(2026, 1, 1, tzinfo=UTC))), MappedRecord)


async def test_a_record_that_the_mapping_does_not_fit_names_the_field(desk: Rig) -> None:
    refused = prepared(desk, Record(key="1", data={"id": "1"}, position="here"))
    assert list(refused.reasons) == ["account"]
    assert refused.mapped is None


async def test_a_record_that_the_contract_refuses_keeps_what_was_mapped(desk: Rig) -> None:
    refused = prepared(desk, record("1", account="x" * 1000))
    assert list(refused.reasons) == ["account"]
    assert msgspec.json.decode(refused.mapped)["account"] == "x" * 1000
