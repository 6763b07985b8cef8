"""Mappings of one field or a few, for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cgsync.api import Record
from cgsync.mapping import Mapper, MappingSpec, compile_mapping

COMPLETE: Mapping[str, Any] = {
    "account": "Acme",
    "type": "Order",
    "source": "Shop",
    "happened_at": "2024-05-01 10:00:00",
}


@pytest.fixture
def spec() -> Callable[..., MappingSpec]:
    """A spec with one complete activity, changed by what is given."""

    def make(*activities: Mapping[str, Any], **changes: Any) -> MappingSpec:
        whole = [{**COMPLETE, **activity} for activity in activities or ({},)]
        defaults = {"record_name": "ticket", "when": None, "activities": whole, "timezone": ZoneInfo("UTC")}
        return MappingSpec(**{**defaults, **changes})

    return make


@pytest.fixture
def mapper(spec: Callable[..., MappingSpec]) -> Callable[..., Mapper]:
    return lambda *activities, **changes: compile_mapping(spec(*activities, **changes))


@pytest.fixture
def render(mapper: Callable[..., Mapper]) -> Callable[..., Any]:
    """The value that a template gives inside additional information, where it keeps its type."""

    def value(template: Any, ticket: Any = None, **changes: Any) -> Any:
        compiled = mapper({"additional_information_object": {"value": template}}, **changes)
        (body,) = compiled.map(Record(key="1", data=ticket or {}, position="here"), "uid")
        return body.get("additional_information_object", {}).get("value")

    return value
