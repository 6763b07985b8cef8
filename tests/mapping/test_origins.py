"""From the body back to the record, through the expressions of the mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cgsync.api import Record
from cgsync.mapping import MappingSpec, compile_mapping
from cgsync.mapping.environment import open_sandbox
from cgsync.mapping.origins import Made, entry_of, made, origins
from tests.rig import UTC_ZONE

TICKET = {"id": 7, "requester": {"email": "X@y.example"}, "tags": [{"name": "a"}, {"name": "b"}], "Order No": "12"}
ACTIVITY = {
    "reference": "t-{{ t.id }}",
    "account": "Acme",
    "contact": "{{ t.requester.email | lower }}",
    "type": "Ticket",
    "source": "Desk",
    "happened_at": "2026-03-04 10:00:00",
}


def spec(*activities: Mapping[str, Any]) -> MappingSpec:
    return MappingSpec(record_name="t", when=None, activities=activities, timezone=UTC_ZONE)


def explained(written: MappingSpec) -> Sequence[list[Made]]:
    """Each body that this mapping makes of the ticket, explained."""
    mapper = compile_mapping(written)
    bodies = mapper.map(Record(key="7", data=TICKET, position="p"), "desk")
    return [made(entry_of(mapper.expressions(), body["reference"], TICKET, written), body, TICKET) for body in bodies]


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{{ t.requester.email | lower }}", {"t.requester.email": "X@y.example"}),
        ("{{ t['Order No'] }} {{ t.tags[1].name }}", {"t['Order No']": "12", "t.tags[1].name": "b"}),
        ("{% for tag in t.tags %}{{ tag.name }}{% endfor %}", {"t.tags": TICKET["tags"]}),
        ("{% set r = t.requester %}{{ r.email }}", {"t.requester": TICKET["requester"]}),
        ("{{ t.tags[t.id].name }}", {"t.tags": TICKET["tags"], "t.id": 7}),
        ("{{ t.id }}{{ t.id }}{{ range(3) | list }}", {"t.id": 7}),
        ("{{ t.phone.mobile | default(t.id) }}", {"t.phone.mobile": None, "t.id": 7}),
        ("{{ broken", {}),
    ],
)
def test_the_paths_of_an_expression_lead_to_the_values_of_the_record(template: str, found: dict[str, Any]) -> None:
    traced = origins(open_sandbox({}), template, TICKET)
    assert {each.path: each.value for each in traced} == found
    assert [each.path for each in traced if not each.found] == [path for path, value in found.items() if value is None]


def test_each_field_of_a_body_has_its_expression_and_what_was_left_out_is_named_too() -> None:
    extra = {"size": "{{ t.size | default('') }}", "ids": ["{{ t.id }}", 2], "n": 3}
    [body] = explained(spec({**ACTIVITY, "additional_information_object": extra}))
    by_name = {each.field: (each.value, each.expression, each.constant) for each in body}
    assert by_name["contact"] == ("x@y.example", "{{ t.requester.email | lower }}", False)
    assert by_name["account"] == ("Acme", "Acme", True)
    within = "additional_information_object."
    assert by_name[f"{within}size"] == (None, "{{ t.size | default('') }}", False)
    assert by_name[f"{within}ids.0"] == (7, "{{ t.id }}", False)
    assert by_name[f"{within}n"] == (3, "3", True)
    assert [each.field for each in body][:3] == ["reference", "account", "contact"]


def test_one_expression_may_give_a_whole_object() -> None:
    whole = {**ACTIVITY, "additional_information_object": "{{ t.requester }}"}
    [body] = explained(spec(whole))
    last = body[-1]
    assert (last.field, last.value) == ("additional_information_object", TICKET["requester"])
    assert [each.path for each in last.origins] == ["t.requester"]


def test_a_reference_that_the_mapping_does_not_give_has_no_expression() -> None:
    [body] = explained(spec({name: text for name, text in ACTIVITY.items() if name != "reference"}))
    assert (body[0].field, body[0].value, body[0].expression) == ("reference", "desk:7", None)


def test_of_several_activities_the_one_that_gave_the_reference_explains_the_body() -> None:
    lost = {**ACTIVITY, "reference": "t-{{ t.nothing }}", "type": "Lost"}
    closed = {**ACTIVITY, "reference": "t-{{ t.id }}-closed", "type": "Closed"}
    written = spec({**lost, "when": "{{ false }}"}, ACTIVITY, closed)
    bodies = explained(written)
    assert [{each.field: each.expression for each in body}["type"] for body in bodies] == ["Ticket", "Closed"]
    assert entry_of(compile_mapping(written).expressions(), "t-7", None, written) == {}


def test_without_the_record_the_expressions_are_left() -> None:
    [each] = made({"account": "{{ t.a }}"}, {"account": "A"}, None)
    assert (each.value, each.expression, each.origins) == ("A", "{{ t.a }}", [])
